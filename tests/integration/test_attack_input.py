# test_attack_input.py - what looks harmless and is not
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import mail, problem

# They end a line for some readers, hide, or turn the order of reading.
BAD_IN_A_LINE = ["\x85", "\x9f", "\u2028", "\u2029", "\x0b", "\x7f", "\r\n"]
BAD_IN_AN_ADDRESS = BAD_IN_A_LINE + ["\u200b", "\u202e", "\u2066", "\ufeff"]


def refused(tenant, body, pointer, code="malformed"):
    told = problem(tenant.api.send(body), 422, "validation_failed")
    assert [(e["pointer"], e["code"]) for e in told["errors"]] == \
        [(pointer, code)]
    assert tenant.count("notification") == 0


@pytest.mark.parametrize("c", BAD_IN_AN_ADDRESS, ids=ascii)
def test_address(tenant, c):
    refused(tenant, mail(f"a{c}b@example.org"), "/to/email")
    refused(tenant, mail(f"a@exam{c}ple.org"), "/to/email")


@pytest.mark.parametrize("c", BAD_IN_A_LINE, ids=ascii)
def test_one_line(tenant, c):
    refused(tenant, mail(to={"email": "a@example.org", "name": f"A{c}B"}),
            "/to/name")
    refused(tenant, mail(to={"user_id": f"A{c}B"}), "/to/user_id")
    refused(tenant, mail(category=f"A{c}B"), "/category")
    refused(tenant, mail(content={"email": {"subject": f"A{c}B",
                                            "text": "t"}}),
            "/content/email/subject")


@pytest.mark.parametrize("channel, content, pointer", [
    ("push", {"title": "{{", "body": "b"}, "/content/push/title"),
    ("push", {"title": '{{#if "a"}}x{{/if}}', "body": "b"}, "/content/push"),
    ("inapp", {"title": "t", "body": "b", "data": {"x": "{{#"}},
     "/content/inapp"),
    ("whatsapp", {"template": {"name": "{{/if}}"}}, "/content/whatsapp"),
])
def test_content_of_another_channel(tenant, channel, content, pointer):
    """It would have taken the mail with it."""
    body = mail()
    body["content"][channel] = content
    refused(tenant, body, pointer)


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z",
                                  "1970-01-01T01:00:00+01:00",
                                  "0001-01-01T00:00:00Z"])
def test_expired_at_the_beginning_of_time(tenant, time):
    refused(tenant, mail(expires_at=time), "/expires_at", "too_small")
