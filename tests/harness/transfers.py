# transfers.py - runs transfers through the engine, without a Belfry around it
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import subprocess
from pathlib import Path

MESSAGE = "Subject: hello\r\n\r\nbody\r\n"


def program():
    return Path(os.environ["BELFRY_BUILDDIR"]) / "tests/tools/transfers"


def mail(server, **more):
    """A mail to a server of harness.smtp."""
    return {"url": f"smtp://127.0.0.1:{server.port}/client.test",
            "from": "a@example.org", "rcpt": "b@example.org", "body": MESSAGE,
            "timeout_ms": 5000, **more}


def run(transfers, in_flight=100, abort_at=None, **params):
    """The results in the order of the transfers; each has besides the longest
    time that the loop was held up."""
    job = {"in_flight": in_flight, "params": params, "transfers": transfers}
    if abort_at:
        job["abort_at"] = str(abort_at)
    done = subprocess.run([program()], input=json.dumps(job), text=True,
                          stdout=subprocess.PIPE, timeout=100, check=True)
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(r["index"] for r in lines) == list(range(len(transfers)))
    return [{**r, **last} for r in sorted(lines, key=lambda r: r["index"])]


def run_one(transfer, **params):
    return run([transfer], **params)[0]
