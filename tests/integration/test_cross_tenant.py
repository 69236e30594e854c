# test_cross_tenant.py - every route, every role, the objects of another tenant (T1)
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The calls are generated from the OpenAPI document, which is made of the table that the
# router runs from: a new route is tried without a line here.  What is asked for
# belongs to the other tenant, or to nobody: the answers must be the same.
import itertools
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import ADMIN, Client, mail
from harness.endpoint import Endpoint
from harness.tenant import Tenant
from harness.wait import wait_until

CANARY = "canary7f3a"
SECRET_NAMES = [CANARY, "ann.canary@example.org"]
GONE = "gone.canary@example.org"
DEVICES = f"/api/v1/services/recipients/{CANARY}/devices"
# What may change something if it could be found.  A PUT of a name would make a thing
# of the caller's own, so it is sent what is never taken.
BODIES = [None, {}, {"name": "mine"}]
NEVER_TAKEN = [None, {"tenant_id": 1}]
NAMES = {"user_id", "key"}


def furnish(tenant):
    """One object of each kind; returns their ids by the names in paths."""
    ids = {}
    send = tenant.api.accepted(mail("ann.canary@example.org"))
    template = {"key": CANARY, "name": CANARY, "parts": {
        "en": {"email.subject": CANARY, "email.text": CANARY}}}
    assert tenant.admin.post(f"{ADMIN}/templates",
                             json=template).status_code == 201
    tenant.admin.request("PUT", f"/api/v1/services/recipients/{CANARY}",
                         json={"email": "ann.canary@example.org"})
    account = tenant.admin.post(f"{ADMIN}/service-accounts", json={
        "name": CANARY, "scopes": ["notifications:send"]}).json()
    provider = tenant.rows("SELECT id FROM provider WHERE tenant_id = %s")
    hook, attempt = furnish_webhook(tenant)
    issuer = tenant.admin.post(f"{ADMIN}/issuers", json={
        "name": CANARY, "issuer": f"https://{CANARY}.example.org",
        "audience": ["belfry"]}).json()
    hold = tenant.admin.post(f"{ADMIN}/legal-holds", json={
        "person": CANARY, "reason": CANARY}).json()
    people = tenant.client(tenant.make_key(
        "people", scopes=("recipients:read", "recipients:write")))
    people.request("PUT", DEVICES, json={"token": CANARY, "platform": "ios"})
    device = people.get(DEVICES).json()["data"][0]
    assert tenant.admin.post(f"{ADMIN}/suppressions", json={
        "address": GONE, "channel": "email"}).ok
    # By what stands before "{id}".
    ids["notifications"] = [send]
    ids["service-accounts"] = [account["id"]]
    ids["providers"] = ids["provider_id"] = [provider[0]["id"]]
    ids["webhooks"] = [hook["id"]]
    ids["issuers"] = [issuer["id"]]
    ids["legal-holds"] = [hold["id"]]
    ids["devices"] = [device["id"]]
    ids["attempt_id"] = [attempt["id"]]
    ids["key_id"] = [account["keys"][0]["id"]]
    ids["key"] = ids["user_id"] = [CANARY]
    ids["version"] = ["1"]
    ids["slug"] = ids["tenant"] = [tenant.slug]
    ids["channel"], ids["address"] = ["email"], [GONE]
    # Whoever has these may use them: there are none.
    ids["token"] = ids["link"] = [CANARY]
    return ids


def furnish_webhook(tenant):
    """An endpoint and an attempt.  It is told of nothing, so nothing is under way while
    others ask for it."""
    with Endpoint() as endpoint:
        hook = endpoint.subscribe(tenant, events=["webhook.disabled"],
                                  description=CANARY)
        endpoint.act("ping", 202)
        attempt = wait_until(endpoint.attempts, what="an attempt")[0]
    return hook, attempt


# Of which there is one at least, and as many when everybody has asked.
KEPT = ["template", "recipient", "service_account", "api_key", "provider",
        "webhook_endpoint", "webhook_attempt", "issuer", "legal_hold", "device",
        "suppression"]


def kept(tenant):
    return {table: tenant.count(table) for table in KEPT}


def missing(name, value):
    """The same kind of id of nothing."""
    if name == "channel":
        return value
    if name == "address":
        return "nobody.there@example.org"
    try:
        uuid.UUID(value)
        return str(uuid.uuid4())
    except ValueError:
        return "1" if value == "1" else "nothing-there"


