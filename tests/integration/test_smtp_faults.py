# test_smtp_faults.py - mails over SMTP, to servers that do what they like
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The engine alone (src/net), through tests/tools/transfers: what it says of each
# fault, that nothing is sent twice, and that one server holds up no other.
import os
import threading
from contextlib import ExitStack

import pytest

from harness.certificates import Authority
from harness.smtp import (DROP, HANG, FaultyConversation, FaultyServer,
                          MailServer, free_port)
from harness.transfers import MESSAGE, mail, run, run_one
from harness.wait import wait_until

PLAIN = "250 faulty.test"
PIPELINING = "250-faulty.test\r\n250-PIPELINING\r\n250 SIZE 1000000"
SMTPUTF8 = "250-faulty.test\r\n250-8BITMIME\r\n250 SMTPUTF8"

STAGES = {"connect": "connect", "EHLO": "connect", "MAIL": "sender",
          "RCPT": "recipient", "DATA": "data", "body": "body"}
LATER, NEVER = "451 4.3.0 later", "550 5.1.1 never"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


def faulty(faults, offer=PLAIN, **more):
    return FaultyServer({"EHLO": offer, **faults}, **more)


def is_good(result):
    return result["outcome"] == "answered" and result["status"] == 250


@pytest.mark.parametrize("offer", [PLAIN, PIPELINING])
@pytest.mark.parametrize("step", STAGES)
@pytest.mark.parametrize("action", [LATER, NEVER])
def test_a_refusal_is_an_answer(step, action, offer):
    with faulty({step: action}, offer) as server:
        result = run_one(mail(server))
    assert result["outcome"] == "answered"
    assert result["stage"] == STAGES[step]
    assert result["body_started"] == (step == "body")
    assert result["error"] == ""
    if step == "EHLO":  # HELO was tried, which the server does not know
        assert result["status"] == 502
    else:
        assert f"{result['status']} {result['enhanced']} {result['reply']}" \
            == action


@pytest.mark.parametrize("offer", [PLAIN, PIPELINING])
@pytest.mark.parametrize("step", STAGES)
def test_a_lost_connection_is_no_answer(step, offer):
    with faulty({step: DROP}, offer) as server:
        result = run_one(mail(server))
        assert result["outcome"] == "broken"
        assert result["stage"] == STAGES[step]
        assert result["status"] == 0
        assert result["error"]
        assert result["body_started"] == (step == "body")
        assert result["body_sent"] == (step == "body")
        assert server.connections == 1


@pytest.mark.parametrize("offer", [PLAIN, PIPELINING])
@pytest.mark.parametrize("step", STAGES)
def test_silence_ends_with_the_time(step, offer):
    with faulty({step: HANG}, offer) as server:
        result = run_one(mail(server, timeout_ms=1000))
        assert server.hanging.is_set()
    assert result["outcome"] == "timed_out"
    assert result["stage"] == STAGES[step]
    assert result["body_started"] == (step == "body")
    assert 990 <= result["ms"] < 10000


@pytest.mark.parametrize("line", ["HTTP/1.1 400 Bad Request", "", "\0\0\0",
                                  "99 x", "250-x\r\n550 y", "350 x"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "body"])
def test_nonsense_is_no_answer(step, line):
    if step == "DATA":
        line = line.replace("350", "250")
    with faulty({step: line}) as server:
        assert run_one(mail(server))["outcome"] == "broken"


@pytest.mark.parametrize("line", ["HTTP/1.1 400 Bad Request", "", "99 x"])
def test_a_nonsense_greeting(line):
    with faulty({"connect": line}) as server:
        result = run_one(mail(server, timeout_ms=500))
        assert result["outcome"] in ("broken", "timed_out")
        assert not server.bodies


