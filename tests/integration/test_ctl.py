# test_ctl.py - belfryctl against a private PostgreSQL
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(p.parent.name for p in (ROOT / "templates").glob(
    "*/template.json"))

OK, FAILED, USAGE, CONFIG, NOT_FOUND, DATABASE, CONFLICT, REFUSED = range(8)


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL with Belfry's database and the tenant demo."""
    server = Postgres().up()
    server.made = server.ctl("init", "--tenant", "demo")
    yield server
    server.down()
    server.remove()


@pytest.fixture
def empty():
    """A PostgreSQL that has never heard of Belfry."""
    server = Postgres(fast=False).up()
    yield server
    server.down()
    server.remove()


@pytest.fixture
def tenant(server, request):
    """A tenant for this test alone."""
    slug = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-")
    made = server.ctl("tenant", "add", slug)

    class Tenant:
        id = made["id"]
        name = slug

        def run(self, *arguments, **more):
            return server.run("-t", slug, *arguments, **more)

        def ctl(self, *arguments, **more):
            return server.ctl("-t", slug, *arguments, **more)

        def generation(self):
            return server.value("SELECT generation FROM tenant_generation "
                                "WHERE tenant_id = %s", self.id)

        def audit(self):
            return server.rows("SELECT principal, action, object, detail "
                               "FROM audit WHERE tenant_id = %s ORDER BY id",
                               self.id)

    return Tenant()


def findings(server):
    return {(f["check"], f["state"]) for f in
            json.loads(server.run("--json", "doctor").stdout)}


def kept(server):
    """What doctor says of durability when nothing is wrong with it."""
    (state, text), = {(f["state"], f["text"]) for f in
                      json.loads(server.run("--json", "doctor").stdout)
                      if f["check"] == "durability"}
    assert state == "ok"
    return text


# init

def test_init_from_nothing(empty):
    done = empty.run("tenant", "list")
    assert done.returncode == DATABASE
    assert "does not exist" in done.stderr

    made = empty.ctl("init", "--tenant", "shop")
    assert made["tenant"] == "shop"
    assert re.fullmatch(r"blf_[0-9a-z]{26}_[\w-]{43}", made["api_key"])
    assert re.fullmatch(r"blf_[0-9a-z]{26}_[\w-]{43}", made["admin_key"])
    scopes = {key["account"]: key["scopes"] for key in empty.ctl("key", "list")}
    assert scopes["admin"] == "admin"
    assert "notifications:send" in scopes["service"].split()

    before = empty.rows("SELECT setrole, setconfig FROM pg_db_role_setting "
                        "ORDER BY setrole")
    again = empty.ctl("init")
    assert again == {"tenant": "shop", "api_key": None, "admin_key": None,
                     "made": []}
    assert before == empty.rows("SELECT setrole, setconfig "
                                "FROM pg_db_role_setting ORDER BY setrole")
    assert {state for _, state in findings(empty)} == {"ok", "warn"}
    assert empty.run("doctor").returncode == OK


def test_init_makes_roles_that_cannot_pass_the_wall(server):
    roles = server.rows("SELECT * FROM pg_roles WHERE rolname LIKE 'belfry%'")
    assert {r["rolname"] for r in roles} == {
        "belfry_owner", "belfry_api", "belfry_spooler", "belfry_gateway",
        "belfry_report"}
    for role in roles:
        assert not role["rolsuper"] and not role["rolbypassrls"]
        assert not role["rolcreaterole"] and not role["rolcreatedb"]
        assert role["rolcanlogin"] == (role["rolname"] != "belfry_owner")
    for user in ("belfry_api", "belfry_spooler", "belfry_gateway",
                 "belfry_report"):
        for what in ("TABLE x (id int)", "SCHEMA x", "TABLE public.x (id int)"):
            with pytest.raises(Exception, match="permission denied"):
                server.rows(f"CREATE {what}", user=user)


