# smtp.py - mail servers for tests: one that works and one that misbehaves
#
# SPDX-License-Identifier: BSD-2-Clause
import email
import email.policy
import re
import socket
import socketserver
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Inbox:
    """Keeps what came in, as (sender, recipients, octets) and parsed."""

    def __init__(self):
        self.received = []
        self.logins = []
        self.peers = set()

    async def handle_DATA(self, server, session, envelope):
        self.peers.add(session.peer)
        self.received.append((envelope.mail_from, list(envelope.rcpt_tos),
                              envelope.content))
        return "250 2.0.0 taken"

    def authenticate(self, server, session, envelope, mechanism, data):
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        self.logins.append((mechanism, data.login.decode(),
                            data.password.decode()))
        return AuthResult(success=data.password == b"open sesame",
                          handled=False)

    def messages(self):
        return [email.message_from_bytes(octets, policy=email.policy.default)
                for _, _, octets in self.received]

    def to(self, address):
        """The messages for one recipient."""
        return [email.message_from_bytes(octets, policy=email.policy.default)
                for _, recipients, octets in self.received
                if address in recipients]


class MailServer(Controller):
    """A real SMTP server on a free port; starttls is an SSL context."""

    def __init__(self, starttls=None, auth=False, **more):
        self.inbox = Inbox()
        super().__init__(self.inbox, hostname="127.0.0.1", port=0,
                         ready_timeout=10, tls_context=starttls,
                         require_starttls=bool(starttls), auth_required=auth,
                         auth_require_tls=bool(starttls),
                         authenticator=self.inbox.authenticate, **more)

    def _trigger_server(self):
        """The port is known once the server listens."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


# What a step of the conversation may do instead of being answered with success.
HANG = "hang"
DROP = "drop"
GOOD = {
    "connect": "220 faulty.test ESMTP", "EHLO": "250 faulty.test",
    "MAIL": "250 2.1.0 fine", "RCPT": "250 2.1.5 fine",
    "DATA": "354 go on", "body": "250 2.0.0 taken", "QUIT": "221 2.0.0 bye",
    "RSET": "250 2.0.0 fine", "NOOP": "250 2.0.0 fine",
}


class FaultyConversation(socketserver.StreamRequestHandler):
    def handle(self):
        server = self.server
        server.connections += 1
        if not self.step("connect"):
            return
        for line in self.rfile:
            verb = line[:4].decode("ascii", "replace").upper()
            server.seen.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if verb not in GOOD:
                self.say("502 5.5.1 unknown")
                continue
            if not self.step(verb) or verb == "QUIT":
                return
            if verb == "DATA" and self.last.startswith("354"):
                if not self.body() or not self.step("body"):
                    return

    def body(self):
        octets = b""
        for line in self.rfile:
            if line == b".\r\n":
                time.sleep(self.server.latency_s)
                self.server.bodies.append(octets)
                return True
            octets += line
        return False

    def say(self, text):
        self.last = text
        self.wfile.write(text.encode() + b"\r\n")

    def step(self, name):
        """False when the conversation is over."""
        action = self.server.action(name)
        if action == DROP:
            return False
        if action == HANG:
            self.server.hanging.set()
            self.server.released.wait(120)
            return False
        self.say(action)
        return not action.startswith("421")


class FaultyServer(socketserver.ThreadingTCPServer):
    """Misbehaves as faults says: {"RCPT": "451 4.2.0 later", "DATA": HANG}.

    "times" is how often each fault shows before the step works (None: always).
    Steps are connect, EHLO, MAIL, RCPT, DATA, body and QUIT.  "latency_s" is
    what the server needs for a body.
    """
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, faults, times=None, latency_s=0):
        super().__init__(("127.0.0.1", 0), FaultyConversation)
        self.port = self.server_address[1]
        self.faults = faults
        self.latency_s = latency_s
        self.left = {name: times for name in faults}
        self.lock = threading.Lock()
        self.connections = 0
        self.seen, self.bodies = [], []
        self.hanging, self.released = threading.Event(), threading.Event()

    def action(self, name):
        with self.lock:
            if name in self.faults and self.left[name] != 0:
                if self.left[name] is not None:
                    self.left[name] -= 1
                return self.faults[name]
        return GOOD[name]

    def recipients(self):
        return [match.group(1) for line in self.seen
                if (match := re.match(r"RCPT TO:<(.*?)>", line, re.I))]

    def handle_error(self, request, client_address):
        """A client that went away is what these tests are about."""

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever,
                                       args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()


KEPT = []


def free_port():
    """A port on which nobody listens (for a connection that is refused); it stays taken,
    so that no server of another test gets it."""
    taken = socket.socket()
    KEPT.append(taken)
    taken.bind(("127.0.0.1", 0))
    return taken.getsockname()[1]
