# test_cut.py - connections that end around COMMIT
#
# SPDX-License-Identifier: BSD-2-Clause
import collections
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import Client, after, mail
from harness.cutter import Cutter
from harness.endpoint import Endpoint
from harness.size import size
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

POSTS, CUTS = size(150, 1200), size(30, 1000)
SYNC = 5  # octets, which commit what stands before them


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
                        "leases that nobody works on")
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
        print(f"{POSTS} posts, {cutter.cuts} connections cut")
        assert cutter.cuts >= CUTS
        stored = {r["id"] for r in tenant.rows(
            "SELECT id::text FROM notification WHERE tenant_id = %s")}
        assert len(set(promised)) == POSTS
        assert set(promised) <= stored and len(stored) == POSTS + 1
        tenant.idle(size(30, 600))
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
        tenant.api.accepted(mail("late@example.org", send_at=after(2)))
        cutter.mute()
        wait_until(lambda: len(tenant.mails()) == 2, 12, "the second mail")
        own_stack.stop("spooler")
    own_stack.start("spooler")


@pytest.mark.settings(settings={"spooler.express": "0"})
@pytest.mark.parametrize("statement, faults, attempts", [
    (b"route_write", {}, 2), (b"lane_write", {"RCPT": "451 4.3.0 later"}, 3)],
    ids=["first", "second"])
@pytest.mark.expect_log("failed|leases that nobody works on|not written yet")
def test_a_commit_that_is_late(own_stack, statement, faults, attempts):
    """It comes to be after the spooler has looked whether it had."""
    with Cutter(own_stack) as cutter, FaultyServer(faults, times=1) as server:
        own_stack.stop("spooler")
        own_stack.start("spooler")
        tenant = Tenant(own_stack, maildir=False)
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        cutter.be_late_with(statement, 2)
        tenant.api.accepted(mail())
        tenant.idle()
        assert cutter.cuts == 1
        assert len(server.bodies) == 1
        assert tenant.rows("SELECT state, attempts FROM delivery WHERE "
                           "tenant_id = %s") == [
                               {"state": 4, "attempts": attempts}]
        own_stack.stop("spooler")
    own_stack.start("spooler")


def undone(tenant):
    return tenant.rows("SELECT 1 FROM webhook_attempt WHERE tenant_id = %s "
                       "AND error LIKE 'it was not sent:%%'")


@pytest.mark.expect_log("failed|not written yet")
def test_a_claim_of_webhooks_that_is_late(own_stack):
    """It is undone at once, when there is nothing yet, and again some seconds later."""
    with Cutter(own_stack) as cutter, Endpoint() as endpoint:
        own_stack.stop("spooler")
        own_stack.start("spooler")
        tenant = Tenant(own_stack)
        endpoint.subscribe(tenant)
        turns = 0
        while not undone(tenant):  # a claim may have found nothing
            turns += 1
            assert turns < 6, "a claim that was undone"
            cutter.be_late_with(b"webhook_claim", 2, last=SYNC)
            identity = tenant.api.accepted(mail())
            endpoint.wait_for(identity, "notification.done")
            wait_until(lambda: tenant.count("webhook_queue") == 0, 40, "told")
            assert cutter.cuts == turns
        own_stack.stop("spooler")
    own_stack.start("spooler")
