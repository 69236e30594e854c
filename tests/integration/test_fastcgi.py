# test_fastcgi.py - the socket of belfry-api, as web servers and others use it
#
# SPDX-License-Identifier: BSD-2-Clause
import random
import signal
import socket
import struct
import threading
import time

import pytest

from harness import fastcgi
from harness.fastcgi import Connection, ask, begin, get, record, request, status
from harness.wait import wait_until

LIVE = get("/health/live")


@pytest.fixture
def path(stack):
    return stack.directory / "s/api.sock"


def put(stack, *more):
    return [("REQUEST_METHOD", "PUT"),
            ("REQUEST_URI", "/api/v1/services/recipients/fastcgi"),
            ("CONTENT_TYPE", "application/json"),
            ("HTTP_AUTHORIZATION", f"Bearer {stack.admin_key}"), *more]


@pytest.mark.parametrize("uri, want", [
    ("/health/live", 200), ("/health/live?x=%zz", 200), ("", 400),
    ("health/live", 400), ("//health/live", 400), ("/health//live", 400),
    ("/x/../health/live", 400), ("/health/%2e%2e/health/live", 400),
    ("/health/./live", 400), ("/health/live/", 404), ("/health/liv%65", 200),
    ("/health%2flive", 404), ("/health/live%00", 400), ("/%ff", 400),
    ("/health/live%0a", 400), ("http://h/health/live", 400), ("*", 400),
    ("/" + "a" * 20000, 400), ("/a" * 17, 400),
])
def test_uri(path, uri, want):
    assert status(ask(path, request(get(uri)))) == want


def test_query_is_its_own_parameter(path):
    assert status(ask(path, request(get("/health/live", (
        "QUERY_STRING", "x=%zz"))))) == 400


@pytest.mark.parametrize("lengths, body, want", [
    (["2"], b"{}", (200, 201)), ([], b"{}", (200, 201)),
    ([""], b"{}", (200, 201)), (["1"], b"{}", (400,)), (["5"], b"{}", (400,)),
    (["2", "2"], b"{}", (400,)), (["2", "3"], b"{}", (400,)),
    (["x"], b"{}", (400,)), (["-2"], b"{}", (400,)), (["0"], b"", (400,)),
    (["99999999999999999999"], b"{}", (400,)), (["300000"], b"", (413,)),
    ([], b"{" + b" " * 300000, (413,)),
])
def test_length(stack, path, lengths, body, want):
    octets = begin() + record(fastcgi.PARAMS, fastcgi.pairs(
        put(stack, *(("CONTENT_LENGTH", n) for n in lengths)))) \
        + record(fastcgi.PARAMS)
    for i in range(0, len(body), 65535):
        octets += record(fastcgi.STDIN, body[i:i + 65535])
    assert status(ask(path, octets + record(fastcgi.STDIN))) in want


def test_body_cut_off(stack, path):
    octets = request(put(stack, ("CONTENT_LENGTH", "100")), b"{}")
    assert status(ask(path, octets[:-8], finish=True)) in (400, None)


@pytest.mark.parametrize("octets", [
    b"", b"\0" * 8, b"\xff" * 64, begin()[:5], begin(),
    record(fastcgi.BEGIN, b"\0\1\0\0\0\0\0\0", version=9),
    record(fastcgi.BEGIN, b"", length=65535),
    begin() + record(fastcgi.PARAMS, b"\xff" * 8) + record(fastcgi.PARAMS),
    begin() + record(fastcgi.PARAMS, struct.pack(
        ">II", 0xC0000000, 0x80000001) + b"a") + record(fastcgi.PARAMS),
    begin() + record(fastcgi.ABORT), begin(role=7) + record(fastcgi.PARAMS),
    record(fastcgi.STDIN, b"x") * 10, b"GET / HTTP/1.1\r\n\r\n",
], ids=range(13))
def test_malformed(path, octets):
    ask(path, octets, finish=True)
    assert status(ask(path, request(LIVE))) == 200


def test_padding_and_pieces(path):
    text = fastcgi.pairs(LIVE)
    octets = begin() + b"".join(
        record(fastcgi.PARAMS, text[i:i + 1], padding=i % 256)
        for i in range(len(text))) + record(fastcgi.PARAMS, padding=3) \
        + record(fastcgi.STDIN)
    assert status(ask(path, octets)) == 200


