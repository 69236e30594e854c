# test_tenant_deletion.py - nothing of a deleted tenant is left, and nothing else is gone
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import ADMIN, SERVICES, Client, mail, problem
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

TENANTS = f"{ADMIN}/tenants"
TABLES = """
    SELECT c.oid::regclass::text AS name FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relnamespace = 'belfry'::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition"""


# What spoolers tidy up when they come to it.
TRANSIENT = ("throughput", "tenant_ready")


@pytest.fixture
def platform(stack, issuers):
    return Client(stack.url, issuers["sso"].token(
        "ed", azp="app", sub="root",
        realm_access={"roles": ["belfry-platform"]}))


def counts(tenant):
    """Rows of a tenant in every table that has tenants, as the catalogue has it."""
    names = [r["name"] for r in tenant.stack.rows(TABLES)]
    assert "notification" in names and "audit" in names
    found = {name: tenant.stack.value(
        f"SELECT count(*) FROM {name} WHERE tenant_id = %s", tenant.id)
        for name in names}
    return {name: n for name, n in found.items() if n > 0}


def furnish(tenant):
    admin = tenant.admin
    admin.post(f"{ADMIN}/templates", json={
        "key": "t", "name": "T", "publish": True, "parts": {
            "en": {"email.subject": "x", "email.text": "y"}}})
    admin.request("PUT", "/api/v1/services/recipients/u1",
                  json={"email": "u1@example.org"})
    admin.request("PUT", "/api/v1/services/recipients/u1/devices",
                  json={"token": "ntfy:x", "platform": "android"})
    admin.post(f"{ADMIN}/suppressions", json={
        "address": "no@example.org", "channel": "email"})
    admin.post(f"{ADMIN}/issuers", json={
        "name": "sso", "issuer": "https://sso.example.org",
        "audience": ["belfry"]})
    tenant.api.accepted(mail(), idempotency_key="k1")
    tenant.api.accepted(mail("no@example.org"))
    tenant.api.accepted(mail(send_at="2027-06-01T00:00:00Z"))
    tenant.wait_for_mails(1)
    tenant.nothing_ready()
    tenant.rows("INSERT INTO recipient (tenant_id, user_id) "
                "SELECT %s, 'p' || n FROM generate_series(1, 5000) n")


def deletion(platform, tenant):
    answer = platform.get(f"{TENANTS}/{tenant.slug}/deletion")
    assert answer.status_code == 200, answer.text
    return answer.json()


def is_deleted(platform, tenant):
    said = deletion(platform, tenant)
    return said if said["state"] == "deleted" else None


@pytest.mark.expect_log("a worker has crashed")
def test_nothing_is_left_and_nobody_else_is_touched(stack, platform, tenant,
                                                    other_tenant):
    furnish(tenant)
    furnish(other_tenant)
    before, mine = counts(other_tenant), counts(tenant)
    assert len(mine) >= 14, mine
    where = f"{TENANTS}/{tenant.slug}"
    problem(tenant.admin.request("DELETE", where), 403, "forbidden")
    problem(platform.request("DELETE", where, headers={"If-Match": '"99"'}),
            412, "precondition_failed")
    answer = platform.request("DELETE", where)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "deleting"
    assert answer.headers["Location"].endswith(f"{where}/deletion")
    assert platform.request("DELETE", where).status_code in (202, 404)
    problem(platform.post(f"{where}/resume"), 404, "not_found")
    # Killed on the way, the spoolers go on where they were.
    wait_until(lambda: deletion(platform, tenant)["removed"] > 0, 10,
               "the first rows")
    stack.kill_workers("spooler")
    receipt = wait_until(lambda: is_deleted(platform, tenant), 30, "the end")
    assert counts(tenant) == {}
    after = counts(other_tenant)
    for table in TRANSIENT:
        for found in (before, after, mine):
            found.pop(table, None)
    assert after == before
    assert receipt["tables"]["recipient"] == 5001
    assert receipt["removed"] == sum(receipt["tables"].values()) >= \
        sum(mine.values())
    assert receipt["requested_by"].startswith("admin:root ")
    audit = stack.rows("SELECT principal, detail FROM audit "
                       "WHERE tenant_id = 0 AND object = %s", tenant.slug)
    assert audit[0]["principal"] == receipt["requested_by"]
    assert audit[0]["detail"] == {"tenant": tenant.id, "left": 0,
                                  "removed": receipt["removed"],
                                  "tables": receipt["tables"]}
    problem(platform.get(where), 404, "not_found")
    problem(tenant.api.send(mail()), 401, "unauthenticated")
    # The slug is free again, and holds nothing of the old one.
    made = platform.post(TENANTS, json={"slug": tenant.slug, "name": "New"})
    assert made.status_code == 201
    assert platform.get(f"{ADMIN}/templates", headers={
        "Belfry-Tenant": tenant.slug}).json()["data"] == []
    problem(tenant.api.send(mail()), 401, "unauthenticated")


def test_what_is_on_the_wire_is_waited_for(stack, platform):
    tenant = Tenant(stack, maildir=False)
    with FaultyServer({"MAIL": "hang"}) as server:
        tenant.add_provider("out", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        tenant.api.accepted(mail())
        wait_until(lambda: server.connections > 0, 10, "an attempt")
        said = stack.ctl("tenant", "delete", tenant.slug, "--yes")
        assert said["state"] == "deleting"
        looked = "SELECT looked_at FROM tenant_deletion WHERE tenant = %s"
        first = stack.value(looked, tenant.id)
        wait_until(lambda: stack.value(looked, tenant.id) > first, 10, "a look")
        assert tenant.count("attempt") == 1
        assert stack.ctl("tenant", "show", tenant.slug)["removed"] == 0
    wait_until(lambda: stack.ctl("tenant", "show", tenant.slug)["state"] ==
               "deleted", 30, "the end")
    assert counts(tenant) == {}


def test_belfryctl_asks_twice(stack, tenant):
    done = stack.run_ctl("tenant", "delete", tenant.slug)
    assert done.returncode == 2 and "--yes" in done.stderr
    assert tenant.api.get(f"{SERVICES}/x").status_code == 404
