# test_tracking.py - mails that tell when they are opened and where they lead
#
# SPDX-License-Identifier: BSD-2-Clause
import html.parser
import json
import re

import pytest
import requests

from harness.api import ADMIN, problem
from harness.tenant import Tenant
from harness.wait import wait_until

PUBLIC = "https://notify.example.org"
pytestmark = pytest.mark.settings(settings={"api.public_url": PUBLIC})
SHOP = "https://shop.example/?order=42&lang=de"
HTML = ('<html><body><p>Your order <a class="b" href="' + SHOP.replace(
    "&", "&amp;") + '">42</a> shipped. <a href="mailto:help@shop.example">Help'
    '</a></p></body></html>')


class Links(html.parser.HTMLParser):
    """All that a mail leads to and shows."""

    def __init__(self, text):
        super().__init__()
        self.hrefs, self.pictures = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a":
            self.hrefs.append(attrs["href"])
        if tag == "img":
            self.pictures.append(attrs["src"])


def sent(tenant):
    identity = tenant.api.accepted({
        "to": {"email": "ann@example.org"},
        "content": {"email": {"subject": "Order", "html": HTML}}})
    tenant.api.ended(identity)
    mail = tenant.wait_for_mails(1)[-1]
    part = mail.get_body(preferencelist=("html",))
    text = mail.get_body(preferencelist=("plain",)).get_content()
    return identity, Links(part.get_content()), text


def follow(tenant, url, method="GET"):
    assert url.startswith(PUBLIC)
    return requests.request(method, tenant.stack.url + url[len(PUBLIC):],
                            allow_redirects=False, timeout=30)


def types(tenant, identity):
    return [e["type"] for e in tenant.api.timeline(identity)
            if e.get("by") == "recipient"]


def wish(tenant):
    """From now on opens and clicks of its mails are noted."""
    answer = tenant.admin.request(
        "PATCH", f"{ADMIN}/tenants/{tenant.slug}/settings",
        json={"tracking": {"opens": True, "clicks": True}},
        headers={"Content-Type": "application/merge-patch+json"})
    assert answer.status_code == 200, answer.text


def test_mails_are_left_alone_unless_it_is_wished(own_stack):
    tenant = Tenant(own_stack)
    _, links, _ = sent(tenant)
    assert links.hrefs == [SHOP, "mailto:help@shop.example"]
    assert links.pictures == []


def test_opens_and_clicks(own_stack):
    tenant = Tenant(own_stack)
    wish(tenant)
    identity, links, text = sent(tenant)
    assert PUBLIC not in text and SHOP in text
    link, mailto = links.hrefs
    assert mailto == "mailto:help@shop.example"
    picture, = links.pictures
    for url in (link, picture):
        assert follow(tenant, url, "HEAD").status_code in (200, 302)
    assert tenant.count("hook_inbox") == 0
    for _ in range(2):
        shown = follow(tenant, picture)
        assert shown.headers["Content-Type"] == "image/gif"
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.content.startswith(b"GIF89a") and len(shown.content) == 43
        there = follow(tenant, link)
        assert (there.status_code, there.headers["Location"]) == (302, SHOP)
    wait_until(lambda: tenant.count("hook_inbox") == 0, 20, "an empty inbox")
    assert sorted(types(tenant, identity)) == ["delivery.clicked",
                                               "delivery.opened"]
    clicked = next(e for e in tenant.api.timeline(identity)
                   if e["type"] == "delivery.clicked")
    assert clicked["text"] == SHOP
    assert tenant.api.notification(identity)["deliveries"][0]["state"] == \
        "delivered"


def test_nobody_makes_a_link_that_leads_elsewhere(own_stack):
    for path in ("/t/c/" + "A" * 80, "/t/c/https:%2F%2Fevil.example",
                 "/t/o/x.gif", "/t/c/" + "A" * 4000):
        problem(requests.get(own_stack.url + path, allow_redirects=False,
                             timeout=30), 404, "not_found")


FEW = pytest.mark.settings(settings={"api.public_url": PUBLIC,
                                     "limits.link_most": "3"})