def test_an_answer_too_many_ends_the_connection():
    with faulty({"MAIL": "250 x\r\n250 y"}) as server:
        result = run_one(mail(server))
        assert not is_good(result)
        assert not server.bodies


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "body"])
def test_a_reply_cut_anywhere_is_none(step):
    good = {"MAIL": "250-a\r\n250 2.1.0 b\r\n", "RCPT": "250 2.1.5 a\r\n",
            "DATA": "354 go on\r\n", "body": "250 2.0.0 taken\r\n"}[step]

    class Cutting(FaultyConversation):
        def step(self, name):
            if name != step:
                return super().step(name)
            sent = good[:self.server.connections - 1]
            self.wfile.write(sent.encode())
            self.last = sent
            return sent == good

    with faulty({}) as server:
        server.RequestHandlerClass = Cutting
        results = run([mail(server)] * (len(good) + 1), in_flight=1)
        assert server.connections == len(good) + 1
    assert [r["outcome"] for r in results] == \
        ["broken"] * len(good) + ["answered"]
    assert {r["body_sent"] for r in results[:-1]} == {step == "body"}


def test_a_line_without_end_is_cut():
    with faulty({"MAIL": "250-" + "x" * 200000}) as server:
        assert run_one(mail(server))["outcome"] == "broken"


def test_nobody_listens():
    result = run_one({**mail(FaultyPort()), "timeout_ms": 3000})
    assert result["outcome"] == "not_connected"
    assert result["stage"] == "connect"
    assert "onnect" in result["error"]


class FaultyPort:
    def __init__(self):
        self.port = free_port()


def test_a_name_that_does_not_exist():
    result = run_one(mail(FaultyPort(), url="smtp://no-such-host.invalid/x"))
    assert result["outcome"] == "not_connected"


# --- Connections are kept ---

@pytest.mark.parametrize("offer", [PLAIN, PIPELINING])
def test_connections_are_used_again(offer):
    with faulty({}, offer) as server:
        results = run([mail(server)] * 60, connections_per_host=4)
        assert all(map(is_good, results))
        assert server.connections == 4
        assert len(server.bodies) == 60
    assert sum(r["num_connects"] for r in results) == 4


def test_a_connection_carries_so_many_mails():
    with faulty({}) as server:
        results = run([mail(server)] * 10, in_flight=1, per_connection=3)
        assert all(map(is_good, results))
        assert server.connections == 4
        wait_until(lambda: server.seen.count("QUIT") == 4)


@pytest.mark.parametrize("offer", [PLAIN, PIPELINING])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "body"])
def test_a_refusal_does_not_cost_the_connection(step, offer):
    """With PIPELINING the server says 354 although the recipient was refused."""
    class Choosy(FaultyServer):
        count = 0

        def action(self, name):
            if name == step:
                self.count += 1
                if self.count % 2:
                    return "550 5.7.1 no"
            return super().action(name)

    with Choosy({"EHLO": offer}) as server:
        results = run([mail(server)] * 8, in_flight=1)
        assert [r["status"] for r in results] == [550, 250] * 4
        assert server.connections == 1
        assert server.seen.count("RSET") == 4
        assert [b for b in server.bodies if b] == [MESSAGE.encode()] * (
            8 if step == "body" else 4)


class Tired(FaultyServer):
    """The second time that a step is come to, it does something else."""

    def __init__(self, step, action, offer):
        super().__init__({"EHLO": offer})
        self.tired, self.count = (step, action), 0

    def action(self, name):
        if name == self.tired[0]:
            self.count += 1
            if self.count == 2:
                return self.tired[1]
        return super().action(name)


@pytest.mark.parametrize("offer", [PLAIN, PIPELINING])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("action", [DROP, "421 4.4.2 timeout"])
def test_a_dead_connection_costs_no_attempt(step, action, offer):
    with Tired(step, action, offer) as server:
        results = run([mail(server)] * 3, in_flight=1)
        assert all(map(is_good, results))
        assert server.connections == 2
        assert len(server.bodies) == 3
    assert [r["num_connects"] for r in results] == [1, 1, 0]


