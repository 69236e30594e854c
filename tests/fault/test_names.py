# test_names.py - a resolver that fails, hangs and lies
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY P7: whatever a provider's name comes to, its deliveries are tried again,
# and nobody else waits for it.
import os
import subprocess
import time

import pytest

from harness.fake_provider import FakeProvider
from harness.stack import ROOT
from harness.tenant import Tenant
from harness.wait import wait_until

RETRY, ACCEPTED = 2, 1
NAMES = {"servfail": "servfail", "nxdomain": "nxdomain", "empty": "empty",
         "hang": "hang 60", "many": "many 1000"}
TIMEOUT_S = 5
MOST_S = 4  # less than that, and what a slow machine takes


@pytest.fixture
def resolver(own_stack):
    """Starts the spooler with a resolver that reads the file it returns."""
    library = own_stack.directory / "bin/resolver.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library,
                    ROOT / "tests/tools/resolver.c", "-lc"], check=True)
    library.chmod(0o755)
    names = own_stack.directory / "bin/names"
    names.write_text("\n".join(f"{name}.test {how}"
                               for name, how in NAMES.items()) + "\n")
    names.chmod(0o644)
    own_stack.stop("spooler")
    os.environ.update(LD_PRELOAD=str(library), BELFRY_RESOLVER=str(names),
                      ASAN_OPTIONS="verify_asan_link_order=0:"
                      "detect_leaks=0")
    try:
        own_stack.start("spooler")
    finally:
        for name in ("LD_PRELOAD", "BELFRY_RESOLVER", "ASAN_OPTIONS"):
            del os.environ[name]
    return names


def tenant_of(stack, host, provider, channel):
    tenant = Tenant(stack, maildir=False)
    if channel == "webhook":
        tenant.add_provider("out", "webhook",
                            url=f"http://{host}:{provider.http_port}/hook")
    else:
        tenant.add_provider("out", "smtp", host=host, port=provider.smtp_port,
                            tls="none", **{"from": "shop@example.org"})
    return tenant


def send(tenant, channel, count):
    return tenant.api.accepted({
        "to": [{"email": f"n{i}@example.org"} for i in range(count)],
        "channels": [channel],
        "content": {"email": {"subject": "s", "text": "t"},
                    "webhook": {"a": "b"}}})


def attempts(tenant):
    return tenant.rows("""
        SELECT a.class, a.code, a.text,
            extract(epoch FROM a.finished_at - a.started_at)::float AS took
        FROM attempt a WHERE a.tenant_id = %s AND a.finished_at IS NOT NULL""")


def states(tenant):
    return {row["state"] for row in tenant.rows(
        "SELECT DISTINCT state FROM delivery WHERE tenant_id = %s")}


@pytest.mark.P7
@pytest.mark.settings(settings={
    "spooler.attempt_timeout": f"{TIMEOUT_S}s", "retry.delay_first": "1h",
    "retry.delay_max": "1h"})
@pytest.mark.parametrize("channel", ["webhook", "email"])
@pytest.mark.expect_log(".*")
def test_names_that_come_to_nothing(own_stack, resolver, channel):
    count = 8
    with FakeProvider() as provider:
        tenants = {name: tenant_of(own_stack, f"{name}.test", provider, channel)
                   for name in NAMES}
        well = tenant_of(own_stack, "localhost", provider, channel)
        for tenant in tenants.values():
            send(tenant, channel, count)
        began = time.monotonic()
        notification = send(well, channel, count)
        wait_until(lambda: well.api.notification(notification)["state"]
                   == "done", 30, "the one whose name is well")
        took = max(a["took"] for a in attempts(well))
        assert took < MOST_S, f"others held it up for {took} s"
        print(f"  well after {time.monotonic() - began:.2f} s")
        for name, tenant in tenants.items():
            wait_until(lambda: attempts(tenant), 30, f"an attempt at {name}")
            if name == "many":
                continue
            for attempt in attempts(tenant):
                # Handed back before it began: its account has become slow.
                assert attempt["class"] in (RETRY, None), (name, attempt)
                assert attempt["took"] < TIMEOUT_S + MOST_S, (name, attempt)
            assert states(tenant) <= {1, 2, 3}, f"{name}: nothing is final"
        many = tenants["many"]
        assert {a["class"] for a in attempts(many)} <= {RETRY, ACCEPTED, None}
        assert states(many) <= {1, 2, 3, 4}
        # What is said when the last of them end is part of this test.
        for tenant in tenants.values():
            tenant.nothing_ready(60)
