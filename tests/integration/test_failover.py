# test_failover.py - another account sends what one cannot
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import mail
from harness.rows import waiting_for_an_account
from harness.smtp import DROP, FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

REFUSED = "535 5.7.8 who are you"


def relay(tenant, name, server, priority=10, weight=1):
    return tenant.ctl("provider", "add", name, "--kind", "smtp",
                      "--priority", priority, "--weight", weight,
                      "--set", "host=127.0.0.1", "--set", f"port={server.port}",
                      "--set", "tls=none", "--set", "from=shop@example.org")


def started(events):
    return [e["provider"] for e in events if e["type"] == "delivery.started"]


def provider(tenant, name):
    row, = tenant.rows("SELECT * FROM provider WHERE tenant_id = %s "
                       "AND name = %s", name)
    return row


def counted(tenant):
    return {r["counted"] for r in tenant.rows(
        "SELECT counted FROM delivery WHERE tenant_id = %s")}


def test_after_two_failures_the_next_account_tries(stack):
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({"RCPT": "451 4.3.0 not now"}) as bad, \
            FaultyServer({}) as good:
        relay(tenant, "bad", bad, priority=1)
        relay(tenant, "good", good, priority=2)
        events = tenant.api.ended(tenant.api.accepted(mail()))
        tenant.idle()
        assert started(events) == ["bad", "bad", "good"]
        assert len(good.bodies) == 1
        # The one that failed has less weight, but its priority is its own.
        assert tenant.rows("SELECT penalty FROM provider_health WHERE "
                           "tenant_id = %s")[0]["penalty"] == 0.5


@pytest.mark.expect_log("provider account is parked")
def test_refused_credentials_hand_over_and_park(stack):
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({"MAIL": REFUSED}) as bad, FaultyServer({}) as good:
        relay(tenant, "bad", bad, priority=1)
        relay(tenant, "good", good, priority=2)
        for i in range(5):
            events = tenant.api.ended(tenant.api.accepted(mail()))
            assert started(events) == (["bad", "good"] if i < 3 else ["good"])
        tenant.idle()
        assert provider(tenant, "bad")["state"] == 3
        assert len(good.bodies) == 5
        assert sum(line.startswith("MAIL") for line in bad.seen) == 3
        assert counted(tenant) == {1}
        parked, = tenant.rows("SELECT * FROM event WHERE tenant_id = %s "
                              "AND type = 'provider.parked'")
        assert parked["provider_id"] == provider(tenant, "bad")["id"]
        assert tenant.rows("SELECT * FROM audit WHERE tenant_id = %s "
                           "AND action = 'provider.park'")
        assert sum("is parked" in line["msg"] for line in stack.logs.lines()
                   if line.get("tenant_id") == tenant.id) == 1


@pytest.mark.P8
@pytest.mark.parametrize("mend", ["enable", "set"])
@pytest.mark.expect_log("provider account is parked")
def test_p8_a_parked_account_keeps_its_queue(stack, mend):
    """RELIABILITY P8: no attempt is burnt, and it drains without hand work."""
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({"MAIL": REFUSED}) as server:
        relay(tenant, "only", server)
        first = [tenant.api.accepted(mail(f"a{i}@example.org"))
                 for i in range(3)]
        wait_until(lambda: provider(tenant, "only")["state"] == 3, 20,
                   "the account is parked")
        tried = sum(line.startswith("MAIL") for line in server.seen)
        assert tried == 3
        for i in range(10):
            tenant.api.accepted(mail(f"b{i}@example.org"))
        wait_until(lambda: tenant.count("q_later") == 13, 20, "all wait")
        assert sum(line.startswith("MAIL") for line in server.seen) == tried
        assert counted(tenant) == {0}
        seen = tenant.api.notification(first[0])["deliveries"][0]
        assert seen["state"] == "waiting" and seen["class"] == "bad_credential"

        server.faults.clear()
        if mend == "enable":
            tenant.ctl("provider", "enable", "only")
        else:
            tenant.ctl("provider", "set", "only", "--set", "from_name=Shop")
        tenant.idle()
        assert len(server.bodies) == 13
        assert counted(tenant) == {1}
        assert provider(tenant, "only")["state"] == 1


