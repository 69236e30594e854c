# test_fcm.py - push messages through a stand-in for FCM
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import json
import subprocess
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.api import ADMIN
from harness.certificates import Authority
from harness.google import Google
from harness.hooks import path_of
from harness.issuer import Issuer, Key
from harness.tenant import SERVICE, Tenant
from harness.wait import wait_until
from integration.test_openapi import is_told

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
USER = "/api/v1/services/recipients/u1/devices"


def error(status, code, message="why", **more):
    return {"status": status, "body": {"error": {
        "code": status, "message": message,
        "details": [{"@type": FCM_ERROR, "errorCode": code}]}}, **more}


def push(token="device-1", **more):
    to = {"push_token": token} if token else {"user_id": "u1"}
    return {"to": to, "data": {"order": 42}, "content": {"push": {
        "title": "Order {{order}}", "body": "is on its way", **more}}}


@pytest.fixture(scope="module")
def google(shared_stack):
    with Google(Authority(shared_stack.directory / "google")) as google:
        yield google


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                    "rsa_keygen_bits:2048", "-out", path], check=True,
                   capture_output=True)
    return path


@pytest.fixture
def tenant(stack, google, key):
    google.control()
    tenant = Tenant(stack, maildir=False)
    account = {"type": "service_account", "project_id": "shop-1",
               "client_email": "belfry@shop-1.example", "private_key_id": "k1",
               "private_key": key.read_text(), "token_uri": google.url + "/token"}
    tenant.add_provider("fcm", "fcm", service_account=json.dumps(account),
                        base_url=google.url + "/",
                        ca_file=google.authority.file)
    return tenant


@pytest.fixture
def people(tenant):
    return tenant.client(tenant.make_key("people", scopes=(
        *SERVICE, "recipients:read", "recipients:write")))


def classes(tenant, notification):
    tenant.idle()
    return [e["class"] for e in tenant.api.timeline(notification) if e["class"]]


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_message_is_sent_with_a_token_of_the_key(tenant, google, key, tmp_path):
    sent = tenant.api.accepted(push(
        url="https://shop.example/42", data={"n": 1, "deep": {"a": [True]}},
        ttl=3600, collapse_key="order-{{order}}", priority="high",
        apns={"payload": {"aps": {"badge": 1}}}))
    assert classes(tenant, sent) == ["accepted"]
    token, message = google.asked()["requests"]
    assert message["path"] == "/v1/projects/shop-1/messages:send"
    assert message["headers"]["authorization"].startswith("Bearer token-")
    body = json.loads(message["body"])
    expires = int(body["message"]["apns"]["headers"].pop("apns-expiration"))
    assert 3600 - 60 < expires - time.time() <= 3600
    assert body == {"message": {
        "token": "device-1",
        "notification": {"title": "Order 42", "body": "is on its way"},
        "data": {"n": "1", "deep": '{"a":[true]}',
                 "url": "https://shop.example/42"},
        "android": {"ttl": "3600s", "collapse_key": "order-42",
                    "priority": "HIGH"},
        "apns": {"headers": {"apns-collapse-id": "order-42",
                             "apns-priority": "10"},
                 "payload": {"aps": {"badge": 1}}},
        "webpush": {"headers": {"TTL": "3600"},
                    "fcm_options": {"link": "https://shop.example/42"}}}}

    form = urllib.parse.parse_qs(token["body"])
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims, signature = form["assertion"][0].split(".")
    assert json.loads(unpadded(head)) == {"typ": "JWT", "alg": "RS256", "kid": "k1"}
    claims = json.loads(unpadded(claims))
    assert claims["iss"] == "belfry@shop-1.example"
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
    assert claims["aud"] == google.url + "/token"
    assert claims["exp"] - claims["iat"] == 3600
    (tmp_path / "signature").write_bytes(unpadded(signature))
    (tmp_path / "text").write_text(form["assertion"][0].rpartition(".")[0])
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out",
                    tmp_path / "public"], check=True, capture_output=True)
    subprocess.run(["openssl", "dgst", "-sha256", "-verify", tmp_path / "public",
                    "-signature", tmp_path / "signature", tmp_path / "text"],
                   check=True, capture_output=True)


def test_many_wait_for_one_token(tenant, google):
    google.control(token={"after_ms": 700, "times": 1, "body": {
        "access_token": "slow", "expires_in": 3599}})
    before = google.asked()["tokens"]
    sent = [tenant.api.accepted(push(f"device-{i}")) for i in range(20)]
    tenant.idle()
    asked = google.asked()
    assert asked["tokens"] - before <= 2, "one for each spooler at most"
    assert asked["sends"] == 20
    for one in sent:
        assert [e["attempt"] for e in tenant.api.timeline(one)
                if e["type"] == "delivery.started"] == [1]


