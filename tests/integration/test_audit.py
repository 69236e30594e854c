# test_audit.py - who changed what: every change has its entry, and the chain holds
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime
import getpass
import json
import re
import subprocess
import threading
import uuid
from pathlib import Path

import psycopg2
import pytest

from harness.api import ADMIN, SERVICES, Client, mail
from harness.tenant import Tenant

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "doc/audit.md").read_text()
RECIPIENTS = "/api/v1/services/recipients"
TEMPLATE = {"name": "Hello", "parts": {"en": {"email.subject": "Hello",
                                              "email.text": "Good morning"}}}
RELAY = {"name": "second", "kind": "smtp",
         "settings": {"host": "mail.example.org", "from": "a@example.org"}}
RELAY_OPTIONS = ["--kind", "smtp", "--set", "host=mail.example.org", "--set",
                 "from=a@example.org"]
LATER = (datetime.datetime.utcnow() + datetime.timedelta(days=30)) \
    .strftime("%Y-%m-%dT%H:%M:%SZ")
ISSUER = {"name": "sso", "issuer": "https://sso.example.org",
          "audience": ["belfry"]}
PATCH = {"Content-Type": "application/merge-patch+json"}
ROLES = ["belfry_api", "belfry_spooler", "belfry_gateway", "belfry_report"]


def exempt(heading):
    """What stands in a list of doc/audit.md."""
    text = DOC[DOC.index(heading):]
    text = text[:text.index("\n## ", 1)] if "\n## " in text[1:] else text
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def entries(tenant):
    return tenant.rows("SELECT * FROM audit WHERE tenant_id = %s ORDER BY seq")


# Every route

