# test_hooks.py - what providers report, from their signature to its effect
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import time
import urllib.parse
import uuid

import pytest
import requests

from harness.alerts import read_metrics
from harness.api import ADMIN, mail, problem
from harness.hooks import PUBLIC, SendGrid, Twilio
from harness.tenant import Tenant
from harness.wait import wait_until

PHONE = "+43660123456"
REPLAYS = int(os.environ.get("BELFRY_REPLAYS", "100"))


@pytest.fixture
def reported(public_stack):
    return public_stack


@pytest.fixture
def texting(reported, provider):
    """A tenant with an account at a stand-in for Twilio, and its callbacks."""
    tenant = Tenant(reported, maildir=False)
    provider.add_to(tenant, "sms")
    return tenant, Twilio(tenant)


@pytest.fixture(scope="module")
def grid():
    return SendGrid()


@pytest.fixture
def mailing(reported, provider, grid):
    tenant = Tenant(reported, maildir=False)
    grid.add_to(tenant, base_url=provider.url())
    return tenant


def sms(to=PHONE, **more):
    return {"to": {"phone": to}, "content": {"sms": {"text": "hi"}}, **more}


def sent(tenant, body):
    """Sends; the notification, its delivery, and what custom_args say."""
    identity = tenant.api.accepted(body)
    tenant.api.ended(identity)
    delivery, = tenant.api.notification(identity)["deliveries"]
    assert delivery["state"] == "sent"
    return identity, {"belfry_notification": identity,
                      "belfry_delivery": delivery["id"]}


def state(tenant, identity):
    return tenant.api.notification(identity)["deliveries"][0]["state"]


def types(tenant, identity):
    return [e["type"] for e in tenant.api.timeline(identity)
            if e["type"].startswith("delivery.")]


def applied(tenant, timeout=20):
    wait_until(lambda: tenant.count("hook_inbox") == 0, timeout,
               "an empty inbox")


def suppressed(tenant):
    return {(s["address"], s["reason"], s.get("provider"))
            for s in tenant.admin.get(f"{ADMIN}/suppressions").json()["data"]}


# SendGrid

def test_what_goes_to_sendgrid(mailing, provider):
    sent(mailing, mail(category="orders"))
    body = json.loads(provider.bodies[0])
    assert body["personalizations"][0]["to"] == [
        {"email": "ann@example.org", "name": "Ann"}]
    assert set(body["personalizations"][0]["custom_args"]) == {
        "belfry_notification", "belfry_delivery"}
    assert body["from"] == {"email": "shop@example.org"}
    assert body["subject"] == "Order 42" and body["categories"] == ["orders"]
    assert body["content"] == [{"type": "text/plain",
                                "value": "Your order 42 shipped."}]
    assert provider.headers[0]["authorization"] == "Bearer SG.key"


def test_a_delivered_and_opened_mail(mailing, grid):
    identity, ids = sent(mailing, mail())
    opened = {**ids, "event": "open", "timestamp": int(time.time())}
    delivered = {**ids, "event": "delivered", "timestamp": int(time.time()),
                 "response": "250 OK"}
    for _ in range(3):
        grid.report(opened, delivered)
        grid.report(delivered)
    applied(mailing)
    assert state(mailing, identity) == "delivered"
    found = types(mailing, identity)
    assert found.count("delivery.delivered") == 1
    assert found.count("delivery.opened") == 1
    # Nothing goes back.
    grid.report({**ids, "event": "bounce", "type": "blocked"})
    applied(mailing)
    assert state(mailing, identity) == "delivered"


def test_a_bounce_suppresses_and_a_block_does_not(mailing, grid):
    identity, ids = sent(mailing, mail("Eve@example.org"))
    grid.report({**ids, "event": "bounce", "type": "blocked",
                 "status": "5.7.1", "reason": "not now"})
    applied(mailing)
    assert state(mailing, identity) == "failed"
    assert suppressed(mailing) == set()
    identity, ids = sent(mailing, mail("Eve@example.org"))
    grid.report({**ids, "event": "bounce", "type": "bounce",
                 "status": "5.1.1", "reason": "no such user"})
    applied(mailing)
    assert state(mailing, identity) == "failed"
    assert suppressed(mailing) == {("eve@example.org", "hard_bounce", None)}


