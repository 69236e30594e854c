# test_user_service.py - recipients whom a tenant's own service knows
#
# SPDX-License-Identifier: BSD-2-Clause
import itertools
import json
import os
import re
import signal
import socket
from urllib.parse import unquote_to_bytes

import jwt
import pytest

from harness.api import ADMIN, mail, problem
from harness.oidc import Oidc
from harness.user_service import UserService
from harness.wait import wait_until

PEOPLE = {"u1": {"contact": {"email": "u1@example.org"}, "name": "Ann"},
          "u2": {"contact": {"email": "u2@example.org"}},
          "a%2Fb": {"contact": {"email": "slash@example.org"}}}


@pytest.fixture
def service():
    with UserService(PEOPLE, token="geheim-9") as server:
        yield server


def settings(tenant, body):
    return tenant.admin.request(
        "PATCH", f"{ADMIN}/tenants/{tenant.slug}/settings",
        data=json.dumps(body),
        headers={"Content-Type": "application/merge-patch+json"})


@pytest.fixture
def asking(tenant, service):
    """A tenant with the service."""
    answer = settings(tenant, {"user_service": {
        "url": service.url + "/users/{user_id}", "token": "geheim-9",
        "email": "contact.email", "timeout": "10s"}})
    assert answer.status_code == 200, answer.text
    return tenant


def to(*ids):
    return mail(to=[{"user_id": i} for i in ids])


def receivers(tenant, count):
    return sorted(m["To"].addresses[0].addr_spec
                  for m in tenant.wait_for_mails(count))


def reason(tenant, sent):
    wait_until(lambda: tenant.api.notification(sent)["state"] == "done", 20,
               "the end")
    return tenant.api.notification(sent)["deliveries"][0]["reason"]


def test_addresses_come_from_the_service(asking, service):
    asking.api.accepted(to("u1", "u2", "a/b"))
    assert receivers(asking, 3) == ["slash@example.org", "u1@example.org",
                                    "u2@example.org"]
    assert "Ann" in str(asking.mails()[0]["To"]) + str(
        asking.mails()[1]["To"]) + str(asking.mails()[2]["To"])
    # It is remembered; who is not known there has no address.
    asking.api.accepted(to("u1"))
    asking.wait_for_mails(4)
    assert service.asked["u1"] == 1
    assert reason(asking, asking.api.accepted(to("nobody"))) == \
        "the recipient has no address for email"
    reason(asking, asking.api.accepted(to("nobody")))
    assert service.asked["nobody"] == 1
    # What is stored here goes before, what is given before that.
    asking.admin.request("PUT", "/api/v1/services/recipients/u2",
                         json={"email": "stored@example.org"})
    asking.api.accepted(to("u2"))
    asking.api.accepted(mail(to={"user_id": "u1",
                                 "email": "given@example.org"}))
    assert {"stored@example.org", "given@example.org"} <= set(
        receivers(asking, 6))
    assert service.asked["u2"] == 1
    asking.idle()


def test_many_want_to_know_and_it_is_asked_once(asking, service):
    service.mode, service.delay = "slow", 3
    for _ in range(8):
        asking.api.accepted(to("u1"))
    # Others are not held up meanwhile.
    asking.api.accepted(mail("other@example.org"))
    assert receivers(asking, 1) == ["other@example.org"]
    assert len(asking.wait_for_mails(9)) == 9
    assert service.asked["u1"] == 1
    asking.idle()


@pytest.mark.parametrize("mode", ["500", "garbage"])
def test_what_does_not_answer_is_asked_again(asking, service, mode):
    service.mode = mode
    sent = asking.api.accepted(to("u1"))
    wait_until(lambda: service.asked["u1"] >= 1, 10, "a request")
    service.mode = "well"
    assert receivers(asking, 1) == ["u1@example.org"]
    asking.idle()
    assert asking.api.notification(sent)["state"] == "done"


@pytest.mark.expect_log("user service is left alone")
def test_a_service_that_is_down_is_left_alone(stack, asking, service):
    service.mode = "500"
    for n in range(30):
        asking.api.accepted(to(f"p{n}"))
    wait_until(lambda: len(service.asked) >= 5, 20, "five failures")
    wait_until(lambda: asking.count("q_later") == 30, 20, "the parking")
    assert sum(service.asked.values()) <= 30
    assert asking.mails() == []
    service.mode = "well"
    service.people = {f"p{n}": {"contact": {"email": f"p{n}@example.org"}}
                      for n in range(30)}
    asking.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s")
    assert len(asking.wait_for_mails(30, timeout=60)) == 30
    asking.idle()


