# test_unsubscribe.py - list mail and the link that ends it (RFC 8058)
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import email
import email.policy
import json
import re
import uuid

import pytest
import requests

from harness.api import ADMIN, mail, problem
from harness.fake_provider import FakeProvider
from harness.hooks import PUBLIC, SendGrid
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

NEWS = {"category": "Weekly news", "content": {
    "unsubscribe": True,
    "email": {"subject": "News", "text": "News. {{unsubscribe_url}}"}}}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
FIELDS = ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id",
          "Feedback-ID")


@pytest.fixture
def tenant(public_stack):
    return Tenant(public_stack)


def news(address="ann@example.org", **more):
    return mail(address, **{**NEWS, **more})


def last_event(tenant, body):
    identity = tenant.api.accepted(body)
    tenant.api.ended(identity)
    return identity, tenant.api.notification(identity)["deliveries"][0]


def receive(tenant, body):
    """Sends; the notification's id and the mail."""
    before = len(tenant.mails())
    identity = tenant.api.accepted(body)
    return identity, tenant.wait_for_mails(before + 1)[-1]


def link(tenant, message):
    """The link of a mail, as this Belfry is reached."""
    found = re.fullmatch(rf"<{PUBLIC}(/u/[\w-]+)>",
                         message["List-Unsubscribe"])
    return tenant.stack.url + found.group(1)


def suppressions(tenant):
    return [(s["address"], s["channel"], s["category"], s["reason"])
            for s in tenant.admin.get(f"{ADMIN}/suppressions").json()["data"]]


def types(tenant, identity):
    return [e["type"] for e in tenant.api.timeline(identity)]


def reason(tenant):
    """What becomes of the news for Ann."""
    _, delivery = last_event(tenant, news("ANN@example.org"))
    return delivery["state"], delivery["reason"]


def test_one_click(tenant):
    identity, message = receive(tenant, news())
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "<Weekly-news.localhost>"
    assert message["Feedback-ID"] == \
        f"Weekly-news:{tenant.slug}:Weekly-news:belfry"
    url = link(tenant, message)
    assert PUBLIC + url[len(tenant.stack.url):] in \
        message.get_content().replace("\n", "")
    for _ in range(2):  # scanners follow links
        shown = requests.get(url, timeout=30)
        assert shown.status_code == 200 and "Weekly news" in shown.text
        assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "a***@example.org" in shown.text
        assert "ann@example.org" not in shown.text
    assert suppressions(tenant) == []
    # No cookies, no login, no redirect; twice is as good as once.
    for _ in range(2):
        answer = requests.post(url, data=ONE_CLICK, timeout=30,
                               allow_redirects=False)
        assert answer.status_code == 200 and not answer.cookies
    assert suppressions(tenant) == [
        ("ann@example.org", "email", "Weekly news", "unsubscribe")]
    assert types(tenant, identity).count("delivery.unsubscribed") == 1
    # Within api.cache_check, and for this category alone.
    wait_until(lambda: reason(tenant) == (
        "skipped", "the address for email is suppressed: unsubscribe"), 10,
        "no more mail")
    for other in (news(category="orders"), news("bob@example.org"), mail()):
        assert last_event(tenant, other)[1]["state"] == "sent"
    # And back.
    answer = requests.post(url, data={"action": "resubscribe"}, timeout=30)
    assert answer.status_code == 200 and suppressions(tenant) == []
    assert last_event(tenant, news())[1]["state"] == "sent"
    assert "delivery.resubscribed" in types(tenant, identity)


@pytest.mark.settings(settings={"api.public_url": PUBLIC,
                                "limits.link_most": "4"})
def test_who_goes_to_and_fro_is_left_unsubscribed(own_stack):
    tenant = Tenant(own_stack)
    identity, message = receive(tenant, news())
    url = link(tenant, message)
    for n in range(8):
        action = "resubscribe" if n % 2 else "unsubscribe"
        answer = requests.post(url, data={"action": action}, timeout=30)
        if n < 4 or action == "unsubscribe":
            assert answer.status_code == 200
        else:
            problem(answer, 429, "rate_limited")
    for _ in range(3):
        assert requests.post(url, data=ONE_CLICK, timeout=30).status_code == 200
    assert len(suppressions(tenant)) == 1
    assert types(tenant, identity).count("delivery.resubscribed") <= 2


def test_multipart_and_what_is_no_form(tenant):
    _, message = receive(tenant, news())
    url = link(tenant, message)
    for data in (None, "", "List-Unsubscribe=", "x=1", {"a": "b"}, "%"):
        assert requests.post(url, data=data, timeout=30).status_code == 400
    assert requests.post(url, data="a" * 20000, timeout=30).status_code == 413
    assert requests.post(url, files={"List-Unsubscribe": (None, "x")},
                         timeout=30).status_code == 400
    assert suppressions(tenant) == []
    assert requests.post(url, files={"List-Unsubscribe": (
        None, "One-Click")}, timeout=30).status_code == 200
    assert len(suppressions(tenant)) == 1


