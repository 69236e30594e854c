# test_pooler.py - tenants share connections behind pgbouncer in transaction mode
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY T3: requests of many tenants are mixed while workers are killed in the
# middle of transactions.  A table's lock holds transactions open for as long as it takes
# to see and to kill one, so that no kill misses.
import os
import random
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.api import ADMIN, SERVICES, Client, mail
from harness.pooler import behind_pooler
from harness.size import size
from harness.tenant import Tenant
from harness.wait import wait_until

REQUESTS, TENANTS = size((1200, 6), full=(100000, 50))
KILLS = REQUESTS // 100
SERVERS, CLIENTS = 3, 8
RECIPIENTS = "/api/v1/services/recipients"
MARK = re.compile(r"mark-(t\d+-\d+)-")
# What a request leaves behind, and where its mark stands.
MARKED = {"notification": "data::text", "recipient": "email",
          "template": "name"}


class Caller:
    """Asks for one tenant's things, its own and others', and looks through each
    answer for what is not its own."""

    def __init__(self, tenant):
        self.tenant, self.mark = tenant, f"mark-{tenant.slug}-"
        self.lock = threading.Lock()
        self.known, self.statuses, self.foreign = [], {}, []
        self.tenant.admin.post(f"{ADMIN}/templates", json={
            "key": "shared", "name": self.mark + "template", "parts": {
                "en": {"email.subject": self.mark, "email.text": "x"}}})

    def send(self, number):
        return "POST", f"{SERVICES}/send", mail(
            f"{self.mark}{number}@example.org",
            data={"order": f"{self.mark}{number}"})

    def write(self, number):
        return "PUT", f"{RECIPIENTS}/user{number % 7}", {
            "email": f"{self.mark}{number}@example.org"}

    def look(self, number):
        path = [f"{RECIPIENTS}?limit=20", f"{ADMIN}/templates",
                f"{ADMIN}/templates/shared", f"{RECIPIENTS}/user{number % 7}",
                f"{ADMIN}/audit?limit=5", f"{ADMIN}/suppressions"][number % 6]
        return "GET", path, None

    def own(self, _):
        with self.lock:
            identity = random.choice(self.known) if self.known else None
        return ("GET", f"{SERVICES}/{identity}", None) if identity \
            else self.look(0)

    def call(self, session, number, others):
        make = random.choice([self.send, self.write, self.look, self.own])
        method, path, body = make(number)
        other = others.known[-1:] if number % 10 == 0 else []
        if other:
            method, path, body = "GET", f"{SERVICES}/{other[0]}", None
        try:
            answer = session.request(
                method, self.tenant.stack.url + path, json=body, timeout=30,
                headers={"Authorization": f"Bearer {self.tenant.admin_key}"})
            status, text = answer.status_code, answer.text
        except requests.RequestException:
            status, text = 0, ""
        self.judge(path, status, text, other)

    def judge(self, path, status, text, other):
        seen = set(MARK.findall(text)) - {self.tenant.slug}
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if seen or (other and status not in (0, 404, 500, 502, 503)):
                self.foreign.append((path, status, seen))
            if status == 202:
                self.known.append(re.search(r'"id": *"([^"]+)"', text)[1])


class Killer:
    """Kills workers whose transactions wait for a lock."""

    def __init__(self, stack, pooler):
        self.stack, self.pooler, self.killed = stack, pooler, 0

    def waiting(self):
        """pgbouncer's clients with a transaction that waits, by process id."""
        stuck = {row["pid"] for row in self.stack.rows("""
            SELECT pid FROM pg_stat_activity WHERE usename = 'belfry_api'
            AND wait_event_type = 'Lock' AND xact_start IS NOT NULL""")}
        links = {row["link"] for row in self.pooler.show("SERVERS")
                 if row["remote_pid"] in stuck}
        return [row["remote_pid"] for row in self.pooler.show("CLIENTS")
                if row["ptr"] in links and row["remote_pid"]]

    def kill_one(self):
        with self.stack.db() as connection:
            connection.autocommit = False
            # One table, and none of its partitions: two could wait for each other.
            connection.cursor().execute(
                f"LOCK ONLY {random.choice(['notification', 'recipient'])} "
                "IN ACCESS EXCLUSIVE MODE")
            pids = wait_until(self.waiting, 20, "a transaction that waits")
            os.kill(pids[0], signal.SIGKILL)
            self.killed += 1
            connection.rollback()


def forgetful(pooler, connections):
    """How many rows is seen over each pooled connection by who names no tenant."""
    seen = []
    open_ones = [pooler.connect("belfry_api") for _ in range(connections)]
    for connection in open_ones:
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        for table in ("notification", "recipient", "template", "delivery",
                      "provider", "service_account"):
            cursor.execute(f"SELECT count(*) FROM belfry.{table}")
            seen.append(cursor.fetchone()[0])
    for connection in open_ones:
        connection.cursor().execute("ROLLBACK")
        connection.close()
    return seen


def work(callers, done, seen):
    """One client: requests of tenants in no order, over one connection."""
    session = requests.Session()
    while (number := next(done)) < REQUESTS:
        caller, other = random.sample(callers, 2)
        caller.call(session, number, other)
        seen.append(number)


@pytest.mark.T3
@pytest.mark.settings(settings={
    "api.workers": str(CLIENTS)})
@pytest.mark.expect_log("a worker has crashed|leases that nobody works on|"
                        "slow request")
def test_tenants_share_connections(own_stack):
    random.seed(3)
    callers = [Caller(Tenant(own_stack)) for _ in range(TENANTS)]
    begin = time.monotonic()
    with behind_pooler(own_stack, SERVERS) as pooler:
        killer = Killer(own_stack, pooler)
        done, seen = iter(range(1 << 40)), []
        with ThreadPoolExecutor(CLIENTS) as pool:
            ends = [pool.submit(work, callers, done, seen)
                    for _ in range(CLIENTS)]
            while killer.killed < KILLS and not all(e.done() for e in ends):
                goal = (killer.killed + 1) * REQUESTS // (KILLS + 2)
                wait_until(lambda: len(seen) >= goal, 120, "requests")
                killer.kill_one()
            for end in ends:
                end.result()
        assert set(forgetful(pooler, SERVERS)) == {0}
        took = time.monotonic() - begin
    judge(own_stack, callers, killer)
    print(f"{REQUESTS} requests of {TENANTS} tenants in {took:.0f} s over "
          f"{SERVERS} connections, {killer.killed} workers killed in "
          "a transaction; seen of others 0")


def judge(stack, callers, killer):
    assert killer.killed == KILLS
    assert [c.foreign[:3] for c in callers if c.foreign] == []
    statuses = {}
    for caller in callers:
        for status, count in caller.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    print(f"answers by status: {statuses}")
    good = sum(n for status, n in statuses.items() if 200 <= status < 300)
    assert good > REQUESTS * 8 // 10, statuses
    assert set(statuses) <= {0, 200, 201, 202, 404, 500, 502, 503}, statuses
    for table, column in MARKED.items():
        strays = stack.rows(f"""
            SELECT t.slug, x.{column} AS mark FROM belfry.{table} x
            JOIN belfry.tenant t ON t.id = x.tenant_id
            WHERE x.{column} LIKE '%%mark-%%'
            AND x.{column} NOT LIKE '%%mark-' || t.slug || '-%%' LIMIT 5""")
        assert strays == [], table
        assert stack.value(f"SELECT count(*) FROM belfry.{table} "
                           f"WHERE {column} LIKE '%%mark-%%'") > 0
