# test_simulator.py - providers that only pretend; what doc/providers.md says of them
#
# SPDX-License-Identifier: BSD-2-Clause
import re
from pathlib import Path

import pytest

from harness.tenant import Tenant
from harness.wait import wait_until
from lint.source import ROOT, table_rows

FATES = {row[1]: row for row in
         table_rows(ROOT / "src/provider/simulator.def")}
CONTENT = {
    "email": {"email": {"subject": "Hello", "text": "there"}},
    "sms": {"sms": {"text": "hello"}},
    "push": {"push": {"title": "hello"}},
    "whatsapp": {"whatsapp": {"text": "hello"}},
    "inapp": {"inapp": {"title": "hello", "body": "there"}},
    "webhook": {"webhook": {"hello": "there"}},
    "chat": {"chat": {"text": "hello"}},
}


def recipient(channel, word):
    return {
        "email": {"email": f"{word}+1@example.org"},
        "sms": {"phone": f"+436601234{FATES[word][0]}"},
        "whatsapp": {"phone": f"+436601234{FATES[word][0]}"},
        "push": {"push_token": f"{word}:1"},
    }.get(channel, {"user_id": word})


@pytest.fixture
def tenant(stack):
    return Tenant(stack, maildir=False)


def send(tenant, channel, word, **more):
    tenant.add_provider(f"sim-{channel}", f"simulator-{channel}", delay="10ms")
    return tenant.api.accepted({"to": recipient(channel, word),
                                "content": CONTENT[channel], **more})


def classes(tenant, notification):
    return [e["class"] for e in tenant.api.timeline(notification) if e["class"]]


@pytest.mark.parametrize("channel", CONTENT)
def test_every_channel_has_one(tenant, channel):
    sent = send(tenant, channel, "bounced")
    tenant.api.ended(sent)
    assert classes(tenant, sent) == ["bad_recipient"]


@pytest.mark.parametrize("word, want", [
    ("delivered", ["accepted"]), ("refused", ["bad_message"]),
    ("flaky", ["retry", "accepted"]), ("slow", ["accepted"])])
def test_what_addresses_stand_for(tenant, word, want):
    sent = send(tenant, "sms", word)
    tenant.api.ended(sent)
    assert classes(tenant, sent) == want


@pytest.mark.parametrize("word, want", [
    ("throttled", "throttled"), ("busy", "retry"), ("lost", "unknown"),
    ("down", "retry"), ("locked", "bad_credential"),
    ("unpaid", "provider_blocked")])
def test_what_goes_on(stack, tenant, word, want):
    stack.logs.allow("provider account is parked")
    sent = send(tenant, "email", word)
    assert wait_until(lambda: classes(tenant, sent), 20, "an answer")[0] == want
    tenant.api.post(f"/api/v1/services/notifications/{sent}/cancel")


@pytest.mark.parametrize("word, state, types, reason", [
    ("received", "delivered", ["delivered"], None),
    ("returned", "failed", ["bounced"], "hard_bounce"),
    ("undelivered", "failed", ["failed"], None),
    ("clicked", "delivered", ["delivered", "opened", "clicked"], None),
    ("complained", "delivered", ["delivered", "complained"], "complaint"),
    ("unsubscribed", "delivered", ["delivered", "unsubscribed"],
     "unsubscribe")])
def test_what_is_reported_later(tenant, word, state, types, reason):
    sent = send(tenant, "email", word)

    def told():
        found = [e["type"] for e in tenant.api.timeline(sent)]
        return all(f"delivery.{t}" in found for t in types)
    wait_until(told, 30, "the receipts")
    assert tenant.api.notification(sent)["deliveries"][0]["state"] == state
    found = tenant.rows("SELECT address, reason FROM suppression "
                        "WHERE tenant_id = %s")
    assert bool(found) == bool(reason)


def test_a_fallback_order_waits_for_a_receipt(tenant):
    tenant.add_provider("sms", "simulator-sms", delay="10ms")
    sent = send(tenant, "email", "unheard")
    tenant.api.ended(sent)
    assert tenant.api.notification(sent)["deliveries"][0]["state"] == "sent"
    assert tenant.rows("SELECT told FROM delivery WHERE tenant_id = %s") == [
        {"told": 0}]
    assert tenant.count("hook_inbox") == 0


def test_the_manual_has_the_table():
    text = (Path(ROOT) / "doc/providers.md").read_text()
    for digits, word, kind, _, _, _, what in FATES.values():
        row = re.search(rf"^\| `{word}` \| `{digits}` \| (.*) \| (.*) \|$", text,
                        re.MULTILINE)
        assert row, word
        assert row.group(1) == what
        assert row.group(2) == f"`{kind.lower()}`"
