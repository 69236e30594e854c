# test_oauth.py - access tokens that Belfry makes itself
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import json
import urllib.parse

import jwt
import pytest

from harness import fastcgi
from harness.api import ADMIN, SERVICES, Client, mail, problem
from harness.hooks import SID, TOKEN, path_of, twilio_signature
from harness.tenant import key_id, key_secret
from harness.wait import wait_until
from harness.web_server import SERVERS

ISSUER = "https://belfry.example.org"
TEMPLATES = f"{ADMIN}/templates"


def ask(stack, key=None, url=None, auth=None, **form):
    """POST /oauth/token; with a key its two halves stand in the form."""
    if key is not None:
        form |= {"client_id": key_id(key), "client_secret": key_secret(key)}
    form = {"grant_type": "client_credentials", **form}
    client = Client(url or stack.url, None)
    return client.post("/oauth/token", auth=auth, data={
        k: v for k, v in form.items() if v is not None})


def token(stack, key, **form):
    answer = ask(stack, key, **form)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()["access_token"]


def refused(answer, status, error):
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


def claims_of(stack, text):
    """Verified by another library with what Belfry publishes."""
    published = Client(stack.url, None).get("/.well-known/jwks.json").json()
    keys = {k["kid"]: k for k in published["keys"]}
    head = jwt.get_unverified_header(text)
    assert head["typ"] == "at+jwt"
    return jwt.decode(text, jwt.PyJWK(keys[head["kid"]]).key,
                      algorithms=[head["alg"]], audience="belfry",
                      issuer=ISSUER)


def test_a_token_for_a_service(stack, tenant):
    answer = ask(stack, tenant.key)
    told = answer.json()
    assert told["token_type"] == "Bearer" and told["expires_in"] == 900
    assert set(told["scope"].split()) == \
        {"notifications:send", "notifications:read"}
    claims = claims_of(stack, told["access_token"])
    assert claims["client_id"] == key_id(tenant.key)
    assert claims["tenant"] == tenant.slug and claims["sub"] and claims["jti"]
    service = Client(stack.url, told["access_token"])
    identity = service.accepted(mail())
    assert tenant.api.notification(identity)["id"] == identity
    assert service.get(TEMPLATES).status_code == 403
    tenant.idle()


def test_fewer_scopes(stack, tenant):
    service = Client(stack.url, token(stack, tenant.key,
                                      scope="notifications:read"))
    assert service.get(f"{SERVICES}/none").status_code == 404
    problem(service.send(mail()), 403, "forbidden")
    refused(ask(stack, tenant.key, scope="notifications:read admin"), 400,
            "invalid_scope")
    refused(ask(stack, tenant.key, scope="platform"), 400, "invalid_scope")


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.program)
def test_the_header_through_each_web_server(kind, stack, tenant):
    server = kind(stack.directory / "s/api.sock").up()
    try:
        halves = (key_id(tenant.key), key_secret(tenant.key))
        answer = ask(stack, url=server.url, auth=halves)
        assert answer.status_code == 200, answer.text
        wrong = ask(stack, url=server.url, auth=(halves[0], "x"))
        refused(wrong, 401, "invalid_client")
        assert wrong.headers["WWW-Authenticate"].startswith("Basic")
        visitor = Client(server.url, None)
        found = visitor.get("/.well-known/oauth-authorization-server").json()
        assert found["issuer"] == ISSUER
        assert found["token_endpoint"] == f"{ISSUER}/oauth/token"
        assert found == visitor.get("/.well-known/openid-configuration").json()
        assert visitor.get("/.well-known/jwks.json").json()["keys"]
        assert "keys" not in visitor.get("/.well-known/other").text
    finally:
        server.down()


def test_requests_that_are_none(stack, tenant, other_tenant):
    key = tenant.key
    halves = {"client_id": key_id(key), "client_secret": key_secret(key)}
    refused(ask(stack, key, grant_type="password"), 400,
            "unsupported_grant_type")
    refused(ask(stack, key, grant_type=None), 400, "invalid_request")
    refused(ask(stack), 401, "invalid_client")
    refused(ask(stack, client_id=key_id(key)), 401, "invalid_client")
    refused(ask(stack, client_id=key_id(other_tenant.key),
                client_secret=key_secret(key)), 401, "invalid_client")
    refused(ask(stack, client_id="x", client_secret=key), 401,
            "invalid_client")
    # Both ways at once, something twice, another sort of body.
    refused(ask(stack, key, auth=(key_id(key), key_secret(key))), 400,
            "invalid_request")
    client = Client(stack.url, None)
    form = "&".join(f"{k}={v}" for k, v in halves.items())
    for body, kind in (
            (f"grant_type=client_credentials&{form}&{form}", None),
            ("grant_type=client_credentials&" + form, "text/plain"),
            (json.dumps(halves), "application/json"), ("", None),
            ("grant_type=%00", None)):
        refused(client.post("/oauth/token", data=body, headers={
            "Content-Type": kind or "application/x-www-form-urlencoded"}),
            400, "invalid_request")
    for header in ("Basic", "Basic !!", "Basic " + base64.b64encode(
            b"no colon").decode(), f"Bearer {key}"):
        refused(client.post("/oauth/token", data={
            "grant_type": "client_credentials"}, headers={
                "Authorization": header}), 400, "invalid_request")
    assert client.get("/oauth/token").status_code == 405


