# test_retention.py - what was kept for long enough goes, and nothing else (U4)
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime
import json
import threading
import time
import uuid

import psycopg2
import pytest

from harness.api import ADMIN, problem
from harness.wait import wait_until

PATCH = {"Content-Type": "application/merge-patch+json"}
CHANNELS = {"email": 1, "sms": 2}


def old_id(days):
    """A UUIDv7 of so many days ago."""
    ms = int((time.time() - days * 86400) * 1000)
    return str(uuid.UUID(f"{ms:012x}7{uuid.uuid4().hex[13:]}"))


def plant(stack, tenant, days, channel="email", category="", address="a@example.org",
          state=4):
    """A notification of the past with a delivery, an attempt and an event."""
    n, d = old_id(days), old_id(days)
    stack.rows(
        "INSERT INTO notification (tenant_id, id, state, account_id, recipients,"
        " category, delivery_count) VALUES (%s, %s, 3, %s, %s, %s, 1)",
        tenant.id, n, n, json.dumps([{"email": address}]), category)
    stack.rows(
        "INSERT INTO delivery (tenant_id, notification_id, id, recipient_no, "
        "channel, state, address, finished_at) VALUES (%s, %s, %s, 0, %s, %s, %s,"
        " now())", tenant.id, n, d, CHANNELS[channel], state, address)
    stack.rows(
        "INSERT INTO attempt (tenant_id, notification_id, delivery_id, n, "
        "lease_no, spooler) VALUES (%s, %s, %s, 1, 1, %s)", tenant.id, n, d, d)
    stack.rows(
        "INSERT INTO event (tenant_id, notification_id, id, delivery_id, type) "
        "VALUES (%s, %s, %s, %s, 'delivery.sent')", tenant.id, n, d, d)
    return n


def settings(tenant, retention):
    answer = tenant.admin.request(
        "PATCH", f"{ADMIN}/tenants/{tenant.slug}/settings", headers=PATCH,
        data=json.dumps({"retention": retention}))
    return answer


def apply(stack, tenant, slice_=500, otherwise=90):
    """As a spooler does, for this tenant; returns how many rows went."""
    removed, more = 0, True
    while more:
        row = stack.rows("SELECT * FROM retention_apply(%s, %s, %s)",
                         tenant.id - 1, otherwise, slice_,
                         user="belfry_spooler")[0]
        assert row["tenant"] == tenant.id
        removed, more = removed + row["removed"], row["more"]
    return removed


def left(tenant, table="notification", column="id"):
    return {r[column] for r in tenant.rows(
        f"SELECT {column} FROM {table} WHERE tenant_id = %s")}


def test_rules_by_category_and_channel(stack, tenant):
    assert settings(tenant, {"days": 60, "rules": [
        {"category": "otp", "days": 7},
        {"category": "invoice", "channel": "email", "days": 1000},
        {"channel": "sms", "days": 14}]}).status_code == 200
    kept = [plant(stack, tenant, 59), plant(stack, tenant, 6, "email", "otp"),
            plant(stack, tenant, 13, "sms"),
            plant(stack, tenant, 999, "email", "invoice")]
    for days, channel, category in ((61, "email", ""), (8, "sms", "otp"),
                                    (15, "sms", "invoice"), (8, "email", "otp"),
                                    (1001, "email", "invoice")):
        plant(stack, tenant, days, channel, category)
    assert apply(stack, tenant, slice_=2) == 5 * 4
    for table in ("notification", "delivery", "attempt", "event"):
        assert left(tenant, table, "id" if table == "notification"
                    else "notification_id") == set(kept), table
    assert apply(stack, tenant, slice_=2) == 0


def test_no_rules_means_the_configuration(stack, tenant):
    kept = plant(stack, tenant, 89)
    plant(stack, tenant, 91)
    dead = plant(stack, tenant, 92, state=7)
    assert tenant.count("dead_letter") == 1
    assert apply(stack, tenant) == 8
    assert left(tenant) == {kept} and dead not in left(tenant)
    assert tenant.count("dead_letter") == 0


def test_what_is_open_stays(stack, tenant):
    for state in (1, 2, 3, 8):
        plant(stack, tenant, 400, state=state)
    assert apply(stack, tenant) == 0
    assert tenant.count("delivery") == 4


def test_inbox_and_reports(stack, tenant):
    settings(tenant, {"rules": [{"channel": "inapp", "category": "news",
                                 "days": 5}]})
    for category, days in (("news", 6), ("news", 4), ("other", 80),
                           ("other", 100)):
        stack.rows("INSERT INTO inbox (tenant_id, user_id, id, notification_id, "
                   "category, title, created_at) VALUES (%s, 'u1', "
                   "gen_random_uuid(), gen_random_uuid(), %s, 'x', now() - "
                   "make_interval(days => %s))", tenant.id, category, days)
    assert apply(stack, tenant) == 2
    assert sorted(r["category"] for r in tenant.rows(
        "SELECT category FROM inbox WHERE tenant_id = %s")) == ["news", "other"]


