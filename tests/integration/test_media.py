# test_media.py - files in messages of Telegram and WhatsApp
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import time

import pytest

from harness.fake_provider import Fault
from harness.files import LARGE, FileServer, inline
from harness.hooks import WhatsApp
from harness.tenant import Tenant
from harness.wait import wait_until

PHONE = "+43660123456"
PDF = {"type": "application/pdf"}
JPEG = {"type": "image/jpeg"}


@pytest.fixture
def files_at():
    with FileServer() as server:
        yield server


@pytest.fixture
def tenant(stack):
    return Tenant(stack, maildir=False)


def with_files(attachments):
    return {"attachments": list(attachments)} if attachments else {}


def state_of(tenant, body):
    identity = tenant.api.accepted(body)
    tenant.api.ended(identity)
    delivery, = tenant.api.notification(identity)["deliveries"]
    return delivery["state"], tenant.api.timeline(identity)


def reason(tenant, body):
    state, timeline = state_of(tenant, body)
    assert state in ("dead", "failed")
    return next(e["text"] for e in timeline
                if e["type"] in ("delivery.dead", "delivery.failed"))


# Telegram

@pytest.fixture
def room(tenant, provider):
    tenant.add_provider("room", "telegram", token="12:Ab", chat_id="-7",
                        base_url=provider.url())
    return tenant


def chat(text, *attachments):
    return {"to": {"user_id": "u1"}, "channels": ["chat"],
            "content": {"chat": {"text": "{{text}}"}}, "data": {"text": text},
            **with_files(attachments)}


def said(room, provider, body):
    """The method, and the form that came."""
    assert state_of(room, body)[0] == "sent"
    return (provider.receipts[-1].to, *provider.forms()[-1])


def test_a_document_with_its_caption(room, provider, files_at):
    assert said(room, provider, chat(
        "Your invoice <b>", {"url": f"{files_at.url}/a/large.pdf?x=1"})) == (
        "sendDocument", {"chat_id": "-7", "caption": "Your invoice <b>"},
        {"document": ("large.pdf", "application/pdf", LARGE)})


def test_a_photo_without_words(room, provider):
    assert said(room, provider, chat(
        "", inline(b"jpg", "ä \"1\".jpg", **JPEG))) == (
        "sendPhoto", {"chat_id": "-7"},
        {"photo": ("ä %221%22.jpg", "image/jpeg", b"jpg")})


@pytest.mark.parametrize("second, kind", [(JPEG, "photo"), (PDF, "document")])
def test_an_album_is_of_one_kind(room, provider, second, kind):
    method, fields, sent = said(room, provider, chat(
        "Two", inline(b"1", "1", **JPEG), inline(b"2", "2", **second),
        inline(b"logo", "logo", content_id="logo")))
    assert method == "sendMediaGroup"
    assert json.loads(fields.pop("media")) == [
        {"type": kind, "media": "attach://file0"},
        {"type": kind, "media": "attach://file1", "caption": "Two"}]
    assert fields == {"chat_id": "-7"}
    assert {n: f[2] for n, f in sent.items()} == {"file0": b"1", "file1": b"2"}


def test_images_of_the_html_are_no_files(room, provider):
    assert state_of(room, chat("Hi", inline(b"x", "x", content_id="x")))[0] \
        == "sent"
    assert json.loads(provider.bodies[-1]) == {"chat_id": "-7", "text": "Hi"}


@pytest.mark.parametrize("letter, times, files, words", [
    ("ü", 1025, 1, "more than 1024 characters"),
    ("😀", 513, 1, "more than 1024 characters"),
    ("x", 4097, 0, "more than 4096 characters"),
    ("x", 1, 11, "takes 10 files"),
    ("x", 0, 0, "the text is empty")])
def test_what_telegram_does_not_take(room, provider, letter, times, files,
                                     words):
    assert words in reason(room, chat(
        letter * times, *(inline(b"1", "1") for _ in range(files))))
    assert provider.count() == 0


def test_the_longest_texts_go(room):
    for body in (chat("😀" * 512, inline(b"1", "1")), chat("ü" * 4096)):
        assert state_of(room, body)[0] == "sent"


# WhatsApp

@pytest.fixture
def meta(tenant, provider):
    return WhatsApp().add_to(tenant, base_url=provider.url())


def note(part, *attachments, to=PHONE):
    to = [to] if isinstance(to, str) else to
    return {"to": [{"phone": p} for p in to], "channels": ["whatsapp"],
            "content": {"whatsapp": part}, **with_files(attachments)}


def messages(provider):
    return [json.loads(b) for b, r in zip(provider.bodies, provider.receipts)
            if r.channel == "whatsapp"]


