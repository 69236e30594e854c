# test_privacy.py - what is stored of a person: exported, erased, held
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import ADMIN, SERVICES, Client, mail, problem
from harness.hooks import SendGrid
from harness.wait import wait_until

RECIPIENTS = "/api/v1/services/recipients"
USER = "canary-u1"
MAIL = "Canary.Ann@example.org"
PHONE = "+436605550199"
TOKEN = "canary-token-4711"
CANARIES = ["canary", "5550199"]
LATER = (datetime.datetime.utcnow() + datetime.timedelta(days=30)) \
    .strftime("%Y-%m-%dT%H:%M:%SZ")

# What becomes of each column that can hold text, when a person is erased.  A new one
# fails a test until somebody has decided.  NONE: nothing of a recipient gets there.
NONE, GONE, BLANK, MARK = "none", "its row goes", "emptied", "a keyed hash"
COLUMNS = {
    "attempt": {"code": BLANK, "text": BLANK, "provider_ref": BLANK},
    "audit": dict.fromkeys(("principal", "action", "object", "detail",
                            "request_id", "source", "changes", "prev_hash",
                            "hash"), NONE),
    "audit_head": {"hash": NONE},
    "delivery": {"user_id": BLANK, "address": BLANK, "recipient": BLANK,
                 "locale": NONE, "provider_ref": BLANK, "reason": BLANK,
                 "trace": BLANK},
    "device": {"user_id": GONE, "token": GONE, "app": GONE},
    "event": {"type": NONE, "code": BLANK, "text": BLANK, "by": BLANK,
              "data": BLANK},
    "heard": {"address": GONE},
    "hook_inbox": {"events": BLANK},
    "hook_seen": {"key": NONE},
    "idempotency": {"key": NONE, "request_hash": NONE, "location": NONE,
                    "body": GONE, "etag": NONE},
    "inbox": dict.fromkeys(("user_id", "category", "template", "title", "body",
                            "url", "data"), GONE),
    "legal_hold": dict.fromkeys(("person", "reason", "set_by"),
                                "who is held is not erased"),
    "notification": {
        "category": NONE, "locale": NONE, "channels": NONE, "fallback": NONE,
        "content": BLANK, "recipients": BLANK, "user_ids": BLANK,
        "data": BLANK, "metadata": BLANK, "attachments": BLANK,
        "request_id": NONE, "traceparent": NONE, "tracking": NONE},
    "recipient": dict.fromkeys(("user_id", "email", "phone", "name", "locale",
                                "time_zone", "data", "quiet_hours"), GONE),
    "suppression": {"address": MARK, "category": NONE, "source": BLANK,
                    "code": BLANK},
    "webhook_message": {"type": NONE, "code": BLANK, "text": BLANK},
    "webhook_attempt": {"error": BLANK, "request": BLANK, "response": BLANK},
}
# What tenants and operators write of themselves.
OTHERS = {"api_key", "installation", "issuer", "provider", "queue_state",
          "schema_migration", "service_account", "shared_generation", "signing_key", "spooler", "template",
          "template_release", "template_version", "tenant", "throughput",
          "tenant_deletion", "webhook_endpoint"}


def text_columns(stack):
    found = {}
    for row in stack.rows("""
            SELECT c.relname AS t, a.attname AS n FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                AND NOT a.attisdropped
            WHERE c.relnamespace = 'belfry'::regnamespace
            AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND a.atttypid IN ('text'::regtype, 'json'::regtype,
                'jsonb'::regtype, 'text[]'::regtype, 'bytea'::regtype)"""):
        if row["t"] not in OTHERS:
            found.setdefault(row["t"], set()).add(row["n"])
    return found


def test_each_column_is_decided(stack):
    assert text_columns(stack) == {t: set(c) for t, c in COLUMNS.items()}


def dump(stack):
    """The whole database as text, line by line with its table."""
    return [(r["t"], line["row"]) for r in stack.rows(
        "SELECT relname AS t FROM pg_class WHERE relnamespace = "
        "'belfry'::regnamespace AND relkind = 'r'")
        for line in stack.rows(f"SELECT x::text AS row FROM {r['t']} x")]


