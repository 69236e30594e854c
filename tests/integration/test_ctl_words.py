# test_ctl_words.py - what belfryctl understands, and what it says when it does not
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import shutil
from pathlib import Path

import pytest

from harness.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
OK, FAILED, USAGE, CONFIG, NOT_FOUND, DATABASE, CONFLICT, REFUSED = range(8)


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL with Belfry's database and the tenant demo."""
    server = Postgres().up()
    server.ctl("init", "--tenant", "demo")
    yield server
    server.down()
    server.remove()


@pytest.fixture
def tenant(server, request):
    """A tenant for this test alone."""
    class Tenant:
        name = f"t{abs(hash(request.node.name))}"

        def run(self, *arguments, **more):
            return server.run("-t", self.name, *arguments, **more)

        def ctl(self, *arguments, **more):
            return server.ctl("-t", self.name, *arguments, **more)

    server.ctl("tenant", "add", Tenant.name)
    return Tenant()


def test_a_time_is_a_moment_a_date_or_how_far_away(server, tenant):
    """By the same words everywhere."""
    def listed(*arguments):
        return len(tenant.ctl("audit", "list", *arguments))
    assert listed() == 1
    for since in ("1h", "7d", "1w2d", "2020-01-01", "2020-01-01T08:00:00+02:00"):
        assert listed("--since", since) == 1, since
        assert listed("--until", since) == 0, since
    for since in ("0s", "2999-12-31"):
        assert listed("--since", since) == 0, since
    exported = tenant.run("audit", "export", "--since", "24h").stdout
    assert [json.loads(line)["action"] for line in exported.splitlines()] == [
        "tenant.add"]
    assert tenant.ctl("dead", "list", "--since", "7d", "--until",
                      "2999-01-01") == []
    for arguments in (["audit", "export", "--since"], ["audit", "list", "--until"],
                      ["dead", "list", "--since"], ["key", "add", "x", "--expires"],
                      ["webhook", "redeliver",
                       "01a20967-adf2-743c-9253-a2d8f6df17a3", "--"]):
        for word in ("yesterday", "2026-13-01", "2026-1-1", "-7d", "999999999d",
                     "7d ago"):
            done = tenant.run(*arguments, word)
            assert done.returncode == USAGE, (arguments, word)
            for part in (f'"{word}"', '"2026-12-01"', '"7d"'):
                assert part in done.stderr, (arguments, word, done.stderr)


def test_a_key_until_a_date(server, tenant):
    made = tenant.ctl("key", "add", "shop", "--scope", "admin", "--expires",
                      "2999-01-02")
    assert made["expires_at"] == "2999-01-02T00:00:00.000Z"
    for past in ("0s", "2020-01-01"):
        done = tenant.run("key", "add", "shop", "--expires", past)
        assert done.returncode == USAGE and "is over" in done.stderr


def test_the_same_act_has_the_same_word(server, tenant):
    tenant.ctl("provider", "add", "x", "--kind", "inapp")
    tenant.ctl("provider", "delete", "x")
    assert tenant.ctl("provider", "list") == []
    tenant.ctl("suppression", "add", "email", "a@example.org")
    tenant.ctl("suppression", "delete", "email", "a@example.org")
    assert tenant.ctl("suppression", "list") == []
    for word in ("remove", "delete"):
        done = server.run("tenant", word, tenant.name)
        assert done.returncode == USAGE and "--yes" in done.stderr
        told = server.run("help", "tenant", word).stdout
        assert told.startswith("usage: belfryctl tenant remove SLUG")
        assert '"tenant delete" does the same.' in told


def test_the_tenant_of_the_environment(server, tenant):
    """--tenant goes before it; what works on all tenants goes on doing so."""
    made = server.ctl("key", "add", "x", "--scope", "admin",
                      BELFRY_TENANT=tenant.name)
    assert made["tenant"] == tenant.name
    assert server.ctl("-t", "demo", "key", "list", BELFRY_TENANT="nothing")
    done = server.run("key", "list", BELFRY_TENANT="nothing")
    assert done.returncode == NOT_FOUND and "BELFRY_TENANT names" in done.stderr
    assert server.run("key", "list", BELFRY_TENANT="").returncode == USAGE
    assert len(server.ctl("audit", "verify", BELFRY_TENANT=tenant.name)) > 2


