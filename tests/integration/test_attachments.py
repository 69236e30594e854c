# test_attachments.py - files that go with mails
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import json
import os
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from harness.api import ADMIN, mail, problem
from harness.fake_provider import FakeProvider
from harness.files import LARGE, FileServer, inline
from harness.hooks import SendGrid
from harness.smtp import MailServer
from harness.tenant import Tenant
from harness.wait import wait_until


@pytest.fixture
def files():
    with FileServer() as server:
        yield server


@pytest.fixture
def tenant(stack):
    return Tenant(stack)


def attached(message):
    return [(p.get_filename(), p.get_content_type(),
             p.get_payload(decode=True)) for p in message.iter_attachments()]


def test_inline_and_by_url(tenant, files):
    body = mail(attachments=[
        inline(b"hello", type="text/plain"),
        {"url": f"{files.url}/a/large.pdf?x=1"},
        inline(b"", name="empty") | {"content": "QQ=="},
        {"url": f"{files.url}/small", "name": "ä \"x\".bin",
         "type": "application/x-own"}])
    tenant.api.accepted(body)
    message, = tenant.wait_for_mails(1)
    assert attached(message) == [
        ("note.txt", "text/plain", b"hello"),
        ("large.pdf", "application/pdf", LARGE),
        ("empty", "application/octet-stream", b"A"),
        ("ä \"x\".bin", "application/x-own", b"s")]
    assert "Your order 42 shipped." in message.get_body().get_content()


def files_without_a_name(pid):
    names = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.append(os.readlink(fd))
        except FileNotFoundError:
            pass
    return [n for n in names if "/#" in n and n.endswith("(deleted)")]


def test_they_are_let_go_after_a_while(own_stack, own_tenant):
    """Also when no other attachment follows."""
    own_tenant.api.accepted(mail(attachments=[inline(b"hello")]))
    spooler, = own_stack.workers("spooler")
    wait_until(lambda: files_without_a_name(spooler), 10, "the file")
    own_tenant.wait_for_mails(1)
    wait_until(lambda: not files_without_a_name(spooler), 25, "its end")


@pytest.mark.parametrize("told", ["message/rfc822", "multipart/mixed; boundary=x",
                                  "a/b/c", "text", 'a/"b"', "a/" + "b" * 200])
def test_what_a_server_calls_it_cannot_stop_a_mail(tenant, files, told):
    files.type = told
    tenant.api.accepted(mail(attachments=[{"url": f"{files.url}/small"}]))
    message, = tenant.wait_for_mails(1)
    assert attached(message) == [("small", "application/octet-stream", b"s")]


def test_fetched_once_for_all_and_signed(stack, files):
    tenant = Tenant(stack, maildir=False)
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode()
    with MailServer(data_size_limit=10 << 20) as server:
        made = tenant.admin.post(f"{ADMIN}/providers", json={
            "name": "relay", "kind": "smtp", "settings": {
                "host": "127.0.0.1", "port": server.port, "tls": "none",
                "from": "shop@example.org", "dkim_selector": "b1",
                "dkim_key": key}})
        assert made.status_code == 201, made.text
        record, = tenant.ctl("provider", "dkim-record", "relay")
        tenant.api.accepted(mail(
            to=[{"email": f"a{n}@example.net"} for n in range(8)],
            attachments=[{"url": f"{files.url}/a/large.pdf?x=1"}]))
        wait_until(lambda: len(server.inbox.received) == 8, 40, "the mails")
        for message in server.inbox.messages():
            assert attached(message) == [
                ("large.pdf", "application/pdf", LARGE)]
        for _, _, octets in server.inbox.received[:2]:
            assert dkim.verify(octets, dnsfunc=lambda name, timeout=5:
                               record["value"].encode())
    assert files.asked == ["/a/large.pdf?x=1"]


def test_sendgrid_has_them_in_json(stack, files):
    with FakeProvider() as provider:
        provider.keep_bodies = True
        tenant = Tenant(stack, maildir=False)
        SendGrid().add_to(tenant, base_url=provider.url())
        tenant.api.ended(tenant.api.accepted(mail(
            data={"order": '"content":"@@"'}, attachments=[
                inline(b"one"), {"url": f"{files.url}/a/large.pdf?x=1"}])))
        sent = json.loads(provider.bodies[-1])
        assert [(a["filename"], a["type"], base64.b64decode(a["content"]))
                for a in sent["attachments"]] == [
            ("note.txt", "application/octet-stream", b"one"),
            ("large.pdf", "application/pdf", LARGE)]
        assert '"content":"@@"' in sent["subject"]


