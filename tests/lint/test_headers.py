# test_headers.py - each header compiles alone
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import shutil
import subprocess

import pytest

from lint import source

LIBRARIES = ["libpq", "libmemcached", "jansson", "libcurl", "libcrypto",
             "libsodium", "inih"]
COMPILER = os.environ.get("CC", "cc").split()[-1]


@pytest.fixture(scope="session")
def command():
    flags = subprocess.run(["pkg-config", "--cflags", *LIBRARIES],
                           capture_output=True, text=True, check=True)
    assert shutil.which(COMPILER), f"there is no compiler {COMPILER}"
    build = os.environ.get("BELFRY_BUILDDIR", source.ROOT / "build")
    return [COMPILER, "-std=gnu17", "-Wall", "-Wextra", "-Werror",
            "-Wno-unused-parameter", "-fsyntax-only", f"-I{source.SRC}",
            f"-I{build}", f"-I{build}/src", '-DBELFRY_SYSCONFDIR="/etc"',
            '-DBELFRY_RUNDIR="/run"', '-DBELFRY_DATADIR="/usr/share"',
            *flags.stdout.split(), "-x", "c", "-"]


def complaint(command, text):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("path", source.files(".h", under="src"),
                         ids=source.name)
def test_header_stands_alone(path, command):
    include = f'#include "{path.relative_to(source.SRC)}"\n'
    assert complaint(command, include * 2 + "int nothing;\n") == ""


def test_the_check_itself(command):
    assert complaint(command, "struct missing field;\n") != ""
