# web_server.py - nginx, lighttpd and Apache with the examples of conf/
#
# SPDX-License-Identifier: BSD-2-Clause
#
# The example is taken as it is but for what an administrator changes too: the
# port, the path of the socket and, where a test asks for it, the addresses that
# may see /health and /metrics.
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from harness.wait import wait_until

CONF = Path(__file__).resolve().parents[2] / "conf"
SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
TRIES = 10


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class WebServer:
    program = None

    def __init__(self, api_socket, replace=()):
        self.socket = Path(api_socket)
        self.replace = [("/run/belfry/api.sock", str(api_socket)), *replace]
        self.directory = Path(tempfile.mkdtemp(prefix="belfry-w.", dir="/tmp"))
        self.process = None

    @classmethod
    def binary(cls):
        """Where the program is, None when it is not installed."""
        return shutil.which(cls.program, path=SBIN)

    def example(self, name, *more):
        text = (CONF / name).read_text()
        for old, new in [*self.replace, *more]:
            assert old in text, f"{old!r} is not in conf/{name}"
            text = text.replace(old, new)
        return text

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def account(self):
        """As root: the user who may use the socket of belfry-api."""
        if os.geteuid() != 0:
            return {}
        owner = self.socket.stat()
        os.chown(self.directory, owner.st_uid, owner.st_gid)
        return {"user": owner.st_uid, "group": owner.st_gid,
                "extra_groups": []}

    def answers(self):
        if self.process.poll() is not None:
            return "ended"
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0 and "up"

    def up(self):
        """The free port may be gone when the server binds it: then again."""
        for _ in range(TRIES):
            self.port = free_port()
            self.url = f"http://127.0.0.1:{self.port}"
            self.configure()
            with open(self.directory / "output", "wb") as output:
                self.process = subprocess.Popen(
                    self.command(), cwd=self.directory, stdout=output,
                    stderr=output, **self.account())
            if wait_until(self.answers, what=self.program) == "up":
                return self
        raise RuntimeError((self.directory / "output").read_text())

    def down(self):
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            self.process.wait(timeout=20)
        shutil.rmtree(self.directory, ignore_errors=True)

    stop_signal = signal.SIGTERM


class Nginx(WebServer):
    program = "nginx"

    def configure(self):
        shutil.copy("/etc/nginx/fastcgi_params", self.directory)
        self.write("belfry.conf", self.example(
            "nginx.conf", ("listen 80;", f"listen 127.0.0.1:{self.port};"),
            ("\tlisten [::]:80;\n", "")))
        paths = "".join(f"{kind}_temp_path {self.directory}/{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi",
                                     "uwsgi", "scgi"))
        self.write("nginx.conf",
                   f"daemon off;\npid {self.directory}/pid;\n"
                   f"events {{ }}\nhttp {{\naccess_log off;\n{paths}"
                   f"include {self.directory}/belfry.conf;\n}}\n")

    def command(self):
        return [self.binary(), "-e", "stderr", "-p", self.directory,
                "-c", self.directory / "nginx.conf"]


class Lighttpd(WebServer):
    program = "lighttpd"

    def configure(self):
        self.write("belfry.conf", self.example("lighttpd.conf"))
        self.write("lighttpd.conf",
                   f'server.document-root = "{self.directory}"\n'
                   f'server.bind = "127.0.0.1"\nserver.port = {self.port}\n'
                   f'include "{self.directory}/belfry.conf"\n')

    def command(self):
        return [self.binary(), "-D", "-f", self.directory / "lighttpd.conf"]


class Apache(WebServer):
    program = "apache2"
    modules = ("mpm_event", "authz_core", "authz_host", "proxy", "proxy_fcgi",
               "reqtimeout")

    def configure(self):
        load = "".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
            for name in self.modules)
        self.write("apache.conf",
                   f'ServerRoot "{self.directory}"\nPidFile pid\n'
                   f'DefaultRuntimeDir "{self.directory}"\n'
                   f"Mutex file:{self.directory} default\n"
                   f"ErrorLog {self.directory}/error.log\n"
                   f"ServerName localhost\nListen 127.0.0.1:{self.port}\n"
                   + load + self.example("apache.conf",
                                         ("*:80>", f"*:{self.port}>")))

    def command(self):
        return [self.binary(), "-D", "FOREGROUND", "-f",
                self.directory / "apache.conf"]


SERVERS = [Nginx, Lighttpd, Apache]
