# test_signatures.py - what providers' own libraries sign is taken, and nothing near it
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The signatures are made, or confirmed, by the libraries that the providers publish for
# those who receive their callbacks; then every byte of the request is changed.
import base64
import hashlib
import http.client
import itertools
import json
import os
import subprocess
import time
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import ROOT
from harness.api import ADMIN, mail
from harness.fake_provider import FakeProvider
from harness.hooks import PUBLIC, SID, TOKEN, WhatsApp, path_of
from harness.tenant import Tenant
from harness.wait import wait_until

pytestmark = pytest.mark.W6

PHONE, SENDER = "+43660123456", "+15005550006"
FORM = "application/x-www-form-urlencoded"
STOP = {"AccountSid": SID, "Body": "Stop", "From": PHONE, "MessageSid": "SM7"}
# One bit of each byte: the lowest, and another one at each place.
MASKS = [(0x01,) * 8, (0x80, 0x02, 0x40, 0x04, 0x20, 0x08, 0x10, 0x02)]


def libraries(*requests):
    """What harness/signatures.js says of each."""
    modules = subprocess.run(["npm", "root", "-g"], capture_output=True,
                             text=True, check=True).stdout.strip()
    done = subprocess.run(
        ["node", ROOT / "tests/harness/signatures.js"], check=True, text=True,
        input=json.dumps(requests), capture_output=True, timeout=60,
        env={**os.environ, "NODE_PATH": modules})
    said = json.loads(done.stdout)
    assert all(one["genuine"] for one in said), "their library refuses itself"
    return [one["signature"] for one in said]


class Door:
    """Posts to a stack octet by octet as told, over one connection."""

    def __init__(self, stack):
        self.connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(stack.url).netloc, timeout=30)

    def post(self, target, headers, body):
        self.connection.putrequest("POST", target)
        for name, value in headers.items():
            self.connection.putheader(name, value)
        self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders(body)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def bits_changed(octets):
    """The octets with one bit changed, for each place of them."""
    for masks in MASKS:
        for at, mask in zip(range(len(octets)), itertools.cycle(masks)):
            yield octets[:at] + bytes([octets[at] ^ mask]) + octets[at + 1:]


def letters_changed(text):
    """The same with another letter, so that base64 and numbers stay such."""
    for at, letter in enumerate(text):
        for other in {chr(ord(letter) ^ 1), "1" if letter != "1" else "2"}:
            yield text[:at] + other + text[at + 1:]


def refuses_all_around(door, target, headers, body, same=lambda changed: False,
                       signed=()):
    """Every byte of the body, of its signature and of what else is signed counts.
    same() is true of a body that says the same in other letters."""
    tried = 0
    for changed in bits_changed(body):
        if not same(changed):
            tried += 1
            assert door.post(target, headers, changed) == 403, changed
    assert tried > len(body)
    for name in signed:
        assert door.post(target, {n: v for n, v in headers.items() if n != name},
                         body) == 403, name
        for changed in letters_changed(headers[name]):
            assert door.post(target, {**headers, name: changed}, body) == 403, \
                (name, changed)
        for n in range(len(headers[name])):
            assert door.post(target, {**headers, name: headers[name][:n]},
                             body) == 403, (name, n)


def suppressed(tenant):
    return {s["address"]
            for s in tenant.admin.get(f"{ADMIN}/suppressions").json()["data"]}


def applied(tenant):
    wait_until(lambda: tenant.count("hook_inbox") == 0, what="an empty inbox")


@pytest.fixture
def door(public_stack):
    return Door(public_stack)


# Twilio

def account(public_stack, **settings):
    tenant = Tenant(public_stack, maildir=False)
    tenant.add_provider("tw", "twilio", account_sid=SID, auth_token=TOKEN,
                        **{"from": SENDER}, **settings)
    return tenant, path_of(tenant, "tw")


def twilio(url, signed_url=None, **what):
    return {"kind": "twilio", "token": TOKEN, "url": url,
            "signed_url": signed_url or url, **what}


