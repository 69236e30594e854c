# test_documented.py - every row of every table is documented
#
# SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from lint import source

DOC = source.ROOT / "doc"


def headings(path):
    return re.findall(r"^#+ `?([\w.]+)`?", path.read_text(), re.MULTILINE)


def section(path, heading):
    """The text below a heading, up to the next one."""
    match = re.search(rf"^#+ `?{re.escape(heading)}`?$(.*?)(?=^#|\Z)",
                      path.read_text(), re.MULTILINE | re.DOTALL)
    return match.group(1) if match else ""


ERRORS = source.table_rows(source.SRC / "base/err.def")
FAULTS = source.table_rows(source.SRC / "web/field_code.def")
METRICS = source.table_rows(source.SRC / "base/metrics.def")


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row[2])
def test_error_kind(row):
    _, status, code, retry, title = row
    text = section(DOC / "errors.md", code)
    assert f"HTTP {status}" in text
    assert title in text
    assert ("May be retried" in text) == (retry == "true")
    assert len(text.split()) > 25, "say when it comes and what to do"


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row[1])
def test_fault(row):
    assert f"- `{row[1]}`: {row[2]}" in (DOC / "errors.md").read_text()


@pytest.mark.parametrize("row", METRICS, ids=lambda row: row[0])
def test_metric(row):
    name, kind, label, values, _ = row
    text = section(DOC / "metrics.md", "belfry_" + name.lower())
    assert kind.lower() in text
    for word in [label, *values.split()]:
        assert word in text


def test_nothing_else_is_documented():
    assert set(headings(DOC / "errors.md")) - {r[2] for r in ERRORS} \
        <= {"Errors"}
    metrics = {"belfry_" + r[0].lower() for r in METRICS}
    assert {h for h in headings(DOC / "metrics.md")
            if h.startswith("belfry_")} == metrics