def test_a_message_is_never_sent_again():
    with Tired("body", DROP, PIPELINING) as server:
        results = run([mail(server)] * 3, in_flight=1)
        assert [r["outcome"] for r in results] == ["answered", "broken",
                                                   "answered"]
        assert results[1]["body_sent"]
        assert len(server.bodies) == 3


def test_a_server_that_is_full_answers_once_more_and_that_counts():
    with faulty({"MAIL": "421 4.7.0 too many"}) as server:
        result = run_one(mail(server))
        assert (result["outcome"], result["status"]) == ("answered", 421)
        assert server.connections == 1


def test_accounts_do_not_share_connections():
    with faulty({}) as server:
        results = run([mail(server, username=f"u{n % 3}", password="x")
                       for n in range(12)], in_flight=1)
        assert all(map(is_good, results))
        assert server.connections == 3


def test_an_idle_connection_is_closed_in_time():
    with faulty({}) as one, faulty({"MAIL": HANG}) as other:
        results = run([mail(one), mail(other, timeout_ms=3000)],
                      idle_ms=200)
        assert is_good(results[0])
        wait_until(lambda: "QUIT" in one.seen)


# --- Nobody waits for another ---

@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA",
                                  "body", "QUIT"])
def test_a_server_that_hangs_holds_up_no_other(step):
    with faulty({step: HANG}) as bad, faulty({}) as good:
        results = run([mail(bad, timeout_ms=4000)] * 5 + [mail(good)] * 100,
                      connections_per_host=5, per_connection=20)
    assert all(map(is_good, results[5:]))
    assert max(r["ms"] for r in results[5:]) < 3900
    assert results[0]["longest_poll_ms"] < 2000
    if step != "QUIT":
        assert {r["outcome"] for r in results[:5]} == {"timed_out"}


def test_those_who_wait_for_a_connection_time_out_too():
    with faulty({"body": HANG}) as server:
        results = run([mail(server, timeout_ms=1500)] * 5,
                      connections_per_host=1)
    assert {r["outcome"] for r in results} == {"timed_out"}
    # One has the connection; where the machine is slow, another after it.
    assert 1 <= sum(r["body_started"] for r in results) <= 3


def test_what_is_aborted_ends_at_once(tmp_path):
    sign = tmp_path / "abort"
    with faulty({"body": HANG}) as server:
        watcher = threading.Thread(
            target=lambda: server.hanging.wait(10) and sign.touch())
        watcher.start()
        results = run([mail(server)] * 3, abort_at=sign,
                      connections_per_host=1)
        watcher.join()
        assert {r["outcome"] for r in results} == {"aborted"}
        assert results[0]["body_sent"]
        assert not results[1]["body_started"]
        assert len(server.bodies) == 1


# --- What goes over the wire ---

@pytest.mark.parametrize("body", [
    ".\r\n", "..\r\n.\r\n", "x\r\n.\r\nMAIL FROM:<evil@example.org>\r\n",
    "no end", "", "\r\n", "a\r\n" * 100000, ("." * 900 + "\r\n") * 50,
    *(("x" * 998 + "\r\n") * 16 + "y" * n + "\r\n.\r\n" for n in range(360, 376)),
    ".x\r\n" * 20000,
], ids=lambda body: f"{body[:8]!r}-{len(body)}")
def test_every_message_arrives_as_it_is(body):
    message = "Subject: x\r\n\r\n" + body
    with MailServer(data_size_limit=None) as server:
        result = run_one(mail(server, body=message))
        assert is_good(result)
        (_, recipients, octets), = server.inbox.received
    assert recipients == ["b@example.org"]
    wanted = message if message.endswith("\r\n") else message + "\r\n"
    assert octets.decode() == wanted


def test_three_megabytes_at_once():
    message = "Subject: x\r\n\r\n" + "0123456789abcdef\r\n" * 170000
    with MailServer(data_size_limit=None) as server:
        results = run([mail(server, body=message, timeout_ms=30000)] * 3)
        assert all(map(is_good, results))
        assert {o.decode() for _, _, o in server.inbox.received} == {message}


