# test_provider_test.py - asking providers whether an account works
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import hashlib
import hmac
import json

import pytest

from harness.api import mail
from harness.fake_provider import FakeProvider, Fault
from harness.smtp import MailServer, free_port
from harness.tenant import Tenant
from harness.wait import wait_until


@pytest.fixture
def tenant(stack):
    return Tenant(stack, maildir=False)


def api_test(tenant, account, **body):
    answer = tenant.admin.post(f"/api/v1/admin/providers/{account['id']}/test",
                               json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ctl_test(tenant, name, *more):
    done = tenant.stack.run_ctl("provider", "test", name, *more,
                                tenant=tenant.slug)
    return done.returncode, done.stdout + done.stderr


def test_a_mail_server_takes_us(tenant):
    with MailServer() as server:
        account = tenant.add_provider("mail", "smtp", host="127.0.0.1",
                                      port=server.port, tls="none",
                                      **{"from": "a@example.org"})
        said = api_test(tenant, account)
        assert said["good"] and said["words"] == "it works"
        status, text = ctl_test(tenant, "mail")
        assert status == 0 and "it works" in text
        assert server.inbox.received == []


def test_a_mail_server_that_is_not_there(tenant):
    account = tenant.add_provider("mail", "smtp", host="127.0.0.1",
                                  port=free_port(), tls="none",
                                  **{"from": "a@example.org"})
    said = api_test(tenant, account)
    assert not said["good"] and "cannot be reached" in said["words"]
    status, text = ctl_test(tenant, "mail")
    assert status != 0 and "cannot be reached" in text


@pytest.mark.parametrize("to, good, words", [
    (None, True, "it works"), ("locked", False, "credentials"),
    ("unpaid", False, "blocked"), ("bounced", False, "not with this address"),
    ("down", False, "cannot be reached")])
def test_words(tenant, to, good, words):
    account = tenant.add_provider("sim", "simulator-chat")
    said = api_test(tenant, account, **({"to": to} if to else {}))
    assert said["good"] == good and words in said["words"]


@pytest.mark.expect_log("slow request")
def test_one_that_hangs_is_waited_for_a_moment_only(tenant):
    account = tenant.add_provider("sim", "simulator-chat")
    said = api_test(tenant, account, to="hang")
    assert not said["good"] and "in time" in said["words"]
    assert 4500 < said["took_ms"] < 20000


def test_the_key_for_web_pages(tenant):
    tenant.add_provider(
        "browsers", "webpush", subject="mailto:a@example.org",
        private_key="yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    assert "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzA" \
        "C8wEqKK6PBru3jl7A8" in ctl_test(tenant, "browsers")[1]


def test_nothing_to_ask(tenant):
    account = tenant.add_provider("inbox", "inapp")
    answer = tenant.admin.post(f"/api/v1/admin/providers/{account['id']}/test")
    assert answer.status_code == 422
    assert "nothing to ask" in answer.text


def test_what_a_key_of_sendgrid_may_do(tenant):
    with FakeProvider(Fault(answer=200, body=b'{"scopes": []}')) as provider:
        account = tenant.add_provider(
            "grid", "sendgrid", api_key="SG.key", base_url=provider.url(),
            **{"from": "shop@example.org"})
        assert api_test(tenant, account)["good"]
        provider.faults = [Fault(answer=401, body=b'{"errors": []}')]
        said = api_test(tenant, account)
        assert not said["good"] and "credentials" in said["words"]


@pytest.mark.parametrize("status, good, words", [
    (204, True, "it works"), (400, False, "the test was refused"),
    (410, False, "closed"), (500, False, "in trouble")])
def test_a_webhook_gets_an_envelope_that_says_test(tenant, status, good, words):
    secret = "whsec_bm90IGEgc2VjcmV0IGJ1dCBhbiBleGFtcGxl"
    with FakeProvider(Fault(answer=status, body=b"why")) as provider:
        provider.keep_bodies = True
        account = tenant.add_provider("hook", "webhook", secret=secret,
                                      url=provider.url("/hook"))
        said = api_test(tenant, account)
        assert said["good"] == good and words in said["words"], said
        body, headers = provider.bodies[-1], provider.headers[-1]
        assert (ctl_test(tenant, "hook")[0] == 0) == good
    envelope = json.loads(body)
    assert envelope["type"] == "test" and envelope["data"] == {}
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(
        base64.b64decode(secret.removeprefix("whsec_")), text + body,
        hashlib.sha256)).decode()
    assert tenant.count("notification") == 0


def test_what_was_noted_of_an_account_goes_with_it(tenant):
    account = tenant.ctl("provider", "add", "sim", "--kind", "simulator-email",
                         "--limit", "per_day=5")
    tenant.api.ended(tenant.api.accepted(mail("received@example.org")))
    wait_until(lambda: tenant.count("provider_budget") == 1, 20, "a budget")
    gone = tenant.admin.request(
        "DELETE", f"/api/v1/admin/providers/{account['id']}")
    assert gone.status_code == 204, gone.text
    assert tenant.count("provider_budget") == 0
    assert tenant.count("provider_health") == 0