@FEW
def test_a_link_is_noted_so_often_and_leads_on_for_ever(own_stack):
    """Whoever holds a mail does not fill its tenant's inbox."""
    tenant = Tenant(own_stack)
    wish(tenant)
    _, links, _ = sent(tenant)

    def noted():
        text = requests.get(f"{own_stack.url}/metrics", timeout=30).text
        return [int(re.search(rf'belfry_{name}"}} (\d+)', text)[1])
                for name in ('links_total{what="opened', 'links_total{what="clicked',
                             'rate_limited_total{policy="link')]
    before = noted()
    for _ in range(8):
        shown = follow(tenant, links.pictures[0])
        assert (shown.status_code, len(shown.content)) == (200, 43)
        there = follow(tenant, links.hrefs[0])
        assert (there.status_code, there.headers["Location"]) == (302, SHOP)
        for one in (shown, there):
            assert not {"RateLimit", "Retry-After"} & set(one.headers)
    assert [n - b for n, b in zip(noted(), before)] == [3, 3, 10]


# ---- Templates and requests ---------------------------------------------------------

def make(tenant, key, **more):
    answer = tenant.admin.post(f"{ADMIN}/templates", json={
        "key": key, "name": key, **more,
        "parts": {"en": {"email.subject": "Order", "email.html": HTML}}})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize("way", ["express", "queue"])
@pytest.mark.parametrize("tenants", [False, True])
def test_request_goes_before_template_and_that_before_tenant(own_stack, tenants,
                                                             way):
    tenant = Tenant(own_stack)
    assert tenant.admin.request(
        "PATCH", f"{ADMIN}/tenants/{tenant.slug}/settings",
        json={"tracking": {"opens": tenants, "clicks": tenants}},
        headers={"Content-Type": "application/merge-patch+json"}
    ).status_code == 200
    opens, clicks = {"opens": not tenants}, {"clicks": not tenants}
    make(tenant, "silent")
    made = make(tenant, "other", tracking=opens)
    assert made["tracking"] == opens
    more = {} if way == "express" else {"attachments": [
        {"content": "SGVsbG8K", "name": "a.txt"}]}
    for n, (template, tracking, want) in enumerate([
            ("silent", None, (tenants, tenants)),
            ("other", None, (not tenants, tenants)),
            ("silent", clicks, (tenants, not tenants)),
            ("other", {"opens": tenants, **clicks}, (tenants, not tenants))]):
        body = {"to": {"email": "ann@example.org"}, "template": template, **more}
        if tracking is not None:
            body["tracking"] = tracking
        tenant.api.ended(tenant.api.accepted(body))
        links = Links(tenant.wait_for_mails(n + 1)[-1].get_body(
            preferencelist=("html",)).get_content())
        assert (len(links.pictures) == 1,
                links.hrefs[0].startswith(PUBLIC)) == want, (template, tracking)


def test_template_json_keeps_it(own_stack, tmp_path):
    tenant = Tenant(own_stack)
    make(tenant, "news", tracking={"opens": False, "clicks": True})
    tenant.ctl("template", "pull", "news", tmp_path / "news")
    head = json.loads((tmp_path / "news" / "template.json").read_text())
    assert head["tracking"] == {"opens": False, "clicks": True}
    head["tracking"] = {"opens": True}
    (tmp_path / "news" / "template.json").write_text(json.dumps(head))
    tenant.push_template(tmp_path / "news")
    shown = tenant.admin.get(f"{ADMIN}/templates/news").json()
    assert shown["tracking"] == {"opens": True} and shown["latest_version"] == 2
    changed = tenant.admin.request(
        "PATCH", f"{ADMIN}/templates/news", json={"tracking": None},
        headers={"Content-Type": "application/merge-patch+json"})
    assert changed.status_code == 200 and "tracking" not in changed.json()


@pytest.mark.parametrize("wrong", [[], {"opens": 1}, {"reads": True}])
def test_faults_of_tracking(own_stack, wrong):
    tenant = Tenant(own_stack)
    answer = tenant.admin.post(f"{ADMIN}/templates", json={
        "key": "x", "name": "x", "tracking": wrong,
        "parts": {"en": {"sms": "x"}}})
    problem(answer, 422, "validation_failed")
    assert answer.json()["errors"][0]["pointer"].startswith("/tracking")
    answer = tenant.api.send({"to": {"email": "a@example.org"}, "tracking": wrong,
                              "content": {"sms": {"text": "x"}}})
    problem(answer, 422, "validation_failed")
    assert answer.json()["errors"][0]["pointer"].startswith("/tracking")
