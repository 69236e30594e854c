# test_shared_accounts.py - accounts of the platform that tenants may use
#
# SPDX-License-Identifier: BSD-2-Clause
import itertools
import os

import pytest
import requests

from harness.api import ADMIN, mail, problem
from harness.fake_provider import FakeProvider
from harness.hooks import SendGrid, twilio_signature
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

NAMES = (f"p{os.getpid()}-{n}" for n in itertools.count(1))
PUBLIC = "https://notify.example.org"
PHONE = "+43660123456"
PLATFORM = -1


class Account:
    """An account of the platform."""

    def __init__(self, stack, kind="maildir", limits=(), **settings):
        self.stack, self.name = stack, next(NAMES)
        self.maildir = stack.mail / self.name
        if kind == "maildir":
            settings = {"directory": self.maildir,
                        "from": "platform@example.net",
                        "senders": "other@example.net"} | settings
        arguments = ["provider", "add", self.name, "--kind", kind]
        for key, value in settings.items():
            arguments += ["--set", f"{key}={value}"]
        for limit in limits:
            arguments += ["--limit", limit]
        self.id = self.ctl(*arguments)["id"]

    def ctl(self, *arguments, **more):
        return self.stack.ctl(*arguments, tenant="platform", **more)

    def share(self, tenant, *allowed, name="shared"):
        arguments = ["provider", "share", self.name, "--to", tenant.slug,
                     "--as", name]
        for one in allowed:
            arguments += ["--allow", one]
        self.stack.ctl(*arguments)
        return self.row(tenant)["id"]

    def unshare(self, tenant):
        self.stack.ctl("provider", "unshare", self.name, "--from", tenant.slug)

    def row(self, tenant):
        return next(p for p in tenant.admin.get(f"{ADMIN}/providers")
                    .json()["data"] if p["shared"])

    def mails(self):
        new = self.maildir / "new"
        return [p.read_text() for p in new.iterdir()] if new.is_dir() else []


def patch(tenant, path, body):
    return tenant.admin.request(
        "PATCH", path, json=body,
        headers={"Content-Type": "application/merge-patch+json"})


def pair_of(stack):
    return Tenant(stack, maildir=False), Tenant(stack, maildir=False)


@pytest.fixture
def pair(stack):
    return pair_of(stack)


def test_each_sends_as_itself(stack, pair):
    one, two = pair
    account = Account(stack)
    account.share(one, "one.example.org")
    account.share(two, "box@two.example.org")
    one.ctl("provider", "set", "shared", "--set", "from=a@one.example.org",
            "--set", "from_name=One")
    two.ctl("provider", "set", "shared", "--set", "from=box@two.example.org")
    for tenant in pair:
        tenant.api.ended(tenant.api.accepted(mail()))
    senders = sorted(line for text in account.mails()
                     for line in text.split("\n") if line.startswith("From:"))
    assert senders == ["From: One <a@one.example.org>",
                       "From: box@two.example.org"]


def test_nobody_sends_as_another(stack, pair):
    one, _ = pair
    account = Account(stack)
    identity = account.share(one, "one.example.org")
    path = f"{ADMIN}/providers/{identity}"
    for setting, value in (("from", "a@two.example.org"),
                           ("from", "a@sub.one.example.org"),
                           ("senders", ["a@one.example.org",
                                        "platform@example.net"]),
                           ("directory", "/tmp/x")):
        told = problem(patch(one, path, {"settings": {setting: value}}),
                       422, "validation_failed")
        assert [e["pointer"] for e in told["errors"]] == [f"/settings/{setting}"]
    # Neither as another sender of the platform.
    answer = one.api.send(mail() | {"content": {"email": {
        "subject": "x", "text": "x", "from": "other@example.net"}}})
    assert answer.status_code == 422
    # Narrower leave takes the sender away.
    assert patch(one, path, {"settings": {
        "from": "a@one.example.org"}}).status_code == 200
    account.share(one, "two.example.org")
    assert account.row(one)["settings"] == {}
    one.api.ended(one.api.accepted(mail()))
    assert "From: platform@example.net" in account.mails()[0]


