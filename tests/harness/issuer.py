# issuer.py - an issuer of access tokens, as a test wants it to behave
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import \
    decode_dss_signature


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n, size=None):
    return b64(n.to_bytes(size or (n.bit_length() + 7) // 8, "big"))


class Key:
    """A signing key of one of the three kinds."""

    def __init__(self, kid, alg="EdDSA"):
        self.kid = kid
        self.alg = alg
        if alg == "RS256":
            self.private = rsa.generate_private_key(65537, 2048)
        elif alg == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()

    def jwk(self):
        public = self.private.public_key()
        members = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.alg == "EdDSA":
            raw = public.public_bytes(serialization.Encoding.Raw,
                                      serialization.PublicFormat.Raw)
            return {**members, "kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
        n = public.public_numbers()
        if self.alg == "RS256":
            return {**members, "kty": "RSA", "n": number(n.n),
                    "e": number(n.e)}
        return {**members, "kty": "EC", "crv": "P-256",
                "x": number(n.x, 32), "y": number(n.y, 32)}

    def sign(self, text):
        if self.alg == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == "ES256":
            r, s = decode_dss_signature(
                self.private.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(text)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        issuer = self.server.issuer
        status, kind, body = issuer.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # that is how a client says that it is too much

    def log_message(self, *arguments):
        pass


class Issuer:
    """Serves discovery and keys on loopback; "mode" says how it behaves."""

    def __init__(self, path="", audience="belfry"):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.issuer = self
        self.url = f"http://127.0.0.1:{self.server.server_port}{path}"
        self.path = path
        self.audience = audience
        self.keys = [Key("rsa", "RS256"), Key("ec", "ES256"), Key("ed")]
        self.others = []  # JWKs as they are
        self.mode = "good"
        self.fetches = 0
        self.wait = threading.Event()
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.wait.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path):
        if path == self.path + "/.well-known/openid-configuration":
            return 200, "application/json", json.dumps(
                {"issuer": self.url, "jwks_uri": self.url + "/jwks"}).encode()
        if path != self.path + "/jwks":
            return 404, "text/plain", b"no"
        self.fetches += 1
        if self.mode == "down":
            return 503, "text/plain", b"down"
        if self.mode == "html":
            return 200, "text/html", b"<html>Please log in</html>"
        if self.mode == "hang":
            self.wait.wait(20)
        keys = [key.jwk() for key in self.keys] + self.others
        body = json.dumps({"keys": keys,
                           "x": "y" * (70000 if self.mode == "big" else 0)})
        return 200, "application/jwk-set+json", body.encode()

    def key(self, kid):
        return next(key for key in self.keys if key.kid == kid)

    def claims(self, **more):
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.audience, "sub": "u1",
                  "exp": now + 300, "iat": now, **more}
        return {k: v for k, v in claims.items() if v is not None}

    def token(self, kid="ed", header=(), key=None, **claims):
        """A token signed by a key; a claim that is None is left out."""
        key = key or self.key(kid)
        head = {"alg": key.alg, "kid": key.kid, "typ": "at+jwt",
                **dict(header)}
        body = b64(json.dumps(head)) + "." + \
            b64(json.dumps(self.claims(**claims)))
        return body + "." + b64(key.sign(body.encode()))


def settings_of(issuers):
    """The [issuer NAME] sections of the shared Belfry."""
    settings = {}
    for name, issuer in issuers.items():
        if name == "stranger":
            continue
        keys = {"issuer": issuer.url, "audience": "belfry"}
        if name == "sso":
            keys |= {"tenant_claim": "organisation.slug",
                     "roles_claim": "realm_access.roles "
                     "resource_access.belfry.example.org.roles",
                     "parties": "app batch", "services": "batch"}
        elif name == "plain":
            keys |= {"audience": "belfry other", "jwks": issuer.url + "/jwks",
                     "tenant": "demo", "user_claim": "email",
                     "roles_claim": "roles", "admin_role": "boss"}
        else:
            keys |= {"tenant": "demo", "roles_claim": "roles"}
        settings |= {f"issuer {name}.{k}": v for k, v in keys.items()}
    return settings
