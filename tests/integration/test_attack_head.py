# test_attack_head.py - heads of requests that mean two things, through each web server
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import socket

import pytest

from harness.api import ADMIN, SERVICES, Client, mail
from harness.web_server import SERVERS

pytestmark = pytest.mark.A8

SEND = f"{SERVICES}/send"
SPOOFED = {"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Host": "evil.example",
           "X-Forwarded-Proto": "https", "X-Forwarded-Port": "1",
           "Forwarded": "for=192.0.2.9;host=evil.example;proto=https",
           "X-Real-IP": "192.0.2.9", "X-User": "mallory",
           "X-Remote-User": "mallory", "Remote-User": "mallory",
           "X-Original-URL": "/metrics",
           "X-Rewrite-URL": "/metrics"}


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.program)
def server(request, stack):
    found = request.param(stack.directory / "s/api.sock").up()
    yield found
    found.down()


LAST = (b"GET /api/v1/none HTTP/1.1\r\nHost: localhost\r\n"
        b"Connection: close\r\n\r\n")


def exchange(server, data):
    """What comes back until the server closes: after the last request, or, when it
    took that for something else, some seconds later."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as s:
        s.settimeout(3)
        answer = b""
        try:
            s.sendall(data + LAST)
            while more := s.recv(65536):
                answer += more
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            pass
        return answer


def post(tenant, body, *headers, version="1.1"):
    lines = [f"POST {SEND} HTTP/{version}", "Host: localhost",
             f"Authorization: Bearer {tenant.key}",
             "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def statuses(answer):
    return [int(line.split()[1]) for line in answer.split(b"\n")
            if line.startswith(b"HTTP/1.")]


# The head says one length, and another one: (headers, how the body is framed).
SHAPES = {
    "both": (["Content-Length: {n}", "Transfer-Encoding: chunked"], "chunks"),
    "both, the other way": (["Transfer-Encoding: chunked",
                             "Content-Length: {n}"], "chunks"),
    "two lengths": (["Content-Length: 0", "Content-Length: {n}"], "plain"),
    "a list of lengths": (["Content-Length: 0, {n}"], "plain"),
    "a signed length": (["Content-Length: +{n}"], "plain"),
    "a length in hex": (["Content-Length: 0x{n:x}"], "plain"),
    "a length of nothing": (["Content-Length:"], "plain"),
    "a blank before the colon": (["Content-Length : {n}"], "plain"),
    "a coding nobody knows": (["Transfer-Encoding: xchunked",
                               "Content-Length: {n}"], "chunks"),
    "a coding twice": (["Transfer-Encoding: chunked",
                        "Transfer-Encoding: identity"], "chunks"),
    "a coding behind a tab": (["Transfer-Encoding:\tchunked",
                               "Content-Length: 0"], "chunks"),
    "a coding on a second line": (["Transfer-Encoding:\r\n chunked",
                                   "Content-Length: 0"], "chunks"),
    "a length with _": (["Content_Length: 0", "Content-Length: {n}"], "plain"),
    "a size that overflows": (["Transfer-Encoding: chunked"], "overflow"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_smuggled(server, tenant, shape):
    """Behind an ambiguous body stands a request: what a length alone would hide is
    never taken, and who says two things of a body is not answered twice."""
    inner = json.dumps(mail("smuggled@example.org")).encode()
    hidden = post(tenant, inner, f"Content-Length: {len(inner)}")
    outer = json.dumps(mail("outer@example.org")).encode()
    headers, framing = SHAPES[shape]
    if framing == "chunks":
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(outer), outer)
    elif framing == "overflow":
        body = b"ffffffffffffffff5\r\n%s\r\n0\r\n\r\n" % outer
    else:
        body = outer
    # Were the first length believed, "hidden" would be the next request.
    prefix = body + hidden if framing != "plain" else hidden
    headers = [h.format(n=len(prefix)) for h in headers]
    answer = exchange(server, post(tenant, prefix, *headers))
    found = statuses(answer)
    sent = tenant.count("notification")
    assert found.count(202) == sent, answer
    assert sent <= (0 if framing == "plain" else len(headers) == 2), answer


@pytest.mark.parametrize("twin", [
    "X_Request_Id: abcdefgh", "Authorization: Bearer blf_x",
    "Idempotency_Key: other", "Belfry_Tenant: demo"])
def test_twins(server, tenant, twin):
    """Refused, or the twin is dropped by the web server and changes nothing."""
    body = json.dumps(mail()).encode()
    answer = exchange(server, post(
        tenant, body, f"Content-Length: {len(body)}", "X-Request-Id: 12345678",
        "Idempotency-Key: mine", f"Belfry-Tenant: {tenant.slug}", twin))
    status = statuses(answer)[0]
    if status == 202:
        assert "_" in twin
        assert b"X-Request-Id: 12345678" in answer
    else:
        assert status in (400, 401)
    assert tenant.count("notification") == (status == 202)


@pytest.mark.parametrize("override", [
    "X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_the_method_is_the_requests_own(server, tenant, override):
    answer = Client(server.url, tenant.admin_key).get(
        f"{ADMIN}/templates", headers={override: "DELETE"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"


def test_what_a_client_says_of_itself_counts_for_nothing(server, tenant):
    """Neither in links, nor for the address, nor in the audit."""
    service = Client(server.url, tenant.key)
    service.session.headers.update(SPOOFED)
    answer = service.send(mail())
    assert answer.status_code == 202
    assert answer.headers["Location"].startswith("/api/v1/")
    assert "evil.example" not in answer.text + str(answer.headers)
    admin = Client(server.url, tenant.admin_key)
    admin.session.headers.update(SPOOFED)
    made = admin.post(f"{ADMIN}/service-accounts", json={
        "name": "bound", "scopes": ["notifications:read"],
        "networks": ["192.0.2.0/24"]})
    assert made.status_code == 201, made.text
    bound = Client(server.url, made.json()["key"])
    bound.session.headers.update(SPOOFED)
    assert bound.get(f"{SERVICES}/none").status_code == 401
    entries = tenant.rows("SELECT * FROM audit WHERE tenant_id = %s")
    assert entries
    assert not any(s in str(entries) for s in ("mallory", "192.0.2.9",
                                                "evil"))


@pytest.mark.settings(settings={"api.workers": "1", "limits.failure_rate": "1",
                                "limits.failure_burst": "3"})
def test_an_address_is_not_a_matter_of_opinion(own_stack):
    """All three web servers: another X-Forwarded-For is no new client."""
    key = own_stack.api_key[:-1] + ("A" if own_stack.api_key[-1] != "A" else "E")
    refused = 0
    for kind in SERVERS:
        server = kind(own_stack.directory / "s/api.sock").up()
        try:
            for i in range(12):
                answer = Client(server.url, key).send(mail(), **{
                    **SPOOFED, "X-Forwarded-For": f"192.0.2.{i}",
                    "Forwarded": f"for=192.0.2.{i}"})
                refused += answer.status_code == 429
        finally:
            server.down()
        assert refused > 0, kind
        refused = 0
