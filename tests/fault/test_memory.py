# test_memory.py - what a process remembers of credentials when nothing is in flight
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY C4, short: the memory of every worker is read as root may.  A credential is
# looked for as it was typed, in the forms in which it goes over the wire, and of a private
# key the numbers it is made of.  tests/fault/full/C4.py does the same after more sends.
import contextlib
import json
import os
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fault.test_canaries import Canaries
from harness.api import ADMIN
from harness.certificates import Authority
from harness.fake_provider import FakeProvider
from harness.google import Google
from harness.smtp import MailServer
from harness.stack import Stack
from harness.tenant import Tenant
from harness.user_service import UserService
from harness.wait import wait_until

PART_BYTES = 24  # of a number, which is enough to know it again
MAPPING_MAX = 1 << 28  # larger ones are AddressSanitizer's own
ASAN = "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
WEBHOOK_SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def memory(pid):
    """Pairs of a mapping's name and its bytes."""
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            size = int(end, 16) - int(begin, 16)
            if not rights.startswith("rw") or size > MAPPING_MAX:
                continue
            try:
                mem.seek(int(begin, 16))
                yield line[73:] or "anonymous", mem.read(size)
            except (OSError, ValueError):
                pass


class Planted(Canaries):
    """Canaries, and the numbers of private keys."""

    def __init__(self):
        super().__init__()
        self.numbers = {}

    def key(self, where):
        key = rsa.generate_private_key(65537, 2048)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()).decode()
        self.known(where, text.splitlines()[3])
        numbers = key.private_numbers()
        self.numbers[where] = [
            n.to_bytes(256, order)[skip:skip + PART_BYTES]
            for n, bytes_ in ((numbers.p, 128), (numbers.d, 256))
            for order, skip in (("little", 0), ("big", 256 - bytes_))]
        return text

    def found_in(self, text):
        return sorted({*super().found_in(text),
                       *(where for where, parts in self.numbers.items()
                         if any(part in text for part in parts))})

    def remembered(self, pid):
        """In which mappings of a process each is."""
        found = {}
        for name, octets in memory(pid):
            for where in self.found_in(octets):
                found.setdefault(where, set()).add(name)
        return found


class Scene:
    """A tenant with an account of each kind whose credentials go out another way."""

    def __init__(self, stack, canaries, outside):
        self.canaries = canaries
        self.authority = Authority(stack.directory / "tls")
        self.http = outside.enter_context(FakeProvider())
        self.mails = outside.enter_context(MailServer(
            starttls=self.authority.server_context(), auth=True))
        self.google = outside.enter_context(Google(self.authority))
        token = canaries.text("user service token")
        self.people = outside.enter_context(UserService(
            {"u1": {"email": "u1@example.org"}}, token=token))
        self.tenant = Tenant(stack, maildir=False)
        self.add_accounts()
        self.add_service(token)
        self.sent = 0

    def add_accounts(self):
        c, add = self.canaries, self.tenant.add_provider
        base = self.http.url()
        add("relay", "smtp", host="localhost", port=self.mails.port,
            tls="starttls", ca_file=self.authority.file, username="shop",
            password=c.known("smtp password", "open sesame"),
            dkim_selector="b1", dkim_key=c.key("dkim key"),
            **{"from": "shop@example.org"})
        add("sms", "twilio", account_sid="AC" + "0" * 32, base_url=base,
            auth_token=c.text("twilio token"), **{"from": "+15005550006"})
        add("hook", "webhook", url=self.http.url("/hook"), secret="whsec_" +
            c.known("webhook secret", WEBHOOK_SECRET),
            headers=json.dumps({"X-Token": c.text("webhook header")}))
        add("chat", "telegram", token=c.text("telegram token", "123456:{}"),
            chat_id="-1001", base_url=base)
        account = {"type": "service_account", "project_id": "shop-1",
                   "client_email": "belfry@shop-1.example",
                   "private_key_id": "k1", "private_key": c.key("fcm key"),
                   "token_uri": self.google.url + "/token"}
        add("push", "fcm", service_account=json.dumps(account),
            base_url=self.google.url + "/", ca_file=self.authority.file)
        c.known("fcm access token", "token-1")

    def add_service(self, token):
        answer = self.tenant.admin.request(
            "PATCH", f"{ADMIN}/tenants/{self.tenant.slug}/settings",
            data=json.dumps({"user_service": {
                "url": self.people.url + "/users/{user_id}", "token": token}}),
            headers={"Content-Type": "application/merge-patch+json"})
        assert answer.status_code == 200, answer.text

    def send(self, people):
        """To so many people, by five channels each; and to one whom the service knows."""
        for n in range(0, people, 50):
            self.tenant.api.accepted({
                "to": [{"email": f"p{i}@example.org", "phone": f"+4366{i:08}",
                        "push_token": f"device-{i}"}
                       for i in range(n, min(n + 50, people))],
                "channels": ["email", "sms", "webhook", "push", "chat"],
                "content": {"email": {"subject": "x", "text": "x"},
                            "sms": {"text": "x"}, "webhook": {"text": "x"},
                            "chat": {"text": "x"},
                            "push": {"title": "x", "body": "x"}}})
        self.tenant.api.accepted({
            "to": {"user_id": "u1"}, "channels": ["email"],
            "content": {"email": {"subject": "x", "text": "x"}}})
        self.tenant.idle(120)
        self.sent = self.http.count() + len(self.mails.inbox.received) + \
            len(self.google.sent())
        return self.sent


def workers(stack):
    for part in ("api", "spooler"):
        for pid in (stack.pid(part), *stack.workers(part)):
            yield part, pid


@pytest.mark.C4
@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads their memory")
def test_nothing_is_remembered():
    canaries, stack = Planted(), Stack()
    options = os.environ.get("ASAN_OPTIONS", "")
    stack.environment[None] = {"ASAN_OPTIONS": ":".join(filter(
        None, (options, ASAN)))}
    with contextlib.ExitStack() as outside:
        outside.callback(stack.remove)
        outside.callback(stack.down)
        stack.up()
        scene = Scene(stack, canaries, outside)
        assert scene.send(20) >= 100
        # The search finds what is there: the tenant's slug is no secret.
        seen = Planted()
        seen.known("slug", scene.tenant.slug)
        assert any(seen.remembered(pid) for _, pid in workers(stack))
        for part, pid in workers(stack):
            assert canaries.remembered(pid) == {}, part
