# test_damage.py - a damaged row is seen, and holds up nobody
#
# SPDX-License-Identifier: BSD-2-Clause
import contextlib

import pytest

from harness.api import after, mail
from harness.endpoint import Endpoint
from harness.fake_provider import FakeProvider, Fault
from harness.wait import wait_until

FAR = "2027-06-01T00:00:00Z"
# Column of "notification", what stands in it, what the timeline tells of it.
DAMAGE = [
    ("recipients", "json", "{}", "its recipients cannot be read"),
    ("recipients", "json", "[]", "its recipients cannot be read"),
    ("recipients", "json", '[{"email": "a\\u0000b@example.org"}]',
     "its recipients cannot be read"),
    ("recipients", "json", "[" * 2000 + "]" * 2000,
     "its recipients cannot be read"),
    ("recipients", "json", "[7]", "has no address"),
    ("channels", "text", "pigeon", "its channels cannot be read"),
    ("channels", "text", "email,pigeon", "its channels cannot be read"),
    ("channels", "text", "", "its channels cannot be read"),
    ("content", "json", None, "its template is gone"),
    ("content", "json", "5", "no part for email"),
    ("content", "json", '{"email": {"subject": "{{", "text": "t"}}',
     "cannot be compiled"),
    ("data", "json", '{"a": "\\u0000"}', "is malformed"),
    ("data", "json", '{"a": ' + "[" * 600 + "]" * 600 + "}",
     "nested too deep"),
    ("expires_at", "timestamptz", "-infinity", "it expired"),
    ("expires_at", "timestamptz", "0044-03-15 BC", "it expired"),
    ("expires_at", "timestamptz", "infinity", "written"),
    ("expires_at", "timestamptz", "12000-01-01", "written"),
    ("priority", "smallint", "77", "written"),
    ("traceparent", "text", "x\r\nEvil: y", "written"),
    ("locale", "text", "\u0085../..", "written"),
]


def damaged(stack, tenant, column, kind, value):
    """A notification that is due, with one column changed by hand."""
    notification = tenant.api.accepted(mail(send_at=FAR))
    stack.rows(f"UPDATE notification SET {column} = %s::{kind} WHERE id = %s",
               value, notification)
    return notification


def release(stack, tenant):
    """What waits is due now, all at once, so that one claim takes it all."""
    stack.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s",
               tenant.id)


def told(tenant, notification):
    return " ".join(e["text"] or "" for e in tenant.api.ended(notification))


@pytest.mark.D10
@pytest.mark.expect_log("template cannot be used")
@pytest.mark.expect_log("claim failed")
@pytest.mark.expect_log("row is damaged")
def test_damaged_notifications(stack, tenant):
    ids = []
    for column, kind, value, _ in DAMAGE:
        ids.append(damaged(stack, tenant, column, kind, value))
        tenant.api.accepted(mail("good@example.org", send_at=FAR))
    release(stack, tenant)
    tenant.idle()
    for (column, _, value, text), notification in zip(DAMAGE, ids):
        assert text in told(tenant, notification), (column, value)
        assert tenant.api.notification(notification)["state"] == "done"
    good = [m for m in tenant.mails() if "good@example.org" in m["To"]]
    assert len(good) == len(DAMAGE)


@pytest.mark.D10
@pytest.mark.expect_log("claim failed")
@pytest.mark.expect_log("row is damaged")
def test_what_the_database_refuses(stack, tenant):
    """An attempt of that number is there already: the claim is refused."""
    bad = waiting(stack, tenant, "bad@example.org")
    good = [waiting(stack, tenant, f"good{i}@example.org") for i in range(5)]
    stack.rows(
        "INSERT INTO attempt (tenant_id, notification_id, delivery_id, n, "
        "lease_no, spooler) SELECT tenant_id, notification_id, id, "
        "attempts + 1, 9, id FROM delivery WHERE notification_id = %s", bad)
    release(stack, tenant)
    tenant.idle()
    assert "it is damaged" in told(tenant, bad)
    for notification in good:
        assert "the mail was there already" in told(tenant, notification)


def waiting(stack, tenant, address):
    """A delivery that was tried once, in vain, and is due in an hour."""
    notification = tenant.api.accepted(mail(address))
    tenant.api.ended(notification)
    stack.rows("UPDATE notification SET state = 2, open_count = 1 "
               "WHERE id = %s", notification)
    stack.rows("SET session_replication_role = replica; UPDATE delivery "
               "SET state = 1, told = 0, finished_at = NULL "
               "WHERE notification_id = %s",
               notification)
    stack.rows(
        "INSERT INTO q_later (tenant_id, due, id, notification_id, lane, "
        "prio, lease_no) SELECT tenant_id, now() + interval '1 hour', id, "
        "notification_id, 1, 1, 1 FROM delivery WHERE notification_id = %s",
        notification)
    return notification


