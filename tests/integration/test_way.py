# test_way.py - from a POST at the web server to a mail in the inbox
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime
import json
import re

import pytest

from harness.api import SERVICES, mail
from harness.stack import ROOT
from harness.wait import wait_until

TEMPLATES = sorted(p.parent for p in ROOT.glob("templates/*/template.json"))
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                   r"[0-9a-f]{12}")


def parts(message):
    """The text of a mail's parts, by content type."""
    return {part.get_content_type(): part.get_content()
            for part in message.walk() if not part.is_multipart()}


def sample(template, locale=None):
    path = template / (locale or "") / "sample.json"
    data = json.loads(path.read_text())
    data.pop("recipient", None)
    return data


def test_answer(tenant):
    answer = tenant.api.send(mail())
    assert answer.status_code == 202
    body = answer.json()
    assert set(body) == {"id", "state", "recipients", "created_at"}
    assert UUID7.fullmatch(body["id"])
    assert body["state"] == "accepted"
    assert body["recipients"] == 1
    assert answer.headers["Location"] == f"{SERVICES}/{body['id']}"
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.headers["X-Request-Id"]
    created = datetime.datetime.fromisoformat(
        body["created_at"].replace("Z", "+00:00"))
    age = datetime.datetime.now(datetime.timezone.utc) - created
    assert abs(age.total_seconds()) < 60


def test_mail_and_timeline(tenant):
    identity = tenant.api.accepted(mail(
        content={"email": {"subject": "Order {{order}}",
                           "html": "<p>Order <b>{{order}}</b> &amp; more</p>",
                           "text": "Order {{order}} & more"}}))
    events = tenant.api.ended(identity)
    message, = tenant.wait_for_mails(1)

    assert message["Subject"] == "Order 42"
    assert "ann@example.org" in message["To"]
    assert message["From"] and message["Date"] and message["Message-ID"]
    assert message.get_content_type() == "multipart/alternative"
    text = parts(message)
    assert text["text/plain"].strip() == "Order 42 & more"
    assert "<b>42</b> &amp; more" in text["text/html"]

    types = [e["type"] for e in events]
    assert types[0] == "notification.accepted"
    for earlier, later in [("notification.accepted", "notification.routed"),
                           ("notification.routed", "delivery.started"),
                           ("delivery.started", "delivery.sent")]:
        assert types.index(earlier) < types.index(later)
    times = [e["at"] for e in events]
    assert times == sorted(times)
    sent = next(e for e in events if e["type"] == "delivery.sent")
    assert sent["channel"] == "email"
    assert sent["provider"] == "box"
    assert sent["attempt"] == 1


def test_rows_and_answer_afterwards(tenant):
    identity = tenant.api.accepted(mail(metadata={"invoice": 7}))
    tenant.api.ended(identity)
    tenant.idle()
    seen = tenant.api.notification(identity)
    assert seen["id"] == identity
    assert seen["state"] == "done"
    assert seen["metadata"] == {"invoice": 7}
    delivery, = seen["deliveries"]
    assert delivery["channel"] == "email"
    assert delivery["state"] == "sent"
    assert delivery["attempts"] == 1

    row, = tenant.rows("SELECT * FROM attempt WHERE tenant_id = %s")
    assert str(row["notification_id"]) == identity
    assert row["n"] == 1
    assert row["started_at"] <= row["finished_at"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: p.name)
def test_default_template(tenant, template):
    tenant.push_template(template)
    locales = [None] + [p.name for p in sorted(template.iterdir())
                        if p.is_dir()]
    assert len(locales) >= 2, "in English and one more language"
    subjects = set()
    for number, locale in enumerate(locales, 1):
        to = {"email": "ann@example.org", "name": "Ann"}
        if locale:
            to["locale"] = locale
        identity = tenant.api.accepted({
            "template": template.name, "to": to, "channels": ["email"],
            "data": sample(template, locale)})
        events = tenant.api.ended(identity)
        assert events[-1]["type"] in ("delivery.sent", "notification.done"), \
            events
        message = tenant.wait_for_mails(number)[-1]
        text = parts(message)
        assert set(text) == {"text/plain", "text/html"}
        assert "{{" not in "".join(text.values())
        subjects.add(message["Subject"])
    assert len(subjects) == len(locales)


def test_each_recipient_gets_one_mail(tenant):
    people = [{"email": f"p{i}@example.org", "data": {"order": str(i)}}
              for i in range(5)]
    identity = tenant.api.accepted(mail(to=people))
    messages = tenant.wait_for_mails(5)
    tenant.idle()
    assert sorted((m["To"], m["Subject"]) for m in messages) == \
        [(f"p{i}@example.org", f"Order {i}") for i in range(5)]
    assert len({m["Message-ID"] for m in messages}) == 5
    assert len(tenant.api.notification(identity)["deliveries"]) == 5


def test_text_is_made_from_html(tenant):
    tenant.api.accepted(mail(content={"email": {
        "subject": "s", "html": "<h1>Title</h1><p>One &lt; two</p>"}}))
    message, = tenant.wait_for_mails(1)
    text = parts(message)["text/plain"]
    assert "Title" in text.title() and "One < two" in text


def test_send_at_is_not_early(tenant):
    when = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(seconds=2)
    identity = tenant.api.accepted(mail(send_at=when.isoformat(
        timespec="milliseconds").replace("+00:00", "Z")))
    assert tenant.count("q_later") == 1
    events = tenant.api.ended(identity)
    sent = next(e for e in events if e["type"] == "delivery.sent")
    assert datetime.datetime.fromisoformat(
        sent["at"].replace("Z", "+00:00")) >= when


def test_expired_is_not_sent(tenant):
    now = datetime.datetime.now(datetime.timezone.utc)
    text = lambda s: (now + datetime.timedelta(seconds=s)).isoformat(
        timespec="milliseconds").replace("+00:00", "Z")
    identity = tenant.api.accepted(mail(expires_at=text(2)))
    # Its time is over before the spooler sees it again.
    tenant.api.ended(identity)
    assert len(tenant.mails()) <= 1


def test_a_template_that_fails_is_a_dead_delivery(tenant):
    """Too much output is found while rendering: dead, with the reason."""
    identity = tenant.api.accepted(mail(
        content={"email": {"subject": "s", "text":
                 "{{#each a}}{{#each ../a}}{{#each ../a}}{{../../big}}"
                 "{{/each}}{{/each}}{{/each}}"}},
        data={"a": list(range(30)), "big": "x" * 1000}))
    events = tenant.api.ended(identity)
    end = next(e for e in events if e["type"] == "delivery.dead")
    assert end["text"]
    assert tenant.mails() == []
    tenant.idle()


def test_without_a_provider_it_waits_for_one(stack):
    from harness.tenant import Tenant
    tenant = Tenant(stack, maildir=False)
    identity = tenant.api.accepted(mail())
    delivery, = wait_until(
        lambda: tenant.api.notification(identity)["deliveries"], 20, "a delivery")
    assert delivery["state"] == "waiting"
    assert "provider" in delivery["reason"] and delivery["due"]
    tenant.add_provider("box", "maildir", directory=tenant.maildir)
    tenant.api.ended(identity)
    assert len(tenant.mails()) == 1
