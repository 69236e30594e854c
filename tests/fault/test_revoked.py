# test_revoked.py - what is taken away is refused within five seconds
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY A5: with memcached up, frozen and killed, by every worker, for keys as for
# tokens that were made of them before.
import json
import os
import signal
import time

import pytest

from harness.api import ADMIN, SERVICES, Client, mail, problem
from harness.fake_provider import FakeProvider
from harness.tenant import Tenant, key_id, key_secret
from harness.wait import wait_until

ISSUER = "https://belfry.example.org"
LIMIT_S = 5
ASKED = 12 # enough to meet each of three workers
NONE = f"{SERVICES}/none"


def client(tenant, key):
    """Each request over a connection of its own: none has been idle for too long."""
    made = tenant.client(key)
    made.session.headers["Connection"] = "close"
    return made


def token(stack, key):
    answer = Client(stack.url, None).post("/oauth/token", data={
        "grant_type": "client_credentials", "client_id": key_id(key),
        "client_secret": key_secret(key)})
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def both(tenant, key):
    """A client with a key and one with a token made of it."""
    return [client(tenant, key), client(tenant, token(tenant.stack, key))]


def account_path(tenant, name="service"):
    row = tenant.rows("SELECT id FROM service_account WHERE tenant_id = %s "
                      "AND name = %s", name)[0]
    return f"{ADMIN}/service-accounts/{row['id']}"


def change(tenant, path, body):
    answer = tenant.admin.request("PATCH", path, json=body)
    assert answer.status_code == 200, answer.text


# Each takes something away, and returns who is to be refused, how, and where.

def revoke_key(tenant):
    clients = both(tenant, tenant.key)
    yield clients, NONE, 404
    tenant.ctl("key", "revoke", key_id(tenant.key))
    yield 401, "unauthenticated"


def revoke_account(tenant):
    clients = both(tenant, tenant.key)
    yield clients, NONE, 404
    change(tenant, account_path(tenant), {"state": "revoked"})
    yield 401, "unauthenticated"


def let_key_expire(tenant):
    clients = both(tenant, tenant.make_key("brief", expires="4s"))
    assert [c.get(NONE).status_code for c in clients] == [404, 404]
    yield clients, NONE, 404
    end = tenant.rows(
        "SELECT extract(epoch FROM max(expires_at))::float AS at "
        "FROM api_key WHERE tenant_id = %s")[0]["at"]
    wait_until(lambda: time.time() >= end, 10, "the end of the key")
    yield 401, "unauthenticated"


def take_scope(tenant):
    clients = both(tenant, tenant.key)
    yield clients, NONE, 404
    change(tenant, account_path(tenant), {"scopes": ["notifications:send"]})
    yield 403, "forbidden"


def suspend(tenant):
    clients = both(tenant, tenant.key)
    yield clients, NONE, 404
    tenant.stack.ctl("tenant", "suspend", tenant.slug)
    yield 403, "tenant_suspended"


def believed(tenant, issuer, role):
    """An issuer of the tenant's own with a role that is called so.  Loopback is not
    for tenants, so the row is written by hand, as the API would."""
    keys = tenant.stack.directory / "run" / f"keys-{tenant.slug}.json"
    keys.write_text(json.dumps({"keys": [k.jwk() for k in issuer.keys]}))
    keys.chmod(0o644)
    settings = {"issuer": issuer.url, "audience": ["belfry"],
                "roles_claim": ["roles"], "admin_role": role,
                "jwks": str(keys)}
    tenant.rows("WITH g AS (UPDATE tenant_generation SET generation = "
                "generation + 1 WHERE tenant_id = %s RETURNING tenant_id) "
                "UPDATE issuer i SET settings = %s FROM g "
                "WHERE i.tenant_id = g.tenant_id", json.dumps(settings))


def person(tenant, issuer):
    answer = tenant.admin.post(f"{ADMIN}/issuers", json={
        "name": "sso", "issuer": "https://sso.example.org",
        "audience": ["belfry"], "roles_claim": ["roles"],
        "admin_role": "boss"})
    assert answer.status_code == 201, answer.text
    believed(tenant, issuer, "boss")
    boss = client(tenant, issuer.token(roles=["boss"]))
    boss.session.headers["Belfry-Tenant"] = tenant.slug
    return boss, f"{ADMIN}/issuers/{answer.json()['id']}"


