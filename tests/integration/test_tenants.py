# test_tenants.py - tenants and their settings over REST and by belfryctl
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import re
import signal

import psycopg2
import psycopg2.errors
import pytest

from harness.api import ADMIN, SERVICES, Client, mail, problem
from harness.tenant import Tenant
from harness.wait import wait_until, wait_until_known

NOTHING = f"{SERVICES}/nothing"
NIL = "00000000-0000-0000-0000-000000000000"
TENANTS = f"{ADMIN}/tenants"
ORDER = {"order": "L-1", "items": [{"name": "A book", "quantity": 1}],
         "carrier": "Post", "tracking_url": "https://post.example/1"}
PATCH = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def platform(stack, issuers):
    """Who administers the platform and belongs to no tenant."""
    return Client(stack.url, issuers["sso"].token(
        "ed", azp="app", sub="root", realm_access={"roles": ["belfry-platform"]}))


def path(tenant, rest=""):
    return f"{TENANTS}/{tenant.slug}{rest}"


def patch(client, where, body, **headers):
    return client.request("PATCH", where, data=json.dumps(body),
                          headers={**PATCH, **headers})


def put(client, where, body, **headers):
    return client.request("PUT", where, json=body, headers=headers)


def settings(client, tenant, body):
    answer = patch(client, path(tenant, "/settings"), body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pointers(answer):
    return {e["pointer"]: e["code"]
            for e in problem(answer, 422, "validation_failed")["errors"]}


# Tenants


def test_a_tenant_is_made_shown_and_changed(stack, platform):
    slug = f"rest-{os.getpid()}"
    body = {"slug": slug, "name": "The Shop", "default_locale": "de-AT",
            "time_zone": "Europe/Vienna"}
    answer = platform.post(TENANTS, json=body)
    assert answer.status_code == 201, answer.text
    where = f"{TENANTS}/{slug}"
    assert answer.headers["Location"].endswith(where)
    assert answer.json().items() >= {**body, "state": "active", "weight": 1,
                                     "test": False}.items()
    problem(platform.post(TENANTS, json=body), 409, "conflict")
    shown = platform.get(where)
    assert shown.json() == answer.json()
    changed = patch(platform, where, {"name": "A Shop", "weight": 5},
                    **{"If-Match": shown.headers["ETag"]})
    assert (changed.json()["name"], changed.json()["weight"]) == ("A Shop", 5)
    problem(patch(platform, where, {"name": "B"},
                  **{"If-Match": shown.headers["ETag"]}),
            412, "precondition_failed")
    assert put(platform, where, {"slug": slug, "name": "C"}).json().items() \
        >= {"name": "C", "weight": 1, "time_zone": "UTC"}.items()
    assert pointers(put(platform, where, {"slug": "x", "name": "C"})) == {
        "/slug": "not_allowed"}
    # The one whom it was made for can be given a key, and works.
    key = platform.post(f"{ADMIN}/service-accounts", json={
        "name": "boss", "scopes": ["admin"]}, headers={
            "Belfry-Tenant": slug}).json()["key"]
    assert Client(stack.url, key).get(where).status_code == 200
    found = stack.rows("SELECT action, principal FROM audit a JOIN tenant t "
                       "ON t.id = a.tenant_id WHERE t.slug = %s", slug)
    assert {r["action"] for r in found} >= {"tenant.add", "tenant.change"}
    assert all("root" in r["principal"] for r in found)


def test_tenants_are_listed_in_pages(platform, tenant, other_tenant):
    found, where = [], f"{TENANTS}?limit=1"
    while where:
        answer = platform.get(where)
        assert len(answer.json()["data"]) == 1
        found += [t["slug"] for t in answer.json()["data"]]
        link = answer.headers.get("Link")
        where = link and link[1:link.index(">")]
    assert found == sorted(found)
    assert {tenant.slug, other_tenant.slug} <= set(found)


@pytest.mark.parametrize("wrong, pointer", [
    ({"slug": "A b"}, "/slug"), ({"name": ""}, "/name"),
    ({"name": "a\nb"}, "/name"), ({"weight": 0}, "/weight"),
    ({"default_locale": "!"}, "/default_locale"),
    ({"time_zone": "Europe/Atlantis"}, "/time_zone"),
    ({"colour": "red"}, "/colour"),
])
def test_faults_of_a_tenant(platform, wrong, pointer):
    body = {"slug": "never-made", "name": "Never", **wrong}
    assert pointer in pointers(platform.post(TENANTS, json=body))


def test_an_admin_has_but_the_own_tenant(tenant, other_tenant):
    admin = tenant.admin
    assert admin.get(path(tenant)).json()["slug"] == tenant.slug
    assert patch(admin, path(tenant), {"name": "Mine"}).status_code == 200
    assert pointers(patch(admin, path(tenant), {"weight": 9})) == {
        "/weight": "not_allowed"}
    assert pointers(patch(admin, path(tenant), {"test": True})) == {
        "/test": "not_allowed"}
    for rest in ("", "/settings"):
        problem(admin.get(path(other_tenant, rest)), 404, "not_found")
        problem(patch(admin, path(other_tenant, rest), {}), 404, "not_found")
        problem(tenant.api.get(path(tenant, rest)), 403, "forbidden")
    for where in (TENANTS, ):
        problem(admin.get(where), 403, "forbidden")
        problem(admin.post(where, json={}), 403, "forbidden")
    for what in ("suspend", "resume"):
        problem(admin.post(path(tenant, "/" + what)), 403, "forbidden")


# Suspension


def test_suspended_and_taken_up_again(platform, tenant):
    """Refused within seconds; what waits goes on afterwards."""
    tenant.api.accepted(mail(send_at="2027-06-01T00:00:00Z"))
    assert platform.post(path(tenant, "/suspend")).json()["state"] == \
        "suspended"
    for _ in range(12):
        problem(tenant.api.send(mail()), 403, "tenant_suspended")
    problem(tenant.admin.get(path(tenant)), 403, "tenant_suspended")
    tenant.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s")
    wait_until(lambda: tenant.count("q_ready") == 1, 10, "the promotion")
    assert tenant.mails() == []
    assert platform.post(path(tenant, "/resume")).json()["state"] == "active"
    assert len(tenant.wait_for_mails(1)) == 1
    wait_until(lambda: tenant.api.send(mail()).status_code == 202, 5,
               "the end of it")
    tenant.idle()


def test_suspended_while_memcached_is_frozen(stack, platform, tenant):
    """The cache is no truth (A5)."""
    stack.logs.allow("cache|memcached")
    assert tenant.api.get(path(tenant)).status_code == 403  # known by now
    pid = stack.pid("memcached")
    os.kill(pid, signal.SIGSTOP)
    try:
        platform.post(path(tenant, "/suspend"))
        wait_until(lambda: tenant.api.get(NOTHING).status_code == 403, 10,
                   "the refusal")
    finally:
        os.kill(pid, signal.SIGCONT)
    platform.post(path(tenant, "/resume"))


# Settings


def test_settings_are_shown_replaced_and_merged(platform, tenant):
    where = path(tenant, "/settings")
    assert tenant.admin.get(where).json() == {}
    whole = {"cors_origins": ["https://app.example.org",
                              "http://localhost:3000", "http://[::1]:8080"],
             "branding": {"name": "Larkspur", "color": "#112233"}}
    answer = put(tenant.admin, where, whole)
    assert answer.json() == whole
    assert answer.headers["ETag"] == tenant.admin.get(where).headers["ETag"]
    assert settings(platform, tenant, {
        "queue_max": 10, "branding": {"name": None}}) == {
        **whole, "branding": {"color": "#112233"}, "queue_max": 10}
    assert tenant.rows("SELECT settings FROM tenant WHERE id = %s")[0][
        "settings"]["queue_max"] == 10
    # What protects the others is not for the tenant's own.
    assert pointers(patch(tenant.admin, where, {"queue_max": None})) == {
        "/queue_max": "not_allowed"}
    assert pointers(put(tenant.admin, where, {})) == {
        "/queue_max": "not_allowed"}
    assert settings(tenant.admin, tenant, {"branding": None}).keys() == {
        "cors_origins", "queue_max"}
    detail = [r["detail"] for r in tenant.rows(
        "SELECT detail FROM audit WHERE tenant_id = %s "
        "AND action = 'tenant.change' ORDER BY id")]
    assert detail[-1] == {"settings": ["branding"]}


@pytest.mark.parametrize("wrong, pointer", [
    ({"cors_origins": ["app.example.org"]}, "/cors_origins/0"),
    ({"cors_origins": ["https://a.org", "https://b.org/"]}, "/cors_origins/1"),
    ({"cors_origins": ["https://A.org"]}, "/cors_origins/0"),
    ({"cors_origins": ["https://a.org:"]}, "/cors_origins/0"),
    ({"cors_origins": ["https://[::1"]}, "/cors_origins/0"),
    ({"cors_origins": ["*"]}, "/cors_origins/0"),
    ({"branding": {"color": "red"}}, "/branding/color"),
    ({"branding": {"logo_url": "javascript:alert(1)"}}, "/branding/logo_url"),
    ({"branding": {"fax": "1"}}, "/branding/fax"),
    ({"quiet_hours": {"from": "25:00", "to": "7"}}, "/quiet_hours"),
    ({"quiet_hours": {"from": "22:00", "to": "07:00", "exempt": "x"}},
     "/quiet_hours/exempt"),
    ({"queue_max": -1}, "/queue_max"),
    ({"channels": ["fax"]}, "/channels/0"), ({"channels": []}, "/channels"),
    ({"delivery_rate": 0}, "/delivery_rate"),
    ({"no_such": 1}, "/no_such"),
])
def test_faults_of_settings(platform, tenant, wrong, pointer):
    assert pointer in pointers(patch(platform, path(tenant, "/settings"),
                                     wrong))


BROKEN = '''{
    "queue_max": 1e400, "delivery_rate": "many",
    "channels": ["pigeon", "email", "sms"],
    "branding": {"name": "Larkspur", "color": 7},
    "quiet_hours": {"from": "25:00", "to": "07:00"},
    "limits": {"send": {"rate": [], "burst": 5},
               "read": {"rate": 123456789012345678901234567890}},
    "cors_origins": ["https://app.example.org", 7], "no_such": {}}'''
WHOLE = {"channels": ["email", "sms"], "branding": {"name": "Larkspur"},
         "limits": {}, "cors_origins": ["https://app.example.org"]}


def complaints(stack, tenant):
    rows = json.loads(stack.run_ctl("--json", "doctor").stdout)
    return {re.search('setting "(.*?)"', r["text"]).group(1) for r in rows
            if r["check"] == "settings" and f'"{tenant.slug}"' in r["text"]}


@pytest.mark.parametrize("text", ["5", "[]", '"on"', "null"])
def test_settings_are_an_object_whoever_writes_them(tenant, text):
    with pytest.raises(psycopg2.errors.CheckViolation):
        tenant.rows(f"UPDATE tenant SET settings = '{text}' WHERE id = %s")


@pytest.mark.expect_log("a setting of a tenant is broken and counts as absent")
def test_broken_settings_count_as_absent(stack, platform, tenant):
    """Of a hand in the database, say.  All others of the tenant count."""
    tenant.rows(f"UPDATE tenant SET settings = '{BROKEN}' WHERE id = %s")
    tenant.rows("UPDATE tenant_generation SET generation = generation + 1 "
                "WHERE tenant_id = %s")
    wait_until_known()
    # What belfry-api goes by, and what it chooses ways by.
    both = {"to": {"email": "ann@example.org", "phone": "+43660123456"},
            "channels": ["email", "push"],
            "content": {"email": {"subject": "x", "text": "{{brand.name}}"},
                        "push": {"title": "x", "body": "x"}}}
    assert pointers(tenant.api.send(both)) == {"/channels/1": "not_allowed"}
    assert tenant.admin.get(path(tenant, "/settings")).json() == WHOLE
    assert stack.ctl("tenant", "show", tenant.slug)["settings"] == WHOLE
    # What a spooler goes by.
    both["channels"] = ["email"]
    tenant.api.accepted(both)
    assert tenant.wait_for_mails(1)[0].get_content().strip() == "Larkspur"
    tenant.idle()
    told = [line["setting"] for line in stack.logs.lines()
            if line.get("tenant_id") == tenant.id and "setting" in line]
    want = {"/queue_max", "/delivery_rate", "/channels/0", "/branding/color",
            "/quiet_hours", "/limits/send/rate", "/limits/read/rate",
            "/cors_origins/1", "/no_such"}
    assert set(told) == want
    assert len(told) > len(want), "by belfry-api and by a spooler"
    assert complaints(stack, tenant) == want
    # A change of anything mends them.
    assert settings(platform, tenant, {"delivery_rate": 50}) == {
        **WHOLE, "delivery_rate": 50}
    assert complaints(stack, tenant) == set()


def test_branding_shows_in_templates(tenant):
    """Within a second, without a restart."""
    text = "{{tenant.name}}|{{brand.name}}|{{tenant.branding.footer}}"
    body = mail(content={"email": {"subject": "x", "text": text}})

    def said():
        before = len(tenant.mails())
        tenant.api.accepted(body)
        return tenant.wait_for_mails(before + 1)[-1].get_content().strip()
    assert said() == f"{tenant.slug}|{tenant.slug}|"
    settings(tenant.admin, tenant,
             {"branding": {"name": "Larkspur", "footer": "1 Mill Lane"}})
    assert wait_until(lambda: (lambda t: t if "Lark" in t else None)(said()),
                      10, "the brand") == \
        f"{tenant.slug}|Larkspur|1 Mill Lane"
    tenant.idle()


def test_branding_shows_in_the_default_layout(tenant):
    settings(tenant.admin, tenant, {"branding": {
        "name": "Larkspur & Co", "url": "https://larkspur.example",
        "logo_url": "https://larkspur.example/logo.png", "color": "#b45309",
        "support_email": "help@larkspur.example",
        "footer": "Larkspur Ltd\n1 Mill Lane"}})

    tenant.ctl("seed")

    def parts():
        before = len(tenant.mails())
        tenant.api.accepted({"to": {"email": "ann@example.org"}, "data": ORDER,
                             "template": "order-shipped"})
        message = tenant.wait_for_mails(before + 1)[-1]
        return [message.get_body([kind]).get_content()
                for kind in ("html", "plain")]
    html, plain = wait_until(lambda: (lambda p: p if "Lark" in p[0] else None)(
        parts()), 10, "the brand")
    assert ('<a class="text" href="https://larkspur.example" style="color:#1e293b;'
            'text-decoration:none"><img src="https://larkspur.example/logo.png" '
            'alt="Larkspur &amp; Co"') in html
    assert "border-top:4px solid #b45309" in html
    for text in (html, plain):
        assert "help@larkspur.example" in text
        assert "Larkspur Ltd\n1 Mill Lane" in text.replace("\r\n", "\n")
    tenant.idle()


def test_queue_max_refuses_what_is_too_much(platform, tenant):
    settings(platform, tenant, {"queue_max": 2})
    # How much waits is measured now and then.
    wait_until(lambda: tenant.api.send(mail(
        send_at="2027-06-01T00:00:00Z")).status_code == 429, 20, "the refusal")
    problem(tenant.api.send(mail()), 429, "queue_full")
    settings(platform, tenant, {"queue_max": None})
    wait_until(lambda: tenant.api.send(mail()).status_code == 202, 20,
               "the end of it")
    tenant.rows("DELETE FROM q_later WHERE tenant_id = %s")
    tenant.idle()


def test_a_channel_that_is_not_allowed(platform, tenant):
    """Refused by name, left out where nobody asked for it."""
    tenant.ctl("provider", "add", "texts", "--kind", "simulator-sms")
    both = {"to": {"email": "ann@example.org", "phone": "+43660123456"},
            "content": {"email": {"subject": "x", "text": "y"},
                        "sms": {"text": "z"}}}
    settings(platform, tenant, {"channels": ["email", "push"]})
    sms = {**both, "channels": ["email", "sms"]}
    wait_until(lambda: tenant.api.send(sms).status_code == 422, 5,
               "the setting")
    assert pointers(tenant.api.send(sms)) == {"/channels/1": "not_allowed"}
    order = {**both, "fallback": [{"channel": "email"}, {"channel": "sms"}]}
    assert pointers(tenant.api.send(order)) == {
        "/fallback/1/channel": "not_allowed"}
    del both["content"]["email"]
    assert pointers(tenant.api.send(both)) == {"/content": "not_allowed"}
    both["content"]["email"] = {"subject": "x", "text": "y"}
    sent = tenant.api.accepted(both)
    tenant.wait_for_mails(1)
    found = tenant.api.notification(sent)["deliveries"]
    assert [d["channel"] for d in found] == ["email"]
    plan = tenant.api.get(f"{SERVICES}/{sent}/explain").json()["deliveries"]
    assert "not sms (not allowed)" in plan[0]["trace"][0]["why"]
    tenant.idle()


def test_a_channel_that_is_forbidden_after_it_was_accepted(platform, tenant):
    sent = tenant.api.accepted(mail(channels=["email"],
                                    send_at="2027-06-01T00:00:00Z"))
    settings(platform, tenant, {"channels": ["push"]})
    tenant.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s")
    wait_until(lambda: tenant.api.notification(sent)["state"] == "done", 10,
               "the end")
    found = tenant.api.notification(sent)["deliveries"][0]
    assert (found["state"], found["reason"]) == (
        "skipped", "the tenant may not send by email")
    assert tenant.mails() == []


def test_a_rate_holds_for_all_accounts_and_channels(platform, tenant):
    """What starts is never nearer together than the rate has it."""
    tenant.ctl("provider", "add", "box2", "--kind", "simulator-email")
    tenant.ctl("provider", "add", "texts", "--kind", "simulator-sms")
    settings(platform, tenant, {"delivery_rate": 20})
    body = {"to": [{"email": f"p{i}@example.org", "phone": f"+4366012345{i + 20}"}
                   for i in range(15)],
            "content": {"email": {"subject": "x", "text": "y"},
                        "sms": {"text": "z"}}}
    sent = tenant.api.accepted(body)
    tenant.idle()
    times = [r["at"] for r in tenant.rows(
        "SELECT extract(epoch FROM started_at)::float8 AS at FROM attempt "
        "WHERE tenant_id = %s ORDER BY 1")]
    assert len(times) == 30
    # Attempts are written ahead of their time, by at most 300 ms.
    assert times[-1] - times[0] >= 29 / 20 - 0.35
    why = tenant.api.get(f"{SERVICES}/{sent}/explain").json()
    assert {"what": "rate", "why": "the tenant has 20 deliveries a second"} \
        in why["deliveries"][0]["trace"]
    budget = tenant.rows("SELECT provider_id FROM provider_budget "
                         "WHERE tenant_id = %s")
    assert [r["provider_id"] for r in budget] == [NIL]
    settings(platform, tenant, {"delivery_rate": None})
    tenant.api.accepted({**body, "channels": ["email"]})
    tenant.idle()


# belfryctl


def test_belfryctl_does_the_same(stack, platform, tenant):
    said = stack.ctl("tenant", "set", tenant.slug, "--name", "Mine",
                     "--weight", "7", "--set", "branding.color=#123456",
                     "--set", "cors_origins=https://a.org,https://b.org")
    assert said["settings"] == {"branding": {"color": "#123456"},
                                "cors_origins": ["https://a.org",
                                                 "https://b.org"]}
    assert platform.get(path(tenant)).json().items() >= {
        "name": "Mine", "weight": 7}.items()
    assert platform.get(path(tenant, "/settings")).json() == said["settings"]
    assert stack.ctl("tenant", "show", tenant.slug)["settings"] == \
        said["settings"]
    for wrong in (["--set", "queue_max=x"], ["--set", "nothing=1"],
                  ["--test", "perhaps"], ["--time-zone", "Mars"],
                  ["--set", "branding.color=red"]):
        assert stack.run_ctl("tenant", "set", tenant.slug,
                             *wrong).returncode != 0
    stack.ctl("tenant", "set", tenant.slug, "--unset", "branding")
    assert "branding" not in tenant.admin.get(path(tenant,
                                                   "/settings")).json()
