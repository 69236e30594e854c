# test_postgres_restart.py - the database goes away and comes back under load
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import Client, checks, mail
from harness.load import Load
from harness.size import size
from harness.wait import wait_until

# What the programs say while the database is away.
TROUBLE = ("database|PostgreSQL|terminating|leases are no longer sure|"
           "took over from a dead spooler|results came too late|"
           '"status": 503|a worker has crashed')
KILLS, POSTERS = size((3, 3), full=(20, 16))


@pytest.mark.D2
@pytest.mark.settings(fast=False)
@pytest.mark.expect_log(TROUBLE)
def test_no_promise_is_lost(own_stack, own_tenant):
    with Load(own_tenant, POSTERS) as load:
        wait_until(lambda: load.accepted() > 60, 30, "some load")
        for kill in range(KILLS):
            refused = load.statuses().get(503, 0)
            own_stack.kill_and_wait("postgres")
            wait_until(lambda: load.statuses().get(503, 0) > refused, 20,
                       "a 503")
            own_stack.start("postgres")
            before = load.accepted()
            wait_until(lambda: load.accepted() > before + 40, 30,
                       f"recovery by itself after kill {kill + 1}")
            assert own_stack.kill_workers("api") > 0
            before = load.accepted()
            wait_until(lambda: load.accepted() > before + 40, 30,
                       f"new workers after kill {kill + 1}")
    own_tenant.idle(300)

    promised = set(load.ids())
    stored = {str(r["id"]) for r in own_tenant.rows(
        "SELECT id FROM notification WHERE tenant_id = %s")}
    assert len(promised) == load.accepted(), "one notification for each key"
    assert promised <= stored
    # What was stored and never promised had its answer cut off: at most the
    # last key of each poster, since a careful client repeats its key.
    assert len(stored - promised) <= POSTERS
    # 0 and 500: the worker that had the request was killed.
    assert set(load.statuses()) <= {0, 202, 500, 503}, load.statuses()
    print(f"  kills        {KILLS:>8}\n  accepted     {load.accepted():>8}\n"
          f"  statuses     {load.statuses()}")
    received = {m["To"].split("<")[-1].strip(">") for m in own_tenant.mails()}
    assert load.addresses() <= received


@pytest.mark.expect_log(TROUBLE)
def test_clean_restart(own_stack, own_tenant):
    first = own_tenant.api.accepted(mail())
    own_tenant.api.ended(first)
    own_stack.stop("postgres")
    visitor = Client(own_stack.url, None)
    assert visitor.get("/health/live").status_code == 200
    ready = visitor.get("/health/ready")
    assert ready.status_code == 503
    assert checks(ready)["database"]["state"] == "failed"
    answer = own_tenant.api.send(mail())
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    own_stack.start("postgres")
    wait_until(lambda: own_tenant.api.send(mail()).status_code == 202, 10,
               "recovery")
    own_tenant.idle()
