# test_clock.py - a spooler whose wall clock jumps
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime
import glob
import re
import time

import pytest

from harness.api import mail
from harness.size import size
from harness.tenant import Tenant
from harness.wait import wait_until

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
NOTIFICATIONS = size(60, 100)
RECIPIENTS = size(1, 100)
SPAN_S = size(6, 60)
STALL_S = 10 # one poll interval (1 s), and what a loaded machine takes
EARLY_S = 0.02 # the clock of files has steps


@pytest.fixture
def clock(own_stack, monkeypatch, tmp_path):
    """The spooler's clock: how many seconds it is wrong by, set at any time."""
    library, = glob.glob(LIBRARY)
    offset = own_stack.directory / "offset"

    def jump(seconds):
        new = offset.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.chmod(0o644)
        new.rename(offset)

    jump(0)
    own_stack.stop("spooler")
    with monkeypatch.context() as patch:
        patch.setenv("BELFRY_SPOOLER_PRELOAD", library)
        patch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
        patch.setenv("FAKETIME_NO_CACHE", "1")
        patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        patch.setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0")
        own_stack.start("spooler")
    yield jump
    jump(0)


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat(
        timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.D11
def test_d11_nothing_goes_early_and_nothing_stalls(own_stack, clock):
    """RELIABILITY D11: an hour forth and an hour back, with messages due all along."""
    tenant = Tenant(own_stack)
    begin = time.time() + size(2, 10)
    due = {}
    for i in range(NOTIFICATIONS):
        at = begin + i * SPAN_S / NOTIFICATIONS
        people = [f"c{i}-{k}@example.org" for k in range(RECIPIENTS)]
        due.update({address: at for address in people})
        tenant.api.accepted(mail(to=[{"email": address} for address in people],
                                 send_at=stamp(at)))
    for share, offset in ((0.2, 3600), (0.5, -3600), (0.8, 0)):
        time.sleep(max(0, begin + share * SPAN_S - time.time()))
        clock(offset)
    tenant.wait_for_mails(len(due), timeout=30 + SPAN_S)
    tenant.idle()
    seen = {}
    for path in (tenant.maildir / "new").iterdir():
        text = path.read_text()
        address = re.search(r"^To: .*?([\w-]+@example\.org)", text, re.M)[1]
        seen[address] = path.stat().st_mtime
    assert len(seen) == len(due)
    late = {address: seen[address] - due[address] for address in due}
    assert min(late.values()) >= -EARLY_S, "early"
    assert max(late.values()) <= STALL_S, "stalled"
    wrong = tenant.rows("SELECT state FROM delivery WHERE tenant_id = %s "
                        "AND state <> 4")
    assert wrong == []


@pytest.mark.D11
def test_d11_deadlines_are_the_databases(own_stack, clock):
    """A clock that is an hour fast expires nothing that has half an hour left."""
    clock(3600)
    tenant = Tenant(own_stack)
    identity = tenant.api.accepted(mail(
        expires_at=stamp(time.time() + 1800), send_at=stamp(time.time() + 1)))
    tenant.api.ended(identity)
    assert tenant.api.notification(identity)["deliveries"][0]["state"] == "sent"
