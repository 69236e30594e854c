# test_bad_input.py - what is wrong is refused, named, and leaves nothing behind
#
# SPDX-License-Identifier: BSD-2-Clause
import json

import pytest

from harness.api import ADMIN, SERVICES, mail, problem

SEND = f"{SERVICES}/send"
JSON = {"Content-Type": "application/json"}
TO = b'"to":{"email":"ann@example.org"}'
CONTENT = b'"content":{"email":{"subject":"s","text":"t"}}'


def body(more=b"", to=TO):
    return b"{" + to + b"," + CONTENT + (b"," + more if more else b"") + b"}"


# Bodies that are no acceptable JSON at all.
MALFORMED = {
    "empty": b"",
    "blank": b"  ",
    "no JSON": b"to=ann",
    "cut off": body()[:-1],
    "more behind it": body() + b"x",
    "two documents": body() * 2,
    "a comment": body() + b"/* */",
    "a trailing comma": body()[:-1] + b",}",
    "single quotes": b"{'to':1}",
    "NaN": body(b'"data":{"x":NaN}'),
    "UTF-8 cut off": body(b'"data":{"x":"\xc3"}'),
    "UTF-8 overlong": body(b'"data":{"x":"\xc0\xaf"}'),
    "a surrogate in UTF-8": body(b'"data":{"x":"\xed\xa0\x80"}'),
    "half a surrogate pair": body(b'"data":{"x":"\\ud800"}'),
    "Latin-1": body(b'"data":{"x":"\xe9"}'),
    "a byte order mark": b"\xef\xbb\xbf" + body(),
    "UTF-16": body().decode().encode("utf-16"),
    "an escaped NUL": body(b'"data":{"x":"\\u0000"}'),
    "a raw NUL": body(b'"data":{"x":"\x00"}'),
    "a raw line end": body(b'"data":{"x":"a\nb"}'),
    "65 levels": body(b'"data":{"x":' + b"[" * 65 + b"]" * 65 + b"}"),
    "a million levels": b"[" * 100_000,
    "a key twice": body(b'"data":{"x":1,"x":2}'),
    "a key twice on top": body(TO),
    "a number too large": body(b'"data":{"x":1e999}'),
}

# Bodies that are JSON but not a request: pointer and code of the fault.
WRONG = [
    ("a list", [], "", "wrong_type"),
    ("a text", "x", "", "wrong_type"),
    ("no recipient", {"content": {"email": {"subject": "s", "text": "t"}}},
     "/to", "missing"),
    ("no message", {"to": {"email": "a@example.org"}}, "/template", "missing"),
    ("an empty list", mail(to=[]), "/to", "too_short"),
    ("too many recipients",
     mail(to=[{"email": f"a{i}@example.org"} for i in range(101)]),
     "/to", "too_long"),
    ("an unknown field", mail(temlpate="x"), "/temlpate", "unknown_field"),
    ("an unknown field below", mail(to={"email": "a@example.org", "x": 1}),
     "/to/x", "unknown_field"),
    ("a wrong type", mail(category=7), "/category", "wrong_type"),
    ("null", mail(category=None), "/category", "null_not_allowed"),
    ("an unknown template", {"to": {"email": "a@example.org"},
                             "template": "no-such-thing"},
     "/template", "not_found"),
    ("template and content", mail(template="welcome"),
     "/content", "conflicting"),
    ("an unknown channel", mail(channels=["pigeon"]), "/channels/0",
     "not_allowed"),
    ("a channel twice", mail(channels=["email", "email"]), "/channels/1",
     "duplicate"),
    ("a channel without a part", mail(channels=["sms"]), "/channels/0",
     "not_allowed"),
    ("an unknown priority", mail(priority="soon"), "/priority",
     "not_allowed"),
    ("no time", mail(send_at="tomorrow"), "/send_at", "malformed"),
    ("a far time", mail(send_at="2999-01-01T00:00:00Z"), "/send_at",
     "too_large"),
    ("over already", mail(expires_at="2001-01-01T00:00:00Z"), "/expires_at",
     "too_small"),
    ("a bad locale", mail(locale="deutsch, bitte"), "/locale", "malformed"),
    ("a bad zone", mail(to={"email": "a@example.org",
                            "time_zone": "Vienna/../.."}),
     "/to/time_zone", "malformed"),
    ("a bad phone number", mail(to={"phone": "call me"}), "/to/phone",
     "malformed"),
    ("nobody", mail(to={"name": "Ann"}), "/to", "missing"),
    ("an empty subject",
     mail(content={"email": {"subject": "", "text": "t"}}),
     "/content/email/subject", "too_short"),
    ("a subject of two lines",
     mail(content={"email": {"subject": "a\r\nBcc: x@example.org",
                             "text": "t"}}),
     "/content/email/subject", "malformed"),
    ("a template that cannot be read",
     mail(content={"email": {"subject": "s", "text": "{{#if x}}"}}),
     "/content/email/text", "malformed"),
]

