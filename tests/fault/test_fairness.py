# test_fairness.py - backlogs that hold up nobody else
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY O2, O4 and O7 in short; tests/fault/full has them at their full size.
import time

import pytest

from harness.fake_provider import FakeProvider
from harness.rows import Rows, jain, percentile
from harness.tenant import Tenant
from harness.wait import wait_until

SETTINGS = {"spooler.sweep_interval": "2s", "spooler.dead_after": "10s"}
SMALL, SECONDS = 20, 4


def feed(rows, tenants, seconds):
    """A notification for each tenant every half second, a few at a time; when the first
    and the last were accepted."""
    first = time.time()
    turn = 0
    while time.time() < first + seconds:
        rows.fresh(tenants[turn::5])
        turn = (turn + 1) % 5
        time.sleep(0.1)
    return first, time.time()


def dwell(rows, tenants, span):
    """Milliseconds until the first attempt of each, when all had one."""
    wait_until(lambda: all(ms is not None for _, ms in rows.dwell(tenants, *span)),
               20, "an attempt for each")
    return rows.dwell(tenants, *span)


def sent(rows, tenants):
    rows.cursor.execute(
        "SELECT tenant_id, count(*) AS n FROM delivery WHERE tenant_id = ANY (%s) "
        "AND state IN (4, 5) GROUP BY tenant_id", (list(tenants),))
    return {r["tenant_id"]: r["n"] for r in rows.cursor.fetchall()}


@pytest.mark.O2
@pytest.mark.settings(settings=SETTINGS)
def test_a_backlog_holds_up_nobody(own_stack):
    """20 tenants beside one with 50,000 rows wait hardly longer than alone."""
    own_stack.logs.allow("request")
    noisy = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider, own_stack.db() as connection:
        provider.add_to(noisy, "webhook")
        rows = Rows(connection)
        tenants = rows.tenants("small", SMALL, noisy.id)
        alone = dwell(rows, tenants, feed(rows, tenants, SECONDS))
        rows.ready(noisy.id, 10000)
        rows.tail(noisy.id, 40000)
        wait_until(lambda: provider.count() > 500, 20, "the backlog")
        before = sent(rows, [noisy.id])[noisy.id]
        span = feed(rows, tenants, SECONDS)
        loaded = dwell(rows, tenants, span)
        most = sent(rows, [noisy.id])[noisy.id] - before
        own_stack.stop("spooler")
    fast, slow = (percentile([ms for _, ms in d], 0.95) for d in (alone, loaded))
    counts = {}
    for tenant, _ in loaded:
        counts[tenant] = counts.get(tenant, 0) + 1
    print(f"dwell p95: {slow:.0f} ms beside the backlog, {fast:.0f} ms alone; "
          f"Jain index {jain(counts.values()):.3f}; {most} of the backlog meanwhile")
    assert slow <= max(2 * fast, 3000)
    assert jain(counts.values()) >= 0.95
    assert most > len(loaded)


@pytest.mark.O4
@pytest.mark.settings(settings=SETTINGS)
def test_what_is_due_at_once_does_not_hold_up_fresh(own_stack):
    """60,000 retries of the same tenant that fall due in one second."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider, own_stack.db() as connection:
        provider.add_to(tenant, "webhook")
        rows = Rows(connection)
        alone = dwell(rows, [tenant.id], feed(rows, [tenant.id], SECONDS))
        rows.later(tenant.id, 60000, due_s=0.5)
        wait_until(lambda: provider.count() > 1000, 30, "what was due")
        loaded = dwell(rows, [tenant.id], feed(rows, [tenant.id], SECONDS))
        left = rows.run("SELECT (SELECT count(*) FROM q_later) AS later, "
                        "(SELECT count(*) FROM q_ready) AS ready")[0]
        own_stack.stop("spooler")
    fast, slow = (percentile([ms for _, ms in d], 0.95) for d in (alone, loaded))
    print(f"dwell p95 of fresh: {slow:.0f} ms beside 60,000 that are due, "
          f"{fast:.0f} ms alone; at the end {left}")
    assert left["later"] > 0, "it was over too soon to tell anything"
    assert left["ready"] <= 3000 # promotion waits for claims
    assert slow <= max(2 * fast, 3000)


@pytest.mark.O7
@pytest.mark.settings(settings={**SETTINGS, "spooler.processes": "4",
                                "spooler.transfers_max": "32"})
def test_four_spoolers_share_a_queue(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    count = 4000
    with FakeProvider(latency_s=0.1) as provider, own_stack.db() as connection:
        provider.add_to(tenant, "webhook")
        rows = Rows(connection)
        rows.ready(tenant.id, count)
        tenant.idle(60)
        shares = [r["n"] for r in rows.run(
            "SELECT count(*) AS n FROM attempt GROUP BY spooler")]
        twice = rows.run("SELECT count(*) AS n FROM attempt WHERE n > 1")[0]["n"]
        assert sent(rows, [tenant.id])[tenant.id] == provider.count() == count
    print(f"shares of the spoolers: {sorted(shares)}; claimed twice: {twice}")
    assert twice == 0
    assert len(shares) == 4
    # The full form has 20 percent, where nothing else runs.
    assert min(shares) >= 0.5 * count / 4 and max(shares) <= 1.7 * count / 4
