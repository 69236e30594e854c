# endpoint.py - a receiver of what a tenant's webhook endpoints are told
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import hashlib
import hmac
import json

from harness.api import ADMIN
from harness.fake_provider import FakeProvider
from harness.wait import wait_until

WEBHOOKS = f"{ADMIN}/webhooks"


class Endpoint(FakeProvider):
    """Keeps what it is told, and fails as a FakeProvider does."""

    def __init__(self, *faults, **more):
        super().__init__(*faults, **more)
        self.keep_bodies = True

    def subscribe(self, tenant, **more):
        answer = tenant.admin.post(WEBHOOKS, json={
            "url": self.url("/hook"), **more})
        assert answer.status_code == 201, answer.text
        self.made = answer.json()
        self.tenant = tenant
        self.path = f"{WEBHOOKS}/{self.made['id']}"
        return self.made

    def act(self, word, status, **body):
        answer = self.tenant.admin.post(f"{self.path}/{word}",
                                        json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    def shown(self):
        return self.tenant.admin.get(self.path).json()

    def attempts(self, **query):
        return self.tenant.admin.get(f"{self.path}/attempts",
                                     params=query).json()["data"]

    def messages(self):
        """All that came, (headers, body) in the order of coming."""
        return [(h, json.loads(b))
                for h, b in list(zip(self.headers, self.bodies))]

    def of(self, notification):
        return [m for _, m in self.messages()
                if m["data"].get("notification") == notification]

    def types(self, notification):
        return [m["type"] for m in self.of(notification)]

    def wait_for(self, notification, *types, timeout=30):
        """Until all of these types came; returns the messages of each."""
        def all_there():
            got = self.of(notification)
            return {t for t in types} <= {m["type"] for m in got} and got
        return wait_until(all_there, timeout, f"{types}")


def verifies(secret, headers, body):
    """True when one of the signatures of v1 is that of the secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}." \
        .encode() + body
    want = "v1," + base64.b64encode(
        hmac.digest(key, signed, hashlib.sha256)).decode()
    return want in headers["webhook-signature"].split(" ")
