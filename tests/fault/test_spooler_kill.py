# test_spooler_kill.py - the spooler is killed at random moments: nothing is lost
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY D1 in a shorter form: 10 SIGKILLs in 2,000 deliveries.
import collections
import random
import re

import pytest

from harness.api import mail
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

DELIVERIES, KILLS, TRANSFERS = 2000, 10, 40


def send_all(tenant):
    for start in range(0, DELIVERIES, 100):
        tenant.api.accepted(mail(to=[
            {"email": f"p{i}@example.org"} for i in range(start, start + 100)]))


def states(tenant):
    return {r["state"]: r["n"] for r in tenant.rows(
        "SELECT state, count(*) AS n FROM delivery WHERE tenant_id = %s "
        "GROUP BY state")}


@pytest.mark.settings(settings={
    "spooler.transfers_max": TRANSFERS, "spooler.claim_batch": TRANSFERS,
    "spooler.dead_after": "1500ms"})
@pytest.mark.expect_log("a worker has crashed|took over from a dead spooler")
def test_nothing_is_lost(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    random.seed(1)
    with FaultyServer({}, latency_s=0.05) as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        send_all(tenant)
        for kill in range(KILLS):
            goal = len(server.bodies) + random.randint(30, 120)
            wait_until(lambda: len(server.bodies) >= goal, 60,
                       f"work after kill {kill}")
            if kill % 2:
                own_stack.kill_workers("spooler")
            else:
                workers = own_stack.workers("spooler")
                own_stack.kill_and_wait("spooler")
                for worker in workers:
                    wait_until(lambda: own_stack.gone(worker), 10,
                               "the end of a worker without its master")
                own_stack.start("spooler")
        tenant.idle(120)
        received = collections.Counter(
            re.search(rb"^To: .*?([\w.]+@[\w.]+)", body, re.MULTILINE)
            .group(1).decode() for body in server.bodies)

    everybody = {f"p{i}@example.org" for i in range(DELIVERIES)}
    assert everybody - set(received) == set(), "lost"
    assert set(received) - everybody == set(), "unexpected"
    assert states(tenant) == {4: DELIVERIES}, "every delivery is sent"

    twice = sum(n - 1 for n in received.values())
    assert twice <= KILLS * TRANSFERS, "more than was in flight"
    attempts = {r["address"]: r for r in tenant.rows("""
        SELECT d.address, count(*) AS n,
            count(*) FILTER (WHERE a.class IS NULL) AS without_result,
            count(*) FILTER (WHERE a.class = 1) AS accepted
        FROM delivery d JOIN attempt a ON a.tenant_id = d.tenant_id
            AND a.notification_id = d.notification_id AND a.delivery_id = d.id
        WHERE d.tenant_id = %s GROUP BY d.address""")}
    for address, n in received.items():
        seen = attempts[address]
        assert seen["accepted"] == 1
        assert seen["n"] == seen["without_result"] + 1, "a kill is no failure"
        assert seen["without_result"] >= n - 1, "a duplicate nobody can see"
    print(f"{KILLS} kills, {twice} duplicates")
