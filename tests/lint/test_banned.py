# test_banned.py - calls that the code does not make
#
# SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from lint import source

# pattern, directories of src/ where it is allowed, what to use instead
BANNED = [
    (r"\b(strcpy|strcat|sprintf|vsprintf|stpcpy|strncpy)\s*\(", set(),
     "struct buf, or snprintf into a field"),
    (r"\b(strtok|gets|tmpnam|mktemp|rand|srand|random)\s*\(", set(),
     "strtok_r, fgets, mkstemp, base/id.h"),
    (r"\b(atoi|atol|atoll|atof)\s*\(", set(), "base/text.h"),
    (r"\b(malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|"
     r"vasprintf)\s*\(", {"base", "spooler", "gateway"}, "struct arena"),
    (r"\btime\s*\(|\b(gettimeofday|clock_gettime)\s*\(", {"base"},
     "base/clock.h"),
    (r"\b(system|popen)\s*\(", set(), "posix_spawn"),
    (r"\bgoto\b", set(), "arena_defer, or a function"),
    (r"\b(localtime|gmtime|ctime|asctime)\s*\(", set(), "the _r functions"),
    (r"\balloca\s*\(", set(), "struct arena"),
]
TYPEDEF = re.compile(r"^\s*typedef\s+(struct|union|enum)\s+\w*\s*(\{|\*?\w+\s*;)",
                     re.MULTILINE)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|not implemented)\b")


def faults(directory, text):
    found = []
    plain = source.code(text)
    for pattern, allowed, instead in BANNED:
        if directory in allowed:
            continue
        for match in re.finditer(pattern, plain):
            line = plain.count("\n", 0, match.start()) + 1
            found.append(f"{line}: {match.group().strip('( ')}: "
                         f"use {instead}")
    return found


@pytest.mark.parametrize("path", source.files(".c", ".h", ".def", under="src"),
                         ids=source.name)
def test_banned_calls(path):
    assert faults(path.parent.name, path.read_text()) == []


@pytest.mark.parametrize("path", source.files(".c", ".h", ".def", under="src"),
                         ids=source.name)
def test_no_typedef_of_structs(path):
    assert not TYPEDEF.search(source.code(path.read_text()))


@pytest.mark.parametrize(
    "path", [p for p in source.files(".c", ".h", ".def", ".py", ".sql", ".sh")
             if p.name != "test_banned.py"], ids=source.name)
def test_nothing_is_left_open(path):
    assert UNFINISHED.findall(path.read_text()) == []


@pytest.mark.parametrize("directory, text, wrong", [
    ("api", "x = atoi(s);", 1),
    ("api", "x = my_atoi(s);", 0),
    ("api", '/* atoi(s) */ "strcpy(a, b)"', 0),
    ("api", "p = malloc(9);", 1),
    ("base", "p = malloc(9);", 0),
    ("api", "goto out;", 1),
    ("api", "t = time(NULL);", 1),
    ("api", "t = run_time(NULL);", 0),
])
def test_the_check_itself(directory, text, wrong):
    assert len(faults(directory, text)) == wrong


@pytest.mark.parametrize("text, wrong", [
    ("typedef struct foo foo;", True),
    ("typedef struct { int x; } foo;", True),
    ("typedef struct foo *foo_p;", True),
    ("typedef struct foo *make_fn(int x);", False),
    ("typedef int (*compare)(int);", False),
])
def test_the_typedef_check_itself(text, wrong):
    assert bool(TYPEDEF.search(text)) == wrong
