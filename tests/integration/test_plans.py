# test_plans.py - what a spooler asks is answered by index, whatever statistics say
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The tables here are young, as they are when a week begins: nothing has analysed them
# since they were made.
import json
import re
from pathlib import Path

import psycopg2
import pytest

from harness.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
NIL = "00000000-0000-0000-0000-000000000000"
LAST = "ffffffff-ffff-0000-0000-000000000000"
ROWS = 3000

FILL = """
ALTER TABLE {week} SET (autovacuum_enabled = off);
INSERT INTO tenant (slug, name) VALUES ('plans', 'Plans');
INSERT INTO notification (tenant_id, id, account_id, recipients)
    SELECT 1, (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0')
        || lpad(to_hex(i), 20, '0'))::uuid, '{nil}', '[]'
    FROM generate_series(1, {rows}) i;
INSERT INTO delivery (tenant_id, notification_id, id, recipient_no, channel, state,
        address, provider_id)
    SELECT 1, id, id, 0, 2, 3, '+43' || row_number() OVER (), '{nil}' FROM notification;
INSERT INTO attempt (tenant_id, notification_id, delivery_id, n, lease_no, spooler)
    SELECT 1, id, id, 1, 1, '{nil}' FROM notification;
INSERT INTO q_ready SELECT 1, 0, 1, now(), id, id, 0 FROM notification;
INSERT INTO q_ready SELECT 1, 1, 1, now(), id, id, 0 FROM notification;
INSERT INTO q_leased SELECT 1, id, id, 1, 1, 1, '{nil}' FROM notification;
INSERT INTO q_later SELECT 1, now() + interval '1 hour', id, id, 1, 1, 1 FROM notification;
"""

# The arguments of each query: one delivery, as text.
CALLS = {
    "claim_route": "1, 1, now(), 100, '%(nil)s', '%(last)s'",
    "claim_lane": "1, 1, 1, now(), 100, '%(nil)s', '%(last)s'",
    "notification_routed": "1, '{%(id)s}', '{1}', '{1}'",
    "lane_write": "1, '%(nil)s', 1, 1, '{%(id)s}', '{%(id)s}', '{1}', '{2}', '{%(nil)s}'",
    "settle": "1, '{%(nil)s}', '{%(id)s}', '{%(id)s}', '{1}', '{1}', '{1}', '{4}', '{0}',"
              " '{250}', '{ok}', '{NULL}', '{1}', '{NULL}', '{-1}', '{0}', '{1}', '{NULL}'",
    "leases_rescue": "1, '%(nil)s', '{%(id)s}', '{%(id)s}', '{1}', '{1}', '{1}', '{%(nil)s}',"
                     " '{1}', 1000, 11",
    "settle_held": "1, '{%(id)s}', '{%(id)s}'",
    "later_over": "1, 100, '%(nil)s', '{%(nil)s}', NULL",
    "later_promote": "1, 100, NULL",
    "hook_known": "1, '{%(nil)s}', '{+44}', 2592000000",
}


def query(name):
    for path in (ROOT / "sql/queries").glob("*.sql"):
        parts = re.split(r"(?m)^-- name: *(\S+) *$", path.read_text())
        for found, body in zip(parts[1::2], parts[2::2]):
            if found == name:
                return body
    raise KeyError(name)


@pytest.fixture(scope="module")
def spooler():
    """A connection with the spooler's role and settings, the id of a notification, and
    what its partitions end with."""
    server = Postgres().up()
    server.ctl("init")
    where = {"host": f"{server.directory}/s", "dbname": "belfry"}
    owner = psycopg2.connect(user="postgres", **where)
    owner.autocommit = True
    cursor = owner.cursor()
    cursor.execute("SELECT 'notification_' || to_char(date_trunc('week', "
                   "now() AT TIME ZONE 'UTC'), 'YYYYMMDD')")
    week = cursor.fetchone()[0]
    cursor.execute("DELETE FROM tenant_generation; DELETE FROM api_key; "
                   "DELETE FROM service_account; DELETE FROM tenant")
    cursor.execute("ALTER TABLE tenant ALTER id RESTART")
    cursor.execute(FILL.format(week=week, rows=ROWS, nil=NIL))
    cursor.execute("SELECT id FROM notification ORDER BY id DESC LIMIT 1")
    one = cursor.fetchone()[0]
    asker = psycopg2.connect(user="belfry_spooler", **where)
    yield asker, one, week.removeprefix("notification")
    asker.close()
    owner.close()
    server.down()
    server.remove()


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize("straight", [False, True], ids=["parent", "partition"])
@pytest.mark.parametrize("name", sorted(CALLS))
def test_each_row_is_found_by_its_whole_key(spooler, name, straight):
    connection, one, week = spooler
    cursor = connection.cursor()
    connection.rollback()
    cursor.execute("DEALLOCATE ALL")
    cursor.execute("SET LOCAL belfry.tenant = '1'")
    if name == "lane_write":
        cursor.execute("DELETE FROM q_leased WHERE tenant_id = 1 AND id = %s", (one,))
    cursor.execute("PREPARE asked AS "
                   + query(name).replace("{week}", week if straight else ""))
    arguments = CALLS[name] % {"id": one, "nil": NIL, "last": LAST}
    cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({arguments})")
    plan = cursor.fetchone()[0]
    plan = plan if isinstance(plan, list) else json.loads(plan)
    connection.rollback()
    walked = []
    for node in nodes(plan[0]["Plan"]):
        relation = node.get("Relation Name", "")
        loops = max(node.get("Actual Loops", 0), 1)
        seen = (node.get("Actual Rows", 0)
                + node.get("Rows Removed by Filter", 0)) * loops
        if "Scan" in node["Node Type"] and relation and seen > 200:
            walked.append((node["Node Type"], relation, seen,
                           node.get("Index Cond")))
        assert node.get("Rows Removed by Join Filter", 0) * loops <= 200, node
    assert walked == []
