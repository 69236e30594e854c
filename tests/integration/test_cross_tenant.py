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
from harness.tenant import Tenant

CANARY = "canary7f3a"
SECRET_NAMES = [CANARY, "ann.canary@example.org"]
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
    # It is told of nothing, so nothing is under way while others ask for it.
    hook = tenant.admin.post(f"{ADMIN}/webhooks", json={
        "url": f"http://127.0.0.1:9/{CANARY}", "events": ["webhook.disabled"],
        "description": CANARY}).json()
    ids["id"] = [send, account["id"], provider[0]["id"], hook["id"]]
    ids["attempt_id"] = [provider[0]["id"]]
    ids["key_id"] = [account["keys"][0]["id"]]
    ids["key"] = ids["user_id"] = [CANARY]
    ids["version"] = ["1"]
    ids["slug"] = [tenant.slug]
    return ids


def missing(value):
    """The same kind of id of nothing."""
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


def filled(path, ids):
    """Pairs of the path of a foreign object and of a missing one."""
    names = names_in(path)
    for values in itertools.product(*(ids.get(n, [CANARY]) for n in names)):
        foreign, nobody = path, path
        for name, value in zip(names, values):
            foreign = foreign.replace("{%s}" % name, value)
            nobody = nobody.replace("{%s}" % name, missing(value))
        yield foreign, nobody


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
    before = victim.written()
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
    assert victim.written() == before
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
