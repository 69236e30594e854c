# test_dead_letters.py - what was given up is listed, tried again or discarded
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import ADMIN, mail, problem
from harness.smtp import FaultyServer
from harness.tenant import Tenant
from harness.wait import wait_until

DEAD = f"{ADMIN}/dead-letters"


@pytest.fixture(scope="module")
def giving_up():
    from conftest import end_stack, make_stack
    stack = make_stack(settings={"retry.email": "attempts_max=1"})
    try:
        yield stack.up()
    finally:
        end_stack(stack)


@pytest.fixture
def broken(giving_up):
    """A tenant whose server takes nothing; its faults may be cleared."""
    tenant = Tenant(giving_up, maildir=False)
    with FaultyServer({"RCPT": "451 4.3.0 never"}) as server:
        tenant.add_provider("relay", "smtp", host="127.0.0.1",
                            port=server.port, tls="none",
                            **{"from": "shop@example.org"})
        yield tenant, server


def die(tenant, count):
    for i in range(count):
        tenant.api.ended(tenant.api.accepted(mail(f"p{i}@example.org")))
    wait_until(lambda: tenant.count("dead_letter") == count, 20, "all died")


def pages(tenant, **params):
    found, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = tenant.admin.get(DEAD, params={**params, **more})
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def test_pages_hold_each_once_newest_first(broken):
    tenant, _ = broken
    die(tenant, 7)
    found = pages(tenant, limit=3)
    assert len({f["delivery"] for f in found}) == 7
    times = [f["died_at"] for f in found]
    assert times == sorted(times, reverse=True)
    letter = found[0]
    assert letter["class"] == "retry" and letter["provider"] == "relay"
    assert letter["attempts"] == 1 and letter["channel"] == "email"
    assert "last of its attempts" in letter["reason"]
    assert "p6@" not in letter["address"], "addresses are masked"


def test_filters(broken):
    tenant, _ = broken
    die(tenant, 3)
    middle = pages(tenant)[1]["died_at"]
    assert len(pages(tenant, channel="email", provider="relay",
                     **{"class": "retry"})) == 3
    for wrong in ({"channel": "sms"}, {"provider": "other"},
                  {"class": "unknown"}, {"template": "welcome"}):
        assert pages(tenant, **wrong) == []
    assert len(pages(tenant, since=middle)) == 2
    assert len(pages(tenant, until=middle)) == 1
    problem(tenant.admin.get(DEAD, params={"class": "no"}), 422,
            "validation_failed")
    link = tenant.admin.get(DEAD, params={"limit": 1, "channel": "email"})
    assert "channel=email" in link.headers["Link"]


def test_replay_keeps_the_history(broken):
    tenant, server = broken
    die(tenant, 2)
    letter, other = pages(tenant)
    server.faults.clear()
    answer = tenant.admin.post(f"{DEAD}/replay",
                               json={"ids": [letter["delivery"]]})
    assert answer.json() == {"count": 1, "more": False}
    tenant.idle()
    events = tenant.api.timeline(letter["notification"])
    assert [e["attempt"] for e in events if e["type"] == "delivery.started"] \
        == [1, 2]
    replayed, = [e for e in events if e["code"] == "replayed"]
    assert replayed["by"].startswith("key:")
    wait_until(lambda: tenant.api.notification(letter["notification"])
               ["state"] == "done", 10, "it is done")
    assert [f["delivery"] for f in pages(tenant)] == [other["delivery"]]
    again = tenant.admin.post(f"{DEAD}/replay",
                              json={"ids": [letter["delivery"]]})
    assert again.json()["count"] == 0
    row, = tenant.rows("SELECT open_count FROM notification WHERE "
                       "tenant_id = %s AND id = %s", letter["notification"])
    assert row["open_count"] == 0
    assert tenant.rows("SELECT * FROM audit WHERE tenant_id = %s "
                       "AND action = 'dead_letter.replay'")


def test_discard_is_final(broken):
    tenant, _ = broken
    die(tenant, 2)
    letter = pages(tenant)[0]
    answer = tenant.admin.post(f"{DEAD}/discard", json={"channel": "email"})
    assert answer.json()["count"] == 2
    assert pages(tenant) == []
    seen, = tenant.api.notification(letter["notification"])["deliveries"]
    assert seen["state"] == "cancelled"
    assert tenant.admin.post(f"{DEAD}/replay",
                             json={"all": True}).json()["count"] == 0


def test_nothing_is_done_by_accident(broken):
    tenant, _ = broken
    problem(tenant.admin.post(f"{DEAD}/replay", json={}), 422,
            "validation_failed")
    assert tenant.stack.run_ctl("dead", "discard",
                                tenant=tenant.slug).returncode != 0
    problem(tenant.api.get(DEAD), 403, "forbidden")


@pytest.mark.parametrize("body, pointer, code", [
    ({"all": False}, "", "missing"),
    ({"channel": []}, "/channel", "too_short"),
    ({"class": []}, "/class", "too_short"),
    ({"all": False, "channel": [], "class": []}, "/channel", "too_short"),
    ({"ids": []}, "/ids", "too_short"),
    ({"ids": [], "provider": "relay"}, "/ids", "too_short"),
    ({"provider": None}, "/provider", "null_not_allowed"),
    ({"until": "1970-01-01T00:00:00Z"}, "", "missing"),
])
def test_what_chooses_nothing_is_not_all(broken, body, pointer, code):
    tenant, _ = broken
    die(tenant, 1)
    for act in ("replay", "discard"):
        told = problem(tenant.admin.post(f"{DEAD}/{act}", json=body), 422,
                       "validation_failed")
        assert (pointer, code) in [(e["pointer"], e["code"])
                                   for e in told["errors"]]
    assert len(pages(tenant)) == 1


def test_belfryctl(broken, other_tenant):
    tenant, server = broken
    die(tenant, 3)
    assert len(tenant.ctl("dead", "list", "--class", "retry")) == 3
    assert other_tenant.ctl("dead", "list") == []
    first = tenant.ctl("dead", "list", "--limit", 1)[0]["delivery"]
    assert tenant.ctl("dead", "discard", first) == {"count": 1}
    server.faults.clear()
    assert tenant.ctl("dead", "replay", "--all") == {"count": 2}
    tenant.idle()
    assert len(server.bodies) == 2


def test_replay_of_all_ends_where_it_began(broken):
    """Else what is replayed and dies again at once came back behind the others."""
    tenant, server = broken
    die(tenant, 3)
    tenant.stack.rows("UPDATE dead_letter SET died_at = now() + interval '1 h' "
                      "WHERE tenant_id = %s AND id = (SELECT max(id::text)::uuid "
                      "FROM dead_letter WHERE tenant_id = %s) RETURNING 1",
                      tenant.id, tenant.id)
    server.faults.clear()
    assert tenant.ctl("dead", "replay", "--all")["count"] == 2
    assert tenant.count("dead_letter") == 1
