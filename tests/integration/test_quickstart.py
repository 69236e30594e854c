# test_quickstart.py - the command that a stranger types first
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from harness.stack import QUICKSTART
from harness.wait import wait_until

VARIABLES = {
    "BELFRY_URL", "BELFRY_API_KEY", "BELFRY_ADMIN_KEY", "BELFRY_TENANT",
    "BELFRY_CONF", "BELFRY_MAILDIR", "PGHOST", "PGPORT", "PGDATABASE",
    "PGUSER", "BELFRY_API_PID", "BELFRY_SPOOLER_PID"}


@pytest.fixture
def directory():
    path = Path(tempfile.mkdtemp(prefix="belfry-q.", dir="/tmp"))
    yield path
    run("down", "--dir", path, "--purge")
    shutil.rmtree(path, ignore_errors=True)


def run(*arguments, **more):
    return subprocess.run([QUICKSTART, *map(str, arguments)],
                          capture_output=True, text=True, timeout=120, **more)


def env(directory):
    """What a shell knows after reading DIR/env."""
    out = subprocess.run(["sh", "-c", f". {directory}/env && env"],
                         capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in out.splitlines()
                if line.split("=")[0] in VARIABLES)


def processes(directory):
    """Command lines that name the directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"{directory}/" in line and "quickstart" not in line:
            found.append(line)
    return found


def commands(output):
    """The commands to copy: the indented lines after "what to try next"."""
    return re.findall(r"^    (\S.*)$",
                      output[output.index("what to try next"):], re.MULTILINE)


def test_once():
    done = run("--no-install", "--once", "--port", 0)
    assert done.returncode == 0, done.stderr
    directory = re.search(r"in (/\S+/belfry\.\w+)", done.stderr).group(1)
    for word in ("Subject:", "ann@example.org", "delivery.sent",
                 "notification.accepted"):
        assert word in done.stdout
    assert len(commands(done.stdout)) == 3
    mail = done.stdout.split("the mail as received")[1].split("its timeline")[0]
    assert "\n[text/plain]\n" in mail and "\n[text/html]\n" in mail
    assert mail.count("\n") < 70 and max(map(len, mail.split("\n"))) < 250
    assert re.search(r"characters in all: see /\S+/mail/new/\S+, which is there "
                     "until this ends; it stays with --dir]", mail)
    assert not Path(directory).exists()
    assert processes(directory) == []


def test_once_more(directory):
    """In a directory that is there already: the second run shows its own mail."""
    shown = []
    for _ in range(2):
        done = run("--no-install", "--once", "--port", 0, "--dir", directory)
        assert done.returncode == 0, done.stderr
        shown.append(re.search(r"as received: (.*)", done.stdout).group(1))
    assert shown[0] != shown[1]
    assert shown[1] == str(max((directory / "mail/new").iterdir()))


def test_a_directory_from_here(directory):
    def here(*arguments):
        done = run(*arguments, "--dir", directory.name, cwd=directory.parent)
        assert done.returncode == 0, (arguments, done.stderr)
        return done
    here("up", "--no-install", "--port", 0)
    for part in ("spooler", "api", "lighttpd", "memcached", "postgres"):
        here("stop", part)
    for part in ("postgres", "memcached", "api", "spooler", "lighttpd"):
        here("start", part)
    assert here("status").stdout.count("runs") == 5
    assert requests.get(env(directory)["BELFRY_URL"] + "/health/ready",
                        timeout=5).status_code == 200
    here("down")
    assert processes(directory) == []


def hear_ctrl_c():
    """Which who runs tests in the background does not, nor what he starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_until_ctrl_c(tmp_path):
    """It stays; the printed commands work as they are; Ctrl-C cleans up."""
    process = subprocess.Popen(
        [QUICKSTART, "--no-install", "--port", "0"], text=True,
        stdout=open(tmp_path / "out", "w"), stderr=open(tmp_path / "err", "w"),
        start_new_session=True, preexec_fn=hear_ctrl_c)
    try:
        wait_until(lambda: "until Ctrl-C" in (tmp_path / "err").read_text()
                   or process.poll() is not None, 120, "the first mail")
        assert process.poll() is None, (tmp_path / "err").read_text()
        printed = commands((tmp_path / "out").read_text())
        for command in printed:
            done = subprocess.run(["bash", "-c", command], text=True,
                                  capture_output=True, timeout=60)
            assert done.returncode == 0, (command, done.stderr)
            assert '"status"' not in done.stdout, (command, done.stdout)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    text = (tmp_path / "err").read_text()
    assert text.endswith("until Ctrl-C.\nStopping\n")
    directory = re.search(r"in (/\S+/belfry\.\w+)", text).group(1)
    assert not Path(directory).exists()
    assert processes(directory) == []


