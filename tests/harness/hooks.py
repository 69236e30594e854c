# hooks.py - providers that report to a Belfry, with their signatures
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import hashlib
import hmac
import json
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

import requests

TOKEN, SID = "token", "AC" + "0" * 32
PUBLIC = "https://notify.example.org"


def path_of(tenant, name):
    row, = tenant.rows("SELECT id FROM provider WHERE tenant_id = %s "
                       "AND name = %s", name)
    return f"/hooks/{tenant.slug}/{row['id']}"


def twilio_signature(url, parameters, token=TOKEN):
    """As Twilio's own libraries make it: URL, names and values, sorted."""
    text = url + "".join(f"{k}{v}" for k, v in sorted(parameters.items()))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(),
                                        hashlib.sha1)).decode()


class Twilio:
    """Posts callbacks for an account as Twilio does."""

    def __init__(self, tenant, name="fake-sms"):
        self.stack_url = tenant.stack.url
        self.path = path_of(tenant, name)

    def post(self, parameters, query="", signature=None, url=None):
        parameters = {"AccountSid": SID, **parameters}
        target = self.path + (f"?{query}" if query else "")
        signature = signature or twilio_signature(
            (url or PUBLIC + self.path) + (f"?{query}" if query else ""),
            parameters)
        return requests.post(
            self.stack_url + target, data=parameters, timeout=30,
            headers={"X-Twilio-Signature": signature})

    def callback(self, url, parameters):
        """To the URL that came with a message."""
        split = urllib.parse.urlsplit(url)
        assert f"{split.scheme}://{split.netloc}{split.path}" == \
            PUBLIC + self.path
        return self.post(parameters, query=split.query)


class SendGrid:
    """A key pair, and posts of events signed with it."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="belfry-h.",
                                                     dir="/tmp")
        self.key = Path(self.directory.name) / "key.pem"
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout",
                     "-out", self.key)
        der = self.openssl("ec", "-in", self.key, "-pubout", "-outform",
                           "DER")
        self.public = base64.b64encode(der).decode()

    @staticmethod
    def openssl(*arguments, data=None):
        return subprocess.run(["openssl", *arguments], check=True, input=data,
                              capture_output=True, timeout=30).stdout

    def add_to(self, tenant, name="grid", **settings):
        tenant.add_provider(name, "sendgrid", api_key="SG.key",
                            webhook_key=self.public,
                            **{"from": "shop@example.org", **settings})
        self.url = tenant.stack.url + path_of(tenant, name)
        return self

    @staticmethod
    def body(*events):
        """In lines, as SendGrid writes them."""
        return ("[" + ",\r\n".join(json.dumps(e, separators=(",", ":"))
                                   for e in events) + "]\r\n").encode()

    def headers(self, body, at=None):
        stamp = str(int(at if at is not None else time.time()))
        signature = self.openssl("dgst", "-sha256", "-sign", self.key,
                                 data=stamp.encode() + body)
        return {"X-Twilio-Email-Event-Webhook-Signature":
                base64.b64encode(signature).decode(),
                "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
                "Content-Type": "application/json"}

    def post(self, body, headers=None, url=None):
        return requests.post(url or self.url, data=body, timeout=30,
                             headers=headers or self.headers(body))

    def report(self, *events):
        answer = self.post(self.body(*events))
        assert answer.status_code == 204, answer.text
