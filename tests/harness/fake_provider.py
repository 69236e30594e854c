# fake_provider.py - a provider for HTTP and SMTP that fails as it is told to
#
# SPDX-License-Identifier: BSD-2-Clause
#
# One event loop in a thread of its own serves both protocols.  A message counts as
# received when its last byte is here, whatever becomes of the answer: then its line is
# appended to the log, so the log tells what an honest provider would have acted on.
import asyncio
import collections
import email
import email.policy
import hashlib
import json
import os
import random
import re
import threading
import time
import urllib.parse
from dataclasses import dataclass

OK_HTTP = 200
GOOD = {
    "connect": "220 fake.test ESMTP", "EHLO": "250 fake.test",
    "MAIL": "250 2.1.0 fine", "RCPT": "250 2.1.5 fine",
    "DATA": "354 go on", "body": "250 2.0.0 queued as {n}",
    "QUIT": "221 2.0.0 bye", "RSET": "250 2.0.0 fine",
    "NOOP": "250 2.0.0 fine",
}


@dataclass
class Fault:
    """What happens instead of a good answer.

    "at" is a step of SMTP (connect, EHLO, MAIL, RCPT, DATA, body), "http", or
    "media": an upload.
    """
    at: str = "http"
    answer: object = None   # a status of HTTP, a line of SMTP; None: the good one
    headers: tuple = ()     # of HTTP: ("Retry-After: 5", ...)
    body: bytes = None      # of HTTP
    delay_s: float = 0.0
    cut: int = None         # the connection ends behind so many bytes of the answer
    hang: bool = False      # no answer ever
    drip_s: float = 0.0     # between two bytes of the answer
    times: int = None       # how often; None: always
    share: float = 1.0      # of the requests
    until: float = None     # time.monotonic() when it passes
    only: str = None        # a part of the message's id or recipient

    def fits(self, at, names):
        if self.at != at or self.times == 0 or \
                (self.until is not None and time.monotonic() > self.until) or \
                (self.only is not None and
                 not any(self.only in n for n in names if n)) or \
                (self.share < 1.0 and random.random() >= self.share):
            return False
        if self.times is not None:
            self.times -= 1
        return True