def names_in(path):
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def routes(stack):
    document = Client(stack.url, None).get("/api/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in methods:
            if method in ("get", "put", "post", "patch", "delete"):
                yield method.upper(), path


def real(path, name, ids):
    """What there is of the foreign tenant.  A name that is new needs an object in
    furnish()."""
    return ids[re.search(r"([\w-]+)/{id}", path)[1] if name == "id" else name]


def filled(path, ids):
    """Pairs of the path of a foreign object and of a missing one; and one with the id of
    another kind of object."""
    names = names_in(path)
    lists = [real(path, n, ids) + (ids["key_id"] if n == "id" else [])
             for n in names]
    for values in itertools.product(*lists):
        foreign, nobody = path, path
        for name, value in zip(names, values):
            foreign = foreign.replace("{%s}" % name, value)
            nobody = nobody.replace("{%s}" % name, missing(name, value))
        yield foreign, nobody


def shown_to_its_own(victim, stack, ids):
    """Each object can be found by whoever may: so that nobody else finds it means
    something."""
    for method, path in routes(stack):
        if method == "GET" and names_in(path) and path.startswith("/api/") and \
                not path.endswith(("/shares", "/health")):
            foreign, _ = next(filled(path, ids))
            answer = victim.admin.get(foreign)
            if answer.status_code == 403:
                continue  # the platform's
            assert answer.status_code == 200, (foreign, answer.text)


def callers(stack, issuers, own):
    def token(role):
        return Client(stack.url, issuers["sso"].token(
            "ed", azp="app", organisation={"slug": own.slug},
            realm_access={"roles": [role]}))
    return {"admin key": own.admin, "service key": own.api,
            "tenant admin": token("belfry-admin"),
            "author": token("belfry-author"),
            "auditor": token("belfry-auditor"), "user": token("none")}


def shape(answer):
    """What an answer tells, without what differs from call to call."""
    try:
        body = answer.json()
    except ValueError:
        return answer.status_code, re.sub(r' nonce="[\w-]+"', "", answer.text)
    if isinstance(body, dict):
        body.pop("request_id", None)
    return answer.status_code, json.dumps(body, sort_keys=True)


def asked(client, method, path, body):
    """Persons are exported and erased one at a time: who is told so asks again."""
    while True:
        answer = client.request(method, path, json=body)
        if not (answer.status_code == 503
                and "being exported or erased" in answer.text):
            return answer


@pytest.mark.expect_log("somebody of this tenant is being exported or erased")
def test_no_route_tells_of_another_tenant(stack, issuers, tenant):
    victim = Tenant(stack)
    ids = furnish(victim)
    shown_to_its_own(victim, stack, ids)
    before, there = victim.written(), kept(victim)
    assert all(there.values()), there
    calls = []
    for method, path in routes(stack):
        for foreign, nobody in filled(path, ids):
            bodies = [None] if method in ("GET", "DELETE") else BODIES
            if method == "PUT" and NAMES & set(names_in(path)):
                bodies = NEVER_TAKEN
            calls += [(method, foreign, nobody, body) for body in bodies]
    leaks, count = [], 0

    def ask(who, client, method, foreign, nobody, body):
        first = asked(client, method, foreign, body)
        told = json.dumps(dict(first.headers)) + first.text
        found = [n for n in SECRET_NAMES
                 if n in told.replace(foreign, "")
                 and n not in json.dumps(body) and n not in foreign]
        if found or victim.slug in told:
            return f"{who} {method} {foreign}: {found}"
        if "{" in foreign or foreign == nobody:
            return None
        second = asked(client, method, nobody, body)
        one, other = shape(first), shape(second)
        if one[0] != other[0] or (one[0] != 422 and one[0] >= 400
                                  and one != other):
            # A name in the path may be made anew: then both are.
            return f"{who} {method} {foreign}: {one} but {other}"
        return None

    everybody = callers(stack, issuers, tenant)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(ask, who, client, *call)
                for who, client in everybody.items() for call in calls]
        for job in jobs:
            count += 1
            if job.result():
                leaks.append(job.result())
    assert leaks == []
    assert count * 2 >= 1000, "two calls each, but for routes without ids"
    assert victim.written() == before and kept(victim) == there
    assert victim.admin.get(f"{ADMIN}/templates/{CANARY}").json()["name"] \
        == CANARY


def test_the_header_opens_nothing(stack, issuers, tenant):
    """Belfry-Tenant with another tenant's slug: as if there was none."""
    victim = Tenant(stack)
    for client in callers(stack, issuers, tenant).values():
        answers = [client.get(f"{ADMIN}/templates", headers={
            "Belfry-Tenant": slug}) for slug in (victim.slug, "no-such")]
        assert shape(answers[0]) == shape(answers[1])
        assert answers[0].status_code == 404
