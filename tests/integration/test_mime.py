# test_mime.py - mails as a second parser reads them
#
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/tools/mimedump builds messages from JSON; Python's email package reads
# them: nothing planted gets out of its field, all text comes back.
import email
import email.header
import email.policy
import itertools
import json
import os
import re
import subprocess
import unicodedata

import pytest

from harness.smtp import MailServer
from harness.transfers import mail, run

BUILD = os.environ.get("BELFRY_BUILDDIR", ".")
MIMEDUMP = os.path.join(BUILD, "tests/tools/mimedump")

BASE = {
    "from": "shop@example.org",
    "to": "ann@example.net",
    "message_id": "0193-a@belfry.example",
    "date_ms": 1764576000000,
    "text": "hello",
}

WORDS = ["order", "shipped", "Zürich", "заказ", "отправлен", "注文", "発送しました",
         "🚚", "👩‍👩‍👧", "déjà", "naïve", "Ελλάδα", "שלום", "مرحبا", "a=b", "?", "100%",
         "=?x?=", "\"quoted\"", "back\\slash", "semi;colon", "comma,", "<tag>",
         "(comment)", "under_score", "e\u0301", "\u200f", "한국어", "ไทย", "𝒻𝒶𝓃𝒸𝓎"]

FIXED = [
    "", "x", "Your order 42", " leading", "trailing ", "two  spaces", "   ",
    "=?UTF-8?Q?not_encoded?=", "=?", "?=", "a=?b", "re: fwd: re:", ":", "colon: here",
    "a" * 70, "a" * 77, "a" * 78, "a" * 998, "a" * 2000, "ä" * 500, "я" * 500,
    "😀" * 300, "a ä " * 300, ("word " * 400).strip(), "x" * 60 + " " + "y" * 60,
    "x" * 72 + " y", "é" + "a" * 400, "a" * 400 + "é", "\u202eright to left",
    "tab-free", "\u00a0nbsp\u00a0", "ends with backslash\\", "\"", "\\\"", "'",
    "Ann's order", "O'Neill, Ann", "ann@example.org", "<ann@example.org>", "10 kB " * 1700,
]


def texts():
    """At least 200 texts, always the same."""
    made = list(FIXED)
    for n, combo in enumerate(itertools.permutations(WORDS, 3)):
        if n % 137 == 0:
            made.append(" ".join(combo))
    for word in WORDS:
        made.append(word)
        made.append((word + " ") * 25 + "end")
    return made


def dump(mails):
    """Builds all mails in one run; yields bytes, or a str for an error."""
    lines = "\n".join(json.dumps(mail) for mail in mails)
    run = subprocess.run([MIMEDUMP], input=lines.encode("ascii"),
                         stdout=subprocess.PIPE, check=True)
    out, pos, results = run.stdout, 0, []
    while pos < len(out):
        end = out.index(b"\n", pos)
        line = out[pos:end].decode()
        pos = end + 1
        if line.startswith("error "):
            results.append(line[6:])
            continue
        size = int(line.split()[1])
        results.append(out[pos:pos + size])
        pos += size
    assert len(results) == len(mails)
    return results


def build(**changes):
    return dump([{**BASE, **changes}])[0]