def test_complaints_and_unsubscriptions(mailing, grid):
    _, first = sent(mailing, mail("a@example.org"))
    identity, second = sent(mailing, mail("b@example.org", category="news"))
    grid.report({**first, "event": "spamreport"},
                {**second, "event": "group_unsubscribe"})
    applied(mailing)
    found = mailing.admin.get(f"{ADMIN}/suppressions").json()["data"]
    assert [(s["address"], s["reason"], s.get("category")) for s in found] == \
        [("a@example.org", "complaint", None),
         ("b@example.org", "unsubscribe", "news")]
    assert "delivery.unsubscribed" in types(mailing, identity)
    assert state(mailing, identity) == "delivered"
    # Taken back: what was said of the category, and nothing else.
    grid.report({**first, "event": "group_resubscribe"},
                {**second, "event": "group_resubscribe"})
    applied(mailing)
    assert "delivery.resubscribed" in types(mailing, identity)
    assert suppressed(mailing) == {("a@example.org", "complaint", None)}


def test_the_last_word_counts_whatever_comes_when(mailing, grid):
    """SendGrid repeats what it has no answer to: a "no" that was taken back is none."""
    identity, ids = sent(mailing, mail("b@example.org", category="news"))
    now = int(time.time())
    no = ("b@example.org", "unsubscribe", None)

    def event(kind, number, at):
        return {**ids, "event": f"group_{kind}", "sg_event_id": f"e{number}",
                "timestamp": at}
    first = event("unsubscribe", 1, now - 50)
    back = event("resubscribe", 2, now - 40)
    again = event("unsubscribe", 3, now - 30)

    def say(*events):
        grid.report(*events)
        applied(mailing)
        return suppressed(mailing)
    assert say(first) == {no}
    assert say(back) == set()
    assert say(first) == set()
    assert say(again) == {no}
    assert say(back) == {no}  # comes once more, behind it
    mailing.admin.request("DELETE", f"{ADMIN}/suppressions/email/b@example.org")
    assert say(again) == set()
    # Never seen, and older than what is known; the last in one request.
    assert say(event("unsubscribe", 4, now - 45)) == set()
    assert say(event("unsubscribe", 5, now - 20)) == {no}
    assert say(event("resubscribe", 6, now - 25)) == {no}
    assert say(event("resubscribe", 7, now - 15)) == set()
    assert say(event("unsubscribe", 8, now - 10),
               event("resubscribe", 9, now - 5)) == set()
    assert say(event("resubscribe", 10, now - 4),
               event("unsubscribe", 11, now - 3)) == {no}


def test_a_bounce_counts_once(mailing, grid):
    """An admin let the address in again; SendGrid says once more why it was out."""
    identity, ids = sent(mailing, mail("Eve@example.org"))
    bounce = {**ids, "event": "bounce", "type": "bounce", "status": "5.1.1",
              "sg_event_id": "b1"}
    for event, found in ((bounce, {("eve@example.org", "hard_bounce", None)}),
                         (bounce, set()),
                         ({**bounce, "sg_event_id": "b2"},
                          {("eve@example.org", "hard_bounce", None)})):
        grid.report(event)
        applied(mailing)
        assert suppressed(mailing) == found
        mailing.admin.request("DELETE",
                              f"{ADMIN}/suppressions/email/eve@example.org")


def test_a_message_id_will_do(mailing, grid, provider):
    """Where custom_args are missing: X-Message-Id and a suffix."""
    identity, ids = sent(mailing, mail())
    ref, = {r["provider_ref"] for r in mailing.rows(
        "SELECT provider_ref FROM attempt WHERE tenant_id = %s")}
    grid.report({"event": "delivered", "sg_message_id": f"{ref}.filter-1"})
    applied(mailing)
    assert state(mailing, identity) == "delivered"


