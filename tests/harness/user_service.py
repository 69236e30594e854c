# user_service.py - a tenant's own directory of people, which may be slow or broken
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # all may ask at once


class UserService:
    """People by their ids: GET /users/ID, GET /users?ids=A,B and POST /lookup with
    {"ids": [...]}.  "mode" says how it answers: "well", "500", "garbage", "slow" (after
    "delay" seconds).  "takes", if given, says whether an access token is good."""

    def __init__(self, people, token=None, takes=None):
        self.people = people
        self.takes = takes or (lambda t: token is None or t == token)
        self.batches, self.tokens = [], []
        self.mode, self.delay = "well", 0.5
        self.asked = Counter()
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(*outer.answer(self.path, self.headers))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(*outer.answer(self.path, self.headers,
                                          json.loads(body)))

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, headers, body=None):
        where, _, query = path.partition("?")
        many = parse_qs(query)["ids"][0].split(",") if query else \
            body and body["ids"]
        with self.lock:
            self.asked.update(many or [where.rpartition("/")[2]])
            if many:
                self.batches.append(many)
        token = (headers["Authorization"] or "").removeprefix("Bearer ")
        if not self.takes(token):
            return 401, b"{}"
        with self.lock:
            self.tokens.append(token)
        if self.mode == "slow":
            time.sleep(self.delay)
        if self.mode == "500":
            return 500, b"{}"
        if self.mode == "garbage":
            return 200, b"<html>"
        if many:
            found = [{"id": i, **self.people[i]} for i in many
                     if i in self.people]
            return 200, json.dumps({"data": {"users": found}}).encode()
        user = where.rpartition("/")[2]
        if user not in self.people:
            return 404, b"{}"
        return 200, json.dumps(self.people[user]).encode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
