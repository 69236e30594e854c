# test_webpush.py - push messages that a browser decrypts
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import subprocess
import time
from pathlib import Path

import pytest
import requests

from harness.certificates import Authority
from harness.hooks import PUBLIC
from harness.tenant import SERVICE, Tenant
from harness.wait import wait_until

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


def add_browsers(stack, authority, **settings):
    tenant = Tenant(stack, maildir=False)
    tenant.add_provider(
        "browsers", "webpush", subject="mailto:admin@example.org",
        private_key="yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
        hosts="localhost", ca_file=authority.file, **settings)
    return tenant


@pytest.fixture
def tenant(stack, authority):
    return add_browsers(stack, authority)


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


def test_a_service_worker_tells_what_became_of_it(public_stack, authority,
                                                  browser):
    tenant = add_browsers(public_stack, authority, receipts="true")
    _, classes = push(tenant, browser.subscription, data={"n": 1})
    assert classes == ["accepted"]
    data = json.loads(json.loads(browser.stdout.readline())["text"])["data"]
    link = data["belfry_receipt"]
    assert data == {"n": "1", "belfry_receipt": link}
    assert link.startswith(PUBLIC + "/t/r/")
    here = public_stack.url + link[len(PUBLIC):]
    for event in ("delivered", "opened", "opened"):
        assert requests.post(here, json={"event": event},
                             timeout=30).status_code == 204
    wait_until(lambda: tenant.count("hook_inbox") == 0, 20, "an empty inbox")
    row, = tenant.rows("SELECT notification_id FROM delivery "
                       "WHERE tenant_id = %s")
    sent = str(row["notification_id"])
    delivery, = tenant.api.notification(sent)["deliveries"]
    assert delivery["state"] == "delivered"
    types = [e["type"] for e in tenant.api.timeline(sent)]
    assert types.count("delivery.delivered") == 1
    assert types.count("delivery.opened") == 1
    forged = here[:-2] + ("AA" if here[-2:] != "AA" else "BB")
    assert requests.post(forged, json={"event": "read"},
                         timeout=30).status_code == 404
