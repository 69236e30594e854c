# test_guard.py - where accounts of tenants may not lead
#
# SPDX-License-Identifier: BSD-2-Clause
import ipaddress
import socket
import subprocess

import pytest

from harness.api import ADMIN, mail
from harness.fake_provider import FakeProvider
from harness.tenant import Tenant
from harness.wait import wait_until

WHY = "network.allowed"
# Here the open Internet alone may be reached.
pytestmark = pytest.mark.settings(settings={"network.allowed": ""})
SMTP = {"host": "mx.example.org", "tls": "none", "from": "shop@example.org"}

LOOPBACK = "127.0.0.0/8 ::1"
PLATFORM_ALONE = pytest.mark.settings(settings={
    "network.allowed": "", "network.allowed_platform": LOOPBACK,
    "webhook.http": "true", "webhook.ports": ""})


def account(kind, **settings):
    return {"name": f"a-{kind}", "kind": kind, "settings": settings}


def pointers(answer):
    assert answer.status_code == 422, answer.text
    return {e["pointer"]: e["detail"] for e in answer.json()["errors"]}


def test_what_is_written_is_looked_at(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    for kind, name, settings in [
            ("webhook", "url", {"url": "http://127.0.0.1:11211/"}),
            ("webhook", "url", {"url": "http://[::ffff:10.1.2.3]/"}),
            ("ntfy", "base_url", {"base_url": "http://0x7f.1"}),
            ("slack", "url", {"url": "https://169.254.169.254/latest"}),
            ("smtp", "host", {**SMTP, "host": "localhost"}),
            ("smtp", "host", {**SMTP, "host": "10.0.0.1"})]:
        found = pointers(tenant.admin.post(
            f"{ADMIN}/providers", json=account(kind, **settings)))
        assert WHY in found[f"/settings/{name}"]
    made = tenant.admin.post(f"{ADMIN}/providers",
                             json=account("smtp", **SMTP))
    assert made.status_code == 201, made.text
    found = pointers(tenant.admin.request(
        "PATCH", f"{ADMIN}/providers/{made.json()['id']}",
        json={"settings": {"host": "127.0.0.1"}}))
    assert WHY in found["/settings/host"]
    refused = own_stack.run_ctl(
        "provider", "add", "own", "--kind", "webhook", "--set",
        "url=http://192.168.1.1/", tenant=tenant.slug)
    assert refused.returncode != 0 and WHY in refused.stderr


def test_what_stands_in_lists_and_keys_is_looked_at(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"],
                         capture_output=True, text=True, check=True).stdout
    google = {"project_id": "shop-1", "client_email": "a@b.example",
              "private_key": pem, "token_uri": "https://10.0.0.1/token"}
    browsers = {"subject": "mailto:admin@example.org",
                "private_key": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
                "hosts": ["push.example.org", "localhost"]}
    for kind, settings, pointer in [
            ("fcm", {"service_account": google},
             "/settings/service_account/token_uri"),
            ("webpush", browsers, "/settings/hosts/1")]:
        found = pointers(tenant.admin.post(
            f"{ADMIN}/providers", json=account(kind, **settings)))
        assert WHY in found[pointer]
    browsers["hosts"].pop()
    google["token_uri"] = "https://oauth2.googleapis.com/token"
    for kind, settings in [("fcm", {"service_account": google}),
                           ("webpush", browsers)]:
        made = tenant.admin.post(f"{ADMIN}/providers",
                                 json=account(kind, **settings))
        assert made.status_code == 201, made.text


def test_names_are_looked_at_when_they_are_known(own_stack):
    """What a name leads to is seen by whoever connects, tests included."""
    name = socket.gethostname()
    try:
        address = ipaddress.ip_address(socket.gethostbyname(name))
    except OSError:
        pytest.skip("this host does not know its own name")
    if address.is_global:
        pytest.skip("this host is of the open Internet")
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider:
        tenant.add_provider("relay", "smtp", port=provider.smtp_port,
                            **{**SMTP, "host": name})
        tenant.add_provider("hook", "webhook",
                            url=f"http://{name}:{provider.http_port}/")
        told = own_stack.run_ctl("provider", "test", "relay",
                                 tenant=tenant.slug)
        assert WHY in told.stdout + told.stderr
        first = tenant.api.accepted(mail())
        second = tenant.api.accepted(
            {"to": {"user_id": "u1"}, "channels": ["webhook"],
             "content": {"webhook": {"a": 1}}})
        for identity in (first, second):
            assert WHY in reason_of(tenant, identity)
        assert not provider.connections


def goes_out(tenant):
    events = tenant.api.ended(tenant.api.accepted(mail()))
    assert "delivery.sent" in {e["type"] for e in events}, events


def points_at(tenant, name, key, value):
    """As a name that has changed its mind would: what stands there is not looked at."""
    tenant.rows("WITH g AS (UPDATE tenant_generation SET generation = "
                "generation + 1 WHERE tenant_id = %s RETURNING tenant_id) "
                "UPDATE provider p SET settings = jsonb_set(settings::jsonb, "
                "%s, to_jsonb(%s::text)), version = version + 1 FROM g "
                "WHERE p.tenant_id = g.tenant_id AND p.name = %s",
                [key], value, name)


def shared(stack, tenant, name, kind, settings):
    """An account of the platform that the tenant may use."""
    arguments = ["provider", "add", name, "--kind", kind]
    for key, value in settings.items():
        arguments += ["--set", f"{key}={value}"]
    stack.ctl(*arguments, tenant="platform")
    stack.ctl("provider", "share", name, "--to", tenant.slug, "--as",
              f"platform-{name}")


@PLATFORM_ALONE
def test_the_platform_leads_where_tenants_do_not(own_stack):
    """Its mail server stands on this host; no tenant reaches it but by its account."""
    tenant = Tenant(own_stack, maildir=False)
    other = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider:
        local = {**SMTP, "host": "127.0.0.1", "port": provider.smtp_port}
        found = pointers(tenant.admin.post(
            f"{ADMIN}/providers", json=account("smtp", **local)))
        assert "network.allowed " in found["/settings/host"]
        for path, body, pointer in [
                (f"{ADMIN}/providers", account(
                    "sendgrid", api_key="SG.x", base_url=provider.url(),
                    **{"from": "shop@example.org"}), "/settings/base_url"),
                (f"{ADMIN}/webhooks", {
                    "url": provider.url(), "events": []}, "/url"),
                (f"{ADMIN}/issuers", {
                    "name": "i", "issuer": provider.url(),
                    "audience": ["belfry"]}, "/issuer")]:
            assert WHY in pointers(tenant.admin.post(path, json=body))[pointer]
        shared(own_stack, tenant, "relay", "smtp", local)
        shared(own_stack, tenant, "grid", "sendgrid", {
            "api_key": "SG.x", "base_url": provider.url(),
            "from": "shop@example.org"})
        told = own_stack.run_ctl("provider", "test", "relay",
                                 tenant="platform")
        assert told.returncode == 0, told.stdout + told.stderr
        own_stack.ctl("provider", "disable", "platform-grid",
                      tenant=tenant.slug)
        goes_out(tenant)
        own_stack.ctl("provider", "enable", "platform-grid",
                      tenant=tenant.slug)
        own_stack.ctl("provider", "disable", "platform-relay",
                      tenant=tenant.slug)
        goes_out(tenant)
        assert {r.channel for r in provider.receipts} == {"email"}
        before = dict(provider.connections)
        assert all(before[kind] for kind in ("smtp", "http")), before
        with_file = {**mail(), "attachments": [{
            "name": "a.txt", "type": "text/plain", "url": provider.url()}]}
        answer = tenant.api.send(with_file)
        assert WHY in pointers(answer)["/attachments/0/url"]
        other.add_provider("own", "smtp", **{**local, "host": "mx.example.org"})
        points_at(other, "own", "host", "127.0.0.1")
        assert "network.allowed " in reason_of(other, other.api.accepted(mail()))
        assert dict(provider.connections) == before


@PLATFORM_ALONE
def test_the_key_that_counts_is_named(own_stack):
    for tenant, key in [("platform", "network.allowed_platform"),
                        (Tenant(own_stack, maildir=False).slug, WHY)]:
        refused = own_stack.run_ctl(
            "provider", "add", "x", "--kind", "webhook", "--set",
            "url=http://10.1.2.3/", tenant=tenant)
        assert refused.returncode != 0 and key in refused.stderr
        assert ("allowed_platform" in refused.stderr) == (tenant == "platform")


def reason_of(tenant, identity):
    def tried():
        return next((e["text"] for e in tenant.api.timeline(identity)
                     if e.get("class") == "retry"), None)
    return wait_until(tried, 30, "the first attempt")
