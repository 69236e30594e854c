# test_canaries.py - secrets are planted, and looked for wherever they must not be
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY C5: every route that reads, exports, the audit trail, a dump of the database,
# the programs' logs at level debug, error texts, and what PostgreSQL itself writes down:
# log_statement=all with parameters, auto_explain, pg_stat_statements.
import base64
import itertools
import json
import re
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.api import ADMIN, Client, mail
from harness.fake_provider import FakeProvider, Fault
from harness.tenant import Tenant, key_id, key_secret
from harness.wait import wait_until

ISSUER = "https://belfry.example.org"
POSTGRES = {
    "log_statement": "all", "log_min_duration_statement": "0",
    "shared_preload_libraries": "'auto_explain,pg_stat_statements'",
    "auto_explain.log_min_duration": "0", "auto_explain.log_verbose": "on",
    "auto_explain.log_analyze": "on", "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1", "logging_collector": "off",
}


class Canaries:
    """Secrets by the names of where they were planted."""

    def __init__(self):
        self.planted = {}
        self.count = itertools.count()

    def text(self, where, template="{}"):
        secret = f"canary{next(self.count):03}Zx9Qw7"
        self.planted[where] = secret
        return template.format(secret)

    def known(self, where, secret):
        """One that somebody else made."""
        self.planted[where] = secret
        return secret

    def pem(self, where):
        key = rsa.generate_private_key(65537, 2048)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()).decode()
        self.planted[where] = text.splitlines()[3]
        return text

    def found_in(self, text):
        """In any form in which a program may write what it was given."""
        found = []
        for where, secret in self.planted.items():
            octets = secret.encode()
            forms = [octets, octets.hex().encode(),
                     *(base64.b64encode(b"x" * n + octets)[4:-4]
                       for n in range(3))]
            found += [where for form in forms if form in text]
        return sorted(set(found))


def accounts(canaries, provider):
    """Settings of a provider account by kind, each secret a canary."""
    c = canaries.text
    url = provider.url("/")
    fcm = {"type": "service_account", "project_id": "shop",
           "client_email": "a@shop.iam.gserviceaccount.com",
           "token_uri": "https://127.0.0.1:9/token", "private_key_id": "1",
           "private_key": canaries.pem("fcm private_key")}
    return {
        "smtp": {"host": "127.0.0.1", "port": provider.smtp_port,
                 "tls": "none", "from": "shop@example.org",
                 "username": "shop", "password": c("smtp password"),
                 "dkim_selector": "b1",
                 "dkim_key": canaries.pem("dkim_key")},
        "twilio": {"account_sid": "AC" + "0" * 32, "from": "+15005550006",
                   "auth_token": c("twilio auth_token"), "base_url": url},
        "sendgrid": {"api_key": c("sendgrid api_key"), "base_url": url,
                     "from": "shop@example.org"},
        "whatsapp": {"access_token": c("whatsapp access_token"),
                     "app_secret": c("whatsapp app_secret"),
                     "verify_token": c("whatsapp verify_token"),
                     "phone_number_id": "106540352242922", "base_url": url},
        "webhook": {"url": url,
                    "secret": "whsec_" + base64.b64encode(
                        c("webhook secret").ljust(24).encode()).decode(),
                    "headers": {"X-Token": c("webhook header")}},
        "telegram": {"token": c("telegram token", "123456:ABC-DEF-{}"),
                     "chat_id": "-1001", "base_url": url},
        "ntfy": {"token": c("ntfy token"), "base_url": url},
        "slack": {"url": c("slack url",
                           provider.url("/services/T0/B0/") + "{}")},
        "teams": {"url": c("teams url", provider.url("/workflows/") + "{}")},
        "fcm": {"service_account": fcm, "base_url": url},
    }


