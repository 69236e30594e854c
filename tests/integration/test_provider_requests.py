# test_provider_requests.py - what goes to providers is what they describe
#
# SPDX-License-Identifier: BSD-2-Clause
#
# schemas/ has in our own words what each provider publishes about the fields that Belfry
# sends.  Every way of asking for them goes through a stand-in, whole.
import json
import subprocess
import urllib.parse

import jsonschema

from conftest import ROOT
from harness.api import mail
from harness.certificates import Authority
from harness.fake_provider import read_form
from harness.files import inline
from harness.google import Google
from harness.hooks import SID, WhatsApp
from harness.tenant import Tenant

PHONE = "+43660123456"
LINK = "https://cdn.example.org/a.png"


def schema(kind):
    path = ROOT / f"tests/integration/schemas/{kind}.json"
    return json.loads(path.read_text())


def all_fit(kind, bodies):
    """They do, and each field that the schema has is in one of them."""
    known = schema(kind)
    validator = jsonschema.Draft202012Validator(known)
    for body in bodies:
        validator.validate(body)
    assert {name for body in bodies for name in body} == set(known["properties"])


def all_sent(tenant, provider, bodies):
    """Sends them one after the other; what came, in this order."""
    provider.clear()
    for body in bodies:
        identity = tenant.api.accepted(body)
        tenant.api.ended(identity)
        assert tenant.api.notification(identity)["deliveries"][0]["state"] == \
            "sent", body
    assert len(provider.bodies) == len(bodies)
    return provider.bodies


def test_sendgrid(public_stack, provider):
    tenant = Tenant(public_stack, maildir=False)
    tenant.add_provider("grid", "sendgrid", api_key="SG.key", from_name="Der Shöp",
                        reply_to="help@bücher.example", sandbox="true",
                        base_url=provider.url(),
                        **{"from": "shop@bücher.example"})
    sent = all_sent(tenant, provider, [
        mail(), mail("ann@bücher.example", category="news"),
        mail(to={"email": "b@example.org", "name": "Zoë, \"the\" <first>"},
             category="kategorie ä"),
        mail(attachments=[{"name": "größe.txt", "type": "text/plain",
                           "content": "aGk="},
                          {"name": "b.bin", "content": "AAEC"},
                          {"name": "c.png", "type": "image/png",
                           "content": "AAEC", "content_id": "logo"}]),
        mail(category="news", content={
            "unsubscribe": True,
            "email": {"subject": "News", "text": "{{unsubscribe_url}}"}}),
        mail(content={"email": {"subject": "S\u00fc\u00df", "html": "<p>hi</p>"}})])
    sent = [json.loads(body) for body in sent]
    all_fit("sendgrid", sent)
    # Domains go out as A-labels.
    assert {m["from"]["email"] for m in sent} == {"shop@xn--bcher-kva.example"}
    assert {m["reply_to"]["email"] for m in sent} == \
        {"help@xn--bcher-kva.example"}
    assert [(a.get("disposition"), a.get("content_id"))
            for a in sent[3]["attachments"]] == [
        (None, None), (None, None), ("inline", "logo")]


def test_twilio(public_stack, provider):
    parts = [{"text": "hi"}, {"text": "ü" * 1500},
             {"text": "look", "media": [LINK, LINK + "?b=1&c=%20"]}]
    forms = []
    for sender in ({"from": "+15005550006"}, {"from": "The Shop"},
                   {"messaging_service_sid": "MG" + "0" * 32}):
        tenant = Tenant(public_stack, maildir=False)
        tenant.add_provider("tw", "twilio", account_sid=SID, auth_token="t",
                            base_url=provider.url(), **sender)
        forms += all_sent(tenant, provider, [
            {"to": {"phone": PHONE}, "content": {"sms": part}}
            for part in parts])
    all_fit("twilio", [urllib.parse.parse_qs(form.decode(), strict_parsing=True)
                       for form in forms])


WHATSAPP = [
    {"text": "hi"},
    {"text": "https://example.org/", "preview_url": True},
    {"template": "order"},
    {"template": "order", "language": "de-AT", "header": "Order 42",
     "parameters": ["Ann", 42, {"type": "currency", "currency": {
         "fallback_value": "€ 3", "code": "EUR", "amount_1000": 3000}}],
     "buttons": ["orders/42", None, "x"]},
    {"template": "order", "header": {"image": {"link": LINK}}},
    {"template": "order", "header": {"document": {"link": LINK,
                                                  "filename": "a.pdf"}}},
    {"image": {"link": LINK, "caption": "look"}},
    {"video": {"link": LINK}}, {"audio": {"link": LINK}},
    {"sticker": {"link": LINK}},
    {"document": {"link": LINK, "filename": "a.pdf"}},
]


