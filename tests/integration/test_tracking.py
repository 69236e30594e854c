# test_tracking.py - mails that tell when they are opened and where they lead
#
# SPDX-License-Identifier: BSD-2-Clause
import html.parser

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


def test_mails_are_left_alone_unless_it_is_wished(own_stack):
    tenant = Tenant(own_stack)
    _, links, _ = sent(tenant)
    assert links.hrefs == [SHOP, "mailto:help@shop.example"]
    assert links.pictures == []


def test_opens_and_clicks(own_stack):
    tenant = Tenant(own_stack)
    answer = tenant.admin.request(
        "PATCH", f"{ADMIN}/tenants/{tenant.slug}/settings",
        json={"tracking": {"opens": True, "clicks": True}},
        headers={"Content-Type": "application/merge-patch+json"})
    assert answer.status_code == 200, answer.text
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
