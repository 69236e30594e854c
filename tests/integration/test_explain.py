# test_explain.py - why a delivery went its way, and which way one would go
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime
import json

from harness.api import SERVICES, mail, problem
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until


def relay(tenant, name, server, **options):
    arguments = [f"--{key}={value}" for key, value in options.items()]
    tenant.ctl("provider", "add", name, "--kind", "smtp", *arguments,
               "--set", "host=127.0.0.1", "--set", f"port={server.port}",
               "--set", "tls=none", "--set", "from=shop@example.org")


def explain(tenant, identity):
    answer = tenant.api.get(f"{SERVICES}/{identity}/explain")
    assert answer.status_code == 200, answer.text
    return answer.json()


def asked(tenant, body):
    answer = tenant.api.post(f"{SERVICES}/explain", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["deliveries"]


def decisions(delivery):
    assert len(json.dumps(delivery["trace"])) < 1000
    return {t["what"]: (t.get("result"), t.get("why")) for t in delivery["trace"]}


def test_the_account_that_was_chosen_and_those_that_were_not(stack):
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({"RCPT": "451 4.3.0 not now"}) as bad, \
            FaultyServer({}) as good:
        relay(tenant, "bad", bad, priority=1)
        relay(tenant, "good", good, priority=2)
        relay(tenant, "third", good, priority=2, weight=5)
        identity = tenant.api.accepted(mail())
        tenant.api.ended(identity)
        tenant.idle()
        delivery, = explain(tenant, identity)["deliveries"]
        seen = decisions(delivery)
        assert seen["channel"] == ("email", "possible")
        assert seen["provider"] == ("bad", "1 of 1 with priority 1, weight 1 x "
                                    "1.00; 3 of 3 can be used")
        assert seen["failover"] == ("bad", "retry")
        assert delivery["provider"] in ("good", "third")
        assert tenant.ctl("explain", identity) == explain(tenant, identity)


def test_what_is_not_sent_is_explained_alike(tenant):
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    quiet = {"from": (now - hour).strftime("%H:%M"),
             "to": (now + hour).strftime("%H:%M")}
    body = {"to": [{"email": "ann@example.org", "name": "Ann"},
                   {"email": "bob@example.org", "quiet_hours": quiet},
                   {"phone": "+43660123456"}],
            "content": {"email": {"subject": "s", "text": "t"},
                        "sms": {"text": "t"}}}
    before = tenant.written()
    ann, bob, phone = asked(tenant, body)
    assert (ann["state"], ann["channel"], ann["provider"]) == \
        ("ready", "email", "box")
    assert decisions(ann)["channel"] == ("email", "possible; not sms (no address)")
    assert decisions(ann)["provider"] == ("box", "the only account")
    assert bob["state"] == "waiting" and bob["due"][11:16] == quiet["to"]
    assert decisions(bob)["quiet_hours"] == (bob["due"], "by the clock of UTC")
    assert phone["state"] == "skipped"
    assert decisions(phone)["channel"][1] == "none is possible"

    body["send_at"] = (now + 3 * hour).isoformat().replace("+00:00", "Z")
    assert asked(tenant, body)[1]["state"] == "ready", "then it is over"
    problem(tenant.api.post(f"{SERVICES}/explain", json={"to": {}}), 422,
            "validation_failed")
    tenant.ctl("suppression", "add", "email", "ann@example.org")
    assert asked(tenant, body)[0]["reason"].startswith(
        "the address for email is suppressed")
    assert tenant.written() == before
    assert tenant.mails() == []


def test_an_order_is_explained_step_by_step(tenant):
    tenant.add_provider("inbox", "inapp")
    body = mail(to={"email": "ann@example.org", "user_id": "ann"},
                fallback=[{"channel": "email"}, {"channel": "sms", "after": "1m"},
                          {"channel": "inapp", "after": "2m", "unless": "read"}])
    body["content"].update(sms={"text": "t"}, inapp={"title": "t", "body": "b"})
    email, sms, inapp = asked(tenant, body)
    assert [d["step"] for d in (email, sms, inapp)] == [0, 1, 2]
    assert [d["state"] for d in (email, sms, inapp)] == \
        ["ready", "skipped", "waiting"]
    assert decisions(inapp)["fallback"] == (
        "waits", "it goes on when email fails, or 60 s after it unless that one is "
        "delivered")


def waits(of):
    return {w["why"]: (w["what"], w["name"], w["until"]) for w in of["waits"]}


def put_off(tenant, identity):
    """Its one delivery, when a spooler has seen that it has to wait."""
    return wait_until(lambda: next((
        d for d in explain(tenant, identity)["deliveries"] if None in waits(d)), None),
        10, "it is put off")


def test_what_it_waits_for_now(stack):
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({}) as server:
        relay(tenant, "small", server, limit="per_day=1")
        first, second = tenant.api.accepted(mail()), tenant.api.accepted(mail())

        def one_is_out():
            told = [explain(tenant, i)["deliveries"] for i in (first, second)]
            states = [d["state"] for ds in told for d in ds]
            return sorted(states) == ["ready", "sent"] and \
                [d for ds in told for d in ds if d["state"] == "ready"]
        waiting, = wait_until(one_is_out, 10, "one mail out, one that waits")
        what, name, until = waits(waiting)["what it may send a day is used up"]
        assert (what, name) == ("account", "small")
        assert until.endswith("T00:00:00.000Z")
        assert waits(waiting)["0 before it"] == ("queue", None, None)

        tenant.ctl("provider", "disable", "small")
        third = tenant.api.accepted(mail())
        delivery = put_off(tenant, third)
        assert waits(delivery)["it is disabled"] == ("account", "small", None)
        assert waits(delivery)[None] == ("time", None, delivery["due"])

        stack.ctl("tenant", "suspend", tenant.slug)
        told = tenant.ctl("explain", third)
        assert waits(told["deliveries"][0])["it is suspended"] == \
            ("tenant", tenant.slug, None)
        assert told["waits"] == [], "the notification itself was routed"
        stack.ctl("tenant", "resume", tenant.slug)


def test_a_limit_of_0_is_none(stack):
    """Over REST an account gets each limit, and most are 0."""
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({}) as server:
        relay(tenant, "wide", server)
        wide, = tenant.admin.get("/api/v1/admin/providers").json()["data"]
        answer = tenant.admin.request(
            "PATCH", f"/api/v1/admin/providers/{wide['id']}",
            json={"limits": {"rate": 1000}},
            headers={"Content-Type": "application/merge-patch+json"})
        assert answer.status_code == 200 and answer.json()["limits"]["per_day"] == 0
        tenant.api.ended(tenant.api.accepted(mail()))
        tenant.ctl("provider", "disable", "wide")
        waiting = tenant.api.accepted(mail())
        put_off(tenant, waiting)
        tenant.rows("UPDATE provider SET state = 1 WHERE tenant_id = %s")
        assert set(waits(explain(tenant, waiting)["deliveries"][0])) == {None}


def test_strangers_are_told_nothing(tenant, other_tenant):
    identity = tenant.api.accepted(mail())
    problem(other_tenant.api.get(f"{SERVICES}/{identity}/explain"), 404,
            "not_found")


def test_what_becomes_of_files(tenant):
    for name, kind, more in (
            ("texts", "simulator-sms", {}),
            ("room", "telegram", {"token": "1:a", "chat_id": "7"}),
            ("wa", "whatsapp", {"access_token": "t",
                                "phone_number_id": "1"})):
        tenant.add_provider(name, kind, **more)
    to = {"email": "ann@example.org", "phone": "+15005550006",
          "user_id": "u1"}
    body = {"to": to, "content": {
        "email": {"subject": "Hi", "text": "Hi"}, "sms": {"text": "Hi"},
        "chat": {"text": "Hi"}, "whatsapp": {"text": "Hi"}},
        "attachments": [{"content": "QQ==", "name": "a.txt"}]}
    seen = {d["channel"]: decisions(d).get("attachments")
            for d in asked(tenant, body)}
    named = ("by name", "those that the part for whatsapp names go")
    assert seen == {
        "email": None, "chat": None, "whatsapp": named,
        "sms": ("left out", "accounts of kind simulator-sms carry none")}
    later = {**body, "fallback": [{"channel": c} for c in (
        "email", "sms", "whatsapp", "chat")]}
    seen = {d["channel"]: decisions(d).get("attachments")
            for d in asked(tenant, later)}
    assert seen == {"email": None, "chat": None, "whatsapp": named,
                    "sms": ("left out", "no account of sms carries any")}
    only = {**body, "channels": ["sms"]}
    identity = tenant.api.accepted(only)
    tenant.api.ended(identity)
    told, = explain(tenant, identity)["deliveries"]
    assert decisions(told)["attachments"][0] == "left out"
    del body["attachments"]
    assert all("attachments" not in decisions(d) for d in asked(tenant, body))