@pytest.mark.P8
def test_p8_a_long_queue_does_not_keep_an_account_from_being_enabled(stack):
    """So many are woken as a request has time for; the others fall due anyway."""
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({}) as server:
        relay(tenant, "only", server)
        tenant.ctl("provider", "disable", "only")
        with waiting_for_an_account(stack, tenant, 7000) as left:
            tenant.ctl("provider", "enable", "only")
            assert left() == 2000


@pytest.fixture(scope="module")
def impatient():
    """A Belfry that wants receipts, and holds what it does not know."""
    from conftest import end_stack, make_stack
    stack = make_stack(settings={"retry.email": "receipt_after=300ms",
                                 "retry.sms": "unknown=hold hold=1s"})
    try:
        yield stack.up()
    finally:
        end_stack(stack)


def test_without_a_receipt_the_next_account_sends(impatient):
    tenant = Tenant(impatient, maildir=False)
    with FaultyServer({}) as silent, FaultyServer({}) as second:
        relay(tenant, "silent", silent, priority=1)
        relay(tenant, "second", second, priority=2)
        identity = tenant.api.accepted(mail())
        wait_until(lambda: second.bodies, 20, "the second account sends")
        tenant.idle()
        assert len(silent.bodies) == len(second.bodies) == 1
        events = tenant.api.timeline(identity)
        assert started(events) == ["silent", "second"]
        told, = [e for e in events if e["type"] == "delivery.deferred"]
        assert "receipt" in told["text"]
        assert tenant.api.notification(identity)["state"] == "done"
        row, = tenant.rows("SELECT open_count FROM notification "
                           "WHERE tenant_id = %s")
        assert row["open_count"] == 0


def test_a_receipt_is_not_waited_for_in_vain(impatient):
    """With one account there is nobody to hand over to."""
    tenant = Tenant(impatient)
    identity = tenant.api.accepted(mail())
    tenant.api.ended(identity)
    assert tenant.count("q_later") == 0


@pytest.mark.P9
@pytest.mark.expect_log("is left alone")
@pytest.mark.settings(settings={"retry.email": "unknown=resend failover_after=1 "
                                "delay_first=100ms"})
def test_p9_what_is_unknown_is_sent_again_if_one_wants(own_stack):
    """RELIABILITY P9: doubled at most as often as it was unknown, each visible."""
    tenant = Tenant(own_stack, maildir=False)
    count = 20
    with FaultyServer({"body": DROP}) as lost, FaultyServer({}) as other:
        relay(tenant, "lost", lost, priority=1)
        relay(tenant, "other", other, priority=2)
        sent = [tenant.api.accepted(mail(f"a{i}@example.org"))
                for i in range(count)]
        for identity in sent:
            tenant.api.ended(identity)
        tenant.idle()
        classes = [a["class"] for a in tenant.rows(
            "SELECT class FROM attempt WHERE tenant_id = %s")]
        # Bodies beyond one each are those of attempts that stand there as unknown; the
        # others failed before theirs.
        assert classes.count(1) == len(other.bodies) == count
        assert classes.count(8) == len(lost.bodies) > 0
        assert set(classes) <= {1, 2, 8, None}, "None: handed back"
        for identity in sent:
            assert started(tenant.api.timeline(identity))[-1] == "other"


@pytest.mark.P9
@pytest.mark.settings(settings={"retry.unknown": "hold", "retry.hold": "1s"})
def test_p9_what_is_held_is_not_sent_twice(own_stack):
    """RELIABILITY P9: after unknown, nobody tries unless the policy says so."""
    tenant = Tenant(own_stack, maildir=False)
    with FaultyServer({"body": DROP}) as lost, FaultyServer({}) as other:
        relay(tenant, "lost", lost, priority=1)
        relay(tenant, "other", other, priority=2)
        identity = tenant.api.accepted(mail())
        events = tenant.api.ended(identity)
        assert any(e["type"] == "delivery.held" for e in events)
        tenant.idle()
        seen = tenant.api.notification(identity)
        assert seen["deliveries"][0]["state"] == "dead"
        assert seen["deliveries"][0]["class"] == "unknown"
        assert seen["state"] == "done"
        assert other.bodies == [] and len(lost.bodies) == 1
        assert tenant.count("dead_letter") == 1