@pytest.mark.W6
def test_what_is_not_proven_has_no_effect(mailing, grid):
    identity, ids = sent(mailing, mail())
    event = {**ids, "event": "bounce", "type": "bounce", "status": "5.1.1"}
    body = grid.body(event)
    good = grid.headers(body)
    name = "X-Twilio-Email-Event-Webhook-Signature"
    stamp = "X-Twilio-Email-Event-Webhook-Timestamp"
    other = SendGrid()
    attempts = [
        (body, {k: v for k, v in good.items() if k != name}),
        (body, {k: v for k, v in good.items() if k != stamp}),
        (body, {**good, name: good[name][:-4]}),
        (body, {**good, name: "!" * 96}),
        (body, {**good, stamp: str(int(good[stamp]) + 1)}),
        (body, other.headers(body)),
        (body, grid.headers(body, time.time() - 73 * 3600)),
        (body[:-1], good),
        (body.replace(b"5.1.1", b"5.1.2"), good),
        (json.dumps(json.loads(body)).encode(), good),
        (b"", good),
    ]
    answers = {(a.status_code, a.json()["detail"]) for a in
               (grid.post(b, headers=h) for b, h in attempts)}
    assert len(answers) == 1 and next(iter(answers))[0] == 403
    assert mailing.count("hook_inbox") == 0
    assert state(mailing, identity) == "sent" and suppressed(mailing) == set()
    # The one that is good has its effect, once.
    for _ in range(REPLAYS):
        assert grid.post(body, headers=good).status_code == 204
    applied(mailing, 60)
    assert state(mailing, identity) == "failed"
    assert types(mailing, identity).count("delivery.bounced") == 1
    assert len(suppressed(mailing)) == 1


def test_nothing_tells_what_there_is(mailing, reported, grid):
    """No tenant, no account, an account without a hook, a wrong signature."""
    mailing.add_provider("box", "maildir", directory=mailing.maildir)
    box, = mailing.rows("SELECT id FROM provider WHERE tenant_id = %s "
                        "AND name = 'box'")
    body = grid.body()
    where = [f"/hooks/{mailing.slug}/{uuid.uuid4()}",
             f"/hooks/nobody/{grid.url.rsplit('/', 1)[1]}",
             f"/hooks/{mailing.slug}/{box['id']}",
             f"/hooks/{mailing.slug}/x",
             f"/hooks/{'x' * 100}/{box['id']}"]
    answers = [requests.post(reported.url + path, data=body, timeout=30)
               for path in where]
    answers.append(grid.post(body, headers={"Content-Type": "text/plain"}))
    answers.append(requests.get(grid.url, timeout=30))
    assert {(a.status_code, a.json()["detail"]) for a in answers} == \
        {(403, "this is not proven to come from the provider")}
    problem(grid.post(b"x" * (1 << 20) + b"x"), 413, "too_large")


def test_others_deliveries_are_not_touched(mailing, reported, provider, grid):
    other = Tenant(reported, maildir=False)
    foreign = SendGrid().add_to(other, base_url=provider.url())
    identity, ids = sent(mailing, mail())
    foreign.report({**ids, "event": "bounce", "type": "bounce",
                    "status": "5.1.1"},
                   {"belfry_notification": str(uuid.uuid4()),
                    "belfry_delivery": str(uuid.uuid4()),
                    "event": "spamreport"}, {"event": "delivered",
                                             "sg_message_id": "none.x"})
    applied(other)
    assert state(mailing, identity) == "sent"
    assert suppressed(mailing) == suppressed(other) == set()


def test_a_large_batch(mailing, grid):
    identity, ids = sent(mailing, mail())
    grid.report(*({**ids, "event": "click", "url": f"https://x/{i % 7}",
                   "timestamp": int(time.time())} for i in range(2000)))
    applied(mailing)
    assert types(mailing, identity).count("delivery.clicked") == 7


# Twilio

def callback_of(provider):
    form = urllib.parse.parse_qs(provider.bodies[-1].decode())
    return form["StatusCallback"][0]


def test_the_fate_of_a_text(texting, provider):
    tenant, twilio = texting
    identity, _ = sent(tenant, sms())
    url = callback_of(provider)
    for status in ("sent", "delivered", "sent", "delivered"):
        answer = twilio.callback(url, {"MessageSid": "SM1",
                                       "MessageStatus": status})
        assert answer.status_code == 204
    applied(tenant)
    assert state(tenant, identity) == "delivered"
    assert types(tenant, identity).count("delivery.delivered") == 1


def test_a_text_that_does_not_arrive(texting, provider):
    tenant, twilio = texting
    identity, _ = sent(tenant, sms())
    twilio.callback(callback_of(provider), {
        "MessageSid": "SM1", "MessageStatus": "undelivered",
        "ErrorCode": "30005"})
    applied(tenant)
    assert state(tenant, identity) == "failed"
    assert suppressed(tenant) == {(PHONE, "hard_bounce", None)}


