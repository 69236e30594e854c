# test_express.py - spoolers die, stop and start while work is handed straight to them
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY D1, D3 and D12 for what does not go through the queue: posters send one
# notification after the other, slowly enough that there are tickets.
import collections
import os
import random
import re
import signal
import threading
import time

import pytest

from harness.api import mail
from harness.load import Load
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.tickets import tickets
from harness.wait import wait_until

QUICK = {"spooler.heartbeat_interval": "300ms", "spooler.dead_after": "1500ms",
         "spooler.sweep_interval": "200ms", "spooler.drain_timeout": "5s"}
TROUBLE = ("a worker has crashed|took over from a dead spooler|"
           "did not reach the spooler|leases that nobody works on|leases are no longer "
           "sure|came too late|failed")
PLACES = 20  # spooler.account_concurrency: so many are on the wire at once
KILLS = 10


@pytest.fixture
def relay(own_stack):
    with FaultyServer({}, latency_s=0.01) as server:
        tenant = Tenant(own_stack, maildir=False)
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        yield tenant, server


def received(server):
    return collections.Counter(
        re.search(rb"^To: .*?([\w.-]+@[\w.]+)", body, re.MULTILINE)
        .group(1).decode() for body in server.bodies)


def express(tenant):
    """How many went past the queue."""
    return tenant.rows("SELECT count(*) AS n FROM notification WHERE "
                       "tenant_id = %s AND routed_at = created_at")[0]["n"]


def waiting(stack):
    """A transaction of belfry-api waits for a lock."""
    return stack.value("SELECT count(*) FROM pg_stat_activity WHERE usename = "
                       "'belfry_api' AND wait_event_type = 'Lock'")


def check(tenant, server, load):
    """Nothing lost, and every duplicate has its attempt."""
    tenant.idle(60)
    came = received(server)
    expected = load.addresses() if load else {r["address"] for r in tenant.rows(
        "SELECT address FROM delivery WHERE tenant_id = %s")}
    assert expected - set(came) == set(), "lost"
    assert {r["state"] for r in tenant.rows(
        "SELECT state FROM delivery WHERE tenant_id = %s")} == {4}
    attempts = {r["address"]: r["attempts"] for r in tenant.rows(
        "SELECT address, attempts FROM delivery WHERE tenant_id = %s")}
    for address, n in came.items():
        assert attempts[address] >= n, f"a duplicate nobody can see: {address}"
    assert {r["counted"] for r in tenant.rows(
        "SELECT counted FROM delivery WHERE tenant_id = %s")} == {1}
    return came


@pytest.mark.settings(settings=QUICK)
@pytest.mark.expect_log(TROUBLE)
def test_killed(own_stack, relay):
    tenant, server = relay
    random.seed(2)
    with Load(tenant, 3) as load:
        for kill in range(KILLS):
            goal = express(tenant) + random.randint(10, 60)
            wait_until(lambda: express(tenant) >= goal, 30,
                       f"express after kill {kill}")
            if kill % 2:
                own_stack.kill_workers("spooler")
            else:
                own_stack.kill_and_wait("spooler")
                own_stack.start("spooler")
    came = check(tenant, server, load)
    assert sum(n - 1 for n in came.values()) <= KILLS * PLACES


@pytest.mark.settings(settings={**QUICK, "spooler.processes": "2"})
@pytest.mark.expect_log(TROUBLE)
def test_stopped_and_resumed(own_stack, relay):
    """What lies before the door of one that sleeps for too long is taken over,
    and not sent when it wakes up."""
    tenant, server = relay
    with Load(tenant, 3) as load:
        for turn in range(3):
            goal = express(tenant) + 30
            wait_until(lambda: express(tenant) >= goal, 30, "express")
            zombie = own_stack.workers("spooler")[turn % 2]
            leased = len(tenant.rows("SELECT id FROM q_leased WHERE "
                                     "tenant_id = %s"))
            os.kill(zombie, signal.SIGSTOP)
            try:
                before = load.accepted()
                wait_until(lambda: load.accepted() > before + 50, 30, "load")
                wait_until(lambda: not tenant.rows(
                    "SELECT 1 FROM q_leased l JOIN notification n ON n.tenant_id ="
                    " l.tenant_id AND n.id = l.notification_id WHERE l.tenant_id "
                    "= %s AND n.created_at < now() - interval '3 s'"), 20,
                    f"the rescue of what was leased ({leased})")
            finally:
                os.kill(zombie, signal.SIGCONT)
    came = check(tenant, server, load)
    assert sum(n - 1 for n in came.values()) <= 3 * PLACES


@pytest.mark.settings(settings=QUICK)
def test_ended_and_started(own_stack, relay):
    """A spooler that ends in order finishes what it was handed: nothing is sent
    twice."""
    tenant, server = relay
    with Load(tenant, 3) as load:
        for turn in range(5):
            goal = express(tenant) + 20
            wait_until(lambda: express(tenant) >= goal, 30, "express")
            if turn % 2:
                own_stack.stop("spooler")
                own_stack.start("spooler")
            else:
                pid = own_stack.pid("spooler")
                workers = own_stack.workers("spooler")
                os.kill(pid, signal.SIGHUP)
                wait_until(lambda: all(own_stack.gone(w) for w in workers), 20,
                           "the end of the old ones")
    came = check(tenant, server, load)
    assert set(came.values()) == {1}


@pytest.mark.settings(settings=QUICK)
def test_ended_while_one_is_accepted(own_stack, relay):
    """A spooler that ends waits for what is being leased to it, however slowly."""
    tenant, server = relay
    wait_until(lambda: tickets(own_stack), 10, "tickets")
    with own_stack.db() as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN; LOCK TABLE q_leased IN SHARE MODE")
        client = threading.Thread(
            target=tenant.api.accepted, args=(mail("slow@example.org"),))
        client.start()
        wait_until(lambda: waiting(own_stack), 10, "a transaction that waits")
        os.kill(own_stack.pid("spooler"), signal.SIGTERM)
        time.sleep(0.3)  # how slow it is
        cursor.execute("COMMIT")
    client.join()
    wait_until(lambda: own_stack.logs.find(msg="spooler ended"), 10, "the end")
    assert express(tenant) == 1
    assert tenant.count("q_leased") == 0
    own_stack.stop("spooler")
    own_stack.start("spooler")
    assert set(check(tenant, server, None).values()) == {1}


@pytest.mark.settings(settings={**QUICK, "spooler.drain_timeout": "1m"})
@pytest.mark.expect_log("a worker has crashed|took over from a dead spooler|"
                        "leases that nobody works on")
def test_ended_after_one_died_with_a_ticket(own_stack, relay):
    """It waits for it no longer than a parcel is good for, and a while."""
    tenant, server = relay
    wait_until(lambda: tickets(own_stack), 10, "tickets")
    with own_stack.db() as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN; LOCK TABLE q_leased IN SHARE MODE")
        client = threading.Thread(target=tenant.api.send,
                                  args=(mail("lost@example.org"),))
        client.start()
        wait_until(lambda: waiting(own_stack), 10, "a transaction that waits")
        own_stack.kill_workers("api")
        client.join()
        own_stack.kill("spooler", signal.SIGTERM)
        wait_until(lambda: own_stack.logs.find(msg="spooler ended"), 20, "the end")
        cursor.execute("COMMIT")
    own_stack.stop("spooler")
    own_stack.start("spooler")
    check(tenant, server, None)
