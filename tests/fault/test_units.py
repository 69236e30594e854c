# test_units.py - statements that unit tests try, so that tests/fault/run finds them
#
# SPDX-License-Identifier: BSD-2-Clause
#
# "make check" runs the same programs; here they are built if they are not there.
import os
import subprocess
from pathlib import Path

import pytest

from harness.size import size

P1 = ("test_known_answers", "test_answers", "test_smtp_judge", "test_json_providers")


def run(name, **environment):
    build = Path(os.environ["BELFRY_BUILDDIR"])
    program = f"tests/unit/{name}"
    if not (build / program).exists():
        subprocess.run(["make", "-s", program], cwd=build, check=True,
                       capture_output=True, text=True)
    # Where "make check" runs them, for the files that they read.
    done = subprocess.run(
        [build / program], cwd=build, capture_output=True, text=True, timeout=300,
        env={**os.environ, "srcdir": str(Path(__file__).parents[2]), **environment})
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.P1
@pytest.mark.parametrize("name", P1)
def test_each_answer_has_its_class(name):
    run(name)


@pytest.mark.D14
def test_any_order_keeps_the_books():
    run("test_model", BELFRY_MODEL_EVENTS=str(size(200000, 1000000)))
