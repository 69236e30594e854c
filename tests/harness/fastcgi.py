# fastcgi.py - FastCGI records, well and badly formed
#
# SPDX-License-Identifier: BSD-2-Clause
import re
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT = 1, 2, 3, 4, 5, 6


def record(kind, data=b"", version=1, identity=1, padding=0, length=None):
    return struct.pack(">BBHHBB", version, kind, identity,
                       len(data) if length is None else length, padding,
                       0) + data + b"\0" * padding


def begin(keep=False, role=1):
    return record(BEGIN, struct.pack(">HB5x", role, int(keep)))


def length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def pair(name, value):
    name, value = (x.encode() if isinstance(x, str) else x
                   for x in (name, value))
    return length(len(name)) + length(len(value)) + name + value


def pairs(params):
    return b"".join(pair(n, v) for n, v in params)


def request(params, body=b"", **more):
    """A whole request; params is a list of (name, value)."""
    return begin(**more) + record(PARAMS, pairs(params)) + record(PARAMS) \
        + (record(STDIN, body) if body else b"") + record(STDIN)


def get(uri, *more):
    return [("REQUEST_METHOD", "GET"), ("REQUEST_URI", uri),
            ("REMOTE_ADDR", "127.0.0.1"), *more]


class Connection:
    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def finish(self):
        self.socket.shutdown(socket.SHUT_WR)

    def read_record(self):
        """(kind, data), or None at the end."""
        while len(self.pending) < 8 or len(self.pending) < 8 + sum(
                struct.unpack(">4xHBx", self.pending[:8])):
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                return None
            self.pending += more
        kind, size, padding = struct.unpack(">xB2xHBx", self.pending[:8])
        data = self.pending[8:8 + size]
        self.pending = self.pending[8 + size + padding:]
        return kind, data

    def answer(self):
        """The bytes of one answer, up to END_REQUEST or the end."""
        out = b""
        while (found := self.read_record()) is not None:
            kind, data = found
            if kind == STDOUT:
                out += data
            if kind == END:
                break
        return out


def status(answer):
    """The status of an answer; None when there is none."""
    found = re.match(rb"Status: (\d+) ", answer)
    return int(found.group(1)) if found else None


def ask(path, octets, finish=False):
    with Connection(path) as connection:
        try:
            connection.send(octets)
            if finish:
                connection.finish()
        except (BrokenPipeError, ConnectionResetError):
            pass
        return connection.answer()