def found(stack, words=CANARIES):
    return [(table, row) for table, row in dump(stack)
            if any(word in row.lower() for word in words)]


def plant(stack, tenant):
    """Something of the person in every table of COLUMNS, by the ways that there are and
    by hand where time or a provider would have to help."""
    admin = tenant.admin
    answer = admin.request("PUT", f"{RECIPIENTS}/{USER}", json={
        "email": MAIL, "phone": PHONE, "name": "Ann Canary",
        "data": {"pet": "canary"}})
    assert answer.status_code == 201, answer.text
    admin.request("PUT", f"{RECIPIENTS}/{USER}/devices", json={
        "token": TOKEN, "platform": "ios", "app": "canary app"})
    admin.post(f"{ADMIN}/suppressions", json={
        "address": MAIL, "channel": "email", "reason": "opt_out",
        "category": "news"})
    tenant.add_provider("bell", "inapp")
    sent = tenant.api.accepted({
        "to": {"user_id": USER}, "data": {"order": "canary cage"},
        "metadata": {"of": "canary"}, "category": "orders", "content": {
            "email": {"subject": "For canary", "text": "x"},
            "inapp": {"title": "canary", "body": "canary"}}},
        idempotency_key="canary-key")
    tenant.idle()
    n = tenant.rows("SELECT count(*) AS n FROM delivery WHERE tenant_id = %s "
                    "AND state IN (4, 5)")[0]["n"]
    assert n == 2
    provider = tenant.rows("SELECT id FROM provider WHERE tenant_id = %s")[0][
        "id"]
    delivery = tenant.rows("SELECT id FROM delivery WHERE tenant_id = %s AND "
                           "channel = 1")[0]["id"]
    for sql in (
            f"UPDATE attempt SET text = '550 <{MAIL}> unknown', code = "
            f"'{MAIL[:20]}', provider_ref = 'canary-1' WHERE tenant_id = %s",
            f"UPDATE delivery SET reason = 'to {MAIL}', provider_ref = "
            "'canary', trace = '[\"canary\"]' WHERE tenant_id = %s",
            "INSERT INTO event (tenant_id, notification_id, id, delivery_id, "
            f"type, text, by, data, code) VALUES (%s, '{sent}', "
            f"gen_random_uuid(), '{delivery}', 'delivery.opened', '{MAIL}', "
            f"'user {USER}', '{{\"ip\": \"canary\"}}', '{USER}')",
            "INSERT INTO webhook_message (tenant_id, id, at, type, object_id, "
            "seq, notification_id, delivery_id, code, text) VALUES (%s, "
            f"'{delivery}', now(), 'delivery.failed', '{delivery}', 1, "
            f"'{sent}', '{delivery}', '{MAIL[:20]}', '{MAIL}')",
            "INSERT INTO webhook_attempt (tenant_id, endpoint_id, id, message_id,"
            f" n, spooler, request, response, error) VALUES (%s, '{delivery}', "
            f"'{delivery}', '{delivery}', 1, '{delivery}', '{MAIL}', 'canary', "
            "'canary')",
            "UPDATE notification SET attachments = '[\"canary.pdf\"]' "
            "WHERE tenant_id = %s",
            "INSERT INTO heard (tenant_id, provider_id, address, at) VALUES "
            f"(%s, '{provider}', '{MAIL.lower()}', now())",
            "UPDATE suppression SET code = 'canary', source = 'user canary' "
            "WHERE tenant_id = %s",
            "INSERT INTO idempotency (tenant_id, key, request_hash, status, "
            f"body) VALUES (%s, '\\x01', '\\x01', 201, "
            f"'{{\"id\":\"1\",\"person\":\"{USER}\"}}')"):
        stack.rows(sql, tenant.id)
    return sent


