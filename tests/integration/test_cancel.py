# test_cancel.py - what has not gone out can be taken back, until the last moment
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime
import threading

import pytest

from harness.api import SERVICES, mail, problem
from harness.smtp import HANG, FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until


def at(seconds):
    when = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(seconds=seconds)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cancel(tenant, identity):
    answer = tenant.api.post(f"{SERVICES}/{identity}/cancel")
    assert answer.status_code == 200, answer.text
    return answer.json()


def relay(tenant, server):
    tenant.add_provider("relay", "smtp", host="127.0.0.1", port=server.port,
                        tls="none", **{"from": "shop@example.org"})


def test_before_it_is_routed(tenant):
    identity = tenant.api.accepted(mail(send_at=at(3600)))
    answer = cancel(tenant, identity)
    assert (answer["state"], answer["cancelled"], answer["on_the_wire"]) == \
        ("cancelled", 0, 0)
    assert tenant.count("q_later") == 0
    assert tenant.api.timeline(identity)[-1]["type"] == "notification.cancelled"
    assert cancel(tenant, identity)["state"] == "cancelled", "twice is as once"
    assert len([e for e in tenant.api.timeline(identity)
                if e["type"] == "notification.cancelled"]) == 1


def test_what_waits_is_cancelled_and_what_hangs_is_told(stack):
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({"RCPT": "451 4.3.0 later"}) as server:
        relay(tenant, server)
        identity = tenant.api.accepted(mail())
        wait_until(lambda: tenant.count("q_later"), 20, "it waits")
        answer = cancel(tenant, identity)
        assert answer["cancelled"] + answer["on_the_wire"] == 1
    with FaultyServer({"RCPT": HANG}) as server:
        tenant.ctl("provider", "set", "relay", "--set", f"port={server.port}")
        identity = tenant.api.accepted(mail())
        assert server.hanging.wait(20)
        answer = cancel(tenant, identity)
        assert (answer["state"], answer["cancelled"], answer["on_the_wire"]) \
            == ("routed", 0, 1)
        assert answer["deliveries"][0]["state"] == "sending"


@pytest.mark.expect_log("left alone")
def test_every_answer_is_true(stack):
    """Cancelled in a race with the spooler: sent or cancelled, never both."""
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({}) as server:
        relay(tenant, server)
        people = [{"email": f"p{i}@example.org"} for i in range(20)]
        said = {}

        def one(number):
            client = tenant.client(tenant.key)
            identity = client.accepted(mail(to=people))
            answer = client.post(f"{SERVICES}/{identity}/cancel").json()
            said[identity] = answer

        threads = [threading.Thread(target=one, args=(i,)) for i in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tenant.idle()
        total = 0
        for identity, answer in said.items():
            seen = tenant.api.notification(identity)
            states = [d["state"] for d in seen["deliveries"]]
            total += states.count("sent")
            if answer["state"] == "cancelled" and not answer["over"]:
                assert "sent" not in states
            assert states.count("cancelled") == answer["cancelled"]
            assert set(states) <= {"sent", "cancelled"}
        assert len(server.bodies) == total
        assert len(said) == 12
        assert {r["open_count"] for r in tenant.rows(
            "SELECT open_count FROM notification WHERE tenant_id = %s")} == {0}


def test_reschedule(tenant):
    identity = tenant.api.accepted(mail(send_at=at(3600)))
    path = f"{SERVICES}/{identity}/reschedule"
    later = at(7200)
    answer = tenant.api.post(path, json={"send_at": later})
    assert answer.status_code == 200 and answer.json()["send_at"] == later
    problem(tenant.api.post(path, json={"send_at": at(500 * 86400)}), 422,
            "validation_failed")
    assert tenant.api.post(path, json={"send_at": at(-1)}).status_code == 200
    tenant.api.ended(identity)
    assert len(tenant.mails()) == 1
    problem(tenant.api.post(path, json={"send_at": later}), 409, "conflict")


@pytest.mark.settings(settings={"spooler.sweep_interval": "1m"})
def test_rescheduled_to_long_ago_is_due_now(own_tenant):
    """Though spoolers have seen that the tenant has nothing to do until then."""
    tenant = own_tenant
    identity = tenant.api.accepted(mail(send_at=at(3600)))
    tenant.api.ended(tenant.api.accepted(mail(send_at=at(1))))
    assert tenant.api.post(f"{SERVICES}/{identity}/reschedule",
                           json={"send_at": at(-86400)}).status_code == 200
    tenant.api.ended(identity, timeout=30)  # long before the next sweep


def test_belfryctl_and_strangers(tenant, other_tenant):
    identity = tenant.api.accepted(mail(send_at=at(3600)))
    problem(other_tenant.api.post(f"{SERVICES}/{identity}/cancel"), 404,
            "not_found")
    problem(other_tenant.api.post(f"{SERVICES}/{identity}/reschedule",
                                  json={"send_at": at(1)}), 404, "not_found")
    assert tenant.ctl("cancel", identity)["state"] == "cancelled"


@pytest.mark.settings(settings={"retry.receipt_after": "2s"})
def test_what_waits_for_a_receipt_goes_to_no_other_account(own_stack):
    """It was sent, and that is all of it: nothing is sent once it is cancelled."""
    tenant, other = (Tenant(own_stack, maildir=False) for _ in range(2))
    with FaultyServer({}) as first, FaultyServer({}) as second:
        for t in (tenant, other):
            for priority, server in ((1, first), (2, second)):
                t.ctl("provider", "add", f"p{priority}", "--kind", "smtp",
                      "--priority", priority, "--set", "host=127.0.0.1",
                      "--set", f"port={server.port}", "--set", "tls=none",
                      "--set", "from=shop@example.org")
        identity = tenant.api.accepted(mail())
        tenant.api.ended(identity)
        assert tenant.count("q_later") == 1
        answer = cancel(tenant, identity)
        assert (answer["state"], answer["cancelled"], answer["over"]) == \
            ("done", 0, 1)
        assert tenant.count("q_later") == 0
        assert tenant.rows("SELECT state, due FROM delivery WHERE tenant_id = %s") \
            == [{"state": 4, "due": None}]
        # Another's, sent later and not cancelled, has gone on meanwhile.
        other.api.accepted(mail("bob@example.org"))
        wait_until(lambda: second.bodies, 20, "the other's second account")
        tenant.idle()
        assert (len(first.bodies), len(second.bodies)) == (2, 1)
