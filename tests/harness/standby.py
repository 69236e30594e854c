# standby.py - a primary and a standby that take turns
#
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs find whichever may be written to by naming both in their conninfo, as a
# real installation does.
import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg2

from harness.stack import Stack
from harness.wait import wait_until

PORTS = (5432, 5433)


def servant():
    """PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
            "--"]


class Pair(Stack):
    """A Belfry on two servers; "synchronous": COMMIT waits for the standby."""

    def __init__(self, settings=(), synchronous=True):
        super().__init__(settings, fast=False)
        sockets = self.directory / "s"
        self.settings["database.conninfo"] = (
            f"host={sockets},{sockets} port=5432,5433 dbname=belfry "
            "target_session_attrs=read-write")
        self.synchronous = synchronous
        self.servers = {}  # port: process, of those started here
        self.bin = None

    def up(self):
        super().up()
        exe = os.readlink(f"/proc/{self.pid('postgres')}/exe")
        self.bin = os.path.dirname(exe)
        self.attach_standby()
        return self

    @property
    def primary(self):
        return int(self.env["PGPORT"])

    @property
    def standby(self):
        return PORTS[1 - PORTS.index(self.primary)]

    def run(self, *command):
        done = subprocess.run([*servant(), *map(str, command)],
                              capture_output=True, text=True, cwd="/",
                              timeout=60)
        assert done.returncode == 0, done.stderr

    def attach_standby(self):
        """Makes one from a copy of the primary, and waits until it follows."""
        data = self.directory / f"data/{self.standby}"
        if self.standby == PORTS[0]:
            data = self.directory / "data/again"
        self.run("rm", "-rf", data)
        self.run(f"{self.bin}/pg_basebackup", "-h", self.directory / "s",
                 "-p", self.primary, "-U", "postgres", "-D", data, "-R",
                 "-c", "fast", "-X", "stream", "--no-sync")
        log = open(self.directory / f"log/standby-{self.standby}.txt", "a",
                   encoding="utf-8")
        self.servers[self.standby] = subprocess.Popen(
            [*servant(), f"{self.bin}/postgres", "-D", data,
             "-c", "listen_addresses=",
             "-c", f"unix_socket_directories={self.directory}/s",
             "-c", f"port={self.standby}", "-c", "cluster_name=standby",
             "-c", "max_connections=150"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            start_new_session=True)
        if self.synchronous:
            self.rows("ALTER SYSTEM SET synchronous_standby_names = "
                      "'ANY 1 (standby)'")
            self.rows("SELECT pg_reload_conf()")
        wait_until(self.follows, 30, "replication")

    def follows(self):
        state = "quorum" if self.synchronous else "async"
        return self.rows("SELECT 1 FROM pg_stat_replication WHERE state = "
                         "'streaming' AND sync_state = %s", state)

    def signal_standby(self, number):
        """To all its processes: the one that receives is not the first."""
        pid = self.servers[self.standby].pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        for process in children.split():
            os.kill(int(process), number)

    def fail_over(self):
        """The primary dies, the standby takes its place and gets another."""
        if self.primary in self.servers:
            server = self.servers.pop(self.primary)
            server.kill()
            server.wait()
        else:
            pid = self.pid("postgres")
            self.kill_and_wait("postgres")
            # As a zombie it still owns the socket's lock file.
            wait_until(lambda: not Path(f"/proc/{pid}").exists(), 20,
                       "the dead server to be reaped")
        self.env["PGPORT"] = str(self.standby)
        self.rows("SELECT pg_promote(true, 30)")
        server = self.servers[self.primary]
        started = Path(f"/proc/{server.pid}/stat").read_text() \
            .rpartition(") ")[2].split()[19]
        (self.directory / "run/postgres.pid").write_text(
            f"{server.pid} {started}\n")
        wait_until(self.is_free, 20, "the end of the dead server's children")
        self.attach_standby()

    def is_free(self):
        """Nobody answers at the place of the dead one."""
        try:
            psycopg2.connect(host=str(self.directory / "s"), port=self.standby,
                             dbname="postgres", user="postgres").close()
        except psycopg2.OperationalError:
            return True
        return False

    def down(self):
        for port, server in self.servers.items():
            if port == self.standby:
                server.terminate()
                server.wait(30)
        super().down()
        for server in self.servers.values():
            server.wait(30)
        for _ in range(20):
            shutil.rmtree(self.directory / "data", ignore_errors=True)
            if not (self.directory / "data").exists():
                break
            time.sleep(0.1)
