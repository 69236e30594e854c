# test_memcached.py - the cache may vanish at any time: nothing fails
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import Client, checks, mail
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


@pytest.mark.expect_log("memcached|cache")
def test_memcached_frozen(own_stack, own_tenant):
    """One that takes connections and never answers costs its time-out only."""
    import os
    import signal
    own_tenant.api.accepted(mail())
    os.kill(own_stack.pid("memcached"), signal.SIGSTOP)
    try:
        for i in range(10):
            client = own_tenant.client(own_tenant.make_key(f"k{i}"))
            answer = client.send(mail())
            assert answer.status_code == 202
            assert answer.elapsed.total_seconds() < 3
    finally:
        os.kill(own_stack.pid("memcached"), signal.SIGCONT)
    own_tenant.idle()