@pytest.mark.expect_log("memcached|cache")
def test_without_memcached(stack, asking, service):
    pid = stack.pid("memcached")
    os.kill(pid, signal.SIGSTOP)
    try:
        asking.api.accepted(to("u1"))
        assert receivers(asking, 1) == ["u1@example.org"]
    finally:
        os.kill(pid, signal.SIGCONT)
    asking.idle()


def told(connection, request, end):
    connection.sendall(request)
    answer = b""
    while not answer.endswith(end):
        answer += connection.recv(65536)
    return answer


def cached(stack):
    """All that lies in memcached, as one text."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stack.directory / "s/memcached.sock"))
        keys = re.findall(rb"key=(\S+)", told(
            connection, b"lru_crawler metadump all\r\n", b"END\r\n"))
        return b"".join(told(connection, b"get %s\r\n" % unquote_to_bytes(key),
                             b"END\r\n") for key in keys)


def test_who_is_remembered_is_sealed_and_forgotten_with_an_erasure(stack, asking,
                                                                   service):
    service.people = {"u1": {"contact": {"email": "before@example.org"}}}
    asking.api.accepted(to("u1"))
    assert receivers(asking, 1) == ["before@example.org"]
    assert service.asked["u1"] == 1
    lies_there = cached(stack)
    assert lies_there and b"before@example.org" not in lies_there
    asking.idle()
    service.people = {"u1": {"contact": {"email": "after@example.org"}}}
    asking.api.accepted(to("u1"))
    assert receivers(asking, 2) == ["before@example.org"] * 2
    asking.idle()
    erased = asking.admin.post(f"{ADMIN}/recipients/u1/erase")
    assert erased.status_code == 200, erased.text
    asking.api.accepted(to("u1"))
    assert "after@example.org" in receivers(asking, 3)
    assert service.asked["u1"] == 2
    asking.idle()


def test_the_token_is_sealed_and_stays(stack, asking):
    shown = asking.admin.get(f"{ADMIN}/tenants/{asking.slug}/settings")
    assert "token" not in shown.json()["user_service"]
    assert "geheim" not in shown.text
    row = asking.rows("SELECT settings::text AS s, sealed FROM tenant "
                      "WHERE id = %s")[0]
    assert "geheim" not in row["s"] and row["sealed"] is not None
    settings(asking, {"branding": {"name": "x"}})
    asking.api.accepted(to("u1"))
    assert receivers(asking, 1) == ["u1@example.org"]
    asking.idle()


# ---- Many at once --------------------------------------------------------------------

CROWD = {f"p{n}": {"contact": {"email": f"p{n}@example.org"}}
         for n in range(60)}
BY_GET = {"url": "/users?ids={user_ids}"}
BY_POST = {"url": "/lookup", "body": {"ids": "{user_ids}"}}


def use_batch(tenant, service, batch, **more):
    batch = {**batch, "url": service.url + batch["url"],
             "people": "data.users", "id": "id"}
    answer = settings(tenant, {"user_service": {
        "batch": batch, "token": "geheim-9", "email": "contact.email", **more}})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("batch", [BY_GET, BY_POST])
def test_many_are_asked_for_at_once(tenant, service, batch):
    service.people = CROWD
    use_batch(tenant, service, {**batch, "size": 25})
    tenant.api.accepted(to(*CROWD))
    lost = tenant.api.accepted(to("p1", "nobody"))
    assert set(receivers(tenant, 61)) == {f"{i}@example.org" for i in CROWD}
    # Each once, in few requests, none larger than it may be.
    assert set(service.asked) == {*CROWD, "nobody"}
    assert set(service.asked.values()) == {1}
    assert len(service.batches) <= 6
    assert 20 <= max(map(len, service.batches)) <= 25
    tenant.idle()
    assert [d["state"] for d in
            tenant.api.notification(lost)["deliveries"]] == ["sent", "skipped"]


def test_one_alone_is_asked_for_by_itself(tenant, service):
    use_batch(tenant, service, BY_POST, url=service.url + "/users/{user_id}")
    tenant.api.accepted(to("u1"))
    assert receivers(tenant, 1) == ["u1@example.org"]
    assert service.batches == [] and service.asked == {"u1": 1}
    tenant.idle()


def test_a_batch_that_fails_is_one_failure(tenant, service):
    """Sixty people fail at once and the breaker, which takes five failures, stays shut."""
    service.people, service.mode = CROWD, "500"
    use_batch(tenant, service, BY_POST)
    tenant.api.accepted(to(*CROWD))
    wait_until(lambda: set(service.asked) == set(CROWD), 10, "requests")
    service.mode = "well"
    assert len(receivers(tenant, 60)) == 60
    tenant.idle()


# ---- A token of our own ---------------------------------------------------------------

@pytest.fixture(scope="module")
def oidc(tmp_path_factory):
    provider = Oidc(tmp_path_factory.mktemp("oidc"))
    yield provider
    provider.close()


def verifier(oidc, leeway=0):
    """As a service verifies tokens: by the keys that the issuer publishes."""
    keys = jwt.PyJWKClient(oidc.url + "/jwks")
    keys.get_jwk_set()  # once, and not by all who ask at once

    def takes(token):
        try:
            claims = jwt.decode(token, keys.get_signing_key_from_jwt(token).key,
                                algorithms=["ES256"], audience="belfry",
                                issuer=oidc.url, leeway=leeway)
        except (jwt.PyJWTError, jwt.exceptions.PyJWKClientError):
            return False
        return claims["scope"] == "notifications:send"
    return takes


def use_oauth(tenant, service, oidc, resource="urn:belfry", **more):
    oauth = {"token_url": oidc.url + "/token", "client_id": "ES256",
             "scope": "notifications:send", "resource": resource, **more}
    if "client_secret_file" not in more:
        oauth.setdefault("client_secret", "secret")
    answer = settings(tenant, {"user_service": {
        "url": service.url + "/users/{user_id}", "email": "contact.email",
        "oauth": oauth}})
    assert answer.status_code == 200, answer.text


def test_a_token_is_fetched_once(stack, tenant, oidc):
    with UserService(CROWD, takes=verifier(oidc)) as service:
        use_oauth(tenant, service, oidc)
        tenant.api.accepted(to(*CROWD))
        assert len(receivers(tenant, 60)) == 60
        assert len(service.tokens) == 60 and len(set(service.tokens)) == 1
    shown = tenant.admin.get(f"{ADMIN}/tenants/{tenant.slug}/settings")
    assert "client_secret" not in shown.json()["user_service"]["oauth"]
    assert "secret" not in tenant.rows(
        "SELECT settings #>> '{user_service,oauth}' AS s FROM tenant "
        "WHERE id = %s")[0]["s"]
    tenant.idle()


def test_a_token_is_renewed_ahead_of_time(tenant, oidc):
    """Tokens of two seconds, a service that grants five more, for what is on its way on a
    slow machine: none is refused."""
    refused = []
    good = verifier(oidc, leeway=5)

    def takes(token):
        refused.extend([] if good(token) else [token])
        return not refused
    with UserService({}, takes=takes) as service:
        use_oauth(tenant, service, oidc, "urn:belfry:2")
        for n in itertools.count():
            service.people[f"q{n}"] = {"contact": {"email": "q@example.org"}}
            tenant.api.accepted(to(f"q{n}"))
            tenant.wait_for_mails(n + 1)
            if len(set(service.tokens)) >= 3:
                break
            assert n < 100
    assert refused == []
    tenant.idle()


def test_a_token_that_is_refused_is_fetched_anew(tenant, oidc):
    """Once: people are asked for again with the new one."""
    first = []

    def takes(token):
        first.append(token)
        return token != first[0]
    with UserService(PEOPLE, takes=takes) as service:
        use_oauth(tenant, service, oidc)
        tenant.api.accepted(to("u1"))
        assert receivers(tenant, 1) == ["u1@example.org"]
        assert service.asked == {"u1": 2} and len(set(first)) == 2
    tenant.idle()


@pytest.mark.expect_log("no access token for a user service|left alone")
def test_a_secret_may_stand_in_a_file(stack, tenant, oidc):
    """A file of the tenant's own directory, read each time a token is fetched."""
    directory = stack.directory / "secrets" / tenant.slug
    directory.mkdir(parents=True)
    secret = directory / "users"
    secret.touch(0o600)
    owner = (stack.directory / "keys").stat()
    os.chown(secret, owner.st_uid, owner.st_gid)
    secret.write_text("wrong\n")
    with UserService(PEOPLE, takes=verifier(oidc)) as service:
        use_oauth(tenant, service, oidc, client_secret_file="users")
        tenant.api.accepted(to("u1"))
        line = wait_until(lambda: stack.logs.find(
            msg="no access token for a user service",
            tenant_id=tenant.id), 10, "the refusal")[0]
        assert "invalid_client" in line["text"]
        assert service.asked == {}
        secret.write_text("secret\n")
        wait_until(lambda: tenant.count("q_later") == 1, 10, "it is put off")
        tenant.rows("UPDATE q_later SET due = now() WHERE tenant_id = %s")
        assert receivers(tenant, 1) == ["u1@example.org"]
    assert findings(stack, tenant) == ["warn"] * 2  # without TLS
    secret.chmod(0o644)
    assert findings(stack, tenant) == ["warn"] * 2 + ["fail"]
    tenant.idle()


