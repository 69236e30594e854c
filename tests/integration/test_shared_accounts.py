# test_shared_accounts.py - accounts of the platform that tenants may use
#
# SPDX-License-Identifier: BSD-2-Clause
import itertools
import json
import os
import time

import pytest
import requests

from harness.api import ADMIN, SERVICES, Client, mail, problem
from harness.bounces import feed, report
from harness.fake_provider import FakeProvider, Fault
from harness.hooks import SendGrid, WhatsApp, twilio_signature
from harness.rows import waiting_for_an_account
from harness.smtp import FaultyServer, MailServer
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


def test_the_platform_sends_nothing(stack, issuers):
    for command in (("key", "add", "x", "--scope", "notifications:send"),
                    ("send", "--to", "a@example.org", "--template", "x"),
                    ("tenant", "suspend", "platform")):
        assert stack.run_ctl(*command, tenant="platform").returncode != 0
    # In words that say why.
    done = stack.run_ctl("tenant", "suspend", "platform")
    assert "neither suspended nor deleted" in done.stderr
    done = stack.run_ctl("key", "add", "x", "--scope", "admin",
                         tenant="platform")
    assert "neither accounts nor keys" in done.stderr
    root = Client(stack.url, issuers["sso"].token(
        "ed", azp="app", sub="root",
        realm_access={"roles": ["belfry-platform"]}))
    for method, path, body in (
            ("DELETE", "/tenants/platform", None),
            ("POST", "/tenants/platform/suspend", None),
            ("POST", "/service-accounts", {"name": "x", "scopes": ["admin"]})):
        told = problem(root.request(method, ADMIN + path, json=body, headers={
            "Belfry-Tenant": "platform"}), 409, "conflict")
        assert "the platform's own tenant" in told["detail"]
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
        assert doctor(stack, account.name) == ["warn"]
        for tenant, _ in asked:
            assert account.row(tenant)["state"] == "enabled"
            assert doctor(stack, f'tenant "{tenant.slug}"') == ["warn"]
            assert tenant.rows("SELECT 1 AS x FROM audit WHERE tenant_id = %s "
                               "AND action = 'provider.park'") == []
    with FaultyServer({}) as good:
        account.ctl("provider", "set", account.name, "--set",
                    f"port={good.port}")
        for tenant, identity in asked:
            tenant.api.ended(identity)
        assert len(good.bodies) == 4


def doctor(stack, words):
    rows = json.loads(stack.run_ctl("--json", "doctor").stdout)
    return [row["state"] for row in rows if row["check"] == "providers"
            and words in row["text"]]


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


def test_of_a_long_queue_so_many_are_woken_as_there_is_time_for(stack, pair):
    account = Account(stack)
    for tenant in pair:
        account.share(tenant)
    account.ctl("provider", "disable", account.name)
    with waiting_for_an_account(stack, pair[0], 3000) as one, \
            waiting_for_an_account(stack, pair[1], 500) as other:
        account.ctl("provider", "enable", account.name)
        assert (one(), other()) == (2000, 0)


def test_keys_are_rotated(own_stack):
    """What is sealed is the platform's, and sealed anew; grants have nothing sealed."""
    one, _ = pair_of(own_stack)
    with FaultyServer({}) as server:
        account = Account(own_stack, kind="smtp", host="127.0.0.1",
                          port=server.port, tls="none", username="u",
                          password="hunter2", **{"from": "p@example.net"})
        account.share(one)
        own_stack.ctl("keys", "new", "k2")
        own_stack.reload()
        own_stack.ctl("keys", "use", "k2")
        own_stack.reload()
        own_stack.ctl("keys", "rotate")
        keys = own_stack.directory / "keys"
        (keys / "k1.key").rename(keys / "k1.gone")
        own_stack.reload()
        one.api.ended(one.api.accepted(mail()))
        assert len(server.bodies) == 1
    assert own_stack.rows("SELECT 1 AS x FROM provider WHERE shared_id IS NOT "
                          "NULL AND sealed IS NOT NULL") == []


BREAKER = "its breaker is open: nothing but failures came from it"


def text_to(phone):
    return {"to": {"phone": phone}, "content": {"sms": {"text": "hi"}}}


def waits(tenant, identity):
    told = tenant.api.get(f"{SERVICES}/{identity}/explain").json()
    return {w["why"]: w["name"] for d in told["deliveries"] for w in d["waits"]}


