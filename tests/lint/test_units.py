# test_units.py - the systemd units leave little to attack
#
# SPDX-License-Identifier: BSD-2-Clause
import shutil
import subprocess

import pytest

from lint import source

UNITS = source.files(".in", under="conf")
UNITS = [p for p in UNITS if p.name.endswith(".service.in")]
PATHS = {"@SBINDIR@": "/usr/sbin", "@SYSCONFDIR@": "/etc/belfry",
         "@RUNDIR@": "/run/belfry", "@STATEDIR@": "/var/lib/belfry"}


def filled_in(path):
    text = path.read_text()
    for name, value in PATHS.items():
        text = text.replace(name, value)
    return text


def rating(directory, name, text):
    """What systemd-analyze says: 0 is safe, 10 is open."""
    unit = directory / name
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        capture_output=True, text=True, timeout=60)
    line = [x for x in done.stdout.split("\n") if "Overall exposure" in x]
    return float(line[0].split(":")[1].split()[0])


def test_there_are_units():
    assert len(UNITS) >= 2


@pytest.mark.parametrize("path", UNITS, ids=source.name)
def test_places_are_filled_in(path):
    assert "@" not in filled_in(path).replace("=@system-service", "") \
        .replace("=~@privileged @resources", "").replace("=@chown", "")


@pytest.mark.parametrize("path", UNITS, ids=source.name)
def test_issuers_and_providers_can_be_reached(path):
    settings = [line for line in path.read_text().splitlines()
                if line.startswith("IPAddress")]
    assert settings == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None,
                    reason="systemd is not installed")
@pytest.mark.parametrize("path", UNITS, ids=source.name)
def test_exposure(path, tmp_path):
    name = path.name[:-len(".in")]
    assert rating(tmp_path, name, filled_in(path)) <= 2.0
    assert rating(tmp_path, name, "[Service]\nExecStart=/bin/true\n") > 9
