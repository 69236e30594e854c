# test_mail_servers.py - the mail servers that other tests rely on
#
# SPDX-License-Identifier: BSD-2-Clause
import smtplib
import ssl

import pytest

from harness.certificates import Authority
from harness.smtp import DROP, HANG, FaultyServer, MailServer
from harness.wait import wait_until

MAIL = "Subject: hello\r\n\r\nbody\r\n"


def talk(port, timeout=5):
    client = smtplib.SMTP("127.0.0.1", port, timeout=timeout)
    try:
        client.sendmail("a@example.org", "b@example.org", MAIL)
    finally:
        client.close()


def test_plain():
    with MailServer() as server:
        talk(server.port)
        assert server.inbox.to("b@example.org")[0]["Subject"] == "hello"


def test_starttls_and_auth(tmp_path):
    authority = Authority(tmp_path / "tls")
    context = ssl.create_default_context(cafile=authority.file)
    with MailServer(starttls=authority.server_context(), auth=True) as server:
        with smtplib.SMTP("localhost", server.port, timeout=5) as client:
            client.starttls(context=context)
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("ann", "wrong")
        with smtplib.SMTP("localhost", server.port, timeout=5) as client:
            client.starttls(context=context)
            client.login("ann", "open sesame")
            client.sendmail("a@example.org", "b@example.org", MAIL)
        assert len(server.inbox.received) == 1
        assert server.inbox.logins[-1][1:] == ("ann", "open sesame")


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA",
                                  "body"])
@pytest.mark.parametrize("action, error", [
    ("451 4.3.0 later", smtplib.SMTPException),
    ("550 5.1.1 never", smtplib.SMTPException),
    (DROP, (smtplib.SMTPException, OSError)),
    (HANG, (smtplib.SMTPException, OSError)),
])
def test_faults(step, action, error):
    with FaultyServer({step: action}) as server:
        with pytest.raises(error):
            talk(server.port, timeout=1.5 if action == HANG else 5)
        if action == HANG:
            assert server.hanging.is_set()


def test_a_fault_that_passes():
    with FaultyServer({"RCPT": "451 4.2.0 later"}, times=1) as server:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            talk(server.port)
        talk(server.port)
        wait_until(lambda: server.bodies, 5)
        assert server.recipients() == ["b@example.org"] * 2
