# test_resources.py - templates, providers and recipients over REST
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import re

import pytest

from harness.api import ADMIN, problem

TEMPLATES = f"{ADMIN}/templates"
PROVIDERS = f"{ADMIN}/providers"
RECIPIENTS = "/api/v1/services/recipients"
PATCH = {"Content-Type": "application/merge-patch+json"}

TEMPLATE = {
    "key": "hello", "name": "Hello", "category": "greetings",
    "variables": {"name": {"required": True}},
    "sample": {"en": {"name": "Ann"}},
    "parts": {"en": {"email.subject": "Hello {{name}}",
                     "email.text": "Good morning, {{name}}."}},
}
RELAY = {"name": "relay", "kind": "smtp",
         "settings": {"host": "mail.example.org", "from": "a@example.org",
                      "username": "u", "password": "geheim-4711"}}


def put(client, path, body, **headers):
    return client.request("PUT", path, json=body, headers=headers)


def patch(client, path, body, **headers):
    return client.request("PATCH", path, data=json.dumps(body),
                          headers={**PATCH, **headers})


def delete(client, path, **headers):
    return client.request("DELETE", path, headers=headers)


def pages(client, path, limit):
    """All entries of a list, page by page."""
    found, target = [], f"{path}?limit={limit}"
    while target:
        answer = client.get(target)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert len(body["data"]) <= limit
        found += body["data"]
        link = answer.headers.get("Link")
        assert (link is None) == (body["next_cursor"] is None)
        target = link and re.fullmatch(r'<([^>]+)>; rel="next"',
                                       link).group(1)
    return found


# Templates


def test_template_is_made_shown_and_deleted(tenant):
    made = tenant.admin.post(TEMPLATES, json=TEMPLATE)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == f"{TEMPLATES}/hello"
    shown = tenant.admin.get(made.headers["Location"])
    assert shown.json() == made.json()
    assert shown.headers["ETag"] == made.headers["ETag"]
    assert shown.json()["parts"] == TEMPLATE["parts"]
    assert shown.json()["published_version"] == 1
    assert delete(tenant.admin, f"{TEMPLATES}/hello").status_code == 204
    problem(tenant.admin.get(f"{TEMPLATES}/hello"), 404, "not_found")
    problem(delete(tenant.admin, f"{TEMPLATES}/hello"), 404, "not_found")


def test_template_can_be_sent_back_as_it_came(tenant):
    made = tenant.admin.post(TEMPLATES, json=TEMPLATE)
    again = put(tenant.admin, f"{TEMPLATES}/hello", made.json())
    assert again.status_code == 200, again.text
    assert again.json()["latest_version"] == 1


def test_template_versions(tenant):
    tenant.admin.post(TEMPLATES, json=TEMPLATE)
    for text in ("b", "c"):
        answer = patch(tenant.admin, f"{TEMPLATES}/hello", {
            "parts": {"en": {"email.text": text}}, "publish": False})
        assert answer.status_code == 200, answer.text
    assert answer.json()["latest_version"] == 3
    assert answer.json()["published_version"] == 1
    assert answer.json()["parts"]["en"]["email.subject"] == "Hello {{name}}"
    listed = pages(tenant.admin, f"{TEMPLATES}/hello/versions", 2)
    assert [v["version"] for v in listed] == [3, 2, 1]
    second = tenant.admin.get(f"{TEMPLATES}/hello/versions/2").json()
    assert second["parts"]["en"]["email.text"] == "b"
    for version in ("0", "4", "x", "-1", "99999999999"):
        problem(tenant.admin.get(f"{TEMPLATES}/hello/versions/{version}"),
                404, "not_found")
    publish = f"{TEMPLATES}/hello/publish"
    assert tenant.admin.post(publish).json()["published_version"] == 3
    back = tenant.admin.post(publish, json={"version": 2})
    assert back.json()["published_version"] == 2
    problem(tenant.admin.post(publish, json={"version": 4}), 404, "not_found")


