# test_zombie.py - spoolers that stop, sleep and wake, and a database that is away
#
# SPDX-License-Identifier: BSD-2-Clause
import asyncio
import collections
import os
import signal
import time

import pytest

from harness.api import mail
from harness.size import size
from harness.smtp import Inbox, MailServer
from harness.tenant import Tenant
from harness.wait import wait_until

QUICK = {"spooler.heartbeat_interval": "300ms", "spooler.dead_after": "1500ms",
         "spooler.drain_timeout": "1s", "spooler.processes": "2",
         "spooler.sweep_interval": "200ms"}
TROUBLE = ("leases are no longer sure|took over|came too late|not written yet|"
           "failed|on the wire|request|could not|lost|left alone")


class SlowInbox(Inbox):
    delay = 0.02

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self.delay)
        return await super().handle_DATA(server, session, envelope)

    def count(self):
        return collections.Counter(
            address for _, to, _ in self.received for address in to)


class SlowServer(MailServer):
    def __init__(self):
        super().__init__()
        self.inbox.__class__ = SlowInbox


@pytest.fixture
def slow(own_stack):
    """A slow mail server, and a tenant that sends to it."""
    with SlowServer() as server:
        tenant = Tenant(own_stack, maildir=False)
        tenant.add_provider("out", "smtp", host="127.0.0.1", port=server.port,
                            tls="none", **{"from": "shop@example.org"})
        yield tenant, server.inbox


def send(tenant, first, count):
    tenant.api.accepted(mail(to=[{"email": f"z{i}@example.org"}
                                 for i in range(first, first + count)]))


def missing(inbox, count):
    return {f"z{i}@example.org" for i in range(count)} - set(inbox.count())


def queued(tenant):
    """Whether anything is to do, in one look: rows move from table to table."""
    return tenant.rows("SELECT 1 FROM q_ready q FULL JOIN q_leased l "
                       "USING (tenant_id, id) WHERE tenant_id = %s LIMIT 1")


def leases_of(tenant, spooler):
    """The deliveries that the process holds."""
    return {row["id"] for row in tenant.rows(
        "SELECT l.id::text FROM q_leased l JOIN spooler s ON s.id = l.spooler "
        "WHERE l.tenant_id = %s AND s.pid = %s", spooler)}


def stop_with_leases(tenant, spoolers):
    """Stops one of the processes while it holds leases: it, and what it holds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for spooler in spoolers:
            if not leases_of(tenant, spooler):
                continue
            os.kill(spooler, signal.SIGSTOP)
            # What it had begun to write when it was stopped is written by now.
            time.sleep(0.2)
            if held := leases_of(tenant, spooler):
                return spooler, held
            os.kill(spooler, signal.SIGCONT)
    raise AssertionError("no spooler holds anything")


def rescued(tenant):
    return {row["id"] for row in tenant.rows(
        "SELECT delivery_id::text AS id FROM event WHERE tenant_id = %s "
        "AND code = 'rescued'")}


def named(tenant, addresses):
    """How many of the addresses have a delivery with several attempts."""
    return tenant.rows(
        "SELECT count(*) AS n FROM delivery WHERE tenant_id = %s AND "
        "attempts > 1 AND address = ANY(%s)", list(addresses))[0]["n"]


@pytest.mark.D3
@pytest.mark.settings(settings=QUICK)
@pytest.mark.expect_log(TROUBLE)
def test_stopped_and_resumed(own_stack, slow):
    """What another one took over is not sent by the one that wakes up."""
    tenant, inbox = slow
    turns = size(3, full=50)
    for turn in range(turns):
        send(tenant, 100 * turn, 50)
        send(tenant, 100 * turn + 50, 50)
        wait_until(lambda: len(inbox.received) > 100 * turn, 10, "a mail")
        spoolers = own_stack.workers("spooler")
        zombie, held = stop_with_leases(
            tenant, spoolers if turn % 2 == 0 else spoolers[::-1])
        try:
            wait_until(lambda: not queued(tenant), 15, "the others' work")
            assert held <= rescued(tenant), "the other one took them over"
            before = len(inbox.received)
        finally:
            os.kill(zombie, signal.SIGCONT)
        time.sleep(0.3)
        assert len(inbox.received) == before
    tenant.idle()
    assert missing(inbox, 100 * turns) == set()
    twice = {a for a, n in inbox.count().items() if n > 1}
    assert named(tenant, twice) == len(twice)


@pytest.mark.D12
@pytest.mark.settings(settings={**QUICK, "spooler.processes": "1"})
@pytest.mark.expect_log("on the wire")
def test_stop_with_deliveries_on_the_wire(own_stack, slow):
    """They are handed back, count no attempt, and go out once."""
    tenant, inbox = slow
    SlowInbox.delay = 30
    try:
        send(tenant, 0, 60)
        # So many a new account is given at once.
        wait_until(lambda: tenant.count("attempt") == 5, 10, "the attempts")
        own_stack.stop("spooler")
    finally:
        SlowInbox.delay = 0.02
    assert tenant.count("q_leased") == 0
    assert tenant.count("q_ready") == 60
    assert tenant.rows("SELECT DISTINCT state, counted FROM delivery "
                       "WHERE tenant_id = %s") == [{"state": 2, "counted": 0}]
    own_stack.start("spooler")
    tenant.idle()
    assert missing(inbox, 60) == set()
    assert set(inbox.count().values()) == {1}


@pytest.mark.settings(settings=QUICK)
@pytest.mark.expect_log(TROUBLE)
def test_database_away_for_longer_than_leases_last(own_stack, slow):
    """Nobody is dead because nobody was heard: results are written when the
    database is back, not sent again."""
    tenant, inbox = slow
    send(tenant, 0, 100)
    wait_until(lambda: len(inbox.received) >= 10, 10, "some mails")
    own_stack.stop("postgres")
    time.sleep(2)
    own_stack.start("postgres")
    for _ in own_stack.workers("api"):
        assert tenant.api.send(mail("probe@example.org")).status_code == 202
    tenant.idle()
    assert missing(inbox, 100) == set()
    twice = {a for a, n in inbox.count().items()
             if n > 1 and a != "probe@example.org"}
    assert len(twice) <= 20
