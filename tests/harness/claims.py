# claims.py - what a claim costs the database
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The product's own query in the role of the spooler, which must not run meanwhile.  The
# claimed rows leave the queue for good, as they do when a spooler claims them.
import re
import statistics
import time
from pathlib import Path

from harness.rows import Rows
from harness.tenant import Tenant

QUEUE = Path(__file__).resolve().parents[2] / "sql/queries/queue.sql"
CLAIMS, LIMIT = 60, 100
FIRST = "00000000-0000-0000-0000-000000000000"
LAST = "ffffffff-ffff-0000-0000-000000000000"


def query(name):
    parts = re.split(r"(?m)^-- name: *(\S+) *$", QUEUE.read_text())
    return dict(zip(parts[1::2], parts[2::2]))[name]


class ClaimCost:
    def __init__(self, stack):
        self.stack = stack
        self.tenant = Tenant(stack, maildir=False).id

    def measure(self, count):
        """The median time of a claim in milliseconds while about so many are ready."""
        with self.stack.db() as connection:
            rows = Rows(connection)
            rows.run("DELETE FROM q_ready")
            rows.ready(self.tenant, CLAIMS * LIMIT)
            rows.tail(self.tenant, max(count - CLAIMS * LIMIT, 0))
            rows.run("VACUUM ANALYZE q_ready, notification, delivery")
        with self.stack.db(user="belfry_spooler") as connection:
            return self.claim(connection)

    def claim(self, connection):
        connection.autocommit = False
        cursor = connection.cursor()
        cursor.execute(f"PREPARE claim AS {query('claim_lane')}")
        took = []
        low = "NULL"
        for _ in range(CLAIMS):
            cursor.execute(f"SET LOCAL belfry.tenant = '{self.tenant}'")
            began = time.monotonic()
            cursor.execute(f"EXECUTE claim({self.tenant}, 6, 1, {low}, {LIMIT}, "
                           f"'{FIRST}', '{LAST}')")
            took.append((time.monotonic() - began) * 1000)
            assert cursor.rowcount == LIMIT
            low = "'" + str(cursor.fetchone()["due"]) + "'"
            connection.commit()
        return statistics.median(took)
