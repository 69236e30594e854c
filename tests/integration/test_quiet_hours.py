# test_quiet_hours.py - nobody is woken up, unless it is urgent
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime
import json

import pytest

from harness.api import mail, problem
from harness.wait import wait_until

MINUTE = datetime.timedelta(minutes=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def around(before=60, after=60):
    """Hours of UTC that are quiet now."""
    return {"from": (now() - before * MINUTE).strftime("%H:%M"),
            "to": (now() + after * MINUTE).strftime("%H:%M")}


def to(**more):
    return {"email": "ann@example.org", "name": "Ann", **more}


def stamp(when):
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def one(tenant, identity):
    wait_until(lambda: tenant.api.notification(identity)["deliveries"], 20,
               "it is routed")
    return tenant.api.notification(identity)["deliveries"][0]


def held(tenant, identity, quiet):
    delivery = one(tenant, identity)
    assert delivery["state"] == "waiting", delivery
    assert delivery["due"][11:16] == quiet["to"]
    event, = [e for e in tenant.api.timeline(identity)
              if e["type"] == "delivery.scheduled"]
    assert event["text"] == "quiet hours of the recipient"
    assert any(t["what"] == "quiet_hours" and t["result"] == delivery["due"]
               for t in delivery["trace"]), delivery["trace"]
    return True


def test_a_recipient_is_left_alone_until_the_end(tenant):
    quiet = around()
    identity = tenant.api.accepted(mail(to=to(quiet_hours=quiet)))
    assert held(tenant, identity, quiet)
    over = {"from": quiet["to"], "to": quiet["from"]}
    tenant.api.ended(tenant.api.accepted(mail(to=to(quiet_hours=over))))
    assert len(tenant.mails()) == 1
    answer = problem(tenant.api.send(mail(to=to(quiet_hours={"from": "10:00"}))),
                     422, "validation_failed")
    assert answer["errors"][0]["pointer"] == "/to/quiet_hours"


def test_it_is_the_recipients_clock_that_counts(tenant):
    """Quiet in Kiritimati, fourteen hours from here, is not quiet here."""
    quiet = around()
    body = mail(to=to(quiet_hours=quiet, time_zone="Pacific/Kiritimati"))
    tenant.api.ended(tenant.api.accepted(body))
    there = now() + 14 * 60 * MINUTE
    body["to"]["quiet_hours"] = {
        "from": (there - MINUTE).strftime("%H:%M"),
        "to": (there + 60 * MINUTE).strftime("%H:%M")}
    assert one(tenant, tenant.api.accepted(body))["state"] == "waiting"


def test_send_at_goes_by_them_too(tenant):
    quiet = around()
    identity = tenant.api.accepted(mail(
        to=to(quiet_hours=quiet),
        send_at=stamp(now() + datetime.timedelta(seconds=1))))
    assert held(tenant, identity, quiet)


def test_it_expires_when_it_would_come_too_late(tenant):
    identity = tenant.api.accepted(mail(
        to=to(quiet_hours=around()), expires_at=stamp(now() + 30 * MINUTE)))
    delivery = one(tenant, identity)
    assert delivery["state"] == "expired"
    assert delivery["reason"] == "it expires before the quiet hours end"


def test_stored_recipients_have_their_own(tenant, other_tenant):
    quiet = around()
    path = "/api/v1/services/recipients/night-owl"
    key = tenant.client(tenant.make_key("people", scopes=(
        "recipients:write", "recipients:read")))
    answer = key.request("PUT", path, json={"email": "owl@example.org",
                                            "quiet_hours": quiet})
    assert answer.status_code == 201, answer.text
    assert answer.json()["quiet_hours"] == quiet
    assert key.request("PUT", path, json={"quiet_hours": {"from": "x"}}
                       ).status_code == 400
    identity = tenant.api.accepted(mail(to={"user_id": "night-owl"}))
    assert held(tenant, identity, quiet)


def test_the_tenants_are_for_all_others(tenant):
    quiet = around()
    tenant.stack.ctl("tenant", "quiet-hours", tenant.slug,
                     json.dumps({**quiet, "exempt": ["security"]}))
    wait_until(lambda: one(tenant, tenant.api.accepted(mail()))["state"] ==
               "waiting", 20, "the tenant's quiet hours are known")
    for more in ({"priority": "urgent"}, {"category": "security"},
                 {"to": to(quiet_hours={**quiet, "days": []})}):
        identity = tenant.api.accepted(mail(**more))
        tenant.api.ended(identity)
    assert len(tenant.mails()) >= 3
    with pytest.raises(Exception, match="from"):
        tenant.stack.ctl("tenant", "quiet-hours", tenant.slug, '{"from": "1"}')
    tenant.stack.ctl("tenant", "quiet-hours", tenant.slug, "none")


def test_a_template_may_be_exempt_and_have_an_order(tenant):
    tenant.stack.ctl("seed", tenant=tenant.slug)
    tenant.ctl("template", "defaults", "welcome", "--quiet-exempt", "yes",
               "--fallback",
               '[{"channel": "email"}, {"channel": "inapp", "after": "5m"}]')
    tenant.add_provider("inbox", "inapp")
    asked = {"template": "welcome", "to": to(user_id="ann", quiet_hours=around()),
             "data": {}}
    answer = tenant.api.send(asked)
    assert answer.status_code == 202, answer.text
    identity = answer.json()["id"]
    wait_until(lambda: tenant.api.notification(identity)["state"] == "done", 20,
               "it is done")
    seen = tenant.api.notification(identity)
    assert [(d["channel"], d["state"]) for d in seen["deliveries"]] == \
        [("email", "sent"), ("inapp", "skipped")]
    assert seen["fallback"][1]["after"] == "5m"
    with pytest.raises(Exception, match="after"):
        tenant.ctl("template", "defaults", "welcome", "--fallback",
                   '[{"channel": "email", "after": "1m"}, {"channel": "inapp"}]')


def test_when_they_are_over_it_goes_out(tenant):
    """The row is due at the end; a claim asks once more."""
    quiet = around()
    identity = tenant.api.accepted(mail(to=to(quiet_hours=quiet)))
    assert held(tenant, identity, quiet)
    tenant.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s RETURNING 1")
    wait_until(lambda: len([e for e in tenant.api.timeline(identity)
                            if e["type"] == "delivery.scheduled"]) == 2, 20,
               "it is held once more")
    tenant.rows("UPDATE delivery SET recipient = '{}' WHERE tenant_id = %s "
                "RETURNING 1")
    tenant.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s RETURNING 1")
    tenant.wait_for_mails(1)
    tenant.idle()
    assert one(tenant, identity)["state"] == "sent"
