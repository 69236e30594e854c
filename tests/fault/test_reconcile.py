# test_reconcile.py - what cannot happen is found and repaired
#
# SPDX-License-Identifier: BSD-2-Clause
#
# Each damage is done by hand to the database; what runs must not be taken for one.
import pytest

from harness.checker import judge
from harness.fake_provider import FakeProvider
from harness.load import Load
from harness.tenant import Tenant
from harness.wait import wait_until

DEAD_AFTER_S = 1.0
NIL = "00000000-0000-0000-0000-000000000000"

SETTINGS = {"spooler.heartbeat_interval": "200ms", "spooler.dead_after": "1s"}


def letter(number):
    return {"to": {"email": f"p{number}@example.org"},
            "content": {"email": {"subject": "s", "text": "t"}}}


def damage(tenant):
    """One of each kind; returns the ids of the notifications in the order of
    the statements below."""
    ids = [tenant.api.accepted(letter(n)) for n in range(7)]
    for identity in ids:
        tenant.api.ended(identity)
    tenant.idle()
    lost, leased, stray, unrouted, count, done, dead = ids
    where = "WHERE tenant_id = %s AND notification_id = %s"
    # No trigger keeps history from being damaged by a superuser.
    with tenant.stack.db() as connection:
        cursor = connection.cursor()
        cursor.execute("SET session_replication_role = replica")

        def run(sql, *arguments):
            cursor.execute(sql, (tenant.id, *arguments))
            assert cursor.rowcount == 1, sql
        # A receipt told that these failed, while they were sent.
        run(f"UPDATE delivery SET state = 3, told = -1, finished_at = NULL {where}",
            lost)
        run(f"UPDATE delivery SET state = 3, told = -1, finished_at = NULL {where}",
            leased)
        for one in (lost, leased):
            run("UPDATE notification SET state = 2, open_count = 1, done_at ="
                " NULL WHERE tenant_id = %s AND id = %s", one)
        run("INSERT INTO q_later SELECT tenant_id, now() + interval '1 hour',"
            f" id, notification_id, 1, 1, 1 FROM delivery {where}", stray)
        cursor.execute(f"DELETE FROM attempt {where}", (tenant.id, unrouted))
        run(f"DELETE FROM delivery {where}", unrouted)
        run("UPDATE notification SET state = 1, done_at = NULL, open_count = 0"
            " WHERE tenant_id = %s AND id = %s", unrouted)
        run("UPDATE notification SET open_count = 3 "
            "WHERE tenant_id = %s AND id = %s", count)
        run("UPDATE notification SET state = 2, done_at = NULL, open_count = 0"
            " WHERE tenant_id = %s AND id = %s", done)
        run(f"UPDATE delivery SET state = 7 {where}", dead)
    return ids


def found(rows):
    return {row["kind"]: row["found"] for row in rows if row["found"]}


EXPECTED = {"lease": 1, "delivery_lost": 1, "row_stray": 1,
            "notification_lost": 1, "count": 1, "done": 1, "dead_letter": 1}


def age(stack):
    """Until nothing that was accepted is too young."""
    young = stack.value("SELECT now()")
    wait_until(lambda: stack.value(
        "SELECT now() > %s + interval '2.5 s'", young), 20, "two lifetimes")


