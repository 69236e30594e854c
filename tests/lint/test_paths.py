# test_paths.py - nothing in the tree knows the machine it was written on
#
# SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from lint import source

FOREIGN = re.compile(r"/(work|home|root|Users)/[\w.-]|/tmp/(wt|build)-")
PLAIN = [p for p in source.tracked()
         if p.suffix not in (".png", ".ico", ".gz") and p.name != "test_paths.py"]


@pytest.mark.parametrize("path", PLAIN, ids=source.name)
def test_no_machine_paths(path):
    found = [line for line in path.read_text().split("\n")
             if FOREIGN.search(line)]
    assert found == []


def test_the_check_itself():
    assert FOREIGN.search("see /home/ann/belfry")
    assert not FOREIGN.search("https://example.org/networks/x /tmp/belfry")