class Things:
    """What the calls below need; each is made when it is asked for."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.count = 0

    def name(self):
        self.count += 1
        return f"thing-{self.count}"

    def url(self):
        return f"https://hooks.example.org/{self.name()}"

    def webhook(self):
        return self.made("webhooks", {"url": self.url(),
                                      "events": ["provider.recovered"]})["id"]

    def attempt(self):
        webhook, message = self.webhook(), str(uuid.uuid4())
        self.tenant.rows(
            "INSERT INTO webhook_message (tenant_id, id, at, type, object_id, "
            f"seq) VALUES (%s, '{message}', now(), 'ping', '{message}', 1)")
        self.tenant.rows(
            "INSERT INTO webhook_attempt (tenant_id, endpoint_id, id, message_id,"
            f" n, spooler) VALUES (%s, '{webhook}', '{message}', '{message}', 1,"
            f" '{message}')")
        return f"{webhook}/attempts/{message}"

    def slug(self):
        return f"{self.tenant.slug}-{self.name()}"

    def template(self):
        key = self.name()
        for text in ("one", "two"):
            body = {"key": key, **TEMPLATE, "parts": {
                "en": {"email.subject": text, "email.text": text}}}
            answer = self.tenant.admin.request(
                "PUT", f"{ADMIN}/templates/{key}", json=body)
            assert answer.status_code in (200, 201), answer.text
        return key

    def platforms(self):
        """An account of the platform, always the same."""
        if not hasattr(self, "shared"):
            self.shared = self.tenant.stack.ctl(
                "provider", "add", self.name(), "--kind", "simulator-push",
                tenant="platform")["id"]
        return self.shared

    def provider(self):
        return self.made("providers", {**RELAY, "name": self.name()})["id"]

    def issuer(self):
        for old in self.tenant.admin.get(f"{ADMIN}/issuers").json()["data"]:
            self.tenant.admin.request("DELETE", f"{ADMIN}/issuers/{old['id']}")
        return self.made("issuers", {**ISSUER, "name": self.name()})["id"]

    def account(self):
        return self.made("service-accounts", {
            "name": self.name(), "scopes": ["notifications:send"]})

    def made(self, kind, body):
        answer = self.tenant.admin.post(f"{ADMIN}/{kind}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def user(self):
        user = self.name()
        self.tenant.admin.request("PUT", f"{RECIPIENTS}/{user}",
                                  json={"email": f"{user}@example.org"})
        return user

    def device(self):
        user = self.user()
        answer = self.tenant.admin.request(
            "PUT", f"{RECIPIENTS}/{user}/devices",
            json={"token": f"token of {user}", "platform": "ios"})
        return f"{user}/devices/{answer.json()['id']}"

    def suppression(self):
        self.made("suppressions", {"address": "x@example.org",
                                   "channel": "email", "reason": "manual"})
        return "email/x@example.org"

    def later(self):
        return self.tenant.api.accepted(mail(send_at=LATER))


A, S = ADMIN, "/api/v1/services"
# For each changing route a path and a body, made of the things it needs.
CALLS = {
    f"POST {S}/notifications/{{id}}/cancel":
        lambda t: (f"{SERVICES}/{t.later()}/cancel", None),
    f"POST {S}/notifications/{{id}}/reschedule":
        lambda t: (f"{SERVICES}/{t.later()}/reschedule",
                   {"send_at": LATER}),
    f"PUT {S}/recipients/{{user_id}}":
        lambda t: (f"{RECIPIENTS}/{t.name()}", {"name": "Ann"}),
    f"DELETE {S}/recipients/{{user_id}}":
        lambda t: (f"{RECIPIENTS}/{t.user()}", None),
    f"PUT {S}/recipients/{{user_id}}/devices":
        lambda t: (f"{RECIPIENTS}/{t.user()}/devices",
                   {"token": t.name(), "platform": "web"}),
    f"DELETE {S}/recipients/{{user_id}}/devices":
        lambda t: (f"{RECIPIENTS}/" + t.device().rsplit("/", 1)[0], None),
    f"DELETE {S}/recipients/{{user_id}}/devices/{{id}}":
        lambda t: (f"{RECIPIENTS}/{t.device()}", None),
    f"POST {A}/templates":
        lambda t: (f"{ADMIN}/templates", {"key": t.name(), **TEMPLATE}),
    f"PUT {A}/templates/{{key}}":
        lambda t: (lambda key: (f"{ADMIN}/templates/{key}", {
            "key": key, **TEMPLATE}))(t.template()),
    f"PATCH {A}/templates/{{key}}":
        lambda t: (f"{ADMIN}/templates/{t.template()}", {"name": "Other"}),
    f"DELETE {A}/templates/{{key}}":
        lambda t: (f"{ADMIN}/templates/{t.template()}", None),
    f"POST {A}/templates/{{key}}/publish":
        lambda t: (f"{ADMIN}/templates/{t.template()}/publish",
                   {"version": 1}),
    f"POST {A}/templates/{{key}}/rollback":
        lambda t: (f"{ADMIN}/templates/{t.template()}/rollback", None),
    f"POST {A}/dead-letters/replay":
        lambda t: (f"{ADMIN}/dead-letters/replay", {"all": True}),
    f"POST {A}/dead-letters/discard":
        lambda t: (f"{ADMIN}/dead-letters/discard", {"all": True}),
    f"POST {A}/suppressions":
        lambda t: (f"{ADMIN}/suppressions", {
            "address": "y@example.org", "channel": "email",
            "reason": "manual"}),
    f"DELETE {A}/suppressions/{{channel}}/{{address}}":
        lambda t: (f"{ADMIN}/suppressions/{t.suppression()}", None),
    f"POST {A}/issuers":
        lambda t: (f"{ADMIN}/issuers", {**ISSUER, "name": t.name()}),
    f"PUT {A}/issuers/{{id}}":
        lambda t: (f"{ADMIN}/issuers/{t.issuer()}", ISSUER),
    f"DELETE {A}/issuers/{{id}}":
        lambda t: (f"{ADMIN}/issuers/{t.issuer()}", None),
    f"POST {A}/service-accounts":
        lambda t: (f"{ADMIN}/service-accounts", {
            "name": t.name(), "scopes": ["notifications:read"]}),
    f"PUT {A}/service-accounts/{{id}}":
        lambda t: (f"{ADMIN}/service-accounts/{t.account()['id']}", {
            "name": t.name(), "scopes": ["notifications:read"]}),
    f"PATCH {A}/service-accounts/{{id}}":
        lambda t: (f"{ADMIN}/service-accounts/{t.account()['id']}", {
            "name": t.name()}),
    f"DELETE {A}/service-accounts/{{id}}":
        lambda t: (f"{ADMIN}/service-accounts/{t.account()['id']}", None),
    f"POST {A}/service-accounts/{{id}}/rotate":
        lambda t: (f"{ADMIN}/service-accounts/{t.account()['id']}/rotate",
                   None),
    f"DELETE {A}/service-accounts/{{id}}/keys/{{key_id}}":
        lambda t: (lambda a: (f"{ADMIN}/service-accounts/{a['id']}/keys/"
                              f"{a['keys'][0]['id']}", None))(t.account()),
    f"POST {A}/recipients/{{user_id}}/erase":
        lambda t: (f"{ADMIN}/recipients/{t.user()}/erase", None),
    f"POST {A}/privacy/export":
        lambda t: (f"{ADMIN}/privacy/export", {"user_id": t.user()}),
    f"POST {A}/privacy/erase":
        lambda t: (f"{ADMIN}/privacy/erase", {"user_id": t.user()}),
    f"POST {A}/legal-holds":
        lambda t: (f"{ADMIN}/legal-holds", {"person": t.name(),
                                            "reason": "x"}),
    f"DELETE {A}/legal-holds/{{id}}":
        lambda t: (f"{ADMIN}/legal-holds/" + t.made(
            "legal-holds", {"person": t.name(), "reason": "x"})["id"], None),
    "POST /api/v1/users/me/erase":
        lambda t: ("/api/v1/users/me/erase", None),
    f"POST {A}/webhooks":
        lambda t: (f"{ADMIN}/webhooks", {"url": t.url()}),
    f"PUT {A}/webhooks/{{id}}":
        lambda t: (f"{ADMIN}/webhooks/{t.webhook()}", {"url": t.url()}),
    f"PATCH {A}/webhooks/{{id}}":
        lambda t: (f"{ADMIN}/webhooks/{t.webhook()}", {"rate": 5}),
    f"DELETE {A}/webhooks/{{id}}":
        lambda t: (f"{ADMIN}/webhooks/{t.webhook()}", None),
    f"POST {A}/webhooks/{{id}}/enable":
        lambda t: (f"{ADMIN}/webhooks/{t.webhook()}/enable", None),
    f"POST {A}/webhooks/{{id}}/disable":
        lambda t: (f"{ADMIN}/webhooks/{t.webhook()}/disable", None),
    f"POST {A}/webhooks/{{id}}/rotate-secret":
        lambda t: (f"{ADMIN}/webhooks/{t.webhook()}/rotate-secret", None),
    f"POST {A}/webhooks/{{id}}/ping":
        lambda t: (f"{ADMIN}/webhooks/{t.webhook()}/ping", None),
    f"POST {A}/webhooks/{{id}}/redeliver":
        lambda t: (f"{ADMIN}/webhooks/{t.webhook()}/redeliver",
                   {"since": "2026-01-01T00:00:00Z"}),
    f"POST {A}/webhooks/{{id}}/attempts/{{attempt_id}}/redeliver":
        lambda t: (f"{ADMIN}/webhooks/{t.attempt()}/redeliver", None),
    f"POST {A}/tenants":
        lambda t: (f"{ADMIN}/tenants", {"slug": t.slug(), "name": "Shop"}),
    f"PUT {A}/tenants/{{slug}}":
        lambda t: (f"{ADMIN}/tenants/{t.tenant.slug}", {
            "slug": t.tenant.slug, "name": "Other"}),
    f"PATCH {A}/tenants/{{slug}}":
        lambda t: (f"{ADMIN}/tenants/{t.tenant.slug}", {"name": "Third"}),
    f"POST {A}/tenants/{{slug}}/suspend":
        lambda t: (f"{ADMIN}/tenants/{t.tenant.slug}/suspend", None),
    f"POST {A}/tenants/{{slug}}/resume":
        lambda t: (f"{ADMIN}/tenants/{t.tenant.slug}/resume", None),
    f"PUT {A}/tenants/{{slug}}/settings":
        lambda t: (f"{ADMIN}/tenants/{t.tenant.slug}/settings", {}),
    f"PATCH {A}/tenants/{{slug}}/settings":
        lambda t: (f"{ADMIN}/tenants/{t.tenant.slug}/settings", {
            "branding": {"name": "Shop"}}),
    f"POST {A}/providers":
        lambda t: (f"{ADMIN}/providers", {**RELAY, "name": t.name()}),
    f"PUT {A}/providers/{{id}}":
        lambda t: (f"{ADMIN}/providers/{t.provider()}",
                   {**RELAY, "name": t.name()}),
    f"PATCH {A}/providers/{{id}}":
        lambda t: (f"{ADMIN}/providers/{t.provider()}", {"priority": 3}),
    f"DELETE {A}/providers/{{id}}":
        lambda t: (f"{ADMIN}/providers/{t.provider()}", None),
    f"PUT {A}/providers/{{id}}/shares/{{tenant}}":
        lambda t: (f"{ADMIN}/providers/{t.platforms()}/shares/{t.tenant.slug}",
                   {}),
    f"DELETE {A}/providers/{{id}}/shares/{{tenant}}":
        lambda t: (f"{ADMIN}/providers/{t.platforms()}/shares/{t.tenant.slug}",
                   None),
    f"PUT {A}/providers/{{id}}/shares":
        lambda t: (f"{ADMIN}/providers/{t.platforms()}/shares", {}),
    f"DELETE {A}/providers/{{id}}/shares":
        lambda t: (f"{ADMIN}/providers/{t.platforms()}/shares", None),
    f"POST {A}/providers/{{id}}/enable":
        lambda t: (f"{ADMIN}/providers/{t.provider()}/enable", None),
    f"POST {A}/providers/{{id}}/disable":
        lambda t: (f"{ADMIN}/providers/{t.provider()}/disable", None),
}


def changing_routes(stack):
    document = Client(stack.url, None).get("/api/openapi.json").json()
    return {f"{method.upper()} {path}"
            for path, methods in document["paths"].items()
            for method in methods if method != "get"}


def test_each_changing_route_is_tried_or_exempt(stack):
    """A new route needs a call above, or a line in doc/audit.md with its reason."""
    assert changing_routes(stack) == \
        set(CALLS) | exempt("## What leaves no entry")


def test_each_change_leaves_one_entry(stack, tenant, issuers):
    things, wrong = Things(tenant), []
    platform = Client(stack.url, issuers["sso"].token(
        "ed", azp="app", sub="root", realm_access={"roles": ["belfry-platform"]}))
    client = Client(stack.url, tenant.make_key("all", scopes=(
        "admin", "notifications:send")))
    person = Client(stack.url, issuers["sso"].token(
        "ed", azp="app", sub="u1", organisation={"slug": tenant.slug},
        realm_access={"roles": []}))
    for route, call in CALLS.items():
        path, body = call(things)
        method = route.split()[0]
        name = f"{tenant.slug}-{abs(hash(route))}"
        who = platform if "/tenants" in route or "/shares" in route else \
            person if "/users/me" in route else client
        answer = who.request(
            method, path, data=json.dumps(body) if body is not None else None,
            headers={**(PATCH if method == "PATCH" else
                        {"Content-Type": "application/json"}),
                     "X-Request-Id": name})
        found = stack.rows("SELECT * FROM audit WHERE request_id = %s", name)
        # What is for all tenants is written down at each of them.
        if answer.status_code >= 300 or not found or \
                (len(found) > 1 and not route.endswith("/shares")) or \
                not re.match("key:|admin:|person:", found[0]["principal"]) or \
                found[0]["source"] is None or found[0]["hash"] is None:
            wrong.append((route, answer.status_code, answer.text, found))
    assert wrong == []
    assert [e for e in entries(tenant) if e["principal"].startswith("sql:")] \
        == [], "somebody forgot an entry"
    assert tenant.ctl("audit", "verify")[0]["fault"] is None


def test_refused_and_futile_calls_leave_none(tenant):
    before = len(entries(tenant))
    api = tenant.admin
    assert api.post(f"{ADMIN}/providers", json={**RELAY, "kind": "none"}) \
        .status_code == 422
    assert api.request("DELETE", f"{RECIPIENTS}/nobody").status_code == 404
    assert api.request("PUT", f"{RECIPIENTS}/u", json={"name": "Ann"},
                       headers={"If-Match": '"7"'}).status_code == 412
    tenant.api.accepted(mail())
    assert len(entries(tenant)) == before


# What an entry says

def last(tenant):
    return entries(tenant)[-1]


def test_before_and_after(tenant):
    made = tenant.admin.post(f"{ADMIN}/providers", json={
        "name": "relay", "kind": "smtp", "settings": {
            "host": "one.example.org", "from": "a@example.org",
            "username": "u", "password": "secret-4711"}}).json()
    entry = last(tenant)
    assert (entry["action"], entry["object"]) == ("provider.add", "relay")
    told = entry["changes"][0]
    assert (told["table"], told["op"], told["before"]) == \
        ("provider", "insert", {})
    assert told["after"]["settings"]["host"] == "one.example.org"
    assert told["after"]["sealed"] == "(not shown)"
    answer = tenant.admin.request(
        "PATCH", f"{ADMIN}/providers/{made['id']}", headers=PATCH,
        data=json.dumps({"settings": {"host": "two.example.org",
                                      "password": "secret-4712"}}))
    assert answer.status_code == 200, answer.text
    told = last(tenant)["changes"]
    assert len(told) == 1 and told[0]["op"] == "update"
    assert told[0]["row"] == "relay"
    assert told[0]["before"] == {"settings": {"host": "one.example.org"},
                                 "sealed": "(not shown)"}
    assert told[0]["after"].pop("limits")["rate"] == 0, "it is written out"
    assert told[0]["after"] == {"settings": {"host": "two.example.org"},
                                "sealed": "(not shown)"}
    assert "secret-471" not in json.dumps(entries(tenant), default=str)


def test_recipients_are_not_named(tenant):
    tenant.admin.request("PUT", f"{RECIPIENTS}/canary-u1", json={
        "email": "canary@example.org", "name": "Canary"})
    tenant.admin.post(f"{ADMIN}/suppressions", json={
        "address": "canary@example.org", "channel": "email",
        "reason": "manual"})
    entry = tenant.admin.get(f"{ADMIN}/audit?user_id=canary-u1") \
        .json()["data"][0]
    assert entry["action"] == "recipient.put"
    assert re.fullmatch("person:[0-9a-f]{32}", entry["object"])
    assert entry["changes"][0]["after"]["email"] == "(not shown)"
    text = json.dumps(entries(tenant), default=str).lower()
    assert "canary" not in text


def test_who_and_from_where(stack, tenant, issuers):
    tenant.ctl("provider", "disable", "box")
    entry = last(tenant)
    assert entry["principal"].startswith("belfryctl:")
    assert entry["source"].startswith(f"unix {getpass.getuser()}@")
    person = Client(stack.url, issuers["sso"].token(
        "ed", sub="eve", azp="app", organisation={"slug": tenant.slug},
        realm_access={"roles": ["belfry-admin"]}))
    box = tenant.rows("SELECT id FROM provider WHERE tenant_id = %s")[0]["id"]
    answer = person.post(f"{ADMIN}/providers/{box}/enable", headers={
        "X-Forwarded-For": "192.0.2.7"})
    assert answer.status_code == 200, answer.text
    entry = last(tenant)
    assert "eve" in entry["principal"]
    assert issuers["sso"].url in entry["principal"]
    assert entry["source"] != "192.0.2.7", "the client is no trusted proxy"


def test_what_is_changed_by_hand_is_seen(stack, tenant):
    stack.rows("UPDATE provider SET priority = 77 WHERE tenant_id = %s",
               tenant.id)
    entry = last(tenant)
    assert entry["principal"] == "sql:postgres"
    assert entry["action"] == "provider.update"
    assert entry["changes"][0]["after"] == {"priority": 77}
    assert tenant.ctl("audit", "verify")[0]["fault"] is None


# Lists

def test_list_by_filter_and_page(tenant):
    for name in ("one", "two", "three"):
        tenant.ctl("provider", "add", name, *RELAY_OPTIONS)
    path = f"{ADMIN}/audit?action=provider.add"
    everything = tenant.admin.get(path).json()["data"]
    assert [e["object"] for e in everything] == ["three", "two", "one", "box"]
    paged, target = [], f"{path}&limit=1"
    while target:
        answer = tenant.admin.get(target)
        paged += answer.json()["data"]
        link = answer.headers.get("Link")
        target = link and re.match("<([^>]+)>", link).group(1)
    assert paged == everything
    since = everything[1]["at"]
    assert [e["object"] for e in tenant.admin.get(
        f"{path}&since={since[:23]}Z").json()["data"]][:2] == ["three", "two"]
    for query, status in (("object=two", 200), ("cursor=eA", 422),
                          ("nonsense=1", 422)):
        assert tenant.admin.get(f"{path}&{query}").status_code == status
    assert [e["seq"] for e in tenant.admin.get(
        f"{path}&object=two").json()["data"]] == [everything[1]["seq"]]
    assert tenant.api.get(path).status_code == 403
    listed = tenant.ctl("audit", "list", "--action", "provider.add")
    assert [e["id"] for e in listed] == [e["id"] for e in everything]


# The chain

def exported(tenant, *options):
    done = tenant.stack.run_ctl("audit", "export", *options,
                                tenant=tenant.slug)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_outsider_can_verify(tenant):
    """The program in doc/audit.md, as it stands there."""
    tenant.admin.request("PUT", f"{RECIPIENTS}/Zoë", json={"name": "Zoë"})
    tenant.add_provider("relay", "smtp", **{
        **RELAY["settings"], "username": "Größe", "password": "x"})
    program = re.search(r"```python\n(.*?)```", DOC, re.DOTALL).group(1)
    assert len(program.splitlines()) <= 20
    lines = exported(tenant)
    assert lines.count("\n") == len(entries(tenant)) > 5

    def verify(text):
        return subprocess.run(["/usr/bin/python3", "-c", program], input=text,
                              capture_output=True, text=True)
    assert verify(lines).returncode == 0, verify(lines).stderr
    assert "Größe" in lines or "Gr\\u00f6" in lines
    for broken in (lines.replace("provider.add", "provider.adx", 1),
                   "\n".join(sorted(lines.splitlines(), reverse=True)),
                   "\n".join(lines.splitlines()[:2] + lines.splitlines()[3:])):
        assert verify(broken).returncode != 0


DAMAGE = {
    "changed": ("UPDATE audit SET object = 'x' WHERE tenant_id = %s AND seq = 3",
                "entry 3 .* was changed"),
    "missing": ("DELETE FROM audit WHERE tenant_id = %s AND seq = 3",
                "entry 3 is missing"),
    "truncated": ("DELETE FROM audit WHERE tenant_id = %s AND seq >= 4",
                  "entries 4 to .* are missing at the end"),
    "gone": ("DELETE FROM audit WHERE tenant_id = %s",
             "entries 1 to .* are missing at the end"),
    "forged": ("UPDATE audit a SET action = 'x', hash = sha256('x') "
               "WHERE a.tenant_id = %s AND seq = 4", "entry 4 .* was changed"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named(stack, tenant, kind):
    assert tenant.ctl("audit", "verify")[0]["fault"] is None
    sql, fault = DAMAGE[kind]
    stack.rows(sql, tenant.id)
    done = stack.run_ctl("--json", "audit", "verify", tenant=tenant.slug)
    assert done.returncode == 1
    assert re.search(fault, json.loads(done.stdout)[0]["fault"])


def test_swapped_entries_are_named(stack, tenant):
    """Whoever swaps two and counts their hashes again breaks the links."""
    stack.rows("UPDATE audit SET seq = -seq WHERE tenant_id = %s AND seq IN "
               "(3, 4)", tenant.id)
    stack.rows("UPDATE audit SET seq = 7 + seq WHERE tenant_id = %s AND seq < 0",
               tenant.id)
    stack.rows("UPDATE audit a SET hash = audit_hash(a) WHERE tenant_id = %s "
               "AND seq IN (3, 4)", tenant.id)
    fault = json.loads(stack.run_ctl("--json", "audit", "verify",
                                     tenant=tenant.slug).stdout)[0]["fault"]
    assert "entry 3" in fault and "reordered" in fault


def test_the_chain_begins_where_it_began(stack, tenant):
    """Entries of the time before the chain stay without proof, and are counted."""
    before = len(entries(tenant))
    stack.rows("UPDATE audit SET seq = NULL, prev_hash = NULL, hash = NULL "
               "WHERE tenant_id = %s", tenant.id)
    stack.rows("DELETE FROM audit_head WHERE tenant_id = %s", tenant.id)
    tenant.ctl("provider", "disable", "box")
    verdict = tenant.ctl("audit", "verify")[0]
    assert (verdict["entries"], verdict["unchained"], verdict["fault"]) == \
        (1, before, None)


def test_entries_at_once_are_one_chain(stack, tenant):
    boxes = [tenant.add_provider(f"b{n}", "smtp", **RELAY["settings"])
             for n in range(4)]
    ids = [r["id"] for r in tenant.rows(
        "SELECT id FROM provider WHERE tenant_id = %s AND name <> 'box'")]
    before = len(entries(tenant))

    def work(identity):
        client = Client(stack.url, tenant.admin_key)
        for verb in ("disable", "enable") * 5:
            assert client.post(f"{ADMIN}/providers/{identity}/{verb}") \
                .status_code == 200
    threads = [threading.Thread(target=work, args=(i,)) for i in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = tenant.ctl("audit", "verify")[0]
    assert verdict["fault"] is None
    assert verdict["entries"] == before + 10 * len(boxes)


# Nobody may take an entry back

@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_rewrite(stack, tenant, role):
    for sql in ("UPDATE audit SET object = 'x' WHERE tenant_id = %s",
                "DELETE FROM audit WHERE tenant_id = %s",
                "UPDATE audit_head SET seq = 0 WHERE tenant_id = %s",
                "DELETE FROM audit_head WHERE tenant_id = %s"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            stack.rows(sql, tenant.id, user=role, tenant=tenant.id)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        stack.rows("TRUNCATE audit", user=role)


def test_nobody_forges_time_or_place(stack, tenant):
    stack.rows("INSERT INTO audit (tenant_id, id, at, principal, action, object, "
               "seq, hash, changes) VALUES (%s, gen_random_uuid(), '2001-01-01', "
               "'me', 'x', 'x', 1, '\\x00', '[]')", tenant.id,
               user="belfry_api", tenant=tenant.id)
    entry = last(tenant)
    assert entry["principal"] == "me" and entry["at"].year > 2001
    assert tenant.ctl("audit", "verify")[0]["fault"] is None


# The installation, and belfryctl

def test_operators_are_seen(stack):
    stack.ctl("spooler", "drain", "--all")
    stack.ctl("spooler", "undrain", "--all")
    told = stack.ctl("audit", "list", "--installation", "--limit", "2")
    assert [e["action"] for e in told] == ["spooler.undrain", "spooler.drain"]
    assert told[0]["source"].startswith("unix ")
    # Of all: other tests have done damage to those of their tenants.
    chains = {v["chain"]: v for v in json.loads(
        stack.run_ctl("--json", "audit", "verify").stdout)}
    assert chains["installation"]["fault"] is None
    assert chains["installation"]["entries"] >= 2


READING = {
    "check-config", "config", "doctor", "tenant list", "tenant show", "key list",
    "template pull", "template versions", "template diff", "template lint",
    "template render", "template test", "template list", "template preview",
    "template eval", "provider kinds", "provider list", "provider show",
    "provider shares", "provider test", "queue", "top", "spooler status", "dead list",
    "suppression list", "audit list", "audit export", "audit verify", "explain",
    "show", "help", "privacy holds", "webhook list", "webhook attempts",
    "provider dkim-record", "keys status"}
# Each writing command, how it is called, and the action of its entry.
WRITING = {
    "init": None, "migrate": None, "send": None, # doc/audit.md says why
    "seed": (["seed"], "template.create"),
    "tenant add": None, # each tenant here was made with it
    "tenant quiet-hours": (["tenant", "quiet-hours", "SLUG", "none"],
                           "tenant.quiet_hours"),
    "tenant set": (["tenant", "set", "SLUG", "--name", "Shop"],
                   "tenant.change"),
    "tenant suspend": (["tenant", "suspend", "SLUG"], "tenant.state"),
    "tenant resume": (["tenant", "resume", "SLUG"], "tenant.state"),
    "key add": (["key", "add", "x", "--scope", "admin"], "account.add"),
    "key rotate": (["key", "rotate", "x"], "key.rotate"),
    "key revoke": (["key", "revoke", "KEY"], "key.revoke"),
    "keys add": None, "keys use": None, # files: doc/audit.md
    "keys rotate": None, # an entry for what was sealed anew: tests/fault/test_keys.py
    "template push": (["template", "push", str(ROOT / "templates/welcome")],
                      None),
    "template defaults": (["template", "defaults", "welcome",
                           "--quiet-exempt", "yes"], "template.defaults"),
    "template publish": (["template", "publish", "welcome", "1"],
                         "template.publish"),
    "template rollback": None, # by API above; belfryctl calls the same
    "provider add": (["provider", "add", "x", *RELAY_OPTIONS],
                     "provider.add"),
    "provider set": (["provider", "set", "x", "--priority", "2"],
                     "provider.set"),
    "provider disable": (["provider", "disable", "x"], "provider.state"),
    "provider enable": (["provider", "enable", "x"], "provider.state"),
    # Of a tenant: tests/integration/test_shared_accounts.py
    "provider share": None, "provider unshare": None,
    "provider remove": (["provider", "remove", "x"], "provider.remove"),
    "cancel": (["cancel", "ID"], "notification.cancel"),
    "tenant remove": None, # doc/audit.md says why
    "bounce": None, # a receipt, as those of providers
    "reconcile": None, # an entry when it repaired: tests/fault/test_reconcile.py
    "spooler drain": None, "spooler undrain": None, # above
    "spooler hold": None, "spooler release": None, # tests/fault/test_restore.py
    "dead replay": (["dead", "replay", "--all"], "dead_letter.replay"),
    "dead discard": (["dead", "discard", "--all"], "dead_letter.discard"),
    "suppression add": (["suppression", "add", "email", "x@example.org"],
                        "suppression.add"),
    "suppression remove": (["suppression", "remove", "email",
                            "x@example.org"], "suppression.remove"),
    "privacy export": (["privacy", "export", "u1"], "privacy.export"),
    "privacy erase": (["privacy", "erase", "u1", "--yes"], "privacy.erase"),
    "privacy hold": (["privacy", "hold", "u1", "--reason", "case"],
                     "hold.set"),
    "privacy release": (["privacy", "release", "HOLD"], "hold.release"),
    "webhook add": (["webhook", "add", "https://hooks.example.org/x"],
                    "webhook.add"),
    "webhook disable": (["webhook", "disable", "WEBHOOK"], None),
    "webhook set": (["webhook", "set", "WEBHOOK", "--rate", "5"], "webhook.set"),
    "webhook enable": (["webhook", "enable", "WEBHOOK"], None),
    "webhook rotate": (["webhook", "rotate", "WEBHOOK"], "webhook.rotate"),
    "webhook ping": (["webhook", "ping", "WEBHOOK"], "webhook.ping"),
    "webhook redeliver": (["webhook", "redeliver", "WEBHOOK", "1h"],
                          "webhook.redeliver"),
    "webhook remove": (["webhook", "remove", "WEBHOOK"], "webhook.remove"),
    "receipt": (["receipt", "ID", "DELIVERY", "delivered"],
                "delivery.receipt"),
}


def test_each_command_is_known():
    text = (ROOT / "src/ctl/command.c").read_text()
    table = text[text.index("ctl_command commands[]"):]
    assert set(re.findall(r'^\t\{ "([a-z -]+)", "', table, re.MULTILINE)) == \
        READING | set(WRITING)


def test_each_writing_command_leaves_an_entry(stack):
    tenant = Tenant(stack)
    sent = tenant.api.accepted(mail())
    tenant.api.ended(sent)
    words = {"SLUG": tenant.slug,
             "ID": tenant.api.accepted(mail(send_at=LATER))}
    for command, (line, action) in ((c, w) for c, w in WRITING.items() if w):
        if command == "key revoke":
            words["KEY"] = [k["key_id"] for k in tenant.ctl("key", "list")
                            if k["account"] == "x"][0]
        if command == "webhook disable":
            words["WEBHOOK"] = tenant.ctl("webhook", "list")[0]["id"]
        if command == "privacy release":
            words["HOLD"] = tenant.ctl("privacy", "holds")[0]["id"]
        if command == "receipt":
            words["ID"] = sent
            words["DELIVERY"] = tenant.client(tenant.key).notification(sent)[
                "deliveries"][0]["id"]
        before = len(entries(tenant))
        done = stack.run_ctl(*[words.get(w, w) for w in line],
                             tenant=None if "SLUG" in line else tenant.slug)
        assert done.returncode == 0, (command, done.stderr)
        new = entries(tenant)[before:]
        assert new or command == "template push", command
        if action:
            assert new[-1]["action"] == action, command
            assert new[-1]["source"].startswith("unix ")
