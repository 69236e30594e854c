# alerts.py - what contrib/alerts.yml would say of a running Belfry
#
# SPDX-License-Identifier: BSD-2-Clause
#
# /metrics is scraped a few times a second, and promtool evaluates the rules as if STEP_S
# had passed from one scrape to the next: so a fault of seconds has the length of one of
# minutes, and rules are looked at that have to hold "for" one.
import collections
import json
import re
import subprocess
import threading
from pathlib import Path

import requests

from harness.wait import wait_until

RULES = Path(__file__).resolve().parents[2] / "contrib/alerts.yml"
EVERY_S, STEP_S = 0.25, 10
LINE = re.compile(r'(\w+)(?:\{([^}]*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="([^"]*)"')
FIRING = 'group by (alertname) (ALERTS{alertstate="firing"})'


def read_metrics(text):
    """{(name, labels): value}; {family: type} of the exposition."""
    values, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split()
            types[family] = kind
        elif line and not line.startswith("#"):
            name, labels, value = LINE.match(line).groups()
            values[name, labels or ""] = value
    return values, types


class Alerts:
    """Scrapes a Belfry from the first "with" on until it ends."""

    def __init__(self, stack):
        self.url = stack.url + "/metrics"
        self.samples = []
        self.paused = False  # no time passes
        self.ended = threading.Event()
        self.lock = threading.Condition()

    def __enter__(self):
        self.wait_for_spooler()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        self.wait(6)
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def wait_for_spooler(self):
        """What it measures stands in /metrics soon after it has started."""
        def alive():
            values, _ = read_metrics(requests.get(self.url, timeout=5).text)
            return any(name == "belfry_spoolers_alive" and float(value) >= 1
                       for (name, _), value in values.items())
        wait_until(alive, 30, "a spooler in /metrics")

    def run(self):
        while not self.ended.is_set():
            if self.paused:
                self.ended.wait(EVERY_S / 5)
                continue
            try:
                answer = requests.get(self.url, timeout=5)
                values, _ = read_metrics(answer.text)
            except requests.ConnectionError:
                values = {}
            with self.lock:
                self.samples.append(values)
                self.lock.notify_all()
            self.ended.wait(EVERY_S)

    def wait(self, scrapes):
        """So many more scrapes; returns how many there were before."""
        with self.lock:
            before = len(self.samples)
            assert self.lock.wait_for(
                lambda: len(self.samples) >= before + scrapes, 60)
        return before

    def firing(self):
        """{alert: the scrapes after which it fires}"""
        return evaluate(self.samples)


def evaluate(samples):
    series = collections.defaultdict(lambda: ["_"] * len(samples))
    for i, values in enumerate(samples):
        for (name, labels), value in values.items():
            series[f"{name}{{{labels}}}"][i] = value
    test = {"rule_files": [str(RULES)], "evaluation_interval": f"{STEP_S}s", "tests": [{
        "interval": f"{STEP_S}s",
        "input_series": [{"series": name, "values": " ".join(values)}
                         for name, values in series.items()],
        "promql_expr_test": [{"expr": FIRING, "eval_time": f"{i * STEP_S}s"}
                             for i in range(len(samples))]}]}
    done = subprocess.run(["promtool", "test", "rules", "/dev/stdin"],
                          input=json.dumps(test), capture_output=True, text=True,
                          timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == 0 or "got:" in said, said
    found = collections.defaultdict(set)
    for name, line in re.findall(r"time: (\S+),\s*\n?(.*?)(?=expr:|\Z)", said, re.S):
        for alert in re.findall(r'alertname="(\w+)"', line):
            found[alert].add(seconds(name) // STEP_S)
    return dict(found)


def seconds(text):
    """"1m30s" -> 90"""
    return sum(int(n) * {"h": 3600, "m": 60, "s": 1}[unit]
               for n, unit in re.findall(r"(\d+)([hms])", text))