def test_spoolers_share_a_token(stack, tenant, google):
    """Those that start later take what lies in memcached, where nobody can read it."""
    before = google.asked()["tokens"]
    assert classes(tenant, tenant.api.accepted(push())) == ["accepted"]
    stack.reload()
    assert classes(tenant, tenant.api.accepted(push("device-2"))) == ["accepted"]
    asked = google.asked()
    assert asked["tokens"] - before == 1 and asked["sends"] == 2


@pytest.mark.expect_log("no access token for a provider|left alone")
def test_waiting_for_a_token_uses_up_no_attempt(tenant, google):
    google.control(token={"times": 2, "status": 503})
    sent = tenant.api.accepted(push())
    assert set(classes(tenant, sent)[:-1]) <= {"throttled"}
    assert classes(tenant, sent)[-1] == "accepted"
    counted = tenant.rows("SELECT counted FROM delivery WHERE tenant_id = %s")
    assert counted == [{"counted": 1}]


@pytest.mark.expect_log("no access token for a provider")
def test_a_key_that_is_no_good_is_the_accounts_fault(tenant, google):
    google.control(token={"status": 400, "body": {
        "error": "invalid_grant", "error_description": "Invalid JWT Signature."}})
    sent = tenant.api.accepted(push())
    refused = wait_until(lambda: [e for e in tenant.api.timeline(sent)
                                  if e["class"] == "bad_credential"], 20,
                         "the refusal")
    assert refused[0]["code"] == "invalid_grant"
    assert google.asked()["sends"] == 0


def test_a_token_that_is_refused_is_renewed_once(tenant, google):
    google.control(send={"device-1": {"times": 1, "status": 401, "body": {
        "error": {"code": 401, "status": "UNAUTHENTICATED"}}}})
    sent = tenant.api.accepted(push())
    assert classes(tenant, sent) == ["accepted"]
    asked = google.asked()
    used = [r["headers"]["authorization"] for r in asked["requests"]
            if r["path"].endswith("send")]
    assert len(used) == 2 and used[0] != used[1]
    assert [e["attempt"] for e in tenant.api.timeline(sent)
            if e["type"] == "delivery.started"] == [1]


@pytest.mark.parametrize("answer, want", [
    (error(404, "UNREGISTERED"), "bad_recipient"),
    (error(400, "INVALID_ARGUMENT", "The registration token is not a valid FCM"
           " registration token"), "bad_recipient"),
    (error(400, "INVALID_ARGUMENT"), "bad_message"),
    (error(403, "SENDER_ID_MISMATCH"), "bad_recipient"),
    (error(429, "QUOTA_EXCEEDED", times=1), "throttled"),
    (error(503, "UNAVAILABLE", times=1), "retry"),
    (error(500, "INTERNAL", times=1), "retry"),
    ({"status": 502, "body": "<h1>Bad gateway</h1>", "times": 1}, "retry")])
def test_answers(tenant, google, answer, want):
    google.control(send={"device-1": answer})
    sent = tenant.api.accepted(push())
    assert classes(tenant, sent)[0] == want


def test_data_alone_goes_to_the_app(tenant, google):
    sent = tenant.api.accepted({"to": {"push_token": "device-1"},
                                "content": {"push": {"data": {"sync": 1}}}})
    assert classes(tenant, sent) == ["accepted"]
    assert google.sent() == [{"message": {"token": "device-1",
                                          "data": {"sync": "1"}}}]


@pytest.mark.parametrize("part, why", [
    ({"data": {"from": "x"}}, "no data of the name"),
    ({"data": {"google.x": "x"}}, "no data of the name"),
    ({"body": "{{repeat}}"}, "larger than 4096"),
])
def test_what_fcm_takes_not_is_not_sent(tenant, google, part, why):
    body = push(**part)
    body["data"]["repeat"] = "ab" * 2500
    events = tenant.api.ended(tenant.api.accepted(body))
    assert why in next(e["text"] for e in events if e["type"] == "delivery.dead")
    assert google.asked()["sends"] == 0


def test_every_device_of_a_user(tenant, google, people):
    for token in ("phone", "tablet"):
        people.request("PUT", USER, json={"token": token, "platform": "android"})
    people.request("PUT", USER, json={"token": "ntfy:topic", "platform": "other"})
    sent = tenant.api.accepted(push(None))
    assert classes(tenant, sent) == ["accepted", "accepted"]
    assert sorted(m["message"]["token"] for m in google.sent()) == \
        ["phone", "tablet"]


def test_a_device_that_is_gone_is_forgotten(tenant, google, people):
    for token in ("gone", "there"):
        people.request("PUT", USER, json={"token": token, "platform": "ios"})
    google.control(send={'"gone"': error(404, "UNREGISTERED")})
    sent = tenant.api.accepted(push(None))
    assert sorted(classes(tenant, sent)) == ["accepted", "bad_recipient"]
    assert [d["token"] for d in people.get(USER).json()["data"]] == ["there"]


