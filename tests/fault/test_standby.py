# test_standby.py - the primary dies and its standby takes over
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY D7.  With synchronous replication nothing that was acknowledged is lost and
# nothing is there twice.  Without it, what is lost was acknowledged in the last moment
# before the primary died: it is counted and printed.
import collections
import random
import signal
import time

import pytest

from conftest import no_complaints
from harness.api import mail
from harness.checker import judge
from harness.fake_provider import FakeProvider
from harness.load import Load
from harness.size import size
from harness.standby import Pair
from harness.tenant import Tenant
from harness.wait import wait_until

TRANSFERS = 20
SETTINGS = {"spooler.transfers_max": TRANSFERS, "spooler.dead_after": "2s",
            "spooler.heartbeat_interval": "300ms",
            "database.statement_timeout": "1s"}


@pytest.fixture
def pair(request):
    stack = Pair(SETTINGS, synchronous=request.param == "synchronous")
    try:
        stack.up()
        stack.logs.allow(".*")
        yield stack
        no_complaints(stack)
    finally:
        try:
            stack.down()
        finally:
            stack.remove()


def stored(tenant, ids):
    """How often each of the ids is there."""
    return collections.Counter(row["id"] for row in tenant.rows(
        "SELECT id::text FROM notification WHERE tenant_id = %s AND "
        "id = ANY(%s::uuid[])", ids))


def kill_under_load(pair, provider, load, times):
    for turn in range(times):
        goal = load.accepted() + random.randint(30, 90)
        wait_until(lambda: load.accepted() >= goal, 60,
                   f"work after fail-over {turn}")
        pair.fail_over()


def check_unconfirmed(pair, tenant):
    """What no standby has confirmed is not promised, though it is there."""
    pair.signal_standby(signal.SIGSTOP)
    try:
        answer = tenant.api.send(mail("u@example.org"), idempotency_key="u")
        assert answer.status_code == 503, answer.text
    finally:
        pair.signal_standby(signal.SIGCONT)
    identity = tenant.api.accepted(mail("u@example.org"), idempotency_key="u")
    assert stored(tenant, [identity]) == {identity: 1}
    assert tenant.count("notification") == 1
    return identity


@pytest.mark.D7
@pytest.mark.parametrize("pair", ["synchronous"], indirect=True)
def test_nothing_is_lost(pair):
    tenant = Tenant(pair, maildir=False)
    random.seed(7)
    times = size(2, full=20)
    with FakeProvider(latency_s=0.02) as provider:
        provider.add_to(tenant, "email")
        ids = [check_unconfirmed(pair, tenant)]
        with Load(tenant, 4) as load:
            kill_under_load(pair, provider, load, times)
        tenant.idle(120)
        ids += load.ids()
        report = judge(tenant, provider, ids, per_notification=1)
    report.check(duplicates_max=times * TRANSFERS)
    assert set(stored(tenant, ids)) == set(ids)
    keys = tenant.rows("SELECT recipients->0->>'email' AS a FROM notification "
                       "WHERE tenant_id = %s")
    assert len({k["a"] for k in keys}) == len(keys), "a key made two of them"


@pytest.mark.D7
@pytest.mark.parametrize("pair", ["asynchronous"], indirect=True)
def test_loss_without_synchronous_replication(pair):
    """At most the last second of what was acknowledged."""
    tenant = Tenant(pair, maildir=False)
    random.seed(8)
    times = size(1, full=5)
    with FakeProvider(latency_s=0.02) as provider:
        provider.add_to(tenant, "email")
        with Load(tenant, 4) as load:
            kill_under_load(pair, provider, load, times)
        tenant.idle(120)
        lost = set(load.ids()) - set(stored(tenant, load.ids()))
    print(f"  acknowledged {load.accepted():>8}\n  lost         {len(lost):>8}")
    rate = load.accepted() / max(1.0, time.monotonic() - load.started)
    assert len(lost) <= times * max(10, rate)