@pytest.mark.settings(settings={"breaker.failures": "3", "breaker.probe": "2s"})
@pytest.mark.expect_log("provider account is left alone")
def test_one_breaker_for_all(own_stack):
    """Failures of one open it for the other; one delivery tries it; it closes once."""
    one, two = pair_of(own_stack)
    with FakeProvider(Fault(answer=503)) as provider:
        account = Account(own_stack, kind="twilio", auth_token="token",
                          account_sid="AC" + "0" * 32, base_url=provider.url(),
                          **{"from": "+15005550006"})
        paths = {t: f"{ADMIN}/providers/{account.share(t)}/health"
                 for t in (one, two)}

        def breakers():
            return {t.admin.get(p).json()["breaker"] for t, p in paths.items()}
        asked = [(one, one.api.accepted(text_to(f"+4366012345{n}")))
                 for n in range(10, 16)]
        wait_until(lambda: "closed" not in breakers(), 30, "it is open for both")
        before = provider.count()
        other = two.api.accepted(text_to("+43660999999"))
        asked.append((two, other))
        wait_until(lambda: waits(two, other).get(BREAKER) == "shared", 20,
                   "the other is told why it waits")
        began = time.monotonic()
        wait_until(lambda: provider.count() > before, 20, "a try")
        time.sleep(1)
        passed = time.monotonic() - began
        assert provider.count() - before <= 2 + passed / 2
        assert "closed" not in breakers()
        provider.faults = []
        for tenant, identity in asked:
            tenant.api.ended(identity)
            assert delivery(tenant, identity)["state"] == "sent"
        assert breakers() == {"closed"}
        assert waits(two, other) == {}
    assert own_stack.rows("SELECT DISTINCT tenant_id FROM provider_health") == \
        [{"tenant_id": PLATFORM}]
    assert [r["action"] for r in own_stack.rows(
        "SELECT action FROM audit WHERE action IN ('provider.open', "
        "'provider.recover') AND tenant_id = %s ORDER BY at", PLATFORM)] == \
        ["provider.open", "provider.recover"]
    for tenant in (one, two):
        assert tenant.rows("SELECT 1 AS x FROM audit WHERE tenant_id = %s "
                           "AND action LIKE 'provider.%%' "
                           "AND action <> 'provider.share'") == []


def test_why_it_waits_is_told_as_far_as_it_concerns(stack, pair):
    """The account's state and budget, by the tenant's own name for it."""
    one, two = pair
    account = Account(stack, limits=("per_day=1",))
    account.share(one, name="ours")
    one.api.ended(one.api.accepted(mail()))
    identity = one.api.accepted(mail())
    wait_until(lambda: waits(one, identity).get(
        "what it may send a day is used up") == "ours", 20, "the budget")
    account.ctl("provider", "disable", account.name)
    wait_until(lambda: waits(one, identity).get("it is disabled") == "ours",
               20, "the state")
    account.ctl("provider", "set", account.name, "--limit", "per_day=")
    account.ctl("provider", "enable", account.name)
    one.api.ended(identity)
    # Nobody is told of what is not his.
    asked = "SELECT count(*) FROM shared_account(%s)"
    for tenant, seen in ((one, 1), (two, 0)):
        row, = stack.rows(asked, account.id, user="belfry_api",
                          tenant=tenant.id)
        assert row["count"] == seen


@pytest.mark.parametrize("limits, way", [
    ((), "api"), (("rate=1000",), "spooler"), (("per_day=50",), "spooler")])
def test_past_the_queue_without_a_budget(stack, pair, limits, way):
    one, _ = pair
    account = Account(stack, limits=limits)
    account.share(one)
    one.idle()
    page = stack.directory / "s/doorbell.sock.0.tickets"
    wait_until(lambda: page.read_bytes()[8:12] == bytes([8, 0, 0, 0]), 20,
               "all tickets")
    events = one.api.ended(one.api.accepted(mail()))
    assert next(e["by"] for e in events
                if e["type"] == "notification.routed") == way
    assert len(account.mails()) == 1
    account.ctl("provider", "disable", account.name)
    identity = one.api.accepted(mail())
    wait_until(lambda: waits(one, identity).get("it is disabled"), 20, "it waits")
    assert len(account.mails()) == 1
    account.ctl("provider", "enable", account.name)
    one.api.ended(identity)


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


class Meta(WhatsApp):
    """The webhook of an account of the platform."""

    def __init__(self, stack, account):
        self.url = f"{stack.url}/hooks/platform/{account.id}"


def whatsapp_of(stack, provider, *tenants):
    account = Account(stack, kind="whatsapp", access_token="EAA",
                      phone_number_id=WhatsApp.NUMBER,
                      app_secret=WhatsApp.SECRET, verify_token=WhatsApp.VERIFY,
                      base_url=provider.url())
    for tenant in tenants:
        account.share(tenant)
    return account, Meta(stack, account)


