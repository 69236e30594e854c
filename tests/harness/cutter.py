# cutter.py - stands between Belfry and PostgreSQL and cuts connections
#
# SPDX-License-Identifier: BSD-2-Clause
import random
import socket
import threading
import time
from pathlib import Path


class Cutter:
    """Takes the place of PostgreSQL's unix socket.  Cuts a connection with
    probability "share" when something passes: before the server got it, after
    it, or on the way back, so that COMMIT may or may not have happened."""

    def __init__(self, stack):
        self.front = Path(stack.env["PGHOST"]) / \
            (".s.PGSQL." + stack.env["PGPORT"])
        self.back = self.front.with_name("real.sock")
        self.share, self.cuts = 0.0, 0
        self.connections, self.muted = 0, 0
        self.late, self.lateness_s, self.last = b"", 0, None

    def __enter__(self):
        self.front.rename(self.back)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.front))
        self.front.chmod(0o777)
        self.listener.listen(200)
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.share = 0.0
        self.back.rename(self.front)
        self.listener.close()

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self.back))
            self.connections += 1
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self.pump,
                                 args=(*pair, self.connections),
                                 daemon=True).start()

    def be_late_with(self, octets, lateness_s, last=None):
        """What comes next with these octets in it loses its connection, and reaches
        the server all the same, so many seconds later; with "last" only its last
        octets are late."""
        self.late, self.lateness_s, self.last = octets, lateness_s, last

    def mute(self):
        """Swallows what passes on the connections that there are, as a host
        does that vanished.  Others come through."""
        self.muted = self.connections

    def pump(self, source, sink, number):
        try:
            while (octets := source.recv(65536)):
                if number <= self.muted:
                    continue
                if self.late and self.late in octets:
                    self.late = b""
                    self.cuts += 1
                    at = len(octets) - (self.last or len(octets))
                    sink.sendall(octets[:at])
                    source.shutdown(socket.SHUT_RDWR)
                    time.sleep(self.lateness_s)
                    sink.sendall(octets[at:])
                    time.sleep(1)
                    break
                if random.random() < self.share:
                    self.cuts += 1
                    if random.random() < 0.5:
                        sink.sendall(octets)
                    break
                sink.sendall(octets)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
