# test_webhooks.py - endpoints of tenants are told what happens
#
# SPDX-License-Identifier: BSD-2-Clause
import re
from datetime import datetime, timedelta, timezone

import jsonschema
import pytest

from harness.api import ADMIN, mail, problem
from harness.endpoint import WEBHOOKS, Endpoint, verifies
from harness.tenant import Tenant
from harness.wait import wait_until

WAY = ["notification.accepted", "notification.routed", "delivery.started",
       "delivery.sent", "notification.done"]


@pytest.fixture
def endpoint():
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def other():
    with Endpoint() as endpoint:
        yield endpoint


def soon():
    """In an hour."""
    return (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()


def test_the_way_of_a_notification(tenant, endpoint):
    made = endpoint.subscribe(tenant)
    identity = tenant.api.accepted(mail(metadata={"order": "42"}))
    got = endpoint.wait_for(identity, *WAY)
    assert sorted(m["type"] for m in got) == sorted(WAY)
    by_type = {m["type"]: m["data"] for m in got}
    for data in by_type.values():
        assert data["metadata"] == {"order": "42"}
    sent = by_type["delivery.sent"]
    assert sent["channel"] == "email" and sent["provider"] == "box"
    assert sent["class"] == "accepted" and sent["attempt"] == 1
    assert [by_type[t]["sequence"] for t in WAY] == [1, 2, 1, 2, 3]
    for headers, body in zip(endpoint.headers, endpoint.bodies):
        assert verifies(made["secret"], headers, body)
        assert headers["content-type"] == "application/json"
        assert re.fullmatch("msg_[0-9a-f-]{36}", headers["webhook-id"])
    assert len({h["webhook-id"] for h in endpoint.headers}) == len(got)


def test_what_is_told_is_what_stands_on_the_timeline(tenant, endpoint):
    """Also through the queue (two recipients of 20), a fault and a cancellation."""
    endpoint.subscribe(tenant)
    many = tenant.api.accepted(mail(to=[
        {"email": f"u{n}@example.org"} for n in range(20)]))
    later = tenant.api.accepted(mail(send_at=soon()))
    assert tenant.api.post(
        f"/api/v1/services/notifications/{later}/cancel").status_code == 200

    def all_is_told(identity):
        told = sorted(e["type"] for e in tenant.api.timeline(identity))
        return {"notification.done", "notification.cancelled"} & set(told) \
            and sorted(endpoint.types(identity)) == told

    for identity in (many, later):
        wait_until(lambda: all_is_told(identity), what="all of it")


def test_only_what_was_asked_for(tenant, endpoint, other):
    endpoint.subscribe(tenant, events=["delivery.sent"])
    other.subscribe(tenant, events=["notification.done"])
    identity = tenant.api.accepted(mail())
    other.wait_for(identity, "notification.done")
    endpoint.wait_for(identity, "delivery.sent")
    tenant.api.ended(identity)
    assert endpoint.types(identity) == ["delivery.sent"]
    assert other.types(identity) == ["notification.done"]
    assert tenant.count("webhook_message") == 2, "nothing else is kept"


def test_what_people_report_is_in_the_catalogue(tenant, endpoint, other):
    """By its name, and as its schema says."""
    schemas = {e["type"]: e["schema"] for e in
               tenant.admin.get(f"{ADMIN}/event-types").json()["data"]}
    tenant.add_provider("sim", "simulator-sms")
    endpoint.subscribe(tenant, events=["delivery.unsubscribed"])
    other.subscribe(tenant)
    identity = tenant.api.accepted({"to": {"phone": "+436601234521"},
                                    "content": {"sms": {"text": "hi"}}})
    told, = endpoint.wait_for(identity, "delivery.unsubscribed")
    jsonschema.validate(told, schemas[told["type"]])
    for one in other.wait_for(identity, "delivery.unsubscribed"):
        jsonschema.validate(one, schemas[one["type"]])


def test_nobody_else_is_told(stack, tenant, endpoint):
    stranger = Tenant(stack)
    endpoint.subscribe(stranger)
    tenant.api.ended(tenant.api.accepted(mail()))
    mine = stranger.api.accepted(mail())
    endpoint.wait_for(mine, "notification.done")
    assert {m["data"]["notification"] for _, m in endpoint.messages()} == {mine}


# ---- Endpoints ------------------------------------------------------------------

def test_the_life_of_an_endpoint(tenant, endpoint):
    made = endpoint.subscribe(tenant, description="shop",
                              events=["delivery.dead"], rate=5,
                              headers={"Authorization": "Bearer t0ken"})
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"])
    shown = tenant.admin.get(endpoint.path)
    body = shown.json()
    assert "secret" not in body and "headers" not in body
    assert body["events"] == ["delivery.dead"] and body["rate"] == 5
    assert body["state"] == "active"
    put = {"url": endpoint.url("/other"), "events": []}
    changed = tenant.admin.request("PUT", endpoint.path, json=put, headers={
        "If-Match": shown.headers["ETag"]})
    assert changed.status_code == 200, changed.text
    assert changed.json()["events"] == [] and changed.json()["rate"] is None
    problem(tenant.admin.request("PUT", endpoint.path, json=put, headers={
        "If-Match": shown.headers["ETag"]}), 412, "precondition_failed")
    endpoint.act("ping", 202)
    wait_until(lambda: endpoint.count() == 1, what="a ping")
    assert endpoint.headers[0]["authorization"] == "Bearer t0ken", "kept"
    listed = tenant.admin.get(WEBHOOKS).json()["data"]
    assert [e["id"] for e in listed] == [made["id"]]
    assert tenant.admin.request("DELETE", endpoint.path).status_code == 204
    problem(tenant.admin.get(endpoint.path), 404, "not_found")
    assert tenant.rows("SELECT webhooks FROM tenant_generation WHERE "
                       "tenant_id = %s")[0]["webhooks"] is False
    sealed = tenant.rows("SELECT count(*) AS n FROM audit WHERE tenant_id = %s "
                         "AND action LIKE 'webhook.%%'")
    assert sealed[0]["n"] == 4


@pytest.mark.parametrize("wrong, pointer", [
    ({"url": "ftp://example.org/"}, "/url"),
    ({"url": "https://ann:x@example.org/"}, "/url"),
    ({"url": "https://example.org/#top"}, "/url"),
    ({"url": "https://10.0.0.1/"}, "/url"),
    ({"url": "https://169.254.169.254/latest"}, "/url"),
    ({"url": "https://167772161/"}, "/url"),
    ({"events": ["delivery.invented"]}, "/events/0"),
    ({"events": ["delivery.dead", "delivery.dead"]}, "/events/1"),
    ({"signature": "v2"}, "/signature"),
    ({"rate": 0}, "/rate"),
    ({"headers": {"webhook-id": "x"}}, "/headers"),
    ({"headers": {"X": "a\nb"}}, "/headers"),
    ({"secret2": "x"}, "/secret2"),
])
def test_faults_of_bodies(tenant, wrong, pointer):
    body = {"url": "https://example.org/", **wrong}
    answer = tenant.admin.post(WEBHOOKS, json=body)
    problem(answer, 422, "validation_failed")
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


def test_event_types_are_published(tenant):
    listed = tenant.admin.get(f"{ADMIN}/event-types").json()["data"]
    document = tenant.admin.get("/api/openapi.json").json()
    assert [e["type"] for e in listed] == list(document["webhooks"])
    for event in listed:
        schema = document["webhooks"][event["type"]]["post"]["requestBody"][
            "content"]["application/json"]["schema"]
        assert schema == event["schema"]
        assert schema["properties"]["type"]["const"] == event["type"]


def test_no_endpoint_waits_for_the_claims_of_another(stack, tenant, endpoint, other):
    slow = endpoint.subscribe(tenant)["id"]  # the first whose turn it is
    other.subscribe(tenant)
    with stack.db() as connection:
        cursor = connection.cursor()
        cursor.execute(
            "CREATE FUNCTION wait_for_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$; "
            "CREATE TRIGGER wait_for_it BEFORE INSERT ON webhook_attempt FOR EACH ROW "
            f"WHEN (NEW.endpoint_id = '{slow}') EXECUTE FUNCTION wait_for_it(); "
            "SELECT pg_advisory_lock(4711)")
        try:
            identity = tenant.api.accepted(mail())
            other.wait_for(identity, *WAY)
            assert endpoint.count() == 0
        finally:
            cursor.execute("SELECT pg_advisory_unlock(4711)")
            cursor.execute("DROP FUNCTION wait_for_it() CASCADE")
    endpoint.wait_for(identity, *WAY)


def test_commands(tenant, endpoint):
    made = tenant.ctl("webhook", "add", endpoint.url("/x"), "--event",
                      "notification.accepted", "--description", "by hand")
    assert made["secret"].startswith("whsec_")
    assert [e["id"] for e in tenant.ctl("webhook", "list")] == [made["id"]]
    tenant.ctl("webhook", "ping", made["id"])
    wait_until(lambda: endpoint.count() == 1, what="a ping")
    tenant.api.accepted(mail())
    wait_until(lambda: [a["result"] for a in tenant.ctl(
        "webhook", "attempts", made["id"])] == ["succeeded"] * 2,
        what="written")
    assert tenant.ctl("webhook", "rotate", made["id"])["secret"] \
        != made["secret"]
    assert tenant.ctl("webhook", "redeliver", made["id"], "1h",
                      "--all")["count"] == 1
    wait_until(lambda: endpoint.count() == 3, what="a third one")
    assert endpoint.headers[1]["webhook-id"] == endpoint.headers[2]["webhook-id"]
    tenant.ctl("webhook", "disable", made["id"])
    tenant.ctl("webhook", "enable", made["id"])
    tenant.ctl("webhook", "remove", made["id"])
    assert tenant.ctl("webhook", "list") == []