def test_up_status_down(directory):
    assert run("up", "--no-install", "--dir", directory, "--port", 0,
               "--tenant", "acme").returncode == 0
    known = env(directory)
    assert set(known) == VARIABLES
    assert known["BELFRY_TENANT"] == "acme"
    assert requests.get(known["BELFRY_URL"] + "/health/ready",
                        timeout=5).status_code == 200
    for name in ("BELFRY_API_PID", "BELFRY_SPOOLER_PID"):
        line = Path(f"/proc/{known[name]}/cmdline").read_text()
        assert str(directory) in line
    assert (directory / "env").stat().st_mode & 0o077 == 0

    status = run("status", "--dir", directory)
    assert status.returncode == 0
    assert status.stdout.count("runs") == 5
    assert known["BELFRY_URL"] in status.stdout

    assert run("down", "--dir", directory).returncode == 0
    assert run("status", "--dir", directory).returncode == 3
    assert processes(directory) == []

    # Started again it is the same: port, keys, data.
    assert run("up", "--no-install", "--dir", directory).returncode == 0
    again = env(directory)
    for name in ("BELFRY_URL", "BELFRY_API_KEY", "BELFRY_ADMIN_KEY"):
        assert again[name] == known[name]


def test_up_twice_is_no_harm(directory):
    assert run("up", "--no-install", "--dir", directory,
               "--port", 0).returncode == 0
    before = env(directory)
    assert run("up", "--no-install", "--dir", directory).returncode == 0
    assert env(directory) == before


@contextmanager
def taken_port():
    """Not one of those that connections of other tests get meanwhile."""
    with socket.socket() as taken:
        while taken.getsockname()[1] == 0:
            try:
                taken.bind(("127.0.0.1", random.randrange(20000, 32000)))
            except OSError:
                pass
        taken.listen()
        yield taken.getsockname()[1]


def test_a_taken_port_is_told(directory):
    """Before anything is built or made."""
    with taken_port() as port:
        done = run("up", "--no-install", "--dir", directory, "--port", port,
                   env={**os.environ, "BELFRY_BUILDDIR": "/nonexistent"})
    assert done.returncode == 1
    assert done.stderr == f"quickstart: port {port} is taken: name another " \
        "one with --port, or leave it out\n"
    assert list(directory.iterdir()) == []


def test_another_port(directory):
    """The same stack moves; a taken one leaves it where it is."""
    def up(*more):
        return run("up", "--no-install", "--dir", directory, "--fast", *more)
    assert up("--port", 0).returncode == 0
    before = env(directory)
    with taken_port() as port:
        assert up("--port", port).returncode == 1
        assert env(directory) == before
    done = up("--port", port)
    assert done.returncode == 0, done.stderr
    assert env(directory) == {**before, "BELFRY_URL": f"http://127.0.0.1:{port}"}
    assert requests.get(f"http://127.0.0.1:{port}/health/ready",
                        timeout=5).status_code == 200
    assert up("--port", 0).returncode == 0
    assert env(directory)["BELFRY_URL"].endswith(f":{port}")


def test_a_new_build_is_taken_up(directory, tmp_path):
    """What runs is started anew when its program has changed, and only then."""
    programs = ("belfry-api", "belfry-spooler", "belfryctl")
    build = Path(os.environ["BELFRY_BUILDDIR"])
    for name in programs:
        shutil.copy2(build / name, tmp_path / name)

    def up():
        done = run("up", "--no-install", "--dir", directory, "--port", 0, "--fast",
                   env={**os.environ, "BELFRY_BUILDDIR": str(tmp_path)})
        assert done.returncode == 0, done.stderr
        return done.stderr, env(directory)
    _, first = up()
    told, second = up()
    assert first == second and "anew" not in told
    with open(tmp_path / "belfry-api", "ab") as program:
        program.write(b"\0")
    told, third = up()
    assert "Program or configuration has changed: starting belfry-api anew\n" in told
    assert third["BELFRY_API_PID"] != first["BELFRY_API_PID"]
    assert third["BELFRY_SPOOLER_PID"] == first["BELFRY_SPOOLER_PID"]
    assert (directory / "bin/belfry-api").read_bytes() == \
        (tmp_path / "belfry-api").read_bytes()
    assert requests.get(third["BELFRY_URL"] + "/health/ready",
                        timeout=5).status_code == 200


def test_a_new_build_that_fails_leaves_the_old_one(directory, tmp_path):
    build = Path(os.environ["BELFRY_BUILDDIR"])
    for name in ("belfry-api", "belfry-spooler", "belfryctl"):
        shutil.copy2(build / name, tmp_path / name)

    def up():
        return run("up", "--no-install", "--dir", directory, "--port", 0, "--fast",
                   env={**os.environ, "BELFRY_BUILDDIR": str(tmp_path)})
    assert up().returncode == 0
    before = env(directory)
    with open(tmp_path / "belfry-spooler", "ab") as program:
        program.write(b"\0")
    (tmp_path / "belfryctl").write_text(
        f'#!/bin/sh\ncase "$*" in *migrate*) exit 1 ;; esac\n'
        f'exec {directory}/whole "$@"\n')
    shutil.copy2(build / "belfryctl", directory / "whole")
    done = up()
    assert done.returncode == 1 and "belfryctl migrate failed" in done.stderr
    status = run("status", "--dir", directory)
    assert status.returncode == 0, status.stdout
    for part in ("API", "SPOOLER"):
        assert f"process {before[f'BELFRY_{part}_PID']}\n" in status.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives directories away")
