# test_web_servers.py - Belfry behind nginx, lighttpd and Apache as conf/ has them
#
# SPDX-License-Identifier: BSD-2-Clause
import http.client
import json
import os
import signal
import threading
from pathlib import Path

import pytest

from harness.api import ADMIN, SERVICES, Client
from harness.wait import wait_until
from harness.web_server import SERVERS, Apache, Lighttpd, Nginx

NOBODY = {Nginx: ("allow 127.0.0.1;", "allow 192.0.2.1;"),
          Lighttpd: (r"127\.0\.0\.1", r"192\.0\.2\.1"),
          Apache: ("Require ip 127.0.0.1", "Require ip 192.0.2.1")}


def start(kind, stack, replace=()):
    if kind.binary() is None:
        pytest.skip(f"{kind.program} is not installed")
    return kind(stack.directory / "s/api.sock", replace).up()


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.program)
def server(request, stack):
    found = start(request.param, stack)
    yield found
    found.down()


def raw(server, method, path, body=None, headers=()):
    """A request whose path nobody has tidied up; status, type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port,
                                            timeout=20)
    connection.putrequest(method, path)
    for name, value in dict(headers).items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    found = (answer.status, answer.getheader("Content-Type"), answer.read())
    connection.close()
    return found


def test_health_and_metrics_from_this_machine(server):
    client = Client(server.url, None)
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").json()
    metrics = client.get("/metrics")
    assert metrics.status_code == 200
    assert "belfry_http_requests_total" in metrics.text


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.program)
def test_health_and_metrics_are_not_for_others(kind, stack):
    server = start(kind, stack, [NOBODY[kind]])
    try:
        client = Client(server.url, stack.api_key)
        for path in ("/health", "/health/live", "/health/ready", "/metrics",
                     "/%68ealth/live", "/m%65trics", "/api/../metrics",
                     "//metrics"):
            status, _, body = raw(server, "GET", path)
            assert status in (400, 403, 404), path
            assert b"belfry_" not in body
        assert client.get(f"{SERVICES}/{'0' * 8}").status_code == 404
    finally:
        server.down()


@pytest.mark.settings(settings={"api.trusted_proxies": "127.0.0.1"})
def test_metrics_from_elsewhere_ask_for_a_key(own_stack, own_tenant):
    """The client is behind a proxy that the web server sees."""
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    key = own_tenant.make_key("prometheus", scopes=("platform",))
    for kind in SERVERS:
        server = start(kind, own_stack)
        try:
            status = [Client(server.url, credentials).get(
                "/metrics", headers=elsewhere).status_code
                for credentials in (None, own_tenant.admin_key, key)]
            assert status == [401, 403, 200], kind.program
        finally:
            server.down()


def test_a_notification_is_accepted(server, stack):
    client = Client(server.url, stack.api_key)
    sample = Path(__file__).parents[2] / "templates/welcome/sample.json"
    body = {"template": "welcome", "to": [{"email": "ann@example.org"}],
            "data": json.loads(sample.read_text())}
    client.ended(client.accepted(body))
    assert Client(server.url, None).send(body).status_code == 401


def test_a_chunked_body_comes_whole(server, stack):
    client = Client(server.url, stack.api_key)
    answer = client.post(f"{SERVICES}/send", data=iter([b'{"templ', b'ate":1}']),
                         headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "/template" in {e["pointer"] for e in answer.json()["errors"]}


def test_belfry_answers_for_large_bodies(server, stack):
    answer = Client(server.url, stack.api_key).post(
        f"{SERVICES}/send", data=b'{"template":"' + b"x" * 1000000 + b'"}',
        headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize("path", ["/api/v1/a%2Fb", "/api/v1/%C3%A9",
                                  "/api/v1/a;b=c", "/api/v1/x?a=%2F;%20"])
def test_odd_paths_reach_belfry(server, path):
    status, kind, _ = raw(server, "GET", path)
    assert (status, kind) == (404, "application/problem+json")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_methods_pass(server, stack, method):
    answer = Client(server.url, stack.admin_key).request(
        method, f"{ADMIN}/templates/no-such-template", json={})
    assert answer.headers["Content-Type"] == "application/problem+json"


def knock(server, stack, stop, failures):
    client = Client(server.url, stack.api_key)
    while not stop.is_set():
        status = client.get(f"{SERVICES}/none").status_code
        if status != 404:
            failures.append(status)


def test_a_reload_is_not_seen_from_outside(server, stack):
    """Ten reloads under load: every request is answered by Belfry."""
    stop, failures = threading.Event(), []
    threads = [threading.Thread(target=knock,
                                args=(server, stack, stop, failures))
               for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            before = set(stack.workers("api"))
            os.kill(stack.pid("api"), signal.SIGHUP)
            wait_until(lambda: not before & set(stack.workers("api")), 20,
                       "the change of workers")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
