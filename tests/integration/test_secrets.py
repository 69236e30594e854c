# test_secrets.py - keys are in no environment, and nothing dumps core (C4)
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
from pathlib import Path

import pytest

from harness.stack import is_sanitized


def processes(stack):
    for part in ("api", "spooler"):
        yield stack.pid(part)
        yield from stack.workers(part)


def keys_of(stack):
    return sorted((stack.directory / "keys").glob("*.key"))


# C4: memory, environment, command line

def test_nothing_secret_in_environment_or_arguments(stack, tenant):
    keys = [p.read_text().strip() for p in keys_of(stack)]
    assert keys, "the ring is there"
    secrets = [k.lower() for k in keys] + [tenant.admin_key, stack.admin_key]
    for pid in processes(stack):
        for name in ("environ", "cmdline"):
            try:
                text = Path(f"/proc/{pid}/{name}").read_bytes()
            except PermissionError:
                continue # not even its own user may look
            assert not [s for s in secrets if s.encode() in text.lower()
                        or s.encode() in text]


def test_no_core_and_nobody_attaches(stack):
    if "BELFRY_DEBUG" in os.environ:
        pytest.skip("BELFRY_DEBUG asks for cores")
    for pid in processes(stack):
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0\s", limits)
        # Who is not dumpable belongs to root in /proc.
        if not is_sanitized(pid):
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0
