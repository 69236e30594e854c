# test_webhook_retries.py - endpoints that fail, change their secrets, and catch up
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import re
import socket
import subprocess
import threading
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from harness.api import ADMIN, mail, problem
from harness.endpoint import Endpoint, verifies
from harness.fake_provider import Fault
from harness.stack import is_sanitized
from harness.wait import wait_until

ROOT = Path(__file__).resolve().parents[2]
ONE = {"events": ["notification.accepted"]}


@pytest.fixture
def endpoint():
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def other():
    with Endpoint() as endpoint:
        yield endpoint


def ended(endpoint, count=1, **query):
    """The attempts, the oldest first, when so many have ended."""
    def all_there():
        got = endpoint.attempts(**query)
        return len(got) >= count and \
            all(a["result"] != "pending" for a in got) and got[::-1]
    return wait_until(all_there, 30, f"{count} attempts")


def seconds(a, b):
    return (datetime.fromisoformat(b) - datetime.fromisoformat(a)) \
        .total_seconds()


# ---- W2 -------------------------------------------------------------------------

def test_w2_it_is_tried_again_by_the_schedule(tenant, endpoint):
    endpoint.faults = [Fault(answer=503, times=1), Fault(answer=302, times=1),
                       Fault(cut=0, times=1)]
    made = endpoint.subscribe(tenant, **ONE)
    tenant.api.accepted(mail())
    attempts = ended(endpoint, 4)
    assert [a["attempt"] for a in attempts] == [1, 2, 3, 4]
    assert [a["status"] for a in attempts] == [503, 302, 0, 200]
    assert [a["result"] for a in attempts] == ["failed"] * 3 + ["succeeded"]
    for a, delay in zip(attempts, [0.05, 0.1, 0.2]):
        planned = seconds(a["finished_at"], a["next_attempt_at"])
        assert delay * 0.8 - 0.002 <= planned <= delay * 1.2 + 0.002
    assert len({h["webhook-id"] for h in endpoint.headers}) == 1
    assert len(set(endpoint.bodies)) == 1
    for headers, body in zip(endpoint.headers, endpoint.bodies):
        assert verifies(made["secret"], headers, body)


def test_after_the_last_attempt_it_is_over(tenant, endpoint):
    endpoint.faults = [Fault(answer=500, body=b"no \x00\xff way")]
    endpoint.subscribe(tenant, **ONE)
    tenant.api.accepted(mail())
    attempts = ended(endpoint, 5)
    wait_until(lambda: tenant.count("webhook_queue") == 0, what="the end")
    assert "next_attempt_at" not in attempts[-1]
    shown = tenant.admin.get(
        f"{endpoint.path}/attempts/{attempts[0]['id']}").json()
    assert json.loads(shown["request"])["type"] == "notification.accepted"
    assert shown["response"] == "no \ufffd\ufffd way"
    assert endpoint.shown()["failing_since"]
    # By hand it begins anew, and counts on.
    endpoint.faults = []
    endpoint.act(f"attempts/{attempts[0]['id']}/redeliver", 202)
    last = ended(endpoint, 6)[-1]
    assert (last["attempt"], last["result"]) == (6, "succeeded")
    wait_until(lambda: "failing_since" not in endpoint.shown(), what="well")


def test_who_asks_for_it_is_let_alone(tenant, endpoint):
    endpoint.faults = [Fault(answer=429, times=1,
                             headers=("Retry-After: 1",))]
    endpoint.subscribe(tenant, **ONE)
    tenant.api.accepted(mail())
    wait_until(lambda: endpoint.shown().get("paused_until"), what="a pause")
    tenant.api.accepted(mail())
    attempts = ended(endpoint, 3)
    assert seconds(attempts[0]["finished_at"], attempts[1]["started_at"]) >= 0.99


# ---- W3 -------------------------------------------------------------------------

@pytest.mark.expect_log("webhook endpoint is disabled")
def test_gone_is_disabled(tenant, endpoint, other):
    endpoint.faults = [Fault(answer=410)]
    endpoint.subscribe(tenant, **ONE)
    other.subscribe(tenant, events=["webhook.disabled"])
    tenant.api.accepted(mail())
    wait_until(lambda: endpoint.shown()["state"] == "disabled", what="an end")
    assert "410" in endpoint.shown()["reason"]
    wait_until(lambda: other.count() == 1, what="a word of it")
    told = other.messages()[0][1]
    assert told["type"] == "webhook.disabled"
    assert told["data"]["endpoint"] == endpoint.made["id"]
    problem(tenant.admin.post(f"{endpoint.path}/ping"), 409, "conflict")
    # What happens meanwhile is kept, and is posted when somebody asks for it.
    missed = [tenant.api.accepted(mail()) for _ in range(3)]
    endpoint.faults = []
    endpoint.act("enable", 200)
    since = "2020-01-01T00:00:00Z"
    assert endpoint.act("redeliver", 202, since=since)["count"] == 4
    for identity in missed:
        endpoint.wait_for(identity, "notification.accepted")
    wait_until(lambda: tenant.count("webhook_queue") == 0, what="all of it")
    assert endpoint.act("redeliver", 202, since=since)["count"] == 0
    assert endpoint.act("redeliver", 202, since=since, which="all")[
        "count"] == 4


