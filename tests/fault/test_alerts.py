# test_alerts.py - contrib/alerts.yml: each alert fires under its fault, none without
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The rules are evaluated by promtool, on what /metrics told before and in the fault.
import re
import time

import pytest
import requests

from harness.alerts import RULES, Alerts, evaluate, read_metrics
from harness.api import ADMIN, Client, mail
from harness.fake_provider import FakeProvider, Fault
from harness.tenant import Tenant
from harness.wait import wait_until

ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text())
MINUTE = 7  # scrapes, and one

settings = pytest.mark.settings(settings={
    "spooler.heartbeat_interval": "200ms",
    "spooler.dead_after": "1s", "spooler.reconcile_interval": "300ms",
    "retry.attempts_max": "2", "breaker.failures": "4"})


# ---- Faults: each is what the name of its alert says ------------------------------------

def on_hold(stack, tenant):
    stack.ctl("spooler", "hold", "--reason", "a test")
    wait_until(lambda: stack.value("SELECT bool_and(state = 4) FROM spooler"), 10,
               "that all hold")


def no_spooler(stack, tenant):
    stack.stop("spooler")


def spooler_killed(stack, tenant):
    workers = stack.workers("spooler")
    stack.kill_and_wait("spooler")
    for pid in workers:
        wait_until(lambda: stack.gone(pid), 10, "the end of a worker")


def queue_old(stack, tenant):
    on_hold(stack, tenant)
    tenant.api.accepted(mail())
    tenant.rows("UPDATE q_ready SET due = due - interval '2 minutes' "
                "WHERE tenant_id = %s")
    wait_until(lambda: told(stack, 'belfry_queue_oldest_age_ms{lane="route"}') > 60000,
               20, "that it is measured")


def overload(stack, tenant):
    stack.ctl("tenant", "set", tenant.slug, "--set", "queue_max=1")
    on_hold(stack, tenant)
    wait_until(lambda: tenant.api.send(mail()).status_code == 429, 20,
               "that no more is taken")


def errors(stack, tenant):
    stack.stop("postgres")
    for _ in range(10):
        assert tenant.api.send(mail()).status_code == 503
    stack.start("postgres")


def database_lost(stack, tenant):
    for _ in range(5):
        stack.stop("postgres")
        stack.start("postgres")
        for i in range(10):
            tenant.api.send(mail())
        tenant.idle()  # the spooler is back


def claims_slow(stack, tenant):
    on_hold(stack, tenant)
    tenant.api.accepted(mail())
    with stack.db() as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN; LOCK TABLE attempt IN ACCESS EXCLUSIVE MODE")
        stack.ctl("spooler", "release")
        time.sleep(2)  # how slow it is
        cursor.execute("COMMIT")


def workers_die(stack, tenant):
    stack.kill_workers("api")


def rescues(stack, tenant):
    with FakeProvider(Fault(hang=True)) as provider:
        provider.add_to(tenant, "webhook")
        tenant.api.accepted(webhook())
        wait_until(lambda: tenant.count("q_leased"), 20, "a lease")
        stack.kill_workers("spooler")
        wait_until(lambda: stack.logs.find(msg="took over from a dead spooler"), 20,
                   "a rescue")


def late_results(stack, tenant):
    tenant.add_provider("inbox", "inapp")
    with stack.db() as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN; LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        tenant.api.accepted({"to": {"user_id": "ann"},
                             "content": {"inapp": {"title": "t", "body": "b"}}})
        wait_until(lambda: tenant.count("q_leased") == 1, 20, "a lease")
        cursor.execute("DELETE FROM q_leased WHERE tenant_id = %s; COMMIT",
                       (tenant.id,))


def provider_parked(stack, tenant):
    fail(tenant, 401, 5, channel="sms")


def provider_fails(stack, tenant):
    fail(tenant, 503, 20)


def provider_left_alone(stack, tenant):
    fail(tenant, 503, 20)
    wait_until(lambda: told(stack, 'belfry_accounts_troubled{trouble="open"}') == 1,
               20, "that the breaker is open")


def dead_letters(stack, tenant):
    fail(tenant, 503, 1)
    wait_until(lambda: tenant.count("dead_letter") == 1, 20, "a dead letter")


def reconciled(stack, tenant):
    identity = tenant.api.accepted(mail())
    tenant.api.ended(identity)
    tenant.idle()
    tenant.rows("UPDATE notification SET open_count = 5 WHERE tenant_id = %s "
                "AND id = %s", identity)


FAULTS = [
    ("BelfryOnHold", on_hold), ("BelfryNoSpooler", no_spooler),
    ("BelfryNoSpooler", spooler_killed), ("BelfryQueueOld", queue_old),
    ("BelfryOverload", overload), ("BelfryErrors", errors),
    ("BelfryDatabaseLost", database_lost), ("BelfryClaimsSlow", claims_slow),
    ("BelfryWorkersDie", workers_die), ("BelfryRescues", rescues),
    ("BelfryLateResults", late_results), ("BelfryProviderParked", provider_parked),
    ("BelfryProviderFails", provider_fails),
    ("BelfryProviderLeftAlone", provider_left_alone),
    ("BelfryDeadLetters", dead_letters), ("BelfryReconciled", reconciled),
]


def webhook():
    return {"to": {"user_id": "ann"}, "content": {"webhook": {"a": "b"}}}


