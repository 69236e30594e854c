# test_queries.py - every query of sql/queries/ fits the migrated schema
#
# SPDX-License-Identifier: BSD-2-Clause
import re
from pathlib import Path

import psycopg2
import pytest

from harness.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]



def queries():
    for path in sorted((ROOT / "sql/queries").glob("*.sql")):
        parts = re.split(r"(?m)^-- name: *(\S+) *$", path.read_text())
        for name, body in zip(parts[1::2], parts[2::2]):
            text = re.sub(r"(?m)--.*$", "", body).strip().rstrip(";")
            yield pytest.param(path.stem, name, text, id=name)


@pytest.fixture(scope="module")
def server():
    server = Postgres().up()
    server.ctl("init")
    yield server
    server.down()
    server.remove()


@pytest.fixture(scope="module")
def cursor(server):
    connection = psycopg2.connect(host=f"{server.directory}/s",
                                  dbname="belfry", user="postgres")
    connection.autocommit = True
    yield connection.cursor()
    connection.close()


@pytest.mark.parametrize("file, name, text", queries())
def test_it_can_be_prepared(cursor, file, name, text):
    cursor.execute(f"PREPARE {name} AS " + text.replace("{week}", ""))


WEEKLY = [p for p in queries() if "{week}" in p.values[2]]


@pytest.mark.parametrize("file, name, text", WEEKLY)
def test_it_can_go_to_one_week(cursor, file, name, text):
    cursor.execute("SELECT right(max(relname), 9) FROM pg_class "
                   "WHERE relname LIKE 'attempt_2_______'")
    week = cursor.fetchone()[0]
    cursor.execute(f"PREPARE {name}{week} AS " + text.replace("{week}", week))


def tables_with_tenants(cursor):
    cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity "
                   "AND relnamespace = 'belfry'::regnamespace "
                   "AND NOT relispartition")
    return {row[0] for row in cursor.fetchall()}


def test_tenant_queries_name_the_tenant(cursor):
    """Row-level security is the second wall; this is the first."""
    walled = tables_with_tenants(cursor)
    assert "template" in walled
    silent = []
    for parameter in queries():
        file, name, text = parameter.values
        named = set(re.findall(
            r"\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(\w+)", text)) & walled
        if named and "tenant_id" not in text:
            silent.append(name)
    # The spooler's own look across tenants, in the queue and its like alone.
    across = {"ready_keys", "ready_keys_repair", "leases_orphaned",
              "idempotency_expire", "later_due", "queue_depth",
              "health_changed", "health_counts", "hook_seen_expire",
              "heard_expire",
              "throughput_clear", "webhook_due", "webhook_orphans",
              "webhook_waiting", "webhook_message_expire",
              "webhook_attempt_expire", "webhook_queue_expire"}
    assert set(silent) <= across
