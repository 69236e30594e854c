# test_takeover.py - how long the work of a dead spooler waits
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY D5.  The full form runs with the defaults; the short one with a tenth.
import os
import signal
import time

import pytest

from harness.checker import judge
from harness.fake_provider import FakeProvider, Fault
from harness.size import FULL, size
from harness.tenant import Tenant
from harness.wait import wait_until

DEATHS, DELIVERIES = size((1, 200), full=(5, 400))
LIMIT_S = size(10.0, full=30.0)
DELAY_S = size(2.5, full=8.0) # below what times an attempt out
CLOCK = {"spooler.heartbeat_interval": "5s", "spooler.dead_after": "15s",
         "spooler.sweep_interval": "5s"} if FULL else \
        {"spooler.heartbeat_interval": "500ms", "spooler.dead_after": "1500ms",
         "spooler.sweep_interval": "500ms"}


def leased(tenant):
    """The deliveries that each spooler holds, by its process."""
    rows = tenant.rows("""
        SELECT s.pid, q.id::text FROM q_leased q JOIN spooler s
            ON s.id = q.spooler WHERE q.tenant_id = %s""")
    held = {}
    for row in rows:
        held.setdefault(row["pid"], set()).add(row["id"])
    return held


def both_hold(tenant):
    held = leased(tenant)
    # Each gives a new account five at once.
    return held if len(held) == 2 and min(map(len, held.values())) >= 5 else None


@pytest.mark.settings(settings={
    "spooler.heartbeat_interval": "300ms", "spooler.dead_after": "1500ms",
    "spooler.sweep_interval": "300ms", "spooler.processes": "1"})
@pytest.mark.expect_log("a worker has crashed|took over from a dead spooler")
def test_a_receipt_of_the_lost_attempt_is_not_the_next_ones(own_stack):
    """It failed, says a receipt that comes while it is sent; then the spooler dies."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider:
        provider.add_to(tenant, "webhook")
        provider.faults = [Fault(delay_s=20)]
        identity = tenant.api.accepted({
            "to": {"email": "a@example.org"}, "channels": ["webhook"],
            "content": {"webhook": {"a": "b"}}})
        d = wait_until(lambda: tenant.rows(
            "SELECT id FROM delivery WHERE tenant_id = %s AND state = 3"), 20,
            "the first attempt")[0]
        tenant.ctl("receipt", identity, d["id"], "failed", "--class=bad_recipient")
        told = "SELECT told FROM delivery WHERE tenant_id = %s"
        assert tenant.rows(told) == [{"told": -1}]
        provider.faults = []
        assert own_stack.kill_workers("spooler") == 1
        tenant.idle(60)
        assert tenant.api.notification(identity)["deliveries"][0]["state"] == "sent"


def send(tenant, turn):
    return [tenant.api.accepted({
        "to": [{"email": f"t{turn}-{n + i}@example.org"} for i in range(10)],
        "channels": ["webhook"], "content": {"webhook": {"a": "b"}}})
        for n in range(0, DELIVERIES, 10)]


@pytest.mark.D5
@pytest.mark.settings(settings={
    **CLOCK, "spooler.processes": "2", "spooler.claim_batch": "20",
    "spooler.transfers_max": str(DELIVERIES), "retry.delay_first": "1h",
    "retry.delay_max": "1h"})
@pytest.mark.expect_log("a worker has crashed|took over from a dead spooler")
def test_work_goes_on(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    waits, accepted = [], []
    with FakeProvider() as provider:
        provider.add_to(tenant, "webhook")
        for turn in range(DEATHS):
            provider.faults = [Fault(delay_s=DELAY_S)]
            accepted += send(tenant, turn)
            held = wait_until(lambda: both_hold(tenant), 20,
                              "work for both spoolers")
            victim = next(iter(held))
            provider.faults = []
            os.kill(victim, signal.SIGKILL)
            died = time.time()
            seen = provider.count()
            wait_until(lambda: held[victim] <= {
                r.id for r in provider.receipts if r.at > died}, LIMIT_S + 30,
                f"all {len(held[victim])} deliveries again")
            waits += [r.at - died for r in provider.receipts[seen - 1:]
                      if r.id in held[victim] and r.at > died]
            tenant.idle(LIMIT_S + 30)
        judge(tenant, provider, accepted).check(DEATHS * DELIVERIES)
    waits.sort()
    p99 = waits[len(waits) * 99 // 100 - 1]
    print(f"{DEATHS} deaths, {len(waits)} deliveries: again after "
          f"{waits[len(waits) // 2]:.1f} s (median), {p99:.1f} s (p99), "
          f"{waits[-1]:.1f} s (worst)")
    assert p99 <= LIMIT_S
