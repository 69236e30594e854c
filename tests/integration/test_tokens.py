# test_tokens.py - who may by an access token, and who may not
#
# SPDX-License-Identifier: BSD-2-Clause
import time

import pytest

from harness.api import ADMIN, SERVICES, Client, mail, problem
from harness.issuer import Key
from harness.tenant import Tenant
from harness.wait import wait_until
from integration.test_health import samples

TEMPLATES = f"{ADMIN}/templates"


class Sso:
    """Tokens as Keycloak makes them."""

    def __init__(self, issuer, tenant):
        self.issuer = issuer
        self.tenant = tenant

    def token(self, *roles, **claims):
        kid = claims.pop("kid", "rsa")
        return self.issuer.token(kid, header={"typ": "JWT"}, **{
            "typ": "Bearer", "azp": "app", "aud": ["account", "belfry"],
            "organisation": {"slug": self.tenant.slug},
            "realm_access": {"roles": ["offline_access", *roles]}, **claims})

    def client(self, *roles, **claims):
        return Client(self.tenant.stack.url, self.token(*roles, **claims))


@pytest.fixture
def sso(issuers, tenant):
    return Sso(issuers["sso"], tenant)


def refused(answer):
    told = problem(answer, 401, "unauthenticated")
    assert told["detail"] == "the access token is not valid"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("kid", ["rsa", "ec", "ed"])
def test_every_algorithm(sso, kid):
    assert sso.client("belfry-admin", kid=kid).get(TEMPLATES).status_code == 200


# What each role may: read templates, write one, read dead letters, send.
@pytest.mark.parametrize("role, may", [
    (None, (403, 403, 403, 403)),
    ("belfry-auditor", (200, 403, 200, 403)),
    ("belfry-author", (200, 201, 403, 403)),
    ("belfry-admin", (200, 201, 200, 202)),
    ("belfry-platform", (200, 201, 200, 202)),
    ("Belfry-Admin", (403, 403, 403, 403)),
])
def test_roles(sso, role, may):
    client = sso.client(*[role] if role else [])
    template = {"key": "hi", "name": "Hi", "parts": {
        "en": {"email.subject": "Hi", "email.text": "Hi"}}}
    assert (client.get(TEMPLATES).status_code,
            client.post(TEMPLATES, json=template).status_code,
            client.get(f"{ADMIN}/dead-letters").status_code,
            client.send(mail()).status_code) == may


def test_client_roles_of_a_name_with_dots(sso):
    client = sso.client(resource_access={
        "belfry.example.org": {"roles": ["belfry-author"]}})
    assert client.get(TEMPLATES).status_code == 200


def test_services_have_scopes_and_people_have_not(sso, tenant):
    scope = "profile notifications:send platform"
    assert sso.client(scope=scope).send(mail()).status_code == 403
    service = sso.client(scope=scope, azp="batch")
    assert service.send(mail()).status_code == 202
    assert service.get(TEMPLATES).status_code == 403
    other = Tenant(tenant.stack)
    assert service.post(f"{SERVICES}/send", json=mail(), headers={
        "Belfry-Tenant": other.slug}).status_code == 404
    # RFC 9068: a client that speaks for itself is the subject.
    own = sso.client(scope=scope, sub="app", client_id="app")
    assert own.send(mail()).status_code == 202


def test_idempotency_belongs_to_issuer_and_subject(sso):
    key = "once"
    scope = {"scope": "notifications:send", "azp": "batch"}
    first = sso.client(**scope).send(mail(), idempotency_key=key)
    again = sso.client(**scope, kid="ed").send(mail(), idempotency_key=key)
    assert again.json()["id"] == first.json()["id"]
    other = sso.client(**scope, sub="u2").send(mail(), idempotency_key=key)
    assert other.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("claims", [
    {"aud": "account"}, {"aud": None}, {"azp": "stranger"}, {"azp": None},
    {"exp": 1}, {"exp": None}, {"nbf": 2000000000 * 2}, {"typ": "ID"},
    {"sub": None}, {"sub": ""}, {"sub": "a\nb"}, {"sub": "x" * 300},
    {"iss": "https://stranger.example"}, {"organisation": None},
    {"organisation": {"slug": "no-such-tenant"}},
    {"organisation": {"slug": "../demo"}}, {"organisation": {"slug": 7}},
])
def test_claims_that_do_not_fit(sso, claims):
    refused(sso.client("belfry-admin", **claims).get(TEMPLATES))


