# stack.py - a private Belfry for tests, made by contrib/quickstart
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import psycopg2.extras

from harness.logs import Logs
from harness.wait import CACHE_CHECK_S, wait_until, wait_until_known

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "contrib/quickstart"

# A busy machine must not change a result, but nobody wants to wait either.
SETTINGS = {
    "api.workers": "3",
    "api.cache_check": f"{CACHE_CHECK_S * 1000:.0f}ms",
    "api.cors_origins": "https://console.example.org http://localhost:3000",
    "api.slow_request": "20s",
    "cache.timeout": "1s",
    "oauth.issuer": "https://belfry.example.org",
    "spooler.heartbeat_interval": "400ms",
    "spooler.dead_after": "3s",
    "spooler.sweep_interval": "300ms",
    "spooler.attempt_timeout": "12s",
    "retry.delay_first": "100ms",
    "retry.delay_max": "2s",
    "webhook.http": "yes",
    "webhook.timeout": "5s",
    "webhook.ports": "",
    "webhook.schedule": "0ms 50ms 100ms 200ms 400ms",
    "log.level": "info",
    # Tests ask faster than a person does.
    "limits.person_rate": "100000",
    "limits.person_burst": "100000",
    # Providers and issuers of tests are on this host.
    "network.allowed": "127.0.0.0/8 ::1",
    # Two stacks may trust one authority, whose files lie in one of them.
    "network.ca_base": "/tmp",
}


def is_sanitized(pid):
    return "libasan" in Path(f"/proc/{pid}/maps").read_text()


class Stack:
    def __init__(self, settings=(), fast=True, crash_points=False):
        self.directory = Path(tempfile.mkdtemp(prefix="belfry-t.", dir="/tmp"))
        self.fast = fast
        self.settings = {**SETTINGS, **dict(settings)}
        self.logs = Logs(self.directory / "log")
        # Build with crash points: what stands in this file happens once.
        self.crash_at = self.directory / "crash/at"
        self.crash_points = crash_points
        self.tenants = []  # ids of those that tests have made
        self.environment = {}  # more of it, by the part that it is for

    # Life

    def quickstart(self, *arguments, check=True, part=None):
        done = subprocess.run(
            [QUICKSTART, *arguments, "--dir", self.directory],
            capture_output=True, text=True, timeout=150, env=self.env_of(part))
        if check and done.returncode != 0:
            raise RuntimeError(f"quickstart {arguments}: {done.stderr}")
        return done

    def env_of(self, part):
        """The environment in which a part is started."""
        crash = {"BELFRY_CRASH_AT": f"@{self.crash_at}"} \
            if self.crash_points else {}
        return {**os.environ, **crash, **self.environment.get(part, {})}

    def crash(self, point):
        """The next process that comes to this point dies there."""
        self.crash_at.parent.mkdir(exist_ok=True)
        self.crash_at.parent.chmod(0o777)
        waiting = self.crash_at.with_name("waiting")
        waiting.write_text(point)
        waiting.chmod(0o666)
        waiting.rename(self.crash_at)

    def up(self):
        extra = ["--fast"] if self.fast else []
        for key, value in self.settings.items():
            extra += ["--set", f"{key}={value}"]
        self.quickstart("up", "--no-install", "--port", "0", *extra)
        self.read_env()
        self.logs.mark()
        return self

    def read_env(self):
        text = (self.directory / "env").read_text()
        env = dict(re.findall(r"^export (\w+)='(.*)'$", text, re.MULTILINE))
        self.env = env
        self.url = env["BELFRY_URL"]
        self.tenant = env["BELFRY_TENANT"]
        self.api_key = env["BELFRY_API_KEY"]
        self.admin_key = env["BELFRY_ADMIN_KEY"]
        self.mail = Path(env["BELFRY_MAILDIR"])

    def down(self):
        """Stops everything; what is left of a part's last words is checked."""
        self.quickstart("down")

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, part):
        extra = ["--fast"] if self.fast else []
        self.quickstart("start", part, *extra, part=part)
        self.read_env()

    def stop(self, part):
        self.quickstart("stop", part)

    def pid(self, part):
        return int((self.directory / f"run/{part}.pid").read_text().split()[0])

    def workers(self, part):
        """The processes that the master of a part forked."""
        pid = self.pid(part)
        try:
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(child) for child in text.split()]

    def kill(self, part, number=signal.SIGKILL):
        os.kill(self.pid(part), number)

    def kill_workers(self, part):
        """SIGKILL for all workers; returns how many there were."""
        killed = 0
        for pid in self.workers(part):
            try:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
        return killed

    def reload(self):
        """SIGHUP, until all workers are others."""
        for part in ("api", "spooler"):
            before = set(self.workers(part))
            self.kill(part, signal.SIGHUP)
            wait_until(lambda: not before & set(self.workers(part)), 30,
                       f"the reload of {part}")

    def gone(self, pid):
        """True for a zombie as well."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        return stat.rpartition(") ")[2][0] == "Z"

    def kill_and_wait(self, part):
        pid = self.pid(part)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.gone(pid), 10, f"the end of {part}")

    # The database

    @contextmanager
    def db(self, user="postgres", tenant=None):
        """A connection as a role; with a tenant's id, its rows are in sight."""
        connection = psycopg2.connect(
            host=self.env["PGHOST"], port=self.env["PGPORT"],
            dbname=self.env["PGDATABASE"], user=user,
            options="-c search_path=belfry",
            cursor_factory=psycopg2.extras.RealDictCursor)
        try:
            connection.autocommit = True
            if tenant is not None:
                connection.cursor().execute(
                    "SELECT set_config('belfry.tenant', %s, false)",
                    (str(tenant),))
            yield connection
        finally:
            connection.close()

    def rows(self, sql, *arguments, user="postgres", tenant=None):
        with self.db(user, tenant) as connection:
            cursor = connection.cursor()
            cursor.execute(sql, arguments or None)
            return [dict(r) for r in cursor.fetchall()] \
                if cursor.description else []

    def value(self, sql, *arguments, **where):
        return next(iter(self.rows(sql, *arguments, **where)[0].values()))

    def suspend(self, tenants):
        self.rows("UPDATE tenant SET state = 2 WHERE id = ANY(%s)", tenants)

    # belfryctl

    def run_ctl(self, *arguments, tenant=None, stdin=None):
        which = ["--tenant", tenant] if tenant else []
        done = subprocess.run(
            [self.directory / "bin/belfryctl", "-c",
             self.directory / "belfry.conf", *which, *map(str, arguments)],
            input=stdin, capture_output=True, text=True, timeout=60, cwd=ROOT)
        wait_until_known()
        return done

    def ctl(self, *arguments, tenant=None, stdin=None):
        """Runs belfryctl --json, which must succeed; returns what it says."""
        done = self.run_ctl("--json", *arguments, tenant=tenant, stdin=stdin)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None
