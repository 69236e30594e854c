# test_bounces.py - mail that comes back
#
# SPDX-License-Identifier: BSD-2-Clause
import re
import subprocess

import pytest

from harness.api import ADMIN, mail
from harness.bounces import feed, report
from harness.smtp import MailServer
from harness.tenant import Tenant
from harness.wait import wait_until


@pytest.fixture
def sent(stack):
    """A delivery that went out: tenant, notification, envelope's sender, octets."""
    tenant = Tenant(stack, maildir=False)
    with MailServer() as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            bounce_address="bounce@example.org",
                            **{"from": "shop@example.org"})
        identity = tenant.api.accepted(mail("ann@example.net",
                                            category="news"))
        tenant.api.ended(identity)
        sender, _, octets = server.inbox.received[0]
    return tenant, identity, sender, octets


def event(sent, kind):
    tenant, identity = sent[:2]
    return wait_until(lambda: next(
        (e for e in tenant.api.timeline(identity)
         if e["type"] == f"delivery.{kind}"), None), 20, kind)


def state(sent):
    return sent[0].api.notification(sent[1])["deliveries"][0]["state"]


def suppressed(sent):
    return [(s["address"], s.get("category", ""), s["reason"]) for s in
            sent[0].admin.get(f"{ADMIN}/suppressions").json()["data"]]


@pytest.mark.parametrize("by", ["envelope", "headers"])
def test_an_address_that_is_no_more(sent, by):
    tenant = sent[0]
    text = report(sent) if by == "headers" else \
        report(sent, original=False, newline="\n")
    if by == "headers":
        text = text.replace(sent[2], "shop@example.org")
    said = feed(tenant, text)
    assert said["effect"] == "bounced" and said["tenant"] == tenant.slug
    told = event(sent, "bounced")
    assert told["class"] == "bad_recipient" and told["code"] == "5.1.1"
    assert told["by"] == "smtp" and "no such user" in told["text"]
    wait_until(lambda: state(sent) == "failed", 10, "the state")
    wait_until(lambda: suppressed(sent), 10, "the suppression")
    assert suppressed(sent) == [("ann@example.net", "", "hard_bounce")]
    feed(tenant, text)  # twice is as good as once
    wait_until(lambda: tenant.count("hook_inbox") == 0, 10, "an empty inbox")
    # Let in again by an admin, and the mail comes once more.
    tenant.admin.request("DELETE", f"{ADMIN}/suppressions/email/ann@example.net")
    feed(tenant, text)
    wait_until(lambda: tenant.count("hook_inbox") == 0, 10, "an empty inbox")
    assert suppressed(sent) == []
    feed(tenant, report(sent, "delayed", "4.4.1"))
    event(sent, "delayed")
    assert [e["type"] for e in tenant.api.timeline(sent[1])].count(
        "delivery.bounced") == 1


@pytest.mark.parametrize("action, status, kind, then", [
    ("failed", "5.2.2", "bounced", "failed"),
    ("failed", "5.7.1 (policy)", "bounced", "failed"),
    ("delayed", "4.4.7", "delayed", "sent"),
    ("delivered", "2.0.0", "delivered", "delivered")])
def test_what_suppresses_nothing(sent, action, status, kind, then):
    assert feed(sent[0], report(sent, action, status))["effect"] == kind
    event(sent, kind)
    wait_until(lambda: state(sent) == then, 10, then)
    assert suppressed(sent) == []


@pytest.mark.parametrize("kind, what, reason", [
    ("abuse", "complained", ("", "complaint")),
    ("opt-out", "unsubscribed", ("news", "unsubscribe"))])
def test_complaints(sent, kind, what, reason):
    text = f"""\
From: <fbl@isp.example>
To: <fbl@example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=p

--p
Content-Type: text/plain

A complaint.

--p
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1

--p
Content-Type: message/rfc822

""" + sent[3].decode().replace("\r\n", "\n") + "\n--p--\n"
    assert feed(sent[0], text)["effect"] == what
    event(sent, what)
    wait_until(lambda: suppressed(sent), 10, "the suppression")
    assert suppressed(sent) == [("ann@example.net", *reason)]


def test_what_is_not_ours_changes_nothing(sent, other_tenant):
    tenant, _, sender, octets = sent
    token = re.search(r"\+(\w+)@", sender).group(1)
    before = tenant.count("hook_inbox"), len(tenant.api.timeline(sent[1]))
    for n in range(0, len(token), 4):
        other = "1" if token[n] != "1" else "2"
        changed = token[:n] + other + token[n + 1:]
        said = feed(tenant, report(sent).replace(token, changed))
        assert said["effect"] == "ignored: it is about no delivery of ours"
    said = feed(tenant, report(sent), "--tenant", other_tenant.slug)
    assert said["effect"] == "ignored: it is about no delivery of ours"
    for text in (b"", b"\0" * 100, octets, b"Subject: hi\n\nhello\n",
                 report(sent).replace("Action: failed", "Action: relayed")):
        assert feed(tenant, text)["effect"] == "ignored: it reports nothing"
    assert (tenant.count("hook_inbox"),
            len(tenant.api.timeline(sent[1]))) == before
    # A large mail that is returned: what is in front of it counts.
    assert feed(tenant, report(sent) + "x" * (3 << 20))["effect"] == "bounced"


def test_come_again(sent):
    tenant = sent[0]
    done = subprocess.run(
        [tenant.stack.directory / "bin/belfryctl", "-c",
         tenant.stack.directory / "belfry.conf", "bounce"],
        input=report(sent).encode(), capture_output=True, timeout=60,
        env={"BELFRY_DATABASE_ADMIN_CONNINFO": "host=/nonexistent",
             "PATH": "/usr/bin"})
    assert done.returncode == 75 and b"could not connect" in done.stderr
    done = subprocess.run(
        [tenant.stack.directory / "bin/belfryctl", "-c", "/nonexistent",
         "bounce"], input=b"", capture_output=True, timeout=60)
    assert done.returncode == 75
