# test_express.py - what an idle spooler takes straight from who accepts it
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import signal
import threading
import time

import pytest

from harness.api import mail
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.tickets import page, tickets
from harness.wait import wait_until

LATER = "2027-06-01T00:00:00Z"


def settled(tenant):
    """Waits until nothing is to do, and the spooler says so."""
    tenant.idle()
    wait_until(lambda: tickets(tenant.stack) == 8, 10, "all tickets")


def routed_by(tenant, notification):
    events = tenant.api.ended(notification)
    return next(e["by"] for e in events if e["type"] == "notification.routed")


def went_by(tenant, body):
    settled(tenant)
    return routed_by(tenant, tenant.api.accepted(body))


def test_past_the_queue(tenant):
    settled(tenant)
    notification = tenant.api.accepted(mail(metadata={"a": 1}), idempotency_key="e1")
    events = tenant.api.ended(notification)
    assert [e["type"] for e in events][:4] == [
        "notification.accepted", "notification.routed", "delivery.started",
        "delivery.sent"]
    assert events[1]["by"] == "api"
    assert events[1]["text"] == "1 delivery"
    assert events[2]["attempt"] == 1
    wait_until(lambda: tenant.api.notification(notification)["state"] == "done",
               10, "the end")
    assert len(tenant.wait_for_mails(1)) == 1
    again = tenant.api.send(mail(metadata={"a": 1}), idempotency_key="e1")
    assert again.headers["Idempotent-Replayed"] == "true"
    tenant.idle()
    assert len(tenant.mails()) == 1
    assert tenant.count("attempt") == 1


def test_several_recipients_and_data_of_their_own(tenant):
    body = mail(to=[{"email": f"r{i}@example.org", "data": {"order": f"O{i}"}}
                    for i in range(3)])
    assert went_by(tenant, body) == "api"
    assert {(m["To"], m["Subject"]) for m in tenant.wait_for_mails(3)} == \
        {(f"r{i}@example.org", f"Order O{i}") for i in range(3)}
    tenant.idle()
    assert {r["state"] for r in tenant.rows(
        "SELECT state FROM notification WHERE tenant_id = %s")} == {3}


@pytest.mark.parametrize("more", [
    {"to": {"user_id": "u1", "email": "ann@example.org"}},
    {"to": [{"email": f"r{i}@example.org"} for i in range(20)]},
    {"to": [{"email": "a@example.org"}, {"phone": "+4915112345678"}],
     "channels": ["email"]},
    {"data": {"order": "42", "long": "x" * 70000}},
], ids=["stored recipient", "many", "one cannot be reached", "large"])
def test_the_rest_goes_through_the_queue(tenant, more):
    assert went_by(tenant, {**mail(), **more}) == "spooler"
    tenant.idle()


def test_later_goes_through_the_queue(stack, tenant):
    settled(tenant)
    notification = tenant.api.accepted(mail(send_at=LATER))
    assert tenant.count("q_later") == 1
    stack.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s", tenant.id)
    assert routed_by(tenant, notification) == "spooler"


@pytest.mark.settings(settings={"spooler.express": "0"})
def test_switched_off(own_tenant):
    assert routed_by(own_tenant, own_tenant.api.accepted(mail())) == "spooler"
    assert tickets(own_tenant.stack) == 0


def test_what_changed_a_moment_ago(tenant):
    """A provider that a worker still believes in is not used any more."""
    settled(tenant)
    tenant.ctl("provider", "disable", "box")
    tenant.add_provider("box2", "maildir", directory=tenant.maildir)
    notifications = [tenant.api.accepted(mail(f"n{i}@example.org"))
                     for i in range(10)]
    for notification in notifications:
        tenant.api.ended(notification)
    assert {m["To"].split("<")[-1].strip(">") for m in tenant.wait_for_mails(10)} == \
        {f"n{i}@example.org" for i in range(10)}
    tenant.idle()
    assert len(tenant.mails()) == 10


@pytest.mark.expect_log("did not reach the spooler|leases that nobody works on")
def test_parcels_that_are_lost_come_back(own_stack, own_tenant):
    """Committed, leased, and never handed over: found within a few seconds."""
    settled(own_tenant)
    door = own_stack.directory / "s/doorbell.sock.0"
    door.rename(door.with_suffix(".away"))
    notification = own_tenant.api.accepted(mail())
    door.with_suffix(".away").rename(door)
    events = own_tenant.api.ended(notification)
    assert [e["type"] for e in events if e["attempt"]] == [
        "delivery.started", "delivery.deferred", "delivery.started",
        "delivery.sent"]
    assert "did not reach the spooler" in events[3]["text"]
    own_tenant.idle()
    assert len(own_tenant.mails()) == 1
    assert own_tenant.rows("SELECT counted, attempts FROM delivery WHERE "
                           "tenant_id = %s") == [{"counted": 1, "attempts": 2}]


@pytest.mark.settings(settings={"spooler.dead_after": "20s"})
def test_parcels_that_wait_too_long_go_back(own_stack, own_tenant):
    """The spooler stands still while parcels lie before its door."""
    settled(own_tenant)
    spooler = own_stack.workers("spooler")[0]
    os.kill(spooler, signal.SIGSTOP)
    try:
        taken = [own_tenant.api.accepted(mail(f"p{i}@example.org"))
                 for i in range(3)]
        assert own_tenant.count("q_leased") > 0
        time.sleep(1.2)  # longer than a parcel is good for
        later = own_tenant.api.accepted(mail("late@example.org"))
        assert own_tenant.count("q_ready") > 0, "an offer has its end"
    finally:
        os.kill(spooler, signal.SIGCONT)
    for notification in [*taken, later]:
        own_tenant.api.ended(notification)
    own_tenant.idle()
    assert len(own_tenant.mails()) == 4
    assert {r["counted"] for r in own_tenant.rows(
        "SELECT counted FROM delivery WHERE tenant_id = %s")} == {1}


class GatedServer(FaultyServer):
    """Has no answer to a body before its gate is open."""

    def __init__(self):
        super().__init__({})
        self.gate = threading.Event()

    def action(self, name):
        if name == "body":
            self.gate.wait(90)
        return super().action(name)


@pytest.mark.settings(settings={"spooler.attempt_timeout": "90s"})
def test_no_tickets_while_work_waits(own_stack):
    """A busy spooler is fed through the queue, whose order holds."""
    tenant = Tenant(own_stack, maildir=False)
    with GatedServer() as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        settled(tenant)
        ids = [tenant.api.accepted(mail(f"b{i}@example.org")) for i in range(30)]
        server.gate.set()
        tenant.idle()
        ways = [routed_by(tenant, i) for i in ids]
    assert "api" in ways
    assert ways.count("spooler") >= 15
    assert len(server.bodies) == 30


def test_the_page_of_tickets_is_for_owner_and_group(stack):
    assert page(stack).stat().st_mode & 0o777 == 0o660