def test_a_tenant_sees_its_part_alone(stack, pair):
    one, two = pair
    account = Account(stack, kind="smtp", host="smtp.example.net",
                      password="hunter2", username="u",
                      **{"from": "p@example.net"})
    identity = account.share(one, "one.example.org")
    path = f"{ADMIN}/providers/{identity}"
    shown = one.admin.get(path)
    assert shown.json()["shared"] and "limits" not in shown.json()
    assert shown.json()["settings"] == {}
    assert shown.json()["allowed"] == ["one.example.org"]
    assert "example.net" not in shown.text and "hunter2" not in shown.text
    health = one.admin.get(f"{path}/health").json()
    assert health["breaker"] == "closed" and "granted_today" not in health
    for body in ({"name": "mine"}, {"limits": {"per_day": 5}}):
        assert patch(one, path, body).status_code == 422
    assert patch(one, path, {"priority": 3, "weight": 2}) \
        .json()["priority"] == 3
    assert one.admin.request("PUT", path, json=one.admin.get(path).json()) \
        .status_code == 200
    problem(one.admin.request("DELETE", path), 403, "forbidden")
    problem(one.admin.post(f"{path}/test", json={}), 403, "forbidden")
    problem(two.admin.get(path), 404, "not_found")
    problem(one.admin.get(f"{ADMIN}/providers/{account.id}"), 404, "not_found")
    for client in (one.admin, one.api):
        problem(client.get(f"{ADMIN}/providers/{account.id}/shares"), 403,
                "forbidden")
    assert one.rows("SELECT action FROM audit WHERE tenant_id = %s "
                    "AND action = 'provider.share'")


def test_what_is_shared_stays(stack, pair):
    one, _ = pair
    account = Account(stack)
    account.share(one)
    done = stack.run_ctl("provider", "remove", account.name, tenant="platform")
    assert done.returncode != 0 and "have leave" in done.stderr
    done = stack.run_ctl("provider", "remove", "shared", tenant=one.slug)
    assert done.returncode != 0 and "unshare" in done.stderr
    account.unshare(one)
    account.ctl("provider", "remove", account.name)


def test_the_platform_sends_nothing(stack):
    for command in (("key", "add", "x", "--scope", "notifications:send"),
                    ("send", "--to", "a@example.org", "--template", "x"),
                    ("tenant", "suspend", "platform")):
        assert stack.run_ctl(*command, tenant="platform").returncode != 0
    assert "platform" not in [t["slug"] for t in stack.ctl("tenant", "list")]


def test_every_tenant_gets_it(stack):
    before = Tenant(stack, maildir=False)
    account = Account(stack)
    try:
        stack.ctl("provider", "share", account.name, "--all", "--allow",
                  "{tenant}@mail.example.net")
        after = Tenant(stack, maildir=False)
        for tenant in (before, after):
            row = account.row(tenant)
            assert row["name"] == account.name
            assert row["allowed"] == [f"{tenant.slug}@mail.example.net"]
        after.api.ended(after.api.accepted(mail()))
        assert len(account.mails()) == 1
    finally:
        stack.ctl("provider", "unshare", account.name, "--all")
    assert before.admin.get(f"{ADMIN}/providers").json()["data"] == []


def test_one_budget_for_all(stack, pair):
    account = Account(stack, limits=("per_day=3",))
    for tenant in pair:
        account.share(tenant)
    for tenant in pair:
        for _ in range(3):
            tenant.api.accepted(mail())
    wait_until(lambda: len(account.mails()) == 3, 30, "what the day allows")
    used = stack.rows("SELECT tenant_id, used FROM provider_budget "
                      "WHERE provider_id = %s", account.id)
    assert used == [{"tenant_id": PLATFORM, "used": 3}]
    account.ctl("provider", "set", account.name, "--limit", "per_day=")
    wait_until(lambda: len(account.mails()) == 6, 30, "the others")


@pytest.mark.expect_log("provider account is parked")
def test_parked_once_and_for_all(stack, pair):
    with FaultyServer({"MAIL": "535 5.7.8 who are you"}) as bad:
        account = Account(stack, kind="smtp", host="127.0.0.1", port=bad.port,
                          tls="none", **{"from": "p@example.net"})
        for tenant in pair:
            account.share(tenant)
        asked = [(t, t.api.accepted(mail())) for t in pair for _ in range(2)]
        wait_until(lambda: account.ctl("provider", "show", account.name)
                   ["state"] == "parked", 30, "it is parked")
        assert stack.value("SELECT count(*) FROM audit WHERE tenant_id = %s "
                           "AND action = 'provider.park' AND object = %s",
                           PLATFORM, account.name) == 1
        for tenant, _ in asked:
            assert account.row(tenant)["state"] == "enabled"
            assert tenant.rows("SELECT 1 AS x FROM audit WHERE tenant_id = %s "
                               "AND action = 'provider.park'") == []
    with FaultyServer({}) as good:
        account.ctl("provider", "set", account.name, "--set",
                    f"port={good.port}")
        for tenant, identity in asked:
            tenant.api.ended(identity)
        assert len(good.bodies) == 4


