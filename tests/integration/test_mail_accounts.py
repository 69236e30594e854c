# test_mail_accounts.py - what an account at a mail server can do: signatures (DKIM),
# several servers, several senders, reports on request
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import re

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from harness.api import ADMIN, mail, problem
from harness.smtp import FaultyServer, MailServer, free_port
from harness.tenant import Tenant
from harness.wait import wait_until

PEM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
       serialization.NoEncryption())


@pytest.fixture(scope="module")
def keys():
    """The private keys as PEM."""
    return [rsa.generate_private_key(65537, 2048).private_bytes(*PEM).decode(),
            ed25519.Ed25519PrivateKey.generate().private_bytes(*PEM).decode()]


@pytest.fixture
def tenant(stack):
    return Tenant(stack, maildir=False)


@pytest.fixture
def server():
    with MailServer() as server:
        yield server


def relay(tenant, server, **settings):
    """The account, made through the API."""
    answer = tenant.admin.post(f"{ADMIN}/providers", json={
        "name": "relay", "kind": "smtp", "settings": {
            "host": "127.0.0.1", "port": server.port, "tls": "none",
            "from": "shop@example.org", **settings}})
    return answer


def signing(tenant, server, keys):
    answer = relay(tenant, server, dkim_selector="b1", dkim_key=keys[0],
                   dkim_selector2="b2", dkim_key2=keys[1])
    assert answer.status_code == 201, answer.text
    assert "PRIVATE" not in answer.text
    records = {r["name"]: r["value"] for r in
               tenant.ctl("provider", "dkim-record", "relay")}
    assert sorted(records) == ["b1._domainkey.example.org",
                               "b2._domainkey.example.org"]

    def resolve(name, timeout=5):
        return records[name.decode().rstrip(".")].encode()
    return resolve


def verifies(octets, resolve):
    """What dkimpy says of both signatures."""
    def one(index):
        try:
            return dkim.DKIM(octets).verify(idx=index, dnsfunc=resolve)
        except dkim.DKIMException:
            return False
    return [one(0), one(1)]


CONTENTS = [
    {"text": "plain\n"},
    {"text": "  blanks  \t in\t lines  \n\n\n\ntrailing\n\n\n\n"},
    {"text": ".\n..\n.dots\n. .\nlast line without end"},
    {"text": "\n\n\n"},
    {"text": "Zürich заказ 注文 🚚 " * 40, "html": "<p>" + "ä" * 3000 + "</p>"},
    {"text": "long " * 2000, "html": "<p>" + "x" * 5000 + "</p>\n.\n"},
]


def test_what_is_signed_is_verified_by_another_library(tenant, server, keys):
    resolve = signing(tenant, server, keys)
    for n, content in enumerate(CONTENTS):
        identity = tenant.api.accepted({
            "to": {"email": "ann@example.net", "name": "Ann \"Ä\" X"},
            "content": {"email": {"subject": f"Grüße  {n} " * 9, **content}}})
        tenant.api.ended(identity)
    assert len(server.inbox.received) == len(CONTENTS)
    for _, _, octets in server.inbox.received:
        assert octets.count(b"DKIM-Signature:") == 2
        assert verifies(octets, resolve) == [True, True]
    head = server.inbox.received[0][2].split(b"\r\n\r\n")[0].lower()
    signed = re.sub(rb"\s", b"", re.search(rb"h=([^;]+);", head).group(1))
    names = signed.split(b":")
    assert names.count(b"from") == names.count(b"subject") == 2
    assert {b"to", b"date", b"message-id", b"mime-version",
            b"content-type"} <= set(names)


def test_every_changed_byte_is_noticed(tenant, server, keys):
    resolve = signing(tenant, server, keys)
    tenant.api.ended(tenant.api.accepted(mail("ann@example.net")))
    octets = server.inbox.received[0][2]
    head, body = octets.split(b"\r\n\r\n", 1)
    start = head.index(b"\r\nDate: ") + 2
    for at in list(range(start, len(head), 3)) + \
            list(range(len(head) + 4, len(octets) - 2)):
        line = octets[octets.rfind(b"\n", 0, at) + 1:]
        if octets[at:at + 1] in b"\r\n\t " or \
                line.startswith(b"X-Belfry-Token"):
            continue
        changed = bytearray(octets)
        changed[at] ^= 0x01 if octets[at:at + 1] != b"\x0b" else 0x04
        assert verifies(bytes(changed), resolve) == [False, False], at
    for extra in (b"From: eve@example.com\r\n", b"Subject: x\r\n"):
        assert verifies(extra + octets, resolve) == [False, False]
        assert verifies(head + b"\r\n" + extra.rstrip() + b"\r\n\r\n" + body,
                        resolve) == [False, False]


