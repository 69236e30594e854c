# test_overload.py - more comes in than goes out
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY O5 and O6: bulk is refused first, urgent last; what was accepted goes out;
# afterwards all is as before, without hand work; and measuring stays cheap.
import time

import pytest

from harness.api import problem
from harness.tenant import Tenant
from harness.wait import wait_until

LIMIT = 200
ROWS = 300_000


def letter(priority="normal"):
    return {"to": {"email": "a@example.org"}, "priority": priority,
            "content": {"email": {"subject": "s", "text": "t"}}}


def hold(stack, on=True):
    stack.logs.allow("on hold")
    stack.ctl("spooler", "hold" if on else "release")
    wait_until(lambda: {r["state"] for r in stack.ctl("spooler", "status")}
               == {"holding" if on else "running"}, 20, "it")


def fill(tenant, priority, until):
    """Posts until it is refused; returns what was accepted and the refusal."""
    accepted = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = tenant.api.send(letter(priority))
        if answer.status_code != 202:
            assert answer.status_code == until, answer.text
            return accepted, answer
        accepted.append(answer.json()["id"])
    raise AssertionError(f"{len(accepted)} were accepted and none refused")


@pytest.mark.O5
@pytest.mark.settings(settings={"queue.tenant_max": str(LIMIT)})
def test_one_tenant(own_stack):
    tenant, other = Tenant(own_stack), Tenant(own_stack)
    hold(own_stack)
    known = tenant.api.send(letter("bulk"), idempotency_key="first")
    accepted = [known.json()["id"]]
    for priority in ("bulk", "normal", "urgent"):
        more, refused = fill(tenant, priority, 429)
        accepted += more
        problem(refused, 429, "queue_full")
        assert int(refused.headers["Retry-After"]) > 0
        assert other.api.send(letter("bulk")).status_code == 202
    waiting = tenant.count("q_ready")
    assert LIMIT <= waiting == len(accepted)
    # Who repeats what was accepted gets the same answer.
    again = tenant.api.send(letter("bulk"), idempotency_key="first")
    assert again.status_code == 202 and again.json() == known.json()
    hold(own_stack, False)
    begin = time.monotonic()
    tenant.idle(60)
    wait_until(lambda: tenant.api.send(letter("bulk")).status_code == 202, 20,
               "bulk to be accepted again")
    print(f"{waiting} waited at a limit of {LIMIT}; all is accepted again "
          f"{time.monotonic() - begin:.1f} s after delivery went on")
    tenant.idle()
    for identity in accepted:
        assert tenant.api.notification(identity)["state"] == "done"


@pytest.mark.O5
@pytest.mark.settings(settings={"queue.total_max": "60"})
@pytest.mark.expect_log("too much waits")
def test_all_together(own_stack):
    """503 for everybody, also for whom little waits; also without a spooler."""
    tenant, other = Tenant(own_stack), Tenant(own_stack)
    hold(own_stack)
    _, refused = fill(tenant, "normal", 503)
    problem(refused, 503, "overloaded")
    assert int(refused.headers["Retry-After"]) > 0
    wait_until(lambda: other.api.send(letter("bulk")).status_code == 503, 10,
               "a refusal of others")
    own_stack.stop("spooler")
    # Nobody has measured for long: belfry-api does.
    own_stack.rows("DELETE FROM q_ready")
    own_stack.rows("UPDATE queue_state SET measured_at = now() - "
                   "interval '1 minute'")
    wait_until(lambda: other.api.send(letter("bulk")).status_code == 202, 10,
               "what the API measured by itself")


@pytest.mark.O5
def test_a_tenants_own_limit(own_stack):
    tenant = Tenant(own_stack)
    own_stack.rows("UPDATE tenant SET settings = '{\"queue_max\": 10}' "
                   "WHERE id = %s", tenant.id)
    hold(own_stack)
    accepted, refused = fill(tenant, "bulk", 429)
    problem(refused, 429, "queue_full")
    assert 8 <= len(accepted)


def pages_read(stack):
    plan = stack.value("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
                       "SELECT * FROM queue_measure()")[0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@pytest.mark.O6
def test_measuring_is_cheap(own_stack):
    """A long queue is estimated, within a tenth, and of three times as much not
    three times as much is read; short ones beside it are counted."""
    big, small = Tenant(own_stack), Tenant(own_stack)
    hold(own_stack)
    read = []
    for part in (ROWS // 3, ROWS - ROWS // 3):
        own_stack.rows("""INSERT INTO q_ready SELECT %s, 1, 1, now(),
            gen_random_uuid(), gen_random_uuid(), 0
            FROM generate_series(1, %s)""", big.id, part)
        own_stack.rows("VACUUM q_ready")
        read.append(pages_read(own_stack))
    own_stack.rows("INSERT INTO tenant_ready VALUES (%s, 1, 1) "
                   "ON CONFLICT DO NOTHING", big.id)
    for _ in range(7):
        small.api.accepted(letter())
    took = []
    for _ in range(5):
        begin = time.monotonic()
        rows = own_stack.rows("SELECT * FROM queue_measure()")
        took.append((time.monotonic() - begin) * 1000)
    found = {row["tenant_id"]: row for row in rows}
    estimate = found[big.id]["ready"]
    print(f"{ROWS} rows: {sorted(took)[2]:.0f} ms with the connection, estimated "
          f"{estimate}; pages read {read[1]}, {read[0]} of a third of the rows")
    assert read[1] < 2.2 * read[0]
    assert not found[big.id]["exact"] and found[small.id]["exact"]
    assert abs(estimate - ROWS) < ROWS / 10
    assert found[small.id]["ready"] == 7
    row, = own_stack.ctl("queue", "--by", "tenant", tenant=small.slug)
    assert (row["ready"], row["exact"]) == (7, True)
    own_stack.rows("DELETE FROM q_ready WHERE tenant_id = %s", big.id)
    hold(own_stack, False)
    small.idle()
