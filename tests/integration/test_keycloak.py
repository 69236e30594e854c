# test_keycloak.py - tokens as Keycloak makes them of contrib/keycloak
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The realm's file and the section of belfry.conf in its README are what counts; Keycloak is
# played by what its protocol mappers do.
import json
import re
import uuid

import pytest

from conftest import end_stack, make_stack, watched
from harness.api import ADMIN, Client, mail, problem
from harness.issuer import Issuer
from harness.stack import ROOT
from harness.tenant import Tenant

REALM = json.loads((ROOT / "contrib/keycloak/belfry-realm.json").read_text())
README = (ROOT / "contrib/keycloak/README.md").read_text()
ROLES = [role["name"] for role in REALM["roles"]["realm"]]
SCOPES = {scope["name"]: scope for scope in REALM["clientScopes"]}
CLIENTS = {client["clientId"]: client for client in REALM["clients"]}
TEMPLATES = f"{ADMIN}/templates"
RECIPIENTS = "/api/v1/services/recipients"


def put(claims, path, value):
    *parents, name = path.split(".")
    for parent in parents:
        claims = claims.setdefault(parent, {})
    claims[name] = value


def map_claims(claims, scope, user):
    """What the mappers of a client scope put into an access token."""
    for mapper in scope.get("protocolMappers", ()):
        config = mapper["config"]
        assert config["access.token.claim"] == "true"
        kind = mapper["protocolMapper"]
        if kind == "oidc-audience-mapper":
            claims["aud"] = config["included.custom.audience"]
        elif kind == "oidc-sub-mapper":
            claims["sub"] = user["id"]
        elif kind == "oidc-usermodel-realm-role-mapper":
            assert config["multivalued"] == "true"
            put(claims, config["claim.name"], user["roles"])
        elif kind == "oidc-usermodel-attribute-mapper":
            value = user["attributes"].get(config["user.attribute"])
            if value is not None:
                put(claims, config["claim.name"], value)
        else:
            pytest.fail(f"what does {kind} do?")


class Keycloak:
    def __init__(self, issuer, tenant):
        self.issuer = issuer
        self.tenant = tenant

    def token(self, client, *roles, scope="", attributes=None, **more):
        user = {"id": str(uuid.uuid4()),
                "roles": ["offline_access", "default-roles-belfry", *roles],
                "attributes": {"tenant": self.tenant.slug}
                if attributes is None else attributes}
        optional = CLIENTS[client].get("optionalClientScopes", [])
        names = CLIENTS[client]["defaultClientScopes"] + \
            [name for name in scope.split() if name in optional]
        claims = {"sub": None, "aud": None, "jti": str(uuid.uuid4()),
                  "typ": "Bearer", "azp": client, "acr": "1",
                  "sid": str(uuid.uuid4()),
                  "allowed-origins": ["http://localhost:8080"]}
        for name in names:
            map_claims(claims, SCOPES[name], user)
        claims["scope"] = " ".join(
            name for name in names
            if SCOPES[name]["attributes"]["include.in.token.scope"] == "true")
        return self.issuer.token("rsa", header={"typ": "JWT"},
                                 **{**claims, **more})

    def client(self, *arguments, **more):
        return Client(self.tenant.stack.url, self.token(*arguments, **more))


@pytest.fixture(scope="module")
def issuer():
    made = Issuer("/realms/" + REALM["realm"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def keycloak_stack(issuer):
    """Configured as the README says."""
    section = README.partition("[issuer keycloak]\n")[2].partition("\n\n")[0]
    settings = dict(re.fullmatch(r"\s*(\w+) = (.+)", line).groups()
                    for line in section.splitlines())
    assert settings["issuer"].endswith(issuer.path)
    settings["issuer"] = issuer.url
    stack = make_stack(settings={f"issuer keycloak.{key}": value
                                 for key, value in settings.items()})
    try:
        yield stack.up()
    finally:
        end_stack(stack)


@pytest.fixture
def stack(request, keycloak_stack):
    yield from watched(request, keycloak_stack)


@pytest.fixture
def keycloak(stack, issuer):
    return Keycloak(issuer, Tenant(stack))


def refused(answer):
    problem(answer, 401, "unauthenticated")


def test_the_realm_is_whole():
    """A file with client scopes of its own gets none of Keycloak's."""
    for client in CLIENTS.values():
        named = client["defaultClientScopes"] + \
            client.get("optionalClientScopes", [])
        assert set(named) <= set(SCOPES)
    table = (ROOT / "src/auth/scope.def").read_text()
    for name in set(SCOPES) - {"belfry"}:
        assert f'"{name}"' in table


# Read templates, write one, read dead letters, send.
@pytest.mark.parametrize("role, may", [
    ("belfry-platform", (200, 201, 200, 202)),
    ("belfry-admin", (200, 201, 200, 202)),
    ("belfry-author", (200, 201, 403, 403)),
    ("belfry-auditor", (200, 403, 200, 403)),
    ("default-roles-belfry", (403, 403, 403, 403)),
])
def test_people(keycloak, role, may):
    client = keycloak.client("belfry-app", role)
    template = {"key": "hi", "name": "Hi", "parts": {
        "en": {"email.subject": "Hi", "email.text": "Hi"}}}
    assert (client.get(TEMPLATES).status_code,
            client.post(TEMPLATES, json=template).status_code,
            client.get(f"{ADMIN}/dead-letters").status_code,
            client.send(mail()).status_code) == may


def test_every_role_was_tried():
    tried = next(mark for mark in test_people.pytestmark
                 if mark.name == "parametrize").args[1]
    assert set(ROLES) <= {role for role, _ in tried}


def test_a_service(keycloak):
    client = keycloak.client("belfry-batch")
    assert client.send(mail()).status_code == 202
    problem(client.get(RECIPIENTS), 403, "forbidden")
    problem(client.get(TEMPLATES), 403, "forbidden")


def test_what_the_readme_tries(keycloak):
    name = re.search(r"-d client_id=(\S+)", README).group(1)
    scope = re.search(r"-d scope=(\S+)", README).group(1)
    path = re.search(r"https://belfry\.example\.org(/\S+)", README).group(1)
    answer = keycloak.client(name, scope=scope).get(path)
    assert answer.status_code == 200, answer.text


def test_a_realm_with_all_that_is_keycloaks_own(keycloak):
    """More claims change nothing; several audiences are a list."""
    client = keycloak.client(
        "belfry-app", "belfry-author", aud=["belfry", "account"],
        resource_access={"account": {"roles": ["manage-account"]},
                         "belfry-app": {"roles": ["belfry-admin"]}},
        scope="openid profile email", email_verified=True, name="Ann Example",
        preferred_username="ann", given_name="Ann", family_name="Example",
        email="ann@example.org", auth_time=1, nonce="n")
    assert client.get(TEMPLATES).status_code == 200
    assert client.get(f"{ADMIN}/dead-letters").status_code == 403


@pytest.mark.parametrize("wrong", [
    {"azp": "account-console"}, {"azp": "belfry-app2"}, {"aud": "account"},
    {"typ": "ID"}, {"typ": "Refresh"}, {"typ": "Offline"}, {"typ": "Logout"},
    {"sub": None}, {"attributes": {}}, {"attributes": {"tenant": "no-such"}},
])
def test_refused(keycloak, wrong):
    refused(keycloak.client("belfry-app", "belfry-admin", **wrong)
            .get(TEMPLATES))