def plant_accounts(tenant, canaries, provider):
    for kind, settings in accounts(canaries, provider).items():
        made = tenant.admin.post(f"{ADMIN}/providers", json={
            "name": kind, "kind": kind, "settings": settings})
        assert made.status_code == 201, (kind, made.text)
        yield made.text
        path = f"{ADMIN}/providers/{made.json()['id']}"
        # Refused ones, whose errors tell what is wrong.
        for wrong in ({**settings, "colour": canaries.text(f"{kind} stray")},
                      {**settings, **{n: 7 for n in settings}}):
            yield tenant.admin.request("PUT", path, json={
                "name": kind, "kind": kind, "settings": wrong}).text
        yield tenant.admin.post(f"{path}/test", json={}).text


def plant_others(tenant, canaries):
    """Webhook endpoints, a user service, keys, tokens; what answers them may show a
    secret once, and is no leak."""
    made = tenant.admin.post(f"{ADMIN}/webhooks", json={
        "url": "http://127.0.0.1:9/x", "events": ["delivery.sent"],
        "headers": {"X-Token": canaries.text("endpoint header")}}).json()
    canaries.known("endpoint secret", made["secret"].partition("_")[2])
    turned = tenant.admin.post(
        f"{ADMIN}/webhooks/{made['id']}/rotate-secret", json={})
    if turned.status_code == 200:
        canaries.known("endpoint's next secret",
                       turned.json()["secret"].partition("_")[2])
    answer = tenant.admin.request(
        "PATCH", f"{ADMIN}/tenants/{tenant.slug}/settings",
        data=json.dumps({"user_service": {
            "url": "https://users.example.org/{user_id}",
            "oauth": {"token_url": "https://login.example.org/token",
                      "client_id": "belfry", "client_secret":
                          canaries.text("client_secret")}}}),
        headers={"Content-Type": "application/merge-patch+json"})
    assert answer.status_code == 200, answer.text
    account = tenant.admin.post(f"{ADMIN}/service-accounts", json={
        "name": "canary", "scopes": ["notifications:send"]}).json()
    key = account["keys"][0]["key"] if "key" in account["keys"][0] \
        else account["key"]
    for where, secret in (("api key", key), ("service key", tenant.key),
                          ("admin key", tenant.admin_key)):
        canaries.known(where, key_secret(secret))
    answer = Client(tenant.stack.url, None).post("/oauth/token", data={
        "grant_type": "client_credentials", "client_id": key_id(key),
        "client_secret": key_secret(key)})
    canaries.known("access token",
                   answer.json()["access_token"].rpartition(".")[2])
    Client(tenant.stack.url, answer.json()["access_token"]).send(mail())
    # A key that is wrong at its end is a secret, too: of somebody's typing.
    tenant.client(key[:-1] + ("A" if key[-1] != "A" else "B")).send(mail())
    for path in (tenant.stack.directory / "keys").glob("*.key"):
        canaries.known(f"sealing key {path.stem}", path.read_text().strip())


def send_by_all(tenant, provider):
    """Once each, with answers that are good, refuse, and make no sense."""
    bodies = [
        mail(), {"to": {"phone": "+436601234567"},
                 "content": {"sms": {"text": "x"}}},
        {"to": {"user_id": "u1"}, "channels": ["webhook"],
         "content": {"webhook": {"text": "x"}}}]
    for faults in ([], [Fault(answer=401, body=b"no", times=20),
                        Fault("MAIL", answer="535 5.7.8 no", times=9)],
                   [Fault(answer=500, body=b"\xff<html>", times=9)]):
        provider.faults[:] = faults
        for body in bodies:
            tenant.api.accepted(body)
        wait_until(lambda: not tenant.count("q_leased") and
                   not tenant.count("q_ready"), 30, "the deliveries")


def reads(tenant):
    """Every route that reads, with everything there is in its path."""
    document = Client(tenant.stack.url, None).get("/api/openapi.json").json()
    ids = {"slug": [tenant.slug], "tenant": [tenant.slug], "user_id": ["u1"],
           "id": [r["id"] for table in (
               "notification", "provider", "webhook_endpoint",
               "service_account") for r in tenant.rows(
                   f"SELECT id::text FROM {table} WHERE tenant_id = %s")]}
    for path, methods in document["paths"].items():
        names = re.findall(r"\{(\w+)\}", path)
        for values in itertools.product(*(ids.get(n, ["x"]) for n in names)):
            where = path
            for name, value in zip(names, values):
                where = where.replace("{%s}" % name, value)
            if "get" in methods:
                yield where, tenant.admin.get(where)


