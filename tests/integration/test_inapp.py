# test_inapp.py - entries of the in-app inbox, and devices
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.tenant import SERVICE, Tenant
from harness.wait import wait_until

USER = "/api/v1/services/recipients/u1"
SUBSCRIPTION = {"endpoint": "https://push.example/1", "expirationTime": None,
                "keys": {"p256dh": "BN", "auth": "Ab"}}


def note(**more):
    return {"to": {"user_id": "u1"}, "data": {"order": "42"},
            "content": {"inapp": {"title": "Order {{order}}", "body": "shipped",
                                  "url": "https://shop.example/42", **more}}}


@pytest.fixture
def tenant(stack):
    tenant = Tenant(stack, maildir=False)
    tenant.add_provider("inbox", "inapp")
    return tenant


def entries(tenant):
    return tenant.rows("SELECT * FROM inbox WHERE tenant_id = %s ORDER BY id")


def test_an_entry_is_written_with_its_outcome(tenant):
    sent = tenant.api.accepted(note(data={"order": 42}))
    tenant.idle()
    events = tenant.api.timeline(sent)
    assert [e["type"] for e in events if "deliver" in e["type"]] == \
        ["delivery.started", "delivery.delivered"]
    entry, = entries(tenant)
    delivery, = tenant.rows("SELECT * FROM delivery WHERE tenant_id = %s")
    assert delivery["state"] == 5
    assert (entry["id"], entry["user_id"]) == (delivery["id"], "u1")
    assert (entry["title"], entry["body"], entry["url"], entry["data"]) == (
        "Order 42", "shipped", "https://shop.example/42", {"order": 42})
    assert entry["read_at"] is None and entry["archived_at"] is None


def test_a_template_names_itself(tenant, tmp_path):
    directory = tmp_path / "hint"
    directory.mkdir()
    (directory / "template.json").write_text(
        '{"name": "Hint", "category": "news"}')
    (directory / "inapp.json.hbs").write_text('{"title": "{{what}}"}')
    tenant.push_template(directory)
    tenant.api.accepted({"template": "hint", "to": {"user_id": "u2"},
                         "data": {"what": "<b>\"quoted\"</b>\\"}})
    tenant.idle()
    entry, = entries(tenant)
    assert (entry["template"], entry["category"]) == ("hint", "news")
    assert (entry["title"], entry["body"]) == ("<b>\"quoted\"</b>\\", "")
    assert entry["url"] is None and entry["data"] is None


@pytest.mark.parametrize("part, why", [
    ({"title": "{{none}}"}, "no title"),
    ({"body": "{{repeat}}"}, '"body" has'),
])
def test_what_is_no_entry_fails(tenant, part, why):
    body = note(**part)
    body["data"]["repeat"] = "ab" * 3000
    events = tenant.api.ended(tenant.api.accepted(body))
    failed = next(e for e in events if e["type"] == "delivery.failed")
    assert failed["class"] == "bad_message" and why in failed["text"]
    assert entries(tenant) == []


@pytest.mark.expect_log("results came too late")
def test_an_entry_of_a_lost_lease_is_not_written(stack, tenant):
    """The lease goes while the result waits to be written: whoever has it next
    writes the entry."""
    with stack.db() as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN; LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        tenant.api.accepted(note())
        wait_until(lambda: tenant.count("q_leased") == 1, 20, "a lease")
        cursor.execute("DELETE FROM q_leased WHERE tenant_id = %s; COMMIT",
                       (tenant.id,))
    wait_until(lambda: tenant.rows(
        "SELECT 1 FROM event WHERE tenant_id = %s "
        "AND type = 'delivery.late_result'"), 20, "the late result")
    assert entries(tenant) == []


@pytest.fixture
def client(tenant):
    return tenant.client(tenant.make_key("people", scopes=(
        *SERVICE, "recipients:read", "recipients:write")))


def devices(client, user=USER):
    return client.get(user + "/devices").json()["data"]


def put(client, user=USER, **body):
    return client.request("PUT", user + "/devices",
                          json={"platform": "android", **body})


def test_devices_are_registered_listed_and_forgotten(client):
    first = put(client, token="t1", app="shop").json()
    assert (first["token"], first["platform"], first["app"]) == \
        ("t1", "android", "shop")
    put(client, token="t2", platform="ios")
    again = put(client, token="t1").json()
    assert again["id"] == first["id"]
    assert again["updated_at"] > first["updated_at"]
    assert [d["token"] for d in devices(client)] == ["t1", "t2"]
    path = f"{USER}/devices/{first['id']}"
    assert client.request("DELETE", path).status_code == 204
    assert client.request("DELETE", path).status_code == 404
    assert [d["token"] for d in devices(client)] == ["t2"]
    assert client.request("DELETE", USER + "/devices").status_code == 204
    assert devices(client) == []


def test_a_token_belongs_to_who_registered_it_last(client):
    other = USER.replace("u1", "u2")
    put(client, token="t1")
    put(client, other, token="t1")
    assert devices(client) == []
    assert [d["token"] for d in devices(client, other)] == ["t1"]


def test_a_subscription_is_always_the_same_token(client):
    first = put(client, subscription=SUBSCRIPTION, platform="web").json()
    again = put(client, subscription=dict(reversed(SUBSCRIPTION.items())),
                platform="web").json()
    assert first["id"] == again["id"]
    assert first["token"] == ('{"endpoint":"https://push.example/1",'
                              '"keys":{"p256dh":"BN","auth":"Ab"}}')


@pytest.mark.parametrize("body", [
    {}, {"token": "a", "subscription": SUBSCRIPTION}, {"token": ""},
    {"token": "a" * 2049}, {"token": "a", "platform": "toaster"},
    {"subscription": {"endpoint": "x"}},
    {"subscription": {**SUBSCRIPTION, "endpoint": "x" * 2048}}])
def test_what_is_no_device_is_refused(client, body):
    assert put(client, **body).status_code == 422
    assert devices(client) == []


def test_devices_go_with_their_recipient(client):
    client.request("PUT", USER, json={"name": "Ann"})
    put(client, token="t1")
    assert client.request("DELETE", USER).status_code == 204
    assert devices(client) == []