def test_leave_is_taken_while_something_waits(stack, pair):
    one, _ = pair
    account = Account(stack)
    account.share(one)
    account.ctl("provider", "disable", account.name)
    identity = one.api.accepted(mail())
    wait_until(lambda: one.rows("SELECT 1 AS x FROM q_later WHERE tenant_id = %s "
                                "AND kind = 1"), 30, "it waits")
    account.unshare(one)
    account.ctl("provider", "enable", account.name)
    assert account.mails() == []
    account.share(one)
    one.api.ended(identity)
    assert len(account.mails()) == 1


def test_a_disabled_account_wakes_who_waits(stack, pair):
    account = Account(stack)
    for tenant in pair:
        account.share(tenant)
    account.ctl("provider", "disable", account.name)
    asked = [(t, t.api.accepted(mail())) for t in pair]
    for tenant, _ in asked:
        wait_until(lambda t=tenant: t.rows(
            "SELECT 1 AS x FROM q_later WHERE tenant_id = %s AND kind = 1"), 30,
            "it waits")
    account.ctl("provider", "enable", account.name)
    for tenant, identity in asked:
        tenant.api.ended(identity)
    assert len(account.mails()) == 2


def test_keys_are_rotated(stack, pair):
    """What is sealed is the platform's; grants have nothing sealed."""
    one, _ = pair
    with FaultyServer({}) as server:
        account = Account(stack, kind="smtp", host="127.0.0.1",
                          port=server.port, tls="none", username="u",
                          password="hunter2", **{"from": "p@example.net"})
        account.share(one)
        stack.ctl("keys", "rotate")
        one.api.ended(one.api.accepted(mail()))
        assert len(server.bodies) == 1
    assert stack.rows("SELECT 1 AS x FROM provider WHERE shared_id IS NOT NULL "
                      "AND sealed IS NOT NULL") == []


# What providers report

def delivery(tenant, identity):
    one, = tenant.api.notification(identity)["deliveries"]
    return one


def test_receipts_of_mails_find_their_tenant(public_stack):
    one, two = pair_of(public_stack)
    grid = SendGrid()
    with FakeProvider() as provider:
        provider.keep_bodies = True
        account = Account(public_stack, kind="sendgrid", api_key="SG.key",
                          webhook_key=grid.public, base_url=provider.url(),
                          **{"from": "p@example.net"})
        grid.url = f"{public_stack.url}/hooks/platform/{account.id}"
        sent = {}
        for tenant in (one, two):
            account.share(tenant)
            sent[tenant] = tenant.api.accepted(mail())
            tenant.api.ended(sent[tenant])

        def event(tenant, slug, **more):
            return {"event": "delivered", "sg_event_id": "x",
                    "belfry_notification": sent[tenant],
                    "belfry_delivery": delivery(tenant, sent[tenant])["id"],
                    "belfry_tenant": slug, **more}
        # Another's name brings nothing, nor does that of a stranger.
        grid.report(event(one, two.slug), event(one, "nobody"))
        grid.report(event(two, two.slug))
        wait_until(lambda: delivery(two, sent[two])["state"] == "delivered",
                   30, "the receipt")
        two.idle()
        assert delivery(one, sent[one])["state"] == "sent"
        # Without a name it is looked for at all who use the account.
        grid.report({k: v for k, v in event(one, "").items()
                     if k != "belfry_tenant"})
        wait_until(lambda: delivery(one, sent[one])["state"] == "delivered",
                   30, "the receipt")


def test_stop_counts_where_it_was_written_to(public_stack):
    one, two = pair_of(public_stack)
    with FakeProvider() as provider:
        provider.keep_bodies = True
        account = Account(public_stack, kind="twilio", auth_token="token",
                          account_sid="AC" + "0" * 32, base_url=provider.url(),
                          **{"from": "+15005550006"})
        rows = {t: account.share(t) for t in (one, two)}
        identity = one.api.accepted({"to": {"phone": PHONE},
                                     "content": {"sms": {"text": "hi"}}})
        one.api.ended(identity)
        path = f"/hooks/platform/{account.id}"
        form = {"AccountSid": "AC" + "0" * 32, "From": PHONE, "Body": "STOP",
                "To": "+15005550006", "MessageSid": "SM1",
                "OptOutType": "STOP"}
        answer = requests.post(
            public_stack.url + path, data=form, timeout=30,
            headers={"X-Twilio-Signature":
                     twilio_signature(PUBLIC + path, form)})
        assert answer.status_code == 204
        found = wait_until(lambda: one.rows(
            "SELECT provider_id FROM suppression WHERE tenant_id = %s"), 30,
            "the suppression")
        assert [str(r["provider_id"]) for r in found] == [rows[one]]
        wait_until(lambda: not public_stack.rows(
            "SELECT 1 AS x FROM hook_inbox WHERE tenant_id = %s", two.id), 30,
            "the other's inbox is read")
        assert two.count("suppression") == 0