def fail(tenant, status, count, channel="webhook"):
    """So many deliveries that a provider answers with that status."""
    with FakeProvider(Fault(answer=status)) as provider:
        provider.add_to(tenant, channel)
        for _ in range(count):
            tenant.api.accepted(webhook() if channel == "webhook" else {
                "to": {"phone": "+43660123456"}, "content": {"sms": {"text": "t"}}})
        wait_until(lambda: tenant.rows(
            "SELECT count(class) AS n FROM attempt WHERE tenant_id = %s")[0]["n"]
            >= min(count, 3), 20, "answers")


def told(stack, series):
    values, _ = read_metrics(requests.get(stack.url + "/metrics", timeout=5).text)
    name, _, labels = series.partition("{")
    return float(values.get((name, labels.rstrip("}")), "nan"))


# ---- Tests -------------------------------------------------------------------------------

@pytest.mark.parametrize("alert, fault", FAULTS,
                         ids=[fault.__name__ for _, fault in FAULTS])
@settings
@pytest.mark.expect_log(".")
def test_an_alert_fires_under_its_fault(own_stack, alert, fault):
    tenant = Tenant(own_stack)
    work(tenant)
    with Alerts(own_stack) as alerts:
        before = alerts.wait(MINUTE)
        alerts.paused = fault is database_lost  # how long a restart takes is nobody's
        fault(own_stack, tenant)
        alerts.paused = False
        alerts.wait(3 * MINUTE)
    firing = alerts.firing()
    print({name: sorted(at) for name, at in firing.items()}, before)
    assert firing.get(alert), f"only {sorted(firing)} fire"
    assert min(firing[alert]) > before, "it fires before there is anything"


def work(tenant):
    """What an installation does all day."""
    for i in range(10):
        tenant.api.accepted(mail(f"a{i}@example.org"))
    tenant.api.send({})
    Client(tenant.stack.url, None).get("/api/v1/services/notifications/x")
    tenant.idle()


@settings
def test_no_alert_fires_in_normal_work(own_stack):
    tenant = Tenant(own_stack)
    with FakeProvider() as provider, Alerts(own_stack) as alerts:
        provider.add_to(tenant, "webhook", "sms")
        for _ in range(3):
            work(tenant)
            tenant.api.accepted(webhook())
            alerts.wait(MINUTE)
        alerts.paused = True  # how long its end takes is nobody's
        own_stack.stop("spooler")
        alerts.paused = False
        alerts.wait(1)  # for less than half a minute
        alerts.paused = True
        own_stack.start("spooler")
        alerts.wait_for_spooler()
        alerts.paused = False
        alerts.wait(2 * MINUTE)
    assert alerts.firing() == {}


def test_each_alert_has_its_fault():
    others = {"BelfryCacheFails", "BelfryManySeals"}  # below
    assert {name for name, _ in FAULTS} | others == set(ALERTS)


@pytest.mark.expect_log("memcached|cache")
def test_a_cache_that_fails(own_stack):
    """Each process leaves it alone for longer and longer, at last 16 s: so few errors
    are many.  One that was only started again is no reason to wake anybody."""
    tenant = Tenant(own_stack)
    work(tenant)
    before = told(own_stack, "belfry_cache_errors_total")
    own_stack.kill_and_wait("memcached")
    work(tenant)
    wait_until(lambda: told(own_stack, "belfry_cache_errors_total") > before, 20,
               "an error")
    own_stack.start("memcached")

    pauses = [0, 1, 3, 7, 15] + list(range(31, 600, 16))

    def fires(outage_s):
        fails = [p + 30 for p in pauses if p <= outage_s]
        return evaluate([{("belfry_cache_errors_total", ""):
                          str(3 * sum(p <= i * 10 for p in fails))}
                         for i in range(60)])
    assert set(fires(600)) == {"BelfryCacheFails", "BelfryNoSpooler"}
    assert set(fires(1)) == {"BelfryNoSpooler"}


def test_many_secrets_are_sealed(own_stack):
    before = told(own_stack, "belfry_sealed_total")
    answer = Tenant(own_stack).admin.post(f"{ADMIN}/providers", json={
        "name": "sms", "kind": "twilio", "settings": {
            "account_sid": "AC" + "0" * 32, "auth_token": "token",
            "from": "+15005550006"}})
    assert answer.status_code == 201, answer.text
    assert told(own_stack, "belfry_sealed_total") > before
    for count, want in ((2**31, set()), (2**31 + 1, {"BelfryManySeals"})):
        assert set(evaluate([{("belfry_sealed_total", ""): str(count),
                              ("belfry_spoolers_alive", ""): "1"}])) == want


def test_the_rules_name_what_there_is(own_stack):
    """Every metric, of the type that its function is for, with the labels asked for."""
    text = requests.get(own_stack.url + "/metrics", timeout=5).text
    values, types = read_metrics(text)
    rules = RULES.read_text()
    named = set(re.findall(r"\b(belfry_\w+)(\{[^}]*\})?(\[\w+\])?", rules))
    assert len({name for name, _, _ in named}) >= len(ALERTS)
    for name, labels, span in named:
        family = name.removesuffix("_bucket")
        assert types.get(family) == (
            "histogram" if family != name else "counter" if span else
            "counter" if name == "belfry_sealed_total" else "gauge"), name
        for label, how, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', labels):
            for one in value.split("|") if how == "=~" else [value]:
                assert any(n == name and f'{label}="{one}"' in all_labels
                           for n, all_labels in values), (name, label, one)
    for label in re.findall(r"by \((\w+)\) \((?:rate\()?(\w+)", rules):
        assert any(n == label[1] and f'{label[0]}="' in all_labels
                   for n, all_labels in values), label