def test_a_hold_says_why(server, tenant):
    for more in ([], ["--reason", ""]):
        done = tenant.run("privacy", "hold", "u1", *more)
        assert done.returncode == USAGE and "--reason" in done.stderr
    assert tenant.ctl("privacy", "holds") == []
    tenant.ctl("privacy", "hold", "u1", "--reason", "case 4711")
    assert [h["reason"] for h in tenant.ctl("privacy", "holds")] == ["case 4711"]


@pytest.mark.parametrize("arguments, status, words", [
    (["provider", "add", "x", "--kind", "smtp", "--set", "hots=a"], REFUSED,
     'no setting "hots": did you mean "host"?'),
    (["provider", "add", "x", "--kind", "inapp", "--limit", "rat=5"], REFUSED,
     'did you mean "rate"?'),
    (["tenant", "set", "demo", "--set", "branding.colour=red"], REFUSED,
     'did you mean "branding.color"?'),
    (["tenant", "set", "demo", "--set", "branding.color=red"], REFUSED,
     'setting "branding.color": '),
    (["tenant", "set", "demo", "--test", "maybe"], USAGE, "--test takes yes or no"),
    (["tenant", "quiet-hours", "demo", '{"from": "22:00"}'], USAGE,
     "quiet hours have"),
    (["key", "add", "x", "--scope", "notification:send"], REFUSED,
     'did you mean "notifications:send"?'),
    (["key", "add", "x", "--scope", "everything"], REFUSED, "templates:read, "),
    (["send"], USAGE, "--template KEY --to ADDRESS"),
    (["send", "--to", "a@example.org"], USAGE, "template list"),
    (["send", "--to", "a@example.org", "--template", "welcom"], NOT_FOUND,
     "template list"),
    (["send", "--to", "a@example.org", "--template", "welcome", "--data", "{"],
     USAGE, "--data: the JSON is malformed at line 1"),
    (["-t", "nothing", "key", "list"], NOT_FOUND, "tenant list"),
    (["template", "publish", "x"], NOT_FOUND, '"x"'),
    (["template", "preview", "x", "--part", "sns"], USAGE, 'did you mean "sms"?'),
    (["dead", "list", "--channel", "emial"], USAGE, 'did you mean "email"?'),
    (["dead", "list", "--class", "zzzzzz"], USAGE, "but accepted, retry, "),
    (["suppression", "add", "emial", "a@example.org"], USAGE, '"email"?'),
    (["suppression", "add", "fax", "1"], USAGE, "but email, sms, "),
    (["suppression", "add", "email", "ann"], USAGE, "no e-mail address"),
    (["suppression", "add", "sms", "0660123456"], USAGE, "with country code"),
    (["suppression", "list", "--reason", "manul"], USAGE, '"manual"?'),
    (["webhook", "add", "https://example.org/", "--event", "delivery.snet"],
     USAGE, 'did you mean "delivery.sent"?'),
    (["spooler", "drain", "nowhere"], NOT_FOUND, '"nowhere"'),
    (["spooler", "drain", "--all"], NOT_FOUND, "no spooler is running"),
    (["spooler", "undrain", "--all"], NOT_FOUND, "no spooler is running"),
    (["keys", "use", "nothing"], NOT_FOUND, "nothing.key"),
    (["help", "provder"], USAGE, 'did you mean "provider"?'),
    (["tenant", "set", "demo"], USAGE, "what is to be changed?"),
    (["provider", "set", "x"], USAGE, '"belfryctl help provider set"'),
    (["webhook", "set", "x"], USAGE, "what is to be changed?"),
    (["provider", "show", "x"], NOT_FOUND, "provider list"),
    (["webhook", "remove", "x"], USAGE, "webhook list"),
    (["template", "pull", "x", "/tmp/x"], NOT_FOUND, "template list"),
    (["key", "rotate", "nobody"], NOT_FOUND, "key list"),
    (["key", "add", "nobody"], NOT_FOUND, "--scope"),
])
def test_errors_say_what_was_meant(server, arguments, status, words):
    which = [] if "-t" in arguments else ["-t", "demo"]
    done = server.run(*which, *arguments)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert words in done.stderr


def test_an_unknown_member_of_template_json(server, tmp_path):
    shutil.copytree(ROOT / "templates/welcome", tmp_path / "x")
    (tmp_path / "x/template.json").write_text('{"name": "X", "catgory": "a"}')
    done = server.run("-t", "demo", "template", "push", tmp_path / "x")
    assert done.returncode == REFUSED
    assert 'template.json: there is no member "catgory"' in done.stderr