@pytest.mark.parametrize("whom", ["held@example.org", None])
def test_what_is_held_stays(stack, tenant, whom):
    held = plant(stack, tenant, 100, address="held@example.org")
    other = plant(stack, tenant, 100)
    body = {"reason": "case", **({"person": whom} if whom else {})}
    hold = tenant.admin.post(f"{ADMIN}/legal-holds", json=body).json()["id"]
    apply(stack, tenant)
    assert left(tenant) == ({held} if whom else {held, other})
    tenant.admin.request("DELETE", f"{ADMIN}/legal-holds/{hold}")
    apply(stack, tenant)
    assert left(tenant) == set()


def told(stack, tenant, sent, days, channel=1):
    """A message to a webhook endpoint about a delivery, and its attempt."""
    stack.rows("INSERT INTO webhook_message (tenant_id, id, at, type, object_id, "
               "seq, notification_id, channel) VALUES (%s, %s, now() - "
               "make_interval(days => %s), 'delivery.sent', %s, 1, %s, %s)",
               tenant.id, sent, days, sent, sent, channel)
    stack.rows("INSERT INTO webhook_attempt (tenant_id, endpoint_id, id, "
               "message_id, n, spooler, started_at) VALUES (%s, %s, %s, %s, 1, "
               "%s, now() - make_interval(days => %s))",
               tenant.id, sent, sent, sent, sent, days)


@pytest.mark.parametrize("whom", ["held@example.org", None, "nobody"])
def test_what_webhooks_were_told_goes_too(stack, tenant, whom):
    settings(tenant, {"days": 20})
    young = plant(stack, tenant, 10)
    old = plant(stack, tenant, 21)
    held = plant(stack, tenant, 21, address="held@example.org")
    for sent, days in ((young, 10), (old, 21), (held, 21)):
        told(stack, tenant, sent, days)
    if whom != "nobody":
        body = {"reason": "case", **({"person": whom} if whom else {})}
        tenant.admin.post(f"{ADMIN}/legal-holds", json=body)
    apply(stack, tenant)
    want = {"nobody": {young}, None: {young, old, held}}.get(
        whom, {young, held})
    assert left(tenant, "webhook_message") == want
    assert left(tenant, "webhook_attempt", "message_id") == want


def test_rules_hold_for_what_webhooks_were_told_too(stack, tenant):
    """The category is the notification's, which is gone by then."""
    settings(tenant, {"days": 60, "rules": [{"category": "otp", "days": 7},
                                            {"channel": "sms", "days": 14}]})
    kept = []
    for days, channel, category, stays in (
            (6, "email", "otp", True), (8, "email", "otp", False),
            (8, "sms", "otp", False), (8, "email", "", True),
            (13, "sms", "", True), (15, "sms", "", False),
            (15, "email", "", True), (61, "email", "", False)):
        sent = plant(stack, tenant, days, channel, category)
        told(stack, tenant, sent, days, CHANNELS[channel])
        kept += [sent] if stays else []
    apply(stack, tenant, slice_=2)
    assert left(tenant) == set(kept)
    assert left(tenant, "webhook_message") == set(kept)
    assert left(tenant, "webhook_attempt", "message_id") == set(kept)


@pytest.mark.parametrize("rule, stays", [
    ({"days": 5}, False), ({"days": 5, "channel": "email"}, True),
    ({"days": 5, "category": "otp"}, True)])
def test_messages_that_are_about_no_notification(stack, tenant, rule, stays):
    """A rule that names neither a category nor a channel fits them, too."""
    settings(tenant, {"days": 60, "rules": [rule]})
    stack.rows("INSERT INTO webhook_message (tenant_id, id, at, type, object_id, "
               "seq) SELECT %s, x, now() - interval '6 days', 'endpoint.ping', x,"
               " 1 FROM gen_random_uuid() x", tenant.id)
    apply(stack, tenant)
    assert tenant.count("webhook_message") == stays


@pytest.mark.parametrize("broken", [
    '{"days": 1e300}', '{"days": "x"}', '{"days": -3}', '{"rules": 7}', '[]',
    '{"rules": [{"days": 99999999999999999999}, {"days": {}}, 5]}', '"soon"'])
