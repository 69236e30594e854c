# user_service.py - a tenant's own directory of people, which may be slow or broken
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class UserService:
    """People by their ids.  "mode" says how it answers: "well", "500", "garbage", "slow"
    (after "delay" seconds)."""

    def __init__(self, people, token=None):
        self.people, self.token = people, token
        self.mode, self.delay = "well", 0.5
        self.asked = Counter()
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(*outer.answer(self.path, self.headers))

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, headers):
        user = path.rpartition("/")[2]
        with self.lock:
            self.asked[user] += 1
        if self.token and headers["Authorization"] != f"Bearer {self.token}":
            return 401, b"{}"
        if self.mode == "slow":
            time.sleep(self.delay)
        if self.mode == "500":
            return 500, b"{}"
        if self.mode == "garbage":
            return 200, b"<html>"
        if user not in self.people:
            return 404, b"{}"
        return 200, json.dumps(self.people[user]).encode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
