# test_gate.py - accounts that take little, do not work, or say how much they take
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY P3, P4, O3 and O10, and budgets, with real spoolers and fake providers.
import collections
import os
import time

import pytest

from harness.checker import judge
from harness.fake_provider import FakeProvider, Fault
from harness.size import size
from harness.tenant import Tenant
from harness.wait import wait_until

ACCEPTED = 1
OPEN_LINE = "provider account is left alone"


def option(name, usual):
    """Of the full form: tests/fault/full/run NAME --OPTION VALUE."""
    return int(os.environ.get(f"BELFRY_{name}", usual))


def people(channel, first, count):
    """One notification to "count" people."""
    return {"to": [{"email": f"p{i}@example.org"}
                   for i in range(first, first + count)],
            "channels": [channel],
            "content": {"email": {"subject": "s", "text": "t"},
                        "webhook": {"a": "b"}}}


class Grants:
    """What PostgreSQL grants of the budgets of accounts, noted by itself: whoever is slow,
    the times are right."""

    def __init__(self, stack):
        self.stack = stack
        stack.rows("""
            CREATE TABLE public.granted (at timestamptz, tat timestamptz, n int);
            CREATE FUNCTION public.note_grant() RETURNS trigger SECURITY DEFINER
            LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO public.granted VALUES (now(), NEW.tat, NEW.granted);
                RETURN NULL;
            END $$;
            CREATE TRIGGER note_grant AFTER UPDATE ON belfry.provider_budget
                FOR EACH ROW WHEN (NEW.granted > 0)
                EXECUTE FUNCTION public.note_grant()""")

    def times(self, rate):
        """When each delivery might go out, in the order of time; and what was granted for
        a time that had passed."""
        times, past = [], []
        for row in self.stack.rows(
                "SELECT extract(epoch FROM at)::float8 AS at, "
                "extract(epoch FROM tat)::float8 AS tat, n FROM public.granted"):
            mine = [row["tat"] - i / rate for i in range(row["n"], 0, -1)]
            past += [t for t in mine if t < row["at"] - 0.001]
            times += mine
        return sorted(times), past


def send(tenant, channel, count):
    return [tenant.api.accepted(people(channel, n, min(100, count - n)))
            for n in range(0, count, 100)]


def figure(name, value, limit):
    print(f"{name}: {value} ({limit})")


def classes(tenant):
    return collections.Counter({r["class"]: r["n"] for r in tenant.rows(
        "SELECT class, count(*) AS n FROM attempt WHERE tenant_id = %s "
        "GROUP BY class")})


def all_were_sent(tenant, provider, sent):
    """Every delivery of them was accepted in its last attempt, and in that alone."""
    rows = tenant.rows("""
        SELECT d.id, d.state, array_agg(a.class ORDER BY a.n) AS classes
        FROM delivery d JOIN attempt a ON a.tenant_id = d.tenant_id
            AND a.notification_id = d.notification_id AND a.delivery_id = d.id
        WHERE d.tenant_id = %s GROUP BY d.id, d.state""")
    assert {r["state"] for r in rows} == {4}
    assert all(r["classes"][-1] == ACCEPTED and ACCEPTED not in
               r["classes"][:-1] for r in rows)
    assert {str(r["id"]) for r in rows} == {r.id for r in provider.receipts}
    assert {str(r["id"]) for r in tenant.rows(
        "SELECT id FROM notification WHERE tenant_id = %s")} >= set(sent)


def most_in_a_second(times):
    """The largest number of events in any second."""
    times, most, first = sorted(times), 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def troubled(tenant):
    """How many accounts are left alone or tried again, as the metrics have it."""
    return sum(int(line.split()[-1])
               for line in tenant.api.get("/metrics").text.splitlines()
               if line.startswith("belfry_accounts_troubled{")
               and "blocked" not in line)


def health(tenant):
    rows = tenant.rows("SELECT * FROM provider_health WHERE tenant_id = %s")
    return rows[0] if rows else None


@pytest.mark.P3
@pytest.mark.settings(settings={"retry.throttled_delay": "1s",
                                "retry.delay_first": "1s"})
def test_p3_a_server_that_serves_five_connections(own_stack):
    """Postfix's own experiment; it deferred 16.5 %."""
    tenant = Tenant(own_stack, maildir=False)
    recipients = size(600, full=option("P3_RECIPIENTS", 2000))
    with FakeProvider(latency_s=0.01, connection_limit=5) as provider:
        provider.add_to(tenant, "email")
        sent = send(tenant, "email", recipients)
        tenant.idle(180)
        judge(tenant, provider, sent).check(duplicates_max=0)
        seen = classes(tenant)
        deferred = sum(n for c, n in seen.items() if c != ACCEPTED)
        figure("P3 recipients", recipients, "-")
        figure("P3 deferred, percent", round(100 * deferred / recipients, 2), 5)
        figure("P3 connections refused", provider.refused, "-")
        assert seen[ACCEPTED] == recipients
        assert deferred <= recipients * 5 / 100
        assert provider.open["smtp"] <= 5


