# conftest.py - what the tests that need a running Belfry share
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("BELFRY_BUILDDIR", str(ROOT / "build/check/san"))


def make_stack(**options):
    """BELFRY_POOLER=1 runs any test with belfry-api behind pgbouncer."""
    if os.environ.get("BELFRY_POOLER") == "1":
        from harness.pooler import PooledStack as Stack
    else:
        from harness.stack import Stack
    return Stack(**options)


def no_complaints(stack):
    """Fails with the lines at warn or above that nobody declared."""
    lines = [json.dumps(line, ensure_ascii=False)
             for line in stack.logs.unexpected()]
    if lines:
        pytest.fail("unexpected in the logs:\n" + "\n".join(lines[:40]),
                    pytrace=False)


def end_stack(stack):
    """Stops a stack; a program that complains while it stops is a failure."""
    stack.logs.mark()
    try:
        stack.down()
        no_complaints(stack)
    finally:
        stack.remove()


@pytest.fixture(scope="session")
def issuers():
    """Issuers of access tokens by their names: "sso" has Keycloak's habits, "plain"
    those of RFC 9068, the others are for tests that change their keys.  Nobody
    configured the "stranger"."""
    from harness.issuer import Issuer
    made = {name: Issuer() for name in
            ("plain", "stranger", "i0", "i1", "i2", "i3", "i4", "i5")}
    made["sso"] = Issuer("/realms/shop")
    yield made
    for issuer in made.values():
        issuer.close()


@pytest.fixture(scope="session")
def shared_stack(issuers):
    """One running Belfry for all tests of a pytest process."""
    from harness.issuer import settings_of
    stack = make_stack(settings=settings_of(issuers))
    try:
        yield stack.up()
    finally:
        end_stack(stack)


@pytest.fixture(scope="session")
def public_stack():
    """A Belfry that the world knows by the name harness.hooks.PUBLIC."""
    from harness.hooks import PUBLIC
    stack = make_stack(settings={"api.public_url": PUBLIC})
    try:
        yield stack.up()
    finally:
        end_stack(stack)


def pytest_runtest_setup(item):
    """Only a Belfry of a test's own is started with what the test says."""
    if item.get_closest_marker("settings") and \
            "own_stack" not in item.fixturenames:
        pytest.fail("settings without own_stack change nothing", pytrace=False)


def watched(request, stack):
    stack.logs.mark()
    for marker in request.node.iter_markers("expect_log"):
        stack.logs.allow(marker.args[0])
    yield stack
    no_complaints(stack)


@pytest.fixture
def stack(request, shared_stack):
    """The shared Belfry.  A line at warn or above in the log of its programs
    fails the test, unless the test says @pytest.mark.expect_log(pattern) or
    calls stack.logs.allow(pattern).  What its tenants left undone rests then, so
    that nobody else hears of it."""
    before = len(shared_stack.tenants)
    try:
        yield from watched(request, shared_stack)
    finally:
        shared_stack.suspend(shared_stack.tenants[before:])


@pytest.fixture
def own_stack(request):
    """A Belfry for this test alone, which may be killed and restarted.

    @pytest.mark.settings(settings={"section.key": "value"}, fast=False)
    says what it is started with.
    """
    marker = request.node.get_closest_marker("settings")
    stack = make_stack(**(marker.kwargs if marker else {}))
    try:
        stack.up()
        yield from watched(request, stack)
    finally:
        end_stack(stack)


@pytest.fixture
def tenant(stack):
    """A fresh tenant of the shared Belfry."""
    from harness.tenant import Tenant
    return Tenant(stack)


@pytest.fixture
def other_tenant(stack):
    from harness.tenant import Tenant
    return Tenant(stack)


@pytest.fixture
def own_tenant(own_stack):
    """A fresh tenant of the test's own Belfry."""
    from harness.tenant import Tenant
    return Tenant(own_stack)


@pytest.fixture
def provider():
    """A provider that keeps what it gets."""
    from harness.fake_provider import FakeProvider
    with FakeProvider() as provider:
        provider.keep_bodies = True
        yield provider


@pytest.fixture(scope="session")
def authority(shared_stack):
    """A certificate authority whose files the spooler can read."""
    from harness.certificates import Authority
    return Authority(shared_stack.directory / "tls")