def test_links_cannot_be_made_or_changed(tenant):
    _, message = receive(tenant, news())
    url = link(tenant, message)
    head, token = url.rsplit("/", 1)
    blob = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"ann" not in blob and b"news" not in blob
    for at in range(0, len(blob), 5):
        changed = bytearray(blob)
        changed[at] ^= 1
        other = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        answer = requests.post(f"{head}/{other}", data=ONE_CLICK, timeout=30)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("text/html")
    for other in ("x", token[:-4], token + "AAAA", "a" * 7000,
                  "%00", "..%2f", str(uuid.uuid4())):
        assert requests.get(f"{head}/{other}", timeout=30).status_code in \
            (400, 404)
    assert suppressions(tenant) == []


def test_the_same_at_each_attempt(public_stack):
    tenant = Tenant(public_stack, maildir=False)
    with FaultyServer({"body": "451 4.3.0 later"}, times=1) as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        identity = tenant.api.accepted(news())
        tenant.idle()
        assert types(tenant, identity).count("delivery.started") == 2
        first, second = server.bodies
    assert first == second
    message = email.message_from_bytes(first, policy=email.policy.default)
    assert message["List-Id"] == "<Weekly-news.example.org>"


@pytest.mark.parametrize("body, listed", [
    (news(), True),
    (mail(priority="bulk", category="news"), True),
    (mail(priority="bulk"), False),
    (mail(category="news"), False),
])
def test_which_mails_are_list_mail(tenant, body, listed):
    _, message = receive(tenant, body)
    assert [message[f] is not None for f in FIELDS] == [listed] * 4


def test_no_link_without_a_category_or_a_place(tenant, stack):
    body = news()
    del body["category"]
    answer = problem(tenant.api.send(body), 422, "validation_failed")
    assert answer["errors"][0]["pointer"] == "/category"
    nowhere = Tenant(stack)
    _, message = receive(nowhere, news())
    assert [message[f] for f in FIELDS] == [None] * 4


def test_templates_that_say_so(tenant, tmp_path):
    directory = tmp_path / "letter"
    directory.mkdir()
    head = {"name": "Letter", "category": "letters", "unsubscribe": True}
    (directory / "template.json").write_text(json.dumps(head))
    (directory / "email.subject.hbs").write_text("Letter\n")
    (directory / "email.text.hbs").write_text("Stop: {{unsubscribe_url}}\n")
    tenant.push_template(directory)
    _, message = receive(tenant, {"template": "letter", "to": {
        "email": "ann@example.org", "locale": "de-AT"}})
    assert message["Feedback-ID"] == f"letter:{tenant.slug}:letters:belfry"
    page = requests.get(link(tenant, message), timeout=30).text
    assert '<html lang="de"' in page and "Abbestellen?" in page
    shown = tenant.admin.get(f"{ADMIN}/templates/letter")
    assert shown.json()["unsubscribe"] is True
    preview = tenant.admin.post(f"{ADMIN}/templates/letter/preview").json()
    assert "/u/preview" in preview["parts"]["email.text"]["output"]
    assert preview["variables"]["undeclared"] == []
    changed = tenant.admin.request(
        "PATCH", f"{ADMIN}/templates/letter", json={"category": ""},
        headers={"Content-Type": "application/merge-patch+json"})
    assert problem(changed, 422, "validation_failed")["errors"][0][
        "pointer"] == "/category"
    changed = tenant.admin.request(
        "PATCH", f"{ADMIN}/templates/letter", json={"unsubscribe": False},
        headers={"Content-Type": "application/merge-patch+json"})
    assert changed.json()["latest_version"] == 2


@pytest.mark.parametrize("header, language", [
    ("de-CH,de;q=0.9,en;q=0.8", "de"), ("fr,en;q=0.5,de;q=0.7", "de"),
    ("fr", "en"), ("", "en"), ("en;q=0.1,de;q=x", "en"), (",;q=,*", "en")])
def test_languages(tenant, header, language):
    _, message = receive(tenant, news())
    page = requests.get(link(tenant, message), timeout=30,
                        headers={"Accept-Language": header})
    assert f'<html lang="{language}"' in page.text


@pytest.mark.expect_log("a setting of a tenant is broken")
def test_the_page_runs_nothing(tenant):
    tenant.stack.rows("UPDATE tenant SET settings = settings || %s "
                      "WHERE id = %s", json.dumps({"branding": {
                          "name": "<script>", "color": "red}</style><script>"
                      }}), tenant.id)
    _, message = receive(tenant, news(category="<b>&\"'"))
    page = requests.get(link(tenant, message), timeout=30)
    assert "<script" not in page.text and "<b>" not in page.text
    nonce = re.search(r'<style nonce="([\w-]+)">', page.text).group(1)
    assert page.headers["Content-Security-Policy"] == \
        f"default-src 'none'; style-src 'nonce-{nonce}'; " \
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def test_sendgrid(public_stack):
    with FakeProvider() as provider:
        provider.keep_bodies = True
        tenant = Tenant(public_stack, maildir=False)
        SendGrid().add_to(tenant, base_url=provider.url())
        identity = tenant.api.accepted(news())
        tenant.api.ended(identity)
        sent = json.loads(provider.bodies[-1])
        assert set(sent["headers"]) == set(FIELDS)
        assert sent["headers"]["List-Unsubscribe"].startswith(
            f"<{PUBLIC}/u/")