def test_template_faults_name_their_place(tenant):
    told = problem(tenant.admin.post(TEMPLATES, json={
        **TEMPLATE, "parts": {"en": {"email.subject": "{{#if x}}",
                                     "no.such": "x"}}}),
        422, "validation_failed")
    pointers = {e["pointer"]: e for e in told["errors"]}
    assert "/parts/en/email.subject" in pointers
    assert "line 1" in pointers["/parts/en/email.subject"]["detail"]
    assert len(told["errors"]) == 2
    assert tenant.count("template") == 0


@pytest.mark.parametrize("change, pointer, code", [
    ({"key": "Not A Key"}, "/key", "malformed"),
    ({"name": ""}, "/name", "too_short"),
    ({"name": "x" * 201}, "/name", "too_long"),
    ({"parts": []}, "/parts", "wrong_type"),
    ({"default_locale": "german"}, None, None),
    ({"default_locale": "de_AT"}, "/default_locale", "malformed"),
    ({"nmae": "x"}, "/nmae", "unknown_field"),
])
def test_template_body_is_checked(tenant, change, pointer, code):
    answer = tenant.admin.post(TEMPLATES, json={**TEMPLATE, **change})
    if pointer is None:
        assert answer.status_code in (201, 422)
        return
    told = problem(answer, 422, "validation_failed")
    assert (pointer, code) in [(e["pointer"], e["code"])
                               for e in told["errors"]]


def test_template_key_stays(tenant):
    tenant.admin.post(TEMPLATES, json=TEMPLATE)
    for answer in (put(tenant.admin, f"{TEMPLATES}/hello",
                       {**TEMPLATE, "key": "other"}),
                   patch(tenant.admin, f"{TEMPLATES}/hello",
                         {"key": "other"})):
        told = problem(answer, 422, "validation_failed")
        assert told["errors"][0]["pointer"] == "/key"
    problem(tenant.admin.post(TEMPLATES, json=TEMPLATE), 409, "conflict")


def test_template_etag(tenant):
    first = tenant.admin.post(TEMPLATES, json=TEMPLATE).headers["ETag"]
    path = f"{TEMPLATES}/hello"
    second = patch(tenant.admin, path, {"name": "B"}, **{"If-Match": first})
    assert second.status_code == 200
    assert second.headers["ETag"] != first
    for answer in (patch(tenant.admin, path, {"name": "C"},
                         **{"If-Match": first}),
                   put(tenant.admin, path, TEMPLATE, **{"If-Match": first}),
                   delete(tenant.admin, path, **{"If-Match": first}),
                   delete(tenant.admin, path, **{"If-Match": "nonsense"})):
        problem(answer, 412, "precondition_failed")
    assert tenant.admin.get(path).json()["name"] == "B"


def test_templates_in_pages(tenant):
    for i in range(7):
        assert put(tenant.admin, f"{TEMPLATES}/t{i}", {
            **TEMPLATE, "key": f"t{i}"}).status_code == 201
    listed = pages(tenant.admin, TEMPLATES, 3)
    assert [t["key"] for t in listed] == [f"t{i}" for i in range(7)]
    assert all("parts" not in t for t in listed)


# Providers


def test_provider_secrets_are_never_shown(tenant):
    made = tenant.admin.post(PROVIDERS, json=RELAY)
    assert made.status_code == 201, made.text
    path = made.headers["Location"]
    body = made.json()
    assert body["settings"]["host"] == "mail.example.org"
    answers = [made, tenant.admin.get(path), tenant.admin.get(PROVIDERS),
               patch(tenant.admin, path, {"priority": 3}),
               tenant.admin.post(f"{path}/disable"),
               put(tenant.admin, path, RELAY)]
    for answer in answers:
        assert answer.status_code < 300, answer.text
        assert "geheim" not in answer.text
        assert "password" not in answer.text
    stored = tenant.rows("SELECT p::text AS t FROM provider p "
                         "WHERE tenant_id = %s")
    assert all("geheim" not in row["t"] for row in stored)
    assert "geheim" not in tenant.stack.logs.text("api")


def sealed(tenant):
    return tenant.rows("SELECT sealed FROM provider WHERE tenant_id = %s "
                       "AND name = 'relay'")[0]["sealed"]


