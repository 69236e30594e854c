# test_idempotency.py - the same key and body are one notification
#
# SPDX-License-Identifier: BSD-2-Clause
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import ADMIN, Client, mail, problem
from harness.wait import wait_until


def test_same_key_same_body(tenant):
    first = tenant.api.send(mail(), idempotency_key="k1")
    second = tenant.api.send(mail(), idempotency_key="k1")
    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert tenant.count("notification") == 1
    tenant.idle()
    assert len(tenant.mails()) == 1


def test_same_key_other_body(tenant):
    tenant.api.accepted(mail(), idempotency_key="k1")
    answer = tenant.api.send(mail("bob@example.org"), idempotency_key="k1")
    problem(answer, 422, "idempotency_key_reused")
    assert tenant.count("notification") == 1


def test_other_key(tenant):
    one = tenant.api.accepted(mail(), idempotency_key="k1")
    two = tenant.api.accepted(mail(), idempotency_key="k2")
    assert one != two


def test_without_a_key_each_is_its_own(tenant):
    assert tenant.api.accepted(mail()) != tenant.api.accepted(mail())


def test_keys_belong_to_their_account(tenant, other_tenant):
    sister = tenant.client(tenant.make_key("sister"))
    ids = {client.accepted(mail(), idempotency_key="k1")
           for client in (tenant.api, sister, other_tenant.api)}
    assert len(ids) == 3


def test_a_refused_request_leaves_no_key(tenant):
    problem(tenant.api.send({"to": []}, idempotency_key="k1"),
            422, "validation_failed")
    assert tenant.count("idempotency") == 0
    tenant.api.accepted(mail(), idempotency_key="k1")


def test_race(tenant):
    """Many at once with one key: one notification, one answer."""
    def post(_):
        return Client(tenant.stack.url, tenant.key).send(
            mail(), idempotency_key="race")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(24)))
    assert {a.status_code for a in answers} == {202}
    assert len({a.content for a in answers}) == 1
    assert sum("Idempotent-Replayed" not in a.headers for a in answers) == 1
    assert tenant.count("notification") == 1


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "caf\u00e9"])
def test_a_key_that_cannot_be_one(tenant, key):
    answer = tenant.api.send(mail(), **{
        "Idempotency-Key": key.encode("utf-8")})
    assert answer.status_code == 400
    problem(answer, 400, "invalid_request")
    assert tenant.count("notification") == 0


# ---- Old ones ---------------------------------------------------------------------------

def age(tenant, text="2 days"):
    tenant.stack.rows("UPDATE idempotency SET created_at = now() - %s::interval "
                      "WHERE tenant_id = %s", text, tenant.id)


def test_a_key_that_is_too_old_is_not_there(tenant):
    """Whether or not anybody has removed it yet."""
    tenant.api.accepted(mail(), idempotency_key="k1")
    age(tenant, "23 hours")
    assert "Idempotent-Replayed" in tenant.api.send(
        mail(), idempotency_key="k1").headers
    age(tenant)
    again = tenant.api.send(mail("bob@example.org"), idempotency_key="k1")
    assert again.status_code == 202
    assert "Idempotent-Replayed" not in again.headers
    assert tenant.count("notification") == 2
    third = tenant.api.send(mail("bob@example.org"), idempotency_key="k1")
    assert third.content == again.content
    assert tenant.count("idempotency") == 1


def test_race_for_a_key_that_is_too_old(tenant):
    tenant.api.accepted(mail(), idempotency_key="race")
    age(tenant)

    def post(_):
        return Client(tenant.stack.url, tenant.key).send(
            mail(), idempotency_key="race")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(24)))
    assert {a.status_code for a in answers} == {202}
    assert len({a.content for a in answers}) == 1
    assert tenant.count("notification") == 2


def test_old_keys_go_however_many_they_are(own_stack, own_tenant):
    """More than one slice of them, among others that stay."""
    own_stack.rows(
        "INSERT INTO idempotency (tenant_id, key, request_hash, status, body, "
        "created_at) SELECT %s, int4send(n), 'x', 202, repeat('x', 300), "
        "now() - CASE n %% 10 WHEN 0 THEN interval '1 hour' ELSE '2 days' END "
        "FROM generate_series(1, 20000) n", own_tenant.id)
    assert own_stack.value("SELECT pg_relation_size('idempotency') / 8192") > 512
    own_stack.reload()
    wait_until(lambda: not own_stack.value(
        "SELECT count(*) FROM idempotency WHERE created_at < now() - "
        "interval '1 day'"), 30, "the end of the old keys")
    assert own_tenant.count("idempotency") == 2000


# ---- All that POST makes --------------------------------------------------------------

TEMPLATE = {"key": "hello", "name": "Hello",
            "parts": {"en": {"sms": "Hello"}}}
