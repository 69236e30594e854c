# statement.py - a test of tests/fault/test_gate.py at its full size
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).resolve().parents[1] / "run"


def run(name, given):
    """Ends the program.  The test finds the options in its environment."""
    environment = {f"BELFRY_{name}_{option.upper()}": str(value)
                   for option, value in vars(given).items()}
    build = os.environ.get("BELFRY_BUILDDIR")
    sys.exit(subprocess.run(
        [RUN, "--full", *(["--build", build] if build else []), name],
        env={**os.environ, **environment}).returncode)
