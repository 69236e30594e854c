# test_answers.py - answers that are cut, slow or missing, and what Retry-After says
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY P2 and P5 through the whole of Belfry.
import collections
import contextlib
import email.utils
import time

import pytest

from harness.checker import judge
from harness.fake_provider import GOOD, FakeProvider, Fault
from harness.tenant import Tenant
from harness.wait import wait_until

TIMEOUT_S = 2
UNKNOWN, RETRY, ACCEPTED = 8, 2, 1


@pytest.fixture
def tenant(own_stack):
    return Tenant(own_stack, maildir=False)


def everybody(count):
    return [f"p{i}@example.org" for i in range(count)]


def send(tenant, channel, count):
    """One delivery each to p0@..., p1@... on the channel."""
    return tenant.api.accepted({
        "to": [{"email": address} for address in everybody(count)],
        "channels": [channel],
        "content": {"email": {"subject": "s", "text": "t"},
                    "webhook": {"a": "b"}}})


def attempts(tenant):
    """The attempts of each recipient in their order: class and seconds."""
    rows = tenant.rows("""
        SELECT d.address, a.class, a.code,
            extract(epoch FROM a.finished_at - a.started_at)::float AS took,
            extract(epoch FROM a.next_due - a.finished_at)::float AS pause
        FROM attempt a JOIN delivery d ON d.tenant_id = a.tenant_id
            AND d.notification_id = a.notification_id AND d.id = a.delivery_id
        WHERE a.tenant_id = %s ORDER BY d.address, a.n""")
    found = collections.defaultdict(list)
    for row in rows:
        found[row["address"]].append(row)
    return found


SETTINGS = pytest.mark.settings(settings={
    "spooler.transfers_max": "10", "spooler.claim_batch": "10",
    "spooler.connections_per_host": "10",
    "spooler.attempt_timeout": f"{TIMEOUT_S}s",
    "retry.delay_max": "1s",
    # Nothing but failures here: the account is not left alone for that.
    "breaker.failures": "10000", "breaker.span": "10m"})


def finish(tenant, provider, notification, count):
    """The faults have passed: everybody is reached, and no place is lost."""
    tenant.idle(40)
    judge(tenant, provider, [notification], count).check(duplicates_max=count)
    seen = attempts(tenant)
    assert len(seen) == count
    for address, tries in seen.items():
        assert tries[-1]["class"] == ACCEPTED, address
        assert max(t["took"] for t in tries) < TIMEOUT_S + 6, address
    again = send(tenant, "email", 20)
    tenant.idle()
    assert tenant.api.notification(again)["state"] == "done"
    return seen


HTTP_ANSWER = len(b"HTTP/1.1 200 Word\r\nContent-Length: 2\r\n"
                  b"Content-Type: application/json\r\n\r\n{}")


@pytest.mark.P2
@SETTINGS
def test_http_answer_cut_at_every_byte(own_stack, tenant):
    with FakeProvider() as provider:
        provider.faults = [Fault(cut=k, times=1, only=address)
                           for k, address in enumerate(everybody(HTTP_ANSWER))]
        provider.add_to(tenant, "webhook", "email")
        notification = send(tenant, "webhook", HTTP_ANSWER)
        for tries in finish(tenant, provider, notification,
                            HTTP_ANSWER).values():
            assert [t["class"] for t in tries] == [UNKNOWN, ACCEPTED]


@pytest.mark.P2
@SETTINGS
def test_smtp_answer_cut_at_every_byte(own_stack, tenant):
    """Before the message nothing is unknown; behind it everything is."""
    steps = ["connect", "EHLO", "MAIL", "RCPT", "DATA", "body"]
    with FakeProvider() as provider:
        provider.faults = [Fault(at=step, cut=k, times=1)
                           for step in steps for k in range(len(GOOD[step]))]
        of_body = len(GOOD["body"])
        count = len(provider.faults)
        provider.add_to(tenant, "email")
        notification = send(tenant, "email", count)
        seen = finish(tenant, provider, notification, count)
    classes = collections.Counter(t["class"] for tries in seen.values()
                                  for t in tries)
    assert classes == {ACCEPTED: count, UNKNOWN: of_body,
                       RETRY: count - of_body}
    assert all(f.times == 0 for f in provider.faults), "each cut was made"


@pytest.mark.P2
@pytest.mark.parametrize("at, channel, sent", [
    ("http", "webhook", True), ("body", "email", True),
    ("RCPT", "email", False)])
@pytest.mark.parametrize("how", [{"hang": True}, {"drip_s": 1.0}],
                         ids=["hang", "drip"])
@SETTINGS
def test_no_answer_in_time(own_stack, tenant, at, channel, sent, how):
    """More deliveries than places: all end by their deadline."""
    own_stack.logs.allow("attempt|request")
    count = 12
    with FakeProvider(Fault(at=at, times=count, **how)) as provider:
        provider.add_to(tenant, "webhook", "email")
        notification = send(tenant, channel, count)
        seen = finish(tenant, provider, notification, count)
    first = collections.Counter(
        (t["class"], t["code"]) for tries in seen.values() for t in tries
        if t["class"] != ACCEPTED)
    assert first == {(UNKNOWN if sent else RETRY, "timed_out"): count}


def in_seconds(s):
    return email.utils.formatdate(time.time() + s, usegmt=True)


@pytest.mark.P5
@pytest.mark.settings(settings={
    "retry.delay_first": "1s", "retry.delay_max": "20s",
    "retry.throttled_delay": "1s", "retry.jitter_percent": "0"})
@pytest.mark.parametrize("channel", ["webhook"])
def test_retry_after(own_stack, channel):
    """The longer of schedule and header, and never more than retry.delay_max."""
    cases = [("0", 1), ("1", 1), ("7", 7), ("20", 20), ("21", 20),
             ("1000000000", 20), ("99999999999999999999999", 20), ("-5", 1),
             ("+7", 1), ("7.5", 1), ("soon", 1), ("", 1),
             (lambda: in_seconds(10), (6, 10)), (lambda: in_seconds(-10), 1),
             (lambda: in_seconds(7200), 20)]
    # What one is told holds for its whole account: so each has its own.
    seen = {value: Tenant(own_stack, maildir=False) for value, _ in cases}
    with contextlib.ExitStack() as providers:
        for value, _ in cases:
            text = value() if callable(value) else value
            provider = providers.enter_context(FakeProvider(Fault(
                answer=429, headers=(f"Retry-After: {text}",))))
            provider.add_to(seen[value], channel)
            send(seen[value], channel, 1)
        for value, want in cases:
            tries = wait_until(lambda: [
                t for t in attempts(seen[value]).get("p0@example.org", [])
                if t["pause"] is not None], 20, f"an answer: {value}")
            least, most = want if isinstance(want, tuple) else (want, want)
            assert least - 0.2 <= tries[0]["pause"] <= most + 0.2, value
