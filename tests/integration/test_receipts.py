# test_receipts.py - what is reported later moves deliveries forward, once
#
# SPDX-License-Identifier: BSD-2-Clause
import random
import threading

import pytest

from harness.api import mail
from harness.smtp import DROP, HANG, FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until


def relay(tenant, name, server, priority=10):
    tenant.ctl("provider", "add", name, "--kind", "smtp", "--priority", priority,
               "--set", "host=127.0.0.1", "--set", f"port={server.port}",
               "--set", "tls=none", "--set", "from=shop@example.org")


def receipt(tenant, delivery, what, **options):
    arguments = [f"--{key}={value}" for key, value in options.items()]
    return tenant.ctl("receipt", delivery["notification_id"], delivery["id"],
                      what, *arguments)["effect"]


def delivery(tenant):
    row, = tenant.rows("SELECT * FROM delivery WHERE tenant_id = %s")
    return row


def state(tenant):
    """State, told, and whether the books of the notification agree."""
    row = delivery(tenant)
    n, = tenant.rows("SELECT state, open_count FROM notification "
                     "WHERE tenant_id = %s")
    ended = row["state"] in (4, 5, 6, 7, 9, 10, 11)
    assert n["open_count"] == (0 if ended else 1)
    assert n["state"] == (3 if ended else 2)
    return row["state"], row["told"]


def types(tenant, identity):
    return [e["type"] for e in tenant.api.timeline(identity)]


def test_delivered_read_and_what_comes_twice(tenant):
    identity = tenant.api.accepted(mail())
    tenant.api.ended(identity)
    d = delivery(tenant)
    assert state(tenant) == (4, 1), "a Maildir reports nothing: its word is all"
    assert receipt(tenant, d, "delivered") == "moved"
    assert receipt(tenant, d, "delivered") == "repeated"
    assert receipt(tenant, d, "clicked", text="https://a.example") == "moved"
    assert receipt(tenant, d, "clicked", text="https://b.example") == "noted"
    assert receipt(tenant, d, "clicked", text="https://a.example") == "repeated"
    assert receipt(tenant, d, "read") == "noted"
    assert receipt(tenant, d, "bounced") == "noted", "it was read: no way back"
    assert state(tenant) == (5, 2)
    seen = types(tenant, identity)
    assert seen.count("delivery.delivered") == 1
    assert seen.count("delivery.clicked") == 2
    assert seen.count("delivery.bounced") == seen.count("delivery.read") == 1


def test_a_bounce_ends_it_with_its_reason(tenant):
    identity = tenant.api.accepted(mail())
    tenant.api.ended(identity)
    assert receipt(tenant, delivery(tenant), "bounced", code="550 5.1.1",
                   text="no such mailbox", **{"class": "bad_recipient"}) == "moved"
    assert state(tenant)[0] == 6
    seen = tenant.api.notification(identity)["deliveries"][0]
    assert (seen["class"], seen["reason"]) == ("bad_recipient", "no such mailbox")
    told, = [e for e in tenant.api.timeline(identity)
             if e["type"] == "delivery.bounced"]
    assert told["code"] == "550 5.1.1" and told["by"].startswith("belfryctl:")


def test_foreign_and_unknown_ids_change_nothing(tenant, other_tenant):
    tenant.api.ended(tenant.api.accepted(mail()))
    before = delivery(tenant)
    stranger = dict(before)
    with pytest.raises(Exception, match="no such delivery"):
        receipt(other_tenant, stranger, "delivered")
    stranger["id"] = stranger["notification_id"]
    with pytest.raises(Exception, match="no such delivery"):
        receipt(tenant, stranger, "delivered")
    assert delivery(tenant) == before
    assert tenant.count("event") == 0


@pytest.fixture(scope="module")
def impatient():
    """A Belfry that wants receipts, and holds what it does not know."""
    from conftest import end_stack, make_stack
    stack = make_stack(settings={"retry.unknown": "hold", "retry.hold": "10m",
                                 "retry.receipt_after": "10m"})
    try:
        yield stack.up()
    finally:
        end_stack(stack)


@pytest.fixture
def held(impatient):
    tenant = Tenant(impatient, maildir=False)
    with FaultyServer({"body": DROP}) as server:
        relay(tenant, "relay", server)
        tenant.identity = tenant.api.accepted(mail())
        tenant.api.ended(tenant.identity)
        assert state(tenant) == (8, 0)
        tenant.server = server
        yield tenant


def test_what_is_held_was_delivered(held):
    assert receipt(held, delivery(held), "delivered") == "moved"
    assert state(held) == (5, 1)
    assert held.count("q_later") == 0


def test_what_is_held_did_not_go_out(held):
    held.server.faults.clear()
    assert receipt(held, delivery(held), "failed", **{"class": "retry"}) == "moved"
    held.idle()
    assert state(held)[0] == 4
    assert len(held.server.bodies) == 2, "one of them was cut"
    assert delivery(held)["attempts"] == 2


