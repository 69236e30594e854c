# test_poison.py - a delivery that makes spoolers crash ends in quarantine (RELIABILITY D6)
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import signal
import threading
import time

import pytest

from harness.api import mail
from harness.cutter import Cutter
from harness.smtp import GOOD, FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

NEIGHBOURS = 60


class PoisonedServer(FaultyServer):
    """Aborts the spooler whenever one recipient is named.  A signal comes from outside, so
    the others get no answers until it has come: the spooler is at work on none of them."""

    def __init__(self, stack):
        super().__init__({}, latency_s=0.02)
        self.stack = stack
        self.crashes = 0
        self.calm = threading.Event()
        self.calm.set()

    def action(self, name):
        if name == "RCPT" and "poison@" in self.seen[-1]:
            self.crashes += 1
            self.calm.clear()
            time.sleep(0.5)
            for worker in self.stack.workers("spooler"):
                os.kill(worker, signal.SIGABRT)
            self.calm.set()
        self.calm.wait(10)
        return GOOD[name]


@pytest.mark.D6
@pytest.mark.settings(settings={"spooler.dead_after": "30s"})
@pytest.mark.expect_log("a worker has crashed|a spooler crashed|"
                        "took over from a dead spooler")
def test_d6_the_neighbours_are_delivered(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    with PoisonedServer(own_stack) as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        people = [{"email": f"p{i}@example.org"} for i in range(NEIGHBOURS)]
        people.insert(NEIGHBOURS // 2, {"email": "poison@example.org"})
        identity = tenant.api.accepted(mail(to=people))
        tenant.idle(120)
        deliveries = {d["address"]: d for d in
                      tenant.api.notification(identity)["deliveries"]}
        poison = deliveries.pop("poison@example.org")
        assert poison["state"] == "dead"
        assert poison["reason"].startswith("quarantined")
        assert {d["state"] for d in deliveries.values()} == {"sent"}
        assert server.crashes == 3
        row, = tenant.rows("SELECT * FROM delivery WHERE tenant_id = %s "
                           "AND state = 7")
        assert row["crashes"] == 3
        assert row["counted"] == 0, "a crash is no failed attempt"
        crashed = [e for e in tenant.api.timeline(identity)
                   if e["code"] == "crashed" and e["delivery"] == poison["id"]]
        assert len(crashed) == 3
        assert {"signal 6" in e["text"] for e in crashed} == {True}
        logged = [line for line in own_stack.logs.lines()
                  if line["msg"] == "a spooler crashed"]
        assert [line["signal"] for line in logged] == [6] * 3
        # From the second time on it is sent alone.
        assert {(line["notification_id"], line["delivery_id"])
                for line in logged[1:]} == {(identity, poison["id"])}


@pytest.mark.D6
@pytest.mark.settings(settings={"spooler.dead_after": "30s"})
@pytest.mark.expect_log("a worker has crashed|a spooler crashed|rescue failed|"
                        "took over from a dead spooler")
def test_the_blame_outlives_a_connection(own_stack):
    """The report of a crash was taken, and then the database was not there."""
    tenant = Tenant(own_stack, maildir=False)
    with Cutter(own_stack) as cutter, \
            FaultyServer({}, latency_s=0.5) as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        tenant.api.accepted(mail())
        wait_until(lambda: any(line.startswith("DATA") for line in server.seen),
                   20, "a delivery on the wire")
        cutter.be_late_with(b"leases_of", 0)
        for worker in own_stack.workers("spooler"):
            os.kill(worker, signal.SIGABRT)
        tenant.idle(60)
        assert cutter.cuts == 1
        assert tenant.rows("SELECT state, crashes FROM delivery WHERE "
                           "tenant_id = %s") == [{"state": 4, "crashes": 1}]
        own_stack.stop("spooler")
    own_stack.start("spooler")


@pytest.mark.D6
@pytest.mark.expect_log("a worker has crashed|took over from a dead spooler")
def test_who_is_killed_blames_nobody(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    with FaultyServer({}, latency_s=0.5) as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        tenant.api.accepted(mail())
        wait_until(lambda: any(line.startswith("DATA") for line in server.seen),
                   20, "a delivery on the wire")
        own_stack.kill_workers("spooler")
        tenant.idle(60)
        assert {r["crashes"] for r in tenant.rows(
            "SELECT crashes FROM delivery WHERE tenant_id = %s")} == {0}
