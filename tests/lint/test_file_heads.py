# test_file_heads.py - every file says its name, its purpose and its licence
#
# SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from lint import source

SPDX = "SPDX-License-Identifier: BSD-2-Clause"
SCRIPTS = [p for p in source.tracked()
           if p.suffix == "" and p.parent.name in ("contrib", "unit", ".ci")]


def faults(name, text):
    """The purpose stands in the first three lines, the licence in ten.

    SQL is shorter: its first line is a comment that says what it is about.
    """
    head = text.split("\n")[:10]
    found = []
    if name.endswith(".sql"):
        return [] if re.match(r"-- (?!name:)\w", head[0]) else [
            "the first line does not say what the file is about"]
    purpose = re.compile(r"(^|[\s*#/-])" + re.escape(name) + r" - \S")
    if not any(purpose.search(line) for line in head[:3]):
        found.append(f'"{name} - purpose" is not in the first three lines')
    if not any(SPDX in line for line in head):
        found.append("the SPDX line is not in the first ten lines")
    return found


@pytest.mark.parametrize(
    "path", [*source.files(".c", ".h", ".def", ".py", ".sql", ".sh"),
             *SCRIPTS], ids=source.name)
def test_head(path):
    assert faults(path.name, path.read_text()) == []


@pytest.mark.parametrize("text, wrong", [
    ("/*\n * a.c - adds\n *\n * " + SPDX + "\n", 0),
    ("# a.c - adds\n# " + SPDX + "\n", 0),
    ("/*\n * b.c - adds\n *\n * " + SPDX + "\n", 1),
    ("/*\n * a.c - adds\n */\n", 1),
    ("#include <stdio.h>\n", 2),
])
def test_the_check_itself(text, wrong):
    assert len(faults("a.c", text)) == wrong