DOCUMENT = {"document": {"attachment": 0, "caption": "Your invoice"}}


def test_a_file_is_uploaded_once_for_all(tenant, meta, provider, files_at):
    identity = tenant.api.accepted(note(
        DOCUMENT, {"url": f"{files_at.url}/a/large.pdf?x=1"}, inline(b"2", "2"),
        to=[f"+4366012345{n}" for n in range(10, 18)]))
    tenant.api.ended(identity)
    tenant.idle()
    (fields, sent), = provider.forms()
    assert fields == {"messaging_product": "whatsapp",
                      "type": "application/pdf"}
    assert sent == {"file": ("large.pdf", "application/pdf", LARGE)}
    upload = next(n for n, r in enumerate(provider.receipts)
                  if r.channel == "media")
    assert provider.headers[upload]["authorization"] == "Bearer EAA"
    bodies = messages(provider)
    assert len(bodies) == 8
    for body in bodies:
        assert body["type"] == "document"
        assert body["document"] == {
            "id": f"media-{upload + 1}", "filename": "large.pdf",
            "caption": "Your invoice"}
    assert files_at.asked == ["/a/large.pdf?x=1"]


def test_headers_of_templates_and_what_is_like_the_api(tenant, meta, provider):
    header = {"template": "invoice",
              "header": {"document": {"attachment": 1, "filename": "b.pdf"}}}
    raw = {"type": "interactive", "interactive": {"header": {
        "type": "image", "image": {"attachment": 0}}, "attachment": 9}}
    for part in (header, raw):
        assert state_of(tenant, note(part, inline(b"1", "1", **JPEG),
                                     inline(b"2", "2", **PDF)))[0] == "sent"
    assert [list(s.values())[0][2] for _, s in provider.forms()] == [b"2", b"1"]
    one, two = messages(provider)
    assert one["template"]["components"] == [{"type": "header", "parameters": [
        {"type": "document",
         "document": {"id": "media-1", "filename": "b.pdf"}}]}]
    assert two["interactive"] == {"header": {
        "type": "image", "image": {"id": "media-3"}}, "attachment": 9}


def test_what_a_session_names(tenant, meta, provider, files_at):
    """Outside of it the file is neither fetched nor uploaded."""
    body = note({"template": "order", "session": {
        "image": {"attachment": 0}}}, {"url": f"{files_at.url}/small", **JPEG})
    assert state_of(tenant, body)[0] == "sent"
    assert (files_at.asked, provider.count("media")) == ([], 0)
    assert messages(provider)[-1]["type"] == "template"
    meta.say("hello", sender=PHONE[1:], at=time.time())
    wait_until(lambda: tenant.count("hook_inbox") == 0, 20, "an empty inbox")
    assert state_of(tenant, body)[0] == "sent"
    assert (files_at.asked, provider.count("media")) == (["/small"], 1)
    assert messages(provider)[-1]["image"] == {"id": "media-2"}


@pytest.mark.parametrize("fault, klass", [
    (Fault(at="media", answer=503, times=1), "retry"),
    (Fault(at="media", cut=5, times=1), "retry"),
    (Fault(at="media", body=b"{}", times=1), "retry"),
    (Fault(at="media", answer=400, times=1, body=json.dumps({"error": {
        "code": 100, "message": "no such type"}}).encode()), "bad_message")])
def test_an_upload_that_fails(tenant, meta, provider, fault, klass):
    """It is not in doubt, whatever the answer was: nobody has seen it."""
    provider.faults = [fault]
    state, timeline = state_of(tenant, note(DOCUMENT, inline(b"1", "1.pdf")))
    assert next(e["class"] for e in timeline if e["class"]) == klass
    assert state == ("sent" if klass == "retry" else "failed")
    assert len(messages(provider)) == (1 if klass == "retry" else 0)


@pytest.mark.parametrize("part, files, words", [
    (DOCUMENT, 0, "names attachment 0, and there are 0"),
    ({"image": {"attachment": -1}}, 1, "names attachment -1"),
    ({"sticker": {"attachment": 2}}, 2,
     "names attachment 2, and there are 2"),
    ({"sticker": {"attachment": 1}}, 2,
     "/attachments/1: as sticker WhatsApp takes 512000 bytes at most")])
def test_what_whatsapp_does_not_take(tenant, meta, provider, files_at,
                                     part, files, words):
    files_at.files["/large"] = (200, b"x" * 512001)
    attached = (inline(b"1", "1"), {"url": f"{files_at.url}/large"})
    assert words in reason(tenant, note(part, *attached[:files]))
    assert provider.count() == 0
