# test_template_variables.py - what a template needs is asked for at once
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import ADMIN, problem

ANN, BOB = {"email": "ann@example.org"}, {"email": "bob@example.org"}
TEMPLATE = {
    "key": "hello", "name": "Hello",
    "variables": {
        "order.id": {"required": True, "type": "integer"},
        "items[].name": {"required": True, "type": "string"},
        "seat": {"required": False, "type": "string"},
    },
    "parts": {"en": {"email.subject": "{{order.id}}",
                     "email.text": "{{#each items}}{{name}}{{/each}}"}},
}
GOOD = {"order": {"id": 7}, "items": [{"name": "a"}]}


@pytest.fixture(autouse=True)
def template(tenant):
    answer = tenant.admin.post(f"{ADMIN}/templates", json=TEMPLATE)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("to, data, want", [
    (ANN, {}, {"/data/order/id": "missing", "/data/items": "missing"}),
    ([ANN], {**GOOD, "order": {}}, {"/data/order/id": "missing"}),
    ([ANN], {**GOOD, "order": None}, {"/data/order/id": "missing"}),
    ([ANN], {**GOOD, "order": {"id": None}}, {"/data/order/id": "missing"}),
    ([ANN], {**GOOD, "order": {"id": "7"}}, {"/data/order/id": "wrong_type"}),
    ([ANN], {**GOOD, "items": [{"name": "a"}, {}, {"name": 3}]},
     {"/data/items/1/name": "missing", "/data/items/2/name": "wrong_type"}),
    ([ANN], {**GOOD, "items": "a"}, {"/data/items": "missing"}),
    ([ANN], {**GOOD, "seat": 12}, {"/data/seat": "wrong_type"}),
    ([ANN, {**BOB, "data": {"order": {"id": 8}}}],
     {"items": GOOD["items"]}, {"/to/0/data/order/id": "missing"}),
    ([ANN, {**BOB, "data": {"order": {"no": 8}}}], GOOD,
     {"/to/1/data/order/id": "missing"}),
    ({**ANN, "data": {"order": {"no": 8}}}, GOOD,
     {"/to/data/order/id": "missing"}),
    ([{**ANN, "data": {"seat": False}}], GOOD,
     {"/to/0/data/seat": "wrong_type"}),
])
def test_what_is_missing_has_its_pointer(tenant, to, data, want):
    before = tenant.written()
    told = problem(tenant.api.send({"template": "hello", "to": to,
                                    "data": data}), 422, "validation_failed")
    assert {e["pointer"]: e["code"] for e in told["errors"]} == want
    assert tenant.written() == before


@pytest.mark.parametrize("to, data", [
    (ANN, GOOD),
    ([ANN, {**BOB, "data": {"order": {"id": 8}}}], GOOD),
    ([{**ANN, "data": GOOD}, {**BOB, "data": GOOD}], {}),
    ([{**ANN, "data": {"order": {"id": 8}}}], {**GOOD, "order": {}}),
    (ANN, {**GOOD, "items": []}),
    (ANN, {**GOOD, "seat": None}),
])
def test_what_is_there_is_accepted(tenant, to, data):
    tenant.api.accepted({"template": "hello", "to": to, "data": data})


@pytest.mark.parametrize("variables, text", [
    ({"a..b": {}}, "is not a name"),
    ({"a[0]": {}}, "is not a name"),
    ({"": {}}, "is not a name"),
    ({"a": {"type": "text"}}, "is none of string"),
    ({"a": {"type": 1}}, "is none of string"),
    ({"a": {"required": "yes"}}, "neither true nor false"),
    ({"a": []}, "is not an object"),
])
def test_declarations_are_checked(tenant, variables, text):
    told = problem(tenant.admin.request(
        "PUT", f"{ADMIN}/templates/hello",
        json={**TEMPLATE, "variables": variables}), 422, "validation_failed")
    assert [e["pointer"] for e in told["errors"]] == ["/variables"]
    assert text in told["errors"][0]["detail"]
