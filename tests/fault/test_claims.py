# test_claims.py - what a claim costs, however much lies in the queue
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY O1 and O6 in short; tests/fault/full has them at their full size.
import time

import psycopg2
import pytest

from harness.claims import ClaimCost
from harness.fake_provider import FakeProvider
from harness.rows import Rows, percentile
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
    assert many < 2 * few + 5


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
    assert during <= max(2 * before, 1000)


def metrics(tenant):
    return tenant.api.get("/metrics").text


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