def test_proxy_header_changes_nothing(path):
    octets = request(get("/health/live", ("HTTP_PROXY", "http://evil")))
    assert status(ask(path, octets)) == 200


@pytest.mark.parametrize("count, want", [(300, 200), (400, 400),
                                         (8000, 400)])
def test_many_headers(path, count, want):
    """What 32 kB hold cost a second, before anybody had shown a key."""
    more = [(f"HTTP_X_{i}", "") for i in range(count)]
    with Connection(path) as connection:
        connection.send(begin())
        for at in range(0, len(more), 2000):
            connection.send(record(
                fastcgi.PARAMS, fastcgi.pairs(more[at:at + 2000])))
        connection.send(request(get("/health/live"))[len(begin()):])
        assert status(connection.answer()) == want


def test_changed_at_random(stack, path):
    """Whatever comes, the next request is answered and no worker has died."""
    workers = stack.workers("api")
    chance = random.Random(42)
    whole = request(put(stack, ("CONTENT_LENGTH", "2")), b"{}")
    for _ in range(150):
        octets = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        if chance.random() < 0.3:
            octets = octets[:chance.randrange(len(octets))]
        ask(path, bytes(octets), finish=True)
    assert status(ask(path, request(LIVE))) == 200
    assert stack.workers("api") == workers


def test_metrics_are_not_for_everybody(stack, path):
    def metrics(address, *more):
        return ask(path, request([
            ("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/metrics"),
            ("REMOTE_ADDR", address), *more]))
    assert status(metrics("127.0.0.1")) == 200
    assert status(metrics("::1")) == 200
    for address in ("192.0.2.1", "", "128.0.0.1", "1.127.0.0.1", "::2"):
        assert status(metrics(address)) == 401
    key = ("HTTP_AUTHORIZATION", f"Bearer {stack.api_key}")
    assert status(metrics("192.0.2.1", key)) == 403


def test_kept_connections_do_not_pin_workers(stack, path):
    """More kept connections than workers; others are served all the same."""
    kept = [Connection(path) for _ in range(8)]
    try:
        for connection in kept:
            connection.send(request(LIVE, keep=True))
            assert status(connection.answer()) == 200
        begun = time.monotonic()
        for _ in range(20):
            assert status(ask(path, request(LIVE))) == 200
        assert time.monotonic() - begun < 5
    finally:
        for connection in kept:
            connection.socket.close()


def test_kept_connection_is_used_again(path):
    with Connection(path) as connection:
        for _ in range(5):
            connection.send(request(LIVE, keep=True))
            answer = connection.answer()
            if status(answer) is None: # given up for somebody else
                return
            assert status(answer) == 200


class Load(threading.Thread):
    """Sends requests one after the other until told to stop."""

    def __init__(self, path):
        super().__init__()
        self.path, self.going = path, True
        self.answers, self.faults = 0, []

    def run(self):
        while self.going:
            try:
                got = status(ask(self.path, request(LIVE)))
            except OSError as error:
                got = error
            self.answers += 1
            if got != 200:
                self.faults.append(got)


def test_reload_refuses_nobody(own_stack):
    path = own_stack.directory / "s/api.sock"
    load = [Load(path) for _ in range(4)]
    for thread in load:
        thread.start()
    for _ in range(3):
        before = set(own_stack.workers("api"))
        own_stack.kill("api", signal.SIGHUP)
        wait_until(lambda: not before & set(own_stack.workers("api"))
                   and own_stack.workers("api"), 20, "new workers")
    for thread in load:
        thread.going = False
    for thread in load:
        thread.join()
    assert sum(t.answers for t in load) > 50
    assert [t.faults for t in load] == [[], [], [], []]


def test_stop_serves_what_has_come_in(own_stack):
    """Connections that wait in the queue are answered before the end."""
    path = own_stack.directory / "s/api.sock"
    waiting = [Connection(path) for _ in range(30)]
    for connection in waiting:
        connection.send(request(LIVE))
    own_stack.kill("api", signal.SIGTERM)
    try:
        assert [status(c.answer()) for c in waiting] == [200] * 30
    finally:
        for connection in waiting:
            connection.socket.close()
    pid = own_stack.pid("api")
    wait_until(lambda: own_stack.gone(pid), 20, "the end of belfry-api")
    with pytest.raises(OSError):
        socket.socket(socket.AF_UNIX).connect(str(path))
    own_stack.start("api")