def test_a_failure_that_no_table_knows(texting, provider, reported):
    """Nobody is told that the message was at fault; somebody is told to look."""
    reported.logs.allow("a report of a provider is not known")
    tenant, twilio = texting
    identity, _ = sent(tenant, sms())

    def counted():
        text = requests.get(reported.url + "/metrics", timeout=30).text
        return float(read_metrics(text)[0][
            "belfry_unrecognised_answers_total", ""])
    before = counted()
    twilio.callback(callback_of(provider), {
        "MessageSid": "SM1", "MessageStatus": "undelivered",
        "ErrorCode": "39999"})
    applied(tenant)
    assert state(tenant, identity) == "failed"
    told, = [e for e in tenant.api.timeline(identity)
             if e["type"] == "delivery.failed"]
    assert told["class"] == "retry" and told["code"] == "39999"
    assert counted() == before + 1
    assert reported.logs.find(msg="a report of a provider is not known",
                              code="39999")


def test_stop_and_start(texting, provider):
    tenant, twilio = texting
    sent(tenant, sms())
    stop = {"From": PHONE, "To": "+15005550006", "Body": "Stop",
            "MessageSid": "SM7"}
    start = {**stop, "Body": "START", "MessageSid": "SM8"}

    def say(message):
        assert twilio.post(message).status_code == 204
        applied(tenant)
        return suppressed(tenant)
    assert say({**stop, "Body": "HELP", "MessageSid": "SM6"}) == set()
    assert say(stop) == {(PHONE, "opt_out", "fake-sms")}

    def skipped():
        identity = tenant.api.accepted(sms())
        tenant.api.ended(identity)
        return state(tenant, identity) == "skipped"
    wait_until(skipped, 10, "the first suppression is known")
    assert say(start) == set()
    # What Twilio says once more is no new word.
    assert say(stop) == set()
    assert say({**stop, "MessageSid": "SM9"}) == {
        (PHONE, "opt_out", "fake-sms")}
    assert say(start) == {(PHONE, "opt_out", "fake-sms")}


def test_pictures_go_with_a_text(texting, provider):
    tenant, _ = texting
    sent(tenant, {"to": {"phone": PHONE}, "content": {"sms": {
        "text": "look", "media": ["https://example.org/a.png",
                                  "https://example.org/b.png"]}}})
    form = urllib.parse.parse_qs(provider.bodies[-1].decode())
    assert form["MediaUrl"] == ["https://example.org/a.png",
                                "https://example.org/b.png"]
    problem(tenant.api.send({"to": {"phone": PHONE}, "content": {"sms": {
        "text": "look", "media": ["ftp://example.org/"]}}}), 422,
        "validation_failed")


def test_what_is_not_twilios_has_no_effect(texting, provider):
    tenant, twilio = texting
    identity, _ = sent(tenant, sms())
    query = urllib.parse.urlsplit(callback_of(provider)).query
    failed = {"MessageSid": "SM1", "MessageStatus": "failed",
              "ErrorCode": "30005"}
    answers = [
        twilio.post(failed, query, signature="x"),
        twilio.post(failed, query, signature="A" * 27 + "="),
        twilio.post(failed, query, url="https://other.example.org"
                    + twilio.path),
        twilio.post({**failed, "AccountSid": "AC" + "1" * 32}, query),
    ]
    assert {a.status_code for a in answers} == {403}
    assert state(tenant, identity) == "sent" and suppressed(tenant) == set()


# The inbox

def test_one_that_is_damaged_holds_up_nobody(mailing, grid, reported):
    reported.logs.allow("what a provider reported cannot be applied")
    identity, ids = sent(mailing, mail())
    provider = grid.url.rsplit("/", 1)[1]
    damaged = [{"what": "opt_out", "address": "a", "suppress": 99}]
    good = [7, {"what": "?"}, {"what": "delivered",
                               "n": ids["belfry_notification"],
                               "d": ids["belfry_delivery"]}]
    with reported.db(tenant=mailing.id) as connection:
        connection.autocommit = False
        cursor = connection.cursor()
        for i, events in enumerate((damaged, good, damaged, good)):
            cursor.execute(
                "INSERT INTO hook_inbox VALUES (%s, uuid_floor(now() + "
                "%s * interval '1 ms'), %s, %s)",
                (mailing.id, i, provider, json.dumps(events)))
        connection.commit()
    applied(mailing)
    assert state(mailing, identity) == "delivered"
    assert suppressed(mailing) == set()