@pytest.mark.parametrize("user, setting, value", [
    ("belfry_api", "plan_cache_mode", "force_generic_plan"),
    ("belfry_api", "statement_timeout", "5s"),
    ("belfry_api", "enable_seqscan", "on"),
    ("belfry_spooler", "plan_cache_mode", "force_generic_plan"),
    ("belfry_spooler", "enable_seqscan", "off"),
    ("belfry_spooler", "enable_hashjoin", "off"),
    ("belfry_spooler", "enable_mergejoin", "off"),
    ("belfry_spooler", "statement_timeout", "10s"),
    ("belfry_gateway", "jit", "off"),
    ("belfry_report", "statement_timeout", "1min"),
    ("belfry_report", "idle_in_transaction_session_timeout", "10s"),
    ("belfry_api", "search_path", "belfry"),
])
def test_init_sets_sessions(server, user, setting, value):
    assert server.value(f"SHOW {setting}", user=user) == value


def test_init_goes_on_where_it_was_cut_off(empty):
    empty.ctl("init", "--tenant", "shop")
    empty.rows("DELETE FROM service_account WHERE name = 'admin'")
    again = empty.ctl("init", "--tenant", "shop")
    assert again["api_key"] is None
    assert again["admin_key"].startswith("blf_")
    assert again["made"] == ['service account "admin"']


def test_init_says_who_may_make_the_database(empty):
    empty.rows("CREATE ROLE clerk LOGIN CREATEROLE", database="postgres")
    for user, text in [("nobody", "createuser --createrole --createdb root"),
                       ("clerk", "permission denied to create database")]:
        done = empty.run("init", BELFRY_DATABASE_ADMIN_CONNINFO=
                         f"host={empty.directory}/s dbname=bells user={user}")
        assert done.returncode != OK
        assert text in done.stderr
    assert "does not exist" in empty.run(
        "init", BELFRY_DATABASE_ADMIN_CONNINFO=
        f"host={empty.directory}/s dbname=bells user=nobody").stderr


def test_init_without_superuser(empty):
    empty.rows("CREATE ROLE boss LOGIN CREATEROLE CREATEDB",
               database="postgres")
    empty.write_config(database_admin_conninfo=f"host={empty.directory}/s "
                       "dbname=bells user=boss",
                       database_conninfo=f"host={empty.directory}/s "
                       "dbname=bells")
    assert empty.ctl("init")["tenant"] == "default"
    assert empty.ctl("init")["made"] == []
    assert len(empty.ctl("seed")) == len(TEMPLATES) + 1
    assert empty.run("doctor").returncode == OK
    assert empty.value("SELECT count(*) FROM belfry.tenant WHERE id > 0", user="belfry_api",
                       database="bells") == 1


# What PostgreSQL 16 answers to who made a role: a member, but not to SET ROLE.
LIKE_16 = """
CREATE SCHEMA sixteen;
GRANT USAGE ON SCHEMA sixteen TO PUBLIC;
CREATE FUNCTION sixteen.current_setting(name text) RETURNS text LANGUAGE sql
    AS $$ SELECT CASE name WHEN 'server_version_num' THEN '160004'
        ELSE pg_catalog.current_setting(name) END $$;
CREATE FUNCTION sixteen.pg_has_role(role name, privilege text) RETURNS bool
    LANGUAGE sql AS $$ SELECT CASE privilege WHEN 'MEMBER' THEN true
        ELSE pg_catalog.pg_has_role(role, 'MEMBER') END $$;
"""


def test_init_without_superuser_as_postgresql_16_has_it(empty):
    empty.rows("CREATE ROLE boss LOGIN CREATEROLE", database="postgres")
    empty.rows(LIKE_16, database="postgres")
    roles = (ROOT / "sql/scripts/roles.sql").read_text()
    for _ in range(2):
        empty.rows("SET search_path = sixteen, pg_catalog; " + roles,
                   user="boss", database="postgres")
    assert empty.value("SELECT pg_has_role('boss', 'belfry_owner', 'MEMBER')",
                       database="postgres")


def test_keys_are_not_stored(server):
    secret = server.made["api_key"].split("_", 2)[2]
    dump = json.dumps(server.rows("SELECT k.*, encode(hash, 'escape') AS e "
                                  "FROM api_key k"), default=str)
    assert secret not in dump
    assert secret not in json.dumps(server.rows("SELECT * FROM audit"),
                                    default=str)


# Exit codes and messages