def remove_role(tenant, issuer):
    boss, _ = person(tenant, issuer)
    yield [boss], f"{ADMIN}/templates", 200
    believed(tenant, issuer, "somebody-else")
    yield 403, "forbidden"


def remove_issuer(tenant, issuer):
    boss, path = person(tenant, issuer)
    yield [boss], f"{ADMIN}/templates", 200
    assert tenant.admin.request("DELETE", path).status_code == 204
    yield 401, "unauthenticated"


def is_refused_at_last(clients, path, status, code, since):
    def all_refused():
        return all(c.get(path).status_code == status
                   for c in clients for _ in range(ASKED))
    wait_until(all_refused, LIMIT_S - (time.monotonic() - since),
               f"the refusal ({code})")
    for c in clients:
        problem(c.get(path), status, code)
    return time.monotonic() - since


def disturb(stack, memcached):
    if memcached == "frozen":
        os.kill(stack.pid("memcached"), signal.SIGSTOP)
    elif memcached == "killed":
        stack.kill_and_wait("memcached")


@pytest.mark.A5
@pytest.mark.parametrize("memcached", ["up", "frozen", "killed"])
@pytest.mark.expect_log("memcached|cache")
@pytest.mark.settings(settings={"oauth.issuer": ISSUER,
                                "api.cache_check": "500ms"})
def test_what_is_taken_away_is_gone(own_stack, issuers, memcached):
    """With the default cache_check, everything is known to every worker before."""
    def fresh():
        tenant = Tenant(own_stack, maildir=False)
        tenant.admin = client(tenant, tenant.admin_key)
        return tenant
    ways = [revoke_key(fresh()), revoke_account(fresh()), take_scope(fresh()),
            suspend(fresh()), remove_role(fresh(), issuers["stranger"]),
            remove_issuer(fresh(), issuers["stranger"])]
    asked = [next(way) for way in ways]
    for clients, path, status in asked:
        wait_until(lambda: {c.get(path).status_code for c in clients
                            for _ in range(ASKED)} == {status}, LIMIT_S,
                   f"{path} while it is allowed")
    ways.append(let_key_expire(fresh()))
    asked.append(next(ways[-1]))
    disturb(own_stack, memcached)
    try:
        slowest = 0
        for way, (clients, path, _) in zip(ways, asked):
            status, code = next(way)
            slowest = max(slowest, is_refused_at_last(
                clients, path, status, code, time.monotonic()))
    finally:
        if memcached == "frozen":
            os.kill(own_stack.pid("memcached"), signal.SIGCONT)
    print(f"memcached {memcached}: the last refusal after {slowest:.1f} s")


@pytest.mark.A5
@pytest.mark.settings(settings={"spooler.transfers_max": 8,
                                "spooler.claim_batch": 8})
def test_queued_deliveries_stop(own_stack):
    """What is on the wire ends; nothing begins any more, and nothing is lost."""
    tenant, other = Tenant(own_stack, False), Tenant(own_stack)
    count = 400
    with FakeProvider(latency_s=0.05) as provider:
        provider.add_to(tenant, "sms")
        for n in range(0, count, 100):
            tenant.api.accepted({
                "to": [{"phone": f"+4366{i:08}"} for i in range(n, n + 100)],
                "content": {"sms": {"text": "hello"}}})
        wait_until(lambda: provider.count() > 20, 20, "the first of them")
        own_stack.ctl("tenant", "suspend", tenant.slug)
        since = time.time()
        wait_until(lambda: tenant.count("q_leased") == 0, LIMIT_S,
                   "the end of what is on the wire")
        seen = provider.count()
        assert seen < count
        for n in range(30):
            other.api.accepted(mail(f"b{n}@example.org"))
            other.wait_for_mails(n + 1)
        assert provider.count() == seen
        last = max(r.at for r in provider.receipts) - since
        assert last < LIMIT_S
        own_stack.ctl("tenant", "resume", tenant.slug)
        tenant.idle(60)
        assert provider.count() == count
    print(f"the last delivery {last:.2f} s after the suspension, "
          f"{count - seen} waited")