def test_the_directory_of_somebody_else(directory):
    """At once, whatever is in it."""
    (directory / "init.json").write_text("unreadable")
    shutil.chown(directory, "nobody")
    done = run("up", "--no-install", "--dir", directory)
    assert done.returncode == 1
    assert done.stderr == f"quickstart: {directory} belongs to somebody else\n"


def test_the_tenant_of_a_directory_stays(directory):
    def up(*more):
        return run("up", "--no-install", "--dir", directory, "--port", 0, *more)
    assert up("--tenant", "acme").returncode == 0
    assert up("--tenant", "acme").returncode == 0
    done = up("--tenant", "shop")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert 'is "acme"' in done.stderr and "tenant add shop" in done.stderr


def test_a_part_that_ended_at_once_does_not_run(directory):
    """So fast that its start time could not be read any more."""
    (directory / "run").mkdir()
    gone = subprocess.Popen(["true"])
    gone.wait()
    (directory / "run/lighttpd.pid").write_text(f"{gone.pid} \n")
    assert "runs" not in run("status", "--dir", directory).stdout


@pytest.mark.parametrize("arguments, status", [
    (["--nonsense"], 2), (["start", "engine"], 2), (["--help"], 0),
    (["down", "--dir", "/nonexistent"], 1),
])
def test_arguments(arguments, status):
    assert run(*arguments).returncode == status


def test_a_directory_too_deep_for_sockets(tmp_path):
    done = run("up", "--no-install", "--dir", tmp_path / ("x" * 90))
    assert done.returncode == 1
    assert "too long" in done.stderr


def test_an_option_without_its_value():
    done = run("up", "--port")
    assert (done.returncode, done.stderr) == (2, "quickstart: --port needs a value\n")


@pytest.mark.parametrize("arguments, word", [
    (["--nonsense"], '"--nonsense" is not known'),
    (["stop"], "stop needs a part: postgres"),
    (["stop", "engine"], "stop needs a part: postgres"),
    (["up", "--port", "http"], "--port http is not a port"),
    (["up", "--set", "workers=5"], "--set workers=5 is not SECTION.KEY=VALUE"),
    (["up", "--unset", "workers"], "--unset workers is not SECTION.KEY"),
])
def test_a_fault_is_one_line(arguments, word):
    done = run(*arguments)
    assert done.returncode == 2
    assert word in done.stderr and done.stderr.count("\n") == 1


def test_a_tenant_that_cannot_be(directory):
    done = run("up", "--no-install", "--dir", directory, "--port", 0,
               "--tenant", "Bad_Name")
    assert done.returncode == 1
    assert '\nthe slug "Bad_Name" is not made of' in done.stderr


def test_set_counts_at_once(directory):
    """In what runs already, too, also what a reload does not take up; a fault there
    changes nothing."""
    def up(*more):
        return run("up", "--no-install", "--dir", directory, *more)

    def pids():
        known = env(directory)
        return {known["BELFRY_API_PID"], known["BELFRY_SPOOLER_PID"]}
    assert up("--port", 0, "--set", "api.workers=2").returncode == 0
    before, first = (directory / "belfry.conf").read_text(), pids()
    done = up("--set", "api.workers=0")
    assert done.returncode == 1
    assert "api.workers" in done.stderr and "look at --set" in done.stderr
    assert (directory / "belfry.conf").read_text() == before
    assert run("status", "--dir", directory).returncode == 0
    done = up("--set", "spooler.db_connections=4")
    assert done.returncode == 0
    assert "starting belfry-api and belfry-spooler anew\n" in done.stderr
    second = pids()
    assert not first & second
    assert up("--set", "spooler.db_connections=4").returncode == 0
    assert pids() == second


def test_set_stays(directory):
    def up(*more):
        return run("up", "--no-install", "--dir", directory, "--fast", *more)

    def workers():
        text = (directory / "belfry.conf").read_text()
        return re.findall(r"^(workers|level) = (.*)$", text,
                          re.MULTILINE)
    assert up("--port", 0, "--set", "api.workers=2", "--set",
              "log.level=debug").returncode == 0
    assert up().returncode == 0
    assert workers() == [("workers", "2"), ("level", "debug")]
    assert up("--set", "api.workers=x").returncode == 1
    assert up("--set", "api.workers=3").returncode == 0
    assert workers() == [("workers", "3"), ("level", "debug")]
    assert up("--unset", "log.level").returncode == 0
    assert workers() == [("workers", "3")]
    assert up("--unset", "api.workers").returncode == 0
    assert workers() == [("workers", "4")]
