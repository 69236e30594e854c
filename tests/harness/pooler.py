# pooler.py - pgbouncer in transaction mode between belfry-api and PostgreSQL
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import subprocess
from contextlib import contextmanager

import psycopg2

from harness.stack import Stack
from harness.wait import wait_until

PORT = 6432

CONFIG = """
[databases]
{database} = host={sockets} port={port}
[pgbouncer]
listen_addr =
unix_socket_dir = {sockets}
listen_port = {own}
auth_type = trust
auth_file = {directory}/pooler.users
admin_users = postgres
pool_mode = transaction
default_pool_size = {servers}
logfile = {directory}/log/pooler.log
"""


def servant():
    """pgbouncer refuses root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
            "--"]


class Pooler:
    """Takes belfry-api of a stack behind itself; spoolers stay where they are, as
    doc/operating.md has it.  With fewer servers than workers each transaction may
    find itself on another connection than the one before."""

    def __init__(self, stack, servers=2):
        self.stack, self.servers = stack, servers
        self.process = None

    def start(self):
        stack, sockets = self.stack, self.stack.env["PGHOST"]
        users = stack.directory / "pooler.users"
        users.write_text("".join(f'"{name}" ""\n' for name in (
            "postgres", "belfry_api", "belfry_report")))
        file = stack.directory / "pooler.ini"
        file.write_text(CONFIG.format(
            database=stack.env["PGDATABASE"], sockets=sockets,
            port=stack.env["PGPORT"], own=PORT, directory=stack.directory,
            servers=self.servers))
        self.process = subprocess.Popen(
            [*servant(), "/usr/sbin/pgbouncer", "-q", file], cwd="/",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, 10, "pgbouncer")
        stack.environment["api"] = {
            "BELFRY_DATABASE_CONNINFO":
                f"host={sockets} port={PORT} dbname={stack.env['PGDATABASE']}",
            "BELFRY_DATABASE_PREPARED_STATEMENTS": "no"}
        stack.stop("api")
        stack.start("api")
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def connect(self, user, database=None):
        connection = psycopg2.connect(
            host=self.stack.env["PGHOST"], port=PORT, user=user,
            dbname=database or self.stack.env["PGDATABASE"])
        connection.autocommit = True
        return connection

    def answers(self):
        assert self.process.poll() is None, "pgbouncer ended"
        try:
            self.connect("postgres", "pgbouncer").close()
        except psycopg2.OperationalError:
            return False
        return True

    def show(self, what):
        """Rows of the admin console: "SHOW what"."""
        connection = self.connect("postgres", "pgbouncer")
        cursor = connection.cursor()
        cursor.execute(f"SHOW {what}")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row)) for row in cursor.fetchall()]
        connection.close()
        return rows


@contextmanager
def behind_pooler(stack, servers=2):
    pooler = Pooler(stack, servers)
    try:
        yield pooler.start()
    finally:
        stack.environment.pop("api", None)
        stack.stop("api")
        pooler.stop()
        stack.start("api")


class PooledStack(Stack):
    """A Belfry whose belfry-api reaches PostgreSQL through a pooler alone."""

    def up(self):
        super().up()
        self.pooler = Pooler(self).start()
        return self

    def down(self):
        super().down()
        self.pooler.stop()
