# test_http_transfers.py - HTTP requests through the transfer engine
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import socketserver
import threading

import pytest

from harness.certificates import Authority
from harness.google import Google
from harness.smtp import FaultyServer, free_port
from harness.transfers import mail, run, run_one

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/x-a\r\nContent-Length: 2\r\n\r\nok"


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        server = self.server
        server.connections += 1
        while True:
            first = self.rfile.readline().decode()
            if not first:
                return
            length, lines = 0, []
            for line in iter(lambda: self.rfile.readline().decode().strip(), ""):
                lines.append(line)
                if line.lower().startswith("content-length:"):
                    length = int(line.split(":")[1])
            server.requests.append((first.split()[0], lines,
                                    self.rfile.read(length)))
            if not server.answer(self, len(server.requests)):
                return


class HttpServer(socketserver.ThreadingTCPServer):
    """Answers each request with bytes, or does what answer() does."""
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer=OK):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.octets, self.connections, self.requests = answer, 0, []
        self.released = threading.Event()

    def answer(self, handler, number):
        if self.octets is None:
            self.released.wait(60)
            return False
        handler.wfile.write(self.octets)
        return b"Content-Length" in self.octets

    def handle_error(self, request, client_address):
        """A client that went away is what some tests are about."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()


def post(server, **more):
    return {"url": f"http://127.0.0.1:{server.port}/x", "body": "hello",
            "timeout_ms": 5000, **more}


def test_a_post_and_its_answer():
    with HttpServer() as server:
        result = run_one(post(server))
        assert (result["outcome"], result["status"]) == ("answered", 200)
        assert (result["body"], result["content_type"]) == ("ok", "text/x-a")
        assert result["body_started"] and result["body_sent"]
        (method, lines, body), = server.requests
        assert (method, body) == ("POST", b"hello")
        assert "Content-Type: text/x-test" in lines
        assert not any(line.startswith("Expect") for line in lines)


def test_methods():
    with HttpServer() as server:
        run([{**post(server, method=m), **({} if m == "PUT" else {"body": None})}
             for m in ("PUT", "GET", "DELETE")], in_flight=1)
        assert [r[0] for r in server.requests] == ["PUT", "GET", "DELETE"]


@pytest.mark.parametrize("after, seconds", [
    ("7", 7), ("0", 0), ("-5", 0), ("soon", 0), ("10000000000", 31536000),
    ("Wed, 21 Oct 2015 07:28:00 GMT", 0)])
def test_retry_after(after, seconds):
    answer = (f"HTTP/1.1 429 Slow\r\nRetry-After: {after}\r\n"
              "Content-Length: 0\r\n\r\n").encode()
    with HttpServer(answer) as server:
        result = run_one(post(server))
    assert result["status"] == 429
    assert result["retry_after_s"] == seconds


def test_connections_are_kept_and_bounded():
    with HttpServer() as server:
        results = run([post(server)] * 60, connections_per_host=3)
        assert {r["status"] for r in results} == {200}
        assert server.connections == 3


def test_a_server_that_hangs_gets_every_connection_at_once():
    """The first request must not keep the others from being sent."""
    with HttpServer(None) as server:
        results = run([post(server, timeout_ms=1500)] * 8, in_flight=8,
                      connections_per_host=8)
        assert {(r["outcome"], r["body_sent"]) for r in results} == \
            {("timed_out", True)}
        assert len(server.requests) == 8


def test_a_request_goes_out_once():
    """A kept connection that ends behind the body: the server may have acted,
    so curl must not repeat it by itself."""
    class Closing(HttpServer):
        def answer(self, handler, number):
            at.append(self.connections)
            return super().answer(handler, number) if number == 1 else False

    at = []
    with Closing() as server:
        first, second = run([post(server)] * 2, in_flight=1)
        assert first["status"] == 200
        assert (second["outcome"], second["body_sent"]) == ("broken", True)
        assert at == [1, 1], "each request on the first connection"


@pytest.mark.parametrize("answer, outcome", [
    (None, "timed_out"), (b"", "broken"), (b"nonsense", "broken"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12", "broken"),
    (b"HTTP/1.1 200 OK\r\nContent-Le", "broken"),
])
def test_no_full_answer(answer, outcome):
    class Silent(HttpServer):
        def answer(self, handler, number):
            super().answer(handler, number)
            return False

    with Silent(answer) as server:
        result = run_one(post(server, timeout_ms=2000))
        assert result["outcome"] == outcome
        assert result["status"] == 0
        assert result["body_sent"]
        assert len(server.requests) == 1


def test_an_answer_cut_anywhere_is_none():
    class Cutting(HttpServer):
        def answer(self, handler, number):
            handler.wfile.write(OK[:number - 1])
            return False

    with Cutting() as server:
        results = run([post(server)] * (len(OK) + 1), in_flight=1)
        assert len(server.requests) == len(OK) + 1
    assert [r["outcome"] for r in results] == ["broken"] * len(OK) + ["answered"]
    assert all(r["error"] for r in results[:-1])


def test_nobody_listens():
    result = run_one(post(type("Nobody", (), {"port": free_port()})))
    assert result["outcome"] == "not_connected"
    assert not result["body_started"]


def test_a_long_answer_is_cut():
    answer = b"HTTP/1.1 503 No\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90000
    with HttpServer(answer) as server:
        result = run_one(post(server, response_max=1000))
    assert (result["outcome"], result["status"]) == ("answered", 503)
    assert result["truncated"] and result["body"] == "x" * 1000


def test_a_redirect_is_not_followed():
    with HttpServer() as target:
        answer = (f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:"
                  f"{target.port}/\r\nContent-Length: 0\r\n\r\n").encode()
        with HttpServer(answer) as server:
            assert run_one(post(server))["status"] == 302
        assert target.connections == 0


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with HttpServer() as server:
        assert run_one(post(server))["status"] == 200


@pytest.mark.parametrize("change", [
    {"url": "file:///etc/passwd"}, {"url": "gopher://127.0.0.1/"},
    {"method": "GET /\r\nX: y"}, {"method": "get"}])
def test_what_is_no_request_is_refused(change):
    with HttpServer() as server:
        assert run_one(post(server, **change))["outcome"] == "refused"
        assert server.connections == 0


def test_slow_servers_hold_up_nobody(tmp_path):
    with HttpServer(None) as slow, HttpServer() as fast, \
            FaultyServer({}) as smtp:
        results = run([post(slow, timeout_ms=4000)] * 10 +
                      [post(fast), mail(smtp)] * 50)
        assert {r["outcome"] for r in results[:10]} == {"timed_out"}
        assert {r["outcome"] for r in results[10:]} == {"answered"}
        assert max(r["ms"] for r in results[10:]) < min(
            r["ms"] for r in results[:10])
        assert results[0]["longest_poll_ms"] < 2000


def test_what_is_aborted_ends_at_once(tmp_path):
    sign = tmp_path / "abort"

    class Signing(HttpServer):
        def answer(self, handler, number):
            sign.touch()
            return super().answer(handler, number)

    with Signing(None) as server:
        results = run([post(server)] * 3, abort_at=sign)
        assert {r["outcome"] for r in results} == {"aborted"}


# Few connections, many requests at once: HTTP/2

@pytest.fixture(scope="module")
def google(tmp_path_factory):
    with Google(Authority(tmp_path_factory.mktemp("ca"))) as google:
        yield google


def send(google, body="hello", **more):
    return {"url": google.url + "/send", "body": body, "timeout_ms": 10000,
            "ca_file": str(google.authority.file), "few_connections": True,
            **more}


def test_many_requests_share_four_connections(google):
    before = google.control(send={"hello": {"after_ms": 2500}})["sessions"]
    results = run([send(google)] * 500, in_flight=500)
    asked = google.asked()
    assert {r["status"] for r in results} == {200}
    assert asked["sends"] == 500
    assert asked["sessions"] - before <= 4 + 2, "curl(1) asked twice"
    assert 200 < asked["most"] <= 401


def test_one_that_hangs_holds_up_no_other(google):
    google.control(send={"stuck": {"hold": True}})
    results = run([send(google, "stuck", timeout_ms=4000)] * 3 +
                  [send(google)] * 200, in_flight=300)
    assert {r["outcome"] for r in results[:3]} == {"timed_out"}
    assert {r["outcome"] for r in results[3:]} == {"answered"}
    assert max(r["ms"] for r in results[3:]) < min(r["ms"] for r in results[:3])


def test_what_waits_for_a_place_is_aborted_too(google, tmp_path):
    google.control(send={"stuck": {"hold": True}})
    sign = tmp_path / "abort"
    sign.touch()
    results = run([send(google, "stuck")] * 500, in_flight=500, abort_at=sign)
    assert {r["outcome"] for r in results} == {"aborted"}
    google.control()
    assert run_one(send(google))["status"] == 200


# Files with certificates

@pytest.mark.parametrize("kind", ["missing", "pipe", "directory", "large"])
def test_a_file_that_holds_no_certificates(google, tmp_path, kind):
    """It fails at once, in the same words whatever it is, and nothing waits."""
    file = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "directory":
        file.mkdir()
    elif kind == "large":
        with open(file, "wb") as big:
            big.truncate((1 << 20) + 1)
    google.control()
    result, good = run([send(google, ca_file=str(file), timeout_ms=3000),
                        send(google)])
    assert result["outcome"] == "tls_failed"
    assert result["error"] == (
        "its ca_file is not a regular file of at most 1048576 bytes that can "
        "be read")
    assert good["status"] == 200
    assert google.asked()["sends"] == 1


# Transfers that only pretend

@pytest.mark.parametrize("pretence, want", [
    ({"status": 202, "body": "taken"}, ("answered", 202, "taken")),
    ({"status": 429, "retry_after_s": 7}, ("answered", 429, "")),
    ({"outcome": "not_connected"}, ("not_connected", 0, "")),
    ({"outcome": "broken"}, ("broken", 0, "")),
    ({"status": 200, "after_ms": 60000}, ("timed_out", 0, "")),
])
def test_a_pretended_transfer_ends_as_told(pretence, want):
    result = run_one({"pretence": pretence, "timeout_ms": 400})
    assert (result["outcome"], result["status"], result["body"]) == want
    assert result["body_sent"] == (want[0] != "not_connected")
    assert result["retry_after_s"] == pretence.get("retry_after_s", 0)


def test_pretended_transfers_take_their_time_side_by_side():
    delays = [300, 100, 200] * 50
    results = run([{"pretence": {"status": 200, "after_ms": ms},
                    "timeout_ms": 5000} for ms in delays], in_flight=150)
    assert {r["outcome"] for r in results} == {"answered"}
    for ms, result in zip(delays, results):
        assert ms <= result["ms"] < ms + 5000
    assert results[0]["longest_poll_ms"] < 2000


def test_pretended_transfers_are_aborted(tmp_path):
    sign = tmp_path / "abort"
    sign.touch()
    results = run([{"pretence": {"status": 200, "after_ms": 20000},
                    "timeout_ms": 30000}] * 3, abort_at=sign)
    assert {r["outcome"] for r in results} == {"aborted"}
    assert max(r["ms"] for r in results) < 10000
