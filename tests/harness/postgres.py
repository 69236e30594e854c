# postgres.py - a private PostgreSQL and a belfryctl that talks to it
#
# SPDX-License-Identifier: BSD-2-Clause
#
# For tests of what happens before there is a Belfry.  The server is started as
# contrib/quickstart does; it has no port, only a unix socket.
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg2
import psycopg2.extras

ROOT = Path(__file__).resolve().parents[2]

START = """
set -u
. "$TOP/contrib/stack.sh"
make_directories && part_start postgres
"""
STOP = """
set -u
. "$TOP/contrib/stack.sh"
part_stop postgres
"""


class Postgres:
    def __init__(self, fast=True):
        self.directory = Path(tempfile.mkdtemp(prefix="belfry-p.", dir="/tmp"))
        self.fast = fast
        self.config = {
            "database": {
                "conninfo": f"host={self.directory}/s dbname=belfry",
                "admin_conninfo":
                    f"host={self.directory}/s dbname=belfry user=postgres"},
            "keys": {"directory": self.directory / "ring"},
            "process": {"run_directory": self.directory},
            "api": {"listen": f"unix:{self.directory}/api.sock"},
            "spooler": {"doorbell": self.directory / "doorbell.sock"},
            "cache": {"servers": ""},
            "maildir": {"base": self.directory},
        }

    # Life

    def shell(self, script):
        env = {**os.environ, "TOP": str(ROOT), "DIR": str(self.directory),
               "BUILD": "", "PORT": "0", "PORT_GIVEN": "",
               "PG_FAST": "1" if self.fast else ""}
        done = subprocess.run(["bash", "-c", script], env=env, text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr

    def up(self):
        self.shell(START)
        self.write_config()
        return self

    def down(self):
        self.shell(STOP)

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    # belfryctl

    def write_config(self, **changes):
        """Changes are section_key=value."""
        for name, value in changes.items():
            section, _, key = name.partition("_")
            self.config.setdefault(section, {})[key] = value
        lines = []
        for section, keys in self.config.items():
            lines.append(f"[{section}]")
            lines += [f"{key} = {value}" for key, value in keys.items()]
        (self.directory / "belfry.conf").write_text("\n".join(lines) + "\n")

    def run(self, *arguments, stdin=None, **env):
        """Runs belfryctl; returns what subprocess.run() does."""
        return subprocess.run(
            [Path(os.environ["BELFRY_BUILDDIR"]) / "belfryctl",
             *map(str, arguments)],
            input=stdin, capture_output=True, text=True, timeout=60, cwd="/",
            env={**os.environ,
                 "BELFRY_CONF": str(self.directory / "belfry.conf"),
                 "BELFRY_TEMPLATES": str(ROOT / "templates"), **env})

    def ctl(self, *arguments, stdin=None, **env):
        """Runs belfryctl --json, which must succeed; returns what it says."""
        done = self.run("--json", *arguments, stdin=stdin, **env)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        assert done.stderr == ""
        return json.loads(done.stdout)

    # SQL

    def rows(self, sql, *arguments, user="postgres", tenant=None,
             database="belfry"):
        connection = psycopg2.connect(
            host=f"{self.directory}/s", port=5432, dbname=database, user=user,
            cursor_factory=psycopg2.extras.RealDictCursor)
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            if tenant is not None:
                cursor.execute("SELECT set_config('belfry.tenant', %s, false)",
                               (str(tenant),))
            cursor.execute(sql, arguments or None)
            return [dict(row) for row in cursor.fetchall()] \
                if cursor.description else []
        finally:
            connection.close()

    def value(self, sql, *arguments, **where):
        return next(iter(self.rows(sql, *arguments, **where)[0].values()))
