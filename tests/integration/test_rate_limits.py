# test_rate_limits.py - who asks too fast waits, and nobody else
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import re

import pytest

from harness.api import ADMIN, SERVICES, Client, mail, problem
from harness.tenant import Tenant
from integration.test_tokens import Sso

NOTHING = f"{SERVICES}/none"
# Nothing comes back into the bucket while a test runs.
SLOW = 0.001


def limited(stack, **limits):
    """A new tenant, which no worker knows yet, with limits of its own."""
    tenant = Tenant(stack, maildir=False)
    stack.rows("UPDATE tenant SET settings = settings || jsonb_build_object("
               "'limits', %s::jsonb) WHERE id = %s", json.dumps(limits),
               tenant.id)
    return tenant


def statuses(client, count, **more):
    return [client.get(NOTHING, **more).status_code for _ in range(count)]


def test_a_tenant_has_its_burst_and_waits(stack):
    tenant = limited(stack, send={"rate": SLOW, "burst": 5})
    for left in (4, 3, 2, 1, 0):
        answer = tenant.api.send(mail())
        assert answer.status_code == 202
        assert answer.headers["RateLimit-Policy"] == '"send";q=5;w=5000'
        assert re.fullmatch(r'"send";r=\d+', answer.headers["RateLimit"])
    answer = tenant.api.send(mail())
    told = problem(answer, 429, "rate_limited")
    assert told["violated-policies"] == ["send"]
    wait = int(answer.headers["Retry-After"])
    assert 900 < wait <= 1000
    assert answer.headers["RateLimit"] == f'"send";r=0;t={wait}'
    assert tenant.count("notification") == 5


def test_classes_and_tenants_do_not_share(stack, tenant):
    other = limited(stack, send={"rate": SLOW, "burst": 1},
                    read={"rate": SLOW, "burst": 2})
    assert other.api.send(mail()).status_code == 202
    assert other.api.send(mail()).status_code == 429
    assert statuses(other.api, 3) == [404, 404, 429]
    assert tenant.api.send(mail()).status_code == 202
    assert statuses(tenant.api, 3) == [404] * 3


def test_an_account_has_a_part_of_it(stack):
    tenant = limited(stack, read={"rate": SLOW, "burst": 10},
                     account_share=20)
    second = tenant.client(tenant.make_key("second"))
    assert statuses(tenant.api, 3) == [404, 404, 429]
    answer = tenant.api.get(NOTHING)
    assert problem(answer, 429, "rate_limited")["violated-policies"] == \
        ["read-account"]
    assert statuses(second, 3) == [404, 404, 429]


def test_a_person_has_a_limit_of_their_own(stack, issuers):
    tenant = limited(stack, person={"rate": SLOW, "burst": 2})
    sso = Sso(issuers["sso"], tenant)
    ann, bob = (sso.client("belfry-auditor", sub=name)
                for name in ("ann", "bob"))
    path = f"{ADMIN}/templates"
    assert [ann.get(path).status_code for _ in range(3)] == [200, 200, 429]
    assert bob.get(path).status_code == 200


@pytest.mark.expect_log("a setting of a tenant is broken")
def test_what_makes_no_sense_is_passed_over(stack):
    tenant = limited(stack, read={"rate": -1, "burst": "x"}, write=7, send=[],
                     person={"rate": 1e9}, account_share=0)
    assert statuses(tenant.api, 3) == [404] * 3
    assert tenant.api.send(mail()).status_code == 202


@pytest.mark.settings(settings={"limits.failure_rate": "1",
                                "limits.failure_burst": "5",
                                "limits.hook_rate": "1",
                                "limits.hook_burst": "3", "api.workers": "1"})
def test_wrong_credentials_close_the_door(own_stack, own_tenant):
    """Not for who has shown good ones, whatever a client says of its address."""
    assert statuses(own_tenant.api, 1) == [404]
    wrong = own_tenant.key[:-2] + ("BA" if own_tenant.key.endswith("AA") else "AA")
    stranger = Client(own_stack.url, wrong)
    seen = [stranger.get(NOTHING, headers={
        "X-Forwarded-For": f"192.0.2.{i}", "X-Real-IP": f"192.0.2.{i}",
        "Forwarded": f"for=192.0.2.{i}"}) for i in range(40)]
    assert [a.status_code for a in seen[:5]] == [401] * 5
    last = next(a for a in seen if a.status_code == 429)
    assert problem(last, 429, "rate_limited")["violated-policies"] == \
        ["failure"]
    assert sum(a.status_code == 401 for a in seen) < 20
    assert statuses(own_tenant.api, 1) == [404]
    hooks = [Client(own_stack.url, None).post(
        f"/hooks/{own_tenant.slug}/none",
        headers={"X-Forwarded-For": f"192.0.2.{i}"}).status_code
        for i in range(20)]
    assert hooks[:3] == [403] * 3 and 429 in hooks
