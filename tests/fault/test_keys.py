# test_keys.py - the key that seals is changed while everything runs
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import re
import subprocess
import threading
from pathlib import Path

import pytest

from harness.api import ADMIN
from harness.fake_provider import FakeProvider
from harness.tenant import Tenant
from harness.wait import wait_until

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ROWS = 130  # more than one transaction
NOTE = {"to": {"user_id": "u1"}, "channels": ["webhook"],
        "content": {"webhook": {"text": "hello"}}}


def test_every_sealed_column_is_known(stack):
    """A new one cannot be forgotten."""
    there = {r["table"] for r in stack.rows("""
        SELECT c.relname AS table FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'belfry'::regnamespace AND c.relkind = 'r'
        AND a.attname LIKE '%%sealed%%'""")}
    text = (ROOT / "src/ctl/keys.c").read_text()
    known = set(re.findall(r'^\t\{ "(\w+)", (?:true|false)', text, re.M))
    assert there == known
    places = {m for p in (ROOT / "src").rglob("*.c")
              for m in re.findall(r'\.table = "(\w+)"', p.read_text())}
    # A link is in mails, where nobody can seal it anew; a token and what a user service
    # said of a user in memcached, where they are made anew; a secret of a user service in a
    # spooler's memory, beside its column.
    assert places - {"link", "token", "user", "user_service"} == known


class Sender(threading.Thread):
    """Sends one after the other until it is told to stop."""

    def __init__(self, tenant):
        super().__init__(daemon=True)
        self.tenant, self.over = tenant, threading.Event()
        self.sent = []

    def run(self):
        while not self.over.wait(0.02):
            self.sent.append(self.tenant.api.accepted(NOTE))


def under(stack, state):
    return sum(k["rows"] for k in stack.ctl("keys", "status")
               if k["use"] == "seal" and k["state"] == state)


def rotate_and_kill(stack):
    """SIGKILL as soon as the first rows are written."""
    before = under(stack, "old")
    rotating = subprocess.Popen(
        [stack.directory / "bin/belfryctl", "-c",
         stack.directory / "belfry.conf", "keys", "rotate"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: rotating.poll() is not None or stack.value(
        "SELECT count(*) FROM audit WHERE action = 'keys.reseal'") > 0,
        30, "the first rows")
    rotating.kill()
    rotating.wait()
    assert under(stack, "old") < before


@pytest.mark.C2
def test_rotation_under_load(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    keys = own_stack.directory / "keys"
    with FakeProvider() as provider:
        tenant.add_provider("hook", "webhook", url=provider.url("/"),
                            secret=SECRET)
        for i in range(ROWS):
            made = tenant.admin.post(f"{ADMIN}/providers", json={
                "name": f"spare{i}", "kind": "webhook", "priority": 9,
                "settings": {"url": provider.url("/"), "secret": SECRET}})
            assert made.status_code == 201, made.text
        sender = Sender(tenant)
        sender.start()
        try:
            own_stack.ctl("keys", "add", "k2")
            own_stack.reload()
            own_stack.ctl("keys", "use", "k2")
            own_stack.reload()
            assert under(own_stack, "old") > ROWS
            rotate_and_kill(own_stack)
            own_stack.ctl("keys", "rotate")
            assert under(own_stack, "old") == 0
            assert under(own_stack, "current") > ROWS
            (keys / "k1.key").rename(keys / "k1.gone")
            own_stack.reload()
            seen = len(sender.sent)
            wait_until(lambda: len(sender.sent) > seen + 20, 60, "more")
        finally:
            sender.over.set()
            sender.join(60)
        tenant.idle(60)
        states = tenant.rows("SELECT state, count(*) FROM delivery "
                             "WHERE tenant_id = %s GROUP BY state")
        assert [s["count"] for s in states] == [len(sender.sent)], states
        assert tenant.rows("SELECT count(*) AS n FROM event WHERE tenant_id"
                           " = %s AND type = 'delivery.deferred'")[0]["n"] == 0
        wrong = own_stack.run_ctl("keys", "use", "k1")
        assert wrong.returncode != 0 and "k1" in wrong.stderr
        assert own_stack.run_ctl("keys", "new", "k2").returncode != 0