@pytest.mark.P4
@pytest.mark.settings(settings={"spooler.processes": "2",
                                "breaker.probe": "1s" if size(1, 0) else "5s"})
@pytest.mark.expect_log(OPEN_LINE)
def test_p4_a_provider_that_is_down(own_stack):
    """It is left alone, and tried by one delivery at a time."""
    rows, outage_s = size((600, 8), full=(
        option("P4_ROWS", 50000), option("P4_OUTAGE", 600)))
    probe_s, at_once = size(1, full=5), 2 * (10 + 20)
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider(latency_s=size(0.2, full=0.05)) as provider:
        provider.add_to(tenant, "webhook")
        before = send(tenant, "webhook", size(400, full=5000))
        tenant.idle(60)
        steady = most_in_a_second(r.at for r in provider.receipts)
        good = provider.count()
        down = Fault(answer=503)
        provider.faults = [down]
        began = time.monotonic()
        sent = send(tenant, "webhook", rows)
        wait_until(lambda: health(tenant) and health(tenant)["state"] != 1, 30,
                   "the breaker is open")
        opened = provider.count() - good
        wait_until(lambda: troubled(tenant) == 1, 15, "a gauge that tells of it")
        time.sleep(outage_s)
        wasted = provider.count() - good
        probes = (time.monotonic() - began) / probe_s
        counted = tenant.rows("SELECT max(counted) AS most, sum(counted) AS n "
                              "FROM delivery WHERE tenant_id = %s "
                              "AND state NOT IN (4, 5)")[0]
        provider.faults = []
        passed = time.time()
        tenant.idle(size(60, full=900))
        after = [r.at for r in provider.receipts if r.at > passed]
        all_were_sent(tenant, provider, before + sent)
        figure("P4 requests until the breaker opened", opened,
               at_once)
        figure("P4 requests wasted in the outage", wasted,
               size(at_once + int(probes) + 2, full=200))
        figure("P4 most attempts that counted of one delivery",
               counted["most"], 1)
        figure("P4 most in a second after recovery", most_in_a_second(after),
               f"2 x {steady}")
        assert opened <= at_once, "ten of each, and what was on its way"
        assert wasted <= at_once + probes + 2
        assert counted["most"] <= 1 and counted["n"] <= at_once
        assert most_in_a_second(after) <= 2 * steady
        assert health(tenant)["state"] == 1
        wait_until(lambda: troubled(tenant) == 0, 15, "a gauge that tells its end")
        assert sum(OPEN_LINE in line["msg"] for line in own_stack.logs.lines()
                   if line.get("tenant_id") == tenant.id) == 1
        acts = [r["action"] for r in tenant.rows(
            "SELECT action FROM audit WHERE tenant_id = %s AND action IN "
            "('provider.open', 'provider.recover') ORDER BY at")]
        assert acts == ["provider.open", "provider.recover"]
        events = {r["type"] for r in tenant.rows(
            "SELECT type FROM event WHERE tenant_id = %s "
            "AND type LIKE 'provider.%%'")}
        assert events == {"provider.opened", "provider.recovered"}


@pytest.mark.O3
@pytest.mark.settings(settings={"spooler.transfers_max": "60",
                                "spooler.attempt_timeout": "10s"})
@pytest.mark.expect_log(OPEN_LINE)
def test_o3_a_destination_that_hangs(own_stack):
    """It holds a few places; the others have the rest."""
    count = size(400, full=option("O3_DELIVERIES", 4000))
    rates = []
    with FakeProvider(latency_s=0.02) as good, FakeProvider(
            Fault(hang=True)) as bad:
        for hanging in (False, True):
            tenant = Tenant(own_stack, maildir=False)
            good.add_to(tenant, "webhook")
            if hanging:
                other = Tenant(own_stack, maildir=False)
                bad.add_to(other, "webhook")
                send(other, "webhook", 300)
                assert bad.hanging.wait(20)
            began, before = time.time(), good.count()
            send(tenant, "webhook", count)
            wait_until(lambda: good.count() >= before + count, 120, "all")
            rates.append(count / (good.receipts[-1].at - began))
        figure("O3 places held by the one that hangs", bad.most["http"], 20)
        figure("O3 rate of the others, percent",
               round(100 * rates[1] / rates[0]), size("25", full="95"))
        assert bad.most["http"] <= 20
        assert rates[1] >= size(0.25, full=0.95) * rates[0]
        # What hung is not left behind: the stack ends with an empty queue.
        bad.faults = []
        other.ctl("provider", "disable", "fake-webhook")


@pytest.mark.O10
@pytest.mark.settings(settings={
    "retry.delay_first": "500ms", "retry.delay_max": "2s",
    "retry.throttled_delay": "2s", "breaker.probe": "200ms"})