def read_form(kind, body):
    message = email.message_from_bytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + body,
        policy=email.policy.HTTP)
    fields, files = {}, {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename() is None:
            fields[name] = content.decode()
        else:
            files[name] = (part.get_filename(), part.get_content_type(),
                           content)
    return fields, files


@dataclass(frozen=True)
class Receipt:
    """A message that was here to its last byte."""
    at: float      # time.time()
    channel: str   # email, webhook, sms, whatsapp, chat, or media: an upload
    id: str        # of the delivery; None where the protocol does not carry it
    to: str
    hash: str      # of the body


class Connection(asyncio.Protocol):
    """Bytes in, one answer at a time out."""
    limit = None

    def __init__(self, provider):
        self.provider = provider
        self.input = bytearray()
        self.busy = False

    def connection_made(self, transport):
        self.transport = transport
        self.provider.open[self.kind] += 1
        self.provider.connections[self.kind] += 1
        self.provider.most[self.kind] = max(self.provider.most[self.kind],
                                            self.provider.open[self.kind])
        self.begin()

    def connection_lost(self, exc):
        self.provider.open[self.kind] -= 1
        self.busy = True

    def data_received(self, data):
        self.input += data
        self.work()

    def work(self):
        while not self.busy and self.step():
            pass

    def reply(self, octets, fault, close=False):
        """Sends an answer in the way of the fault; then goes on reading."""
        self.busy = True
        delay = self.provider.latency_s if fault is None else fault.delay_s
        if fault is not None and fault.hang:
            self.provider.hanging.set()
            return
        if fault is not None and fault.cut is not None:
            octets, close = octets[:fault.cut], True
        if fault is not None and fault.drip_s:
            self.provider.hanging.set()
            self.drip(octets, fault.drip_s, close)
        elif delay:
            self.provider.loop.call_later(delay, self.answer, octets, close)
        else:
            self.write(octets, close)

    def answer(self, octets, close):
        self.write(octets, close)
        self.work()

    def write(self, octets, close):
        if self.transport.is_closing():
            return
        self.transport.write(octets)
        if close:
            self.transport.close()
        else:
            self.busy = False

    def drip(self, octets, every, close):
        if self.transport.is_closing():
            return
        self.transport.write(octets[:1])
        if len(octets) > 1:
            self.provider.loop.call_later(every, self.drip, octets[1:], every,
                                          close)
        else:
            self.answer(b"", close)


class Http(Connection):
    kind = "http"

    def begin(self):
        pass

    def step(self):
        end = self.input.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = self.input[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        if len(self.input) < end + 4 + length:
            return False
        body = bytes(self.input[end + 4:end + 4 + length])
        del self.input[:end + 4 + length]
        self.request(first.split(" ")[1], headers, body)
        return True

    def request(self, path, headers, body):
        identity, to, channel = self.identify(path, headers, body)
        self.provider.take(channel, identity, to, body, headers)
        fault = self.provider.fault("media" if channel == "media" else "http",
                                    identity, to)
        status = fault.answer if fault and fault.answer else \
            (201 if channel == "sms" else OK_HTTP)
        answer = self.provider.answer(channel, to)
        if fault and fault.body is not None:
            answer = fault.body
        head = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(answer)}",
                "Content-Type: application/json",
                f"X-Message-Id: {identity}",
                *(fault.headers if fault else ())]
        self.reply("\r\n".join(head).encode() + b"\r\n\r\n" + answer, fault)

    @staticmethod
    def identify(path, headers, body):
        if "webhook-id" in headers:
            told = json.loads(body)
            to = told["data"].get("recipient", {}).get("id", told["type"])
            return headers["webhook-id"], to, "webhook"
        if path.endswith("/v3/mail/send"):
            to, = json.loads(body)["personalizations"]
            return (to["custom_args"]["belfry_delivery"],
                    to["to"][0]["email"], "email")
        if path.startswith("/bot"):
            return None, path.rpartition("/")[2], "chat"
        if path.endswith("/media"):
            return None, None, "media"
        if path.endswith("/messages"):
            message = json.loads(body)
            return (message["biz_opaque_callback_data"].split("/")[1],
                    message["to"], "whatsapp")
        form = urllib.parse.parse_qs(body.decode())
        return None, form.get("To", [None])[0], "sms"


class Smtp(Connection):
    kind = "smtp"

    def begin(self):
        self.to, self.in_data = None, False
        limit = self.provider.connection_limit
        if limit is not None and self.provider.open["smtp"] > limit:
            self.provider.refused += 1
            self.reply(b"421 4.7.0 too many connections\r\n", None, True)
        else:
            self.say("connect")

    def step(self):
        if self.in_data:
            return self.message()
        end = self.input.find(b"\r\n")
        if end < 0:
            return False
        line = self.input[:end].decode("utf-8", "replace")
        del self.input[:end + 2]
        verb = line[:4].upper()
        if verb == "RCPT":
            self.to = re.search(r"<(.*?)>", line).group(1)
        self.say(verb if verb in GOOD else None)
        return True

    def say(self, step):
        fault = self.provider.fault(step, None, self.to) if step else None
        line = (fault.answer if fault and fault.answer else GOOD[step]) \
            if step else "502 5.5.1 unknown"
        self.in_data = step == "DATA" and line.startswith("354")
        self.reply(line.encode() + b"\r\n", fault,
                   step == "QUIT" or line.startswith("421"))

    def message(self):
        end = self.input.find(b"\r\n.\r\n")
        if end < 0:
            return False
        octets = bytes(self.input[:end + 2])
        del self.input[:end + 5]
        self.in_data = False
        found = re.search(rb"^Message-ID: <([^@>]+)", octets, re.MULTILINE)
        identity = found.group(1).decode() if found else None
        self.provider.take("email", identity, self.to, octets, {})
        fault = self.provider.fault("body", identity, self.to)
        line = fault.answer if fault and fault.answer else \
            GOOD["body"].format(n=len(self.provider.receipts))
        self.reply(line.encode() + b"\r\n", fault, line.startswith("421"))
        return True