def let_postgres_talk(stack):
    for part in ("spooler", "api"):
        stack.stop(part)
    with (stack.directory / "data/postgresql.conf").open("a") as file:
        file.writelines(f"{name} = {value}\n"
                        for name, value in POSTGRES.items())
    stack.stop("postgres")
    for part in ("postgres", "api", "spooler"):
        stack.start(part)
    stack.rows("CREATE EXTENSION pg_stat_statements SCHEMA public")


def dump(stack):
    done = subprocess.run(
        ["pg_dump", "-h", stack.env["PGHOST"], "-p", stack.env["PGPORT"],
         "-U", "postgres", stack.env["PGDATABASE"]], capture_output=True,
        timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def places(stack, tenant, said):
    """Pairs of a place and all that stands there."""
    yield "answers to who planted", "\n".join(said).encode()
    answers = list(reads(tenant))
    assert sum(a.status_code == 200 for _, a in answers) > 30
    for path, answer in answers:
        yield f"GET {path}", answer.content + str(answer.headers).encode()
    for name, words in (("an export of a person", ["privacy", "export", "u1"]),
                        ("the audit trail", ["audit", "export"])):
        done = stack.run_ctl(*words, tenant=tenant.slug)
        assert done.returncode == 0, done.stderr
        yield name, done.stdout.encode()
    yield "belfryctl", "".join(
        stack.run_ctl(*words, tenant=tenant.slug).stdout for words in (
            ["provider", "list"], ["provider", "show", "smtp"],
            ["key", "list"], ["keys", "status"], ["config", "-n"],
            ["--json", "provider", "show", "webhook"])).encode()
    yield "a dump", dump(stack)
    yield "pg_stat_statements", json.dumps(stack.rows(
        "SELECT query FROM public.pg_stat_statements")).encode()
    for name in ("api", "spooler", "postgres", "lighttpd", "memcached"):
        yield f"log/{name}.log", \
            (stack.directory / f"log/{name}.log").read_bytes()


def test_a_canary_is_found_in_every_form():
    canaries = Canaries()
    secret = canaries.text("here").encode()
    for text in (b"x" + secret + b"y", secret.hex().encode(),
                 *(base64.b64encode(b":" * n + secret + b".")
                   for n in range(7))):
        assert canaries.found_in(text) == ["here"], text
    assert canaries.found_in(secret[:-1]) == []


@pytest.mark.C5
@pytest.mark.settings(settings={"log.level": "debug", "oauth.issuer": ISSUER})
@pytest.mark.expect_log(".")
def test_secrets_stay_where_they_belong(own_stack):
    let_postgres_talk(own_stack)
    canaries = Canaries()
    with FakeProvider() as provider:
        tenant = Tenant(own_stack, maildir=False)
        tenant.admin.request("PUT", "/api/v1/services/recipients/u1",
                             json={"email": "ann@example.org"})
        said = list(plant_accounts(tenant, canaries, provider))
        plant_others(tenant, canaries)
        send_by_all(tenant, provider)
    assert provider.count() > 0
    leaks, looked = [], {}
    for place, text in places(own_stack, tenant, said):
        looked[place] = len(text)
        leaks += [(place, where) for where in canaries.found_in(text)]
    assert leaks == []
    for place in ("a dump", "an export of a person", "pg_stat_statements", "log/postgres.log",
                  "log/api.log", "log/spooler.log", "the audit trail"):
        assert looked[place] > 500, f"{place} is empty"
    # The log has all statements with their parameters and plans, or it proves nothing.
    log = (own_stack.directory / "log/postgres.log").read_text()
    assert "parameters: $1 = " in log and "Query Text:" in log
    print(f"{len(canaries.planted)} secrets, {len(looked)} places, "
          f"{sum(looked.values()) >> 10} KB: 0 found")