def test_the_fields_of_a_list_are_signed(public_stack, server, keys):
    tenant = Tenant(public_stack, maildir=False)
    resolve = signing(tenant, server, keys)
    tenant.api.ended(tenant.api.accepted(mail(
        "ann@example.net", priority="bulk", category="news")))
    octets = server.inbox.received[0][2]
    assert verifies(octets, resolve) == [True, True]
    for was, now in ((b"/u/", b"/v/"), (b"=One-Click", b"=Two-Click")):
        assert verifies(octets.replace(was, now), resolve) == [False, False]


def test_keys_that_cannot_sign(tenant, server, keys):
    public = serialization.load_pem_private_key(keys[0].encode(), None) \
        .public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    for settings in ({"dkim_key": keys[0]}, {"dkim_selector": "b1"},
                     {"dkim_selector": "b1", "dkim_key": public},
                     {"dkim_selector": "b 1", "dkim_key": keys[0]},
                     {"dkim_selector": "b1", "dkim_key": "x"},
                     {"dkim_selector2": "b1", "dkim_key2": keys[0]}):
        problem(relay(tenant, server, **settings), 422, "validation_failed")
    assert relay(tenant, server, dkim_domain="mail.example.org",
                 dkim_selector="b1", dkim_key=keys[1]).status_code == 201
    record, = tenant.ctl("provider", "dkim-record", "relay")
    assert record["name"] == "b1._domainkey.mail.example.org"
    assert len(base64.b64decode(record["value"].split("p=")[1])) == 32
    done = tenant.stack.run_ctl("provider", "dkim-record", "relay",
                                tenant=tenant.slug)
    assert done.stdout.splitlines()[-1].startswith(
        'b1._domainkey.mail.example.org. IN TXT ( "v=DKIM1; k=ed25519; p=')


def test_the_next_server_takes_over(tenant, server):
    down = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    assert relay(tenant, server, host=", ".join(
        down + ["127.0.0.1"])).status_code == 201
    for _ in range(3):
        events = tenant.api.ended(tenant.api.accepted(mail()))
        assert [e["type"] for e in events].count("delivery.started") == 1
    assert len(server.inbox.received) == 3
    changed = tenant.ctl("provider", "set", "relay", "--set",
                         f"host={down[0]},{down[1]}")
    assert changed
    identity = tenant.api.accepted(mail())
    wait_until(lambda: any(e["type"] == "delivery.deferred" for e in
                           tenant.api.timeline(identity)), 20, "an attempt")


@pytest.mark.parametrize("host", [
    "a b:x", "mx:0", "mx:70000", "mx:25:25", ",", "a/b", "a,b@c",
    ",".join("abcdefghi")])
def test_hosts_that_are_none(tenant, server, host):
    problem(relay(tenant, server, host=host), 422, "validation_failed")


def test_a_sender_of_ones_own(tenant, server):
    assert relay(tenant, server,
                 senders=["News@example.org"]).status_code == 201

    def send(sender):
        body = mail()
        body["content"]["email"]["from"] = sender
        return tenant.api.send(body)
    for sender in ("news@example.org", "shop@example.org"):
        identity = send(sender).json()["id"]
        tenant.api.ended(identity)
        envelope, _, octets = server.inbox.received[-1]
        assert envelope.lower() == sender
        assert b"From: " in octets and sender in octets.decode().lower()
    told = problem(send("eve@example.org"), 422, "validation_failed")
    assert [e["pointer"] for e in told["errors"]] == ["/content/email/from"]
    # A template is written when nobody knows which accounts there will be.
    for key, sender in (("one", "eve@example.org"), ("two", "news@example.org")):
        made = tenant.admin.post(f"{ADMIN}/templates", json={
            "key": key, "name": "Note", "from": sender,
            "parts": {"en": {"email.subject": "x", "email.text": "y"}}})
        assert made.json()["from"] == sender
    ends = [tenant.api.ended(tenant.api.accepted(
        {"template": key, "to": {"email": "ann@example.net"}}))
        for key in ("one", "two")]
    assert "may not send as" in ends[0][-2]["text"]
    assert b"news@example.org" in server.inbox.received[-1][2].lower()


@pytest.mark.parametrize("offer", [True, False])
def test_reports_on_request(tenant, offer):
    ehlo = "250-faulty.test\r\n250 DSN" if offer else "250 faulty.test"
    with FaultyServer({"EHLO": ehlo}) as server:
        assert relay(tenant, server, dsn=True,
                     bounce_address="bounce@example.org").status_code == 201
        tenant.api.ended(tenant.api.accepted(mail("ann@example.net")))
        sender = next(s for s in server.seen if s.startswith("MAIL"))
        rcpt = next(s for s in server.seen if s.startswith("RCPT"))
        token = re.search(r"<bounce\+([0-9a-z]{50})@example\.org>",
                          sender).group(1)
        assert ("ENVID=" + token in sender) == offer
        assert ("NOTIFY=SUCCESS,FAILURE,DELAY" in rcpt) == offer
        assert f"X-Belfry-Token: {token}".encode() in server.bodies[0]
    problem(relay(tenant, server, name="x", bounce_address=
                  "a-very-long-name@example.org"), 422, "validation_failed")
