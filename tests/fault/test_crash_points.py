# test_crash_points.py - the spooler dies at each named point of a delivery's way
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY D4: each point, on each kind of transfer.
import pytest

from fault.test_spooler_kill import LANES, everywhere
from harness.checker import judge
from harness.fake_provider import FakeProvider
from harness.tenant import Tenant
from harness.wait import wait_until

# How often the provider gets the message, and the classes of the attempts.
POINTS = {
    "after-claim-commit": (1, [None, "accepted"]),
    "after-connect": (1, [None, "accepted"]),
    "first-body-byte": (1, [None, "accepted"]),
    "last-body-byte": (2, [None, "accepted"]),
    "after-answer": (2, [None, "accepted"]),
    "before-finish-commit": (2, [None, "accepted"]),
    "after-finish-commit": (1, ["accepted"]),
}


def one(channel, number):
    return {**everywhere(number, 1), "channels": [channel]}


def attempts(tenant, notification):
    """The class of each attempt; None where none was written."""
    events = [e for e in tenant.api.timeline(notification) if "attempt" in e]
    started = {e["attempt"] for e in events if e["type"] == "delivery.started"}
    classes = {e["attempt"]: e["class"] for e in events if e.get("class")}
    return [classes.get(n) for n in sorted(started)]


def die(stack, tenant, provider, channel, point):
    before = provider.count()
    stack.crash(point)
    notification = tenant.api.accepted(one(channel, before))
    wait_until(lambda: not stack.crash_at.exists(), 20, f"death at {point}")
    events = tenant.api.ended(notification, 20)
    tenant.idle()
    seen = (provider.count() - before, attempts(tenant, notification))
    assert seen == POINTS[point], point
    rescued = [e for e in events if e.get("code") == "rescued"]
    assert len(rescued) == len(seen[1]) - 1, "it is told that it was rescued"
    assert tenant.api.notification(notification)["state"] == "done"
    return notification


@pytest.mark.D4
@pytest.mark.parametrize("channel", LANES)
@pytest.mark.settings(crash_points=True, settings={
    "spooler.heartbeat_interval": "200ms", "spooler.dead_after": "800ms"})
@pytest.mark.expect_log("a worker has crashed|took over from a dead spooler")
def test_death_at_each_point(own_stack, channel):
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider:
        provider.add_to(tenant, channel)
        accepted = [tenant.api.accepted(one(channel, 0))]
        tenant.api.ended(accepted[0])
        accepted += [die(own_stack, tenant, provider, channel, point)
                    for point in POINTS]
    report = judge(tenant, provider, accepted)
    assert report.check(duplicates_max=3).duplicates == 3
