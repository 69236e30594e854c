# test_tenant_state.py - what waits when a tenant or its provider goes away
#
# SPDX-License-Identifier: BSD-2-Clause
import time

import pytest

from harness.api import mail
from harness.smtp import FaultyServer
from harness.wait import wait_until

FAR = "2027-06-01T00:00:00Z"


def release(stack, tenant):
    stack.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s",
               tenant.id)


def test_suspended_tenant_is_sent_nothing_for(stack, tenant, other_tenant):
    """Neither what is to be routed nor what is to be sent again goes out; it
    is not lost either."""
    for n in range(3):
        tenant.api.accepted(mail(f"a{n}@example.org", send_at=FAR))
    stack.ctl("tenant", "suspend", tenant.slug)
    release(stack, tenant)
    wait_until(lambda: tenant.count("q_ready") == 3, 10, "the promotion")
    for n in range(20):
        other_tenant.api.accepted(mail(f"b{n}@example.org"))
        other_tenant.wait_for_mails(n + 1)
    assert tenant.mails() == []
    assert tenant.count("q_ready") == 3
    assert tenant.api.send(mail()).status_code == 403
    stack.ctl("tenant", "resume", tenant.slug)
    assert len(tenant.wait_for_mails(3)) == 3
    tenant.idle()


def test_suspended_between_attempts(stack, tenant_without_provider):
    """The lane of a channel stops as well."""
    tenant = tenant_without_provider
    with FaultyServer({"MAIL": "451 4.3.0 later"}) as server:
        tenant.add_provider("out", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        tenant.api.accepted(mail())
        wait_until(lambda: server.connections > 0, 10, "an attempt")
        stack.ctl("tenant", "suspend", tenant.slug)
        wait_until(lambda: tenant.count("q_ready") == 1, 10, "the queue")
        server.faults.clear()
        time.sleep(0.5)
        assert server.bodies == []
        stack.ctl("tenant", "resume", tenant.slug)
        wait_until(lambda: len(server.bodies) == 1, 10, "the mail")
        tenant.idle()


@pytest.mark.settings(settings={"retry.give_up_after": "2s",
                                "retry.account_delay": "500ms"})
def test_provider_gone_after_an_attempt(own_stack):
    """A delivery that nobody can send any more does not wait for ever."""
    from harness.tenant import Tenant
    tenant = Tenant(own_stack, maildir=False)
    with FaultyServer({"MAIL": "451 4.3.0 later"}) as server:
        tenant.add_provider("out", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        notification = tenant.api.accepted(mail())
        wait_until(lambda: server.connections > 0, 10, "an attempt")
        own_stack.ctl("provider", "remove", "out", tenant=tenant.slug)
    events = tenant.api.ended(notification)
    assert events[-2]["type"] == "delivery.dead"
    assert "no provider" in events[-2]["text"]
    tenant.idle()


@pytest.fixture
def tenant_without_provider(stack):
    from harness.tenant import Tenant
    return Tenant(stack, maildir=False)