ADDRESSES = [
    "ann", "@example.org", "ann@", "ann@@example.org", "a b@example.org",
    "ann@example.org\r\nBcc: bob@example.org", "ann@example.org\nRCPT TO:<b>",
    "ann@exam\rple.org", "ann\x00@example.org", "<ann@example.org>",
    "ann@example.org,bob@example.org", "ann@example..org",
    "x" * 65 + "@example.org", "ann@" + "x" * 250 + ".org", "",
]


@pytest.fixture(scope="module")
def sender(shared_stack):
    """One tenant for all cases: a refused request leaves nothing behind."""
    from harness.tenant import Tenant
    return Tenant(shared_stack)


@pytest.fixture
def untouched(stack, sender):
    """Checks that a test wrote nothing."""
    before = sender.written()
    yield sender
    assert sender.written() == before


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(untouched, name):
    answer = untouched.api.post(SEND, data=MALFORMED[name], headers=JSON)
    told = problem(answer, 400, "invalid_request")
    assert told["detail"]


@pytest.mark.parametrize("name, request_body, pointer, code", WRONG,
                         ids=[w[0] for w in WRONG])
def test_wrong(untouched, name, request_body, pointer, code):
    answer = untouched.api.post(SEND, json=request_body)
    told = problem(answer, 422, "validation_failed")
    assert (pointer, code) in [(e["pointer"], e["code"])
                               for e in told["errors"]]
    assert all(e["detail"] for e in told["errors"])


@pytest.mark.parametrize("address", ADDRESSES, ids=repr)
def test_bad_address(untouched, address):
    answer = untouched.api.post(SEND, json=mail(
        to=[{"email": "good@example.org"}, {"email": address}]))
    if "\x00" in address:
        problem(answer, 400, "invalid_request")
        return
    told = problem(answer, 422, "validation_failed")
    assert [e["pointer"] for e in told["errors"]] == ["/to/1/email"]


def test_all_faults_at_once(untouched):
    answer = untouched.api.send(mail(
        to=[{"email": "x"}, {"phone": "y"}], channels=["fax"], nonsense=1,
        priority="soon"))
    told = problem(answer, 422, "validation_failed")
    assert {e["pointer"] for e in told["errors"]} >= {
        "/to/0/email", "/to/1/phone", "/channels/0", "/nonsense",
        "/priority"}


def test_missing_variable(stack, untouched, tmp_path):
    untouched.push_template("templates/order-shipped")
    answer = untouched.api.send({"template": "order-shipped", "data": {},
                                 "to": {"email": "a@example.org"}})
    told = problem(answer, 422, "validation_failed")
    assert told["errors"]
    assert all(e["pointer"].startswith("/data/") and e["code"] == "missing"
               for e in told["errors"])


@pytest.mark.parametrize("megabytes", [1, 100])
def test_large_body(untouched, megabytes):
    octets = body(b'"data":{"x":"' + b"a" * (megabytes << 20) + b'"}')
    answer = untouched.api.post(SEND, data=octets, headers=JSON)
    assert answer.status_code == 413
    if megabytes == 1: # a larger one does not come past the web server
        problem(answer, 413, "too_large")