def test_a_device_that_came_back_meanwhile_stays(tenant, google, people):
    """P10: UNREGISTERED is about the token as it was when the attempt began."""
    people.request("PUT", USER, json={"token": "gone", "platform": "ios"})
    google.control(send={'"gone"': error(404, "UNREGISTERED", after_ms=1500)})
    sent = tenant.api.accepted(push(None))
    wait_until(lambda: google.asked()["sends"] == 1, 20, "the request")
    people.request("PUT", USER, json={"token": "gone", "platform": "ios"})
    assert classes(tenant, sent) == ["bad_recipient"]
    assert len(people.get(USER).json()["data"]) == 1


@pytest.mark.parametrize("change, why", [
    ({"private_key": "x"}, "no key in PEM"), ({"client_email": ""}, "client_email"),
    ({"token_uri": "http://127.0.0.1/"}, "https"), ({"project_id": "a/b"}, "project"),
])
def test_what_is_no_account_is_refused(tenant, key, change, why):
    account = {"project_id": "shop-1", "client_email": "a@b.example",
               "private_key": key.read_text(), "token_uri": "https://a.example/",
               **change}
    done = tenant.stack.run_ctl("provider", "add", "other", "--kind", "fcm",
                                "--set", f"service_account={json.dumps(account)}",
                                tenant=tenant.slug)
    assert done.returncode != 0 and why in done.stderr


@pytest.fixture
def refusing(tenant, google):
    """Another server, to which nobody is connected yet, takes the messages."""
    with Google(google.authority) as other:
        account, = tenant.rows("SELECT id FROM provider WHERE tenant_id = %s")
        changed = tenant.admin.request(
            "PATCH", f"/api/v1/admin/providers/{account['id']}",
            json={"settings": {"base_url": other.url}},
            headers={"Content-Type": "application/merge-patch+json"})
        assert changed.status_code == 200, changed.text
        yield other


def test_a_refused_stream_was_not_acted_on(tenant, refusing):
    """It goes once more, in the same attempt: nothing is unknown."""
    refusing.call("-d", json.dumps({"send": {
        "device-1": {"refuse": True, "times": 1}}}))
    sent = tenant.api.accepted(push())
    assert classes(tenant, sent) == ["accepted"]
    assert refusing.asked()["sends"] == 2


# What comes later

AUDIENCE, ACCOUNT = "https://notify.example.org", "push@shop-1.example.org"
PUBLIC = "https://notify.example.org"


@pytest.mark.expect_log("left alone")
def test_connections_that_end_under_way(tenant, refusing):
    """What was under way over them is sent again, and nothing is lost: servers do so that
    count the resets behind answers without a length (doc/reliability.md)."""
    refusing.control(leave=30)
    people = {f"device-{n}" for n in range(100)}
    tenant.api.accepted({**push(), "to": [{"push_token": one} for one in people]})
    tenant.idle(60)
    asked = refusing.asked()
    assert asked["sessions"] > 100 / 30
    sent = [json.loads(r["body"])["message"]["token"] for r in asked["requests"]]
    assert set(sent) == people
    assert {r["state"] for r in tenant.rows(
        "SELECT state FROM delivery WHERE tenant_id = %s")} == {4}
    again = tenant.rows("SELECT sum(attempts) - count(*) AS n FROM delivery "
                        "WHERE tenant_id = %s")[0]["n"]
    assert 0 < len(sent) - len(people) <= again


@pytest.fixture(scope="module")
def accounts():
    """Keys as Google publishes them, and tokens of service accounts."""
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def reported(own_stack, google, key, accounts):
    google.control()
    tenant = Tenant(own_stack, maildir=False)
    account = {"type": "service_account", "project_id": "shop-1",
               "client_email": "belfry@shop-1.example",
               "private_key": key.read_text(), "token_uri": google.url + "/token"}
    tenant.add_provider("fcm", "fcm", service_account=json.dumps(account),
                        base_url=google.url, ca_file=google.authority.file,
                        receipts="true", pubsub_audience=AUDIENCE,
                        pubsub_account=ACCOUNT,
                        pubsub_keys=accounts.url + "/jwks")
    return tenant


def state(tenant, sent):
    return tenant.api.notification(sent)["deliveries"][0]["state"]


def types(tenant, sent):
    return [e["type"] for e in tenant.api.timeline(sent)]


def applied(tenant):
    wait_until(lambda: tenant.count("hook_inbox") == 0, 20, "an empty inbox")


WITH_URL = pytest.mark.settings(settings={"api.public_url": PUBLIC})


