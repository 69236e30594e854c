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


class WhatsApp:
    """An account with a webhook as Meta's: the challenge, and signed posts."""
    SECRET, VERIFY, NUMBER = "app-secret", "verify-me", "106540352242922"

    def add_to(self, tenant, name="wa", number=NUMBER, **settings):
        tenant.add_provider(name, "whatsapp", access_token="EAA",
                            phone_number_id=number, app_secret=self.SECRET,
                            verify_token=self.VERIFY, **settings)
        self.url = tenant.stack.url + path_of(tenant, name)
        return self

    def challenge(self, token, mode="subscribe", challenge="1158201444"):
        return requests.get(self.url, timeout=30, params={
            "hub.mode": mode, "hub.verify_token": token,
            "hub.challenge": challenge})

    @staticmethod
    def value(number=NUMBER, **what):
        return {"object": "whatsapp_business_account", "entry": [{
            "id": "1", "changes": [{"field": "messages", "value": {
                "messaging_product": "whatsapp", "metadata": {
                    "display_phone_number": "15550783881",
                    "phone_number_id": number}, **what}}]}]}

    def signed(self, event, secret=SECRET):
        """Body and signature, by Node's crypto."""
        done = subprocess.run(
            ["node", Path(__file__).with_name("meta.js"), secret], check=True,
            input=json.dumps(event).encode(), capture_output=True, timeout=30)
        signature, body = done.stdout.split(b"\n", 1)
        return body, signature.decode()

    def post(self, body, signature):
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        return requests.post(self.url, data=body, headers=headers, timeout=30)

    def report(self, number=NUMBER, **what):
        answer = self.post(*self.signed(self.value(number, **what)))
        assert answer.status_code == 204, answer.text

    def status(self, kind, reference, number=NUMBER, **more):
        self.report(number, statuses=[{
            "id": reference, "status": kind, "recipient_id": "43660123456",
            "timestamp": str(int(time.time())), **more}])

    def say(self, text, sender="43660123456", identity=None, at=None):
        self.report(contacts=[{"profile": {"name": "Änn"}, "wa_id": sender}],
                    messages=[{
                        "from": sender, "type": "text",
                        "id": identity or f"wamid.{time.time_ns()}",
                        "timestamp": str(int(at or time.time())),
                        "text": {"body": text}}])