def test_o10_a_storm_of_retries(own_stack):
    """Half of everything fails: retries stay a small share."""
    own_stack.logs.allow(OPEN_LINE)
    seconds, rate = size((8, 50), full=(
        option("O10_SECONDS", 300), option("O10_RATE", 20)))
    tenant = Tenant(own_stack, maildir=False)
    sent, offered = [], 0
    with FakeProvider(Fault(answer=500, share=0.5)) as provider:
        provider.add_to(tenant, "webhook")
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            batch = int(passed * rate) - offered
            if batch > 0:
                sent.append(tenant.api.accepted(
                    people("webhook", offered, min(batch, 100))))
                offered += min(batch, 100)
            time.sleep(0.1)
        requests = provider.count()
        provider.faults = []
        calm = time.monotonic()
        tenant.idle(120)
        took = time.monotonic() - calm
        all_were_sent(tenant, provider, sent)
    figure("O10 requests for each one offered",
           round(requests / offered, 2), size(1.5, full=1.3))
    figure("O10 seconds until all was delivered", round(took, 1), 120)
    assert requests <= size(1.5, full=1.3) * offered
    assert took <= 120


@pytest.mark.settings(settings={"spooler.processes": "2"})
def test_a_rate_holds_for_all_spoolers_together(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    rate, count = 40, 160
    grants = Grants(own_stack)
    with FakeProvider() as provider:
        tenant.ctl("provider", "add", "paced", "--kind", "webhook", "--set",
                   f"url={provider.url('/hook')}", "--limit", f"rate={rate}")
        sent = send(tenant, "webhook", count)
        tenant.idle(60)
        judge(tenant, provider, sent).check(duplicates_max=0)
        times = sorted(r.at for r in provider.receipts)
    took, most = times[-1] - times[0], most_in_a_second(times)
    figure("rate, most in a second", most, rate * 1.25)
    average = (count - 1) / took
    figure("rate, on average", round(average, 1), rate * 1.05)
    granted, past = grants.times(rate)
    assert past == [], "a pause saves up nothing"
    assert min(b - a for a, b in zip(granted, granted[1:])) >= 0.999 / rate
    assert len(granted) >= count
    assert all(at > due - 0.01 for at, due in zip(times, granted)), "none is early"
    # Where all is slow, several that were late come at once.
    assert most <= size(count, full=rate * 1.25)
    assert average >= size(0, full=rate * 0.9), "what is allowed is used"
    assert len({r["spooler"] for r in tenant.rows(
        "SELECT DISTINCT spooler FROM attempt WHERE tenant_id = %s")}) <= 2


def test_a_day_has_its_number(stack):
    tenant = Tenant(stack, maildir=False)
    with FakeProvider() as provider:
        tenant.ctl("provider", "add", "daily", "--kind", "webhook", "--set",
                   f"url={provider.url('/hook')}", "--limit", "per_day=25",
                   "--limit", "warmup_start=7", "--limit", "warmup_days=10")
        send(tenant, "webhook", 40)
        wait_until(lambda: provider.count() >= 7, 20, "the first day's share")
        time.sleep(1)
        assert provider.count() == 7
        assert tenant.count("q_ready") == 33, "the rest waits in the queue"
        tenant.ctl("provider", "set", "daily", "--limit", "warmup_start=")
        wait_until(lambda: provider.count() >= 25, 20, "the day's share")
        time.sleep(1)
        assert provider.count() == 25
        tenant.ctl("provider", "set", "daily", "--limit", "per_day=")
        tenant.idle()
        assert provider.count() == 40


@pytest.mark.P5
@pytest.mark.settings(settings={"spooler.processes": "2",
                                "retry.throttled_delay": "100ms",
                                "retry.delay_max": "10s"})
def test_retry_after_holds_for_the_whole_account(own_stack):
    """One answer stops them all, and another tenant's account is left alone."""
    tenant, other = (Tenant(own_stack, maildir=False) for _ in range(2))
    with FakeProvider(latency_s=0.2) as provider, FakeProvider() as free:
        provider.add_to(tenant, "webhook")
        free.add_to(other, "webhook")
        provider.faults = [Fault(answer=429, times=1,
                                 headers=("Retry-After: 6",))]
        sent = send(tenant, "webhook", 60)
        wait_until(lambda: (h := health(tenant)) and h["blocked_until"], 20,
                   "the account is blocked")
        send(other, "webhook", 20)
        other.idle(20)
        tenant.idle(30)
        all_were_sent(tenant, provider, sent)
        times = [r.at for r in provider.receipts]
        refused = next(r.at for r in provider.receipts)
        known = refused + size(3, full=1)
        later = [t for t in times if t > known]
        assert min(later) >= refused + 5.9, "soon all spoolers know"
        assert len(times) == 61
