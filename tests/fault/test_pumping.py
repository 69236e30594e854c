# test_pumping.py - thousands of numbers of one range get no more than a few codes
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import Client, problem
from harness.tenant import Tenant
from harness.wait import wait_until

MOST = 30
FULL = os.environ.get("BELFRY_FULL") == "1"
REQUESTS = 10000 if FULL else 1000
PUMPED = "+99200155"
OTHERS = ("+43660123", "+4420794", "+12125550", "+8613812")


def limited(stack, most=MOST, **settings):
    """A tenant with a limit that does not come back while a test runs."""
    tenant = Tenant(stack)
    stack.rows("UPDATE tenant SET settings = settings || jsonb_build_object("
               "'limits', %s::jsonb) WHERE id = %s", json.dumps(
                   {"prefix": {"most": most, "per": "1d", **settings}}),
               tenant.id)
    return tenant


def code(*numbers, **more):
    return {"to": [{"phone": n} for n in numbers], "channels": ["sms"],
            "content": {"sms": {"text": "Your code is 1234"}}, **more}


def through(tenant, numbers):
    """How many of them are accepted, one in a request; the rest is refused."""
    statuses = [tenant.api.send(code(n)).status_code for n in numbers]
    assert set(statuses) <= {202, 429}
    return statuses.count(202)


def pumped(count, begin=0):
    return [f"{PUMPED}{i:05}" for i in range(begin, begin + count)]


@pytest.mark.O11
def test_pumping_stops_at_the_limit(stack, tenant):
    """Numbers of one prefix by eight clients; others of the same tenant, and all of
    another one, go on meanwhile."""
    victim, neighbour = limited(stack), limited(stack)
    clients = [Client(stack.url, victim.key) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        def part(i):
            return [clients[i].send(code(n)).status_code
                    for n in pumped(REQUESTS)[i::8]]
        parts = [pool.submit(part, i) for i in range(8)]
        for i in range(MOST // 2):
            for other in OTHERS:
                assert victim.api.send(code(f"{other}{i:04}")) \
                    .status_code == 202
            assert neighbour.api.send(code(f"{PUMPED}{i:05}")) \
                .status_code == 202
            assert tenant.api.send(code(f"{PUMPED}{i:05}")) \
                .status_code == 202
        statuses = [status for p in parts for status in p.result()]
    assert statuses.count(202) == MOST
    assert statuses.count(429) == REQUESTS - MOST
    assert victim.count("notification") == MOST + 4 * (MOST // 2)


@pytest.mark.O11
def test_who_is_refused_is_told(stack):
    tenant = limited(stack, most=4)
    tenant.api.accepted(code(*pumped(3)))
    others = [f"{other}0001" for other in OTHERS]
    # All or none: the others of the request are not used up by it.
    for _ in range(5):
        answer = tenant.api.send(code(*others, *pumped(2, 3)),
                                 idempotency_key="again")
        told = problem(answer, 429, "rate_limited")
        assert told["violated-policies"] == ["prefix"]
        assert [(f["pointer"], f["code"]) for f in told["errors"]] == \
            [("/to/4", "too_many")]
        assert 0 < int(answer.headers["Retry-After"]) <= 86400
    tenant.api.accepted(code(*others, *pumped(1, 3)),
                        idempotency_key="first")
    # What was accepted is answered again, and not counted again.
    again = tenant.api.send(code(*others, *pumped(1, 3)),
                            idempotency_key="first")
    assert again.status_code == 202
    assert again.headers["Idempotent-Replayed"] == "true"
    for _ in range(3):
        tenant.api.accepted(code(others[0]), idempotency_key=None)
    assert tenant.api.send(code(others[0])).status_code == 429
    # Mails to the same people are no business of the limit.
    assert tenant.api.send({
        "to": {"phone": pumped(1)[0], "email": "a@example.org"},
        "channels": ["email"], "content": {"email": {
            "subject": "s", "text": "t"}, "sms": {"text": "t"}},
    }).status_code == 202


@pytest.mark.O11
def test_numbers_that_are_looked_up_count(stack):
    """A way round by user ids ends in the spooler."""
    tenant = limited(stack, most=5)
    for i, number in enumerate(pumped(12)):
        tenant.rows("INSERT INTO recipient (tenant_id, user_id, phone) "
                    "VALUES (%s, %s, %s)", f"u{i}", number)
    tenant.api.accepted(code(*pumped(2, 100)))
    for i in range(12):
        tenant.api.accepted({"to": {"user_id": f"u{i}"},
                             "channels": ["sms"],
                             "content": {"sms": {"text": "t"}}})
    wait_until(lambda: tenant.count("delivery") == 14, 30, "all are routed")
    reasons = [row["reason"] for row in tenant.rows(
        "SELECT reason FROM delivery WHERE tenant_id = %s AND state = 9")]
    assert len(reasons) == 9
    assert all("begins alike" in reason for reason in reasons)


@pytest.mark.O11
@pytest.mark.expect_log("memcached|cache")
def test_without_memcached_the_floor_holds(own_stack):
    """Each of the three workers has a third of it."""
    frozen, killed = limited(own_stack), limited(own_stack)
    memcached = own_stack.pid("memcached")
    assert through(limited(own_stack), pumped(100)) == MOST
    os.kill(memcached, signal.SIGSTOP)
    try:
        assert MOST // 3 <= through(frozen, pumped(100)) <= MOST
    finally:
        os.kill(memcached, signal.SIGCONT)
    own_stack.kill_and_wait("memcached")
    assert MOST // 3 <= through(killed, pumped(100)) <= MOST
    assert through(killed, [f"{OTHERS[0]}{i:04}" for i in range(5)]) == 5