@pytest.mark.expect_log("webhook endpoint (is disabled|keeps failing)")
def test_w3_the_tenant_is_told_and_then_it_is_disabled(tenant, endpoint, other):
    endpoint.faults = [Fault(answer=500)]
    endpoint.subscribe(tenant, **ONE)
    other.subscribe(tenant, events=["webhook.failing", "webhook.disabled"])

    def failing_for(percent):
        tenant.rows("UPDATE webhook_health SET failing_since = now() - "
                    f"interval '5 days' * {percent} / 100 "
                    "WHERE tenant_id = %s AND failing_since IS NOT NULL "
                    "RETURNING 1")
        tenant.api.accepted(mail())

    tenant.api.accepted(mail())
    wait_until(lambda: endpoint.shown().get("failing_since"), what="failing")
    for n, percent in enumerate([51, 71, 91, 101]):
        failing_for(percent)
        wait_until(lambda: other.count() == n + 1, what=f"{percent} percent")
    types = [m["type"] for _, m in other.messages()]
    assert types == ["webhook.failing"] * 3 + ["webhook.disabled"]
    assert [m["data"]["sequence"] for _, m in other.messages()] == [1, 2, 3, 4]
    assert endpoint.shown()["state"] == "disabled"
    audit = tenant.rows("SELECT action FROM audit WHERE tenant_id = %s AND "
                        "action IN ('webhook.warn', 'webhook.disable') "
                        "ORDER BY id")
    assert [a["action"] for a in audit] == ["webhook.warn"] * 3 + [
        "webhook.disable"]


@pytest.mark.expect_log("webhook endpoint (is disabled|keeps failing)")
def test_w3_one_failure_after_a_long_silence_does_not_disable(tenant, endpoint,
                                                              other):
    """It failed weeks ago, and nothing was to be sent since."""
    endpoint.faults = [Fault(answer=500)]
    endpoint.subscribe(tenant, **ONE)
    other.subscribe(tenant, events=["webhook.failing", "webhook.disabled"])
    tenant.api.accepted(mail())
    wait_until(lambda: endpoint.shown().get("failing_since"), what="failing")
    tenant.idle()
    tenant.rows("UPDATE webhook_health SET failing_since = now() - interval "
                "'40 days' WHERE tenant_id = %s AND failing_since IS NOT NULL "
                "RETURNING 1")
    tenant.api.accepted(mail())
    wait_until(lambda: other.count() == 1, what="the warning")
    tenant.idle()
    assert [m["type"] for _, m in other.messages()] == ["webhook.failing"]
    assert endpoint.shown()["state"] == "active"
    health, = tenant.rows(
        "SELECT warned, now() - failing_since < interval '61 hours' AS soon "
        "FROM webhook_health WHERE tenant_id = %s AND warned > 0")
    assert health == {"warned": 50, "soon": True}


# ---- W4 -------------------------------------------------------------------------

def libraries(**said):
    modules = subprocess.run(["npm", "root", "-g"], capture_output=True,
                             text=True, check=True).stdout.strip()
    done = subprocess.run(
        ["node", ROOT / "tests/harness/webhooks.js"], input=json.dumps(said),
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "NODE_PATH": modules})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def got(endpoint, n):
    wait_until(lambda: endpoint.count() == n, what=f"{n} messages")
    return endpoint.headers[-1], endpoint.bodies[-1].decode()


def test_w4_both_secrets_sign_for_a_while(tenant, endpoint):
    first = endpoint.subscribe(tenant)["secret"]
    second = endpoint.act("rotate-secret", 200)["secret"]
    assert endpoint.shown()["previous_secret_until"]
    endpoint.act("ping", 202)
    headers, body = got(endpoint, 1)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (first, second):
        assert libraries(secret=secret, headers=headers, body=body) == {
            "standardwebhooks": "genuine", "svix": "genuine"}
    bad = libraries(secret=second, headers=headers, body=body + " ")
    assert "genuine" not in bad.values()
    third = endpoint.act("rotate-secret", 200, overlap="0s")["secret"]
    endpoint.act("ping", 202)
    headers, body = got(endpoint, 2)
    assert len(headers["webhook-signature"].split(" ")) == 1
    assert verifies(third, headers, body.encode())
    assert not verifies(second, headers, body.encode())


