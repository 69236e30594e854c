# test_sql.py - SQL lives in sql/, each query is named once and used
#
# SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from lint import source

STATEMENT = re.compile(
    r"\b(SELECT\s+\S+.*\bFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|"
    r"MERGE\s+INTO|CREATE\s+(TABLE|ROLE|INDEX|POLICY)|ALTER\s+(TABLE|ROLE)|"
    r"DROP\s+(TABLE|ROLE|INDEX)|TRUNCATE\s+\w+|GRANT\s+\w+\s+(ON|TO))\b",
    re.IGNORECASE | re.DOTALL)
NAME = re.compile(r"^-- name: (\S+)", re.MULTILINE)
# The files whose SQL cannot be a prepared query, and why.
APART = {
    "src/db/migrate.c": "reads the record of migrations before a schema exists",
}


def statements(text):
    """Texts in the code that are SQL: in capitals, so prose is not taken."""
    return [f"{line}: {text[:60]}" for line, text in source.texts(text)
            if (m := STATEMENT.search(text)) and m.group().split()[0].isupper()]


def query_names():
    return [(name, path) for path in source.files(".sql", under="sql/queries")
            for name in NAME.findall(path.read_text())]


@pytest.mark.parametrize(
    "path", [p for p in source.files(".c", ".h", under="src")
             if source.name(p) not in APART], ids=source.name)
def test_no_sql_in_code(path):
    assert statements(path.read_text()) == []


def test_query_names_are_unique():
    names = [name for name, _ in query_names()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name, path", query_names(), ids=str)
def test_query_is_used(name, path):
    pattern = re.compile(r"\b(?:\w+_)?" + re.escape(name) + r"\b",
                         re.IGNORECASE)
    assert any(pattern.search(source.code(p.read_text()))
               for p in source.files(".c", ".h", under="src")), \
        f"{source.name(path)}: nothing runs {name}"


@pytest.mark.parametrize("path", source.files(".sql", under="sql/queries"),
                         ids=source.name)
def test_query_says_what_it_returns(path):
    lines = path.read_text().split("\n")
    silent = [line for line, after in zip(lines, lines[1:])
              if NAME.match(line) and not after.startswith("-- ")]
    assert silent == []


@pytest.mark.parametrize("text, wrong", [
    ('db_run("SELECT id FROM tenant");', 1),
    ('db_run("INSERT " "INTO tenant");', 1),
    ('/* SELECT id FROM tenant */', 0),
    ('err_set(e, "could not select a provider from the list");', 0),
    ('db_send("SET LOCAL belfry.tenant = \'%d\'");', 0),
])
def test_the_check_itself(text, wrong):
    assert len(statements(text)) == wrong