def test_provider_patch_keeps_secrets(tenant):
    path = tenant.admin.post(PROVIDERS, json=RELAY).headers["Location"]
    answer = patch(tenant.admin, path, {"settings": {"host": "b.example"}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["settings"]["host"] == "b.example"
    assert sealed(tenant) is not None
    patch(tenant.admin, path, {"settings": {"username": None,
                                            "password": None}})
    assert sealed(tenant) is None


@pytest.mark.parametrize("change, pointer, code", [
    ({"kind": "carrier-pigeon"}, "/kind", "not_found"),
    ({"name": "Not A Name"}, "/name", "malformed"),
    ({"state": "parked"}, "/state", "not_allowed"),
    ({"state": "asleep"}, "/state", "not_allowed"),
    ({"priority": -1}, "/priority", "too_small"),
    ({"weight": 0}, "/weight", "too_small"),
    ({"settings": {"hots": "x"}}, "/settings/hots", "unknown_field"),
    ({"settings": {}}, "/settings/host", "missing"),
    ({"settings": {"host": 5}}, "/settings/host", "wrong_type"),
    ({"settings": "x"}, "/settings", "wrong_type"),
])
def test_provider_body_is_checked(tenant, change, pointer, code):
    before = tenant.count("provider")
    told = problem(tenant.admin.post(PROVIDERS, json={**RELAY, **change}),
                   422, "validation_failed")
    assert (pointer, code) in [(e["pointer"], e["code"])
                               for e in told["errors"]]
    assert tenant.count("provider") == before


def test_provider_life(tenant):
    made = tenant.admin.post(PROVIDERS, json=RELAY)
    path = made.headers["Location"]
    problem(tenant.admin.post(PROVIDERS, json=RELAY), 409, "conflict")
    assert tenant.admin.post(f"{path}/disable").json()["state"] == "disabled"
    assert tenant.admin.post(f"{path}/enable").json()["state"] == "enabled"
    told = problem(patch(tenant.admin, path, {"kind": "maildir"}), 422,
                   "validation_failed")
    assert told["errors"][0]["pointer"] == "/kind"
    problem(delete(tenant.admin, path, **{
        "If-Match": made.headers["ETag"]}), 412, "precondition_failed")
    assert delete(tenant.admin, path).status_code == 204
    problem(tenant.admin.get(path), 404, "not_found")
    problem(tenant.admin.post(f"{path}/enable"), 404, "not_found")


def test_a_tenants_maildirs_are_its_own(tenant, other_tenant):
    """Over REST; belfryctl, and who administers the platform, may put one anywhere."""
    base = tenant.stack.mail
    def box(directory, **more):
        return {"name": "file", "kind": "maildir",
                "settings": {"directory": str(directory)}, **more}
    for directory in (base, base / other_tenant.slug, f"{base}/{tenant.slug}x",
                      f"{base}/{other_tenant.slug}/{tenant.slug}", "/tmp",
                      f"{base}/{tenant.slug}/../{other_tenant.slug}"):
        told = problem(tenant.admin.post(PROVIDERS, json=box(directory)), 422,
                       "validation_failed")
        assert told["errors"][0]["pointer"].startswith("/settings")
    path = tenant.admin.post(PROVIDERS, json=box(
        base / tenant.slug / "more")).headers["Location"]
    for answer in (put(tenant.admin, path, box(base / other_tenant.slug)),
                   patch(tenant.admin, path, {"settings": {
                       "directory": str(base / other_tenant.slug)}})):
        told = problem(answer, 422, "validation_failed")
        assert told["errors"][0]["pointer"] == "/settings/directory"
    assert put(tenant.admin, path, box(f"{base}//{tenant.slug}")).status_code \
        == 200
    # Where the operator put it, it may stay.
    shared = base / "lobby"
    tenant.ctl("provider", "set", "file", "--set", f"directory={shared}")
    assert patch(tenant.admin, path, {"priority": 3}).status_code == 200
    assert put(tenant.admin, path, box(shared)).status_code == 200
    problem(patch(tenant.admin, path, {"settings": {
        "directory": f"{shared}/in"}}), 422, "validation_failed")
    root = tenant.client(tenant.make_key("root", scopes=("platform",)))
    assert patch(root, path, {"settings": {
        "directory": f"{shared}/in"}}).status_code == 200


def test_provider_kinds_have_schemas(tenant):
    kinds = {k["kind"]: k for k in
             tenant.admin.get(f"{ADMIN}/provider-kinds").json()["data"]}
    assert {"smtp", "maildir"} <= set(kinds)
    schema = kinds["smtp"]["settings"]
    assert kinds["smtp"]["channel"] == "email"
    assert schema["properties"]["password"]["writeOnly"] is True
    assert "host" in schema["required"]


# Recipients


def test_recipient_life(tenant):
    client = tenant.admin
    path = f"{RECIPIENTS}/u%2F1%20%C3%A9"
    body = {"email": "ann@example.org", "name": "Ann", "locale": "de-AT",
            "time_zone": "Europe/Vienna", "phone": "+43660123456",
            "data": {"seat": ["12A"]}}
    made = put(client, path, body)
    assert made.status_code == 201, made.text
    assert made.json()["user_id"] == "u/1 \u00e9"
    assert {k: made.json()[k] for k in body} == body
    again = put(client, path, made.json())
    assert again.status_code == 200
    problem(put(client, path, body, **{"If-Match": made.headers["ETag"]}),
            412, "precondition_failed")
    shorter = put(client, path, {}, **{"If-Match": again.headers["ETag"]})
    assert shorter.json()["email"] is None
    assert delete(client, path).status_code == 204
    problem(client.get(path), 404, "not_found")
    problem(delete(client, path), 404, "not_found")


def test_recipients_in_pages(tenant):
    for i in range(5):
        put(tenant.admin, f"{RECIPIENTS}/u{i}", {})
    listed = pages(tenant.admin, RECIPIENTS, 2)
    assert [r["user_id"] for r in listed] == [f"u{i}" for i in range(5)]


@pytest.mark.parametrize("query, parameter, code", [
    ("limit=0", "limit", "too_small"), ("limit=201", "limit", "too_large"),
    ("limit=x", "limit", "wrong_type"), ("limit=1&limit=2", "limit",
                                         "duplicate"),
    ("lmit=5", "lmit", "unknown_field"), ("cursor=%40%40", "cursor",
                                          "malformed"),
])
def test_page_query_is_checked(tenant, query, parameter, code):
    told = problem(tenant.admin.get(f"{RECIPIENTS}?{query}"), 422,
                   "validation_failed")
    assert (parameter, code) in [(e["parameter"], e["code"])
                                 for e in told["errors"]]


# Tenants apart


def test_nothing_of_other_tenants(tenant, other_tenant):
    """What is another's looks exactly as what does not exist."""
    tenant.admin.post(TEMPLATES, json=TEMPLATE)
    provider = tenant.admin.post(PROVIDERS, json=RELAY).headers["Location"]
    put(tenant.admin, f"{RECIPIENTS}/u1", {"email": "ann@example.org"})
    stranger = other_tenant.admin
    nowhere = f"{PROVIDERS}/01920000-0000-7000-8000-000000000000"
    for mine, none in ((f"{TEMPLATES}/hello", f"{TEMPLATES}/none"),
                       (provider, nowhere),
                       (f"{RECIPIENTS}/u1", f"{RECIPIENTS}/none")):
        for ask in (lambda p: stranger.get(p), lambda p: delete(stranger, p)):
            told = [problem(ask(p), 404, "not_found") for p in (mine, none)]
            for body in told:
                body.pop("request_id")
            assert told[0] == told[1]
        assert tenant.admin.get(mine).status_code == 200
    for path in (TEMPLATES, PROVIDERS, RECIPIENTS):
        assert "ann@example.org" not in stranger.get(path).text
        assert "hello" not in stranger.get(path).text
    assert put(stranger, f"{RECIPIENTS}/u1", {}).status_code == 201
    assert tenant.admin.get(f"{RECIPIENTS}/u1").json()["email"] == \
        "ann@example.org"


def test_changes_are_in_the_audit(tenant):
    tenant.admin.post(TEMPLATES, json=TEMPLATE, headers={
        "X-Request-Id": "audit-me-1"})
    rows = tenant.rows("SELECT * FROM audit WHERE tenant_id = %s "
                       "AND request_id = 'audit-me-1'")
    assert len(rows) == 1
    assert rows[0]["object"] == "hello"
    assert tenant.admin_key[4:30] in rows[0]["principal"]
