# test_layers.py - a directory includes only from directories below it
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from lint import source

# From the ground up.  Directories of one row do not know each other.
LAYERS = [
    {"base"},
    {"db"},
    {"net"},
    {"template"},
    {"model"},
    {"web"},
    {"auth"},
    {"provider"},
    {"notify"},
    {"api", "spooler", "gateway", "bridge", "ctl"},
]
RANK = {d: i for i, row in enumerate(LAYERS) for d in row}


def faults(directory, text):
    """What is wrong with the includes of a file in src/directory."""
    found = []
    for line, header in source.includes(text):
        if header == "config.h":
            continue
        below, slash, _ = header.partition("/")
        if not slash or below not in RANK:
            found.append(f'{line}: "{header}" is not "directory/file.h"')
        elif below != directory and RANK[below] >= RANK[directory]:
            found.append(f'{line}: "{header}" stands above {directory}/')
    return found


@pytest.mark.parametrize("path", source.files(".c", ".h", ".def", under="src"),
                         ids=source.name)
def test_includes_point_down(path):
    assert path.parent.name in RANK, "a directory that has no layer"
    assert faults(path.parent.name, path.read_text()) == []


@pytest.mark.parametrize("directory, header, wrong", [
    ("db", "base/err.h", 0),
    ("db", "db/row.h", 0),
    ("db", "config.h", 0),
    ("base", "db/row.h", 1),
    ("template", "model/tenant.h", 1),
    ("api", "spooler/lane.h", 1),
    ("api", "../base/err.h", 1),
    ("api", "err.h", 1),
])
def test_the_check_itself(directory, header, wrong):
    assert len(faults(directory, f'#include "{header}"\n')) == wrong
