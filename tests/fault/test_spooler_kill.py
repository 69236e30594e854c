# test_spooler_kill.py - the spooler is killed at random moments: nothing is lost
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY D1: SIGKILLs while three lanes are at work.
import random

import pytest

from harness.checker import judge
from harness.fake_provider import FakeProvider
from harness.size import size
from harness.tenant import Tenant
from harness.wait import wait_until

DELIVERIES, KILLS = size((2001, 9), full=(20001, 50))
TRANSFERS = 40
LANES = ["email", "sms", "webhook"]


def everywhere(first, count):
    """One notification to "count" people on three channels."""
    return {"to": [{"email": f"p{i}@example.org", "phone": f"+4366{i:08}"}
                   for i in range(first, first + count)],
            "channels": LANES, "data": {"order": "42"},
            "content": {"email": {"subject": "Order {{order}}", "text": "x"},
                        "sms": {"text": "Order {{order}}"},
                        "webhook": {"order": "{{order}}"}}}


def kill(stack, whole):
    """The workers alone, whose master starts others, or all of the spooler."""
    workers = stack.workers("spooler")
    if not whole:
        stack.kill_workers("spooler")
        return
    stack.kill_and_wait("spooler")
    for worker in workers:
        wait_until(lambda: stack.gone(worker), 10,
                   "the end of a worker without its master")
    stack.start("spooler")


@pytest.mark.D1
@pytest.mark.settings(settings={
    "spooler.transfers_max": TRANSFERS, "spooler.claim_batch": TRANSFERS,
    "spooler.dead_after": "1500ms"})
@pytest.mark.expect_log("a worker has crashed|took over from a dead spooler")
def test_nothing_is_lost(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    random.seed(1)
    people = DELIVERIES // len(LANES)
    with FakeProvider(latency_s=0.05) as provider:
        provider.add_to(tenant, *LANES)
        accepted = [tenant.api.accepted(everywhere(n, min(100, people - n)))
                    for n in range(0, people, 100)]
        for number in range(KILLS):
            goal = provider.count() + random.randint(
                30, DELIVERIES * 9 // 10 // KILLS - 30)
            wait_until(lambda: provider.count() >= goal, 60,
                       f"work after kill {number}")
            kill(own_stack, number % 2 == 0)
        tenant.idle(120)
        report = judge(tenant, provider, accepted)
    report.check(duplicates_max=KILLS * TRANSFERS)
    assert report.deliveries == people * len(LANES)
    assert report.ended == 0, "every delivery is sent"
    assert report.recovered > 0, "no kill met a delivery on its way"
