# test_claims.py - what a claim costs, however much lies in the queue
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY O1 and O6 in short; tests/fault/full has them at their full size.
import time
from datetime import datetime, timedelta, timezone

import psycopg2
import pytest

from harness.api import mail
from harness.claims import ClaimCost, query
from harness.fake_provider import FakeProvider
from harness.rows import Rows, percentile
from harness.size import bound
from harness.tenant import Tenant
from harness.wait import wait_until

HELD = "dead rows cannot be vacuumed: somebody holds on to them"
FREE = "dead rows can be vacuumed again"


@pytest.mark.O6
@pytest.mark.settings(settings={"log.level": "info"})
def test_a_claim_costs_the_same_in_a_long_queue(own_stack):
    own_stack.stop("spooler")
    cost = ClaimCost(own_stack)
    few = cost.measure(10000)
    many = cost.measure(200000)
    print(f"claim of 100 rows, median: {few:.2f} ms among 10,000, "
          f"{many:.2f} ms among 200,000")
    assert many < bound(2 * few, 2 * few + 20)


def held(stack):
    """A transaction that keeps its snapshot."""
    connection = psycopg2.connect(
        host=stack.env["PGHOST"], port=stack.env["PGPORT"],
        dbname=stack.env["PGDATABASE"], user="postgres",
        options="-c search_path=belfry", application_name="report")
    connection.set_session(isolation_level="REPEATABLE READ")
    connection.cursor().execute("SELECT count(*) FROM tenant")
    return connection


def flow(rows, tenant, seconds):
    """100 notifications a second; how long each waited for its attempt."""
    first = time.time()
    while time.time() < first + seconds:
        rows.fresh([tenant] * 10)
        time.sleep(0.1)
    last = time.time()
    wait_until(lambda: all(ms is not None
                           for _, ms in rows.dwell([tenant], first, last)),
               20, "an attempt for each")
    return percentile([ms for _, ms in rows.dwell([tenant], first, last)], 0.95)