MAKING = {
    "templates": (TEMPLATE, {**TEMPLATE, "key": "other"}, "template", None),
    "legal-holds": ({"person": "u1", "reason": "a suit"},
                    {"person": "u2", "reason": "a suit"}, "legal_hold", None),
    "suppressions": (
        {"channel": "email", "address": "a@example.org", "reason": "manual"},
        {"channel": "email", "address": "b@example.org", "reason": "manual"},
        "suppression", None),
    "webhooks": ({"url": "https://example.org/x"},
                 {"url": "https://example.org/y"}, "webhook_endpoint",
                 "secret"),
    "service-accounts": ({"name": "shop", "scopes": ["notifications:send"]},
                         {"name": "till", "scopes": ["notifications:send"]},
                         "service_account", "key"),
    "providers": (
        {"name": "sim", "kind": "simulator-sms", "channel": "sms",
         "settings": {}},
        {"name": "sim2", "kind": "simulator-sms", "channel": "sms",
         "settings": {}}, "provider", None),
    "issuers": ({"name": "sso", "issuer": "https://sso.example.org",
                 "audience": ["belfry"]},
                {"name": "ssp", "issuer": "https://ssp.example.org",
                 "audience": ["belfry"]},
                "issuer", None),
}


def make(tenant, what, body, key):
    return tenant.admin.post(f"{ADMIN}/{what}", json=body,
                             headers={"Idempotency-Key": key})


def bare(answer, secret):
    return {k: v for k, v in answer.json().items() if k != secret}


@pytest.mark.parametrize("what", MAKING)
def test_what_is_made_is_made_once(tenant, what):
    body, other, table, secret = MAKING[what]
    before = tenant.count(table)
    first = make(tenant, what, body, "k1")
    assert first.status_code == 201, first.text
    again = make(tenant, what, body, "k1")
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    for header in ("Location", "ETag", "Content-Type"):
        assert first.headers.get(header) == again.headers.get(header)
    assert bare(first, secret) == bare(again, None)
    if secret is None:
        assert first.content == again.content
    else:
        assert first.json()[secret] and secret not in again.json()
        assert first.json()[secret] not in str(tenant.rows(
            "SELECT * FROM idempotency WHERE tenant_id = %s"))
    problem(make(tenant, what, other, "k1"), 422, "idempotency_key_reused")
    assert tenant.count(table) == before + 1
    assert tenant.rows(
        "SELECT i.xmin::text = (SELECT max(xmin::text::bigint)::text FROM "
        f"{table} WHERE tenant_id = i.tenant_id) AS same "
        "FROM idempotency i WHERE tenant_id = %s")[0]["same"], \
        "one transaction"
    assert make(tenant, what, other, "k2").status_code == 201


def test_a_key_is_of_one_path(tenant):
    for what in ("webhooks", "suppressions"):
        answer = make(tenant, what, MAKING[what][0], "k1")
        assert answer.status_code == 201, answer.text
    made = make(tenant, "webhooks", MAKING["webhooks"][0], "k2").json()["id"]
    path = f"webhooks/{made}/rotate-secret"
    first = make(tenant, path, {"overlap": "1h"}, "k1")
    again = make(tenant, path, {"overlap": "1h"}, "k1")
    assert first.json()["secret"] and "secret" not in again.json()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_fails_leaves_neither(tenant):
    body = MAKING["providers"][0]
    assert make(tenant, "providers", body, "k1").status_code == 201
    problem(make(tenant, "providers", body, "k2"), 409, "conflict")
    problem(make(tenant, "webhooks", {"url": "https://10.0.0.1/"}, "k3"), 422,
            "validation_failed")
    problem(make(tenant, "webhooks", MAKING["webhooks"][0], "a b"), 400,
            "invalid_request")
    assert tenant.count("idempotency") == 1
    assert tenant.count("webhook_endpoint") == 0
    assert make(tenant, "webhooks", MAKING["webhooks"][0],
                "k3").status_code == 201


def test_race_of_makers(tenant):
    def post(_):
        return Client(tenant.stack.url, tenant.admin_key).post(
            f"{ADMIN}/webhooks", json=MAKING["webhooks"][0],
            headers={"Idempotency-Key": "race"})
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(post, range(6)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    assert sum("secret" in a.json() for a in answers) == 1
    assert tenant.count("webhook_endpoint") == 1


def test_each_that_makes_takes_part(tenant):
    """The document names the header wherever something is made, but for tenants: there
    the slug is the key."""
    paths = tenant.admin.get("/api/openapi.json").json()["paths"]
    for path, methods in paths.items():
        if "201" not in methods.get("post", {}).get("responses", {}):
            continue
        names = [p["name"] for p in methods["post"].get("parameters", [])]
        assert ("Idempotency-Key" in names) == \
            (path != "/api/v1/admin/tenants"), path