def form_of(params):
    return urllib.parse.urlencode(params, doseq=True).encode()


def signed_form(url, params, signed_url=None):
    signature, = libraries(twilio(url, signed_url, params=params))
    return {"X-Twilio-Signature": signature, "Content-Type": FORM}


def json_of(public, path, what):
    """The target and the body of a request with JSON, and their signature."""
    body = json.dumps(what).encode()
    target = f"{path}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature, = libraries(twilio(public + target, body=body.decode()))
    return target, {"X-Twilio-Signature": signature,
                    "Content-Type": "application/json"}, body


@pytest.mark.parametrize("params", [
    STOP,
    {**STOP, "Body": "Grüße & 50 % + 3 = 💐", "Empty": "", "b": "1", "B": "2"},
    {**STOP, "MediaUrl": ["https://b.example/2", "https://a.example/1",
                          "https://b.example/2"], "Tag": ["x", ""]},
], ids=["plain", "letters", "repeated"])
def test_forms_that_twilio_signs(public_stack, door, params):
    tenant, path = account(public_stack)
    for target in (path, path + "?n=1&d=it's%20so&e=%c3%a4"):
        headers = signed_form(PUBLIC + target, params)
        assert door.post(target, headers, form_of(params)) == 204
    applied(tenant)
    assert suppressed(tenant) == (
        {PHONE} if params["Body"] == "Stop" else set())


@pytest.mark.parametrize("public, signed", [
    ("https://hooks.example.net", "https://hooks.example.net"),
    ("https://hooks.example.net", "https://hooks.example.net:443"),
    ("http://hooks.example.net/", "http://hooks.example.net:80"),
    ("https://hooks.example.net:8443", "https://hooks.example.net:8443"),
    ("https://hooks.example.net:8443", "https://hooks.example.net"),
    ("https://hooks.example.net/from/outside",
     "https://hooks.example.net/from/outside"),
    ("https://[2600::7]", "https://[2600::7]:443"),
    ("https://[2600::7]:8443", "https://[2600::7]"),
])
def test_the_url_that_twilio_knows(public_stack, door, public, signed):
    """Behind a proxy: only the setting counts, not what the request says."""
    tenant, path = account(public_stack, public_url=public)
    url = public.rstrip("/") + path
    headers = signed_form(url, STOP, signed + path)
    here = urllib.parse.urlsplit(public_stack.url)
    for claimed in (PUBLIC, f"{here.scheme}://{here.netloc}",
                    "https://hooks.example.com"):
        other = signed_form(claimed + path, STOP)
        split = urllib.parse.urlsplit(claimed)
        assert door.post(path, {
            **other, "X-Forwarded-Host": split.netloc,
            "X-Forwarded-Proto": split.scheme,
            "Forwarded": f"host={split.netloc};proto={split.scheme}",
        }, form_of(STOP)) == 403
    assert suppressed(tenant) == set()
    assert door.post(path, headers, form_of(STOP)) == 204
    applied(tenant)
    assert suppressed(tenant) == {PHONE}


def test_every_byte_of_a_form_counts(public_stack, door):
    """The values are signed, not how the form writes them."""
    tenant, path = account(public_stack)
    target, body = path + "?n=1", form_of(STOP)
    headers = signed_form(PUBLIC + target, STOP)

    def values(octets):
        return sorted(urllib.parse.parse_qsl(
            octets.decode("latin-1"), keep_blank_values=True,
            encoding="latin-1"))
    refuses_all_around(door, target, headers, body,
                       lambda changed: values(changed) == values(body),
                       signed=["X-Twilio-Signature"])
    for changed in letters_changed(target[1:]):
        assert door.post("/" + changed, headers, body) in (403, 404), changed
    # A hash in the URL takes the form out of what is signed.
    assert door.post(f"{target}&bodySHA256={hashlib.sha256(body).hexdigest()}",
                     headers, body) == 403
    assert suppressed(tenant) == set()
    assert door.post(target, headers, body) == 204
    applied(tenant)
    assert suppressed(tenant) == {PHONE}