def whatsapp(tenant, part={"text": "hi"}, phone=PHONE):
    identity = tenant.api.accepted({
        "to": {"phone": phone}, "channels": ["whatsapp"],
        "content": {"whatsapp": part}})
    tenant.api.ended(identity)
    assert delivery(tenant, identity)["state"] == "sent"
    return identity


def test_receipts_of_whatsapp_find_their_tenant(public_stack):
    one, two = pair_of(public_stack)
    with FakeProvider() as provider:
        provider.keep_bodies = True
        _, meta = whatsapp_of(public_stack, provider, one, two)
        assert meta.challenge(meta.VERIFY).text == "1158201444"
        sent = {t: whatsapp(t) for t in (one, two)}
        tags = {t: json.loads(b)["biz_opaque_callback_data"]
                for t, b in zip((one, two), provider.bodies)}
        for tenant in (one, two):
            assert tags[tenant] == "/".join((
                sent[tenant], delivery(tenant, sent[tenant])["id"], tenant.slug))

        def status(kind, tag, number=WhatsApp.NUMBER, **more):
            meta.status(kind, "wamid.unknown", number,
                        biz_opaque_callback_data=tag, **more)

        def state(tenant):
            return delivery(tenant, sent[tenant])["state"]
        # By another's name, or a stranger's, nothing is found.
        theirs = tags[one].rpartition("/")[0] + "/"
        status("delivered", theirs + two.slug)
        status("delivered", theirs + "nobody")
        status("delivered", tags[one], "999")
        status("delivered", tags[two])
        wait_until(lambda: state(two) == "delivered", 30, "the receipt")
        settled(public_stack, one, two)
        assert state(one) == "sent"
        # What has no name is looked for at all: by the ids, or by WhatsApp's.
        status("failed", theirs[:-1], errors=[{"code": 131026, "title": "no"}])
        wait_until(lambda: state(one) == "failed", 30, "the receipt")
        third = whatsapp(two)
        meta.status("delivered", f"wamid.{provider.count()}")
        wait_until(lambda: delivery(two, third)["state"] == "delivered", 30,
                   "the receipt")
        assert [e["type"] for e in two.api.timeline(sent[two])].count(
            "delivery.delivered") == 1


def settled(stack, *tenants):
    for tenant in tenants:
        wait_until(lambda t=tenant: t.count("hook_inbox") == 0, 30,
                   "the inbox is read")


def test_who_writes_by_whatsapp_concerns_who_wrote(public_stack):
    """A session, and STOP, are of those tenants who wrote to the person by it."""
    one, two = pair_of(public_stack)
    part = {"template": "order", "session": {"text": "hi"}}
    with FakeProvider() as provider:
        provider.keep_bodies = True
        account, meta = whatsapp_of(public_stack, provider, one, two)

        def kind(tenant, phone):
            whatsapp(tenant, part, phone)
            return json.loads(provider.bodies[-1])["type"]
        assert kind(one, PHONE) == "template"
        assert kind(two, "+43660000001") == "template"
        meta.say("hello")
        settled(public_stack, one, two)
        assert kind(one, PHONE) == "text"
        assert two.count("heard") == 0
        meta.say("STOP")
        settled(public_stack, one, two)
        assert [r["address"] for r in one.rows(
            "SELECT address FROM suppression WHERE tenant_id = %s")] == [PHONE]
        assert two.count("suppression") == 0


def test_bounces_find_their_tenant(stack, pair):
    with MailServer() as server:
        account = Account(stack, kind="smtp", host="127.0.0.1",
                          port=server.port, tls="none",
                          bounce_address="bounce@example.net",
                          **{"from": "p@example.net"})
        for tenant in pair:
            account.share(tenant)
        sent = []
        for tenant in pair:
            identity = tenant.api.accepted(mail("ann@example.net"))
            tenant.api.ended(identity)
            sender, _, octets = server.inbox.received[-1]
            sent.append((tenant, identity, sender, octets))
    one, two = pair
    back = report(sent[1], original=False)
    assert feed(one, back, "--tenant", one.slug)["effect"].startswith("ignored")
    assert feed(one, back)["tenant"] == two.slug
    wait_until(lambda: delivery(two, sent[1][1])["state"] == "failed", 30,
               "the bounce")
    assert delivery(one, sent[0][1])["state"] == "sent"
    assert one.count("suppression") == 0
    assert [r["address"] for r in two.rows(
        "SELECT address FROM suppression WHERE tenant_id = %s")] == \
        ["ann@example.net"]
