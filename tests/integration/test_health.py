# test_health.py - what a load balancer and Prometheus see
#
# SPDX-License-Identifier: BSD-2-Clause
import http.client
import re
import time

import pytest

from harness.api import Client, checks, mail
from harness.stack import ROOT
from harness.wait import wait_until


@pytest.fixture
def visitor(stack):
    return Client(stack.url, None)


def samples(text):
    return {m.group(1): float(m.group(2)) for m in re.finditer(
        r"^(belfry_\w+(?:\{[^}]*\})?) ([-+.\deE]+|NaN|\+Inf)$", text,
        re.MULTILINE)}


@pytest.mark.parametrize("path, status", [
    ("/health/live", "live"), ("/health/ready", "ready"), ("/health", "ready"),
])
def test_health(visitor, path, status):
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert answer.json()["status"] == status


def test_ready_names_each_dependency(visitor):
    found = checks(visitor.get("/health/ready"))
    assert {"database", "cache"} <= set(found)
    for name, check in found.items():
        assert check["state"] == "ok", name
        assert check["latency_ms"] >= 0


def test_metrics(stack, tenant, visitor):
    before = samples(visitor.get("/metrics").text)
    tenant.api.ended(tenant.api.accepted(mail()))
    assert visitor.get("/metrics").headers["Content-Type"].startswith(
        "text/plain; version=0.0.4")
    # A spooler counts when it hears that its transaction has committed.
    for name in ("belfry_notifications_accepted_total",
                 'belfry_http_requests_total{status="2xx"}',
                 'belfry_attempts_total{outcome="accepted"}',
                 'belfry_deliveries_total{state="sent"}'):
        wait_until(lambda: samples(visitor.get("/metrics").text).get(name, 0) >
                   before.get(name, 0), 10, name)


def test_every_metric_is_there_once(visitor):
    text = visitor.get("/metrics").text
    rows = re.findall(r"^X\((\w+), (\w+),",
                      (ROOT / "src/base/metrics.def").read_text(),
                      re.MULTILINE)
    for name, kind in rows:
        assert text.count(f"# TYPE belfry_{name.lower()} "
                          f"{kind.lower()}\n") == 1
        assert text.count(f"# HELP belfry_{name.lower()} ") == 1


def test_all_workers_answer_the_same(visitor):
    """The counters are shared: whoever answers, they never go back."""
    name = 'belfry_http_requests_total{status="2xx"}'
    seen = [samples(visitor.get("/metrics").text)[name] for _ in range(20)]
    assert seen == sorted(seen) and seen[-1] >= seen[0] + 19


def test_the_web_server_keeps_connections(stack):
    """Longer than a test rests: else one would end just when it is used again."""
    client = http.client.HTTPConnection(stack.url.removeprefix("http://"))
    client.request("GET", "/health/live")
    assert client.getresponse().read()
    kept = client.sock
    time.sleep(7)  # lighttpd's own limit is 5 s
    client.request("GET", "/health/live")
    assert client.getresponse().status == 200 and client.sock is kept
    client.close()
