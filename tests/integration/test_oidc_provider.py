# test_oidc_provider.py - a certified OpenID provider as issuer
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from conftest import end_stack, make_stack, watched
from harness.api import Client, mail, problem
from harness.oidc import Oidc
from harness.wait import wait_until
from integration.test_token_keys import forget_the_pause

ALGORITHMS = ["RS256", "ES256", "EdDSA"]


@pytest.fixture(scope="module")
def oidc(tmp_path_factory):
    provider = Oidc(tmp_path_factory.mktemp("oidc"))
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def oidc_stack(oidc):
    stack = make_stack(settings={
        "issuer oidc.issuer": oidc.url, "issuer oidc.audience": "belfry",
        "issuer oidc.tenant_claim": "tenant"})
    try:
        yield stack.up()
    finally:
        end_stack(stack)


@pytest.fixture
def stack(request, oidc_stack):
    yield from watched(request, oidc_stack)


def send(stack, token):
    return Client(stack.url, token).send(mail())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_sends(stack, oidc, algorithm):
    answer = send(stack, oidc.token(algorithm))
    assert answer.status_code == 202, answer.text


def test_scopes_count(stack, oidc):
    problem(send(stack, oidc.token("ES256", scope="")), 403, "forbidden")


@pytest.mark.expect_log("the keys of an issuer of tokens could not be fetched")
def test_rotation_and_absence(stack, oidc):
    """New keys are taken; when it is away, those that are known go on."""
    old = oidc.token("RS256")
    assert send(stack, old).status_code == 202
    oidc.rotate()
    new = {algorithm: oidc.token(algorithm) for algorithm in ALGORITHMS}
    forget_the_pause(stack)
    wait_until(lambda: send(stack, new["RS256"]).status_code == 202, 10,
               "the new keys")
    assert {send(stack, token).status_code for token in new.values()} == {202}
    assert send(stack, old).status_code == 401
    oidc.process.kill()
    forget_the_pause(stack)
    assert send(stack, old).status_code == 401
    assert {send(stack, token).status_code for token in new.values()} == {202}
