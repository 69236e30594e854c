# test_fairness.py - backlogs that hold up nobody else
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY O2, O4 and O7 in short; tests/fault/full has them at their full size.
import time

import pytest

from harness.fake_provider import FakeProvider
from harness.rows import Rows, jain, percentile
from harness.size import bound, size
from harness.tenant import Tenant
from harness.wait import wait_until

SETTINGS = {"spooler.sweep_interval": "2s", "spooler.dead_after": "10s"}
SMALL, SECONDS = 20, 4
DUE = size(60000, 1000000)
EQUALS, WINDOW = 10, 1500  # tenants with backlogs, and deliveries that are counted
SLOTS = 16


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
    print(f"dwell p95: {slow:.0f} ms beside the backlog, {fast:.0f} ms alone; "
          f"{most} of the backlog meanwhile")
    assert slow <= bound(2 * fast, 3000)
    assert most > len(loaded)


@pytest.mark.O2
@pytest.mark.settings(settings={**SETTINGS, "spooler.transfers_max": SLOTS})
def test_equal_tenants_with_backlogs_are_served_alike(own_stack):
    """Of what was served while each of them had more to do, each got its share."""
    like = Tenant(own_stack, maildir=False)
    with FakeProvider(latency_s=0.02) as provider, own_stack.db() as connection:
        provider.add_to(like, "webhook")
        rows = Rows(connection)
        own_stack.stop("spooler")
        tenants = rows.tenants("equal", EQUALS, like.id)
        for tenant in tenants:
            rows.ready(tenant, WINDOW)  # more than any of them can get
        own_stack.start("spooler")
        wait_until(lambda: provider.count() > WINDOW, 60, "the window")
        served = dict.fromkeys(tenants, 0) | {r["tenant_id"]: r["n"] for r in rows.run(
            "SELECT tenant_id, count(*) AS n FROM attempt WHERE tenant_id = "
            "ANY (%(tenants)s) GROUP BY tenant_id", tenants=tenants)}
        own_stack.stop("spooler")
    print(f"served of each: {sorted(served.values())}; "
          f"Jain index {jain(served.values()):.3f}")
    assert max(served.values()) < WINDOW, "each had more to do all the time"
    assert jain(served.values()) >= 0.95


@pytest.mark.O2
@pytest.mark.settings(settings={**SETTINGS, "spooler.transfers_max": SLOTS})
def test_a_backlog_gets_what_others_leave(own_stack):
    """Of the places that the small tenants do not need, the backlog has four in five."""
    noisy = Tenant(own_stack, maildir=False)
    with FakeProvider(latency_s=0.1) as provider, own_stack.db() as connection:
        provider.add_to(noisy, "webhook")
        rows = Rows(connection)
        tenants = rows.tenants("small", SMALL, noisy.id)
        rows.ready(noisy.id, 20000)
        wait_until(lambda: provider.count() > 300, 30, "the backlog")
        held, small = [], []
        for turn in range(40):
            rows.fresh(tenants[turn % 5::5])
            time.sleep(0.1)
            leased = {r["tenant_id"]: r["n"] for r in rows.run(
                "SELECT tenant_id, count(*) AS n FROM q_leased GROUP BY tenant_id")}
            held.append(min(SLOTS, leased.pop(noisy.id, 0)))
            small.append(sum(leased.values()))
        own_stack.stop("spooler")
    spare = sum(max(0, SLOTS - n) for n in small)
    print(f"of {SLOTS} places the others had {sum(small) / len(small):.1f}, the "
          f"backlog {sum(held) / len(held):.1f}: {sum(held) / spare:.0%} of the rest")
    assert sum(held) >= 0.8 * spare


@pytest.mark.O4
@pytest.mark.settings(settings=SETTINGS)
def test_what_is_due_at_once_does_not_hold_up_fresh(own_stack):
    """60,000 retries (in full a million) of the same tenant that fall due in one
    second."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider, own_stack.db() as connection:
        provider.add_to(tenant, "webhook")
        rows = Rows(connection)
        alone = dwell(rows, [tenant.id], feed(rows, [tenant.id], SECONDS))
        rows.later(tenant.id, DUE, due_s=size(0.5, 60))
        wait_until(lambda: provider.count() > 1000, size(30, 180), "what was due")
        loaded = dwell(rows, [tenant.id], feed(rows, [tenant.id], SECONDS))
        left = rows.run("SELECT (SELECT count(*) FROM q_later) AS later, "
                        "(SELECT count(*) FROM q_ready) AS ready")[0]
        own_stack.stop("spooler")
    fast, slow = (percentile([ms for _, ms in d], 0.95) for d in (alone, loaded))
    print(f"dwell p95 of fresh: {slow:.0f} ms beside {DUE} that are due, "
          f"{fast:.0f} ms alone; at the end {left}")
    assert left["later"] > 0, "it was over too soon to tell anything"
    assert left["ready"] <= 3000 # promotion waits for claims
    assert slow <= bound(2 * fast, 3000)


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
    least, most = size((0.5, 1.7), (0.8, 1.2))
    assert min(shares) >= least * count / 4 and max(shares) <= most * count / 4
