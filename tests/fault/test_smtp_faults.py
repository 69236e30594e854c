# test_smtp_faults.py - a mail server that hangs, drops or refuses at each command
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import mail
from harness.smtp import DROP, HANG, FaultyServer, free_port
from harness.tenant import Tenant
from harness.wait import wait_until

STEPS = ["connect", "EHLO", "MAIL", "RCPT", "DATA", "body"]


@pytest.fixture
def sender(stack):
    stack.logs.allow("relay|attempt|smtp")
    return Tenant(stack, maildir=False)


def relay(tenant, port, **settings):
    tenant.add_provider("relay", "smtp", host="127.0.0.1", port=port,
                        tls="none", **{"from": "shop@example.org", **settings})


def classes(events):
    return [e["class"] for e in events if e.get("class")]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", ["451 4.3.0 later", "421 4.3.2 go away",
                                   DROP, HANG])
def test_a_fault_that_passes(sender, step, fault):
    """The first attempt fails, a later one delivers, exactly once unless the
    body was on the wire; the timeline shows both."""
    with FaultyServer({step: fault}, times=1) as server:
        relay(sender, server.port)
        identity = sender.api.accepted(mail())
        events = sender.api.ended(identity, timeout=40)
        assert events[-1]["type"] in ("delivery.sent", "notification.done")
        starts = [e for e in events if e["type"] == "delivery.started"]
        assert len(starts) >= 2
        assert set(classes(events)) <= {"retry", "throttled", "unknown",
                                        "accepted"}
        assert ("unknown" in classes(events)) == \
            (step == "body" and fault in (DROP, HANG))
        expected = 2 if step == "body" else 1
        assert len(server.bodies) == expected
        sender.idle()


@pytest.mark.parametrize("step, reply, kind", [
    ("RCPT", "550 5.1.1 no such user", "bad_recipient"),
    ("RCPT", "550 no enhanced code", "bad_message"),
    ("MAIL", "552 5.3.4 too big", "bad_message"),
    ("body", "554 5.6.0 content refused", "bad_message"),
    ("body", "550 5.7.1 policy", "bad_message"),
])
def test_a_refusal_is_final(sender, step, reply, kind):
    with FaultyServer({step: reply}) as server:
        relay(sender, server.port)
        identity = sender.api.accepted(mail())
        events = sender.api.ended(identity)
        failed = next(e for e in events if e["type"] == "delivery.failed")
        assert failed["class"] == kind
        assert reply.split(" ", 1)[1].split()[-1] in failed["text"]
        assert len([e for e in events if e["type"] == "delivery.started"]) == 1
        sender.idle()


def test_nobody_listens(sender):
    relay(sender, free_port())
    identity = sender.api.accepted(mail())
    deferred = wait_until(lambda: [
        e for e in sender.api.timeline(identity)
        if e["type"] == "delivery.deferred"][:2], 20, "an attempt")
    assert deferred[0]["class"] == "retry"
    assert sender.api.notification(identity)["state"] == "routed"


@pytest.mark.O3
def test_a_hanging_server_holds_up_nobody_else(stack, sender):
    """Mails of one tenant hang; those of another pass."""
    neighbour = Tenant(stack)
    with FaultyServer({"RCPT": HANG}) as server:
        relay(sender, server.port)
        sender.api.accepted(mail(to=[{"email": f"p{i}@example.org"}
                                     for i in range(20)]))
        assert server.hanging.wait(20)
        identity = neighbour.api.accepted(mail())
        neighbour.api.ended(identity, timeout=10)
        assert len(neighbour.mails()) == 1
