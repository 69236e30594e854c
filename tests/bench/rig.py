# rig.py - a Belfry built for speed, with a sink behind it
#
# SPDX-License-Identifier: BSD-2-Clause
#
# Everything as on a real host: optimised, no sanitizers, PostgreSQL waits for the
# disk, 16 workers, the default settings.  BELFRY_BUILDDIR names such a build (after
# "make bench"); without it one is made in build/bench.
import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import measure  # noqa: E402
from harness.stack import ROOT, Stack  # noqa: E402

HERE = Path(__file__).resolve().parent
DATA = {
    "order": "L-20417",
    "brand": {"name": "Larkspur Books", "url": "https://larkspur.example"},
    "items": [{"name": "The Bell-Ringer's Year", "quantity": 1}],
    "carrier": "Parcel Post",
    "tracking_url": "https://parcelpost.example/t/PP407188231905",
}
RECIPIENT = {"email": "n@N@@bench.example", "name": "Ann"}
SMALL = {"email": {
    "subject": "Order {{order}} is on its way",
    "text": "Hello,\n\nyour order {{order}} left our house today with "
            "{{carrier}}.\n\n{{#each items}}{{quantity}} x {{name}}\n{{/each}}\n"
            + "Thank you for buying from us. " * 60 + "\n"}}
DEPTH = ("SELECT (SELECT count(*) FROM q_ready) + (SELECT count(*) FROM q_leased)"
         " + (SELECT count(*) FROM q_later)")


def build():
    """The directory of an optimised build with the programs of tests/bench."""
    given = os.environ.get("BELFRY_BUILDDIR")
    directory = Path(given or ROOT / "build/bench")
    if not given:
        directory.mkdir(parents=True, exist_ok=True)
        if not (ROOT / "configure").exists():
            subprocess.run(["autoreconf", "-i"], cwd=ROOT, check=True)
        if not (directory / "Makefile").exists():
            subprocess.run([ROOT / "configure", "-q", "CFLAGS=-O2 -g"],
                           cwd=directory, check=True)
        subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "bench"],
                       cwd=directory, check=True, stdout=subprocess.DEVNULL)
    os.environ["BELFRY_BUILDDIR"] = str(directory)
    return directory


def arguments(description, **defaults):
    """Options --NAME with these defaults, and those that all scripts have."""
    parser = argparse.ArgumentParser(description=description)
    for name, value in defaults.items():
        parser.add_argument("--" + name, type=type(value), default=value,
                            help=f"default: {value}")
    parser.add_argument("--mail", choices=("shipped", "small"),
                        default="shipped",
                        help="shipped: the template order-shipped (about 15 kB"
                        " as sent); small: 2 kB of text that the request brings")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--set", action="append", default=[],
                        metavar="S.K=V", help="a line of belfry.conf")
    return parser.parse_args()


