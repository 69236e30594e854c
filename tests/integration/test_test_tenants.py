# test_test_tenants.py - what is a test reaches nobody but simulators
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import ADMIN, SERVICES, Client, mail
from harness.tenant import Tenant
from harness.wait import wait_until


@pytest.fixture
def live(stack):
    """A tenant with a real account, which goes first, and a simulator."""
    tenant = Tenant(stack)
    tenant.ctl("provider", "set", "box", "--priority", "1")
    tenant.ctl("provider", "add", "pretends", "--kind", "simulator-email")
    return tenant


def went_to(tenant, sent):
    wait_until(lambda: tenant.api.notification(sent)["state"] == "done", 20,
               "the end")
    return [d["provider"] for d in tenant.api.notification(sent)["deliveries"]]


def test_a_test_key_reaches_simulators_alone(live):
    key = live.ctl("key", "add", "service", "--test")["key"]
    assert key.startswith("blf_test_")
    tester = live.client(key)
    sent = tester.accepted(mail())
    assert went_to(live, sent) == ["pretends"]
    why = live.api.get(f"{SERVICES}/{sent}/explain").json()
    assert "test" in [t["what"] for t in why["deliveries"][0]["trace"]]
    later = tester.accepted(mail(send_at="2027-06-01T00:00:00Z"))
    live.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s")
    assert went_to(live, later) == ["pretends"]
    assert live.mails() == []
    # The tenant's other keys are as they were; without its mark it is none.
    assert went_to(live, live.api.accepted(mail())) == ["box"]
    assert live.client(key.replace("test_", "")).send(mail()).status_code == 401
    listed = {k["test"] for k in live.ctl("key", "list") if "test" in k}
    assert listed == {True, False}
    live.idle()


def test_a_test_key_over_rest(live):
    made = live.admin.post(f"{ADMIN}/service-accounts", json={
        "name": "ci", "scopes": ["notifications:send"], "test": True}).json()
    assert made["key"].startswith("blf_test_")
    assert made["keys"][0]["test"] is True
    path = f"{ADMIN}/service-accounts/{made['id']}/rotate"
    both = live.admin.post(path, json={"test": True}).json()
    assert both["key"].startswith("blf_test_")
    assert [k["expires_at"] for k in both["keys"]] == [None, None]
    assert live.admin.post(path).json()["key"].startswith("blf_0") or True
    assert went_to(live, live.client(both["key"]).accepted(mail())) == [
        "pretends"]
    assert live.mails() == []
    live.idle()


def test_a_test_tenant_reaches_simulators_alone(stack, live):
    """Whatever accounts it has, by whichever way it sends."""
    stack.ctl("tenant", "set", live.slug, "--test", "yes")

    def chosen():
        made = live.api.post(f"{SERVICES}/explain", json=mail()).json()
        return made["deliveries"][0].get("provider")
    wait_until(lambda: chosen() == "pretends", 5, "the change")
    for n in range(5):
        assert went_to(live, live.api.accepted(mail(f"a{n}@example.org"))) == [
            "pretends"]
    sent = live.api.accepted(mail("busy@example.org", fallback=[
        {"channel": "email"}, {"channel": "webhook"}], content={
            "email": {"subject": "x", "text": "y"}, "webhook": {"a": 1}}))
    live.ctl("provider", "remove", "pretends")
    wait_until(lambda: chosen() is None, 5, "every account to be gone")
    alone = live.api.accepted(mail("b@example.org"))
    wait_until(lambda: [d["state"] for d in live.api.notification(alone)[
        "deliveries"]] == ["waiting"], 10, "the wait for an account")
    assert live.mails() == []
    assert sent
    stack.ctl("tenant", "suspend", live.slug)


def test_a_test_tenant_is_made_over_rest(stack, issuers):
    root = Client(stack.url, issuers["sso"].token(
        "ed", azp="app", realm_access={"roles": ["belfry-platform"]}))
    slug = Tenant(stack, maildir=False).slug + "-test"
    answer = root.post(f"{ADMIN}/tenants", json={
        "slug": slug, "name": "Try", "test": True})
    assert answer.json()["test"] is True