def test_a_token_that_was_changed(stack, tenant, issuers):
    """The issuers' matrix, with our own: nobody but we signs for us."""
    good = token(stack, tenant.key)
    head, body, sign = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = issuers["plain"]
    forged = [good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
              f"{head}.{body}.", head + "." + body,
              other.token(**claims),
              other.token(header={"kid": jwt.get_unverified_header(
                  good)["kid"]}, **claims),
              jwt.encode(claims, "x" * 32, headers={
                  "kid": jwt.get_unverified_header(good)["kid"],
                  "typ": "at+jwt"})]
    for text in forged:
        problem(Client(stack.url, text).send(mail()), 401, "unauthenticated")
    assert tenant.count("notification") == 0


@pytest.mark.settings(settings={"oauth.issuer": ISSUER})
def test_signing_keys_change_under_use(own_stack, own_tenant):
    """What was signed before goes on; at once means at once."""
    first = token(own_stack, own_tenant.key)
    assert claims_of(own_stack, first)
    done = own_stack.run_ctl("keys", "rotate", "--signing")
    assert done.returncode != 0 and "published" in done.stderr
    own_stack.rows("UPDATE signing_key SET created_at = created_at - "
                   "interval '20 min'")
    own_stack.ctl("keys", "rotate", "--signing", "--alg", "RS256")
    states = [k["state"] for k in own_stack.ctl("keys", "status")
              if k["use"] == "sign"]
    assert states == ["next", "current", "retired"]
    def kid():
        return jwt.get_unverified_header(token(own_stack, own_tenant.key))["kid"]
    old = jwt.get_unverified_header(first)["kid"]
    wait_until(lambda: all(kid() != old for _ in range(8)), 20,
               "the next key on all workers")
    for text in (first, token(own_stack, own_tenant.key)):
        assert claims_of(own_stack, text)
        assert Client(own_stack.url, text).send(mail()).status_code == 202
    own_stack.ctl("keys", "rotate", "--signing", "--now")
    wait_until(lambda: all(Client(own_stack.url, first).send(
        mail()).status_code == 401 for _ in range(8)), 20, "the refusal")
    text = token(own_stack, own_tenant.key)
    wait_until(lambda: jwt.get_unverified_header(
        token(own_stack, own_tenant.key))["alg"] == "RS256", 20, "RS256")
    assert claims_of(own_stack, token(own_stack, own_tenant.key))
    own_tenant.idle()


def at_the_socket(stack, url, form=None, *more):
    """What belfry-api answers to whoever takes a URL at its word."""
    body = urllib.parse.urlencode(form or {}).encode()
    answer = fastcgi.ask(stack.directory / "s/api.sock", fastcgi.request(
        [("REQUEST_METHOD", "GET" if form is None else "POST"),
         ("REQUEST_URI", url[len(ISSUER):]), ("REMOTE_ADDR", "127.0.0.1"),
         ("CONTENT_TYPE", "application/x-www-form-urlencoded"),
         ("CONTENT_LENGTH", str(len(body))), *more], body))
    return fastcgi.status(answer), answer.partition(b"\r\n\r\n")[2]


@pytest.mark.settings(settings={"api.public_url": f"{ISSUER}/belfry/"})
def test_below_another_path(own_stack, own_tenant):
    """api.public_url ends with api.url_prefix; all that is built from it is served."""
    own_tenant.api.ended(own_tenant.api.accepted(mail(
        category="news", content={"unsubscribe": True, "email": {
            "subject": "News", "text": "News."}})))
    link = own_tenant.wait_for_mails(1)[0]["List-Unsubscribe"].strip("<>")
    own_tenant.add_provider("sms", "twilio", account_sid=SID,
                            auth_token=TOKEN, **{"from": "+43660000000"})
    hook = f"{ISSUER}/belfry{path_of(own_tenant, 'sms')}"
    # The web server of the tests knows no such path, so it comes last.
    conf = own_stack.directory / "belfry.conf"
    conf.write_text(conf.read_text().replace(
        "[api]\n", "[api]\nurl_prefix = /belfry\n"))
    own_stack.reload()
    for name in ("oauth-authorization-server", "openid-configuration"):
        status, body = at_the_socket(
            own_stack, f"{ISSUER}/belfry/.well-known/{name}")
        found = json.loads(body)
        assert found["token_endpoint"] == f"{ISSUER}/belfry/oauth/token"
        assert found["jwks_uri"] == f"{ISSUER}/belfry/.well-known/jwks.json"
    assert at_the_socket(own_stack, found["jwks_uri"])[0] == 200
    assert at_the_socket(own_stack, found["token_endpoint"], {
        "grant_type": "client_credentials",
        "client_id": key_id(own_tenant.key),
        "client_secret": key_secret(own_tenant.key)})[0] == 200
    assert link.startswith(f"{ISSUER}/belfry/u/")
    assert at_the_socket(own_stack, link)[0] == 200
    told = {"AccountSid": SID}
    assert at_the_socket(own_stack, hook, told, (
        "HTTP_X_TWILIO_SIGNATURE", twilio_signature(hook, told)))[0] == 204
    assert at_the_socket(own_stack, link.replace("/belfry/u", "/u"))[0] == 404
