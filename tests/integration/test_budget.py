# test_budget.py - shares of a budget that several spoolers ask for
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The query itself, asked as spoolers ask it: the times that are granted never lie closer
# together than the rate allows, whoever asks.
import re
import threading
import uuid
from pathlib import Path

import psycopg2
import pytest

from harness.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
AHEAD_US = 300_000


def query(name):
    parts = re.split(r"(?m)^-- name: *(\S+) *$",
                     (ROOT / "sql/queries/gate.sql").read_text())
    return dict(zip(parts[1::2], parts[2::2]))[name]


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
def account():
    return str(uuid.uuid4())


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
    got, wait_ms = asker.ask(account, 100, every_us=10_000)
    assert len(got) == 31, "what lies in the next 300 ms"
    again, wait_ms = asker.ask(account, 100, every_us=10_000)
    assert len(again) <= 3 and 0 <= wait_ms <= 11


def test_a_slow_pace_waits_for_its_turn(asker, account):
    got, wait_ms = asker.ask(account, 5, every_us=60_000_000)
    assert len(got) == 1
    got, wait_ms = asker.ask(account, 5, every_us=60_000_000)
    assert got == [] and 58_000 < wait_ms <= 59_700


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
    owner = psycopg2.connect(host=f"{server.directory}/s", dbname="belfry",
                             user="postgres")
    with owner, owner.cursor() as cursor:
        cursor.execute("UPDATE belfry.provider_budget SET warm_from = "
                       "(now() AT TIME ZONE 'UTC')::date - %s "
                       "WHERE provider_id = %s", (age, account))
    owner.close()
    got, _ = asker.ask(account, 5000, per_day=1000, warmup=(100, 10))
    assert len(got) == first
