# test_idempotency.py - the same key and body are one notification
#
# SPDX-License-Identifier: BSD-2-Clause
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import Client, mail, problem


def test_same_key_same_body(tenant):
    first = tenant.api.send(mail(), idempotency_key="k1")
    second = tenant.api.send(mail(), idempotency_key="k1")
    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert tenant.count("notification") == 1
    tenant.idle()
    assert len(tenant.mails()) == 1


def test_same_key_other_body(tenant):
    tenant.api.accepted(mail(), idempotency_key="k1")
    answer = tenant.api.send(mail("bob@example.org"), idempotency_key="k1")
    problem(answer, 422, "idempotency_key_reused")
    assert tenant.count("notification") == 1


def test_other_key(tenant):
    one = tenant.api.accepted(mail(), idempotency_key="k1")
    two = tenant.api.accepted(mail(), idempotency_key="k2")
    assert one != two


def test_without_a_key_each_is_its_own(tenant):
    assert tenant.api.accepted(mail()) != tenant.api.accepted(mail())


def test_keys_belong_to_their_account(tenant, other_tenant):
    sister = tenant.client(tenant.make_key("sister"))
    ids = {client.accepted(mail(), idempotency_key="k1")
           for client in (tenant.api, sister, other_tenant.api)}
    assert len(ids) == 3


def test_a_refused_request_leaves_no_key(tenant):
    problem(tenant.api.send({"to": []}, idempotency_key="k1"),
            422, "validation_failed")
    assert tenant.count("idempotency") == 0
    tenant.api.accepted(mail(), idempotency_key="k1")


def test_race(tenant):
    """Many at once with one key: one notification, one answer."""
    def post(_):
        return Client(tenant.stack.url, tenant.key).send(
            mail(), idempotency_key="race")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(24)))
    assert {a.status_code for a in answers} == {202}
    assert len({a.content for a in answers}) == 1
    assert sum("Idempotent-Replayed" not in a.headers for a in answers) == 1
    assert tenant.count("notification") == 1


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "caf\u00e9"])
def test_a_key_that_cannot_be_one(tenant, key):
    answer = tenant.api.send(mail(), **{
        "Idempotency-Key": key.encode("utf-8")})
    assert answer.status_code == 400
    problem(answer, 400, "invalid_request")
    assert tenant.count("notification") == 0