@pytest.mark.D10
def test_a_delivery_that_is_gone(stack, tenant):
    """The queue's row leads nowhere: the others of its claim go on."""
    lost = waiting(stack, tenant, "lost@example.org")
    good = waiting(stack, tenant, "good@example.org")
    stack.rows("DELETE FROM delivery WHERE notification_id = %s", lost)
    stack.rows("UPDATE q_later SET due = due - interval '1 s' "
               "WHERE notification_id = %s", lost)
    release(stack, tenant)
    tenant.idle()
    assert "the delivery itself is gone" in told(tenant, lost)
    assert tenant.api.notification(lost)["state"] == "done"
    assert tenant.api.notification(good)["state"] == "done"


def test_recipients_of_whom_too_much_is_known(tenant):
    """All of it is written for each delivery: many notifications go one by one, and one
    that is too much alone ends, with its reason."""
    tenant.add_provider("bell", "inapp")
    tenant.add_provider("texts", "simulator-sms")
    tenant.add_provider("chats", "simulator-whatsapp")
    users = [f"large{i}" for i in range(40)]
    for user in users:
        answer = tenant.admin.request(
            "PUT", f"/api/v1/services/recipients/{user}", json={
                "email": f"{user}@example.org", "phone": "+43660123456",
                "data": {"quotes": '"' * 120000}})
        assert answer.status_code == 201, answer.text
    texts = {"email": {"subject": "x", "text": "y"},
             "inapp": {"title": "x", "body": "y"}, "sms": {"text": "x"},
             "whatsapp": {"text": "x"}}
    several = [tenant.api.accepted({
        "to": [{"user_id": user} for user in users], "send_at": after(2),
        "content": {"email": texts["email"]}}) for _ in range(3)]
    for identity in several:
        wait_until(lambda: tenant.api.notification(identity)["state"] == "done", 60,
                   "those of a claim that was too much")
        assert {d["state"] for d in tenant.api.notification(identity)["deliveries"]} \
            == {"sent"}
    alone = tenant.api.accepted({
        "to": [{"user_id": user} for user in users], "send_at": after(2),
        "content": texts, "channels": list(texts)})
    wait_until(lambda: tenant.api.notification(alone)["state"] == "done", 60,
               "the one that is too much")
    dead, = tenant.api.notification(alone)["deliveries"]
    assert dead["state"] == "dead" and "more than 30 MB" in dead["reason"]


@contextlib.contextmanager
def refusing(stack, tenant, what, condition):
    """PostgreSQL refuses rows of the tenant."""
    with stack.db() as connection:
        cursor = connection.cursor()
        cursor.execute(
            "CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END $$;"
            f"CREATE TRIGGER refuse_it BEFORE {what} FOR EACH ROW WHEN "
            f"(NEW.tenant_id = {tenant.id} AND {condition}) EXECUTE FUNCTION refuse_it()")
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION refuse_it() CASCADE")


LESS = "the database refused what the provider said"
LEAST = "the database refused what came of it"


@pytest.mark.D10
@pytest.mark.expect_log("result cannot be written")
@pytest.mark.parametrize("answer, what, condition, state, text", [
    (400, "UPDATE ON attempt", f"NEW.text <> '{LESS}'", "failed", LESS),
    (503, "INSERT ON q_later", "true", "dead", LEAST),
    (200, "UPDATE ON delivery", "NEW.told <> 0", "sent", LEAST),
    (200, "INSERT ON webhook_message", "NEW.type = 'delivery.sent'", "sent", LEAST),
], ids=["words", "later", "told", "webhooks"])
def test_a_result_that_the_database_refuses(stack, tenant, answer, what, condition,
                                            state, text):
    """What was sent is not sent again, for all that cannot be written of it."""
    with FakeProvider(Fault(answer=answer)) as provider, Endpoint() as endpoint, \
            refusing(stack, tenant, what, condition):
        provider.add_to(tenant, "webhook")
        endpoint.subscribe(tenant)
        one, other = [tenant.api.accepted({
            "to": {"email": f"{name}@example.org"}, "channels": ["webhook"],
            "content": {"webhook": {"n": "1"}}}) for name in ("one", "other")]
        for identity in (one, other):
            events = tenant.api.ended(identity)
            assert text in " ".join(e["text"] or "" for e in events)
            delivery, = tenant.api.notification(identity)["deliveries"]
            assert delivery["state"] == state
            assert tenant.api.notification(identity)["state"] == "done"
        tenant.idle()
        assert provider.count() == 2