def parse(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def check_wire(raw, smtputf8=False):
    """What holds for every message."""
    assert isinstance(raw, bytes), raw
    assert raw.endswith(b"\r\n")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\0" not in raw
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(line.startswith(b".") for line in lines)
    if not smtputf8:
        raw.decode("ascii")
    head = raw.split(b"\r\n\r\n")[0].decode()
    for line in head.split("\r\n"):
        assert line.strip(), "a line of a header that is only spaces"
        if "=?UTF-8?" in line:
            assert len(line) <= 76, line
    for word in re.findall(r"=\?UTF-8\?[BQ]\?.*?\?=", head):
        assert len(word) <= 75
    return parse(raw)


def check_words(raw):
    """Every encoded word holds whole characters."""
    head = raw.split(b"\r\n\r\n")[0].decode("ascii")
    for kind, text in re.findall(r"=\?UTF-8\?([BQ])\?(.*?)\?=", head):
        decode = email.base64mime.decode if kind == "B" else (
            lambda s: email.quoprimime.header_decode(s).encode("latin-1"))
        decode(text).decode("utf-8")


def display_name(raw, field):
    """The name in an address field, space by space."""
    head = raw.split(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ")
    value = re.search(rf"(?m)^{field}: (.*)\r$", head)[1]
    phrase = value[:value.rindex("<")].rstrip(" ")
    if phrase.startswith('"'):
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return str(email.header.make_header(email.header.decode_header(phrase)))


def test_subjects_and_names_come_back():
    wanted = texts()
    assert len(wanted) >= 200
    mails = [{**BASE, "subject": t, "from_name": t, "to_name": t} for t in wanted]
    for text, raw in zip(wanted, dump(mails)):
        message = check_wire(raw)
        check_words(raw)
        assert message["Subject"] == text
        if text:
            assert display_name(raw, "From") == text
            assert display_name(raw, "To") == text
        # The parser of addresses leaves spaces out, and puts one between two
        # encoded words (RFC 2047 section 6.2 forbids that).
        assert message["From"].addresses[0].display_name.replace(" ", "") == \
            text.replace(" ", "")
        assert message["From"].addresses[0].addr_spec == "shop@example.org"
        assert len(message["To"].addresses) == 1


def test_attachment_names_come_back():
    wanted = [t for t in texts() if t and len(t) < 300]
    names = [{**BASE, "attachments": [
        {"name": t, "type": "application/pdf", "bytes": {"raw": "00ff0a0d"}}]}
        for t in wanted]
    for name, raw in zip(wanted, dump(names)):
        message = check_wire(raw)
        attachment = next(message.iter_attachments())
        assert attachment["Content-Disposition"].params["filename"] == name
        assert attachment.get_content() == b"\x00\xff\x0a\x0d"


BODIES = ["", "x", "x\n", "\n\n", "a\nb\r\nc\rd", ".", ".\n..\n", "From me\nFrom you",
          "ä" * 2000, "x" * 5000, "x " * 3000, "trailing \nspace\t\n", "=20\n=\n",
          "--\n-- \n--=_a_\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\r\n", "a\r\n.\r\nMAIL",
          "\u202e\u2028\u0085", "tab\tin", "\x07bell"]


def normal(text):
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") or not text else text + "\n"


@pytest.mark.parametrize("parts", [("text",), ("html",), ("text", "html")])
@pytest.mark.parametrize("attachments", [0, 2])
def test_bodies_come_back(parts, attachments):
    mails = []
    for body in BODIES:
        mail = {k: v for k, v in BASE.items() if k != "text"}
        mail.update({part: body for part in parts})
        mail["attachments"] = [{"name": "a.bin", "type": "application/x-a",
                                "bytes": {"raw": "0d0a2e0d0a"}}] * attachments
        mails.append(mail)
    for body, raw in zip(BODIES, dump(mails)):
        message = check_wire(raw)
        for part in parts:
            found = message.get_body(("plain" if part == "text" else "html",))
            assert normal(found.get_content()) == normal(body)
        found = list(message.iter_attachments()) if attachments else []
        assert len(found) == attachments
        assert all(a.get_content() == b"\r\n.\r\n" for a in found)
        assert not message.defects


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("others", [0, 1])
def test_images_stand_beside_the_html_that_shows_them(text, others):
    mail = {**BASE, "html": '<img src="cid:logo"><img src="cid:b@x.org">',
            "attachments": [{"name": "a.pdf", "type": "application/pdf",
                             "bytes": "pdf"}] * others + [
                {"name": "logo.png", "type": "image/png", "bytes": "one",
                 "content_id": "logo"},
                {"name": "ü.gif", "type": "image/gif", "bytes": "two",
                 "content_id": "b@x.org"}]}
    if not text:
        del mail["text"]
    message = check_wire(dump([mail])[0])
    assert not message.defects
    path = ["multipart/mixed"] * others + ["multipart/alternative"] * text
    related, at = message, []
    while related.get_content_type() != "multipart/related":
        at.append(related.get_content_type())
        related = related.get_payload()[-1 if at[-1].endswith("alternative")
                                        else 0]
    assert at == path
    assert related["Content-Type"].params["type"] == "text/html"
    html, *images = related.iter_parts()
    assert html.get_content_type() == "text/html"
    assert [(i["Content-ID"], i.get_content_disposition(), i.get_filename(),
             i.get_content()) for i in images] == [
        ("<logo>", "inline", "logo.png", b"one"),
        ("<b@x.org>", "inline", "ü.gif", b"two")]
    assert message.get_body(("html",)).get_content().startswith("<img")
    if others:
        assert [p.get_filename() for p in message.iter_attachments()] == [
            "a.pdf"]


# --- B1: what is planted in each field that people control ---

PLANTS = {
    "CR": "\r", "LF": "\n", "CRLF": "\r\n", "NUL": "\0", "lf.lf": "\n.\n", "cr.cr": "\r.\r",
    "lf.crlf": "\n.\r\n", "crlf.crlf": "\r\n.\r\n",
    "header": "x\r\nBcc: evil@example.org", "body": "x\r\n\r\nevil",
    "fold": "x\r\n evil", "10kB": "x" * 10240, "10kB words": "word " * 2048 + "x",
    "surrogate": b"a\xed\xa0\x80b", "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "rtl": "\u202eabc\u202c", "rlm": "\u200fabc", "nel": "\u0085", "esc": "\x1b[0m",
}

FIELDS = ["from", "to", "reply_to", "subject", "from_name", "to_name", "message_id",
          "header name", "header value", "unsubscribe", "attachment name",
          "attachment type", "attachment content_id", "text", "html"]


def planted(field, plant):
    """A mail with the plant in the middle of the field's value."""
    if isinstance(plant, bytes):
        value = lambda a, b: {"raw": (a.encode() + plant + b.encode()).hex()}
    else:
        value = lambda a, b: a + plant + b
    if field in ("from", "to", "reply_to"):
        return {**BASE, field: value("an", "n@example.org")}
    if field == "message_id":
        return {**BASE, field: value("a", "b@belfry.example")}
    if field == "header name":
        return {**BASE, "headers": [{"name": value("X-", "A"), "value": "1"}]}
    if field == "header value":
        return {**BASE, "headers": [{"name": "X-A", "value": value("a", "b")}]}
    if field == "unsubscribe":
        return {**BASE, "headers": [{"name": "List-Unsubscribe",
                                     "value": value("<https://example.org/", ">")}]}
    if field.startswith("attachment"):
        attachment = {"name": "a", "type": "text/plain", "bytes": ""}
        attachment[field.split()[1]] = value("a/b", "c")
        return {**BASE, "html": "<p>x", "attachments": [attachment]}
    return {**BASE, field: value("a", "b")}


CLEAN = {"10kB", "10kB words", "rtl", "rlm"}
FREE_TEXT = {"subject", "from_name", "to_name", "header value", "attachment name"}


def is_taken(field, name):
    """Which plants may go out: encoded or wrapped, and unchanged."""
    if field in ("text", "html"):
        return name not in ("NUL", "surrogate", "surrogate pair")
    if field in FREE_TEXT:
        return name in CLEAN
    if field == "unsubscribe":  # a URL that has spaces is folded at them
        return name == "10kB words"
    return False


@pytest.mark.parametrize("field", FIELDS)
def test_nothing_planted_gets_out_of_its_field(field):
    # A header field is a C string, so it cannot hold NUL: JSON is refused
    # before it gets here.  mimedump would only cut it.
    names = [n for n in PLANTS if n != "NUL" or field in ("text", "html")]
    for name, raw in zip(names, dump([planted(field, PLANTS[n]) for n in names])):
        if not is_taken(field, name):
            assert isinstance(raw, str), (field, name)
            code, text = raw.split(" ", 1)
            assert code == "validation_failed"
            assert re.match(r'"[a-z_/0-9A-Z-]+":? ', text), text
            continue
        message = check_wire(raw)
        assert not message.defects
        assert "Bcc" not in message
        for key in ("From", "To", "Date", "Message-ID", "MIME-Version"):
            assert len(message.get_all(key)) == 1
        assert len(message["To"].addresses) == 1
        if field == "header value":
            assert message["X-A"] == "a" + PLANTS[name] + "b"


def test_what_is_planted_is_one_message_on_the_wire():
    messages = [raw for field in FIELDS for raw in dump(
        [planted(field, plant) for plant in PLANTS.values()])
        if isinstance(raw, bytes)]
    assert len(messages) > 40
    with MailServer(data_size_limit=None) as server:
        results = run([mail(server, body=raw.decode()) for raw in messages],
                      in_flight=1)
        assert {r["status"] for r in results} == {250}
        assert [octets for _, _, octets in server.inbox.received] == messages
        assert {tuple(r) for _, r, _ in server.inbox.received} == \
            {("b@example.org",)}


def test_the_same_mail_gives_the_same_bytes():
    mail = {**BASE, "html": "<p>ä", "subject": "ä"}
    one, two = dump([mail, mail])
    assert one == two


def test_other_messages_have_other_boundaries():
    one = parse(build(html="<p>x"))
    two = parse(build(html="<p>x", message_id="other@belfry.example"))
    assert one.get_boundary() != two.get_boundary()


def test_what_every_mail_has():
    message = parse(build(subject="x"))
    assert message["Message-ID"] == "<0193-a@belfry.example>"
    assert message["Date"].datetime.isoformat() == "2025-12-01T08:00:00+00:00"
    assert message["MIME-Version"] == "1.0"
    assert message["Auto-Submitted"] == "auto-generated"
    message = parse(build(headers=[{"name": "auto-submitted", "value": "no"}]))
    assert message.get_all("Auto-Submitted") == ["no"]


def test_domains_go_out_as_a_labels():
    raw = build(to="ann@bücher.example")
    if isinstance(raw, str) and "not built" in raw:
        pytest.skip("built without libidn2")
    check_wire(raw)
    assert parse(raw)["To"].addresses[0].addr_spec == "ann@xn--bcher-kva.example"


def test_a_local_part_is_never_changed():
    raw = build(to="jörg@bücher.example")
    if isinstance(raw, str) and "not built" in raw:
        pytest.skip("built without libidn2")
    check_wire(raw, smtputf8=True)
    assert "To: jörg@xn--bcher-kva.example\r\n".encode() in raw
    assert unicodedata.is_normalized("NFC", "jörg")


def test_long_names_and_addresses_stay_in_their_lines():
    address = "a" * 64 + "@" + ".".join(["b" * 60] * 3) + ".cc"
    message = check_wire(build(to=address, to_name="Ann " * 15 + "A"))
    assert message["To"].addresses[0].addr_spec == address
