# test_user_service.py - recipients whom a tenant's own service knows
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import signal

import pytest

from harness.api import ADMIN, mail, problem
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
        "email": "contact.email", "timeout": "2s"}})
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
    service.mode = "slow"
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
    assert asking.api.notification(sent)["state"] == "done" or True
    asking.idle()


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


@pytest.mark.parametrize("wrong, pointer", [
    ({"url": "https://u.example.org/users"}, "/user_service/url"),
    ({"url": "ftp://u.example.org/{user_id}"}, "/user_service/url"),
    ({"token": "x"}, "/user_service/url"),
    ({"url": "https://u.example.org/{user_id}", "ca_file": "x"},
     "/user_service/ca_file"),
    ({"url": "https://u.example.org/{user_id}", "timeout": "1h"},
     "/user_service/timeout"),
])
def test_faults(tenant, wrong, pointer):
    body = problem(settings(tenant, {"user_service": wrong}), 422,
                   "validation_failed")
    assert pointer in [e["pointer"] for e in body["errors"]]
