# test_template_versions.py - drafts, publish, rollback, diff
#
# SPDX-License-Identifier: BSD-2-Clause
import json

import pytest

from harness.api import ADMIN, problem
from harness.tenant import Tenant
from harness.wait import wait_until

TEMPLATES = f"{ADMIN}/templates"
HELLO = f"{TEMPLATES}/hello"


def body(text, **more):
    return {"key": "hello", "name": "Hello", "sample": {"en": {"n": "Ann"}},
            "parts": {"en": {"email.subject": "Hello",
                             "email.text": text}}, **more}


def put(tenant, text, publish=True, **more):
    answer = tenant.admin.request("PUT", HELLO,
                                  json=body(text, publish=publish, **more))
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def states(tenant):
    listed = tenant.admin.get(f"{HELLO}/versions").json()["data"]
    return {v["version"]: (v["state"], v["published_as"]) for v in listed}


def sent_as(tenant, text):
    """Waits until every worker sends this, a second after a change at the
    latest: three mails in a row, as each worker has a cache of its own."""
    wait_until(lambda: all(text_of_mail(tenant) == text for _ in range(3)),
               10, f"by every worker a mail: {text}", every=0.2)


def text_of_mail(tenant):
    before = len(tenant.mails())
    tenant.api.accepted({"template": "hello",
                         "to": {"email": "ann@example.org"}})
    mails = tenant.wait_for_mails(before + 1)
    return mails[-1].get_body(("plain",)).get_content().strip()


def run(tenant, *arguments):
    return tenant.stack.run_ctl("template", *arguments, tenant=tenant.slug)


def audit(tenant):
    return [(r["action"], r["detail"]) for r in tenant.rows(
        "SELECT action, detail FROM audit WHERE tenant_id = %s "
        "AND object = 'hello' ORDER BY id")]


def test_a_draft_is_not_sent_until_it_is_published(tenant):
    put(tenant, "one")
    put(tenant, "two", publish=False)
    assert states(tenant) == {2: ("draft", None), 1: ("published", "publish")}
    sent_as(tenant, "one")
    assert tenant.admin.post(f"{HELLO}/publish").status_code == 200
    assert states(tenant) == {2: ("published", "publish"),
                              1: ("retired", "publish")}
    sent_as(tenant, "two")


def test_a_first_draft_cannot_be_sent(tenant):
    assert put(tenant, "one", publish=False)["published_version"] == 0
    told = problem(tenant.api.send({"template": "hello",
                                    "to": {"email": "a@b.example"}}),
                   422, "validation_failed")
    assert told["errors"][0]["pointer"] == "/template"
    problem(tenant.admin.post(f"{HELLO}/rollback"), 409, "conflict")
    problem(tenant.admin.get(f"{HELLO}/diff"), 422, "validation_failed")


def test_rollback_goes_back_step_by_step(tenant):
    for text in ("one", "two", "three"):
        put(tenant, text)
    put(tenant, "four", publish=False)
    shown = tenant.admin.post(f"{HELLO}/rollback").json()
    assert (shown["published_version"], shown["latest_version"]) == (2, 4)
    sent_as(tenant, "two")
    assert tenant.admin.post(f"{HELLO}/rollback").json()[
        "published_version"] == 1
    problem(tenant.admin.post(f"{HELLO}/rollback"), 409, "conflict")
    assert states(tenant) == {
        4: ("draft", None), 3: ("retired", "publish"),
        2: ("retired", "rollback"), 1: ("published", "rollback")}
    assert audit(tenant)[-2:] == [
        ("template.rollback", {"version": 2, "before": 3}),
        ("template.rollback", {"version": 1, "before": 2})]
    # Forward again, to one that was in use.
    assert tenant.admin.post(f"{HELLO}/rollback", json={"version": 3}).json()[
        "published_version"] == 3


@pytest.mark.parametrize("path, sent, status, code", [
    ("rollback", {"version": 3}, 404, "not_found"),
    ("rollback", {"version": 9}, 404, "not_found"),
    ("rollback", {"version": 2}, 409, "conflict"),
    ("rollback", {"version": 0}, 422, "validation_failed"),
    ("rollback", {"version": "1"}, 422, "validation_failed"),
    ("rollback", {"number": 1}, 422, "validation_failed"),
    ("publish", {"version": 9}, 404, "not_found"),
    ("publish", {"version": -1}, 422, "validation_failed"),
    ("diff?from=0", None, 422, "validation_failed"),
    ("diff?from=x", None, 422, "validation_failed"),
    ("diff?form=1", None, 422, "validation_failed"),
    ("diff?from=1&to=9", None, 404, "not_found"),
])
def test_what_is_wrong_is_refused(tenant, path, sent, status, code):
    put(tenant, "one")
    put(tenant, "two")
    put(tenant, "draft", publish=False)
    before = states(tenant), audit(tenant)
    if sent is None:
        answer = tenant.admin.get(f"{HELLO}/{path}")
    else:
        answer = tenant.admin.post(f"{HELLO}/{path}", json=sent)
    problem(answer, status, code)
    assert (states(tenant), audit(tenant)) == before


