# test_webhook.py - notifications posted to a tenant's URL
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import hashlib
import hmac
import json

import pytest

from harness.fake_provider import Fault
from harness.tenant import Tenant

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def note(to="u1", **more):
    return {"to": {"user_id": to, "name": "Ann"}, "channels": ["webhook"],
            "content": {"webhook": {"text": "Order {{order}}: {{note}}",
                                    "fixed": [1, True]}},
            "data": {"order": "42", "note": 'say "hi"\n'}, **more}


@pytest.fixture
def sender(stack):
    return Tenant(stack, maildir=False)


def classes(events):
    return [e["class"] for e in events if e.get("class")]


def test_what_is_posted(sender, provider):
    sender.add_provider("hook", "webhook", url=provider.url("/a?b=c"),
                        secret=SECRET)
    identity = sender.api.accepted(note())
    assert classes(sender.api.ended(identity)) == ["accepted"]
    body = json.loads(provider.bodies[0])
    assert body["type"] == "notification"
    assert body["data"]["notification"] == identity
    assert body["data"]["recipient"] == {"id": "u1", "name": "Ann"}
    assert body["data"]["content"] == {"text": 'Order 42: say "hi"\n',
                                       "fixed": [1, True]}
    headers = provider.headers[0]
    assert headers["webhook-id"] == body["data"]["delivery"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}." \
        .encode() + provider.bodies[0]
    assert headers["webhook-signature"] == "v1," + base64.b64encode(
        hmac.digest(KEY, signed, hashlib.sha256)).decode()


@pytest.mark.parametrize("fault, kind, again", [
    (Fault(answer=503, times=1), "retry", True),
    (Fault(answer=302, times=1, headers=("Location: /other",)), "retry", True),
    (Fault(answer=404, times=1), "retry", True),
    (Fault(answer=429, times=1, headers=("Retry-After: 1",)), "throttled", True),
    (Fault(cut=0, times=1), "unknown", True),
    (Fault(answer=422, body=b"no such order"), "bad_message", False),
])
def test_faults(sender, provider, fault, kind, again):
    provider.faults = [fault]
    provider.add_to(sender, "webhook")
    identity = sender.api.accepted(note())
    events = sender.api.ended(identity)
    assert classes(events)[0] == kind
    assert (classes(events)[-1] == "accepted") == again
    assert provider.count() == (2 if again else 1)
    assert len({r.hash for r in provider.receipts}) == 1, "always the same body"
    assert len({h["webhook-id"] for h in provider.headers}) == 1


def test_a_bad_secret_is_refused(sender):
    done = sender.stack.run_ctl(
        "provider", "add", "hook", "--kind", "webhook", "--set",
        "url=http://127.0.0.1/", "--set", "secret=x", tenant=sender.slug)
    assert done.returncode != 0
    assert "whsec_" in done.stderr