def test_large_body_in_pieces(untouched):
    octets = body(b'"data":{"x":"' + b"a" * (1 << 20) + b'"}')
    pieces = (octets[i:i + 8192] for i in range(0, len(octets), 8192))
    answer = untouched.api.post(SEND, data=pieces, headers=JSON)
    problem(answer, 413, "too_large")


def test_sixty_levels_are_fine(stack, sender):
    answer = sender.api.post(SEND, headers=JSON, data=body(
        b'"data":{"x":' + b"[" * 60 + b"]" * 60 + b"}"))
    assert answer.status_code == 202, answer.text
    sender.api.ended(answer.json()["id"])


@pytest.mark.parametrize("kind", [None, "text/plain",
                                  "application/x-www-form-urlencoded",
                                  "application/xml", "nonsense"])
def test_media_type(untouched, kind):
    answer = untouched.api.post(
        SEND, data=body(), headers={"Content-Type": kind} if kind else {})
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_method(untouched, method):
    answer = untouched.api.request(method, SEND)
    if method == "GET": # "send" stands where an id would
        assert answer.status_code in (404, 405)
        return
    problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", [
    "/api/v1/nothing", "/api/v2/services/notifications/send", "/api/v1/",
    f"{SERVICES}/not-a-uuid", f"{SERVICES}/not-a-uuid/timeline",
    f"{SERVICES}/01920000-0000-7000-8000-000000000000",
    f"{SERVICES}/01920000-0000-7000-8000-000000000000/timeline",
    f"{ADMIN}/templates/01920000-0000-7000-8000-000000000000",
    f"{SERVICES}/%00", f"{SERVICES}/%ff", f"{SERVICES}/a%2fb",
])
def test_nothing_there(untouched, path):
    client = untouched.admin if path.startswith(ADMIN) else untouched.api
    answer = client.get(path)
    assert answer.status_code in (400, 404), answer.text
    if answer.headers["Content-Type"].startswith("application/"):
        told = answer.json()
        assert told["code"] in ("not_found", "invalid_request")


def test_request_id_is_kept_when_sane(untouched):
    answer = untouched.api.post(SEND, json={}, headers={
        "X-Request-Id": "order-42"})
    assert problem(answer, 422, "validation_failed")["request_id"] == \
        "order-42"
    answer = untouched.api.post(SEND, json={}, headers={
        "X-Request-Id": "x" * 4000})
    assert len(answer.headers["X-Request-Id"]) < 200


def test_one_line_in_the_log_each(stack, untouched):
    """A refused request is told once, at info: it is the client's fault."""
    answer = untouched.api.post(SEND, data=b"{", headers={
        **JSON, "X-Request-Id": "log-me-once"})
    problem(answer, 400, "invalid_request")
    lines = stack.logs.find(request_id="log-me-once")
    assert [line["level"] for line in lines] in ([], ["info"])


def test_provider_settings(stack, untouched):
    answer = untouched.admin.post(f"{ADMIN}/providers", json={
        "name": "relay", "kind": "smtp", "settings": {"hots": "x"}})
    told = problem(answer, 422, "validation_failed")
    assert "/settings/hots" in [e["pointer"] for e in told["errors"]]
    answer = untouched.admin.post(f"{ADMIN}/providers", json={
        "name": "relay", "kind": "carrier-pigeon", "settings": {}})
    told = problem(answer, 422, "validation_failed")
    assert [e["pointer"] for e in told["errors"]] == ["/kind"]


def test_configuration_errors_stop_the_start(stack, tmp_path):
    import subprocess
    faulty = stack.directory / "faulty.conf"
    faulty.write_text("[api]\nworkers = many\nlisten = unix:/nowhere\n"
                      "[spoler]\nprocesses = 1\n[retry]\ndelay_first = 5y\n")
    for program in ("belfry-api", "belfry-spooler"):
        done = subprocess.run([stack.directory / "bin" / program, "-c", faulty],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 3
        for place in (f"{faulty}:2: api.workers: ", f"{faulty}:4: [spoler]",
                      "did you mean [spooler]?",
                      f"{faulty}:7: retry.delay_first: "):
            assert place in done.stderr, program
    done = stack.run_ctl("check-config")
    assert done.returncode == 0, done.stderr
