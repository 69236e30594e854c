# test_smtp.py - the way into a real mail server
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import mail
from harness.certificates import Authority
from harness.smtp import FaultyServer, MailServer
from harness.tenant import Tenant
from harness.wait import wait_until


@pytest.fixture
def sender(stack):
    return Tenant(stack, maildir=False)


def relay(tenant, port, **settings):
    """settings may name any setting but host and port."""
    tenant.add_provider("relay", "smtp", host="localhost", port=port,
                        **{"from": "shop@example.org", "from_name": "Shop",
                           **settings})


def end(events):
    return next(e for e in reversed(events)
                if e["type"].startswith("delivery."))


def test_plain(sender):
    with MailServer() as server:
        relay(sender, server.port, tls="none")
        identity = sender.api.accepted(mail(
            "ann@example.org", data={"order": "№ 42 – déjà vu"}))
        assert end(sender.api.ended(identity))["type"] == "delivery.sent"
        message, = server.inbox.to("ann@example.org")
        envelope, = server.inbox.received
    assert envelope[0] == "shop@example.org"
    assert message["Subject"] == "Order № 42 – déjà vu"
    assert message["From"] == "Shop <shop@example.org>"
    assert "№ 42 – déjà vu" in message.get_body(("plain",)).get_content()


def test_starttls_and_auth(sender, authority):
    with MailServer(starttls=authority.server_context(), auth=True) as server:
        relay(sender, server.port, tls="starttls", username="shop",
              password="open sesame", ca_file=authority.file)
        identity = sender.api.accepted(mail())
        assert end(sender.api.ended(identity))["type"] == "delivery.sent"
        assert server.inbox.logins[0][1:] == ("shop", "open sesame")
        assert len(server.inbox.received) == 1
    assert "open sesame" not in sender.stack.logs.text("spooler")
    stored, = sender.rows("SELECT p::text AS t FROM provider p "
                          "WHERE tenant_id = %s")
    assert "sesame" not in stored["t"]


@pytest.mark.expect_log("relay")
def test_wrong_password(sender, authority):
    with MailServer(starttls=authority.server_context(), auth=True) as server:
        relay(sender, server.port, tls="starttls", username="shop",
              password="wrong", ca_file=authority.file)
        identity = sender.api.accepted(mail())
        events = wait_until(lambda: [
            e for e in sender.api.timeline(identity)
            if e.get("class") == "bad_credential"], 20, "a refused login")
        assert events[0]["code"] == "535 5.7.8"
        assert events[0]["text"]
        assert server.inbox.received == []
        assert "wrong" not in sender.stack.logs.text("spooler")


@pytest.mark.expect_log("relay")
@pytest.mark.parametrize("fault", ["unknown authority", "wrong name",
                                   "no TLS at all"])
def test_a_server_that_cannot_be_trusted(sender, authority, tmp_path, fault):
    """No mail and no password go to a server that is not who it should be."""
    if fault == "unknown authority":
        context = Authority(tmp_path / "tls", "Stranger").server_context()
    elif fault == "wrong name":
        context = authority.server_context("mail.example.org")
    else:
        context = None
    with MailServer(starttls=context) as server:
        relay(sender, server.port, tls="starttls", ca_file=authority.file)
        identity = sender.api.accepted(mail())
        events = wait_until(lambda: [
            e for e in sender.api.timeline(identity)
            if e["type"] == "delivery.deferred"], 20, "a failed attempt")
        assert server.inbox.received == []
        assert server.inbox.logins == []
    assert events[0]["text"]


def test_connections_are_used_again(sender):
    with MailServer() as server:
        relay(sender, server.port, tls="none")
        for _ in range(5):
            sender.api.accepted(mail(to=[{"email": f"p{i}@example.org"}
                                         for i in range(40)]))
        sender.idle(60)
        assert len(server.inbox.received) == 200
        assert len(server.inbox.peers) <= 40


@pytest.mark.parametrize("subject", [
    "a\r\nBcc: eve@example.org", "a\nX-Evil: 1", "a\rb", "a\x00b"])
def test_variables_cannot_add_headers(sender, subject):
    with FaultyServer({}) as server:
        relay(sender, server.port, tls="none")
        answer = sender.api.send(mail(data={"order": subject}))
        if answer.status_code != 202:
            assert "\x00" in subject
            return
        sender.api.ended(answer.json()["id"])
        for body in server.bodies:
            head = body.split(b"\r\n\r\n")[0]
            assert b"\nBcc:" not in head and b"\nX-Evil" not in head
        assert all(r == "ann@example.org" for r in server.recipients())
