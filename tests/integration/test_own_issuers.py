# test_own_issuers.py - /admin/issuers: whom a tenant believes
#
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import ADMIN, Client, problem
from harness.issuer import Issuer, Key
from harness.tenant import Tenant
from harness.wait import wait_until, wait_until_known
from integration.test_rate_limits import limited

ISSUERS = f"{ADMIN}/issuers"
TEMPLATES = f"{ADMIN}/templates"
BODY = {"name": "sso", "issuer": "https://sso.example.org",
        "audience": ["belfry"], "roles_claim": ["roles"],
        "admin_role": "boss"}


def made(tenant, **more):
    answer = tenant.admin.post(ISSUERS, json={**BODY, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def believes_a_test(tenant, issuer, name="sso", audience="belfry"):
    """Loopback is not for tenants, so the row is written by hand."""
    row = made(tenant, name=name)
    settings = {"issuer": issuer.url, "audience": [audience],
                "roles_claim": ["roles"], "admin_role": "boss",
                "jwks": "/nowhere"}
    keys = tenant.stack.directory / "run" / f"keys-{tenant.slug}-{name}.json"
    keys.write_text(json.dumps({"keys": [k.jwk() for k in issuer.keys]}))
    keys.chmod(0o644)
    settings["jwks"] = str(keys)
    tenant.rows("WITH g AS (UPDATE tenant_generation SET generation = "
                "generation + 1 WHERE tenant_id = %s RETURNING tenant_id) "
                "UPDATE issuer i SET settings = %s FROM g "
                "WHERE i.tenant_id = g.tenant_id AND i.name = %s",
                json.dumps(settings), name)
    wait_until_known()
    return row


class Impostor:
    """Says that it is an issuer of the operator, and has keys of its own."""

    def __init__(self, victim, keys):
        self.url = victim.url
        self.keys = keys.keys


def ask(stack, token, **headers):
    return Client(stack.url, token).get(TEMPLATES,
                                        headers=headers).status_code


def test_the_life_of_an_issuer(tenant):
    row = made(tenant)
    path = f"{ISSUERS}/{row['id']}"
    shown = tenant.admin.get(path)
    assert {k: shown.json()[k] for k in BODY} == BODY
    changed = tenant.admin.request("PUT", path, json={
        **BODY, "audience": ["belfry:x"]}, headers={
            "If-Match": shown.headers["ETag"]})
    assert changed.json()["audience"] == ["belfry:x"]
    problem(tenant.admin.request("PUT", path, json=BODY, headers={
        "If-Match": shown.headers["ETag"]}), 412, "precondition_failed")
    problem(tenant.admin.post(ISSUERS, json=BODY), 409, "conflict")
    assert [r["name"] for r in tenant.admin.get(ISSUERS).json()["data"]] \
        == ["sso"]
    assert tenant.admin.request("DELETE", path).status_code == 204
    problem(tenant.admin.get(path), 404, "not_found")


def test_there_are_not_many(tenant):
    for n in range(8):
        made(tenant, name=f"sso{n}")
    problem(tenant.admin.post(ISSUERS, json=BODY), 409, "conflict")


@pytest.mark.parametrize("wrong", [
    {"issuer": "https://10.1.2.3:8080"}, {"issuer": "http://sso.example.org"},
    {"jwks": "https://169.254.169.254/keys"}, {"jwks": "/etc/passwd"},
    {"jwks": "https://ann@example.org/"}, {"jwks": "file:///etc/passwd"},
    {"audience": []}, {"audience": "belfry", "platform_role": "root"},
    {"tenant": "other"}, {"name": "A b"},
])
def test_faults(tenant, wrong):
    problem(tenant.admin.post(ISSUERS, json={**BODY, **wrong}), 422,
            "validation_failed")


def test_tokens_are_good_in_this_tenant_alone(stack, issuers, tenant):
    other = Tenant(stack)
    issuer = issuers["stranger"]
    row = believes_a_test(tenant, issuer)
    token = issuer.token(roles=["boss", "belfry-platform"])
    here = {"Belfry-Tenant": tenant.slug}
    wait_until(lambda: ask(stack, token, **here) == 200, 5, "the issuer")
    assert ask(stack, token) == 401
    assert ask(stack, token, **{"Belfry-Tenant": other.slug}) == 401
    assert ask(stack, token, **{"Belfry-Tenant": "no-such"}) == 401
    named = issuer.token(aud=["belfry", f"belfry:{tenant.slug}"],
                         roles=["boss"])
    assert ask(stack, named) == 200
    assert ask(stack, named, **{"Belfry-Tenant": other.slug}) == 401
    # It is gone: so are its people, within seconds.
    tenant.admin.request("DELETE", f"{ISSUERS}/{row['id']}")
    wait_until(lambda: ask(stack, named) == 401, 5, "the removal")


def test_the_operators_issuers_are_nobodys_own(tenant, issuers):
    taken = issuers["sso"].url
    body = {**BODY, "issuer": taken, "jwks": "https://keys.example.org/"}
    path = f"{ISSUERS}/{made(tenant)['id']}"
    for answer in (tenant.admin.post(ISSUERS, json={**body, "name": "b"}),
                   tenant.admin.request("PUT", path, json=body)):
        told = problem(answer, 422, "validation_failed")
        assert [e["pointer"] for e in told["errors"]] == ["/issuer"]


def test_one_that_became_the_operators_is_passed_over(stack, issuers, tenant):
    """Its row was there before the configuration said who that is."""
    stranger = issuers["stranger"]
    believes_a_test(tenant, Impostor(issuers["sso"], stranger), "old",
                    audience="the tenant")
    believes_a_test(tenant, stranger)
    here = {"Belfry-Tenant": tenant.slug}
    claims = {"sub": "root", "roles": ["boss"]}
    wait_until(lambda: ask(stack, stranger.token(**claims), **here) == 200, 5,
               "the issuers")
    forged = stranger.token(iss=issuers["sso"].url, aud="the tenant", **claims)
    assert [ask(stack, forged, **here) for _ in range(8)] == [401] * 8


def test_the_same_name_in_two_tenants_is_two_people(stack, issuers):
    """What one of them is told to wait for, the other is not."""
    token = issuers["stranger"].token(roles=["boss"])
    def statuses(tenant, count):
        return [ask(stack, token, **{"Belfry-Tenant": tenant.slug})
                for _ in range(count)]
    first, second = (limited(stack, person={"rate": 0.001, "burst": 3})
                     for _ in range(2))
    for tenant in (first, second):
        believes_a_test(tenant, issuers["stranger"])
        wait_until(lambda: statuses(tenant, 1) == [200], 5, "the issuer")
    assert 429 in statuses(first, 3)
    assert statuses(second, 1) == [200]


@contextlib.contextmanager
def hanging(tenant, count):
    """Issuers of the tenant that take requests and never answer."""
    issuers = [Issuer() for _ in range(count)]
    for n, issuer in enumerate(issuers):
        issuer.mode = "hang"
        made(tenant, name=f"h{n}", issuer=issuer.url)
    yield issuers
    for issuer in issuers:
        issuer.close()


def test_issuers_that_hang_hold_up_one_worker(stack):
    """Whoever makes up tokens of theirs, which nobody can tell from good ones."""
    tenant, other = Tenant(stack, maildir=False), Tenant(stack, maildir=False)
    stack.logs.allow("could not be fetched|the keys of too many issuers|"
                     "slow request")

    def junk(token):
        return Client(stack.url, token).get(
            TEMPLATES, headers={"Belfry-Tenant": tenant.slug})

    with hanging(tenant, 4) as issuers, ThreadPoolExecutor(8) as pool:
        wait_until(lambda: junk("x.y.z").status_code == 401, 5, "the tenant")
        asked = [pool.submit(junk, issuer.token(key=Key(f"k{n}")))
                 for n in range(6) for issuer in issuers]
        times = []
        while not all(a.done() for a in asked):
            for client in (other.admin, tenant.admin):
                begun = time.monotonic()
                assert client.get(TEMPLATES).status_code == 200
                times.append(time.monotonic() - begun)
        told = [a.result() for a in asked]
        # Workers may take a second to learn of the issuers.
        assert {a.status_code for a in told} <= {401, 503}
        assert sum(a.status_code == 503 for a in told) > 8
        assert all(a.headers["Retry-After"] for a in told
                   if a.status_code == 503)
    # Most of them, since where all is slow one may wait for its turn.
    times.sort()
    assert len(times) > 20 and times[len(times) * 9 // 10] < 1, times[-5:]
    good = Issuer()
    made(other, name="good", issuer=good.url)
    token = good.token(roles=["boss"])
    wait_until(lambda: ask(stack, token, **{"Belfry-Tenant": other.slug})
               == 200, 10, "the issuer of another")
    good.close()


def test_ever_new_addresses_do_not_fill_the_run_directory(stack, tenant):
    """What a tenant named before goes when there are too many files of it."""
    run = stack.directory / "run"
    here = {"Belfry-Tenant": tenant.slug}

    def files():
        return {p.name for p in run.glob("jwks.*")}

    def believed(name):
        issuer = Issuer()
        made(tenant, name=name, issuer=issuer.url)
        token = issuer.token(roles=["boss"])
        wait_until(lambda: ask(stack, token, **here) == 200, 10, "the issuer")
        issuer.close()

    before = files()
    believed("first")
    first = files() - before
    owner, = {name.split("-")[0] for name in first}
    for n in range(40):
        (run / f"{owner}-{n:032x}").touch()
    others = {name for name in files() if not name.startswith(owner)}
    believed("second")
    left = {name for name in files() if name.startswith(owner)}
    kept = {name for name in first if name.endswith(".lock")}  # for its pause
    assert len(left) == 3 and left & first == kept
    assert others <= files()