@pytest.mark.parametrize("what, cause, ends", [
    ("delivered", None, 5), ("failed", "bad_recipient", 6),
    ("failed", "retry", 4), ("failed", None, 6)])
def test_a_receipt_that_came_before_nobody_knew(impatient, what, cause, ends):
    """The answer is lost, but the provider had said what became of it before."""
    tenant = Tenant(impatient, maildir=False)
    with FaultyServer({"body": HANG}) as server, FaultyServer({}) as second:
        relay(tenant, "relay", server, priority=1)
        relay(tenant, "second", second, priority=2)
        identity = tenant.api.accepted(mail())
        assert server.hanging.wait(20)
        options = {"text": "so it was"} if what == "failed" else {}
        if cause:
            options["class"] = cause
        else:  # what an attempt before has left says nothing of this one
            tenant.rows("UPDATE delivery SET class = 2 WHERE tenant_id = %s")
        assert receipt(tenant, delivery(tenant), what, **options) in \
            ("moved", "noted")
        assert delivery(tenant)["state"] == 3, "its own answer is still to come"
        server.released.set()
        wait_until(lambda: delivery(tenant)["state"] == ends, 20, "it ended")
        assert lost(tenant) == []
        if ends == 6:
            assert delivery(tenant)["reason"] == "so it was"
        if ends == 4:
            assert len(second.bodies) == 1, "the next account sent it"
        else:
            assert state(tenant)[0] == ends
            assert tenant.count("q_later") == 0 and not second.bodies
        assert "delivery.dead" not in types(tenant, identity)


def lost(tenant):
    """What is open and stands in no queue, which cannot happen."""
    return tenant.rows("SELECT id FROM delivery d WHERE tenant_id = %s AND state "
                       "IN (2, 3, 8) AND id NOT IN (SELECT id FROM q_later "
                       "UNION SELECT id FROM q_ready UNION SELECT id FROM q_leased)")


def test_what_is_held_ends_after_its_person_was_erased(held):
    """Nobody knows whether it went out: it is not cancelled, and waits on."""
    held.ctl("privacy", "erase", "--yes", "--address", "ann@example.org")
    assert state(held) == (8, 0) and delivery(held)["address"] is None
    assert lost(held) == [] and held.count("q_later") == 1
    held.server.faults.clear()
    assert receipt(held, delivery(held), "failed", **{"class": "retry"}) == "moved"
    held.idle()
    assert state(held)[0] == 7, "it has no address any more"
    assert len(held.server.bodies) == 1


def test_what_waits_for_a_receipt_fails_after_its_person_was_erased(impatient):
    """The next account has nobody to send to."""
    tenant = Tenant(impatient, maildir=False)
    with FaultyServer({}) as first, FaultyServer({}) as second:
        relay(tenant, "first", first, priority=1)
        relay(tenant, "second", second, priority=2)
        tenant.api.ended(tenant.api.accepted(mail()))
        assert tenant.count("q_later") == 1 and state(tenant) == (4, 0)
        tenant.ctl("privacy", "erase", "--yes", "--address", "ann@example.org")
        assert tenant.count("q_later") == 0 and state(tenant) == (4, 0)
        assert receipt(tenant, delivery(tenant), "failed",
                       **{"class": "retry"}) == "moved"
        assert state(tenant)[0] == 6
        assert not second.bodies


def test_a_receipt_ends_the_wait_for_it(impatient):
    """Good news keep the next account from trying; bad ones make it try now."""
    tenant = Tenant(impatient, maildir=False)
    with FaultyServer({}) as first, FaultyServer({}) as second:
        relay(tenant, "first", first, priority=1)
        relay(tenant, "second", second, priority=2)
        tenant.api.ended(tenant.api.accepted(mail()))
        assert tenant.count("q_later") == 1 and state(tenant) == (4, 0)
        assert receipt(tenant, delivery(tenant), "delivered") == "moved"
        assert tenant.count("q_later") == 0 and state(tenant) == (5, 1)

        other = Tenant(impatient, maildir=False)
        relay(other, "first", first, priority=1)
        relay(other, "second", second, priority=2)
        other.api.ended(other.api.accepted(mail()))
        assert receipt(other, delivery(other), "failed",
                       **{"class": "retry"}) == "moved"
        wait_until(lambda: second.bodies, 20, "the second account sends")
        other.idle()
        assert state(other)[0] == 4 and delivery(other)["attempts"] == 2
        assert len(first.bodies) == 2 and len(second.bodies) == 1


def test_any_order_from_many_sides(impatient):
    """However receipts are mixed, the end is the same and each is told once."""
    tenant = Tenant(impatient)
    identity = tenant.api.accepted(mail())
    tenant.api.ended(identity)
    d = delivery(tenant)
    whats = ["delivered", "opened", "read", "complained"] * 2
    random.Random(7).shuffle(whats)
    threads = [threading.Thread(target=receipt, args=(tenant, d, what))
               for what in whats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state(tenant) == (5, 2)
    seen = types(tenant, identity)
    assert all(seen.count(f"delivery.{what}") == 1 for what in whats)