def test_every_byte_of_twilios_json_counts(public_stack, door):
    tenant, path = account(public_stack)
    target, headers, body = json_of(PUBLIC, path, STOP)
    refuses_all_around(door, target, headers, body,
                       signed=["X-Twilio-Signature"])
    for changed in letters_changed(target[1:]):
        assert door.post("/" + changed, headers, body) in (403, 404), changed
    written_anew = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert door.post(target, headers, written_anew) == 403
    assert suppressed(tenant) == set()
    assert door.post(target, headers, body) == 204
    applied(tenant)
    assert suppressed(tenant) == {PHONE}


# SendGrid

class Grid:
    """A key of this test, whose signatures SendGrid's library confirms."""
    SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
    STAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

    def __init__(self):
        key = ec.generate_private_key(ec.SECP256R1())
        self.private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()).decode()
        self.public = base64.b64encode(key.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)).decode()

    def headers(self, body):
        stamp = str(int(time.time()))
        signature, = libraries({
            "kind": "sendgrid", "key": self.private, "public": self.public,
            "timestamp": stamp, "body": body.decode()})
        return {self.SIGNATURE: signature, self.STAMP: stamp,
                "Content-Type": "application/json"}


@pytest.fixture
def mailed(public_stack):
    """A tenant, its account's key, and the ids of a mail that went out."""
    grid = Grid()
    tenant = Tenant(public_stack, maildir=False)
    with FakeProvider() as provider:
        tenant.add_provider("grid", "sendgrid", api_key="SG.key",
                            webhook_key=grid.public, base_url=provider.url(),
                            **{"from": "shop@example.org"})
        tenant.identity = tenant.api.accepted(mail())
        tenant.api.ended(tenant.identity)
    delivery, = tenant.api.notification(tenant.identity)["deliveries"]
    return tenant, grid, {"belfry_notification": tenant.identity,
                          "belfry_delivery": delivery["id"]}


def test_every_byte_of_sendgrids_events_counts(mailed, door):
    tenant, grid, ids = mailed
    path = path_of(tenant, "grid")
    body = b'[{"name":"\xc3\x84nn",' + json.dumps(
        {**ids, "event": "bounce", "type": "bounce", "status": "5.1.1"},
        separators=(",", ":"))[1:].encode() + b"]\r\n"
    headers = grid.headers(body)
    refuses_all_around(door, path, headers, body,
                       signed=[grid.SIGNATURE, grid.STAMP])
    # Neither white space nor other escapes: the raw body is what is signed.
    for other in (body.strip(), body.replace(b"\r\n", b"\n"),
                  json.dumps(json.loads(body)).encode() + b"\r\n"):
        assert door.post(path, headers, other) == 403
    for changed in letters_changed(path[1:]):
        assert door.post("/" + changed, headers, body) in (403, 404), changed
    assert tenant.api.notification(tenant.identity)["deliveries"][0]["state"] \
        == "sent" and suppressed(tenant) == set()
    assert door.post(path, headers, body) == 204
    applied(tenant)
    assert tenant.api.notification(tenant.identity)["deliveries"][0]["state"] \
        == "failed" and suppressed(tenant) == {"ann@example.org"}


# WhatsApp: its library is Node's crypto

def test_every_byte_of_whatsapps_events_counts(public_stack, door):
    tenant = Tenant(public_stack, maildir=False)
    wa = WhatsApp().add_to(tenant)
    path = path_of(tenant, "wa")
    body, signature = wa.signed(wa.value(messages=[{
        "from": PHONE[1:], "type": "text", "id": "wamid.1",
        "timestamp": str(int(time.time())), "text": {"body": "STOP"}}]))
    headers = {"X-Hub-Signature-256": signature,
               "Content-Type": "application/json"}
    refuses_all_around(door, path, headers, body,
                       signed=["X-Hub-Signature-256"])
    assert suppressed(tenant) == set()
    assert door.post(path, headers, body) == 204
    applied(tenant)
    assert suppressed(tenant) == {PHONE}
