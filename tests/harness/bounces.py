# bounces.py - mail that comes back, and belfryctl that takes it
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import subprocess


def report(sent, action="failed", status="5.1.1", to=None, original=True,
           newline="\r\n"):
    """As Postfix writes it."""
    _, _, sender, octets = sent
    head = octets.decode().split("\r\n\r\n")[0] if original else "Subject: x"
    lines = f"""\
Return-Path: <>
Delivered-To: {to or sender}
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: {to or sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F1/mx"

--4F1/mx
Content-Type: text/plain; charset=us-ascii

This is the mail system. Your message was not delivered.

--4F1/mx
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Thu, 26 Nov 2026 05:00:00 +0000 (UTC)

Final-Recipient: rfc822; ann@example.net
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} <ann@example.net>: no such
    user

--4F1/mx
Content-Type: text/rfc822-headers

{head}

--4F1/mx--
""".replace("\r\n", "\n")
    return lines.replace("\n", newline)


def feed(tenant, text, *options, status=0):
    done = subprocess.run(
        [tenant.stack.directory / "bin/belfryctl", "-c",
         tenant.stack.directory / "belfry.conf", "--json", *options,
         "bounce"], input=text if isinstance(text, bytes) else text.encode(),
        capture_output=True, timeout=60)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)