@pytest.mark.parametrize("arguments, status, words", [
    ([], USAGE, "no command"),
    (["-t", "demo", "send", "--template", "x"], USAGE, "--to is missing"),
    (["tenat", "list"], USAGE, 'did you mean "tenant"?'),
    (["tenant"], USAGE, "incomplete"),
    (["tenant", "add"], USAGE, "tenant add SLUG"),
    (["tenant", "list", "--frobnicate"], USAGE, "--frobnicate"),
    (["-c", "/nonexistent/belfry.conf", "tenant", "list"], CONFIG,
     "/nonexistent/belfry.conf"),
    (["-t", "nobody", "key", "list"], NOT_FOUND, '"nobody"'),
    (["tenant", "add", "demo"], CONFLICT, '"demo" already'),
    (["tenant", "add", "Demo"], REFUSED, '"Demo"'),
    (["tenant", "add", "x", "--locale", "de_AT"], REFUSED, "de_AT"),
    (["tenant", "add", "x", "--time-zone", "Mars/Base"], REFUSED, "Mars/Base"),
    (["tenant", "suspend", "nobody"], NOT_FOUND, '"nobody"'),
    (["-t", "demo", "key", "add", "x", "--scope", "everything"], REFUSED,
     "everything"),
    (["-t", "demo", "key", "add", "x"], NOT_FOUND, "--scope"),
    (["-t", "demo", "key", "add", "x", "--scope", "admin", "--expires", "1"],
     USAGE, '"1"'),
    (["-t", "demo", "key", "revoke", "x"], NOT_FOUND, '"x"'),
    (["-t", "demo", "template", "pull", "nothing", "/tmp/x"], NOT_FOUND,
     "nothing"),
    (["-t", "demo", "template", "push", "/nonexistent"], NOT_FOUND,
     "/nonexistent"),
    (["-t", "demo", "provider", "add", "x"], USAGE, "--kind"),
    (["-t", "demo", "provider", "add", "x", "--kind", "pigeon"], REFUSED,
     "pigeon"),
    (["-t", "demo", "provider", "show", "x"], NOT_FOUND, '"x"'),
    (["-t", "demo", "show", "x"], USAGE, '"x"'),
    (["-t", "demo", "show", "01a20967-adf2-743c-9253-a2d8f6df17a3"],
     NOT_FOUND, "01a20967"),
    (["help", "tenant", "grow"], USAGE, "tenant grow"),
])
def test_exit_codes(server, arguments, status, words):
    done = server.run(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    done = server.run("--json", *arguments)
    assert done.returncode == status
    assert words in json.loads(done.stderr)["error"]["message"]


def test_help_on_a_group_tells_its_commands_alone(server):
    for line in (["tenant", "--help"], ["help", "tenant"]):
        told = server.run(*line).stdout
        assert "  tenant add SLUG" in told and "provider" not in told


def test_database_is_away(server):
    for variable, value in [
            ("BELFRY_DATABASE_ADMIN_CONNINFO", "host=/nonexistent"),
            ("BELFRY_DATABASE_ADMIN_CONNINFO",
             f"host={server.directory}/s user=postgres dbname=nothing")]:
        done = server.run("tenant", "list", **{variable: value})
        assert done.returncode == DATABASE
        assert "could not connect" in done.stderr
        assert "admin_conninfo" in done.stderr and "doctor" in done.stderr


def test_database_without_schema(server):
    conninfo = f"host={server.directory}/s user=postgres dbname=postgres"
    done = server.run("tenant", "list", BELFRY_DATABASE_ADMIN_CONNINFO=conninfo)
    assert done.returncode == DATABASE
    assert "belfryctl init" in done.stderr


def test_several_tenants_need_a_name(server, tenant):
    done = server.run("template", "list")
    assert done.returncode == USAGE
    assert "--tenant" in done.stderr


def test_output_that_does_not_get_out_is_a_failure(server):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [Path(os.environ["BELFRY_BUILDDIR"]) / "belfryctl", "help"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == FAILED
    assert "could not write" in done.stderr


# Configuration

def test_check_config_names_every_fault(server, tmp_path):
    conf = tmp_path / "belfry.conf"
    conf.write_text("[api]\nworkers = many\nwrokers = 2\n[nothing]\nx = 1\n")
    done = server.run("-c", conf, "check-config")
    assert done.returncode == CONFIG
    assert f"{conf}:2: " in done.stderr
    assert f"{conf}:3: " in done.stderr
    assert f"{conf}:4: " in done.stderr
    done = server.run("--json", "-c", conf, "check-config")
    assert done.returncode == CONFIG
    faults = json.loads(done.stderr)["error"]["faults"]
    assert [f["place"] for f in faults] == [f"{conf}:{n}" for n in (2, 3, 4)]
    assert faults[1]["text"].startswith("api.wrokers: unknown key")
    done = server.run("check-config", BELFRY_API_WORKERS="0")
    assert done.returncode == CONFIG
    assert "BELFRY_API_WORKERS" in done.stderr
    assert server.ctl("check-config")["ok"] is True


def test_config_prints_what_is_in_force(server, tmp_path):
    changed = server.ctl("config", "-n")
    assert changed["maildir"] == {"base": str(server.directory)}
    assert "log" not in changed
    everything = server.ctl("config")
    assert everything["log"]["level"] == "info"
    sample = tmp_path / "sample.conf"
    sample.write_text(server.run("config", "-d").stdout)
    done = server.run("-c", sample, "config", "-n")
    assert (done.returncode, done.stdout) == (OK, "")
    filled = tmp_path / "filled.conf"
    filled.write_text(server.run("config").stdout)
    assert server.run("-c", filled, "config").stdout == filled.read_text()


# Tenants

def test_tenants(server, tenant):
    assert server.ctl("tenant", "show", tenant.name)["state"] == "active"
    server.ctl("tenant", "suspend", tenant.name)
    assert server.ctl("tenant", "show", tenant.name)["state"] == "suspended"
    assert server.ctl("-t", tenant.name, "tenant", "show")["state"] == \
        "suspended"
    server.ctl("tenant", "resume", tenant.name)
    made = server.ctl("tenant", "add", tenant.name[:50] + "-2", "--name",
                      "Köln & Söhne", "--locale", "de-AT", "--time-zone",
                      "Europe/Vienna")
    assert made["name"] == "Köln & Söhne"
    listed = {t["slug"]: t for t in server.ctl("tenant", "list")}
    assert listed[made["slug"]]["default_locale"] == "de-AT"
    assert listed[tenant.name]["state"] == "active"
    assert [a["action"] for a in tenant.audit()] == [
        "tenant.add", "tenant.state", "tenant.state"]


# Keys

def test_keys(server, tenant):
    first = tenant.ctl("key", "add", "shop", "--scope", "notifications:send",
                       "--scope", "notifications:read")
    second = tenant.ctl("key", "add", "shop", "--expires", "90d")
    assert first["key"] != second["key"]
    assert first["expires_at"] is None
    keys = tenant.ctl("key", "list")
    assert [k["state"] for k in keys] == ["works", "works"]
    assert {k["scopes"] for k in keys} == {
        "notifications:send notifications:read"}

    third = tenant.ctl("key", "rotate", "shop", "--overlap", "0s")
    ids = {k["key"].split("_")[1]: name for name, k in [
        ("first", first), ("second", second), ("third", third)]}
    states = {ids[k["key_id"]]: k["state"] for k in tenant.ctl("key", "list")}
    assert states == {"first": "expired", "second": "expired",
                      "third": "works"}

    third_id = third["key"].split("_")[1]
    tenant.ctl("key", "revoke", third_id)
    assert tenant.run("key", "revoke", third_id).returncode == NOT_FOUND
    states = {ids[k["key_id"]]: k["state"] for k in tenant.ctl("key", "list")}
    assert states["third"] == "revoked"
    assert [a["action"] for a in tenant.audit()] == [
        "tenant.add", "account.add", "key.add", "key.rotate", "key.revoke"]
    user = os.environ.get("SUDO_USER") or __import__("getpass").getuser()
    assert {a["principal"] for a in tenant.audit()} == {f"belfryctl:{user}"}


def test_rotate_never_prolongs_a_key(server, tenant):
    key = tenant.ctl("key", "add", "shop", "--scope", "admin", "--expires",
                     "1h")
    tenant.ctl("key", "rotate", "shop", "--overlap", "2d")
    old = next(k for k in tenant.ctl("key", "list")
               if k["key_id"] == key["key"].split("_")[1])
    assert old["expires_at"] == key["expires_at"]


def test_a_key_of_another_tenant_cannot_be_revoked(server, tenant):
    other = server.made["api_key"].split("_")[1]
    assert tenant.run("key", "revoke", other).returncode == NOT_FOUND


# Templates

def test_seed(server, tenant):
    first = tenant.ctl("seed")
    assert [(t["key"], t["outcome"]) for t in first] == [
        (key, "created") for key in ["layout:default", *TEMPLATES]]
    generation = tenant.generation()
    assert {t["outcome"] for t in tenant.ctl("seed")} == {"unchanged"}
    assert tenant.generation() == generation
    listed = tenant.ctl("template", "list")
    assert [t["key"] for t in listed] == sorted(["layout:default", *TEMPLATES])
    assert all(t["published_version"] == 1 for t in listed)


def test_seed_takes_new_texts_and_leaves_own_ones(server, tenant, tmp_path):
    shutil.copytree(ROOT / "templates", tmp_path / "t")
    tenant.ctl("seed", "--templates", tmp_path / "t")
    mine = tmp_path / "mine" / "welcome"
    tenant.ctl("template", "pull", "welcome", mine.parent)
    mine.parent.rename(tmp_path / "welcome")
    mine = tmp_path / "welcome"
    (mine / "sms.hbs").write_text("Mine\n")
    tenant.ctl("template", "push", mine)
    for key in ("welcome", "order-shipped"):
        (tmp_path / "t" / key / "sms.hbs").write_text("Newer\n")
    outcome = {t["key"]: t["outcome"] for t in
               tenant.ctl("seed", "--templates", tmp_path / "t")}
    assert outcome["welcome"] == "kept"
    assert outcome["order-shipped"] == "new version"
    parts = tenant.ctl("template", "preview", "welcome")["parts"]
    assert parts["sms"]["output"] == "Mine"


@pytest.mark.parametrize("key", TEMPLATES)
def test_pull_gives_back_what_was_pushed(server, tenant, tmp_path, key):
    tenant.ctl("template", "push", ROOT / "templates" / key)
    directory = tmp_path / key
    tenant.ctl("template", "pull", key, directory)
    assert "pushed" not in tenant.run("template", "pull", key,
                                      directory).stdout
    other = tenant.run("template", "pull", key, tmp_path / "other").stdout
    assert 'pushed from there it is "other"' in other
    told = tenant.ctl("template", "push", directory)
    assert told == [{"key": key, "outcome": "unchanged", "version": 1}]
    for path in (ROOT / "templates" / key).rglob("*.hbs"):
        twin = directory / path.relative_to(ROOT / "templates" / key)
        assert twin.read_text() == path.read_text()


def test_push_makes_versions(server, tenant, tmp_path):
    directory = tmp_path / "hello"
    directory.mkdir()
    head = {"name": "Hello", "category": "account"}
    (directory / "template.json").write_text(json.dumps(head))
    (directory / "sms.hbs").write_text("One {{x}}\n")

    def push(*options):
        told, = tenant.ctl("template", "push", directory, *options)
        shown, = tenant.ctl("template", "list")
        return told["outcome"], shown["latest_version"], \
            shown["published_version"]

    assert push() == ("created", 1, 1)
    generation = tenant.generation()
    (directory / "sms.hbs").write_text("Two {{x}}\n")
    assert push("--draft") == ("new version", 2, 1)
    assert tenant.generation() > generation
    assert push("--draft") == ("unchanged", 2, 1)
    assert push() == ("changed", 2, 2)
    head["name"] = "Hello there"
    (directory / "template.json").write_text(json.dumps(head))
    assert push() == ("changed", 2, 2)
    (directory / "sms.hbs").write_text("One {{x}}\n")
    assert push() == ("new version", 3, 3)
    (tmp_path / "data.json").write_text('{"x": "<&>"}')
    for number, text in (("1", "One <&>"), ("2", "Two <&>")):
        done = tenant.run("template", "preview", "hello", "--number", number,
                          "--part", "sms", "--data", tmp_path / "data.json")
        assert done.stdout == text + "\n"


def test_broken_templates_are_refused_with_their_place(server, tenant,
                                                       tmp_path):
    for key in ("welcome", "order-shipped"):
        shutil.copytree(ROOT / "templates" / key, tmp_path / key)
    (tmp_path / "welcome/de/sms.hbs").write_text("Hallo\n{{#if x}}\n")
    (tmp_path / "welcome/push.json.hbs").write_text('{ "title": }')
    done = tenant.run("--json", "template", "push", tmp_path / "order-shipped",
                      tmp_path / "welcome")
    assert done.returncode == REFUSED
    faults = json.loads(done.stderr)["error"]["faults"]
    assert sorted(f["place"] for f in faults) == [
        f"{tmp_path}/welcome/de/sms.hbs:2:4",
        f"{tmp_path}/welcome/push.json.hbs"]
    assert tenant.ctl("template", "list") == []
    assert len(tenant.audit()) == 1
    done = tenant.run("template", "push", tmp_path / "welcome")
    assert f"{tmp_path}/welcome/de/sms.hbs:2:4: " in done.stderr


@pytest.mark.parametrize("locale, word", [
    ("de-AT", "Bestellung"), ("de", "Bestellung"), ("fr", "Your order"),
    ("en", "Your order")])
def test_preview_in_a_locale(server, tenant, locale, word):
    tenant.ctl("template", "push", ROOT / "templates/order-shipped")
    shown = tenant.ctl("template", "preview", "order-shipped", "--locale",
                       locale)
    assert word in shown["parts"]["email.subject"]["output"]
    json.loads(shown["parts"]["push.json"]["output"])
    assert set(shown["parts"]) == {"email.subject", "email.html", "email.text",
                                   "sms", "push.json", "inapp.json"}


# Providers

def test_providers(server, tenant):
    added = tenant.ctl("provider", "add", "relay", "--kind", "smtp", "--set",
                       "host=mx.example.org", "--set", "port=2525", "--set",
                       "from=shop@example.org", "--set", "username=shop",
                       "--set", "password=-", stdin="gr33n\n")
    assert added["settings"] == {
        "host": "mx.example.org", "port": 2525, "from": "shop@example.org",
        "username": "shop"}
    assert added["has_secrets"] is True
    sealed = server.value("SELECT sealed FROM provider WHERE tenant_id = %s",
                          tenant.id)
    tenant.ctl("provider", "set", "relay", "--set", "host=mx2.example.org",
               "--priority", "3")
    shown = tenant.ctl("provider", "show", "relay")
    assert shown["settings"]["host"] == "mx2.example.org"
    assert (shown["priority"], shown["version"]) == (3, 2)
    assert shown["has_secrets"] is True
    assert sealed != server.value(
        "SELECT sealed FROM provider WHERE tenant_id = %s", tenant.id)
    tenant.ctl("provider", "set", "relay", "--unset", "password", "--unset",
               "username")
    assert tenant.ctl("provider", "show", "relay")["has_secrets"] is False
    tenant.ctl("provider", "disable", "relay")
    assert tenant.ctl("provider", "list")[0]["state"] == "disabled"
    tenant.ctl("provider", "enable", "relay")
    assert tenant.run("provider", "add", "relay", "--kind", "smtp", "--set",
                      "host=x", "--set", "from=a@b.example").returncode == \
        CONFLICT
    tenant.ctl("provider", "remove", "relay")
    assert tenant.ctl("provider", "list") == []
    everything = json.dumps(server.rows("SELECT * FROM audit"), default=str) + \
        json.dumps(server.rows("SELECT settings FROM provider"))
    assert "gr33n" not in everything
    assert [a["action"] for a in tenant.audit()] == [
        "tenant.add", "provider.add", "provider.set", "provider.set",
        "provider.state", "provider.state", "provider.remove"]
    assert {a["object"] for a in tenant.audit()[1:]} == {"relay"}


def test_settings_of_a_kind_are_explained(server):
    settings = {s["setting"]: s for s in server.ctl("provider", "kinds",
                                                    "smtp")}
    assert settings["host"]["required"] and settings["password"]["secret"]
    assert all(s["help"] for s in settings.values())
    assert settings["tls"]["values"] == ["starttls", "tls", "none"]
    kinds = {k["kind"]: k for k in server.ctl("provider", "kinds")}
    assert kinds["smtp"]["settings"]["host"]["required"]
    done = server.run("provider", "kinds", "pigeon")
    assert done.returncode == REFUSED and '"pigeon"' in done.stderr


@pytest.mark.parametrize("settings, words", [
    (["from=a@b.example"], "host"),
    (["port=70000"], "/host: is required\n/port: "),
    (["host=x", "from=nobody"], "from"),
    (["host=x", "from=a@b.example", "port=many"], "port"),
    (["host=x", "from=a@b.example", "port=70000"], "port"),
    (["hots=x"], "hots"),
    (["host"], "KEY=VALUE"),
])
def test_wrong_settings_are_refused(server, tenant, settings, words):
    arguments = [a for s in settings for a in ("--set", s)]
    done = tenant.run("provider", "add", "x", "--kind", "smtp", *arguments)
    assert done.returncode in (REFUSED, USAGE)
    assert words in done.stderr
    assert tenant.ctl("provider", "list") == []


def test_changes_raise_the_generation(server, tenant):
    steps = [
        ("key", "add", "a", "--scope", "admin"),
        ("key", "rotate", "a"),
        ("template", "push", ROOT / "templates/_layouts/default"),
        ("template", "push", ROOT / "templates/welcome"),
        ("provider", "add", "m", "--kind", "maildir", "--set",
         f"directory={server.directory}/m"),
        ("provider", "disable", "m"),
        ("tenant", "suspend", tenant.name),
    ]
    for step in steps:
        before = tenant.generation()
        tenant.ctl(*step)
        assert tenant.generation() == before + 1, step
    for step in [("provider", "list"), ("key", "list"), ("template", "list"),
                 ("template", "push", ROOT / "templates/welcome")]:
        before = tenant.generation()
        tenant.ctl(*step)
        assert tenant.generation() == before, step


# Sending and looking

def test_send_show_queue(server, tenant):
    assert tenant.ctl("queue") == []
    tenant.ctl("template", "push", ROOT / "templates/welcome")
    done = tenant.run("send", "--template", "welcome", "--to",
                      "ann@example.org")
    assert done.returncode == NOT_FOUND and "--account" in done.stderr
    tenant.ctl("key", "add", "service", "--scope", "notifications:send")
    sent = tenant.ctl("send", "--template", "welcome", "--to",
                      "ann@example.org", "--to", "+43660123456", "--data",
                      '{"steps": []}', "--locale", "de")
    depth, = tenant.ctl("queue")
    assert (depth["lane"], depth["ready"], depth["later"]) == ("route", 1, 0)
    shown = tenant.ctl("show", sent["id"])
    assert shown["state"] == "accepted"
    assert shown["recipients"] == 2
    assert [e["type"] for e in shown["timeline"]] == ["notification.accepted"]
    assert "notification.accepted" in tenant.run("show", sent["id"]).stdout
    assert server.run("-t", "demo", "show", sent["id"]).returncode == NOT_FOUND
    assert tenant.ctl("dead", "list") == []


@pytest.mark.parametrize("options, place", [
    (["--template", "order-shipped", "--to", "a@b.example"], "/data/order"),
    (["--template", "order-shipped", "--data", '{"order": "1"}', "--to",
      "a@b@c"], "/to/0/email"),
    (["--template", "order-shipped", "--data", '{"order": "1"}', "--to",
      "a@b.example", "--channel", "pigeon"], "/channels/0"),
])
def test_send_refuses(server, tenant, options, place):
    tenant.ctl("template", "push", ROOT / "templates/order-shipped")
    tenant.ctl("key", "add", "service", "--scope", "notifications:send")
    done = tenant.run("--json", "send", *options)
    assert done.returncode == REFUSED
    assert place in [f["place"] for f in
                     json.loads(done.stderr)["error"]["faults"]]
    assert tenant.ctl("queue") == []


def test_send_once_per_key(server, tenant):
    tenant.ctl("template", "push", ROOT / "templates/welcome")
    tenant.ctl("key", "add", "service", "--scope", "notifications:send")
    line = ["send", "--template", "welcome", "--to", "a@b.example",
            "--idempotency-key", "once"]
    assert tenant.ctl(*line) == tenant.ctl(*line)
    depth, = tenant.ctl("queue")
    assert depth["ready"] == 1


# The wall

def test_no_tenant_no_rows(server):
    tables = [r["relname"] for r in server.rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
        "AND relnamespace = 'belfry'::regnamespace AND relrowsecurity")]
    assert "template" in tables
    for table in ("template", "api_key", "provider", "service_account",
                  "audit"):
        assert server.value(f"SELECT count(*) FROM {table}") > 0 or \
            table == "provider"
        assert server.value(f"SELECT count(*) FROM {table}",
                            user="belfry_api") == 0


# Doctor

def test_doctor_sees_what_is_wrong(empty):
    def wrong():
        return {check for check, state in findings(empty) if state == "fail"}

    assert wrong() >= {"keys", "database"}
    empty.ctl("init")
    assert wrong() == set()

    assert ("providers", "warn") in findings(empty)
    empty.ctl("provider", "add", "mail", "--kind", "smtp", "--set",
              "host=smtp.example.org", "--set", "from=shop@example.org")
    assert ("providers", "ok") in findings(empty)
    assert ("providers", "warn") not in findings(empty)
    empty.rows("INSERT INTO belfry.provider_health (tenant_id, provider_id, "
               "state) SELECT tenant_id, id, 2 FROM belfry.provider")
    assert ("providers", "warn") in findings(empty)
    empty.rows("DELETE FROM belfry.provider_health")

    empty.rows("ALTER ROLE belfry_api BYPASSRLS")
    assert wrong() == {"roles"}
    empty.rows("ALTER ROLE belfry_api NOBYPASSRLS")

    empty.rows("ALTER ROLE belfry_api IN DATABASE belfry "
               "SET synchronous_commit = off")
    assert wrong() == {"durability"}
    empty.rows("ALTER ROLE belfry_api IN DATABASE belfry "
               "RESET synchronous_commit")

    # Where the programs may not log in, the owner's session is looked at.
    assert kept(empty).endswith(" by belfry_api and belfry_spooler")
    empty.rows("ALTER ROLE belfry_spooler NOLOGIN")
    assert kept(empty).endswith(" by belfry_api")
    empty.rows("ALTER ROLE belfry_api NOLOGIN")
    assert kept(empty).endswith(" by belfry_owner")
    empty.rows("ALTER DATABASE belfry SET synchronous_commit = off")
    assert wrong() == {"database", "durability"}
    empty.rows("ALTER DATABASE belfry RESET synchronous_commit")
    for role in ("belfry_api", "belfry_spooler"):
        empty.rows(f"ALTER ROLE {role} LOGIN")
    assert wrong() == set()

    pepper = empty.directory / "ring/pepper.key"
    pepper.chmod(0o644)
    assert wrong() == {"keys"}
    pepper.chmod(0o600)

    if os.getuid() == 0:  # which may read what the programs may not
        os.chown(empty.directory / "ring/current", 65534, -1)
        assert wrong() == {"keys"}
        os.chown(empty.directory / "ring/current", 0, -1)

    empty.rows("DELETE FROM belfry.schema_migration")
    assert "schema" in wrong()
    done = empty.run("tenant", "list")
    assert done.returncode == DATABASE and "belfryctl migrate" in done.stderr

    done = empty.run("doctor")
    assert done.returncode == FAILED
    assert re.search(r"^fail  schema: ", done.stdout, re.MULTILINE)
    assert empty.run("doctor", BELFRY_API_WORKERS="none").returncode == FAILED


# Manual

def test_manual_is_sound(server, tmp_path):
    page = server.run("help", "--mdoc").stdout
    assert ".Sh NAME" in page
    (tmp_path / "page").write_text(page)
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                           tmp_path / "page"], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""