SHOWN = {"html": '<p>Hi <img src="cid:logo">', "text": "Hi", "subject": "Hi"}


def test_images_that_the_html_shows(tenant, files):
    tenant.api.accepted(mail(content={"email": SHOWN}, attachments=[
        {"url": f"{files.url}/a/large.pdf?x=1"},
        inline(b"png", "logo.png", type="image/png", content_id="logo"),
        {"url": f"{files.url}/small", "content_id": "small@example.org"}]))
    message, = tenant.wait_for_mails(1)
    assert attached(message) == [("large.pdf", "application/pdf", LARGE)]
    related = message.get_body(("related",))
    assert [(p["Content-ID"], p.get_content_type(), p.get_content())
            for p in related.iter_attachments()] == [
        ("<logo>", "image/png", b"png"),
        ("<small@example.org>", "application/pdf", b"s")]
    assert 'src="cid:logo"' in message.get_body(("html",)).get_content()


def test_a_mail_without_html_has_them_as_files(tenant):
    tenant.api.accepted(mail(
        content={"email": {"subject": "Hi", "text": "Hi"}},
        attachments=[inline(b"png", "logo.png", content_id="logo")]))
    message, = tenant.wait_for_mails(1)
    assert attached(message) == [
        ("logo.png", "application/octet-stream", b"png")]


@pytest.mark.parametrize("path, status, klass, words", [
    ("/none", None, "bad_message", 'answered 404'),
    ("/gone", 410, "bad_message", "answered 410"),
    ("/moved", 302, "bad_message", "answered 302"),
    ("/busy", [503], "retry", "answered 503")])
def test_what_cannot_be_fetched(tenant, files, path, status, klass, words):
    if status is not None:
        files.files[path] = (status, b"x")
    identity = tenant.api.accepted(mail(attachments=[
        inline(b"x"), {"url": files.url + path}]))
    first = wait_until(lambda: next(
        (e for e in tenant.api.timeline(identity) if e["class"]), None),
        20, "an attempt")
    assert first["class"] == klass
    assert "/attachments/1: " in first["text"] and words in first["text"]
    if klass == "retry":
        message, = tenant.wait_for_mails(1)
        assert len(attached(message)) == 2


@pytest.mark.settings(settings={"attachment.size_max": "1m",
                                "attachment.inline_max": "4k"})
def test_what_is_too_large(own_tenant, files):
    identity = own_tenant.api.accepted(mail(attachments=[
        {"url": f"{files.url}/a/large.pdf?x=1"}]))
    assert "attachment.size_max" in own_tenant.api.ended(identity)[-2]["text"]
    told = problem(own_tenant.api.send(mail(attachments=[inline(b"x" * 6000)])),
                   422, "validation_failed")
    assert told["errors"][0]["pointer"] == "/attachments"


@pytest.mark.parametrize("attachment, pointer", [
    ({}, "/attachments/0"),
    ({"name": "x"}, "/attachments/0"),
    ({"url": "https://example.org/x", "content": "QQ==", "name": "x"},
     "/attachments/0"),
    ({"content": "QQ=="}, "/attachments/0/name"),
    ({"content": "Q", "name": "x"}, "/attachments/0/content"),
    ({"content": "QQ==", "name": "x\ny"}, "/attachments/0/name"),
    ({"content": "QQ==", "name": "x", "type": "text"}, "/attachments/0/type"),
    ({"content": "QQ==", "name": "x", "type": "a/b;c"},
     "/attachments/0/type"),
    ({"content": "QQ==", "name": "x", "type": "multipart/mixed"},
     "/attachments/0/type"),
    ({"content": "QQ==", "name": "x", "content_id": "a>b"},
     "/attachments/0/content_id"),
    ({"url": "ftp://example.org/x"}, "/attachments/0/url"),
    ({"url": "http://169.254.169.254/x"}, "/attachments/0/url"),
    ({"url": "https://example.org/x", "size": 1}, "/attachments/0/size")])
def test_what_is_refused(tenant, attachment, pointer):
    told = problem(tenant.api.send(mail(attachments=[attachment])), 422,
                   "validation_failed")
    assert pointer in [e["pointer"] for e in told["errors"]]


def test_a_content_id_is_of_one_attachment(tenant):
    told = problem(tenant.api.send(mail(attachments=[
        inline(b"x", content_id="a"), inline(b"y", content_id="b"),
        inline(b"z", content_id="a")])), 422, "validation_failed")
    assert [(e["pointer"], e["code"]) for e in told["errors"]] == [
        ("/attachments/2/content_id", "conflicting")]
