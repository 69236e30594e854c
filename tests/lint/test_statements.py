# test_statements.py - each statement of doc/reliability.md has tests that can be selected
#
# SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from lint import source

TESTS = source.ROOT / "tests"
STATED = sorted(set(re.findall(
    r"\*\*([A-Z]\d+)\*\*", (source.ROOT / "doc/reliability.md").read_text())))
DECLARED = re.findall(r"^    ([A-Z]\d+):", (TESTS / "pytest.ini").read_text(),
                      re.MULTILINE)
USED = {name for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"pytest\.mark\.([A-Z]\d+)\b", path.read_text())}


@pytest.mark.parametrize("name", STATED)
def test_a_statement_has_a_test(name):
    assert name in USED, f"tests/fault/run {name} would find nothing"


@pytest.mark.parametrize("name", DECLARED)
def test_a_marker_is_used(name):
    assert name in USED