class FakeProvider:
    """with FakeProvider(faults) as provider: ... provider.http_port ...

    Faults may be changed at any time; the first one that fits is done.
    connection_limit is how many SMTP connections are served at once; the others
    get a 421.  latency_s passes before each good answer.
    """

    def __init__(self, *faults, log=None, latency_s=0.0, connection_limit=None):
        self.faults = list(faults)
        self.latency_s = latency_s
        self.connection_limit = connection_limit
        self.receipts, self.headers, self.bodies = [], [], []
        self.keep_bodies = False
        self.open, self.connections = collections.Counter(), collections.Counter()
        self.most, self.refused = collections.Counter(), 0
        self.hanging = threading.Event()
        self.log = None if log is None else os.open(
            log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    # What the connections call, in the loop's thread

    def fault(self, at, *names):
        return next((f for f in self.faults if f.fits(at, names)), None)

    def take(self, channel, identity, to, body, headers):
        receipt = Receipt(time.time(), channel, identity, to,
                          hashlib.sha256(body).hexdigest()[:16])
        if self.log is not None:
            os.write(self.log, json.dumps(vars(receipt)).encode() + b"\n")
        if self.keep_bodies:
            self.bodies.append(body)
            self.headers.append(headers)
        self.receipts.append(receipt)

    def answer(self, channel, to):
        number = len(self.receipts)
        answers = {"sms": {"sid": f"SM{number:032x}", "to": to,
                           "status": "queued", "error_code": None},
                   "whatsapp": {"messages": [{"id": f"wamid.{number}"}]},
                   "media": {"id": f"media-{number}"},
                   "chat": {"ok": True, "result": {"message_id": number}}}
        return json.dumps(answers.get(channel, {})).encode()

    # What tests call

    def count(self, channel=None):
        return sum(channel in (None, r.channel) for r in self.receipts)

    def clear(self):
        """Forgets what came."""
        self.receipts, self.headers, self.bodies = [], [], []

    def forms(self):
        """The multipart forms that came, in their order: fields, and files as
        (name, type, content) by field."""
        return [read_form(h["content-type"], b)
                for h, b in zip(self.headers, self.bodies)
                if h.get("content-type", "").startswith("multipart/")]

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.http_port}{path}"

    def add_to(self, tenant, *channels):
        """Makes accounts of a tenant that lead here."""
        kinds = {
            "email": ("smtp", {"host": "127.0.0.1", "port": self.smtp_port,
                               "tls": "none", "from": "shop@example.org"}),
            "webhook": ("webhook", {"url": self.url("/hook")}),
            "sms": ("twilio", {"base_url": self.url(), "from": "+15005550006",
                               "account_sid": "AC" + "0" * 32,
                               "auth_token": "token"}),
        }
        for channel in channels:
            kind, settings = kinds[channel]
            tenant.add_provider(f"fake-{channel}", kind, **settings)

    async def listen(self):
        servers = [await self.loop.create_server(
            lambda c=c: c(self), "127.0.0.1", 0, backlog=512)
            for c in (Http, Smtp)]
        self.http_port, self.smtp_port = (
            s.sockets[0].getsockname()[1] for s in servers)

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.listen())
        self.ready.set()
        self.loop.run_forever()
        self.loop.close()

    def __enter__(self):
        self.loop, self.ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        assert self.ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        if self.log is not None:
            os.close(self.log)