def test_nothing_is_left_after_erasing(stack, tenant, other_tenant):
    others = found(stack)  # of tests before
    sent = plant(stack, tenant)
    plant_other = other_tenant.admin.request(
        "PUT", f"{RECIPIENTS}/canary-u1", json={"email": "c@example.org"})
    assert plant_other.status_code == 201
    waiting = tenant.api.accepted(mail(MAIL, send_at=LATER))
    shared = tenant.api.accepted({
        "to": [{"user_id": USER}, {"email": "bob@example.org"}],
        "data": {"order": "7"}, "content": {"email": {
            "subject": "Hello", "text": "x"}}})
    tenant.idle_but = waiting
    wait_until(lambda: tenant.api.notification(shared)["state"] == "done", 30,
               "the shared one")
    planted = {re.sub(r"_(\d{8}|default)$", "", t) for t, _ in found(stack)}
    assert planted >= set(COLUMNS) - {"audit", "audit_head", "legal_hold",
                                      "hook_inbox", "hook_seen"}
    before = {t: tenant.count(t) for t in ("notification", "delivery",
                                           "attempt", "event")}

    answer = tenant.admin.post(f"{ADMIN}/recipients/{USER}/erase")
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    other_tenant.admin.request("DELETE", f"{RECIPIENTS}/{USER}")
    assert [row for row in found(stack) if row not in others] == []

    # The shape of what happened stays.
    for table in ("notification", "delivery", "attempt"):
        assert tenant.count(table) == before[table]
    assert receipt["rows"]["notification"] == 3
    assert receipt["rows"]["suppression"] == 1
    assert [e["type"] for e in tenant.api.timeline(sent)] != []
    assert tenant.api.notification(waiting)["state"] == "cancelled"
    assert tenant.rows("SELECT recipients FROM notification WHERE "
                       "tenant_id = %s AND id = %s", shared)[0][
        "recipients"][1] == {"email": "bob@example.org"}
    # The receipt names nobody, and stands in the audit.
    entry = tenant.admin.get(f"{ADMIN}/audit?action=privacy.erase") \
        .json()["data"][0]
    assert entry["object"] == receipt["person"]
    assert entry["detail"]["hash"] == receipt["hash"]
    assert tenant.ctl("audit", "verify")[0]["fault"] is None


def test_opt_outs_outlive_their_address(tenant):
    tenant.admin.post(f"{ADMIN}/suppressions", json={
        "address": MAIL, "channel": "email", "reason": "opt_out"})
    tenant.ctl("privacy", "erase", "--yes", "--address", MAIL)
    assert "canary" not in json.dumps(tenant.admin.get(
        f"{ADMIN}/suppressions").json()).lower()
    for body in (mail(MAIL), mail(MAIL.lower())):
        events = tenant.api.ended(tenant.api.accepted(body))
        assert "delivery.skipped" in {e["type"] for e in events}, events
    path = f"{ADMIN}/suppressions/email/{MAIL}"
    assert tenant.admin.get(path).status_code == 200
    assert tenant.admin.request("DELETE", path).status_code == 204
    tenant.api.accepted(mail(MAIL))
    tenant.wait_for_mails(1)
    tenant.idle()


