# google.py - a stand-in for Google: access tokens and FCM, over HTTP/2 and TLS
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import subprocess
from pathlib import Path

SERVER = Path(__file__).with_name("google.js")


class Google:
    """with Google(authority) as google: ... google.url ...

    control() says what is answered, asked() what was asked for (google.js tells the
    forms).
    """

    def __init__(self, authority):
        authority.server_context()
        self.authority = authority
        self.files = [authority.directory / f"localhost.{end}"
                      for end in ("pem", "key")]

    def __enter__(self):
        self.process = subprocess.Popen(["node", SERVER, *self.files],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"https://localhost:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def call(self, *options):
        done = subprocess.run(
            ["curl", "-sS", "--http2", "--cacert", self.authority.file, *options,
             self.url + "/control"], capture_output=True, text=True, timeout=20,
            check=True)
        return json.loads(done.stdout)

    def control(self, **what):
        return self.call("-d", json.dumps({"zero": True, **what}))

    def asked(self):
        return self.call()

    def sent(self):
        """The messages that came, parsed."""
        return [json.loads(r["body"]) for r in self.asked()["requests"]
                if r["path"].endswith(":send")]