@WITH_URL
def test_an_app_tells_what_became_of_a_message(reported, google):
    sent = reported.api.accepted(push())
    reported.api.ended(sent)
    link = google.sent()[0]["message"]["data"]["belfry_receipt"]
    assert link.startswith(PUBLIC + "/t/r/")
    here = reported.stack.url + link[len(PUBLIC):]

    document = requests.get(reported.stack.url + "/api/openapi.json",
                            timeout=30).json()

    def tell(url=here, **body):
        answer = requests.post(url, timeout=30, **({"json": body} if body
                                                   else {"data": "{"}))
        assert answer.status_code == 405 or is_told(
            document, "post", "/t/r/{link}", answer), answer.text
        return answer.status_code
    assert tell(event="delivered", at="2026-01-01T00:00:00Z") == 204
    for _ in range(3):
        assert tell(event="opened") == tell(event="read") == 204
    applied(reported)
    assert state(reported, sent) == "delivered"
    for kind in ("delivered", "opened", "read"):
        assert types(reported, sent).count(f"delivery.{kind}") == 1
    assert tell(event="bounced") == tell(event="read", at="now") == 422
    assert tell(wrong="opened") == 422
    assert tell() == requests.post(here, timeout=30).status_code == 400
    assert tell(event="opened", more=[1]) == 204
    wrong = here[:-2] + ("AA" if here[-2:] != "AA" else "BB")
    assert tell(wrong, event="read") == 404
    assert tell(here.replace("/t/r/", "/t/c/"), event="read") == 405
    assert requests.get(here.replace("/t/r/", "/t/c/"),
                        timeout=30).status_code == 404


@WITH_URL
def test_events_through_pubsub(reported, google, accounts):
    sent = reported.api.accepted(push())
    reported.api.ended(sent)
    delivery, = reported.api.notification(sent)["deliveries"]
    ref, = (r["provider_ref"] for r in reported.rows(
        "SELECT provider_ref FROM attempt WHERE tenant_id = %s"))
    url = reported.stack.url + path_of(reported, "fcm")

    def told(*events, form=list, header="Bearer ", **claims):
        data = json.dumps(events[0] if form is dict else events).encode()
        body = {"subscription": "projects/shop-1/subscriptions/belfry",
                "message": {"messageId": "1",
                            "data": base64.b64encode(data).decode()}}
        token = accounts.token("rsa", {"typ": "JWT"}, **{
            "iss": "https://accounts.google.com", "aud": AUDIENCE,
            "sub": "1136", "azp": "1136", "email": ACCOUNT,
            "email_verified": True, "iat": int(time.time()),
            "exp": int(time.time()) + 3600, **claims})
        return requests.post(url, json=body, timeout=30, headers={
            "Authorization": header + token}).status_code
    read = {"notification": sent, "delivery": delivery["id"], "event": "read"}
    for wrong in ({"aud": "https://other.example.org"},
                  {"email": "eve@shop-1.example.org"},
                  {"email_verified": False}, {"exp": int(time.time()) - 60},
                  {"iss": "https://accounts.example.com"}, {"email": None}):
        assert told(read, **wrong) == 403
    assert told(read, header="Basic ") == 403
    assert told({"message_id": ref, "event": "MESSAGE_DELIVERED",
                 "event_timestamp": "2026-01-01T00:00:00Z"}, form=dict) == 204
    applied(reported)
    assert state(reported, sent) == "delivered"
    assert told(read, {"event": "unknown"}, {}) == 204
    applied(reported)
    assert "delivery.read" in types(reported, sent)


@WITH_URL
@pytest.mark.expect_log("could not be fetched|the keys of too many issuers|"
                        "slow request")
def test_keys_that_hang_hold_up_one_worker(reported, accounts):
    """Anybody can post a token of a key that is not known yet."""
    other = Tenant(reported.stack, maildir=False)
    url = reported.stack.url + path_of(reported, "fcm")
    times = []

    def junk(n):
        token = accounts.token(key=Key(f"k{n}"), aud=AUDIENCE,
                               iss="https://accounts.google.com")
        return requests.post(url, json={}, timeout=30, headers={
            "Authorization": "Bearer " + token})

    accounts.mode = "hang"
    try:
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(junk, n) for n in range(30)]
            while not all(a.done() for a in asked):
                begun = time.monotonic()
                assert other.admin.get(f"{ADMIN}/templates").status_code == 200
                times.append(time.monotonic() - begun)
            told = [a.result() for a in asked]
            # It may be Google: it is to come again.
            assert {(a.status_code, a.json()["code"]) for a in told} == {
                (503, "temporary")}
            assert all(a.headers["Retry-After"] for a in told)
    finally:
        accounts.mode = "good"
        accounts.wait.set()
    assert len(times) > 10 and max(times) < 1, sorted(times)[-5:]
