# test_fallback.py - channels one after the other, as far as they are needed
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import SERVICES, after, mail, problem
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

CONTENT = {"email": {"subject": "Order {{order}}", "text": "shipped"},
           "sms": {"text": "shipped"}, "push": {"title": "t", "body": "b"},
           "inapp": {"title": "t", "body": "b"},
           "webhook": {"order": "{{order}}"}}


def body(*steps, **more):
    return {"to": {"email": "ann@example.org", "user_id": "ann", "name": "Ann"},
            "content": CONTENT, "data": {"order": "42"},
            "fallback": list(steps), **more}


def step(channel, **more):
    return {"channel": channel, **more}


@pytest.fixture(scope="module")
def quick():
    """A Belfry that gives up soon."""
    from conftest import end_stack, make_stack
    stack = make_stack(settings={"retry.attempts_max": "2",
                                 "retry.delay_first": "400ms"})
    try:
        yield stack.up()
    finally:
        end_stack(stack)


@pytest.fixture
def two(quick):
    """E-mail by a server, and a webhook that does not exist: it is refused at once."""
    tenant = Tenant(quick, maildir=False)
    with FaultyServer({}) as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1", port=server.port,
                            tls="none", **{"from": "shop@example.org"})
        tenant.add_provider("box", "inapp")
        tenant.server = server
        yield tenant


def refuse(server, answer):
    server.left["RCPT"] = None
    server.faults["RCPT"] = answer


def states(tenant, identity):
    return {d["channel"]: d["state"]
            for d in tenant.api.notification(identity)["deliveries"]}


def done(tenant, identity):
    wait_until(lambda: tenant.api.notification(identity)["state"] == "done", 30,
               "the notification is done")
    n, = tenant.rows("SELECT open_count FROM notification WHERE tenant_id = %s "
                     "AND id = %s", identity)
    assert n["open_count"] == 0
    return states(tenant, identity)


def reasons(tenant, identity):
    return {d["channel"]: d["reason"]
            for d in tenant.api.notification(identity)["deliveries"]}


def receipt(tenant, channel, what, **options):
    row, = tenant.rows("SELECT id, notification_id FROM delivery WHERE "
                       "tenant_id = %s AND channel = %s", channel)
    arguments = [f"--{key}={value}" for key, value in options.items()]
    return tenant.ctl("receipt", row["notification_id"], row["id"], what,
                      *arguments)["effect"]


def test_what_is_asked_is_checked(tenant):
    wrong = [
        ([step("email")], "/fallback"),
        ([step("email", after="5m"), step("inapp", after="5m")], "/fallback/0"),
        ([step("email"), step("inapp", unless="read")], "/fallback/1/after"),
        ([step("email"), step("inapp", after="soon")], "/fallback/1/after"),
        ([step("email"), step("inapp", after="5m", unless="seen")],
         "/fallback/1/unless"),
        ([step("email"), step("email", after="5m")], "/fallback/1/channel"),
        ([step("email"), step("whatsapp", after="5m")], "/fallback/1/channel"),
    ]
    for steps, pointer in wrong:
        answer = problem(tenant.api.send(body(*steps)), 422, "validation_failed")
        assert pointer in [e["pointer"] for e in answer["errors"]], steps
    answer = problem(tenant.api.send(body(step("email"), step("inapp"),
                                          channels=["email"])),
                     422, "validation_failed")
    assert answer["errors"][0]["pointer"] == "/fallback"


def test_sent_counts_where_no_receipts_come(two):
    identity = two.api.accepted(body(step("email"), step("inapp", after="1h")))
    assert done(two, identity) == {"email": "sent", "inapp": "skipped"}
    assert reasons(two, identity)["inapp"] == "not needed: email was sent"
    types = [e["type"] for e in two.api.timeline(identity)
             if e["channel"] == "inapp"]
    assert types == ["delivery.scheduled", "delivery.skipped"]
    assert two.count("q_later") == 0


@pytest.mark.parametrize("channel", ["chat", "push", "whatsapp", "webhook"])
def test_each_channel_has_its_name_in_reasons(two, channel):
    two.add_provider("first", f"simulator-{channel}")
    part = {"title": "t", "body": "b"} if channel == "push" else {"text": "t"}
    order = body(step(channel), step("email", after="1h", unless="read"))
    order["to"].update(phone="+43660123456", push_token="a-token")
    identity = two.api.accepted({**order, "content": {**CONTENT, channel: part}})
    wait_until(lambda: two.count("q_later"), 20, "the second step waits")
    assert [e["text"] for e in two.api.timeline(identity)
            if e["channel"] == "email" and e["type"] == "delivery.scheduled"][-1] \
        == f"it goes on 3600 s after {channel}, unless that one is read"
    identity = two.api.accepted({**order, "content": {**CONTENT, channel: part},
                                 "fallback": [step(channel), step("email")]})
    assert done(two, identity)["email"] == "skipped"
    assert reasons(two, identity)["email"] in (
        f"not needed: {channel} was sent", f"not needed: {channel} was delivered")


