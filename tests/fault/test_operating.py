# test_operating.py - operators drain spoolers, and put the installation on hold
#
# SPDX-License-Identifier: BSD-2-Clause
import signal
import socket
import time

import pytest

from harness.api import Client, checks
from harness.checker import judge
from harness.fake_provider import FakeProvider, Fault
from harness.load import Load
from harness.tenant import Tenant
from harness.wait import wait_until


def post(tenant, count):
    return [tenant.api.accepted({
        "to": {"email": f"p{i}@example.org"}, "channels": ["webhook"],
        "content": {"webhook": {"n": "1"}}}) for i in range(count)]


def states(stack):
    return [row["state"] for row in stack.ctl("spooler", "status")]


@pytest.mark.settings(settings={"spooler.processes": "2",
                                "spooler.heartbeat_interval": "400ms"})
def test_drain_and_undrain(own_stack):
    """What is in flight ends well, nothing new is taken, and all goes on."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider(latency_s=1.5) as provider:
        provider.add_to(tenant, "webhook")
        accepted = post(tenant, 8)
        wait_until(lambda: provider.count() > 0, 20, "work in flight")
        begin = time.monotonic()
        own_stack.ctl("spooler", "drain", "--all")
        wait_until(lambda: set(states(own_stack)) <= {"draining", "drained"},
                   20, "spoolers that drain")
        told_s = time.monotonic() - begin
        wait_until(lambda: states(own_stack) == ["drained"] * 2, 30,
                   "drained spoolers")
        rows = own_stack.ctl("spooler", "status", socket.gethostname())
        assert [r["slot"] for r in rows] == [0, 1]
        for row in rows:
            assert row["in_flight"] == 0 and row["drain"]
            assert row["heard_s"] < 3 and row["version"]
        before = provider.count()
        accepted += post(tenant, 20)
        own_stack.kill("spooler", signal.SIGHUP)  # new processes drain, too
        wait_until(lambda: states(own_stack).count("drained") == 2 and
                   {r["id"] for r in own_stack.ctl("spooler", "status")}
                   .isdisjoint(r["id"] for r in rows), 40, "a reload")
        assert provider.count() == before
        assert tenant.count("q_ready") == 20
        provider.latency_s = 0
        own_stack.ctl("spooler", "undrain", socket.gethostname())
        tenant.idle(40)
        judge(tenant, provider, accepted).check(duplicates_max=0)
    wait_until(lambda: states(own_stack) == ["running"] * 2, 10, "spoolers that run")
    print(f"told after {told_s:.1f} s")


def test_nobody_is_drained_by_mistake(stack):
    for arguments in (["drain"], ["drain", "--all", "x"], ["drain", "nobody"]):
        done = stack.run_ctl("spooler", *arguments)
        assert done.returncode != 0 and done.stderr
    assert "running" in states(stack)


@pytest.mark.expect_log("on hold: nothing is sent")
def test_hold_and_release(own_stack):
    """Notifications are accepted and wait; everybody can see why."""
    tenant = Tenant(own_stack)
    held = own_stack.ctl("spooler", "hold", "--reason", "moving house")
    assert held["hold"] and held["reason"] == "moving house"
    assert own_stack.ctl("spooler", "hold") == held
    changed = own_stack.ctl("spooler", "hold", "--reason", "moving on")
    assert changed == {**held, "reason": "moving on"}
    own_stack.ctl("spooler", "hold", "--reason", "moving house")
    wait_until(lambda: states(own_stack) == ["holding"], 20, "a hold")
    identity = tenant.api.accepted({
        "to": {"email": "a@example.org"},
        "content": {"email": {"subject": "s", "text": "t"}}})
    visitor = Client(own_stack.url, None)
    ready = visitor.get("/health/ready")
    assert ready.status_code == 200
    assert checks(ready)["delivery"]["state"] == "hold"
    assert "belfry_hold 1\n" in visitor.get("/metrics").text
    told = own_stack.run_ctl("doctor")
    assert "moving house" in told.stdout and told.returncode == 1
    assert "moving house" in own_stack.run_ctl("queue").stdout
    seen = own_stack.ctl("top", "--once")
    assert seen["hold"]["reason"] == "moving house"
    assert seen["lanes"][0]["ready"] == 1
    assert tenant.mails() == []
    own_stack.ctl("spooler", "release")
    tenant.wait_for_mails(1)
    tenant.idle()
    assert tenant.api.ended(identity)
    assert "belfry_hold 0\n" in visitor.get("/metrics").text


@pytest.mark.D12
@pytest.mark.settings(settings={
    "spooler.transfers_max": "600", "spooler.connections_per_host": "300",
    "spooler.drain_timeout": "25s"})
def test_stop_with_200_in_flight(own_stack):
    """SIGTERM: what is on the wire ends in peace, what has not begun is handed
    back at once, and nothing is sent twice."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider:
        provider.faults = [Fault(delay_s=3)]
        # A new account is given five at once, and ten when they were answered.
        for number in range(32):
            tenant.add_provider(f"hook-{number}", "webhook",
                                url=provider.url("/hook"))
        own_stack.ctl("spooler", "hold")
        wait_until(lambda: states(own_stack) == ["holding"], 20, "a hold")
        own_stack.logs.allow("on hold")
        accepted = post(tenant, 600)
        own_stack.ctl("spooler", "release")
        wait_until(lambda: tenant.count("q_leased") >= 200, 30,
                   "200 in flight")
        begin = time.monotonic()
        own_stack.stop("spooler")
        print(f"stopped after {time.monotonic() - begin:.1f} s")
        assert tenant.count("q_leased") == 0
        assert own_stack.value("SELECT count(*) FROM spooler") == 0
        provider.faults = []
        own_stack.start("spooler")
        tenant.idle(60)
        report = judge(tenant, provider, accepted)
    report.check(duplicates_max=0)
    assert all(row["counted"] <= 1 for row in tenant.rows(
        "SELECT counted FROM delivery WHERE tenant_id = %s"))


@pytest.mark.D12
@pytest.mark.settings(settings={"spooler.processes": "2"})
def test_rolling_restarts(own_stack):
    """Reloads and restarts under load: nothing is sent twice."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider(latency_s=0.005) as provider:
        provider.add_to(tenant, "email")
        with Load(tenant) as load:
            for turn in range(4):
                seen = provider.count()
                wait_until(lambda: provider.count() > seen + 50, 30, "work")
                if turn % 2 == 0:
                    own_stack.kill("spooler", signal.SIGHUP)
                else:
                    own_stack.stop("spooler")
                    own_stack.start("spooler")
        tenant.idle(60)
        judge(tenant, provider, load.ids()).check(duplicates_max=0)
