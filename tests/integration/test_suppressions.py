# test_suppressions.py - addresses that are not written to any more
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import ADMIN, mail, problem
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

PATH = f"{ADMIN}/suppressions"


def add(tenant, address="Ann@Example.org", status=201, **more):
    answer = tenant.admin.post(PATH, json={"address": address,
                                           "channel": "email", **more})
    assert answer.status_code == status, answer.text
    return answer.json()


def outcome(tenant, body):
    """The last event of a notification and its reason."""
    identity = tenant.api.accepted(body)
    tenant.api.ended(identity)
    delivery, = tenant.api.notification(identity)["deliveries"]
    return delivery["state"], delivery["reason"]


SKIPPED = ("skipped", "the address for email is suppressed: manual")


@pytest.fixture
def tenant(tenant):
    """Its first suppression is known everywhere after api.cache_check."""
    tenant.ctl("suppression", "add", "email", "first@example.org")
    wait_until(lambda: outcome(tenant, mail("first@example.org")) == SKIPPED,
               10, "the first suppression")
    tenant.ctl("suppression", "remove", "email", "first@example.org")
    tenant.before = len(tenant.mails())
    return tenant


def test_what_is_suppressed_is_skipped(tenant):
    assert outcome(tenant, mail("ann@example.org"))[0] == "sent"
    shown = add(tenant)
    assert shown["address"] == "ann@example.org"
    assert shown["reason"] == "manual" and shown["source"].startswith("key:")
    add(tenant, "ANN@EXAMPLE.ORG", status=200)
    for to in ("ann@example.org", "aNN@example.org"):
        assert outcome(tenant, mail(to)) == SKIPPED
    assert outcome(tenant, mail("ann@example.com"))[0] == "sent"
    assert tenant.admin.get(f"{PATH}/email/Ann@example.org").json()["data"][0][
        "address"] == "ann@example.org"
    for _ in range(2):
        answer = tenant.admin.request("DELETE",
                                      f"{PATH}/email/ann%40example.org")
    problem(answer, 404, "not_found")
    problem(tenant.admin.get(f"{PATH}/email/ann@example.org"), 404,
            "not_found")
    assert outcome(tenant, mail("ann@example.org"))[0] == "sent"
    assert len(tenant.mails()) == tenant.before + 3
    done = [r["action"] for r in tenant.rows(
        "SELECT action FROM audit WHERE tenant_id = %s "
        "AND action LIKE 'suppression%%' ORDER BY at")][2:]
    assert done == ["suppression.add"] * 2 + ["suppression.remove"]


def test_stored_recipients_and_lists_of_them(tenant):
    tenant.ctl("suppression", "add", "email", "ann@example.org")
    made = tenant.admin.request("PUT", "/api/v1/services/recipients/u1",
                                json={"email": "Ann@example.org"})
    assert made.status_code == 201
    assert outcome(tenant, mail("ann@example.org", to={"user_id": "u1"})) \
        == SKIPPED
    identity = tenant.api.accepted(mail("x", to=[
        {"email": f"{name}@example.org"} for name in ("ann", "bob", "eve")]))
    tenant.idle()
    assert [d["state"] for d in
            tenant.api.notification(identity)["deliveries"]] == \
        ["skipped", "sent", "sent"]
    tenant.ctl("suppression", "remove", "email", "ANN@example.org")
    assert outcome(tenant, mail("x", to={"user_id": "u1"}))[0] == "sent"


def test_one_category_or_one_account(tenant):
    add(tenant, "a@example.org", category="news")
    add(tenant, "b@example.org", provider="box")
    tenant.add_provider("spare", "maildir", directory=tenant.maildir)
    tenant.ctl("provider", "set", "spare", "--priority", "50")
    add(tenant, "c@example.org", provider="spare")
    problem(tenant.admin.post(PATH, json={
        "address": "d@example.org", "channel": "email", "provider": "none"}),
        422, "validation_failed")
    assert outcome(tenant, mail("a@example.org", category="news")) == SKIPPED
    assert outcome(tenant, mail("a@example.org"))[0] == "sent"
    assert outcome(tenant, mail("b@example.org")) == SKIPPED
    assert outcome(tenant, mail("c@example.org"))[0] == "sent"
    shown = tenant.ctl("suppression", "list")
    assert [(s["address"][0], s["category"], s["provider"]) for s in shown] \
        == [("a", "news", None), ("b", "", "box"), ("c", "", "spare")]


def test_what_waits_when_an_address_is_suppressed(stack):
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({"RCPT": "451 4.3.0 not now"}) as server:
        relay(tenant, server)
        identity = tenant.api.accepted(mail("ann@example.org"))
        wait_until(lambda: tenant.count("attempt") > 0, 20, "an attempt")
        add(tenant)
        events = tenant.api.ended(identity)
        assert events[-2]["type"] == "delivery.failed"
        assert events[-2]["text"] == "the address is suppressed"


def relay(tenant, server):
    tenant.add_provider("relay", "smtp", host="127.0.0.1", port=server.port,
                        tls="none", **{"from": "shop@example.org"})


@pytest.mark.parametrize("answer, suppressed", [
    ("550 5.1.1 no such user", True),
    ("550 no such user", False),
    ("550 5.7.1 not from you", False),
    ("550 5.2.1 disabled", False),
])
def test_what_a_mail_server_says_of_an_address(stack, answer, suppressed):
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({"RCPT": answer}) as server:
        relay(tenant, server)
        assert outcome(tenant, mail("Ann@example.org"))[0] == "failed"
    tenant.idle()
    found = tenant.admin.get(PATH).json()["data"]
    assert [(s["address"], s["reason"], s["code"]) for s in found] == \
        ([("ann@example.org", "hard_bounce", "550 5.1.1")]
         if suppressed else [])


def test_lists_in_pages(tenant, other_tenant):
    add(other_tenant, "zoe@example.org")
    for i in range(5):
        add(tenant, f"a{i}@example.org", reason="complaint")
    add(tenant, "a3@example.org", reason="manual", channel="inapp")
    found, cursor = [], None
    while True:
        answer = tenant.admin.get(PATH, params={
            "limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found += [s["address"] + " " + s["channel"] for s in answer["data"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert found == [f"a{i}@example.org email" for i in range(4)] + \
        ["a3@example.org inapp", "a4@example.org email"]
    only = tenant.admin.get(PATH, params={"channel": "inapp"}).json()["data"]
    assert [s["reason"] for s in only] == ["manual"]
    assert len(tenant.admin.get(PATH, params={"reason": "complaint"}).json()
               ["data"]) == 5
    problem(tenant.admin.get(PATH, params={"cursor": "eA"}), 400,
            "invalid_request")
    problem(tenant.api.get(PATH), 403, "forbidden")


@pytest.mark.parametrize("channel, address", [
    ("email", "ann"), ("email", "ann@"), ("sms", "0660123456"),
    ("whatsapp", "ann@example.org")])
def test_what_is_no_address_suppresses_nothing(tenant, channel, address):
    answer = tenant.admin.post("/api/v1/admin/suppressions", json={
        "channel": channel, "address": address})
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [
        ("/address", "malformed")]
