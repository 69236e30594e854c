# mustache.py - the part of the template language that the defaults use
#
# SPDX-License-Identifier: BSD-2-Clause
#
# A second reader beside src/template/, small enough to be seen right: texts,
# values, if, unless, each, with, else and comments.  A tree is a list of
# ("text", s), ("value", path) and (block, path, then, otherwise).
import html
import json
import re

BLOCKS = ("if", "unless", "each", "with")
STANDALONE = re.compile(
    r"^[ \t]*(\{\{(?:[#/!][^}]*|else)\}\})[ \t]*\n", re.MULTILINE)
TAG = re.compile(r"(\{\{\{?[^}]*\}\}\}?)")
PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")

# How a value is written, by the part it stands in.
ESCAPES = {
    "html": lambda s: html.escape(s),
    "json": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "text": lambda s: s,
}


class Bad(Exception):
    pass


def path(text):
    if not PATH.match(text):
        raise Bad(f"not a path: {text!r}")
    return text


def parse(text):
    root = []
    stack = [(None, root)]
    for token in TAG.split(STANDALONE.sub(r"\1", text)):
        if not token.startswith("{{"):
            if token:
                stack[-1][1].append(("text", token))
            continue
        if token.startswith("{{!"):
            continue
        word = token.strip("{}").strip()
        if word.startswith("#"):
            name, _, what = word[1:].partition(" ")
            if name not in BLOCKS:
                raise Bad(f"unknown block {name!r}")
            node = (name, path(what.strip()), [], [])
            stack[-1][1].append(node)
            stack.append((node, node[2]))
        elif word == "else":
            node, branch = stack.pop()
            if node is None or branch is node[3]:
                raise Bad("else outside of a block")
            stack.append((node, node[3]))
        elif word.startswith("/"):
            node, _ = stack.pop()
            if node is None or node[0] != word[1:].strip():
                raise Bad(f"{token} closes nothing")
        else:
            stack[-1][1].append(("value", path(word)))
    if len(stack) != 1:
        raise Bad(f"{stack[-1][0][0]} is not closed")
    return root


def look_up(scope, name):
    for step in name.split("."):
        if step == "this":
            continue
        scope = scope.get(step) if isinstance(scope, dict) else None
    return scope


def render(tree, scope, escape):
    out = []
    for node in tree:
        if node[0] == "text":
            out.append(node[1])
            continue
        value = look_up(scope, node[1])
        if node[0] == "value":
            out.append("" if value is None else escape(str(value)))
        elif bool(value) == (node[0] == "unless"):
            out.append(render(node[3], scope, escape))
        elif node[0] == "each":
            out += [render(node[2], item, escape) for item in value]
        else:
            inner = value if node[0] == "with" else scope
            out.append(render(node[2], inner, escape))
    return "".join(out)


def used(tree, inside=""):
    """The paths that a tree reads.  What a path means inside of each and with
    is written with their own path in front: items[].name."""
    found = set()
    for node in tree:
        if node[0] == "text":
            continue
        here = node[1].removeprefix("this").removeprefix(".")
        full = f"{inside}.{here}".strip(".") if here else inside
        found.add(full)
        if node[0] == "value":
            continue
        below = {"each": full + "[]", "with": full}.get(node[0], inside)
        found |= used(node[2], below) | used(node[3], inside)
    return found


def leaves(value, name=""):
    """The paths that an example offers, in the words of used()."""
    found = {name} if name else set()
    if isinstance(value, dict):
        for key, below in value.items():
            found |= leaves(below, f"{name}.{key}".strip("."))
    elif isinstance(value, list):
        for below in value:
            found |= leaves(below, name + "[]")
    return found