@pytest.mark.settings(settings=SETTINGS)
def test_each_kind(own_stack):
    tenant = Tenant(own_stack)
    ids = damage(tenant)
    # Rescue is what sees to leases while a spooler runs.
    own_stack.stop("spooler")
    own_stack.rows("INSERT INTO q_leased SELECT tenant_id, id, notification_id,"
                   " 1, 1, 1, %s FROM delivery WHERE tenant_id = %s AND "
                   "notification_id = %s", NIL,
                   tenant.id, ids[1])
    own_stack.rows("DELETE FROM q_ready WHERE tenant_id = %s", tenant.id)
    own_stack.rows("UPDATE delivery SET state = 3 WHERE tenant_id = %s AND "
                   "notification_id = %s", tenant.id, ids[1])
    age(own_stack)
    dry = found(tenant.ctl("reconcile", "--dry-run"))
    assert dry == EXPECTED
    assert found(tenant.ctl("reconcile", "--dry-run")) == EXPECTED
    assert found(tenant.ctl("reconcile")) == EXPECTED
    assert found(tenant.ctl("reconcile")) == {}
    own_stack.start("spooler")
    tenant.idle()
    assert len(tenant.mails()) == 7 + 1  # what is the same delivery is the same file
    states = tenant.rows("SELECT id::text, state, open_count FROM notification"
                         " WHERE tenant_id = %s")
    assert {(r["state"], r["open_count"]) for r in states} == {(3, 0)}
    assert [tenant.api.notification(identity)["deliveries"][0]["state"]
            for identity in ids[:2]] == ["sent", "sent"], "by the attempt that counts"
    for identity, code in zip(ids, ["delivery_lost", "lease", "row_stray",
                                    "notification_lost", "count", "done",
                                    "dead_letter"]):
        events = [e for e in tenant.api.timeline(identity)
                  if e["type"].endswith(".reconciled")]
        assert [(e["code"], e["by"]) for e in events] == [(code, "belfryctl")]
    assert len(tenant.ctl("dead", "list")) == 1


@pytest.mark.settings(settings={**SETTINGS,
                                "spooler.reconcile_interval": "500ms"})
@pytest.mark.expect_log("found what cannot happen")
def test_by_itself(own_stack):
    tenant = Tenant(own_stack)
    identity = tenant.api.accepted(letter(1))
    tenant.api.ended(identity)
    tenant.idle()
    own_stack.rows("UPDATE notification SET open_count = 5 WHERE "
                   "tenant_id = %s AND id = %s", tenant.id, identity)
    wait_until(lambda: not own_stack.rows(
        "SELECT 1 FROM notification WHERE tenant_id = %s AND open_count <> 0",
        tenant.id), 30, "a repair")
    codes = [(e["code"], e["by"].split()[0])
             for e in tenant.api.timeline(identity)
             if e["type"] == "notification.reconciled"]
    assert codes == [("count", "spooler")]


@pytest.mark.settings(settings={**SETTINGS, "retry.receipt_after": "1h"})
def test_what_waits_for_a_receipt_in_no_queue(own_stack):
    """It was sent, and the next account is to send it unless a receipt comes."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as first, FakeProvider() as second:
        for priority, provider in ((1, first), (2, second)):
            tenant.ctl("provider", "add", f"p{priority}", "--kind", "smtp",
                       "--priority", priority, "--set", "host=127.0.0.1",
                       "--set", f"port={provider.smtp_port}", "--set",
                       "tls=none", "--set", "from=shop@example.org")
        identity = tenant.api.accepted(letter(1))
        tenant.api.ended(identity)
        tenant.stack.rows("DELETE FROM q_later WHERE tenant_id = %s", tenant.id)
        age(own_stack)
        assert found(tenant.ctl("reconcile")) == {"delivery_lost": 1}
        wait_until(lambda: second.count() == 1, 20, "the next account")
        tenant.api.ended(identity)
        wait_until(lambda: tenant.count("q_later") == 0
                   and tenant.count("q_leased") == 0, 20, "the end")
        assert found(tenant.ctl("reconcile")) == {}
        assert first.count() == 1


@pytest.mark.settings(settings={**SETTINGS, "spooler.processes": "2",
                                "spooler.reconcile_interval": "100ms"})
@pytest.mark.expect_log("took over|no longer sure")  # where all is slow
def test_what_runs_is_left_alone(own_stack):
    """Reconciling all the time beside a load, it finds nothing."""
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider(latency_s=0.02) as provider:
        provider.add_to(tenant, "email")
        with Load(tenant, posters=2) as load:
            for _ in range(8):
                seen = provider.count()
                wait_until(lambda: provider.count() > seen + 30, 30, "work")
                assert found(own_stack.ctl("reconcile")) == {}
        tenant.idle(60)
        judge(tenant, provider, load.ids()).check(duplicates_max=0)
    assert not own_stack.rows("SELECT 1 FROM event WHERE type LIKE "
                              "'%%.reconciled'")