def test_forged(issuers, sso):
    """Right in all but the key."""
    forger = Key("rsa", "RS256")
    refused(sso.client("belfry-admin", key=forger).get(TEMPLATES))
    forger = Key("unknown")
    refused(sso.client("belfry-admin", key=forger).get(TEMPLATES))
    stranger = issuers["stranger"]
    refused(Client(sso.tenant.stack.url, stranger.token()).get(TEMPLATES))


def test_the_other_issuer(issuers, stack):
    """Its users are named by another claim, its administrators otherwise."""
    token = issuers["plain"].token(email="ann@example.org", roles="boss x")
    assert Client(stack.url, token).get(TEMPLATES).status_code == 200
    token = issuers["plain"].token(email="ann@example.org",
                                   roles=["belfry-admin"])
    assert Client(stack.url, token).get(TEMPLATES).status_code == 403
    refused(Client(stack.url, issuers["plain"].token(roles="boss"))
            .get(TEMPLATES))
    # What the file says of the tenant is not the token's to say.
    token = issuers["plain"].token(email="a", roles="boss",
                                   organisation={"slug": "x"})
    assert Client(stack.url, token).get(TEMPLATES).status_code == 200


def test_same_subject_of_two_issuers(issuers, stack, sso):
    """They are two people: the audit tells them apart."""
    template = {"key": "two", "name": "Two", "parts": {
        "en": {"email.subject": "Hi", "email.text": "Hi"}}}
    sso.client("belfry-author").post(TEMPLATES, json=template)
    rows = sso.tenant.rows("SELECT principal FROM audit WHERE tenant_id = %s "
                           "AND action LIKE 'template%%'")
    assert [r["principal"] for r in rows] == [f"user:u1 ({sso.issuer.url})"]


def test_platform_administrators_choose_a_tenant(sso, tenant):
    other = Tenant(tenant.stack)
    there = {"Belfry-Tenant": other.slug}
    template = {"key": "there", "name": "There", "parts": {
        "en": {"email.subject": "Hi", "email.text": "Hi"}}}
    boss = sso.client("belfry-platform", organisation=None)
    problem(boss.get(TEMPLATES), 400, "invalid_request")
    assert boss.post(TEMPLATES, json=template,
                     headers=there).status_code == 201
    assert other.admin.get(f"{TEMPLATES}/there").status_code == 200
    assert sso.client("belfry-admin").get(f"{TEMPLATES}/there").status_code \
        == 404
    # To others it does not exist, whether it does or not.
    answers = [problem(sso.client("belfry-admin").get(
        TEMPLATES, headers={"Belfry-Tenant": slug}), 404, "not_found")
        for slug in (other.slug, "no-such-tenant")]
    assert answers[0]["detail"] == answers[1]["detail"]


def test_a_suspended_tenant(sso, tenant):
    client = sso.client("belfry-admin")
    assert client.get(TEMPLATES).status_code == 200
    tenant.stack.ctl("tenant", "suspend", tenant.slug)
    wait_until(lambda: client.get(TEMPLATES).status_code == 403, 5,
               "the suspension")
    tenant.stack.ctl("tenant", "resume", tenant.slug)
    wait_until(lambda: client.get(TEMPLATES).status_code == 200, 5,
               "the resumption")


def test_a_signature_is_verified_once_by_a_worker(sso, stack):
    def counted():
        found = samples(Client(stack.url, None).get("/metrics").text)
        return {result: found[
            f'belfry_token_signatures_total{{result="{result}"}}']
                for result in ("known", "good", "wrong")}

    client = sso.client("belfry-admin")
    before = counted()
    for _ in range(20):
        assert client.get(TEMPLATES).status_code == 200
    refused(sso.client("belfry-admin", key=Key("rsa", "RS256"))
            .get(TEMPLATES))
    more = {result: n - before[result] for result, n in counted().items()}
    assert more["known"] + more["good"] == 20
    assert 1 <= more["good"] <= len(stack.workers("api"))
    assert more["wrong"] == 1


def test_expiry_is_looked_at_each_time(sso):
    client = sso.client("belfry-admin", exp=int(time.time()) - 25)
    assert client.get(TEMPLATES).status_code == 200
    wait_until(lambda: client.get(TEMPLATES).status_code == 401, 15,
               "the end of the token")
