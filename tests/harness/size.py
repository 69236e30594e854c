# size.py - tests with a short form for every day and a full one for its figures
#
# SPDX-License-Identifier: BSD-2-Clause
import os

FULL = os.environ.get("BELFRY_FULL") == "1"


def size(short, full):
    """What tests/fault/run --full makes larger."""
    return full if FULL else short


def bound(limit, loaded):
    """The limit of a statement; in the short form at least what a machine keeps to that
    has other work meanwhile.  doc/reliability.md names both."""
    return limit if FULL else max(limit, loaded)