@pytest.mark.parametrize("change", [
    {"rcpt": "b@example.org>\r\nRCPT TO:<c@example.org"},
    {"rcpt": "b@example.org\n"}, {"rcpt": "b\r@example.org"}, {"rcpt": ""},
    {"rcpt": "b@example.org> NOTIFY=NEVER"}, {"from": "a@example.org\r\nDATA"},
    {"from": "<>"}, {"url": "http://127.0.0.1/"}, {"url": "file:///etc/passwd"},
    {"tls": "tls"},
])
def test_what_would_be_a_command_is_refused(change):
    with faulty({}) as server:
        assert run_one(mail(server, **change))["outcome"] == "refused"
        assert server.connections == 0


def test_the_null_sender():
    with faulty({}) as server:
        assert is_good(run_one(mail(server, **{"from": ""})))
        assert "MAIL FROM:<>" in server.seen


def test_utf8_addresses_only_where_they_are_taken():
    address = "jörg@example.org"
    with faulty({}) as server:
        results = run([mail(server, rcpt=address, smtputf8=True), mail(server)],
                      in_flight=1)
        assert results[0]["outcome"] == "no_smtputf8"
        assert is_good(results[1])
        assert server.connections == 1
        assert server.recipients() == ["b@example.org"]
    with faulty({}, SMTPUTF8) as server:
        assert is_good(run_one(mail(server, rcpt=address, smtputf8=True)))
        assert "MAIL FROM:<a@example.org> BODY=8BITMIME SMTPUTF8" in server.seen
        assert server.recipients() == [address]


# --- TLS and login ---

def over_tls(server, authority, **more):
    return mail(server, url=f"smtp://localhost:{server.port}/client.test",
                tls="starttls", ca_file=str(authority.file),
                username="ann", password="open sesame", **more)


def test_starttls_and_login(authority):
    with MailServer(starttls=authority.server_context(), auth=True) as server:
        results = run([over_tls(server, authority)] * 20,
                      connections_per_host=2)
        assert all(map(is_good, results))
        assert len(server.inbox.logins) == 2
        assert len(server.inbox.peers) == 2


def test_tls_from_the_start(authority):
    with MailServer(ssl_context=authority.server_context()) as server:
        result = run_one(mail(server, tls="tls", ca_file=str(authority.file),
                              url=f"smtps://localhost:{server.port}/x"))
        assert is_good(result)


def test_a_wrong_password(authority):
    with MailServer(starttls=authority.server_context(), auth=True) as server:
        result = run_one({**over_tls(server, authority), "password": "x"})
        assert result["outcome"] == "login_refused"
        assert result["stage"] == "login"
        assert (result["status"], result["enhanced"]) == (535, "5.7.8")
        assert server.inbox.received == []


def test_tls_is_never_left_out(authority):
    with MailServer() as server:
        assert run_one(over_tls(server, authority))["outcome"] == "tls_failed"
        assert server.inbox.received == []


def test_certificates_from_a_pipe(authority, tmp_path):
    """Nobody writes to it: that would be waited for, by all."""
    pipe = tmp_path / "ca.pem"
    os.mkfifo(pipe)
    with MailServer(starttls=authority.server_context()) as server:
        result = run_one({**over_tls(server, authority), "ca_file": str(pipe)})
        assert result["outcome"] == "tls_failed"
        assert "its ca_file is not a regular file" in result["error"]
        assert not server.inbox.peers


def test_a_certificate_of_somebody_else(authority, tmp_path):
    stranger = Authority(tmp_path / "other", name="A stranger")
    with ExitStack() as stack:
        context = stranger.server_context()
        server = stack.enter_context(MailServer(starttls=context))
        result = run_one(over_tls(server, authority))
        assert result["outcome"] == "tls_failed"
        assert "certificate" in result["error"]
        wrong = stack.enter_context(
            MailServer(starttls=authority.server_context("elsewhere.test")))
        assert run_one(over_tls(wrong, authority))["outcome"] == "tls_failed"
        assert server.inbox.received == wrong.inbox.received == []
