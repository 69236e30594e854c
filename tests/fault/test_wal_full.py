# test_wal_full.py - there is no room for the write-ahead log
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY D9: pg_wal lies in a small file system that a ballast fills up under load.
# PostgreSQL ends itself when it cannot write its log; a service manager starts it again,
# which this test does.
import os
import subprocess
import threading
import time

import psycopg2
import pytest

from harness.checker import judge
from harness.fake_provider import FakeProvider
from harness.load import Load
from harness.tenant import Tenant
from harness.wait import wait_until

SIZE_MB = 96

TROUBLE = ("database|PostgreSQL|leases are no longer sure|took over|"
           'results came too late|"status": 503|failed|not confirmed')

needs_mount = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")


class SmallVolume:
    """A tmpfs for pg_wal."""

    def __init__(self, stack):
        self.stack = stack
        self.path = stack.directory / "wal"
        self.ballast = self.path / "ballast"

    def __enter__(self):
        stack, data = self.stack, self.stack.directory / "data"
        for setting in ("min_wal_size = '32MB'", "max_wal_size = '48MB'",
                        "restart_after_crash = on"):
            stack.rows(f"ALTER SYSTEM SET {setting}")
        for part in ("spooler", "api", "postgres"):
            stack.stop(part)
        self.path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o",
                        f"size={SIZE_MB}m,mode=0700,uid=65534", "tmpfs",
                        self.path], check=True)
        subprocess.run(["cp", "-a", f"{data}/pg_wal/.", self.path], check=True)
        (data / "pg_wal").rename(data.with_name("old_wal"))
        (data / "pg_wal").symlink_to(self.path)
        for part in ("postgres", "api", "spooler"):
            stack.start(part)
        return self

    def __exit__(self, *_):
        self.free()
        for part in ("spooler", "api", "postgres"):
            self.stack.stop(part)
        subprocess.run(["umount", self.path], check=True)

    def fill(self):
        with self.ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65536))
            except OSError:
                pass

    def free(self):
        self.ballast.unlink(missing_ok=True)


def use_up(stack):
    """Goes from segment to segment until there is none."""
    try:
        with stack.db() as connection:
            while True:
                connection.cursor().execute("SELECT pg_switch_wal()")
                connection.cursor().execute(
                    "SELECT pg_logical_emit_message(true, 'x', 'y')")
    except psycopg2.Error:
        pass


class Service(threading.Thread):
    """Starts PostgreSQL again when it has ended, as a service manager does."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.over = stack, threading.Event()

    def run(self):
        while not self.over.wait(1):
            if self.stack.gone(self.stack.pid("postgres")):
                self.stack.quickstart("start", "postgres", check=False)


def is_quiet(provider):
    """Nothing comes for a second."""
    before = provider.count()
    time.sleep(1)
    return provider.count() == before


@needs_mount
@pytest.mark.D9
@pytest.mark.settings(fast=False)
@pytest.mark.expect_log(TROUBLE)
def test_wal_volume_full(own_stack):
    tenant = Tenant(own_stack, maildir=False)
    with FakeProvider() as provider, SmallVolume(own_stack) as volume:
        provider.add_to(tenant, "email")
        with Load(tenant) as load:
            wait_until(lambda: provider.count() > 50, 30, "some load")
            volume.fill()
            use_up(own_stack)
            refused = load.statuses().get(503, 0)
            wait_until(lambda: load.statuses().get(503, 0) > refused + 3, 30,
                       "refusals")
            begin = time.monotonic()
            answer = tenant.api.send({"to": {"email": "a@example.org"},
                                      "content": {"email": {"subject": "s",
                                                            "text": "t"}}})
            took = time.monotonic() - begin
            assert answer.status_code == 503 and answer.headers["Retry-After"]
            assert took < 10
            # What was on the wire ends; then nothing more is sent.
            wait_until(lambda: is_quiet(provider), 30, "quiet")
            quiet, accepted = provider.count(), load.accepted()
            refused = load.statuses().get(503, 0)
            wait_until(lambda: load.statuses().get(503, 0) > refused + 50, 60,
                       "more refusals")
            assert provider.count() == quiet and load.accepted() == accepted
            service = Service(own_stack)
            service.start()
            begin = time.monotonic()
            volume.free()
            wait_until(lambda: load.accepted() > accepted + 10 and
                       provider.count() > quiet + 10, 60, "recovery by itself")
            recovered = time.monotonic() - begin
            service.over.set()
            service.join(60)
        tenant.idle(90)
        report = judge(tenant, provider, load.ids())
    report.check(duplicates_max=40)
    print(f"503 after {took * 1000:.0f} ms; all goes on {recovered:.1f} s "
          "after there is space")