def test_after_its_time_the_next_one_goes(two):
    identity = two.api.accepted(body(
        step("email"), step("inapp", after="1s", unless="read")))
    assert done(two, identity) == {"email": "sent", "inapp": "delivered"}
    told = [e["text"] for e in two.api.timeline(identity)
            if e["type"] == "delivery.scheduled"]
    assert told == ["it goes on when email fails, or 1 s after it unless that one "
                    "is read", "it goes on 1 s after email, unless that one is read"]
    events = two.api.timeline(identity)
    first, second = [e["at"] for e in events if e["type"] == "delivery.started"]
    assert second > first
    sent, = [e["at"] for e in events if e["type"] == "delivery.sent"
             and e["channel"] == "email"]
    assert seconds(second) - seconds(sent) > 0.9


def seconds(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_what_was_read_needs_no_more(two):
    identity = two.api.accepted(body(
        step("email"), step("inapp", after="1h", unless="read")))
    wait_until(lambda: two.count("q_later"), 20, "the second step waits")
    assert receipt(two, 1, "delivered") == "moved"
    assert states(two, identity)["inapp"] == "waiting", "delivered is not read"
    assert receipt(two, 1, "opened") == "moved"
    assert done(two, identity) == {"email": "delivered", "inapp": "skipped"}
    assert reasons(two, identity)["inapp"] == "not needed: email was read"
    assert two.count("q_later") == 0


def test_after_a_failure_it_goes_on_at_once(two):
    refuse(two.server, "550 5.1.1 nobody")
    identity = two.api.accepted(body(
        step("email"), step("inapp", after="1h")))
    assert done(two, identity) == {"email": "failed", "inapp": "delivered"}
    goes, = [e["text"] for e in two.api.timeline(identity)
             if e["type"] == "delivery.scheduled" and "now" in e["text"]]
    assert goes == "it goes on now: email failed"


def test_after_a_bounce_it_goes_on_too(two):
    identity = two.api.accepted(body(
        step("email"), step("inapp", after="1h", unless="read")))
    wait_until(lambda: two.count("q_later"), 20, "the second step waits")
    receipt(two, 1, "bounced", **{"class": "bad_recipient"})
    assert done(two, identity) == {"email": "failed", "inapp": "delivered"}


def test_without_after_it_waits_for_a_failure_alone(two):
    identity = two.api.accepted(body(step("email"), step("inapp")))
    assert done(two, identity) == {"email": "sent", "inapp": "skipped"}
    refuse(two.server, "451 4.3.0 later")
    identity = two.api.accepted(body(step("email"), step("inapp")))
    assert done(two, identity) == {"email": "dead", "inapp": "delivered"}


def test_steps_that_are_not_possible_are_passed_over(two):
    """No phone, no account for webhooks: the e-mail takes the place of both."""
    identity = two.api.accepted(body(
        step("sms"), step("webhook", after="1h"), step("email", after="1h"),
        step("inapp", after="1h")))
    assert done(two, identity) == {"sms": "skipped", "webhook": "skipped",
                                   "email": "sent", "inapp": "skipped"}
    why = reasons(two, identity)
    assert why["sms"] == "the recipient has no address for sms"
    assert why["webhook"] == "there is no account for webhook"
    nobody = {"to": {"phone": "+43660123456"}, "content": CONTENT,
              "data": {"order": "1"}, "fallback": [step("email"), step("inapp")]}
    identity = two.api.accepted(nobody)
    assert set(done(two, identity).values()) == {"skipped"}


def test_cancelled_is_cancelled(two):
    identity = two.api.accepted(body(
        step("email"), step("inapp", after="1h", unless="read")))
    wait_until(lambda: two.count("q_later"), 20, "the second step waits")
    answer = two.api.post(f"{SERVICES}/{identity}/cancel").json()
    assert answer["cancelled"] == 1
    assert receipt(two, 1, "opened") == "moved"
    assert states(two, identity) == {"email": "delivered", "inapp": "cancelled"}
    assert two.count("q_later") == 0


def test_the_database_decides_as_the_program_does(two, tmp_path):
    """step_act() in SQL and decide_step() in C: test_decide prints the latter."""
    import os
    import subprocess
    program = os.path.join(os.environ["BELFRY_BUILDDIR"],
                           "tests/unit/test_decide")
    table = subprocess.run([program, "--steps"], capture_output=True, text=True,
                           check=True).stdout.split("\n")
    rows = [tuple(int(n) for n in line.split()) for line in table if line]
    assert len(rows) == 11 * 2 * 4 * 3
    for state, attempts, told, unless, act in rows:
        assert two.stack.value(
            "SELECT step_act(%s::smallint, %s, %s::smallint, %s::smallint)",
            state, attempts, told, unless) == act, (state, attempts, told, unless)


def test_steps_that_wait_hold_no_place_of_their_account(tenant):
    """More than the account serves at once, all through the queue."""
    tenant.add_provider("texts", "simulator-sms")
    to = {"email": "ann@example.org", "phone": "+43660123456"}
    content = {"email": CONTENT["email"], "sms": CONTENT["sms"]}
    orders = [tenant.api.accepted({
        "to": to, "content": content, "data": {"order": "1"}, "send_at": after(1),
        "fallback": [step("email"), step("sms", after="1h")]}) for _ in range(30)]
    for identity in orders:
        assert done(tenant, identity) == {"email": "sent", "sms": "skipped"}
    text = tenant.api.accepted({"to": {"phone": to["phone"]}, "send_at": after(1),
                                "content": {"sms": CONTENT["sms"]}})
    assert done(tenant, text) == {"sms": "sent"}