def findings(stack, tenant):
    rows = json.loads(stack.run_ctl("--json", "doctor").stdout)
    return [row["state"] for row in rows if row["check"] == "user services"
            and f'"{tenant.slug}"' in row["text"]]


# ---- Devices -----------------------------------------------------------------------------

def test_devices_come_from_the_service(asking, service):
    """As many as it knows; one that is registered here stands for all."""
    asking.add_provider("ps", "simulator-push")
    settings(asking, {"user_service": {"push_tokens": "devices[].token"}})
    service.people = {
        "d1": {"devices": [{"token": "good-1"}, {"token": "good-2"},
                           {"token": 7}, {"token": "good-1"}, {}]},
        "d2": {"devices": [{"token": "good-3"}]}, "d3": {}}

    def pushed(user):
        sent = asking.api.accepted({
            "content": {"push": {"title": "t", "body": "b"}},
            "to": {"user_id": user}})
        wait_until(lambda: asking.api.notification(sent)["state"] == "done",
                   20, "the end")
        return asking.rows("SELECT address, state, recipient::text AS r FROM "
                           "delivery WHERE tenant_id = %s AND "
                           f"notification_id = '{sent}' ORDER BY address")
    assert [r["address"] for r in pushed("d1")] == ["good-1", "good-2"]
    assert [r["address"] for r in pushed("d2")] == ["good-3"]
    assert [r["address"] for r in pushed("d3")] == [None]
    answer = asking.admin.request(
        "PUT", "/api/v1/services/recipients/d1/devices",
        json={"token": "good-9", "platform": "android"})
    assert answer.status_code in (200, 201), answer.text
    rows = pushed("d1")
    assert [r["address"] for r in rows] == ["good-9"]
    assert "push_tokens" not in rows[0]["r"]
    asking.idle()