def test_export_tells_all(stack, tenant):
    plant(stack, tenant)
    stack.rows("DELETE FROM idempotency WHERE tenant_id = %s", tenant.id)
    told = tenant.admin.get(f"{ADMIN}/recipients/{USER}/export")
    assert told.status_code == 200, told.text
    body = told.json()
    assert set(body) == {"exported_at", "recipients", "devices", "inbox",
                         "suppressions", "heard", "notifications",
                         "deliveries", "webhooks"}
    assert body["recipients"][0]["email"] == MAIL
    assert body["devices"][0]["token"] == TOKEN
    assert body["devices"][0]["platform"] == "ios"
    assert [(s["channel"], s["reason"]) for s in body["suppressions"]] == \
        [("email", "opt_out")]
    assert {d["channel"] for d in body["deliveries"]} == {"email", "inapp"}
    assert {d["state"] for d in body["deliveries"]} <= {"sent", "delivered"}
    assert not any("tenant_id" in row for name, rows in body.items()
                   if name != "exported_at" for row in rows)
    assert body["deliveries"][0]["attempts"]
    assert [(w["text"], w["attempts"][0]["request"], w["attempts"][0]["error"])
            for w in body["webhooks"]] == [(MAIL, MAIL, "canary")]
    assert "canary cage" in told.text and "user canary-u1" in told.text
    assert tenant.ctl("privacy", "export", USER)["devices"] == body["devices"]
    nobody = tenant.admin.get(f"{ADMIN}/recipients/nobody/export").json()
    assert set(nobody) == {"exported_at"}
    by_address = tenant.ctl("privacy", "export", "--address", PHONE)
    assert by_address["recipients"] == body["recipients"]
    for who in ({"address": PHONE}, {"user_id": USER, "address": PHONE}):
        asked = tenant.admin.post(f"{ADMIN}/privacy/export", json=who)
        assert asked.status_code == 200, asked.text
        assert asked.json()["recipients"] == body["recipients"]


def test_erased_by_address(stack, tenant):
    tenant.api.accepted(mail(MAIL))
    tenant.idle()
    path = f"{ADMIN}/privacy"
    found = problem(tenant.admin.post(f"{path}/erase", json={}), 422,
                    "validation_failed")
    assert found["errors"][0]["pointer"] == "/user_id"
    problem(tenant.api.post(f"{path}/erase", json={"address": MAIL}), 403,
            "forbidden")
    receipt = tenant.admin.post(f"{path}/erase", json={"address": MAIL.upper()})
    assert receipt.status_code == 200, receipt.text
    assert receipt.json()["rows"]["delivery"] == 1
    told = tenant.admin.post(f"{path}/export", json={"address": MAIL})
    assert set(told.json()) == {"exported_at"}


def test_late_reports_do_not_bring_anybody_back(stack, tenant):
    """What providers say of a message repeats the address; people were erased since."""
    others = found(stack)
    sent = [tenant.api.accepted(mail(MAIL)) for _ in range(2)]
    tenant.idle()
    grid = SendGrid()
    grid.add_to(tenant)
    tenant.ctl("privacy", "erase", "--yes", "--address", MAIL)
    assert found(stack) == others
    words = f"550 5.1.1 <{MAIL}> unknown"
    for one, code in zip(sent, ("5.1.1", MAIL)):
        delivery = tenant.rows("SELECT id::text FROM delivery WHERE tenant_id = %s "
                               "AND notification_id = %s", one)[0]["id"]
        ids = {"belfry_notification": one, "belfry_delivery": delivery}
        grid.report(
            {"event": "deferred", "response": words, **ids},
            {"event": "click", "url": f"https://x.example/?to={MAIL}", **ids},
            {"event": "bounce", "status": code, "type": "bounce",
             "reason": words, **ids})
        tenant.ctl("receipt", one, delivery, "failed", "--text", words)
    wait_until(lambda: tenant.rows(
        "SELECT count(*) AS n FROM event WHERE tenant_id = %s AND type IN "
        "('delivery.bounced', 'delivery.clicked', 'delivery.delayed')")[0]["n"]
        == 6, 20, "the reports")
    assert {e["code"] for one in sent for e in tenant.api.timeline(one)
            if e["type"] == "delivery.bounced"} == {"5.1.1", None}
    assert tenant.admin.get(f"{ADMIN}/suppressions").json()["data"] == []
    assert found(stack) == others