def test_a_key_pair_signs(tenant, endpoint):
    made = endpoint.subscribe(tenant, signature="v1a")
    assert made["public_key"].startswith("whpk_") and "secret" not in made
    endpoint.act("ping", 202)
    headers, body = got(endpoint, 1)
    assert libraries(public_key=made["public_key"], headers=headers,
                     body=body) == {"v1a": True}
    assert libraries(public_key=made["public_key"], headers=headers,
                     body=body + " ") == {"v1a": False}


def test_the_tenant_says_how_endpoints_are_signed_for(tenant, endpoint):
    path = f"{ADMIN}/tenants/{tenant.slug}/settings"
    set_to = tenant.admin.request("PATCH", path, json={"webhook_signature": "v1a"})
    assert set_to.status_code == 200, set_to.text
    assert endpoint.subscribe(tenant)["public_key"].startswith("whpk_")
    made = [tenant.ctl("webhook", "add", endpoint.url("/hook"), *more) for more in (
        [], ["--signature", "v1"])]
    assert [set(m) for m in made] == [{"id", "public_key"}, {"id", "secret"}]
    refused = tenant.stack.run_ctl("webhook", "add", endpoint.url("/hook"), "--signature",
                                   "v2", tenant=tenant.slug)
    assert refused.returncode != 0 and '"v2" is no signature' in refused.stderr
    wrong = tenant.admin.request("PATCH", path, json={"webhook_signature": "v2"})
    assert wrong.json()["errors"][0]["pointer"] == "/webhook_signature"


# ---- O3, W5 ---------------------------------------------------------------------

def test_one_that_hangs_holds_up_nobody(tenant, endpoint, other):
    endpoint.faults = [Fault(hang=True)]
    endpoint.subscribe(tenant, **ONE)
    other.subscribe(tenant, **ONE)
    sent = [tenant.api.accepted(mail()) for _ in range(30)]
    for identity in sent:
        other.wait_for(identity, "notification.accepted", timeout=10)
    assert endpoint.open["http"] <= 10, "its places, and no more"
    assert tenant.admin.request("DELETE", endpoint.path).status_code == 204


def test_a_rate_is_kept(tenant, endpoint):
    endpoint.subscribe(tenant, rate=5, **ONE)
    for _ in range(12):
        tenant.api.accepted(mail())
    attempts = ended(endpoint, 12)
    assert seconds(attempts[0]["started_at"], attempts[-1]["started_at"]) > 0.9


@contextmanager
def server(head, more):
    """Answers each request with a head and then "more" until nobody listens."""
    listener = socket.create_server(("127.0.0.1", 0))
    sent = []

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            count = 0
            try:
                peer.recv(65536)
                peer.sendall(head)
                while more and count < 1 << 28:
                    count += peer.send(more)
            except OSError:
                pass
            sent.append(count)
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", sent
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def memory_kb(pid):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Anonymous: +(\d+) kB", text, re.MULTILINE)[1])


@pytest.mark.W5
@pytest.mark.parametrize("head, more, result", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", b"x" * 65536,
     "succeeded"),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"\x1f\x8b\x08" * 999,
     "succeeded"),
    (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 999, "failed"),
    (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536, "failed"),
], ids=["body", "gzip", "headers", "header"])
def test_w5_answers_without_end(tenant, stack, endpoint, head, more, result):
    with server(head, more) as (url, sent):
        endpoint.subscribe(tenant, url=url, **ONE)
        before = {pid: memory_kb(pid) for pid in stack.workers("spooler")}
        tenant.api.accepted(mail())
        attempt = ended(endpoint, 1)[0]
        for pid, kb in before.items():
            assert is_sanitized(pid) or memory_kb(pid) - kb < 1024
        assert attempt["result"] == result
        assert result == "succeeded" or "headers" in attempt["error"]
        wait_until(lambda: sent, what="an end")
        assert sent[0] < 1 << 24, "it is not read to its end"
        shown = tenant.admin.get(
            f"{endpoint.path}/attempts/{attempt['id']}").json()
        assert len(shown.get("response", "")) <= 4096
        assert tenant.admin.request("DELETE",
                                    endpoint.path).status_code == 204


def test_w5_an_answer_that_drips(tenant, endpoint):
    """One octet a second, for minutes: it ends with its time (webhook.timeout, 5 s)."""
    endpoint.faults = [Fault(drip_s=1.0)]
    endpoint.subscribe(tenant, **ONE)
    tenant.api.accepted(mail())
    attempt = wait_until(lambda: endpoint.attempts(result="failed"), 30,
                         "the end of an attempt")[-1]
    assert 4.9 < seconds(attempt["started_at"], attempt["finished_at"]) < 20
    assert tenant.admin.request("DELETE", endpoint.path).status_code == 204