@pytest.mark.O1
@pytest.mark.settings(settings={"spooler.transaction_age": "1s"})
@pytest.mark.expect_log("somebody holds on to them")
def test_a_held_transaction(own_stack):
    """Claims bear it, and the holder is named, once."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider, own_stack.db() as connection:
        provider.add_to(tenant, "webhook")
        rows = Rows(connection)
        before = flow(rows, tenant.id, 3)
        holder = held(own_stack)
        during = flow(rows, tenant.id, 6)
        line, = wait_until(lambda: own_stack.logs.find(msg=HELD), 10, "an alarm")
        assert line["pid"] == holder.get_backend_pid()
        assert line["user"] == "postgres"
        assert line["application"] == "report"
        assert line["kind"] == "transaction" and line["age_s"] >= 1
        assert "belfry_vacuum_holders 1" in metrics(tenant)
        holder.close()
        wait_until(lambda: own_stack.logs.find(msg=FREE), 10,
                   "the end of the alarm")
        wait_until(lambda: "belfry_vacuum_holders 0" in metrics(tenant), 10,
                   "no holder")
        assert len(own_stack.logs.find(msg=HELD)) == 1
    print(f"dwell p95: {during:.0f} ms with a transaction held, {before:.0f} ms before")
    assert during <= bound(2 * before, 3000)


def metrics(tenant):
    return tenant.api.get("/metrics").text


# ---- Dead rows in front of what is to be found -----------------------------------------

DEAD = 100_000
FILL = {
    "q_later": """INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio,
            lease_no)
        SELECT %s, now() - interval '1 hour' + i * interval '1 ms', gen_random_uuid(),
            gen_random_uuid(), 1, 1, 0 FROM generate_series(1, %s) i""",
    "q_leased": """INSERT INTO q_leased (tenant_id, id, notification_id, lane, prio,
            lease_no, spooler)
        SELECT %s, gen_random_uuid(), gen_random_uuid(), 1, 1, 1, gen_random_uuid()
        FROM generate_series(1, %s) i""",
}


def cost(connection, tenant, name, *values):
    """The rows of a query that the spooler asks, and how many pages that touched."""
    connection.autocommit = False
    cursor = connection.cursor()
    cursor.execute(f"SET LOCAL belfry.tenant = '{tenant}'")
    cursor.execute(f"PREPARE q AS {query(name)}")
    asked = f"EXECUTE q ({', '.join(values)})"
    cursor.execute("SAVEPOINT before")
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked}")
    told = cursor.fetchone()["QUERY PLAN"][0]
    cursor.execute("ROLLBACK TO before")
    cursor.execute(asked)
    rows = [tuple(r.values()) for r in cursor.fetchall()]
    cursor.execute("DEALLOCATE q")
    connection.rollback()
    pages = told["Plan"]["Shared Hit Blocks"] + told["Plan"]["Shared Read Blocks"]
    print(f"{name}: {pages} pages, {told['Execution Time']:.1f} ms")
    return rows, pages


@pytest.mark.O1
@pytest.mark.settings(settings={"spooler.transaction_age": "1h"})
def test_what_is_due_is_found_behind_dead_rows(own_stack):
    """100,000 rows were promoted, or let go, while somebody holds on to them."""
    tenant, other = (Tenant(own_stack, maildir=False).id for _ in range(2))
    own_stack.stop("spooler")
    with own_stack.db() as connection:
        cursor = connection.cursor()
        for table, fill in FILL.items():
            cursor.execute(fill, (tenant, DEAD))
        holder = held(own_stack)
        for table, fill in FILL.items():
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute(FILL["q_later"], (other, 1))
        cursor.execute("INSERT INTO q_later (tenant_id, due, id, notification_id, "
                       "lane, prio, lease_no) VALUES (%s, now() - interval '1 s', "
                       "gen_random_uuid(), gen_random_uuid(), 1, 1, 0)", (tenant,))
    low = "now() - interval '10 s'"
    nobody = "'00000000-0000-0000-0000-000000000000'"
    with own_stack.db(user="belfry_spooler") as connection:
        def due(marks):
            found, pages = cost(connection, tenant, "later_due",
                                f"ARRAY[{tenant}]::bigint[]",
                                f"ARRAY[{marks}]::timestamptz[]")
            assert [(r[0], r[1] <= 0, r[3]) for r in found] == [
                (tenant, True, True), (other, True, False)]
            return pages

        def promote(mark):
            found, pages = cost(connection, tenant, "later_promote", str(tenant),
                                "1000", mark)
            assert found == [(1, 4, 1)]
            return pages

        def orphans(every):
            found, pages = cost(connection, tenant, "leases_orphaned", "15000",
                                nobody, every)
            assert found == []
            return pages
        assert due("NULL") > 1000 and due(low) < 50
        assert promote("NULL") > 1000 and promote(low) < 100
        assert orphans("true") > 1000 and orphans("false") < 50
    holder.close()


@pytest.mark.settings(settings={"spooler.transaction_age": "1h"})
def test_what_comes_late_is_found_by_a_sweep(own_stack):
    """A row that is due before the low-water mark, and leases that a spooler took when
    it had been dead for long, or whose row is gone."""
    tenant = Tenant(own_stack)
    for name, after in {"late": 9999, "later": 9999, "soon": 2}.items():
        when = datetime.now(timezone.utc) + timedelta(seconds=after)
        tenant.api.accepted(mail(f"{name}@example.org", send_at=when.isoformat()))
    tenant.wait_for_mails(1)  # so there was a look, and the tenant has a mark
    tenant.rows("UPDATE q_later SET due = now() - interval '1 hour' WHERE id = ("
                "SELECT min(id::text)::uuid FROM q_later WHERE tenant_id = %s)")
    assert "late@" in tenant.wait_for_mails(2, 20)[1]["To"]

    own_stack.logs.allow("took over from a dead spooler")
    own_stack.rows("INSERT INTO spooler (id, host, pid, version, slot, state, "
                   "in_flight, claims, heartbeat_at) VALUES ('deaddead-dead-dead-dead-"
                   "deaddeaddead', 'gone', 1, '0', 0, 1, 0, 0, now() - interval "
                   "'10 minutes')")
    wait_until(lambda: own_stack.value("SELECT buried FROM spooler WHERE host = 'gone'"),
               10, "that it is seen to hold nothing")
    for spooler in ("deaddead-dead-dead-dead-deaddeaddead",
                    "deaddead-dead-dead-dead-000000000000"):
        tenant.rows("INSERT INTO q_leased (tenant_id, id, notification_id, lane, prio, "
                    "lease_no, spooler) VALUES (%s, gen_random_uuid(), "
                    "gen_random_uuid(), 1, 1, 1, %s)", spooler)
    wait_until(lambda: tenant.count("q_leased") == 0, 20, "that both are taken over")


def test_notifications_that_waited_for_weeks(stack):
    """Claims look for fresh ones first, and miss none: neither in another partition nor
    among those for which there is none."""
    tenant = Tenant(stack)
    with stack.db() as connection:
        rows = Rows(connection, "email")
        rows.ready(tenant.id, 3, days=30)
        rows.fresh([tenant.id] * 3, days=30)
        rows.fresh([tenant.id] * 3, days=8)
        rows.fresh([tenant.id] * 2)
        tenant.wait_for_mails(11)
        rows.ready(tenant.id, 2, days=3)
        rows.fresh([tenant.id] * 2)
        tenant.wait_for_mails(15)
    tenant.idle()
    assert {row["state"] for row in tenant.rows(
        "SELECT state FROM delivery WHERE tenant_id = %s")} == {4}
    assert {row["state"] for row in tenant.rows(
        "SELECT state FROM notification WHERE tenant_id = %s")} == {3}


def test_history_is_written_to_its_own_week(own_stack):
    """Not by way of the parents, which would open the partitions of every week: there the
    spooler has no rights any more."""
    tenant = Tenant(own_stack)
    with own_stack.db() as connection:
        rows = Rows(connection, "email")
        rows.ready(tenant.id, 1)
        tenant.wait_for_mails(1)
        tenant.idle()
        rows.run("REVOKE INSERT, UPDATE ON attempt, delivery, notification "
                 "FROM belfry_spooler")
        rows.ready(tenant.id, 20)
        tenant.wait_for_mails(21)
    tenant.idle()
    assert {row["state"] for row in tenant.rows(
        "SELECT state FROM notification WHERE tenant_id = %s")} == {3}
