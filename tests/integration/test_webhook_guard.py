# test_webhook_guard.py - no URL of a tenant leads into our own network (W1)
#
# SPDX-License-Identifier: BSD-2-Clause
#
# Every URL is asked for by the engine that posts webhooks, and by what fetches the keys of a
# tenant's issuer, in a network namespace of its own.  Connections are counted from outside: by what the kernel was asked to connect to.
import ipaddress
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from harness.fake_provider import FakeProvider, Fault
from harness.transfers import program, run

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = "93.184.216.34"
# What a resolver may answer: name, how, addresses.
NAMES = {
    "loop.test": "is 0 127.0.0.1",
    "loop6.test": "is 0 ::1",
    "private.test": "is 0 10.0.0.1",
    "metadata.test": "is 0 169.254.169.254",
    "cname.test": "is 0 192.168.7.7",
    "zero.test": "is 0 0.0.0.0",
    "mapped.test": "is 0 ::ffff:127.0.0.1",
    "mixed.test": f"is 0 {PUBLIC},127.0.0.1",
    "mixed6.test": f"is 0 ::1,{PUBLIC}",
    "nat64.test": "is 0 64:ff9b::7f00:1",
    "rebind.test": f"turns 1 {PUBLIC},127.0.0.1",
    "xn--bcher-kva.test": "is 0 10.9.9.9",
}
LITERALS = """
127.0.0.1 127.0.0.2 127.1 127.0.1 0 0.0.0.0 0x7f.0.0.1 0x7f000001 0x7f.1 0177.0.0.1 0177.1
017700000001 2130706433 127.0.0.1. localhost localhost. LOCALHOST 10.0.0.1 10.255.255.255
0xa.1 167772161 172.16.0.1 172.31.255.254 2886729729 192.168.0.1 192.168.255.254 0xc0a80001
169.254.169.254 169.254.0.1 0xa9fea9fe 2852039166 0251.0376.0251.0376 100.64.0.1 100.127.0.1
192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.1.2.3
240.0.0.1 255.255.255.255 [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1]
[::ffff:10.0.0.1] [::ffff:169.254.169.254] [::127.0.0.1] [64:ff9b::127.0.0.1]
[64:ff9b::a9fe:a9fe] [64:ff9b:1::a00:1] [2002:7f00:1::] [2002:a00:1::1] [2002:c0a8:101::]
[2001:0:7f00:1::1] [2001:0:a00:1::1] [2001:db8::1] [fe80::1] [fe80::a:b] [fc00::1] [fd00::1]
[fd12:3456:789a::1] [fec0::1] [ff02::1] [ff0e::1] [100::1] [5f00::1] [3fff::1] [2001:10::1]
""".split()


def cases():
    for host in LITERALS + sorted(NAMES):
        for scheme in ("http", "https"):
            yield f"{scheme}://{host}:8443/"
    yield "http://127.0.0.1:22/"
    yield "http://127.0.0.1:5432/"
    yield "http://127.0.0.1:11211/"
    yield f"http://{PUBLIC}@127.0.0.1/"
    yield "http://127.0.0.1%23@93.184.216.34@127.0.0.1/"
    yield "http://rebind.test:8443/"
    yield "http://rebind.test:8443/again"


def is_public(address):
    a = ipaddress.ip_address(address)
    if a.version == 6 and a.ipv4_mapped:
        a = a.ipv4_mapped
    inner = a.version == 6 and (a.sixtofour or a.teredo or
                                a in ipaddress.ip_network("64:ff9b::/32"))
    return a.is_global and not a.is_multicast and not inner


def asked(urls, directory, allowed, fetch=False, **env):
    """What the kernel was asked to connect to, as (address, port)."""
    log, names = directory / "connects", directory / "names"
    names.write_text("".join(f"{n} {how}\n" for n, how in NAMES.items()))
    library = directory / "resolver.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library,
                    ROOT / "tests/tools/resolver.c", "-lc"], check=True)
    job = {"in_flight": 50, "transfers": [
        {"url": url, "body": "{}", "timeout_ms": 4000,
         "connect_timeout_ms": 2000} for url in urls]}
    job["params"] = {"allowed": allowed, "fetch": fetch}
    netless = ["unshare", "-rn"] if env.pop("netless", True) else []
    done = subprocess.run(
        [*netless, "strace", "-f", "-qq", "-e", "trace=connect", "-o", log,
         "env", f"LD_PRELOAD={library}", f"BELFRY_RESOLVER={names}",
         program()],
        input=json.dumps(job), text=True, stdout=subprocess.PIPE, timeout=100,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:"
             "verify_asan_link_order=0", **env})
    assert done.returncode == 0
    results = [json.loads(line) for line in done.stdout.splitlines()][:-1]
    found = []
    for line in log.read_text().splitlines():
        family = re.search(r"sa_family=AF_(INET6?)\b", line)
        if family:
            found.append((re.search(r'"([0-9a-f.:]+)"', line)[1], int(
                re.search(r"sin6?_port=htons\((\d+)\)", line)[1])))
    return results, found


@pytest.mark.parametrize("fetch", [False, True])
def test_nothing_connects_to_our_own_network(tmp_path, fetch):
    """No resolver of this host is asked either: there is no port 53."""
    urls = list(cases())
    assert len(urls) >= 80
    results, found = asked(urls, tmp_path, "", fetch,
                           http_proxy="http://127.0.0.1:3128",
                           https_proxy="http://127.0.0.1:3128",
                           ALL_PROXY="http://127.0.0.1:3128")
    assert [c for c in found if not is_public(c[0]) and c[1] != 53] == []
    assert {c[0] for c in found if is_public(c[0])} == {PUBLIC}, \
        "what is public is tried, so the count counts"
    assert {r["outcome"] for r in results} <= {"not_connected", "failed"}, \
        results


@pytest.mark.parametrize("fetch", [False, True])
def test_what_is_counted_is_there(tmp_path, fetch):
    """The same with the networks allowed."""
    _, found = asked(list(cases()), tmp_path, "0.0.0.0/0 ::/0", fetch)
    hosts = {c[0] for c in found}
    assert {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"} <= hosts
    assert len(hosts) > 40


@pytest.mark.parametrize("fetch", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_lead_nowhere(tmp_path, status, fetch):
    with FakeProvider(Fault(answer=status, headers=(
            "Location: http://169.254.169.254/latest",))) as provider:
        results, found = asked([provider.url()], tmp_path, "127.0.0.1", fetch,
                               netless=False)
    assert str(status) in results[0]["error"] if fetch else \
        results[0]["status"] == status
    assert set(found) == {("127.0.0.1", provider.http_port)}


def smtp_job(provider, **more):
    return {"url": f"smtp://127.0.0.1:{provider.smtp_port}/a",
            "from": "a@example.org", "rcpt": "b@example.org",
            "body": "x\r\n", **more}


@pytest.mark.parametrize("few", [False, True])
def test_a_connection_of_the_platform_is_no_way_for_tenants(few):
    """It stays open, and the host is the same; yet nobody else gets it."""
    with FakeProvider() as provider:
        web = {"url": provider.url(), "body": "{}", "few_connections": few}
        results = run([web | {"of_platform": True}, web,
                       smtp_job(provider, of_platform=True),
                       smtp_job(provider)],
                      in_flight=1, allowed="", allowed_platform="127.0.0.1")
        assert [r["outcome"] for r in results] == [
            "answered", "not_connected"] * 2
        assert "network.allowed " in results[1]["error"]
        assert dict(provider.connections) == {"http": 1, "smtp": 1}
