# C4.py - what a process remembers of credentials after a thousand sends
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The memory of every worker is read as root may.  A credential is looked for as it was
# typed, and in the forms in which it goes over the wire.  It wants a build without
# sanitizers, which keep what was freed.
import re
import sys
from pathlib import Path

from fault.full import figures
from fault.test_canaries import Canaries
from harness.fake_provider import FakeProvider
from harness.stack import Stack
from harness.tenant import Tenant
from harness.wait import wait_until


def memory(pid):
    """Pairs of a mapping's name and its bytes."""
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if not rights.startswith("rw"):
                continue
            try:
                mem.seek(int(begin, 16))
                yield line[73:] or "anonymous", \
                    mem.read(int(end, 16) - int(begin, 16))
            except (OSError, ValueError):
                pass


def remembered(pid, canaries):
    found = {}
    for name, octets in memory(pid):
        for where in canaries.found_in(octets):
            found.setdefault(where, set()).add(name)
    return found


def furnish(tenant, canaries, provider):
    c = canaries.text
    tenant.add_provider("relay", "smtp", host="127.0.0.1", tls="none",
                        port=provider.smtp_port, username="shop",
                        password=c("smtp password"),
                        **{"from": "shop@example.org"})
    tenant.add_provider("sms", "twilio", account_sid="AC" + "0" * 32,
                        base_url=provider.url(), auth_token=c("twilio token"),
                        **{"from": "+15005550006"})
    tenant.add_provider("hook", "webhook", url=provider.url("/hook"),
                        secret="whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    canaries.known("webhook secret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def send(tenant, provider, sends):
    for n in range(0, sends // 3, 50):
        tenant.api.accepted({
            "to": [{"email": f"p{i}@example.org", "phone": f"+4366{i:08}"}
                   for i in range(n, min(n + 50, sends // 3))],
            "channels": ["email", "sms", "webhook"],
            "content": {"email": {"subject": "x", "text": "x"},
                        "sms": {"text": "x"}, "webhook": {"text": "x"}}})
    tenant.idle(120)
    return provider.count()


def main():
    given = figures.options("C4", sends=1002)
    stack, canaries, most = Stack(), Canaries(), 0
    try:
        stack.up()
        with FakeProvider() as provider:
            tenant = Tenant(stack, maildir=False)
            furnish(tenant, canaries, provider)
            sent = send(tenant, provider, given.sends)
            for part in ("api", "spooler"):
                for pid in [stack.pid(part), *stack.workers(part)]:
                    found = remembered(pid, canaries)
                    most = max(most, len(found))
                    print(f"{part} {pid}: {found or 'nothing'}")
    finally:
        stack.down()
        stack.remove()
    print(f"sent: {sent} ({given.sends})")
    print(f"credentials that a process remembers with nothing in flight: {most} (0)")
    sys.exit(1 if most or sent < given.sends else 0)


if __name__ == "__main__":
    main()
