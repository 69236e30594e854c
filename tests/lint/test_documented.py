# test_documented.py - every row of every table is documented
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import subprocess
from pathlib import Path

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


def test_every_event_is_in_the_catalogue_of_webhooks():
    """Whatever stands on a timeline is told to who asked for everything."""
    known = {r[0] for r in source.table_rows(
        source.SRC / "notify/webhook_event.def")}
    written = {f"delivery.{r[1]}" for r in source.table_rows(
        source.SRC / "notify/receipt.def")}
    for path in (source.ROOT / "sql").rglob("*.sql"):
        written |= set(re.findall(r"'((?:delivery|notification)\.[a-z_]+)'",
                                  path.read_text()))
    assert len(written) > 20
    assert written - known == set()
    text = (DOC / "webhooks.md").read_text()
    for kind in known:
        group, word = kind.split(".")
        assert any(f"`{group}.{word}`" in line or f" `.{word}`" in line
                   for line in text.splitlines()
                   if line.startswith(f"| `{group}.")), kind


def test_nothing_else_is_documented():
    assert set(headings(DOC / "errors.md")) - {r[2] for r in ERRORS} \
        <= {"Errors"}
    metrics = {"belfry_" + r[0].lower() for r in METRICS}
    assert {h for h in headings(DOC / "metrics.md")
            if h.startswith("belfry_")} == metrics


def test_alerts_name_metrics():
    text = (source.ROOT / "contrib/alerts.yml").read_text()
    named = {re.sub(r"_(bucket|sum|count)$", "", name)
             for name in re.findall(r"\bbelfry_\w+", text)}
    assert named and named <= {"belfry_" + r[0].lower() for r in METRICS}


# Routes, configuration keys, commands, scopes, exit codes

@pytest.mark.parametrize("row", source.routes(), ids=lambda r: " ".join(r[:2]))
def test_route(row):
    method, path, scope, summary = row
    shown = f"`{scope}`" if scope else ""
    assert f"| `{method} {path}` | {shown} | {summary} |" in \
        (DOC / "api.md").read_text()


def test_no_route_is_invented():
    assert len(re.findall(r"^\| `[A-Z]+ /", (DOC / "api.md").read_text(),
                          re.MULTILINE)) == len(source.routes())


KEYS = source.table_rows(source.SRC / "base/config.def")


@pytest.mark.parametrize("row", KEYS, ids=lambda row: ".".join(row[:2]))
def test_configuration_key(row):
    """In the sample, below its section, with its help in front of it."""
    sections = re.split(r"^\[(\w+)\]$",
                        (source.ROOT / "conf/belfry.conf").read_text(),
                        flags=re.MULTILINE)
    text = dict(zip(sections[1::2], sections[2::2]))[row[0]]
    assert re.search(rf"^#? ?{row[1]} =", text, re.MULTILINE)
    shown = " ".join(text.replace("#", " ").split())
    assert row[-1].replace('\\"', '"') in shown


@pytest.mark.parametrize("row", source.table_rows(
    source.SRC / "base/config_issuer.def"), ids=lambda row: row[0])
def test_issuer_key(row):
    """In the sample, below [issuer NAME], with its help in front of it."""
    text = (source.ROOT / "conf/belfry.conf").read_text()
    text = text[text.index("#[issuer NAME]"):]
    assert re.search(rf"^#{row[0]} =", text, re.MULTILINE)
    shown = " ".join(text.replace("#", " ").split())
    assert row[-1].replace('\\"', '"') in shown


def commands():
    """The words of each row of belfryctl's grammar."""
    text = (source.SRC / "ctl/command.c").read_text()
    table = text[text.index("ctl_command commands[]"):]
    return re.findall(r'^\t\{ "([a-z -]+)", "', table, re.MULTILINE)


@pytest.fixture(scope="session")
def belfryctl():
    path = Path(os.environ["BELFRY_BUILDDIR"]) / "belfryctl"
    assert path.exists(), "build first"

    def run(*arguments):
        return subprocess.run([path, *arguments], capture_output=True,
                              text=True, timeout=30)
    return run


@pytest.fixture(scope="session")
def manual(belfryctl):
    return belfryctl("help", "--mdoc").stdout


@pytest.mark.parametrize("words", commands())
def test_command(words, belfryctl, manual):
    """In the manual and in the help."""
    assert re.search(rf"^\.It .*{words}\b", manual, re.MULTILINE)
    done = belfryctl("help", *words.split())
    assert done.returncode == 0 and words in done.stdout


@pytest.mark.parametrize("row", source.table_rows(
    source.SRC / "ctl/exit.def"), ids=lambda row: row[1])
def test_exit_code(row, manual):
    assert " ".join(row[2].split())[:40] in " ".join(manual.split())


@pytest.mark.parametrize("row", source.table_rows(
    source.SRC / "auth/scope.def"), ids=lambda row: row[1])
def test_scope(row):
    assert f"| `{row[1]}` | {row[2]} |" in (DOC / "api.md").read_text()
