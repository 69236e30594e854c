# test_oidc_provider.py - a certified OpenID provider as issuer
#
# SPDX-License-Identifier: BSD-2-Clause
import signal
import threading
from collections import Counter

import pytest

from conftest import end_stack, make_stack, watched
from harness.api import ADMIN, Client, mail, problem
from harness.oidc import Oidc
from harness.wait import wait_until
from integration.test_token_keys import age, flush_memcached, forget_the_pause

ALGORITHMS = ["RS256", "ES256", "EdDSA"]
THREADS = 4
READ = "notifications:send templates:read"


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


class Load:
    """Asks with one token after the other from several threads at once."""

    def __init__(self, stack, tokens):
        self.stack = stack
        self.tokens = tokens
        self.rounds = {}  # which tokens each thread is at
        self.statuses = Counter()
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(THREADS)]

    def run(self):
        client = Client(self.stack.url, None)
        while not self.over.is_set():
            tokens = self.rounds[client] = self.tokens
            for token in tokens:
                answer = client.get(f"{ADMIN}/templates", headers={
                    "Authorization": f"Bearer {token}"})
                with self.lock:
                    self.statuses[answer.status_code] += 1

    def use(self, tokens):
        """Other ones; waits until nobody is at those of before any more."""
        self.tokens = tokens
        wait_until(lambda: all(t is tokens for t in list(self.rounds.values())), 30,
                   "the other tokens")

    def answers(self, more):
        """Waits for so many more."""
        goal = self.statuses.total() + more
        wait_until(lambda: self.statuses.total() >= goal, 30, "answers")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.over.set()
        for thread in self.threads:
            thread.join()


def issue(oidc):
    return [oidc.token(algorithm, READ) for algorithm in ALGORITHMS]


def new_workers(stack):
    """As if ten minutes were over: what was fetched is too old."""
    before = set(stack.workers("api"))
    forget_the_pause(stack)
    age(stack, 10 * 60 * 1000)
    flush_memcached(stack)
    stack.kill("api", signal.SIGHUP)
    wait_until(lambda: len(stack.workers("api")) == len(before) and
               not before & set(stack.workers("api")), 30, "new workers")


def test_rotation_under_load(stack, oidc):
    """Keys are published, sign, and go; meanwhile no good token is refused, and afterwards
    none of a key that is gone is taken."""
    old = issue(oidc)
    with Load(stack, old) as load:
        load.answers(100)
        oidc.keys("publish")
        oidc.keys("sign")
        forget_the_pause(stack)
        new = issue(oidc)
        load.use(old + new)
        load.answers(300)
        oidc.keys("retire")
        load.use(new)
        new_workers(stack)
        load.answers(300)
        gone = Counter(Client(stack.url, token).get(
            f"{ADMIN}/templates").status_code for token in old * 10)
    assert set(load.statuses) == {200}
    assert set(gone) == {401}


@pytest.mark.expect_log("the keys of an issuer of tokens could not be fetched")
def test_rotation_and_absence(stack, oidc):
    """New keys are taken; when it is away, those that are known go on."""
    old = oidc.token("RS256")
    assert send(stack, old).status_code == 202
    oidc.keys("rotate")
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
