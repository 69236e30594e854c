# test_service_accounts.py - /admin/service-accounts: accounts and their keys
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import ADMIN, SERVICES, mail, problem
from harness.tenant import key_id
from harness.wait import wait_until

ACCOUNTS = f"{ADMIN}/service-accounts"
SEND = ["notifications:send", "notifications:read"]


def made(tenant, name="shop", **more):
    answer = tenant.admin.post(ACCOUNTS, json={"name": name, "scopes": SEND,
                                               **more})
    assert answer.status_code == 201, answer.text
    account = answer.json()
    assert answer.headers["Location"].endswith(account["id"])
    return account


def works(tenant, key):
    return tenant.client(key).send(mail()).status_code == 202


def test_the_life_of_an_account(tenant):
    account = made(tenant)
    path = f"{ACCOUNTS}/{account['id']}"
    assert works(tenant, account["key"])
    shown = tenant.admin.get(path)
    assert "key" not in shown.json(), "it is shown once"
    assert account["key"] not in shown.text
    assert [k["id"] for k in shown.json()["keys"]] == [key_id(account["key"])]
    assert "shop" in [a["name"] for a in
                      tenant.admin.get(ACCOUNTS).json()["data"]]
    changed = tenant.admin.request("PATCH", path, json={
        "scopes": ["notifications:read"]}, headers={
            "If-Match": shown.headers["ETag"]})
    assert changed.status_code == 200, changed.text
    wait_until(lambda: not works(tenant, account["key"]), 5, "the change")
    problem(tenant.admin.request("PATCH", path, json={"name": "x"}, headers={
        "If-Match": shown.headers["ETag"]}), 412, "precondition_failed")
    revoked = tenant.admin.request("PUT", path, json={
        "name": "shop", "scopes": SEND, "state": "revoked"})
    assert revoked.json()["state"] == "revoked"
    wait_until(lambda: tenant.client(account["key"]).send(
        mail()).status_code == 401, 5, "the revocation")
    # Whoever is silent about that does not revive it.
    for method, body in (("PUT", {"name": "shop", "scopes": SEND}),
                         ("PATCH", {"scopes": SEND})):
        answer = tenant.admin.request(method, path, json=body)
        assert answer.json()["state"] == "revoked", answer.text
    assert not works(tenant, account["key"])
    active = tenant.admin.request("PUT", path, json={
        "name": "shop", "scopes": SEND, "state": "active"})
    assert active.json()["state"] == "active"
    wait_until(lambda: works(tenant, account["key"]), 5, "the return")
    assert tenant.admin.request("DELETE", path).status_code == 204
    problem(tenant.admin.get(path), 404, "not_found")


def test_keys_take_turns(tenant):
    account = made(tenant)
    path = f"{ACCOUNTS}/{account['id']}"
    first = account["key"]
    answer = tenant.admin.post(f"{path}/rotate", json={"overlap": "1h",
                                                       "expires_in": "90d"})
    second = answer.json()["key"]
    assert works(tenant, first) and works(tenant, second)
    keys = {k["id"]: k for k in answer.json()["keys"]}
    assert all(keys[key_id(k)]["expires_at"] for k in (first, second))
    assert tenant.admin.request(
        "DELETE", f"{path}/keys/{key_id(first)}").status_code == 204
    wait_until(lambda: not works(tenant, first), 5, "the revocation")
    assert works(tenant, second)
    third = tenant.admin.post(f"{path}/rotate", json={"overlap": "0ms"})
    assert works(tenant, third.json()["key"])
    wait_until(lambda: not works(tenant, second), 5, "the end of the overlap")
    problem(tenant.admin.request("DELETE", f"{path}/keys/none"), 404,
            "not_found")


def test_last_use_is_told(tenant):
    account = made(tenant)
    assert account["keys"][0]["last_used_at"] is None
    assert works(tenant, account["key"])

    def used():
        shown = tenant.admin.get(f"{ACCOUNTS}/{account['id']}").json()
        return shown["keys"][0]["last_used_at"]
    first = wait_until(used, 5, "the time of its use")
    for _ in range(9):
        assert works(tenant, account["key"])
    assert used() == first, "to the hour"


def test_networks(tenant):
    here = made(tenant, "here", networks=["127.0.0.0/8", "::1"])
    there = made(tenant, "there", networks=["192.0.2.0/24"])
    assert works(tenant, here["key"])
    answer = tenant.client(there["key"]).send(mail())
    problem(answer, 401, "unauthenticated")
    # What a client says of its address is not believed.
    answer = tenant.client(there["key"]).send(
        mail(), **{"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1",
                   "Forwarded": "for=192.0.2.1"})
    problem(answer, 401, "unauthenticated")


def test_nobody_gives_away_what_they_have_not(tenant):
    for scope in ("platform", "me"):
        told = problem(tenant.admin.post(ACCOUNTS, json={
            "name": "x", "scopes": ["admin", scope]}), 422,
            "validation_failed")
        assert told["errors"][0]["pointer"] == "/scopes/1"
    tenant.make_key("root", scopes=("platform",))
    root = next(a for a in tenant.admin.get(ACCOUNTS).json()["data"]
                if a["name"] == "root")
    path = f"{ACCOUNTS}/{root['id']}"
    key = tenant.admin.get(path).json()["keys"][0]["id"]
    for method, where, body in [
            ("POST", "/rotate", {}), ("DELETE", "", None),
            ("PATCH", "", {"name": "mine"}), ("DELETE", f"/keys/{key}", None),
            ("PUT", "", {"name": "mine", "scopes": SEND})]:
        problem(tenant.admin.request(method, path + where, json=body), 403,
                "forbidden")


@pytest.mark.parametrize("body, pointer", [
    ({"scopes": SEND}, "/name"),
    ({"name": "x"}, "/scopes"),
    ({"name": "x", "scopes": []}, "/scopes"),
    ({"name": "x", "scopes": ["no:such"]}, "/scopes/0"),
    ({"name": "x", "scopes": SEND + SEND}, "/scopes/2"),
    ({"name": "x", "scopes": SEND, "networks": ["10.0.0.1/8"]}, "/networks/0"),
    ({"name": "x", "scopes": SEND, "networks": ["host"]}, "/networks/0"),
    ({"name": "x", "scopes": SEND, "tenant_id": 1}, "/tenant_id"),
    ({"name": "x", "scopes": SEND, "state": "platform"}, "/state"),
])
def test_faults(tenant, body, pointer):
    told = problem(tenant.admin.post(ACCOUNTS, json=body), 422,
                   "validation_failed")
    assert pointer in [fault["pointer"] for fault in told["errors"]]


def test_names_are_taken_once(tenant):
    made(tenant)
    problem(tenant.admin.post(ACCOUNTS, json={"name": "shop",
                                              "scopes": SEND}), 409,
            "conflict")


def test_services_administer_nothing(tenant):
    problem(tenant.api.get(ACCOUNTS), 403, "forbidden")
    problem(tenant.api.post(ACCOUNTS, json={"name": "x", "scopes": SEND}),
            403, "forbidden")
    assert tenant.api.get(f"{SERVICES}/none").status_code == 404
