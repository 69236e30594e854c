# certificates.py - a certificate authority that lives as long as a test run
#
# SPDX-License-Identifier: BSD-2-Clause
import ssl
import subprocess
from pathlib import Path


class Authority:
    """Signs certificates for localhost and 127.0.0.1 with openssl(1).

    The directory must be one that the servers of a stack can read.
    """

    def __init__(self, directory, name="Belfry test authority"):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.file = self.directory / "ca.pem"
        self.key = self.directory / "ca.key"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", f"/CN={name}", "-keyout", self.key,
                     "-out", self.file)
        self.directory.chmod(0o755)
        self.file.chmod(0o644)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True,
                       capture_output=True)

    def server_context(self, host="localhost"):
        """A context for a server whose certificate says it is "host"."""
        key, request, certificate = (
            self.directory / f"{host}.{end}" for end in ("key", "csr", "pem"))
        names = self.directory / f"{host}.ext"
        names.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     f"/CN={host}", "-keyout", key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.file,
                     "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                     "-extfile", names, "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context
