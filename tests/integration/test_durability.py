# test_durability.py - whether PostgreSQL keeps what it commits is looked at (RELIABILITY D2)
#
# SPDX-License-Identifier: BSD-2-Clause
import json

import pytest
import requests

from harness.logs import FAST
from harness.wait import wait_until


def restart(stack):
    """What the programs say when they start anew, by program."""
    stack.logs.mark()
    for program in ("api", "spooler"):
        stack.stop(program)
        stack.start(program)
    return {program: [line["because"] for line in stack.logs.lines(program)
                      if line["msg"] == FAST] for program in ("api", "spooler")}


def unsafe(stack):
    text = requests.get(stack.url + "/metrics", timeout=10).text
    return {name: f'belfry_db_commits_unsafe{{program="{name}"}} 1' in text
            for name in ("api", "spooler")}


@pytest.mark.D2
def test_what_is_switched_off_is_told(own_stack):
    off = "fsync is off, full_page_writes is off, synchronous_commit is off"
    assert restart(own_stack) == {"api": [off], "spooler": [off]}
    wait_until(lambda: unsafe(own_stack) == {"api": True, "spooler": True},
               10, "the metric")
    # A role may have a setting of its own.
    for sql in ("ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
                "SELECT pg_reload_conf()",
                "ALTER ROLE belfry_spooler SET synchronous_commit = local"):
        own_stack.rows(sql)
    said = restart(own_stack)
    assert said["api"] == [off]
    assert said["spooler"] == [
        "fsync is off, full_page_writes is off, synchronous_commit is local "
        "though there are synchronous standbys"]
    found = {row["text"] for row in json.loads(
                 own_stack.run_ctl("--json", "doctor").stdout)
             if row["check"] == "durability"}
    assert {text.split(":")[0] for text in found} == \
        {"belfry_api", "belfry_spooler"}


@pytest.mark.D2
@pytest.mark.settings(fast=False)
def test_nothing_is_said_when_all_is_well(own_stack):
    assert restart(own_stack) == {"api": [], "spooler": []}
    assert unsafe(own_stack) == {"api": False, "spooler": False}
