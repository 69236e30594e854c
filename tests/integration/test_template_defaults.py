# test_template_defaults.py - what templates say of requests that do not say otherwise
#
# SPDX-License-Identifier: BSD-2-Clause
import json

import pytest

from harness.api import problem
from harness.wait import wait_until

ADMIN = "/api/v1/admin"
ORDER = [{"channel": "email"}, {"channel": "inapp", "after": "5m"}]
OTHER = [{"channel": "inapp"}, {"channel": "email", "after": "1m",
                                "unless": "read"}]
SOURCES = {"name": "Order", "parts": {"en": {
    "email.subject": "x", "email.text": "x", "inapp.json": '{"title": "x"}'}}}
NONE = (None, False)


def request(tenant, method, key, status=200, **members):
    body = members if method == "PATCH" else {"key": key, **SOURCES, **members}
    answer = tenant.admin.request(
        method, f"{ADMIN}/templates" + ("" if method == "POST" else f"/{key}"),
        json=body, headers={"Content-Type": "application/merge-patch+json"}
        if method == "PATCH" else {})
    assert answer.status_code == status, answer.text
    return answer


def defaults(shown):
    return shown["fallback"], shown["quiet_exempt"]


def stored(tenant, key):
    """The same wherever it is shown."""
    shown = tenant.admin.get(f"{ADMIN}/templates/{key}").json()
    listed, = [t for t in tenant.admin.get(f"{ADMIN}/templates").json()["data"]
               if t["key"] == key]
    assert defaults(shown) == defaults(listed)
    return defaults(shown)


def test_members_of_a_template(tenant):
    made = request(tenant, "POST", "order", 201, fallback=ORDER,
                   quiet_exempt=True).json()
    assert defaults(made) == stored(tenant, "order") == (ORDER, True)
    assert defaults(request(tenant, "POST", "plain", 201).json()) == NONE
    for method in "PUT", "PATCH":
        for members, want in [
                ({}, (ORDER, True)),
                ({"quiet_exempt": False}, (ORDER, False)),
                ({"fallback": OTHER}, (OTHER, False)),
                ({"fallback": None, "quiet_exempt": True}, (None, True)),
                ({"fallback": None, "quiet_exempt": None}, NONE),
                ({"fallback": ORDER, "quiet_exempt": True}, (ORDER, True))]:
            answer = request(tenant, method, "order", **members)
            assert defaults(answer.json()) == stored(tenant, "order") == want
            assert answer.json()["latest_version"] == 1, "the sources are the same"
            assert tenant.admin.get(f"{ADMIN}/templates/order").headers["ETag"] == \
                answer.headers["ETag"]


def test_only_a_change_is_one(tenant):
    first = request(tenant, "POST", "order", 201, fallback=ORDER)
    same = request(tenant, "PUT", "order", fallback=ORDER, quiet_exempt=False)
    assert same.headers["ETag"] == first.headers["ETag"]
    other = request(tenant, "PUT", "order", fallback=OTHER)
    assert other.headers["ETag"] != first.headers["ETag"]


def test_requests_follow_them(tenant):
    tenant.add_provider("inbox", "inapp")
    request(tenant, "POST", "order", 201, fallback=OTHER)
    ask = {"to": {"user_id": "ann", "email": "ann@example.org"},
           "template": "order"}

    def seen():
        return tenant.api.notification(tenant.api.accepted(ask)).get("fallback")
    wait_until(lambda: seen() == OTHER, 10, "the order")
    request(tenant, "PATCH", "order", fallback=None)
    wait_until(lambda: not seen(), 10, "the end of the order")


@pytest.mark.parametrize("wrong, pointer", [
    ({"fallback": ORDER[:1]}, "/fallback"),
    ({"fallback": {}}, "/fallback"),
    ({"fallback": [{"channel": "email"}, {"channel": "fax"}]},
     "/fallback/1/channel"),
    ({"fallback": [{"channel": "email"}, {"channel": "email"}]},
     "/fallback/1/channel"),
    ({"fallback": [{"channel": "email", "after": "1m"}, {"channel": "sms"}]},
     "/fallback/0"),
    ({"fallback": [{"channel": "email"}, {"channel": "sms", "unless": "read"}]},
     "/fallback/1/after"),
    ({"quiet_exempt": "yes"}, "/quiet_exempt"),
])
def test_faults(tenant, wrong, pointer):
    answer = request(tenant, "POST", "order", 422, **wrong)
    told = problem(answer, 422, "validation_failed")["errors"]
    assert [e["pointer"] for e in told] == [pointer], told


# ---- Directories --------------------------------------------------------------------

@pytest.fixture
def pulled(tenant, tmp_path):
    request(tenant, "POST", "order", 201, fallback=ORDER, quiet_exempt=True)
    tenant.ctl("template", "pull", "order", tmp_path / "order")
    return tmp_path / "order"


def head(directory, **members):
    """Changes template.json; ... takes a member away."""
    path = directory / "template.json"
    now = json.loads(path.read_text()) | members
    path.write_text(json.dumps({k: v for k, v in now.items() if v is not ...}))
    return now


def test_directories_keep_them(tenant, pulled):
    now = head(pulled)
    assert defaults(now) == (ORDER, True)
    for members, want in [
            ({}, (ORDER, True)),
            ({"fallback": ..., "quiet_exempt": ...}, (ORDER, True)),
            ({"fallback": OTHER}, (OTHER, True)),
            ({"fallback": None, "quiet_exempt": None}, NONE)]:
        head(pulled, **members)
        tenant.push_template(pulled)
        assert stored(tenant, "order") == want
    tenant.ctl("template", "pull", "order", pulled)
    assert "fallback" not in head(pulled) and "quiet_exempt" not in head(pulled)


@pytest.mark.parametrize("command", ["push", "lint"])
@pytest.mark.parametrize("wrong, text", [
    ({"fallback": ORDER[:1]}, "2 to 6 steps"),
    ({"fallback": [{"channel": "email"}, {"channel": "fax"}]},
     "/fallback/1/channel"),
    ({"fallback": [{"channel": "email"}, {"channel": "email"}]},
     "/fallback/1/channel"),
])
def test_faults_of_directories(tenant, pulled, wrong, text, command):
    head(pulled, **wrong)
    done = tenant.stack.run_ctl("template", command, pulled, tenant=tenant.slug)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and text in said and "template.json" in said, said
    assert stored(tenant, "order") == (ORDER, True)