# ---- Faults ------------------------------------------------------------------------------

TOKEN_URL = {"token_url": "https://i.example.org/token", "client_id": "b"}
ONE = "https://u.example.org/{user_id}"


@pytest.mark.parametrize("wrong, pointer", [
    ({"url": "https://u.example.org/users"}, "/user_service/url"),
    ({"url": "ftp://u.example.org/{user_id}"}, "/user_service/url"),
    ({"token": "x"}, "/user_service/url"),
    ({"url": "https://u.example.org/{user_id}", "ca_file": "x"},
     "/user_service/ca_file"),
    ({"url": "https://u.example.org/{user_id}", "timeout": "1h"},
     "/user_service/timeout"),
    ({"batch": {"url": "https://u.example.org/"}}, "/user_service/batch/url"),
    ({"batch": {"url": "https://u.example.org/", "body": {"ids": []}}},
     "/user_service/batch/body"),
    ({"batch": {"url": "https://u.example.org/{user_ids}", "size": 501}},
     "/user_service/batch/size"),
    ({"url": ONE, "oauth": TOKEN_URL}, "/user_service/oauth/client_secret"),
    ({"url": ONE, "token": "x", "oauth": {**TOKEN_URL, "client_secret": "y"}},
     "/user_service/token"),
    ({"url": ONE, "oauth": {**TOKEN_URL, "client_secret_file": "../keys/k1"}},
     "/user_service/oauth/client_secret_file"),
    ({"url": ONE, "push_tokens": "a..b"}, "/user_service/push_tokens"),
])
def test_faults(tenant, wrong, pointer):
    body = problem(settings(tenant, {"user_service": wrong}), 422,
                   "validation_failed")
    assert pointer in [e["pointer"] for e in body["errors"]]
