# test_restore.py - a restored database sends nothing until somebody says so
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY U2: copies of a running installation, made as operators make them, each of
# which gets a spooler of its own.
import os
import shutil
import subprocess
from pathlib import Path

import psycopg2
import pytest

from harness.logs import FAST
from harness.tenant import Tenant
from harness.wait import wait_until

BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
PORT = 5433


def as_servant(*command):
    """PostgreSQL refuses root."""
    if os.getuid() == 0:
        command = ("setpriv", "--reuid=nobody", "--regid=nogroup",
                   "--clear-groups", "--", *command)
    subprocess.run([str(part) for part in command], check=True, cwd="/",
                   capture_output=True, timeout=120)


class Copy:
    """A second cluster beside the stack's, and a spooler that works on it."""

    def __init__(self, stack, port=PORT):
        self.stack, self.port = stack, port
        self.directory = stack.directory / "copy"
        self.data = self.directory / "data"
        self.log = self.directory / "spooler.log"
        self.spooler = None
        self.directory.mkdir()
        self.directory.chmod(0o777)

    def server(self, *settings):
        options = f"-k {self.directory} -p {self.port} -c fsync=off " \
                  "-c max_connections=150 " \
                  "-c listen_addresses=" + \
                  "".join(f" -c {setting}" for setting in settings)
        as_servant(BIN / "pg_ctl", "-D", self.data, "-w", "-o", options, "-l",
                   self.directory / "postgres.log", "start")

    def value(self, sql):
        connection = psycopg2.connect(host=str(self.directory),
                                      port=self.port, dbname="belfry",
                                      user="postgres")
        connection.autocommit = True
        try:
            cursor = connection.cursor()
            cursor.execute("SET search_path = belfry")
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None
        finally:
            connection.close()

    def config(self):
        """The stack's, but for where the database and the sockets are."""
        text = (self.stack.directory / "belfry.conf").read_text()
        text = text.replace(f"host='{self.stack.directory}/s' port=5432",
                            f"host='{self.directory}' port={self.port}")
        text = text.replace(f"{self.stack.directory}/s/doorbell.sock",
                            f"{self.directory}/doorbell.sock")
        text = text.replace(f"run_directory = {self.stack.directory}/run",
                            f"run_directory = {self.directory}")
        path = self.directory / "belfry.conf"
        path.write_text(text)
        return path

    def start_spooler(self):
        program = self.stack.directory / "bin/belfry-spooler"
        command = [program, "-c", self.config()]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup",
                       "--clear-groups", "--", *command]
        self.spooler = subprocess.Popen(command, cwd="/",
                                        stderr=self.log.open("w"))
        wait_until(lambda: self.value("SELECT count(*) FROM spooler "
                                      "WHERE heartbeat_at > now() - interval "
                                      "'3 s'"), 30, "a heartbeat")

    def ctl(self, *arguments):
        return subprocess.run(
            [self.stack.directory / "bin/belfryctl", "-c",
             self.directory / "belfry.conf", *arguments], check=True,
            capture_output=True, text=True, timeout=60).stdout

    def end(self):
        if self.spooler is not None:
            self.spooler.terminate()
            self.spooler.wait(60)
        if (self.data / "postmaster.pid").exists():
            as_servant(BIN / "pg_ctl", "-D", self.data, "-m", "immediate",
                       "-w", "stop")
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture
def copy(own_stack):
    made = Copy(own_stack)
    yield made
    made.end()


def backlog(stack, tenant):
    """A notification that waits, so that a copy has something to send."""
    stack.logs.allow("on hold")
    stack.ctl("spooler", "hold")
    wait_until(lambda: [r["state"] for r in stack.ctl("spooler", "status")]
               == ["holding"], 20, "a hold")
    identity = tenant.api.accepted({
        "to": {"email": "a@example.org"},
        "content": {"email": {"subject": "s", "text": "t"}}})
    # The hold of the original is not what holds the copies.
    stack.stop("spooler")
    stack.ctl("spooler", "release")
    return identity


def base_backup(copy):
    as_servant(BIN / "pg_basebackup", "-h", copy.stack.env["PGHOST"], "-p",
               copy.stack.env["PGPORT"], "-U", "postgres", "-D", copy.data,
               "-X", "stream", "-c", "fast")


def errors(copy):
    return [line for line in copy.log.read_text().splitlines()
            if '"level":"error"' in line and FAST not in line]


def holds(copy, tenant, reason):
    """Nothing goes out until it is released; then it does."""
    copy.start_spooler()
    assert copy.value("SELECT hold FROM installation")
    assert reason in copy.value("SELECT hold_reason FROM installation")
    lines = errors(copy)
    assert len(lines) == 1 and reason in lines[0], lines
    seen = copy.value("SELECT max(heartbeat_at) FROM spooler").isoformat()
    wait_until(lambda: copy.value("SELECT count(*) FROM spooler WHERE "
                                  f"heartbeat_at > '{seen}'"), 20,
               "another heartbeat")
    assert tenant.mails() == []
    assert copy.value("SELECT count(*) FROM attempt") == 0
    copy.ctl("spooler", "release")
    tenant.wait_for_mails(1)


@pytest.mark.U2
def test_recovered_to_a_point_in_time(own_stack, copy):
    tenant = Tenant(own_stack)
    backlog(own_stack, tenant)
    base_backup(copy)
    (copy.data / "recovery.signal").touch()
    copy.server("recovery_target=immediate",
                "recovery_target_action=promote", "restore_command=false")
    wait_until(lambda: not copy.value("SELECT pg_is_in_recovery()"), 30,
               "the end of recovery")
    holds(copy, tenant, "recovered to a point in time")


@pytest.mark.U2
def test_copied_as_it_is(own_stack, copy):
    tenant = Tenant(own_stack)
    backlog(own_stack, tenant)
    base_backup(copy)
    copy.server()
    holds(copy, tenant, "at another port")


@pytest.mark.U2
def test_restored_from_a_dump(own_stack, copy):
    tenant = Tenant(own_stack)
    backlog(own_stack, tenant)
    as_servant(BIN / "initdb", "-D", copy.data, "-A", "trust", "-U", "postgres",
               "--no-sync")
    copy.server()
    env = own_stack.env
    dump = copy.directory / "dump"
    where = ["-h", str(copy.directory), "-p", str(copy.port), "-U", "postgres"]
    as_servant("sh", "-c", f"{BIN}/pg_dumpall -h {env['PGHOST']} -p "
               f"{env['PGPORT']} -U postgres >{dump} && {BIN}/psql -q "
               f"{' '.join(where)} -d postgres -f {dump}")
    holds(copy, tenant, "another cluster")


@pytest.mark.U2
def test_a_standby_takes_over(own_stack, copy):
    """Which is no restoration: it sends at once."""
    tenant = Tenant(own_stack)
    backlog(own_stack, tenant)
    base_backup(copy)
    (copy.data / "standby.signal").touch()
    copy.server(f"primary_conninfo='host={own_stack.env['PGHOST']} "
                "user=postgres'")
    as_servant(BIN / "pg_ctl", "-D", copy.data, "-w", "promote")
    copy.start_spooler()
    tenant.wait_for_mails(1)
    assert not copy.value("SELECT hold FROM installation")
    assert errors(copy) == []
