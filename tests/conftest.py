# conftest.py - what the tests that need a running Belfry share
#
# SPDX-License-Identifier: BSD-2-Clause
import email
import email.policy
import itertools
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("BELFRY_BUILDDIR", str(ROOT / "build/check/san"))


def make_stack(**options):
    from harness.stack import Stack
    return Stack(**options)


def end_stack(stack):
    """Stops a stack; a program that complains while it stops is a failure."""
    stack.logs.mark()
    stack.down()
    complaints = stack.logs.unexpected()
    stack.remove()
    assert complaints == []


@pytest.fixture(scope="session")
def shared_stack():
    """One running Belfry for all tests of a pytest process."""
    stack = make_stack().up()
    yield stack
    end_stack(stack)


def watched(request, stack):
    stack.logs.mark()
    for marker in request.node.iter_markers("expect_log"):
        stack.logs.allow(marker.args[0])
    yield stack
    assert stack.logs.unexpected() == []


@pytest.fixture
def stack(request, shared_stack):
    """The shared Belfry.  A line at warn or above in the log of its programs
    fails the test, unless the test says @pytest.mark.expect_log(pattern) or
    calls stack.logs.allow(pattern)."""
    yield from watched(request, shared_stack)


@pytest.fixture
def own_stack(request):
    """A Belfry for this test alone, which may be killed and restarted."""
    marker = request.node.get_closest_marker("settings")
    stack = make_stack(**(marker.kwargs if marker else {})).up()
    yield from watched(request, stack)
    end_stack(stack)
