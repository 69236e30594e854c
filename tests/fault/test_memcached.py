# test_memcached.py - the cache may vanish at any time: nothing fails
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import signal
import socket
import time

import pytest

from harness.api import Client, checks, mail
from harness.load import Load
from harness.size import bound
from harness.tenant import Tenant
from harness.wait import wait_until


@pytest.mark.expect_log("memcached|cache")
def test_memcached_killed_and_back(own_stack, own_tenant):
    def send(count):
        for i in range(count):
            answer = own_tenant.api.send(mail(f"p{i}@example.org"))
            assert answer.status_code == 202, answer.text

    send(20)
    own_stack.kill_and_wait("memcached")
    send(40)
    fresh = own_tenant.client(own_tenant.make_key("made-without-cache"))
    fresh.accepted(mail())
    ready = Client(own_stack.url, None).get("/health/ready")
    assert ready.status_code == 200
    assert checks(ready)["cache"]["state"] == "failed"

    own_stack.start("memcached")
    send(20)
    visitor = Client(own_stack.url, None)
    wait_until(lambda: checks(visitor.get("/health/ready"))["cache"]["state"]
               == "ok", 10, "a healthy cache")
    own_tenant.idle()
    assert len(own_tenant.mails()) == 81


@pytest.mark.settings(settings={"cache.timeout": "100ms"})
@pytest.mark.expect_log("memcached|cache")
def test_memcached_frozen(own_stack, own_tenant):
    """One that takes connections and never answers costs its time-out only."""
    own_tenant.api.accepted(mail())
    os.kill(own_stack.pid("memcached"), signal.SIGSTOP)
    try:
        for i in range(10):
            client = own_tenant.client(own_tenant.make_key(f"k{i}"))
            answer = client.send(mail())
            assert answer.status_code == 202
            assert answer.elapsed.total_seconds() < 10
    finally:
        os.kill(own_stack.pid("memcached"), signal.SIGCONT)
    own_tenant.idle()


def through(tenant, requests=60):
    """How many of them a limit lets through; nothing else may happen to one."""
    statuses = [tenant.api.send(mail()).status_code for _ in range(requests)]
    assert set(statuses) <= {202, 429}
    return statuses.count(202)


@pytest.mark.O8
@pytest.mark.expect_log("memcached|cache")
def test_a_limit_never_goes_away(own_stack):
    """Without memcached each of the three workers has a third of it."""
    tenants = [Tenant(own_stack) for _ in range(4)]
    own_stack.rows("UPDATE tenant SET settings = settings || "
                   """'{"limits": {"send": {"rate": 0.01, "burst": 30}}}'""")
    assert through(tenants[0]) == 30
    flush(own_stack)
    assert through(tenants[1]) == 30
    freeze(own_stack)
    assert 10 <= through(tenants[2]) <= 30
    thaw(own_stack)
    own_stack.kill_and_wait("memcached")
    assert 10 <= through(tenants[3]) <= 30
    # What was used up before is not all there again.
    assert through(tenants[0]) <= 30
    for tenant in tenants:
        tenant.idle()


def flush(stack):
    """All that is cached is gone, and misses go to the database."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stack.directory / "s/memcached.sock"))
        connection.sendall(b"flush_all\r\n")
        assert connection.recv(64) == b"OK\r\n"


def freeze(stack):
    os.kill(stack.pid("memcached"), signal.SIGSTOP)


def thaw(stack):
    os.kill(stack.pid("memcached"), signal.SIGCONT)


@pytest.mark.O8
@pytest.mark.settings(settings={"cache.entries": "16", "cache.timeout": "500ms"})
@pytest.mark.expect_log("memcached|cache")
def test_under_load(own_stack, own_tenant):
    """Flushed, frozen, thawed, killed, started: no request fails or waits."""
    steps = [("normal", None), ("flushed", flush), ("frozen", freeze),
             ("thawed", thaw),
             ("killed", lambda s: s.kill_and_wait("memcached")),
             ("back", lambda s: s.start("memcached"))]
    p95 = {}
    with Load(own_tenant) as load:
        for name, act in steps:
            if act is not None:
                act(own_stack)
            begin, seen = time.monotonic(), load.accepted()
            wait_until(lambda: load.accepted() > seen + 100, 60, name)
            p95[name] = load.p95(begin)
    print(", ".join(f"{name} {t * 1000:.0f} ms" for name, t in p95.items()))
    assert set(load.statuses()) == {202}
    limit = bound(3 * p95["normal"], p95["normal"] + 0.4)
    assert all(t <= limit for t in p95.values()), p95
    own_tenant.idle(60)