class Sink:
    """tests/bench/sink and what it counted."""

    def __init__(self, programs, directory):
        self.log = directory / "sink.log"
        self.mail = directory / "sink.mail"
        self.process = subprocess.Popen(
            [programs / "sink", "-l", self.log, "-m", self.mail],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.connection = socket.create_connection(("127.0.0.1", self.port))
        self.answers = self.connection.makefile("r")
        self.answers.readline()

    def ask(self, command):
        self.connection.sendall(command.encode() + b"\r\n")
        return self.answers.readline().split()[1:]

    def zero(self):
        self.ask("XZERO")

    def counts(self):
        mails, _, first_us, last_us = map(int, self.ask("XSTAT"))
        return mails, (last_us - first_us) / 1e6

    def arrivals(self):
        """{recipient: when the first MAIL command for it came}"""
        self.ask("XSTAT")
        found = {}
        for line in self.log.read_text().split("\n"):
            at, _, recipient = line.partition(" ")
            if recipient:
                found[recipient] = min(int(at), found.get(recipient, 1 << 62))
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait()


class HttpSink:
    """tests/bench/http_sink and what it counted."""

    def __init__(self, programs):
        self.programs = programs
        self.process = subprocess.Popen([programs / "http_sink"],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def counts(self):
        """Requests since the last call, and seconds from the first to the last."""
        with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/count", timeout=10) as answer:
            requests, first_us, last_us = map(int, answer.read().split())
        return requests, (last_us - first_us) / 1e6

    def bare(self, count, body_bytes, connections):
        """Requests a second of libcurl alone, and its CPU for one in us."""
        done = subprocess.run(
            [self.programs / "bare_http", "-p", str(self.port), "-n", str(count),
             "-b", str(body_bytes), "-c", str(connections)],
            capture_output=True, text=True, check=True)
        self.counts()
        requests, seconds, cpu = map(float, done.stdout.split())
        return requests / seconds, cpu / requests * 1e6


class Rig(Stack):
    def __init__(self, options, fast=False):
        super().__init__(fast=fast)
        self.settings = {"api.workers": options.workers,
                         "network.allowed": "127.0.0.1"}
        self.settings.update(s.split("=", 1) for s in options.set)
        self.programs = build() / "tests/bench"
        self.prefix = 0
        self.others = []
        body = {"to": RECIPIENT, "data": DATA}
        if options.mail == "shipped":
            body["template"] = "order-shipped"
        else:
            body["content"] = SMALL
        self.body = json.dumps(body)

    def __enter__(self):
        try:
            self.up()
            self.sink = Sink(self.programs, self.directory)
            self.ctl("provider", "add", "sink", "--kind", "smtp",
                     "--set", "host=127.0.0.1", "--set", f"port={self.sink.port}",
                     "--set", "tls=none", "--set", "from=bench@bench.example",
                     tenant=self.tenant)
            self.ctl("provider", "disable", "maildir", tenant=self.tenant)
            self.tenant_id = self.value("SELECT id FROM tenant WHERE slug = %s",
                                        self.tenant)
            time.sleep(1)  # until caches have forgotten the old provider
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *reason):
        for process in self.others:
            process.kill()
            process.wait()
        if hasattr(self, "sink"):
            self.sink.stop()
        self.quickstart("down", check=False)
        if os.environ.get("BENCH_KEEP"):
            print(f"kept: {self.directory}")
        else:
            self.remove()

    # State

    def empty(self):
        """Every run begins with the same tables and a finished checkpoint."""
        self.rows("TRUNCATE notification, delivery, attempt, event, q_ready,"
                  " q_leased, q_later, tenant_ready, idempotency")
        self.rows("CHECKPOINT")
        self.sink.zero()

    def empty_when_long(self, rows):
        if self.count("notification") > rows:
            self.wait_until_done(600)
            self.empty()

    def count(self, table, where="true"):
        return self.value(f"SELECT count(*) FROM {table} WHERE {where}")

    def wait_until_done(self, seconds=120, every=0.2):
        """Until the queue is empty and no notification is open.  Looking counts rows, so
        who measures CPU while a long queue is drained looks seldom."""
        end = time.monotonic() + seconds
        while self.value(DEPTH) or self.count("notification", "state < 3"):
            if time.monotonic() > end:
                raise RuntimeError(f"{self.value(DEPTH)} rows are still queued")
            time.sleep(every)

    def cpu(self, part):
        return measure.cpu_seconds(self.pid(part))

    # Load

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    def next_prefix(self):
        self.prefix += 1
        return f"bench{self.prefix}"

    def wrk(self, seconds, connections=32, mix=0, port=None):
        """wrk's own account: requests, requests per second, faults."""
        done = subprocess.run(
            ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s",
             "-s", HERE / "send.lua", f"http://127.0.0.1:{port or self.port}"],
            env={**os.environ, "BENCH_KEY": self.api_key,
                 "BENCH_BODY": self.body, "BENCH_PREFIX": self.next_prefix(),
                 "BENCH_MIX": str(mix)},
            capture_output=True, text=True, check=True)
        faults = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
        broken = re.search(r"Socket errors: (.*)", done.stdout)
        if not mix and (faults or broken):
            raise RuntimeError(done.stdout)
        return (int(re.search(r"(\d+) requests in", done.stdout)[1]),
                float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]))

    def wrk_hooks(self, seconds, connections, requests):
        """Receipts a second of these requests: path, body and headers each."""
        path = self.directory / "hooks"
        path.write_text("".join(
            "\n".join([target, body, *(f"{k}: {v}" for k, v in headers.items())])
            + "\n\n" for target, body, headers in requests))
        done = subprocess.run(
            ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "-s",
             HERE / "hooks.lua", f"http://127.0.0.1:{self.port}"],
            env={**os.environ, "BENCH_HOOKS": str(path)}, capture_output=True,
            text=True, check=True)
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            raise RuntimeError(done.stdout)
        return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])

    def pgbench(self, seconds, script="pgbench_accept.sql", more=None, clients=16):
        """Transactions and transactions per second of a bare insert."""
        ms = f"{int(time.time() * 1000):012x}"
        values = {"n": 0, "tenant": self.tenant_id,
                  "base": f"{ms[:8]}-{ms[8:]}-7000-8000-",
                  **(more or self.accepted_values())}
        defines = [x for k, v in values.items() for x in ("-D", f"{k}={v}")]
        done = subprocess.run(
            [self.postgres_bin() / "pgbench", "-n", "-M", "prepared",
             "-c", str(clients), "-j", "2", "-T", str(seconds),
             "-f", HERE / script, *defines],
            env={**os.environ, **self.env}, capture_output=True, text=True,
            check=True)
        return (int(re.search(r"processed: (\d+)", done.stdout)[1]),
                float(re.search(r"tps = ([\d.]+)", done.stdout)[1]))

    @staticmethod
    def accepted_values():
        """Of pgbench_accept.sql."""
        return {"account": "01900000-0000-7000-8000-000000000001",
                "template": "01900000-0000-7000-8000-000000000002",
                "request_id": "01900000-0000-7000-8000-000000000003",
                "recipients": json.dumps([RECIPIENT]), "data": json.dumps(DATA)}

    def postgres_bin(self):
        exe = os.readlink(f"/proc/{self.pid('postgres')}/exe")
        return Path(exe.removesuffix(" (deleted)")).parent

    def paced(self, rate, count, port=None):
        """{recipient: (sent, answered, status)}, times in microseconds."""
        done = subprocess.run(
            [self.programs / "paced", "-p", str(port or self.port), "-r",
             str(rate), "-n", str(count), "-k", self.api_key, "-i",
             self.next_prefix()],
            input=self.body, capture_output=True, text=True, check=True)
        lines = (map(int, line.split()) for line in done.stdout.split("\n")
                 if line)
        return {f"n{n}@bench.example": rest for n, *rest in lines}

    # The bare front: the same web server, one insert, nothing else

    def start_bare_front(self, workers):
        """Starts bare_post behind a lighttpd of its own; returns the port."""
        path = self.directory / "s/bare.sock"
        self.others.append(subprocess.Popen(
            [self.programs / "bare_post", path, str(workers),
             f"host={self.env['PGHOST']} port=5432 dbname=belfry user=postgres",
             str(self.tenant_id)]))
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        text = (self.directory / "lighttpd.conf").read_text()
        text = re.sub(r"server.port = \d+", f"server.port = {port}", text)
        text = text.replace("api.sock", "bare.sock")
        config = self.directory / "bare.conf"
        config.write_text(text)
        lighttpd = shutil.which("lighttpd", path=os.environ["PATH"]
                                + ":/usr/sbin")
        self.others.append(subprocess.Popen(
            [lighttpd, "-D", "-f", config], stderr=subprocess.DEVNULL))
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return port
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
