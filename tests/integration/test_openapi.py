# test_openapi.py - the published document and the API agree
#
# SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from harness.api import Client

METHODS = ("get", "put", "post", "patch", "delete")


@pytest.fixture
def document(stack):
    answer = Client(stack.url, None).get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document):
    return [(method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()]


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_document_is_whole(document):
    assert document["openapi"].startswith("3.1")
    for reference in references(document):
        node = document
        for step in reference.lstrip("#/").split("/"):
            node = node[step]
    assert document["servers"] == [{"url": "/"}]
    assert document["info"]["license"]["identifier"] == "BSD-2-Clause"
    told = [path["post"] for path in document["webhooks"].values()]
    assert all(o["security"] == [] for o in told)
    ids = [o["operationId"] for _, _, o in operations(document)] \
        + [o["operationId"] for o in told]
    assert len(ids) == len(set(ids))
    for method, path, operation in operations(document):
        assert method in METHODS
        named = {p["name"] for p in operation["parameters"]
                 if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        assert operation["summary"] and operation["tags"]
        assert any(s[0] in "23" for s in operation["responses"])


def test_each_operation_exists(stack, document):
    """Without a key a route that needs one says 401, and nothing says 404
    or 405."""
    visitor = Client(stack.url, None)
    for method, path, operation in operations(document):
        path = re.sub(r"{\w+}", "01920000-0000-7000-8000-000000000000", path)
        answer = visitor.request(method.upper(), path)
        if operation["security"]:
            assert answer.status_code == 401, (method, path)
            assert answer.json()["code"] == "unauthenticated"
        else:
            # What a provider reports is proven by its signature, the right
            # to unsubscribe and other links by what they hold, and a client
            # by the body.
            want = {"hooks": 403, "u": 404, "t": 404, "oauth": 400}.get(
                path.split("/")[1], 200)
            assert answer.status_code == want, (method, path)


@pytest.mark.parametrize("method, path, body", [
    ("put", "/api/v1/services/recipients/{user_id}", {"email": "a@example.org"}),
    ("put", "/api/v1/admin/templates/{key}",
     {"key": "new", "name": "A", "parts": {"en": {"sms": "Hello"}}}),
    ("post", "/api/v1/admin/suppressions",
     {"address": "a@example.org", "channel": "email"}),
])
def test_what_makes_or_replaces_tells_both(stack, tenant, document, method,
                                           path, body):
    told = document["paths"][path][method]["responses"]
    admin = tenant.admin
    for status in (201, 200):
        answer = admin.request(method.upper(), re.sub(r"{\w+}", "new", path),
                               json=body)
        assert answer.status_code == status, answer.text
        assert "application/json" in told[str(status)]["content"]


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("method, path, takes, answers", [
    ("post", "/oauth/token", {FORM},
     {"200": {"application/json"}, "400": {"application/json"},
      "401": {"application/json"}, "404": {"application/problem+json"},
      "429": {"application/problem+json"}}),
    ("post", "/hooks/{tenant}/{provider_id}", {"application/json", FORM},
     {"204": set(), "403": {"application/problem+json"},
      "503": {"application/problem+json"}}),
    ("get", "/hooks/{tenant}/{provider_id}", set(),
     {"200": {"text/plain"}, "403": {"application/problem+json"}}),
    ("get", "/u/{token}", set(), {"200": {"text/html"}, "404": {"text/html"}}),
    ("post", "/u/{token}", {FORM, "multipart/form-data"},
     {"200": {"text/html"}, "400": {"application/problem+json"},
      "404": {"text/html"}, "429": {"application/problem+json"}}),
    ("get", "/t/o/{link}", set(),
     {"200": {"image/gif"}, "404": {"application/problem+json"}}),
    ("get", "/t/c/{link}", set(),
     {"302": set(), "404": {"application/problem+json"}}),
    ("post", "/t/r/{link}", {"application/json"},
     {"204": set(), "400": {"application/problem+json"},
      "404": {"application/problem+json"},
      "422": {"application/problem+json"},
      "429": {"application/problem+json"}}),
])
def test_what_is_read_by_itself_is_told(document, method, path, takes, answers):
    told = document["paths"][path][method]
    assert set(told.get("requestBody", {}).get("content", {})) == takes
    found = {status: set(a.get("content", {}))
             for status, a in told["responses"].items() if status != "default"}
    assert found == answers
    for answer in told["responses"].values():
        assert answer.get("description") or "$ref" in answer


def is_told(document, method, pattern, answer):
    """Also of those who have a right: tests/integration/test_fcm.py."""
    told = document["paths"][pattern][method]["responses"].get(
        str(answer.status_code))
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    return told is not None and (kind in told["content"] if kind
                                 else "content" not in told)


def test_what_is_answered_is_told(stack, document):
    """Without a right the answer has one of the types that are told."""
    visitor = Client(stack.url, None)
    for method, path, body in [
            ("post", "/oauth/token", {"grant_type": "password"}),
            ("post", "/hooks/x/y", {}), ("get", "/hooks/x/y", None),
            ("get", "/u/x", None), ("post", "/u/x", {"action": "x"}),
            ("get", "/t/o/x", None), ("get", "/t/c/x", None),
            ("post", "/t/r/x", {})]:
        answer = visitor.request(method.upper(), path, data=body)
        pattern = {"oauth": "/oauth/token", "u": "/u/{token}",
                   "hooks": "/hooks/{tenant}/{provider_id}"}.get(
                       path.split("/")[1], path[:-1] + "{link}")
        assert is_told(document, method, pattern, answer), (method, path)


def test_the_form_of_one_click_is_told(document):
    told = document["components"]["schemas"]
    assert told["Unsubscribe"]["properties"]["List-Unsubscribe"]["enum"] == [
        "One-Click"]
    assert told["TokenRequest"]["required"] == ["grant_type"]
    assert set(told["TokenFault"]["properties"]["error"]["enum"]) == {
        "invalid_request", "invalid_client", "invalid_scope",
        "unsupported_grant_type"}
    assert told["Told"]["properties"]["event"]["enum"] == [
        "delivered", "opened", "read", "clicked"]
    # Whose handlers pass over what they do not know.
    for name in ("TokenRequest", "Unsubscribe", "Told"):
        assert "additionalProperties" not in told[name]
    assert told["SendRequest"]["additionalProperties"] is False


def test_options_and_405_name_the_methods(stack, document):
    visitor = Client(stack.url, None)
    for path, methods in document["paths"].items():
        path = re.sub(r"{\w+}", "x", path)
        want = {m.upper() for m in methods} | {"OPTIONS"} \
            | ({"HEAD"} if "get" in methods else set())
        for answer in (visitor.request("OPTIONS", path),
                       visitor.request("TRACE", path)):
            assert answer.status_code in (204, 405)
            if answer.status_code == 405:
                assert answer.json()["detail"] == \
                    f"this path takes {answer.headers['Allow']}"
            assert set(answer.headers["Allow"].split(", ")) == want


def test_every_answer_is_safe(stack):
    visitor = Client(stack.url, None)
    for path in ("/health/live", "/api/openapi.json", "/nothing", "/metrics"):
        answer = visitor.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Cache-Control" in answer.headers
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}",
                            answer.headers["X-Request-Id"])
