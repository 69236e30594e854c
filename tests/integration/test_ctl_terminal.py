# test_ctl_terminal.py - what belfryctl prints on a terminal of 80 columns
#
# SPDX-License-Identifier: BSD-2-Clause
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from harness.wait import wait_until

LONG = "the-very-long-named-tenant-of-the-northern-region"
PROVIDER = "transactional-mail-through-the-relay"


def on_terminal(stack, *arguments, columns=80, lines=24):
    """What belfryctl writes to a terminal of this size, as lines."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ,
                struct.pack("HHHH", lines, columns, 0, 0))
    done = subprocess.Popen(
        [stack.directory / "bin/belfryctl", "-c", stack.directory / "belfry.conf",
         *arguments], stdin=subprocess.DEVNULL, stdout=slave,
        stderr=subprocess.DEVNULL)
    os.close(slave)
    text = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:
            more = b""
        if not more:
            break
        text += more
    os.close(master)
    assert done.wait(20) == 0
    return text.decode().replace("\x1b[H\x1b[J", "").replace("\r", "") \
        .rstrip("\n").split("\n")


def sent(stack, slug, *arguments):
    return stack.ctl("send", "--template", "welcome", "--to", *arguments,
                     tenant=slug)["id"]


@pytest.fixture(scope="module")
def busy(request, shared_stack):
    """Two tenants whose mails wait, by accounts with long names."""
    stack = shared_stack
    for slug in (LONG, "a"):
        stack.ctl("tenant", "add", slug)
        stack.ctl("seed", "--templates", stack.env["BELFRY_TEMPLATES"], tenant=slug)
        stack.ctl("key", "add", "service", "--scope", "notifications:send",
                  tenant=slug)
        stack.ctl("provider", "add", PROVIDER, "--kind", "simulator-email",
                  "--limit", "rate=1", "--limit", "rate_per=1h", tenant=slug)
        for i in range(3):
            sent(stack, slug, f"delivered+{i}@example.org")
    yield stack
    stack.rows("UPDATE tenant SET state = 2 WHERE slug = ANY(%s) OR slug LIKE "
               "'many-%%'", [LONG, "a"])


@pytest.mark.parametrize("arguments", [
    ["queue"], ["queue", "--by", "tenant"], ["queue", "--by", "lane"],
    ["queue", "--by", "provider"], ["top", "--once"]])
def test_a_line_is_a_line(busy, arguments):
    """Nothing is wider than the terminal, and columns stand below their heads."""
    lines = on_terminal(busy, *arguments)
    assert max(map(len, lines)) <= 80, lines
    names = arguments in (["queue"], ["queue", "--by", "tenant"])
    if names:
        assert any("the-v" in line and "region" in line and "\u2026" in line
                   for line in lines), lines
    whole = busy.run_ctl(*arguments).stdout
    assert "\u2026" not in whole
    assert LONG in whole or not names


def test_numbers_stand_below_the_end_of_their_head(busy):
    lines = on_terminal(busy, "queue")
    end = lines[0].index("LATER") + len("LATER")
    assert all(line[end - 1].isdigit() and line[end:end + 2] == "  "
               for line in lines[1:]), lines
    assert "EXACT" not in lines[0]


def test_what_is_said_goes_on_below_itself(busy):
    notification = sent(busy, LONG, "busy@example.org")
    lines = on_terminal(busy, "-t", LONG, "explain", notification)
    head = next(i for i, line in enumerate(lines) if line.startswith("DECISION"))
    why = lines[head].index("WHY")
    assert max(map(len, lines[head:])) <= 80, lines
    assert any(line[:why].strip() == "" and line[why:].strip()
               for line in lines[head + 1:]), lines


def test_top_leaves_out_what_does_not_fit(busy):
    for i in range(20):
        slug = f"many-{i}"
        busy.ctl("tenant", "add", slug)
        busy.ctl("seed", "--templates", busy.env["BELFRY_TEMPLATES"], tenant=slug)
        busy.ctl("key", "add", "service", "--scope", "notifications:send",
                 tenant=slug)
        sent(busy, slug, "x@example.org")
    lines = on_terminal(busy, "top", "--once", lines=24)
    assert len(lines) < 24 and any("more" in line for line in lines), lines
    assert len(busy.run_ctl("top", "--once").stdout.splitlines()) > 24


@pytest.mark.parametrize("arguments", [
    ["spooler", "status"], ["tenant", "list"], ["provider", "kinds", "smtp"],
    ["-t", LONG, "provider", "list"], ["-t", LONG, "key", "list"],
    ["-t", LONG, "audit", "list"], ["help"], ["help", "send"], ["help", "tenant"]])
def test_nothing_is_wider(busy, arguments):
    lines = on_terminal(busy, *arguments)
    assert max(map(len, lines)) <= 80, lines


def test_a_timeline_stays_readable(busy):
    """Too much for a line: the rest of each row stands below, aligned as well."""
    notification = sent(busy, LONG, "bounced@example.org")
    busy.ctl("provider", "set", PROVIDER, "--limit", "rate=", "--limit",
             "rate_per=", tenant=LONG)
    wait_until(lambda: "delivery.failed" in
               busy.run_ctl("show", notification, tenant=LONG).stdout, 20,
               "the end")
    lines = on_terminal(busy, "-t", LONG, "show", notification)
    assert max(map(len, lines)) <= 80, lines
    text = busy.run_ctl("show", notification, tenant=LONG).stdout
    for word in set(re.findall(r"\S+", text)) - {"-", LONG}:
        assert word in " ".join(lines) or word.startswith("transact") or \
            word in ("ATTEMPT", "CODE", "CLASS"), (word, lines)
