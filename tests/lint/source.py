# source.py - the source tree as the lint tests read it
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The code is formatted as KNF, so a function's body starts with a "{" alone in
# the first column and ends with a "}" there.  Comments and texts are told apart
# by one regular expression; what they held becomes blanks, so that line numbers
# stay true.
import functools
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
      | (?P<text>"(?:\\.|[^"\\\n])*")
      | (?P<char>'(?:\\.|[^'\\\n])*')""",
    re.DOTALL | re.VERBOSE)

SKIPPED_DIRECTORIES = {".git", "build", "build-aux", "autom4te.cache",
                       "__pycache__", "node_modules"}
# What autoreconf makes.
GENERATED = re.compile(r"(configure~?|aclocal\.m4|config\.h\.in~?|Makefile\.in|"
                       r"l(ibtool|t.*)\.m4)")


def tracked():
    """The files of the project: what git knows, or the tree of a tarball."""
    git = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                         cwd=ROOT, capture_output=True, text=True)
    if git.returncode == 0:
        names = git.stdout.split("\n")
        return sorted(p for p in (ROOT / n for n in names if n) if p.is_file())
    found = []
    for top, directories, names in os.walk(ROOT):
        directories[:] = [d for d in directories
                          if d not in SKIPPED_DIRECTORIES]
        found += [Path(top) / n for n in names if not GENERATED.fullmatch(n)]
    return sorted(found)


@functools.lru_cache(maxsize=None)
def files(*suffixes, under=""):
    top = ROOT / under
    return [p for p in tracked()
            if p.suffix in suffixes and top in (p, *p.parents)]


def name(path):
    """A path as people say it; also for a test's id when there is no file."""
    return str(path.relative_to(ROOT)) if isinstance(path, Path) else "none"


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def code(text):
    """The text without comments and without what stands in quotes."""
    def without(match):
        found = match.group()
        if match.lastgroup == "comment":
            return blank(found)
        return found[0] + blank(found[1:-1]) + found[-1]
    return TOKEN.sub(without, text)


def texts(text):
    """(line, text) of each quoted text; neighbours in C become one."""
    found, end = [], None
    for match in TOKEN.finditer(text):
        if match.lastgroup != "text":
            continue
        inner = match.group()[1:-1]
        if end is not None and not text[end:match.start()].strip():
            line, before = found[-1]
            found[-1] = (line, before + inner)
        else:
            found.append((text.count("\n", 0, match.start()) + 1, inner))
        end = match.end()
    return found


def functions(text):
    """(name, first line, number of lines) of each function body."""
    found, start = [], None
    lines = code(text).split("\n")
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line.startswith("}") and start is not None:
            found.append((function_name(lines[:start]), start + 1,
                          i - start - 1))
            start = None
    return found


def function_name(lines):
    """The name in front of the parameters that end before the body."""
    head = " ".join(lines[-12:])
    names = re.findall(r"(\w+)\s*\(", head[head.rfind("}") + 1:])
    return names[0] if names else "?"


def includes(text):
    """(line, header) of each #include "..."."""
    pattern = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
    return [(text.count("\n", 0, m.start()) + 1, m.group(1))
            for m in pattern.finditer(text)]


def table_rows(path):
    """The arguments of each X(...) of a table, texts without their quotes."""
    text = path.read_text()
    rows = []
    for match in re.finditer(r"^X\((.*?)\)$", TOKEN.sub(
            lambda m: "" if m.lastgroup == "comment" else m.group(), text),
            re.MULTILINE | re.DOTALL):
        parts = re.findall(r'(?:"(?:\\.|[^"\\])*"|[^,"])+', match.group(1))
        rows.append([" ".join(p.split()).strip('"') for p in parts])
    return rows


def routes():
    """(method, path, scope, summary) of each row of the route table."""
    text = (SRC / "api/routes.c").read_text()
    names = dict(re.findall(r'^#define (\w+) "([^"]+)"', text, re.MULTILINE))
    found = []
    for row in re.findall(r"\{ (HTTP_\w+, .*?) \},", text, re.DOTALL):
        method = row[len("HTTP_"):row.index(",")]
        path = re.match(r'HTTP_\w+, (\w*) ?"([^"]*)"', row)
        scope = re.search(r'\.scope = "([^"]*)"', row)
        summary = re.search(r'\.summary = ((?:\s*"[^"]*")+)', row)
        found.append((method, names.get(path.group(1), "") + path.group(2),
                      scope.group(1) if scope else "",
                      "".join(re.findall(r'"([^"]*)"', summary.group(1)))))
    return found
