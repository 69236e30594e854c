# test_webhook_order.py - endpoints that are told one thing after the other
#
# SPDX-License-Identifier: BSD-2-Clause
import psycopg2
import pytest

from harness.api import mail, problem
from harness.endpoint import WEBHOOKS, Endpoint
from harness.fake_provider import Fault
from harness.wait import wait_until

WAY = ["notification.accepted", "notification.routed", "delivery.started",
       "delivery.sent", "notification.done"]
ONE = {"events": ["notification.accepted"]}


@pytest.fixture
def endpoint():
    with Endpoint() as endpoint:
        yield endpoint


def queue_is_empty(tenant):
    return tenant.count("webhook_queue") == 0


def in_turn(endpoint, notification):
    """The messages about it as they came, each once; none comes after a later one."""
    ids = [h["webhook-id"] for h, m in endpoint.messages()
           if m["data"].get("notification") == notification]
    once = list(dict.fromkeys(ids))
    assert [i for n, i in enumerate(ids) if n == 0 or ids[n - 1] != i] == once, \
        "one after the other, with all its attempts"
    assert once == sorted(once)
    types = {h["webhook-id"]: m["type"] for h, m in endpoint.messages()}
    return [types[i] for i in once]


def test_what_is_about_a_notification_comes_in_its_order(tenant, endpoint):
    endpoint.faults = [Fault(answer=503, share=0.3),
                       Fault(delay_s=0.02, share=0.5)]
    endpoint.subscribe(tenant, ordered="notification")
    assert endpoint.shown()["ordered"] == "notification"
    sent = [tenant.api.accepted(mail()) for _ in range(12)]
    for identity in sent:
        tenant.api.ended(identity)
    wait_until(lambda: queue_is_empty(tenant), 60, "an end")
    for identity in sent:
        got = in_turn(endpoint, identity)
        # What one transaction writes of several things is of one moment.
        assert sorted(got) == sorted(WAY) and got[0] == WAY[0]
        assert [t for t in got if t.startswith("n")] == \
            [t for t in WAY if t.startswith("n")]
        assert got.index("delivery.started") < got.index("delivery.sent")


def test_others_do_not_wait_for_one_that_is_stuck(tenant, endpoint):
    """Ann's second message waits until her first is given up; Bob's do not."""
    endpoint.subscribe(tenant, ordered="metadata.person", **ONE)
    anns = [tenant.api.accepted(mail(metadata={"person": "ann"}))]
    wait_until(lambda: endpoint.count() == 1, what="a first one")
    endpoint.faults = [Fault(answer=500, times=5)]
    anns += [tenant.api.accepted(mail(metadata={"person": "ann"}))
             for _ in range(3)]
    wait_until(lambda: endpoint.of(anns[1]), what="the one that fails")
    bobs = [tenant.api.accepted(mail(metadata={"person": p}))
            for p in ("bob", "cid", "dan")]
    for identity in bobs + anns:
        endpoint.wait_for(identity, "notification.accepted")
    wait_until(lambda: queue_is_empty(tenant), what="an end")
    order = list(dict.fromkeys(
        m["data"]["notification"] for _, m in endpoint.messages()
        if m["data"]["metadata"]["person"] == "ann"))
    assert order == anns


def parked(tenant):
    return tenant.rows(
        "SELECT message_id FROM webhook_queue WHERE tenant_id = %s AND "
        "due = 'infinity' AND spooler IS NULL ORDER BY message_id")


def test_what_waits_is_not_looked_at_again(tenant, endpoint):
    """A long chain behind a message that is on the wire is parked, and all of it
    goes in the end."""
    endpoint.faults = [Fault(delay_s=4, times=1)]
    endpoint.subscribe(tenant, ordered="metadata.shop", **ONE)
    sent = [tenant.api.accepted(mail(metadata={"shop": "1"}))
            for _ in range(40)]
    wait_until(lambda: len(parked(tenant)) == 39, what="all but the first")
    wait_until(lambda: endpoint.count() == 40, what="all of them")
    assert [m["data"]["notification"] for _, m in endpoint.messages()] == sent
    wait_until(lambda: queue_is_empty(tenant), what="an end")


def test_whoever_deletes_the_first_wakes_the_next(tenant, endpoint):
    """Also when a claim meets both while the deletion is not committed."""
    endpoint.faults = [Fault(answer=429, times=1, headers=("Retry-After: 4",))]
    endpoint.subscribe(tenant, ordered="metadata.shop", **ONE)
    first = tenant.api.accepted(mail(metadata={"shop": "1"}))
    wait_until(lambda: endpoint.shown().get("paused_until"), what="a pause")
    with tenant.stack.db("postgres", None) as connection:
        connection.autocommit = False
        cursor = connection.cursor()
        cursor.execute("DELETE FROM webhook_queue WHERE tenant_id = %s",
                       (tenant.id,))
        assert cursor.rowcount == 1
        second = tenant.api.accepted(mail(metadata={"shop": "1"}))
        other = tenant.api.accepted(mail(metadata={"shop": "2"}))
        endpoint.wait_for(other, "notification.accepted")
        assert not endpoint.of(second), "the first is still there for others"
        connection.commit()
    endpoint.wait_for(second, "notification.accepted")
    assert len(endpoint.of(first)) == 1


