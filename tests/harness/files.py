# files.py - a server of files that notifications attach
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Not a multiple of anything.
LARGE = b"".join(hashlib.sha256(str(n).encode()).digest()
                 for n in range(40000)) + b"end"


def inline(content, name="note.txt", **more):
    return {"content": base64.b64encode(content).decode(), "name": name,
            **more}


class Files(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        status, body = self.server.files.get(self.path, (404, b"no"))
        if isinstance(status, list):
            status = status.pop(0) if status else 200
        self.send_response(status)
        self.send_header("Content-Type", self.server.type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class FileServer(ThreadingHTTPServer):
    """with FileServer() as server: ... server.files[path] = (status, body)

    A list of statuses stands for one request each; then it is 200.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Files)
        self.files = {"/a/large.pdf?x=1": (200, LARGE), "/small": (200, b"s")}
        self.asked = []
        self.type = "application/pdf; x=1"
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()
