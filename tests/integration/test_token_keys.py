# test_token_keys.py - the keys of issuers: fetched, kept, fetched again
#
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import ADMIN, Client, problem
from harness.issuer import Key
from harness.wait import wait_until

TEMPLATES = f"{ADMIN}/templates"
WORKERS = 3
PAUSE_S = 30


def ask(stack, token):
    return Client(stack.url, token).get(TEMPLATES).status_code


def admin(issuer, kid="ed", **more):
    return issuer.token(kid, roles=["belfry-admin"], **more)


def forget_the_pause(stack):
    """As if the last fetch was half a minute ago."""
    for lock in (stack.directory / "run").glob("jwks.*.lock"):
        then = int((time.time() - PAUSE_S) * 1000)
        lock.write_bytes(then.to_bytes(8, "little"))


def age(stack, ms):
    """Makes what lies in the run directory older."""
    for path in (stack.directory / "run").glob("jwks.*"):
        if path.suffix == ".lock":
            continue
        at, _, rest = path.read_text().partition("\n")
        path.write_text(f"{int(at) - ms}\n{rest}")


def flush_memcached(stack):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stack.directory / "s/memcached.sock"))
        connection.sendall(b"flush_all\r\n")
        assert connection.recv(100) == b"OK\r\n"


def test_unknown_keys_cost_one_fetch_for_all_workers(stack, issuers):
    """A2, for as long as the pause is; valid tokens are served meanwhile."""
    issuer = issuers["i0"]
    good = admin(issuer)
    assert ask(stack, good) == 200
    assert issuer.fetches == 1
    forget_the_pause(stack)
    issuer.mode = "hang"
    tokens = [issuer.token(key=Key(f"k{i}")) for i in range(300)]
    times = []

    def valid():
        while len(times) < 100:
            begun = time.monotonic()
            assert ask(stack, good) == 200
            times.append(time.monotonic() - begun)

    with ThreadPoolExecutor(8) as pool:
        watcher = pool.submit(valid)
        assert set(pool.map(lambda t: ask(stack, t), tokens)) == {401}
        watcher.result()
    issuer.mode = "good"
    issuer.wait.set()
    assert issuer.fetches == 2
    times.sort()
    assert times[len(times) * 95 // 100] < 1.5, "one worker waits, not all"
    # The failed fetch is told once, and whom it kept waiting.
    stack.logs.allow("the keys of an issuer of tokens could not be fetched|"
                     "slow request")
    assert ask(stack, good) == 200


def test_rotation(stack, issuers):
    """A3: a new key works when the pause is over, at once on every worker."""
    issuer = issuers["i1"]
    assert ask(stack, admin(issuer)) == 200
    issuer.keys = [Key("new", "ES256")]
    token = admin(issuer, "new")
    assert ask(stack, token) == 401, "within the pause nobody looks"
    forget_the_pause(stack)
    assert ask(stack, token) == 200
    assert {ask(stack, token) for _ in range(4 * WORKERS)} == {200}
    assert issuer.fetches == 2


def test_a_removed_key_stops(stack, issuers):
    """A set that is too old is fetched again before it is believed."""
    issuer = issuers["i2"]
    old = admin(issuer)
    assert ask(stack, old) == 200
    issuer.keys = [Key("new")]
    forget_the_pause(stack)
    age(stack, 10 * 60 * 1000)
    flush_memcached(stack)
    old_workers = set(stack.workers("api"))
    stack.kill("api", signal.SIGHUP)  # new workers remember nothing
    wait_until(lambda: len(stack.workers("api")) == WORKERS and
               not old_workers & set(stack.workers("api")), 30, "new workers")
    assert ask(stack, old) == 401
    assert ask(stack, admin(issuer, "new")) == 200


@pytest.mark.expect_log("the keys of an issuer of tokens could not be fetched")
@pytest.mark.parametrize("mode", ["down", "html", "big"])
def test_what_is_no_set_changes_nothing(stack, issuers, mode):
    issuer = issuers["i3"]
    assert ask(stack, admin(issuer)) == 200
    forget_the_pause(stack)
    issuer.mode = mode
    before = issuer.fetches
    assert ask(stack, issuer.token(key=Key("unknown"))) == 401
    assert issuer.fetches == before + 1
    for _ in range(2 * WORKERS):
        assert ask(stack, admin(issuer)) == 200
    issuer.mode = "good"


def test_keys_that_are_for_something_else(stack, issuers):
    issuer = issuers["i4"]
    secret = Key("secret")
    encryption = Key("enc", "RS256")
    issuer.others = [
        {"kty": "oct", "kid": "secret", "k": "AAAA", "alg": "HS256"},
        {**encryption.jwk(), "use": "enc", "alg": "RSA-OAEP"},
        {**Key("pss", "RS256").jwk(), "alg": "PS256"}, {"kty": "new"}]
    assert ask(stack, admin(issuer)) == 200
    assert ask(stack, admin(issuer, key=secret)) == 401
    assert ask(stack, admin(issuer, key=encryption)) == 401


@contextlib.contextmanager
def frozen(stack, part):
    stack.kill(part, signal.SIGSTOP)
    try:
        yield
    finally:
        stack.kill(part, signal.SIGCONT)


def test_memcached_frozen(stack, issuers):
    """Nothing is asked of it that cannot be had elsewhere."""
    with frozen(stack, "memcached"):
        for _ in range(2 * WORKERS):
            assert ask(stack, admin(issuers["i4"])) == 200
            assert ask(stack, issuers["i4"].token(key=Key("x"))) == 401


@pytest.mark.expect_log("could not be fetched")
def test_an_issuer_that_never_answered(stack, issuers):
    """Nobody can tell whether such a token is good."""
    issuer = issuers["i5"]
    issuer.mode = "down"
    answer = Client(stack.url, admin(issuer)).get(TEMPLATES)
    problem(answer, 503, "temporary")
    issuer.mode = "good"
    forget_the_pause(stack)
    wait_until(lambda: ask(stack, admin(issuer)) == 200, 5, "its keys")