@pytest.mark.expect_log("a setting of a tenant is broken")
def test_settings_that_no_api_wrote_stop_nobody(stack, tenant, broken):
    """They count as not said, for this tenant; and weeks are dropped for all."""
    kept = plant(stack, tenant, 89)
    plant(stack, tenant, 91)
    stack.rows("UPDATE tenant SET settings = settings || jsonb_build_object("
               "'retention', %s::jsonb) WHERE id = %s", broken, tenant.id)
    try:
        apply(stack, tenant)
        assert left(tenant) == {kept}
        assert stack.value("SELECT postponed FROM partitions_drop(3650)",
                           user="belfry_spooler") is False
    finally:
        stack.rows("UPDATE tenant SET settings = settings - 'retention' "
                   "WHERE id = %s", tenant.id)


@pytest.mark.parametrize("retention, pointer", [
    ({"days": 0}, "/retention/days"),
    ({"days": 4000}, "/retention/days"),
    ({"rules": [{"days": 3, "channel": "pigeon"}]},
     "/retention/rules/0/channel"),
    ({"rules": [{"channel": "sms"}]}, "/retention/rules/0/days"),
])
def test_settings_are_checked(tenant, retention, pointer):
    told = problem(settings(tenant, retention), 422, "validation_failed")
    assert [e["pointer"].startswith(pointer) for e in told["errors"]] == [True]


# Weeks

def week_of(stack, days):
    """A week's partitions of the past; returns its name."""
    day = datetime.date.today() - datetime.timedelta(days=days)
    day -= datetime.timedelta(days=day.weekday())
    name = day.strftime("%Y%m%d")
    for parent in ("notification", "delivery", "attempt", "event"):
        stack.rows(f"""CREATE TABLE IF NOT EXISTS {parent}_{name} PARTITION OF
            {parent} FOR VALUES FROM (uuid_floor('{day} 00:00Z')) TO
            (uuid_floor('{day + datetime.timedelta(days=7)} 00:00Z'));
            ALTER TABLE {parent}_{name} OWNER TO belfry_owner;
            CALL tenant_wall('{parent}_{name}')""")
    return name


def is_there(stack, name):
    return stack.value("SELECT to_regclass(%s) IS NOT NULL",
                       f"belfry.delivery_{name}")


def drop(stack):
    return stack.rows("SELECT * FROM partitions_drop(90)",
                      user="belfry_spooler")[0]


@pytest.fixture
def quiet(own_stack):
    """Spoolers drop weeks by themselves: here the test does."""
    own_stack.stop("spooler")
    return own_stack


def test_weeks(quiet):
    """Dropped when the longest retention has passed, unless held; a reader makes it wait
    no longer than lock_timeout, and others no longer behind it."""
    from harness.tenant import Tenant
    tenant = Tenant(quiet)
    week_of(quiet, 200)
    name = week_of(quiet, 150)
    plant(quiet, tenant, 150)
    week_of(quiet, 90)
    assert settings(tenant, {"rules": [{"category": "x", "days": 400}]}) \
        .status_code == 200
    assert drop(quiet) == {"dropped": 0, "postponed": False}
    settings(tenant, None)
    hold = tenant.ctl("privacy", "hold", "u1", "--reason", "case")["id"]
    assert drop(quiet)["dropped"] == 4, "nothing in the older one is held"
    assert drop(quiet)["dropped"] == 0 and is_there(quiet, name)
    tenant.ctl("privacy", "release", hold)

    with quiet.db() as reader:
        reader.autocommit = False
        cursor = reader.cursor()
        cursor.execute(f"SELECT count(*) FROM delivery_{name}")
        result, behind = {}, []

        def try_it():
            started = time.monotonic()
            result.update(drop(quiet), took=time.monotonic() - started)
        thread = threading.Thread(target=try_it)
        thread.start()
        while thread.is_alive():
            started = time.monotonic()
            quiet.rows("SELECT count(*) FROM delivery WHERE tenant_id = 1")
            behind.append(time.monotonic() - started)
        assert result["postponed"] and result["dropped"] == 0
        assert is_there(quiet, name)
        # The spooler tries, too, and again when the reader is gone.
        quiet.start("spooler")
        wait_until(lambda: "put off" in quiet.logs.text("spooler"), 30,
                   "the first try")
        reader.rollback()
    wait_until(lambda: not is_there(quiet, name), 60, "the drop")
    assert drop(quiet)["dropped"] == 0


def test_a_drop_gives_up_early(stack):
    """What says so: nobody waits behind it for longer."""
    config = stack.value("SELECT array_to_string(proconfig, ',') FROM pg_proc "
                         "WHERE proname = 'partitions_drop'")
    assert "lock_timeout=100ms" in config.replace(" ", "")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        stack.rows("SELECT partitions_drop(90)", user="belfry_api")
