# oidc.py - npm's oidc-provider as issuer of access tokens
#
# SPDX-License-Identifier: BSD-2-Clause
import subprocess
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]


def modules():
    """Where npm puts what contrib/packages installs."""
    root = subprocess.run(["npm", "root", "-g"], capture_output=True,
                          text=True, check=True).stdout.strip()
    assert (Path(root) / "oidc-provider").is_dir(), \
        "it is not there: contrib/packages test"
    return root


class Oidc:
    """Runs below a directory of the test, see oidc.mjs: modules of that kind are
    looked for beside the file."""

    def __init__(self, directory):
        directory.mkdir(exist_ok=True)
        (directory / "node_modules").symlink_to(modules())
        script = directory / "oidc.mjs"
        script.write_bytes((ROOT / "tests/harness/oidc.mjs").read_bytes())
        self.process = subprocess.Popen(
            ["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:")

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def keys(self, step):
        """"rotate", or "publish", "sign" and "retire"."""
        assert requests.post(f"{self.url}/{step}", timeout=30).ok

    def token(self, client, scope="notifications:send"):
        answer = requests.post(self.url + "/token", auth=(client, "secret"),
                               data={"grant_type": "client_credentials",
                                     "resource": "urn:belfry",
                                     "scope": scope}, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]
