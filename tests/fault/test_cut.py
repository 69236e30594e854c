# test_cut.py - connections that end around COMMIT
#
# SPDX-License-Identifier: BSD-2-Clause
import collections
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import Client, mail
from harness.cutter import Cutter
from harness.tenant import Tenant

POSTS = 150


def insist(stack, tenant, number):
    """Posts with one key until there is an answer that says yes."""
    client = Client(stack.url, tenant.key)
    for _ in range(100):
        answer = client.send(mail(f"k{number}@example.org"),
                             idempotency_key=f"cut-{number}")
        if answer.status_code == 202:
            return answer.json()["id"]
        assert answer.status_code == 503, answer.text
    raise AssertionError("a hundred refusals")


@pytest.mark.D8
@pytest.mark.settings(settings={"spooler.dead_after": "4s"})
@pytest.mark.expect_log("request|failed|not written yet|leases|took over|late|"
                        "parcels never came")
def test_one_notification_for_a_key(own_stack):
    with Cutter(own_stack) as cutter:
        for part in ("api", "spooler"):
            own_stack.stop(part)
            own_stack.start(part)
        tenant = Tenant(own_stack)
        tenant.api.accepted(mail("warm@example.org"))
        cutter.share = 0.1
        with ThreadPoolExecutor(6) as pool:
            promised = list(pool.map(
                lambda n: insist(own_stack, tenant, n), range(POSTS)))
        cutter.share = 0.0
        assert cutter.cuts > 30
        stored = {r["id"] for r in tenant.rows(
            "SELECT id::text FROM notification WHERE tenant_id = %s")}
        assert len(set(promised)) == POSTS
        assert set(promised) <= stored and len(stored) == POSTS + 1
        tenant.idle()
        mails = collections.Counter(m["To"] for m in tenant.mails())
        assert len(mails) == POSTS + 1 and set(mails.values()) == {1}
        for part in ("spooler", "api"):
            own_stack.stop(part)
    for part in ("api", "spooler"):
        own_stack.start(part)


@pytest.mark.settings(settings={"spooler.db_answer_timeout": "2s"})
@pytest.mark.expect_log("failed|not written yet|leases|took over")
def test_a_database_that_falls_silent(own_stack):
    """Connections on which nothing comes back are given up: all of them at once,
    those that were idle, too."""
    with Cutter(own_stack) as cutter:
        own_stack.stop("spooler")
        own_stack.start("spooler")
        tenant = Tenant(own_stack)
        tenant.api.ended(tenant.api.accepted(mail("warm@example.org")))
        cutter.mute()
        began = time.monotonic()
        tenant.api.ended(tenant.api.accepted(mail("late@example.org")))
        assert time.monotonic() - began < 10
        own_stack.stop("spooler")
    own_stack.start("spooler")