def test_a_report_that_is_being_written_down_is_waited_for(stack, tenant):
    others = found(stack)
    sent = tenant.api.accepted(mail(MAIL))
    tenant.idle()
    with stack.db() as writer:
        writer.autocommit = False
        cursor = writer.cursor()
        cursor.execute("SELECT id FROM delivery WHERE tenant_id = %s FOR UPDATE",
                       (tenant.id,))
        cursor.execute(
            "INSERT INTO event (tenant_id, notification_id, id, delivery_id, type,"
            " text) VALUES (%s, %s, gen_random_uuid(), %s, 'delivery.delayed', "
            "%s)", (tenant.id, sent, cursor.fetchone()["id"], f"450 <{MAIL}>"))
        with ThreadPoolExecutor(1) as pool:
            erased = pool.submit(tenant.ctl, "privacy", "erase", "--yes",
                                 "--address", MAIL)
            wait_until(lambda: erased.done() or stack.rows(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND query LIKE '%%privacy_erase%%'"), 20, "the one that waits")
            assert not erased.done()
            writer.commit()
            erased.result()
    assert found(stack) == others


def test_i_may_see_and_erase_what_is_mine(stack, tenant, issuers):
    me = Client(stack.url, issuers["sso"].token(
        "ed", sub=USER, azp="app", organisation={"slug": tenant.slug},
        realm_access={"roles": []}))
    tenant.admin.request("PUT", f"{RECIPIENTS}/{USER}", json={"email": MAIL})
    tenant.admin.request("PUT", f"{RECIPIENTS}/bob", json={
        "email": "bob@example.org"})
    told = me.get("/api/v1/users/me/export").json()
    assert [r["user_id"] for r in told["recipients"]] == [USER]
    receipt = me.post("/api/v1/users/me/erase")
    assert receipt.status_code == 200, receipt.text
    assert me.get("/api/v1/users/me/export").json().keys() == {"exported_at"}
    entry = tenant.rows("SELECT * FROM audit WHERE tenant_id = %s "
                        "ORDER BY seq DESC LIMIT 1")[0]
    assert entry["principal"] == entry["object"] == receipt.json()["person"]
    assert USER not in json.dumps(entry, default=str)
    assert tenant.admin.get(f"{RECIPIENTS}/bob").status_code == 200
    problem(tenant.admin.get("/api/v1/users/me/export"), 403, "forbidden")


def test_what_is_shared_and_waits_goes_to_the_others(tenant):
    """A notification that is not routed yet loses one of its recipients."""
    body = {"to": [{"email": MAIL}, {"email": "bob@example.org"}],
            "send_at": LATER,
            "content": {"email": {"subject": "Hello", "text": "x"}}}
    sent = tenant.api.accepted(body)
    tenant.ctl("privacy", "erase", "--yes", "--address", MAIL)
    soon = datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = tenant.api.post(f"{SERVICES}/{sent}/reschedule",
                             json={"send_at": soon})
    assert answer.status_code == 200, answer.text
    mails = tenant.wait_for_mails(1)
    assert "bob@example.org" in mails[0]["To"]
    wait_until(lambda: tenant.api.notification(sent)["state"] == "done", 30,
               "its end")
    assert len(tenant.mails()) == 1


def test_what_is_on_the_wire_is_waited_for(stack, tenant):
    sent = tenant.api.accepted(mail(MAIL))
    tenant.api.ended(sent)
    stack.rows("ALTER TABLE delivery DISABLE TRIGGER legal_move; UPDATE "
               "delivery SET state = 3 WHERE tenant_id = %s", tenant.id)
    done = stack.run_ctl("privacy", "erase", "--yes", "--address", MAIL,
                         tenant=tenant.slug)
    assert done.returncode == 6 and "on the wire" in done.stderr
    assert tenant.rows("SELECT address FROM delivery WHERE tenant_id = %s")[0][
        "address"] is not None
    stack.rows("UPDATE delivery SET state = 4 WHERE tenant_id = %s; "
               "ALTER TABLE delivery ENABLE TRIGGER legal_move", tenant.id)
    tenant.ctl("privacy", "erase", "--yes", "--address", MAIL)


def test_the_command_asks_for_a_word_before_it_erases(stack, tenant):
    tenant.admin.request("PUT", f"{RECIPIENTS}/{USER}", json={"email": MAIL})
    done = stack.run_ctl("privacy", "erase", USER, tenant=tenant.slug)
    assert done.returncode == 2 and "say --yes" in done.stderr
    assert tenant.admin.get(f"{RECIPIENTS}/{USER}").status_code == 200


def test_an_empty_name_does_not_hold_the_whole_tenant(tenant):
    told = problem(tenant.admin.post(f"{ADMIN}/legal-holds", json={
        "person": "", "reason": "case 4711"}), 422, "validation_failed")
    assert [e["pointer"] for e in told["errors"]] == ["/person"]
    assert tenant.admin.get(f"{ADMIN}/legal-holds").json()["data"] == []


@pytest.mark.parametrize("whom", [USER, MAIL, None])
def test_a_legal_hold_holds(stack, tenant, whom):
    tenant.admin.request("PUT", f"{RECIPIENTS}/{USER}", json={"email": MAIL})
    body = {"reason": "case 4711", **({"person": whom} if whom else {})}
    made = tenant.admin.post(f"{ADMIN}/legal-holds", json=body)
    assert made.status_code == 201, made.text
    problem(tenant.admin.post(f"{ADMIN}/legal-holds", json=body), 409,
            "conflict")
    shown = tenant.admin.get(f"{ADMIN}/legal-holds").json()["data"]
    assert [(h["id"], h["reason"]) for h in shown] == \
        [(made.json()["id"], "case 4711")]
    for options in ((USER,), ("--address", MAIL)):
        done = stack.run_ctl("privacy", "erase", "--yes", *options, tenant=tenant.slug)
        assert done.returncode == 6 and "legal hold" in done.stderr
    problem(tenant.admin.post(f"{ADMIN}/recipients/{USER}/erase"), 409,
            "conflict")
    assert tenant.admin.get(f"{RECIPIENTS}/{USER}").status_code == 200
    released = tenant.admin.request(
        "DELETE", f"{ADMIN}/legal-holds/{made.json()['id']}")
    assert released.status_code == 204
    tenant.ctl("privacy", "erase", "--yes", USER)
    assert tenant.admin.get(f"{RECIPIENTS}/{USER}").status_code == 404
    problem(tenant.admin.request(
        "DELETE", f"{ADMIN}/legal-holds/{uuid.uuid4()}"), 404, "not_found")


NAMES = ["7", "ann@example.org", "+43660555", "to-ken"]


@pytest.mark.parametrize("text, named", [
    ("550 <ann@example.org> unknown", True), ("Ann@Example.org", True),
    ("no ann@example.org.", True), ("'ann@example.org': gone", True),
    ("ann@example.org's mailbox", True), (r'"a\nann@example.org"', True),
    ("mailto:ann@example.org,x", True), ("joann@example.org", False),
    ("o'ann@example.org", False), ("jo-ann@example.org", False),
    ("jo.ann@example.org", False), ("jo+ann@example.org", False),
    ("j\u00f6ann@example.org", False), ("SRS0=x=ann@example.org", False),
    ("ann@example.org.uk", False), ("ann@example.organic", False),
    ("ann@example.org\u00e9", False), ("annXexample.org", False),
    ("+43660555", True), ("whatsapp:+43660555", True), ("(+43660555)", True),
    ("+436605550", False), ("+43660555-1", False), ("ann+43660555@x.org", False),
    ("user:7 (sso)", True), ("7", True), ("17", False), ("7.5", False),
    ("spooler 0192f7a1-7000-7007-8000-777777777777", False),
    ("2027-07-07", False), ("to-ken", True), ("to-ken-2", False)])
def test_a_text_names_whom_it_names_whole(stack, text, named):
    assert stack.value("SELECT privacy_names(%s, %s, %s)", text, NAMES[:1],
                       NAMES[1:]) is named


def keep_answers(tenant):
    """Requests with a key, by what their answers say."""
    def once(path, body):
        answer = tenant.admin.post(path, json=body, headers={
            "Idempotency-Key": uuid.uuid4().hex})
        assert answer.status_code in (201, 202), answer.text
        return answer.json()
    once(f"{SERVICES}/send", mail("bob@example.org"))
    for person in ("7", "17"):
        held = once(f"{ADMIN}/legal-holds", {"person": person, "reason": "1"})
        tenant.admin.request("DELETE", f"{ADMIN}/legal-holds/{held['id']}")
    for channel, address in (
            ("email", "ann@example.org"), ("email", "joann@example.org"),
            ("sms", "+4366055501"), ("sms", "+436605550117")):
        once(f"{ADMIN}/suppressions", {"address": address, "channel": channel,
                                       "reason": "opt_out"})


def test_others_with_like_names_are_left_alone(stack, tenant):
    """Bodies are full of "7"; one address may be the end of another."""
    reports = {"7": [
        {"what": "bounced", "address": "ann@example.org", "code": "551"},
        {"what": "failed", "text": "550 <Ann@example.org> unknown"},
        {"what": "opt_out", "address": "+4366055501"},
        {"what": "heard", "address": "7"}],
        "others": [
        {"what": "bounced", "address": "joann@example.org", "code": "7",
         "id": "7", "ref": "7", "class": 7, "at": 1777777777777,
         "n": str(uuid.uuid4()), "d": str(uuid.uuid4())},
        {"what": "opt_out", "address": "+436605550117", "text": "7"},
        {"what": "heard", "address": "17"}]}
    for user, address, phone in (("7", "ann@example.org", "+4366055501"),
                                 ("1", "joann@example.org", "+436605550117"),
                                 ("bounced", "bo@example.org", None)):
        made = tenant.admin.request("PUT", f"{RECIPIENTS}/{user}", json={
            "email": address, **({"phone": phone} if phone else {})})
        assert made.status_code == 201, made.text
    keep_answers(tenant)
    stack.rows("INSERT INTO hook_inbox (tenant_id, id, provider_id, due, events) "
               "SELECT %s, gen_random_uuid(), gen_random_uuid(), now() + "
               "interval '1 h', e FROM unnest(%s::json[]) e", tenant.id,
               [json.dumps(reports["7"] + reports["others"]),
                json.dumps(reports["others"]), '"damaged 7"'])

    def export(user):
        return tenant.admin.get(f"{ADMIN}/recipients/{user}/export").json()
    assert export("7")["reports"] == reports["7"]
    assert export("1")["reports"] == reports["others"][:2] * 2
    assert "reports" not in export("bounced")

    for user, rows in (("accepted", 0), ("1", 2), ("7", 3)):
        receipt = tenant.admin.post(f"{ADMIN}/recipients/{user}/erase").json()
        assert receipt["rows"]["idempotency"] == rows, user
    left = [r["body"] for r in tenant.rows(
        "SELECT body FROM idempotency WHERE tenant_id = %s ORDER BY created_at")]
    assert ['"accepted"' in body for body in left] == [True, False]
    assert '"person":"17"' in left[1]
    assert [r["events"] for r in tenant.rows(
        "SELECT events FROM hook_inbox WHERE tenant_id = %s ORDER BY "
        "length(events::text)")] == ["damaged 7"] + [reports["others"][2:]] * 2
    assert tenant.admin.get(f"{RECIPIENTS}/bounced").status_code == 200


def test_reports_that_wait_are_erased(stack, tenant):
    """Of a request of a provider that is not applied yet, one person's part."""
    stack.stop("spooler")
    try:
        stack.rows("INSERT INTO hook_inbox (tenant_id, id, provider_id, events)"
                   " VALUES (%s, gen_random_uuid(), gen_random_uuid(), %s)",
                   tenant.id, json.dumps([{"address": MAIL.lower()},
                                          {"address": "bob@example.org"}]))
        tenant.ctl("privacy", "erase", "--yes", "--address", MAIL)
        left = tenant.rows("SELECT events FROM hook_inbox WHERE "
                           "tenant_id = %s")
        assert left == [{"events": [{"address": "bob@example.org"}]}]
        stack.rows("DELETE FROM hook_inbox WHERE tenant_id = %s", tenant.id)
    finally:
        stack.start("spooler")
