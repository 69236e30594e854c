# test_cors.py - pages of other origins: who may read an answer
#
# SPDX-License-Identifier: BSD-2-Clause
import json

import pytest

from harness.api import ADMIN, SERVICES, Client, mail
from harness.tenant import Tenant
from harness.web_server import SERVERS

CONSOLE = "https://console.example.org"
SHOP = "https://shop.example.org"
SEND = f"{SERVICES}/send"


def origins_of(stack, *origins):
    """A new tenant with origins of its own, which no worker knows yet."""
    tenant = Tenant(stack, maildir=False)
    stack.rows("UPDATE tenant SET settings = settings || jsonb_build_object("
               "'cors_origins', %s::jsonb) WHERE id = %s",
               json.dumps(origins), tenant.id)
    return tenant


def preflight(url, origin, path=SEND, method="POST"):
    return Client(url, None).request("OPTIONS", path, headers={
        "Origin": origin, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type"})


def allows(answer):
    """The origin that may read the answer."""
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    return answer.headers.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.program)
def test_preflight(kind, stack):
    """Through each web server; no credentials are asked for."""
    server = kind(stack.directory / "s/api.sock").up()
    try:
        answer = preflight(server.url, CONSOLE)
        assert answer.status_code == 204
        assert allows(answer) == CONSOLE
        assert answer.headers["Access-Control-Allow-Methods"] == \
            "POST, OPTIONS"
        assert {"Authorization", "Content-Type", "Idempotency-Key"} <= set(
            answer.headers["Access-Control-Allow-Headers"].split(", "))
        assert allows(preflight(server.url, "https://evil.example")) is None
    finally:
        server.down()


@pytest.mark.parametrize("origin", [
    "https://evil.example", "https://console.example.org.evil.example",
    "http://console.example.org", "https://console.example.org:8443", "null",
    "*", "", "https://CONSOLE.example.org", "https://console.example.org/",
    "http://localhost", "https://console.example.org http://localhost:3000",
    "https://", "x" * 3000])
def test_others_are_told_nothing(stack, tenant, origin):
    assert allows(preflight(stack.url, origin)) is None
    assert allows(tenant.api.send(mail(), Origin=origin)) is None


@pytest.mark.expect_log("a setting of a tenant is broken")
def test_the_tenants_own(stack, tenant):
    """Read by its tokens alone; a preflight does not know whose it will be."""
    shop = origins_of(stack, SHOP, "null", "*")
    assert allows(shop.api.send(mail(), Origin=SHOP)) == SHOP
    answer = shop.api.get(f"{SERVICES}/none", headers={"Origin": SHOP})
    assert (answer.status_code, allows(answer)) == (404, SHOP)
    assert "RateLimit" in answer.headers["Access-Control-Expose-Headers"]
    assert allows(tenant.api.send(mail(), Origin=SHOP)) is None
    assert allows(tenant.api.send(mail(), Origin=CONSOLE)) == CONSOLE
    assert allows(shop.api.send(mail(), Origin="null")) is None
    stack.rows("SELECT pg_sleep(2.1)")  # workers read those of all then
    assert allows(preflight(stack.url, SHOP)) == SHOP
    refused = Client(stack.url, None).send(mail(), Origin=SHOP)
    assert (refused.status_code, allows(refused)) == (401, SHOP)


def test_settings_take_origins_and_limits(stack, tenant):
    path = f"{ADMIN}/tenants/{tenant.slug}/settings"
    assert tenant.admin.request("PATCH", path, json={
        "cors_origins": [SHOP]}).status_code == 200
    for limits in ({"send": {"rate": 1}}, {}):
        answer = tenant.admin.request("PATCH", path, json={"limits": limits})
        assert answer.status_code == 422, answer.text
    wrong = tenant.stack.run_ctl("tenant", "set", tenant.slug, "--set",
                                 "limits.send.rate=0")
    assert wrong.returncode != 0
    tenant.stack.ctl("tenant", "set", tenant.slug, "--set",
                     "limits.send.rate=7", "--set", "limits.send.burst=9")
    assert stack.value("SELECT settings->'limits' FROM tenant WHERE id = %s",
                       tenant.id) == {"send": {"rate": 7, "burst": 9}}


def test_headers_of_every_answer(stack, tenant):
    for answer in (tenant.api.send(mail()), tenant.api.get("/nothing"),
                   Client(stack.url, None).get("/health/live"),
                   preflight(stack.url, CONSOLE),
                   Client(stack.url, None).send(mail())):
        h = answer.headers
        assert h["X-Content-Type-Options"] == "nosniff"
        assert h["X-Frame-Options"] == "DENY"
        assert h["Referrer-Policy"] == "no-referrer"
        assert h["Content-Security-Policy"].startswith("default-src 'none'")
        assert h["Cache-Control"] == "no-store"
