# test_postgres_restart.py - the database goes away and comes back under load
#
# SPDX-License-Identifier: BSD-2-Clause
import threading
import time

import pytest
import requests

from harness.api import Client, checks, mail
from harness.wait import wait_until

# What the programs say while the database is away.
TROUBLE = ("database|PostgreSQL|terminating|leases are no longer sure|"
           "took over from a dead spooler|results came too late|"
           '"status": 503')


class Poster(threading.Thread):
    """Posts with idempotency keys until told to stop; a request that got no
    clear answer is repeated with its key, as a careful client does."""

    def __init__(self, tenant, number):
        super().__init__(daemon=True)
        self.tenant, self.number = tenant, number
        self.client = Client(tenant.stack.url, tenant.key)
        self.accepted, self.statuses = {}, {}
        self.over = threading.Event()

    def run(self):
        count = 0
        while not self.over.is_set():
            key = f"{self.number}-{count}"
            if self.post(key):
                count += 1
            else:
                time.sleep(0.05)

    def post(self, key):
        try:
            answer = self.client.send(mail(f"{key}@example.org"),
                                      idempotency_key=key)
        except requests.RequestException:
            return False
        self.statuses[answer.status_code] = \
            self.statuses.get(answer.status_code, 0) + 1
        if answer.status_code != 202:
            return False
        self.accepted[key] = answer.json()["id"]
        return True

    def finish(self):
        self.over.set()
        self.join(60)
        assert not self.is_alive()


@pytest.mark.settings(fast=False)
@pytest.mark.expect_log(TROUBLE)
def test_no_promise_is_lost(own_stack, own_tenant):
    posters = [Poster(own_tenant, i) for i in range(3)]
    for poster in posters:
        poster.start()

    def accepted():
        return sum(len(p.accepted) for p in posters)

    wait_until(lambda: accepted() > 60, 30, "some load")
    for kill in range(3):
        own_stack.kill_and_wait("postgres")
        statuses = [dict(p.statuses) for p in posters]
        wait_until(lambda: any(
            p.statuses.get(503, 0) > before.get(503, 0)
            for p, before in zip(posters, statuses)), 20, "a 503")
        own_stack.start("postgres")
        before = accepted()
        wait_until(lambda: accepted() > before + 40, 30,
                   f"recovery by itself after kill {kill + 1}")
    for poster in posters:
        poster.finish()
    own_tenant.idle(90)

    promised = {i for p in posters for i in p.accepted.values()}
    stored = {str(r["id"]) for r in own_tenant.rows(
        "SELECT id FROM notification WHERE tenant_id = %s")}
    assert promised <= stored
    assert len(promised) == accepted()
    # What was stored and never promised had its answer cut off: at most one
    # for each poster and kill, since a careful client repeats its key.
    assert len(stored - promised) <= 3
    for poster in posters:
        assert set(poster.statuses) <= {202, 503, 500}, poster.statuses
    received = {m["To"].split("<")[-1].strip(">") for m in own_tenant.mails()}
    assert {f"{k}@example.org" for p in posters for k in p.accepted} <= received


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
