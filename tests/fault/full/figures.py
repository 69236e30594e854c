# figures.py - what the scripts of this directory share
#
# SPDX-License-Identifier: BSD-2-Clause
import argparse
import re
import time

from bench import rig
from harness.rows import Rows, percentile


class Figures:
    """What was measured, each against its limit."""

    def __init__(self):
        self.good = True

    def at_most(self, name, value, limit):
        self.say(name, value, f"at most {limit:g}", value <= limit)

    def at_least(self, name, value, limit):
        self.say(name, value, f"at least {limit:g}", value >= limit)

    def info(self, name, value):
        print(f"{name}: {value:g}", flush=True)

    def say(self, name, value, limit, good):
        self.good &= good
        print(f"{name}: {value:.4g} ({limit}){'' if good else ' MISSED'}", flush=True)

    def status(self):
        return 0 if self.good else 1


def options(description, **defaults):
    parser = argparse.ArgumentParser(description=description)
    for name, value in defaults.items():
        parser.add_argument("--" + name, type=type(value), default=value,
                            help=f"default: {value}")
    parsed = parser.parse_args()
    parsed.mail, parsed.workers, parsed.set = "small", 2, []
    return parsed


def start(given, *settings):
    """A stack with a sink; to be used in a with statement."""
    given.set = [*given.set, *settings]
    return rig.Rig(given)


def feed(rows, tenants, rate, seconds):
    """So many notifications a second, ten times a second, of the tenants in turn."""
    each, turn = max(1, round(rate / 10)), 0
    first = time.time()
    ticks = 0
    while time.time() < first + seconds:
        chosen = [tenants[(turn + i) % len(tenants)] for i in range(each)]
        turn = (turn + each) % len(tenants)
        rows.fresh(chosen)
        ticks += 1
        time.sleep(max(0, first + ticks / 10 - time.time()))
    return first, time.time()


def dwell_p95(rows, tenants, span, patience_s=30):
    """95 % of what came in this time waited at most so many milliseconds for the first
    attempt; what still waits counts with its age."""
    end = time.time() + patience_s
    while True:
        found = rows.dwell(tenants, *span)
        if all(ms is not None for _, ms in found) or time.time() > end:
            break
        time.sleep(0.5)
    late = patience_s * 1000
    return percentile([late if ms is None else ms for _, ms in found], 0.95), found


def claim_times(stack):
    """The histogram of claims that brought rows: {upper bound in seconds: count}."""
    import requests
    text = requests.get(stack.url + "/metrics", timeout=10).text
    return {float(le): int(n) for le, n in re.findall(
        r'belfry_claim_seconds_bucket\{found="rows",le="([0-9.]+)"\} (\d+)',
        text)}


def claim_p95_ms(before, after):
    """The bound of the bucket that the 95th percentile lies in."""
    bounds = sorted(after)
    counts = {b: after[b] - before.get(b, 0) for b in bounds}
    for bound in bounds:
        if counts[bound] >= 0.95 * counts[bounds[-1]]:
            return bound * 1000
    return float("inf")


__all__ = ["Figures", "Rows", "claim_p95_ms", "claim_times", "dwell_p95", "feed",
           "options", "start"]
