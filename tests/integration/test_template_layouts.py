# test_template_layouts.py - layouts, partials and messages, and when they change
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import time

import pytest

from harness.api import ADMIN, problem
from harness.tenant import Tenant
from harness.wait import wait_until

TEMPLATES = f"{ADMIN}/templates"


def template(key, text, html=None, **more):
    parts = {"email.text": text}
    if ":" not in key:
        parts["email.subject"] = key
    if html is not None:
        parts["email.html"] = html
    return {"key": key, "name": key, "parts": {"en": parts}, **more}


def put(tenant, body, status=(200, 201)):
    answer = tenant.admin.request("PUT", f"{TEMPLATES}/{body['key']}",
                                  json=body)
    assert answer.status_code in status, answer.text
    return answer


@pytest.fixture
def shop(tenant):
    put(tenant, template("layout:default", "1[{{> @partial-block}}]"))
    put(tenant, template("partial:sign", "({{who}})"))
    put(tenant, template("hello", "Hello{{> sign who='Ann'}}",
                         layout="default"))
    return tenant


def send(tenant, **more):
    return tenant.api.accepted({"template": "hello",
                                "to": {"email": "ann@example.org"}, **more})


def texts(tenant, count):
    return [m.get_body(("plain",)).get_content().strip()
            for m in tenant.wait_for_mails(count)]


def test_a_mail_stands_in_its_layout(shop):
    send(shop)
    assert texts(shop, 1) == ["1[Hello(Ann)]"]


def test_a_new_layout_is_seen_within_a_second(shop):
    send(shop)
    texts(shop, 1)
    put(shop, template("layout:default", "2[{{> @partial-block}}]"))
    put(shop, template("partial:sign", "<{{who}}>"))
    time.sleep(1)  # what the manual promises; not a wait for something else
    send(shop)
    assert texts(shop, 2)[-1] == "2[Hello<Ann>]"
    shop.admin.post(f"{TEMPLATES}/layout:default/rollback")
    time.sleep(1)
    send(shop)
    assert texts(shop, 3)[-1] == "1[Hello<Ann>]"


def test_what_was_accepted_keeps_its_layout(shop):
    """Until it is sent, whatever is published meanwhile, also by a spooler that has
    never seen the old layout."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    first = send(shop, send_at=at)
    put(shop, template("layout:default", "2[{{> @partial-block}}]"))
    put(shop, template("hello", "Hi{{> sign who='Bob'}}", layout="default"))

    def new():
        send(shop)
        return "2[Hi(Bob)]" in texts(shop, 1)
    wait_until(new, 10, "a mail with the new layout", every=0.3)
    shop.api.ended(first)
    shop.idle()
    assert "1[Hello(Ann)]" in texts(shop, 2)
    rows = shop.rows("SELECT template_version v, template_release r FROM "
                     "notification WHERE tenant_id = %s AND id = %s", first)
    assert [(r["v"], r["r"]) for r in rows] == [(1, 2)]


def test_drafts_of_layouts_are_not_used(shop):
    put(shop, {**template("layout:default", "9{{> @partial-block}}"),
               "publish": False})
    time.sleep(1)
    send(shop)
    assert texts(shop, 1) == ["1[Hello(Ann)]"]


def test_a_layout_has_to_be_there(shop):
    told = problem(put(shop, template("other", "x", layout="none"),
                       status=(422,)), 422, "validation_failed")
    assert told["errors"][0]["pointer"] == "/layout"
    draft = {**template("other", "x", layout="none"), "publish": False}
    put(shop, draft)
    problem(shop.admin.post(f"{TEMPLATES}/other/publish"), 422,
            "validation_failed")
    problem(shop.admin.request("DELETE", f"{TEMPLATES}/layout:default"), 409,
            "conflict")
    put(shop, template("hello", "alone"))
    assert shop.admin.request(
        "DELETE", f"{TEMPLATES}/layout:default").status_code == 204


def test_a_partial_that_is_gone_ends_a_delivery(shop):
    assert shop.admin.request(
        "DELETE", f"{TEMPLATES}/partial:sign").status_code == 204
    time.sleep(1)
    events = shop.api.ended(send(shop))
    assert any('the partial "sign" could not be found' in (e["text"] or "")
               for e in events), events


@pytest.mark.parametrize("change, pointer", [
    ({"key": "layout:"}, "/key"), ({"key": "layout:Ä"}, "/key"),
    ({"key": "other:x"}, "/key"), ({"key": "layout:a:b"}, "/key"),
    ({"key": "layout:a", "layout": "default"}, "/layout"),
    ({"key": "a", "layout": "Not A Name"}, "/layout"),
    ({"key": "a", "parts": {"en": {"messages": []}}}, "/parts"),
    ({"key": "a", "parts": {"en": {"messages": {"x": 1}, "sms": "a"}}},
     "/parts/en/messages"),
    ({"key": "a", "parts": {"en": {"messages": {"x": "{{#if"}, "sms": "a"}}},
     "/parts/en/messages"),
])
def test_what_is_wrong_is_refused(shop, change, pointer):
    body = {**template("a", "x"), **change}
    told = problem(shop.admin.post(TEMPLATES, json=body), 422,
                   "validation_failed")
    assert pointer in [e["pointer"] for e in told["errors"]]


def test_a_layout_cannot_be_sent(shop):
    told = problem(shop.api.send({"template": "layout:default",
                                  "to": {"email": "a@b.example"}}), 422,
                   "validation_failed")
    assert told["errors"][0]["pointer"] == "/template"


def test_layouts_of_other_tenants_are_not_seen(shop, stack):
    other = Tenant(stack)
    problem(put(other, template("hello", "x", layout="default"),
                status=(422,)), 422, "validation_failed")
    put(other, template("hello", "{{> sign}}"))
    events = other.api.ended(send(other))
    assert any("could not be found" in (e["text"] or "") for e in events)


def test_messages_are_those_of_the_recipients_language(tenant):
    body = template("hello", "{{t 'greeting' who=recipient.name}}")
    body["parts"]["en"]["messages"] = {"greeting": "Hello {{who}}"}
    body["parts"]["de"] = {"messages": {"greeting": "Hallo {{who}}"}}
    put(tenant, body)
    for locale, want in (("de-AT", "Hallo Ann"), ("fr", "Hello Ann")):
        shown = tenant.admin.post(f"{TEMPLATES}/hello/preview", json={
            "locale": locale, "recipient": {"name": "Ann"}}).json()
        assert shown["parts"]["email.text"]["output"] == want


def test_directories_of_layouts(tenant, tmp_path):
    for name, head, source in (
            ("_layouts/main", {"name": "Main"}, "[{{> @partial-block}}]"),
            ("_partials/sign", {"name": "Sign"}, "bye"),
            ("hello", {"name": "Hello", "layout": "main"}, "{{> sign}}")):
        directory = tmp_path / name
        directory.mkdir(parents=True)
        (directory / "template.json").write_text(json.dumps(head))
        (directory / "sms.hbs").write_text(source)
    told = tenant.ctl("template", "push", tmp_path)
    assert [t["key"] for t in told] == ["layout:main", "partial:sign",
                                        "hello"]
    shown = tenant.ctl("template", "preview", "hello")
    assert shown["parts"]["sms"]["output"] == "[bye]"
    tenant.ctl("template", "pull", "layout:main", tmp_path / "pulled")
    assert (tmp_path / "pulled/sms.hbs").read_text() \
        == "[{{> @partial-block}}]\n"
    tenant.ctl("template", "pull", "hello", tmp_path / "again")
    assert json.loads((tmp_path / "again/template.json").read_text())[
        "layout"] == "main"
