# test_twilio.py - SMS through a stand-in for Twilio
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import urllib.parse

import pytest

from harness.fake_provider import Fault
from harness.tenant import Tenant

PHONE = "+43660123456"


def sms(**more):
    return {"to": {"phone": PHONE}, "data": {"order": "42"},
            "content": {"sms": {"text": "Order {{order}} & more"}}, **more}


@pytest.fixture
def sender(stack, provider):
    tenant = Tenant(stack, maildir=False)
    provider.add_to(tenant, "sms")
    return tenant


def test_a_text_message(sender, provider):
    events = sender.api.ended(sender.api.accepted(sms()))
    assert [e["class"] for e in events if e.get("class")] == ["accepted"]
    assert urllib.parse.parse_qs(provider.bodies[0].decode()) == {
        "To": [PHONE], "From": ["+15005550006"], "Body": ["Order 42 & more"]}
    login = base64.b64decode(
        provider.headers[0]["authorization"].split()[1]).decode()
    assert login == "AC" + "0" * 32 + ":token"
    stored = sender.rows("SELECT provider_ref FROM delivery "
                         "WHERE tenant_id = %s")
    assert stored == [{"provider_ref": f"SM{1:032x}"}]


@pytest.mark.parametrize("status, body, kind", [
    (400, b'{"code": 21211, "message": "The number is not valid."}',
     "bad_recipient"),
    (400, b'{"code": 21617, "message": "Too long."}', "bad_message"),
])
def test_refusals(sender, provider, status, body, kind):
    provider.faults = [Fault(answer=status, body=body)]
    events = sender.api.ended(sender.api.accepted(sms()))
    failed = next(e for e in events if e["type"] == "delivery.failed")
    assert failed["class"] == kind
    assert provider.count() == 1