def test_one_of_a_chain_is_leased_at_most(tenant, endpoint):
    """Whatever a claim may think."""
    endpoint.faults = [Fault(hang=True)]
    endpoint.subscribe(tenant, ordered="metadata.shop", **ONE)
    for _ in range(2):
        tenant.api.accepted(mail(metadata={"shop": "1"}))
    wait_until(lambda: len(parked(tenant)) == 1, what="one that waits")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        tenant.rows("UPDATE webhook_queue SET spooler = (SELECT spooler FROM "
                    "webhook_queue WHERE spooler IS NOT NULL LIMIT 1) WHERE "
                    "tenant_id = %s AND spooler IS NULL RETURNING 1")
    assert tenant.admin.request("DELETE", endpoint.path).status_code == 204


# ---- PATCH, belfryctl ---------------------------------------------------------------

def patch(tenant, endpoint, change, etag=None):
    headers = {"Content-Type": "application/merge-patch+json"}
    if etag is not None:
        headers["If-Match"] = etag
    return tenant.admin.request("PATCH", endpoint.path, json=change,
                                headers=headers)


def test_a_patch_changes_what_it_names(tenant, endpoint):
    made = endpoint.subscribe(
        tenant, description="shop", events=["delivery.dead"], rate=5,
        headers={"Authorization": "Bearer t0ken", "X-Other": "1"})
    etag = tenant.admin.get(endpoint.path).headers["ETag"]
    answer = patch(tenant, endpoint, {
        "rate": None, "ordered": "metadata.order",
        "headers": {"X-Other": None, "X-More": "2"}}, etag)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert answer.headers["ETag"] != etag
    assert body["rate"] is None and body["ordered"] == "metadata.order"
    assert body["description"] == "shop" and body["events"] == ["delivery.dead"]
    assert body["url"] == made["url"] and "headers" not in body
    problem(patch(tenant, endpoint, {"rate": 1}, etag), 412,
            "precondition_failed")
    endpoint.act("ping", 202)
    wait_until(lambda: endpoint.count() == 1, what="a ping")
    got = endpoint.headers[0]
    assert got["authorization"] == "Bearer t0ken" and got["x-more"] == "2"
    assert "x-other" not in got
    assert patch(tenant, endpoint, {"headers": None, "ordered": None,
                                    "description": None}).status_code == 200
    shown = endpoint.shown()
    assert shown["ordered"] is None and not shown.get("description")
    endpoint.act("ping", 202)
    wait_until(lambda: endpoint.count() == 2, what="another one")
    assert "authorization" not in endpoint.headers[1]


@pytest.mark.parametrize("change, pointer", [
    ({"url": None}, "/url"),
    ({"url": "https://10.0.0.1/"}, "/url"),
    ({"events": ["delivery.invented"]}, "/events/0"),
    ({"signature": "v1a"}, "/signature"),
    ({"ordered": "delivery"}, "/ordered"),
    ({"ordered": "metadata."}, "/ordered"),
    ({"headers": {"webhook-id": "x"}}, "/headers"),
    ({"invented": 1}, "/invented"),
])
def test_faults_of_patches(tenant, endpoint, change, pointer):
    endpoint.subscribe(tenant, **ONE)
    answer = patch(tenant, endpoint, change)
    problem(answer, 422, "validation_failed")
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


def test_a_patch_of_a_stranger(tenant, endpoint):
    endpoint.subscribe(tenant)
    endpoint.path = f"{WEBHOOKS}/01900000-0000-7000-8000-000000000000"
    problem(patch(tenant, endpoint, {"rate": 1}), 404, "not_found")


def test_the_command(tenant, endpoint):
    made = tenant.ctl("webhook", "add", endpoint.url("/x"), "--ordered",
                      "notification", "--rate", "9")
    changed = tenant.ctl("webhook", "set", made["id"], "--event",
                         "delivery.dead", "--ordered", "metadata.order",
                         "--header", "X-Key=a=b", "--header", "X-Gone=")
    assert changed["ordered"] == "metadata.order"
    shown = tenant.admin.get(f"{WEBHOOKS}/{made['id']}").json()
    assert shown["events"] == ["delivery.dead"] and shown["rate"] == 9
    tenant.ctl("webhook", "ping", made["id"])
    wait_until(lambda: endpoint.count() == 1, what="a ping")
    assert endpoint.headers[0]["x-key"] == "a=b"
    changed = tenant.ctl("webhook", "set", made["id"], "--event", "all",
                         "--ordered", "none", "--rate", "none")
    assert changed["ordered"] is None and changed["events"] == "all"
    failed = tenant.stack.run_ctl("webhook", "set", made["id"], "--ordered", "x",
                                  tenant=tenant.slug)
    assert failed.returncode != 0 and "is no order" in failed.stderr
