# test_template_preview.py - what would be sent, and what is wrong with it
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import ADMIN, problem
from harness.tenant import Tenant

TEMPLATES = f"{ADMIN}/templates"
HELLO = f"{TEMPLATES}/hello"
PREVIEW = f"{HELLO}/preview"
SERVICE = "/api/v1/services/templates/hello/preview"

TEMPLATE = {
    "key": "hello", "name": "Hello",
    "variables": {"order": {"required": True}, "note": {"required": False},
                  "never": {"required": False}},
    "sample": {"en": {"order": "42", "recipient": {"name": "Sam"}},
               "de": {"order": "43"}},
    "parts": {
        "en": {"email.subject": "Order {{order}}",
               "email.html": "<p>Hello {{recipient.name}}, {{order}}"
                             "{{#if note}}: {{note}}{{/if}} {{color}}</p>",
               "sms": "Order {{order}} costs 5 €",
               "push.json": "{\"title\": \"{{order}}\", \"body\": \"b\"}"},
        "de": {"email.subject": "Bestellung {{order}}",
               "sms": "Bestellung „{{order}}“"}},
}


@pytest.fixture
def hello(tenant):
    answer = tenant.admin.post(TEMPLATES, json=TEMPLATE)
    assert answer.status_code == 201, answer.text
    return tenant


def preview(client, body=None, path=PREVIEW):
    answer = client.post(path, json=body) if body is not None \
        else client.post(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_sample_is_rendered(hello):
    shown = preview(hello.admin)
    assert (shown["key"], shown["version"], shown["errors"]) == ("hello", 1, 0)
    parts = shown["parts"]
    assert parts["email.subject"] == {"locale": "en", "output": "Order 42",
                                      "bytes": 8}
    assert parts["email.html"]["output"] == "<p>Hello Sam, 42 </p>"
    assert parts["email.text"] == {"made_from": "email.html", "bytes": 14,
                                   "output": "Hello Sam, 42\n"}
    assert parts["sms"]["sms"] == {"encoding": "gsm-7", "characters": 18,
                                   "units": 19, "segments": 1}
    assert shown["variables"]["missing"] == ["color"]
    assert shown["variables"]["undeclared"] == ["color"]
    assert shown["variables"]["unused"] == ["never"]
    assert {"order", "note", "recipient.name"} \
        <= set(shown["variables"]["used"])
    assert [w["part"] for w in shown["warnings"]] == ["email.html"]


def test_locale_and_data_are_those_of_the_recipient(hello):
    shown = preview(hello.admin, {
        "locale": "de-AT", "data": {"order": "1"},
        "recipient": {"name": "Eva", "data": {"order": "<2>"}}})
    parts = shown["parts"]
    assert parts["email.subject"]["output"] == "Bestellung <2>"
    assert parts["email.subject"]["locale"] == "de"
    assert parts["email.html"]["locale"] == "en"
    assert "Hello Eva, &lt;2&gt;" in parts["email.html"]["output"]
    assert parts["sms"]["sms"]["encoding"] == "ucs-2"
    assert any("U+201E" in w["text"] for w in shown["warnings"])
    assert preview(hello.admin, {"locale": "de"})["parts"]["sms"][
        "output"] == "Bestellung „43“"


def test_the_tenants_default_locale_goes_before_the_templates(hello, stack):
    stack.value("UPDATE tenant SET default_locale = 'de' WHERE id = %s "
                "RETURNING 1", hello.id)
    for locale, want in (("fr", "de"), ("en-GB", "en"), ("de-CH", "de")):
        shown = preview(hello.admin, {"locale": locale})
        assert shown["parts"]["email.subject"]["locale"] == want
        assert shown["parts"]["email.html"]["locale"] == "en"


def test_a_draft_is_shown_by_its_number(hello):
    draft = {**TEMPLATE, "publish": False, "parts": {
        "en": {"sms": "{{order}}{{> nobody}}", "push.json": "[{{order}}"}},
        "sample": {}}
    answer = hello.admin.request("PUT", HELLO, json=draft)
    assert answer.status_code == 200, answer.text
    assert preview(hello.admin)["version"] == 1
    shown = preview(hello.admin, {"version": 2, "data": {}})
    assert (shown["version"], shown["errors"]) == (2, 1)
    assert shown["parts"]["sms"]["error"] == {
        "text": 'the partial "nobody" could not be found',
        "template": "hello", "locale": "en", "part": "sms", "line": 1,
        "column": 10, "excerpt": "hello/en/sms:1:10: "
        'the partial "nobody" could not be found\n'
        "  {{order}}{{> nobody}}\n           ^\n"}
    assert shown["variables"]["missing"] == ["order"]
    assert any("not JSON" in w["text"] for w in shown["warnings"])


def test_services_see_the_same(hello):
    service = hello.client(hello.make_key("other",
                                          scopes=("templates:read",)))
    assert preview(service, path=SERVICE) == preview(hello.admin)


@pytest.mark.parametrize("body, pointer", [
    ({"version": 9}, "/version"),
    ({"version": 0}, "/version"),
    ({"locale": "de_AT"}, "/locale"),
    ({"time_zone": "Vienna"}, "/time_zone"),
    ({"data": [1]}, "/data"),
    ({"recipient": "Ann"}, "/recipient"),
    ({"date": {}}, "/date"),
    ([], ""),
])
def test_bad_bodies_are_refused(hello, body, pointer):
    told = problem(hello.admin.post(PREVIEW, json=body), 422,
                   "validation_failed")
    assert told["errors"][0]["pointer"] == pointer


def test_nobody_else_sees_it(hello, stack):
    other = Tenant(stack, maildir=False)
    problem(other.admin.post(PREVIEW), 404, "not_found")
    problem(other.admin.post(SERVICE), 404, "not_found")
    problem(hello.api.post(SERVICE), 403, "forbidden")
    problem(hello.admin.post(f"{TEMPLATES}/hullo/preview"), 404, "not_found")


def test_a_rendering_that_has_no_end_is_an_error(hello):
    rows = "{{#each l}}{{#each ../l}}{{#each ../l}}{{#each ../l}}x" \
        "{{/each}}{{/each}}{{/each}}{{/each}}"
    hello.admin.request("PUT", HELLO, json={
        **TEMPLATE, "sample": {}, "parts": {"en": {"sms": rows}}})
    shown = preview(hello.admin, {"data": {"l": list(range(200))}})
    assert "too much to render" in shown["parts"]["sms"]["error"]["text"]