def test_if_match_holds_for_rollback(tenant):
    put(tenant, "one")
    old = tenant.admin.get(HELLO).headers["ETag"]
    put(tenant, "two")
    problem(tenant.admin.post(f"{HELLO}/rollback",
                              headers={"If-Match": old}), 412,
            "precondition_failed")
    now = tenant.admin.get(HELLO).headers["ETag"]
    answer = tenant.admin.post(f"{HELLO}/rollback", headers={"If-Match": now})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != now


def test_scopes_and_other_tenants(tenant, stack):
    put(tenant, "one")
    put(tenant, "two")
    reader = tenant.client(tenant.make_key("reader",
                                           scopes=("templates:read",)))
    other = Tenant(stack, maildir=False)
    for path in ("publish", "rollback"):
        problem(reader.post(f"{HELLO}/{path}"), 403, "forbidden")
        problem(other.admin.post(f"{HELLO}/{path}"), 404, "not_found")
    assert reader.get(f"{HELLO}/diff?from=1").status_code == 200
    for path in ("diff?from=1", "versions", "versions/1"):
        problem(other.admin.get(f"{HELLO}/{path}"), 404, "not_found")
        problem(tenant.api.get(f"{HELLO}/{path}"), 403, "forbidden")


def test_diff_tells_each_part(tenant):
    put(tenant, "a\nb\nc\n")
    put(tenant, "a\nB\nc\n", publish=False, parts={
        "en": {"email.subject": "Hello", "email.text": "a\nB\nc\n"},
        "de": {"email.subject": "Hallo"}},
        variables={"n": {"required": True}})
    told = tenant.admin.get(f"{HELLO}/diff").json()
    assert (told["key"], told["from"], told["to"]) == ("hello", 1, 2)
    changes = {c["path"]: c for c in told["changes"]}
    assert set(changes) == {"template.json", "en/email.text",
                            "de/email.subject"}
    assert changes["en/email.text"] == {
        "path": "en/email.text", "change": "changed", "added": 1,
        "removed": 1, "diff": "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"}
    assert changes["de/email.subject"]["change"] == "added"
    assert '+    "n": {' in changes["template.json"]["diff"]
    back = tenant.admin.get(f"{HELLO}/diff?from=2&to=1").json()["changes"]
    assert {c["path"]: c["change"] for c in back}["de/email.subject"] \
        == "removed"
    assert tenant.admin.get(f"{HELLO}/diff?from=2&to=2").json()[
        "changes"] == []


def test_belfryctl_does_the_same(tenant, tmp_path):
    directory = tmp_path / "hello"
    directory.mkdir()
    (directory / "template.json").write_text(json.dumps({"name": "Hello"}))
    (directory / "email.subject.hbs").write_text("Hello\n")
    for text in ("one\n", "two\n"):
        (directory / "email.text.hbs").write_text(text)
        tenant.ctl("template", "push", directory)
    assert tenant.ctl("template", "rollback", "hello")["version"] == 1
    assert run(tenant, "rollback", "hello").returncode == 6
    shown = tenant.ctl("template", "versions", "hello")
    assert [(v["version"], v["state"], v["published_as"]) for v in shown] \
        == [(2, "retired", "publish"), (1, "published", "rollback")]
    done = run(tenant, "diff", "hello")
    assert done.returncode == 0
    assert done.stdout == ("--- en/email.text\tversion 1\n"
                           "+++ en/email.text\tversion 2\n"
                           "@@ -1 +1 @@\n-one\n+two\n")
    assert tenant.ctl("template", "diff", "hello", "2", "1")["changes"][0][
        "diff"] == "@@ -1 +1 @@\n-two\n+one\n"
    assert tenant.ctl("template", "publish", "hello")["version"] == 2
    for line, status in [(("publish", "hello", "x"), 2),
                         (("publish", "hello", "9"), 4),
                         (("rollback", "hello", "0"), 2),
                         (("diff", "hello", "1", "9"), 4),
                         (("diff", "hullo"), 4), (("versions", "hullo"), 4)]:
        assert run(tenant, *line).returncode == status
