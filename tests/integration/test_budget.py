# test_budget.py - shares of a budget that several spoolers ask for
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The query itself, asked as spoolers ask it: the times that are granted never lie closer
# together than the rate allows, whoever asks.
import contextlib
import re
import threading
import time
import uuid
from pathlib import Path

import psycopg2
import pytest

from harness.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
AHEAD_US = 300_000


def query(name, file="gate"):
    parts = re.split(r"(?m)^-- name: *(\S+) *$",
                     (ROOT / f"sql/queries/{file}.sql").read_text())
    return dict(zip(parts[1::2], parts[2::2]))[name]


@contextlib.contextmanager
def owner(server):
    connection = psycopg2.connect(host=f"{server.directory}/s", dbname="belfry",
                                  user="postgres")
    with connection, connection.cursor() as cursor:
        yield cursor
    connection.close()


@pytest.fixture(scope="module")
def server():
    server = Postgres().up()
    server.ctl("init")
    yield server
    server.down()
    server.remove()


class Asker:
    """A spooler's connection."""

    def __init__(self, server):
        self.connection = psycopg2.connect(host=f"{server.directory}/s",
                                           dbname="belfry",
                                           user="belfry_spooler")
        self.cursor = self.connection.cursor()
        self.cursor.execute(f"PREPARE make AS {query('budget_make')}")
        self.cursor.execute(f"PREPARE ask AS {query('gate_ask')}")
        self.connection.commit()

    def ask(self, account, want, every_us=None, per_day=None, warmup=(None, None),
            unused=0):
        """The times granted, in seconds, and milliseconds until there are more."""
        self.cursor.execute("SET LOCAL belfry.tenant = '1'")
        self.cursor.execute("EXECUTE make (1, %s)", (account,))
        self.cursor.execute(
            "EXECUTE ask (1, %s, %s, %s, 0, %s, %s, %s, %s, %s)",
            (account, want, unused, every_us, AHEAD_US, per_day, *warmup))
        _, granted, from_us, wait_ms = self.cursor.fetchone()
        self.cursor.execute("SELECT extract(epoch FROM now())::float8")
        now = self.cursor.fetchone()[0]
        self.connection.commit()
        step = (every_us or 0) / 1e6
        return [now + from_us / 1e6 + i * step for i in range(granted)], wait_ms


@pytest.fixture
def asker(server):
    return Asker(server)


@pytest.fixture
def account(server):
    """A row of provider alone: nothing else belongs to it."""
    account = str(uuid.uuid4())
    with owner(server) as cursor:
        cursor.execute("INSERT INTO belfry.provider (tenant_id, id, name, kind, "
                       "channel) VALUES (1, %s, %s, 'smtp', 1)",
                       (account, account))
    return account