def test_whatsapp(public_stack, provider):
    tenant = Tenant(public_stack, maildir=False)
    WhatsApp().add_to(tenant, base_url=provider.url())
    sent = all_sent(tenant, provider, [
        {"to": {"phone": PHONE}, "channels": ["whatsapp"],
         "content": {"whatsapp": part}} for part in WHATSAPP])
    all_fit("whatsapp", [json.loads(body) for body in sent])


def described(file):
    name, kind, content = file
    return {"name": name, "type": kind, "bytes": len(content)}


WHATSAPP_FILES = [
    {"document": {"attachment": 0, "caption": "Your invoice"}},
    {"image": {"attachment": 1}},
    {"template": "invoice", "header": {"document": {"attachment": 0}}},
    {"template": "look", "header": {"image": {"attachment": 1}}},
]


def test_files_by_whatsapp(public_stack, provider):
    tenant = Tenant(public_stack, maildir=False)
    WhatsApp().add_to(tenant, base_url=provider.url())
    for part in WHATSAPP_FILES:
        tenant.api.ended(tenant.api.accepted({
            "to": {"phone": PHONE}, "channels": ["whatsapp"],
            "content": {"whatsapp": part}, "attachments": [
                inline(b"pdf", "größe.pdf", type="application/pdf"),
                inline(b"png", "a.png", type="image/png")]}))
    all_fit("whatsapp_media", [
        {**fields, **{name: described(f) for name, f in files.items()}}
        for fields, files in provider.forms()])
    validator = jsonschema.Draft202012Validator(schema("whatsapp"))
    messages = [json.loads(b) for b, r in zip(provider.bodies, provider.receipts)
                if r.channel == "whatsapp"]
    assert len(messages) == len(WHATSAPP_FILES)
    for message in messages:
        validator.validate(message)


def calls(provider):
    """What came to Telegram, in the words of the schema."""
    for receipt, headers, body in zip(provider.receipts, provider.headers,
                                      provider.bodies):
        if headers["content-type"].startswith("multipart/"):
            fields, files = read_form(headers["content-type"], body)
        else:
            fields, files = json.loads(body), {}
        if "media" in fields:
            fields["media"] = json.loads(fields["media"])
        yield {"method": receipt.to, "fields": fields,
               "files": {n: described(f) for n, f in files.items()}}


CHAT = [("hi", 0), ("", 1), ("photo", 1), ("two", 2), ("", 3), ("x" * 1024, 10)]


def test_telegram(public_stack, provider):
    sent = []
    for settings in ({}, {"silent": "true", "chat_id": "@shop_news"}):
        tenant = Tenant(public_stack, maildir=False)
        tenant.add_provider("room", "telegram", base_url=provider.url(),
                            **{"token": "12:Ab", "chat_id": "-1001", **settings})
        for kind in ("image/png", "image/svg+xml"):
            all_sent(tenant, provider, [
                {"to": {"user_id": "u1"}, "channels": ["chat"],
                 "content": {"chat": {"text": "{{text}}"}},
                 "data": {"text": text}} | ({"attachments": [
                     inline(b"x", f"{n}", type=kind) for n in range(count)]}
                     if count > 0 else {})
                for text, count in CHAT])
            sent += calls(provider)
    all_fit("telegram", sent)
    assert {s["method"] for s in sent} == \
        set(schema("telegram")["properties"]["method"]["enum"])


PUSH = [
    {"title": "Order", "body": "is on its way"},
    {"data": {"order": 42, "more": {"a": [1]}, "text": "x"}},
    {"title": "Order", "image": LINK, "url": "https://example.org/o/42",
     "ttl": 3600, "collapse_key": "o42", "priority": "high"},
    {"title": "Order", "url": "shop://orders/42", "ttl": 0},
    {"title": "Order",
     "android": {"notification": {"channel_id": "orders", "color": "#ff0000"}},
     "apns": {"payload": {"aps": {"badge": 1, "sound": "default"}}},
     "webpush": {"notification": {"icon": LINK}}},
]


def test_fcm(public_stack, tmp_path):
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                    "rsa_keygen_bits:2048", "-out", key], check=True,
                   capture_output=True)
    tenant = Tenant(public_stack, maildir=False)
    with Google(Authority(public_stack.directory / "google-requests")) as google:
        google.control()
        tenant.add_provider("fcm", "fcm", service_account=json.dumps({
            "type": "service_account", "project_id": "shop-1",
            "client_email": "belfry@shop-1.example", "private_key_id": "k1",
            "private_key": key.read_text(), "token_uri": google.url + "/token"}),
            base_url=google.url, ca_file=google.authority.file,
            validate_only="true", receipts="true")
        for part in PUSH:
            tenant.api.ended(tenant.api.accepted({
                "to": {"push_token": "device-1"}, "content": {"push": part}}))
        tenant.ctl("provider", "test", "fcm")
        sent = google.sent()
    assert len(sent) == len(PUSH) + 1
    all_fit("fcm", sent)
    parts = schema("fcm")["properties"]["message"]["properties"]
    assert {name for s in sent for name in s["message"]} == set(parts)
