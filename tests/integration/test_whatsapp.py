# test_whatsapp.py - WhatsApp: what is sent, what it reports, what people write
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import time

import pytest

from harness.api import ADMIN
from harness.fake_provider import Fault
from harness.hooks import WhatsApp
from harness.tenant import Tenant
from harness.wait import wait_until

PHONE = "+43660123456"
OTHER = "206540352242922"


@pytest.fixture
def tenant(stack):
    return Tenant(stack, maildir=False)


@pytest.fixture
def meta(tenant, provider):
    return WhatsApp().add_to(tenant, base_url=provider.url())


def note(part, **more):
    return {"to": {"phone": PHONE}, "channels": ["whatsapp"],
            "content": {"whatsapp": part}, **more}


def sent(tenant, part={"text": "hi"}):
    identity = tenant.api.accepted(note(part))
    tenant.api.ended(identity)
    assert state(tenant, identity) == "sent"
    return identity


def state(tenant, identity):
    return tenant.api.notification(identity)["deliveries"][0]["state"]


def events(tenant, identity):
    return {e["type"]: e for e in tenant.api.timeline(identity)}


def applied(tenant):
    wait_until(lambda: tenant.count("hook_inbox") == 0, 20, "an empty inbox")


def suppressed(tenant):
    return {(s["address"], s["reason"], s.get("provider"))
            for s in tenant.admin.get(f"{ADMIN}/suppressions").json()["data"]}


def test_the_challenge(meta):
    answer = meta.challenge(meta.VERIFY)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["Content-Type"].split(";")[0] == "text/plain"
    refused = [meta.challenge("wrong"), meta.challenge(""),
               meta.challenge(meta.VERIFY + "x"),
               meta.challenge(meta.VERIFY, mode="unsubscribe"),
               meta.challenge(meta.VERIFY, challenge="1" * 201)]
    assert {a.status_code for a in refused} == {403}


def test_the_fate_of_a_message(tenant, meta, provider):
    identity = sent(tenant)
    ours = json.loads(provider.bodies[0])["biz_opaque_callback_data"]
    meta.status("sent", "wamid.1")
    meta.status("read", "wamid.1", biz_opaque_callback_data=ours)
    meta.status("delivered", "wamid.1")
    meta.status("read", "wamid.1")
    applied(tenant)
    assert state(tenant, identity) == "delivered"
    types = [e["type"] for e in tenant.api.timeline(identity)]
    assert types.count("delivery.read") == 1
    assert types.count("delivery.delivered") == 1


@pytest.mark.parametrize("code, kind, reason", [
    (131047, "bad_message", None), (131026, "bad_recipient", None),
    (131050, "bad_recipient", "opt_out"), (7, "retry", None)])
@pytest.mark.expect_log("a report of a provider is not known")
def test_errors_come_after_a_good_answer(tenant, meta, code, kind, reason):
    identity = sent(tenant)
    meta.status("failed", "wamid.1", errors=[{
        "code": code, "title": "no", "error_data": {"details": "not now"}}])
    applied(tenant)
    failed = events(tenant, identity)["delivery.failed"]
    assert state(tenant, identity) == "failed"
    assert (failed["class"], failed["code"], failed["text"]) == \
        (kind, str(code), "not now")
    assert suppressed(tenant) == ({(PHONE, reason, "wa")} if reason
                                  else set())


def test_one_webhook_for_all_numbers_of_an_app(tenant, meta, provider):
    """What comes to the one account may be of the other, of this tenant."""
    tenant.ctl("provider", "disable", "wa")
    WhatsApp().add_to(tenant, "second", OTHER, base_url=provider.url())
    identity = sent(tenant)
    meta.status("delivered", "wamid.1", "999")
    meta.status("delivered", "wamid.1")
    meta.report(OTHER, statuses=[], messages=[])
    applied(tenant)
    assert state(tenant, identity) == "sent"
    meta.status("delivered", "wamid.1", OTHER)
    applied(tenant)
    assert state(tenant, identity) == "delivered"


def test_stop_and_start(tenant, meta):
    meta.say("tell me more")
    meta.say("Stop ", identity="wamid.in1")
    applied(tenant)
    assert suppressed(tenant) == {(PHONE, "opt_out", "wa")}
    meta.say("START")
    meta.say("stop", identity="wamid.in1")  # once more
    applied(tenant)
    assert suppressed(tenant) == set()


@pytest.mark.parametrize("at", ["-9223372036854775808", "-62135596801",
                                "9223372036854775807", "x"])
def test_a_time_of_nowhen_loses_nothing(tenant, meta, at):
    meta.report(messages=[{"from": PHONE[1:], "type": "text", "id": "wamid.1",
                           "timestamp": at, "text": {"body": "stop"}}])
    applied(tenant)
    assert suppressed(tenant) == {(PHONE, "opt_out", "wa")}


def test_who_wrote_gets_a_text_and_others_a_template(tenant, meta, provider):
    part = {"template": "order_shipped", "parameters": ["42"],
            "session": {"text": "Order 42 is on its way."}}

    def kind():
        sent(tenant, part)
        return json.loads(provider.bodies[-1])["type"]
    assert kind() == "template"
    meta.say("hello", at=time.time() - 25 * 3600)
    applied(tenant)
    assert kind() == "template"
    meta.say("hello")
    applied(tenant)
    assert kind() == "text"
    meta.say("hello", at=time.time() - 25 * 3600)  # late, and not the last word
    applied(tenant)
    assert kind() == "text"


def test_outside_of_a_session_a_text_is_dead(tenant, meta, provider):
    provider.faults = [Fault(answer=400, body=json.dumps({"error": {
        "message": "(#131047) Re-engagement message", "code": 131047,
        "error_data": {"details": "more than 24 hours"}}}).encode())]
    identity = tenant.api.accepted(note({"text": "hi"}))
    tenant.api.ended(identity)
    failed = events(tenant, identity)["delivery.failed"]
    assert (failed["code"], failed["text"]) == ("131047",
                                                "more than 24 hours")
    assert provider.count() == 1


def test_what_is_not_metas_has_no_effect(tenant, meta):
    """Every byte counts, and the body is what came, not what it means."""
    identity = sent(tenant)
    body, good = meta.signed(meta.value(
        statuses=[{"id": "wamid.1", "status": "failed", "errors": [
            {"code": 131026, "title": "für Ännchen"}]}]))
    assert b"\\u00e4" not in body and b"\\u00c4" in body
    attempts = [(body, None), (body, good[:-2]), (body, good.upper()),
                (body, good[7:]), (body, "sha256=" + "0" * 64),
                (body, "sha1=" + good[7:47]), (b"", good),
                (body, meta.signed({}, "other")[1]), (body + b"\n", good),
                (json.dumps(json.loads(body)).encode(), good),
                (json.dumps(json.loads(body), ensure_ascii=False,
                            separators=(",", ":")).encode(), good)]
    attempts += [(body[:i] + bytes([body[i] ^ 1]) + body[i + 1:], good)
                 for i in range(0, len(body), 16)]
    assert {meta.post(*a).status_code for a in attempts} == {403}
    assert tenant.count("hook_inbox") == 0
    assert state(tenant, identity) == "sent"
    assert meta.post(body, good).status_code == 204
    applied(tenant)
    assert state(tenant, identity) == "failed"
