# test_webpush.py - push messages that a browser decrypts
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import subprocess
import time
from pathlib import Path

import pytest

from harness.certificates import Authority
from harness.tenant import SERVICE, Tenant

BROWSER = Path(__file__).resolve().parents[1] / "harness/browser.js"
DEVICES = "/api/v1/services/recipients/u1/devices"


@pytest.fixture
def authority(stack):
    authority = Authority(stack.directory / "webpush")
    authority.server_context()
    return authority


@pytest.fixture
def browser(authority):
    """A process, and the subscription that it printed first."""
    files = [authority.directory / f"localhost.{end}" for end in ("pem", "key")]
    process = subprocess.Popen(["node", BROWSER, *files],
                               stdout=subprocess.PIPE, text=True)
    process.subscription = json.loads(process.stdout.readline())
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def tenant(stack, authority):
    tenant = Tenant(stack, maildir=False)
    tenant.add_provider(
        "browsers", "webpush", subject="mailto:admin@example.org",
        private_key="yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
        hosts="localhost", ca_file=authority.file)
    return tenant


def push(tenant, subscription, **more):
    people = tenant.client(tenant.make_key("people", scopes=(
        *SERVICE, "recipients:read", "recipients:write")))
    answer = people.request("PUT", DEVICES, json={
        "subscription": subscription, "platform": "web"})
    assert answer.status_code == 200, answer.text
    sent = tenant.api.accepted({"to": {"user_id": "u1"}, "content": {"push": {
        "title": "Glocke", "body": "läutet \U0001f514", **more}}})
    tenant.idle()
    return people, [e["class"] for e in tenant.api.timeline(sent) if e["class"]]


def test_a_browser_reads_it_and_knows_the_sender(tenant, browser):
    _, classes = push(tenant, browser.subscription, url="https://shop.example/",
                      data={"n": 1}, ttl=60, collapse_key="bell", priority="high")
    assert classes == ["accepted"]
    got = json.loads(browser.stdout.readline())
    assert json.loads(got["text"]) == {
        "title": "Glocke", "body": "läutet \U0001f514",
        "url": "https://shop.example/", "data": {"n": "1"}}
    assert got["headers"]["ttl"] == "60"
    assert got["headers"]["urgency"] == "high"
    assert got["headers"]["topic"] == "bell"
    assert got["headers"]["content-encoding"] == "aes128gcm"
    sender = got["sender"]
    assert sender["good"] and sender["sub"] == "mailto:admin@example.org"
    assert sender["aud"] == browser.subscription["endpoint"].rpartition("/push")[0]
    assert 0 < sender["exp"] - time.time() <= 24 * 3600
    assert sender["point"].startswith("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMo")


def test_a_subscription_that_has_ended_is_forgotten(tenant, browser):
    endpoint = browser.subscription["endpoint"].replace("/push/1", "/gone")
    people, classes = push(tenant, {**browser.subscription, "endpoint": endpoint})
    assert classes == ["bad_recipient"]
    assert people.get(DEVICES).json()["data"] == []