@pytest.mark.parametrize("rate", [3, 40, 1000])
def test_granted_times_keep_their_distance(server, account, rate):
    """Four ask at once, for one and a half seconds."""
    askers, times, lock = [Asker(server) for _ in range(4)], [], threading.Lock()

    def run(asker):
        first = None
        while first is None or now - first < 1.5:
            got, wait_ms = asker.ask(account, 1 + rate // 10,
                                     every_us=1_000_000 // rate)
            asker.cursor.execute("SELECT extract(epoch FROM clock_timestamp())"
                                 "::float8, pg_sleep(%s)",
                                 (min(wait_ms, 100) / 1000 + 0.01,))
            now = asker.cursor.fetchone()[0]
            asker.connection.commit()
            first = first or now
            with lock:
                times.extend(got)
    threads = [threading.Thread(target=run, args=(a,)) for a in askers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    distances = [b - a for a, b in zip(times, times[1:])]
    assert len(times) >= max(4, rate * 0.7), "they get what there is"
    assert min(distances) >= 0.999 / rate - 2e-5
    assert len(times) <= rate * (times[-1] - times[0]) + 1.5


def test_nobody_is_granted_far_ahead(asker, account):
    began = time.monotonic()
    got, wait_ms = asker.ask(account, 100, every_us=10_000)
    assert len(got) == 31, "what lies in the next 300 ms"
    again, wait_ms = asker.ask(account, 100, every_us=10_000)
    passed = time.monotonic() - began
    assert len(again) <= 2 + passed / 0.01 and 0 <= wait_ms <= 11


def test_a_pause_saves_up_nothing(asker, account):
    asker.ask(account, 5, every_us=10_000)
    time.sleep(0.5)
    assert len(asker.ask(account, 100, every_us=10_000)[0]) == 31


def test_a_slow_pace_waits_for_its_turn(asker, account):
    got, wait_ms = asker.ask(account, 5, every_us=60_000_000)
    assert len(got) == 1
    got, wait_ms = asker.ask(account, 5, every_us=60_000_000)
    assert got == [] and 30_000 < wait_ms <= 59_700


def test_a_day_has_its_number(asker, account):
    assert len(asker.ask(account, 8, per_day=10)[0]) == 8
    got, wait_ms = asker.ask(account, 8, per_day=10)
    assert len(got) == 2 and 0 < wait_ms <= 86_400_000
    assert asker.ask(account, 8, per_day=10)[0] == []
    assert len(asker.ask(account, 8, per_day=10, unused=3)[0]) == 3, \
        "what was not used comes back"


@pytest.mark.parametrize("age, first", [(0, 100), (5, 317), (9, 795),
                                        (10, 1000), (99, 1000)])
def test_a_warm_up_grows_by_the_same_factor(server, asker, account, age, first):
    asker.ask(account, 0, per_day=1000)
    with owner(server) as cursor:
        cursor.execute("UPDATE belfry.provider_budget SET warm_from = "
                       "(now() AT TIME ZONE 'UTC')::date - %s "
                       "WHERE provider_id = %s", (age, account))
    got, _ = asker.ask(account, 5000, per_day=1000, warmup=(100, 10))
    assert len(got) == first


NIL = "00000000-0000-0000-0000-000000000000"


def noted(server, account):
    with owner(server) as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM belfry.provider_budget "
                       "WHERE provider_id = %s), (SELECT count(*) FROM "
                       "belfry.provider_health WHERE provider_id = %s)",
                       (account, account))
        return cursor.fetchone()


def note(asker, account, refused=0, well=0):
    """Whatever a spooler notes of an account that fails."""
    asker.cursor.execute("SET LOCAL belfry.tenant = '1'")
    asker.cursor.execute("EXECUTE make (1, %s)", (account,))
    asker.cursor.execute(query("health_make").replace("$1", "1")
                         .replace("$2", f"'{account}'::uuid"))
    asker.cursor.execute(f"PREPARE note AS {query('health_note', 'health')}")
    asker.cursor.execute(
        "EXECUTE note (1, 99, 60000, %s, %s::uuid[], '{1}', %s, %s, "
        "'{NULL}', %s::uuid[], %s::uuid[])",
        (NIL, [account], [refused], [well], [str(uuid.uuid4())],
         [str(uuid.uuid4())]))
    asker.cursor.execute("DEALLOCATE note")
    asker.connection.commit()


def test_nothing_is_noted_of_an_account_that_is_gone(server, asker, account):
    note(asker, account)
    assert noted(server, account) == (1, 1)
    with owner(server) as cursor:
        cursor.execute("DELETE FROM belfry.provider WHERE id = %s", (account,))
    assert noted(server, account) == (0, 0)
    note(asker, account)
    assert noted(server, account) == (0, 0)
    asker.cursor.execute("SET LOCAL belfry.tenant = '1'")
    asker.cursor.execute("EXECUTE make (1, %s)", (NIL,))
    asker.connection.commit()
    assert noted(server, NIL) == (1, 0), "the tenant's own"


def test_refusals_beside_successes_do_not_add_up(server, asker, account):
    """The account is parked for refusals in a row."""
    def refusals():
        with owner(server) as cursor:
            cursor.execute("SELECT refusals FROM belfry.provider_health "
                           "WHERE provider_id = %s", (account,))
            return cursor.fetchone()[0]
    seen = []
    for refused, well in ((3, 1), (3, 1), (2, 0), (2, 0), (5, 1), (1, 0)):
        note(asker, account, refused, well)
        seen.append(refusals())
    assert seen == [0, 0, 2, 4, 0, 1]


def test_who_deletes_waits_for_who_notes(server, asker, account):
    """Else the row would be made behind the back of the delete, and stay."""
    asker.cursor.execute("SET LOCAL belfry.tenant = '1'")
    asker.cursor.execute("EXECUTE make (1, %s)", (account,))

    def delete():
        with owner(server) as cursor:
            cursor.execute("DELETE FROM belfry.provider WHERE id = %s", (account,))
    deleting = threading.Thread(target=delete)
    deleting.start()
    deleting.join(0.3)
    assert deleting.is_alive()
    asker.connection.commit()
    deleting.join(20)
    assert noted(server, account) == (0, 0)


@pytest.mark.parametrize("name", ["gate_ask", "notification_waits"])
def test_the_share_of_a_warm_up_stands_in_the_query(server, name):
    """The function is taken in: it costs a query nothing."""
    text = query(name, "gate" if name == "gate_ask" else "notification")
    assert "warm_up_share(" in text and "power(" not in text
    with owner(server) as cursor:
        cursor.execute("SET search_path = belfry")
        cursor.execute(f"PREPARE q AS {text}")
        some = {"gate_ask": "1, %s, 1, 0, 0, 1, 1, 100, 10, 5",
                "notification_waits": "1, %s, 1"}[name]
        cursor.execute(f"EXPLAIN (VERBOSE) EXECUTE q ({some})", (NIL,))
        assert "warm_up_share" not in str(cursor.fetchall())
