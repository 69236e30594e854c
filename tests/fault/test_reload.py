# test_reload.py - workers come and go under load: nobody is refused
#
# SPDX-License-Identifier: BSD-2-Clause
import collections
import re
import signal

import pytest

from harness.api import mail
from harness.load import Load
from harness.wait import wait_until


def addresses(tenant):
    return collections.Counter(m["To"].split("<")[-1].strip(">")
                               for m in tenant.mails())


def replaced(stack, part, before):
    """All of the workers are others than before, and as many."""
    now = set(stack.workers(part))
    return len(now) == len(before) and not now & set(before)


@pytest.mark.parametrize("part", ["api", "spooler"])
def test_rolling_reload(own_stack, own_tenant, part):
    """SIGHUP, five times under load: not one request fails, no mail is lost
    and none is sent twice."""
    with Load(own_tenant) as load:
        for _ in range(5):
            before = own_stack.workers(part)
            goal = load.accepted() + 30
            own_stack.kill(part, signal.SIGHUP)
            wait_until(lambda: replaced(own_stack, part, before), 30,
                       "new workers")
            wait_until(lambda: load.accepted() >= goal, 30, "more load")
    assert set(load.statuses()) == {202}, load.statuses()
    own_tenant.idle(60)
    seen = addresses(own_tenant)
    assert set(seen) == load.addresses()
    assert set(seen.values()) == {1}


def test_reload_reads_the_configuration(own_stack, own_tenant):
    path = own_stack.directory / "belfry.conf"
    text = path.read_text()
    long = mail(data={"order": "x" * 4000})
    assert own_tenant.api.send(long).status_code == 202
    path.write_text(text.replace("[api]\n", "[api]\nbody_max = 2k\n"))
    own_stack.kill("api", signal.SIGHUP)
    wait_until(lambda: own_tenant.api.send(long).status_code == 413, 20,
               "the new limit")


@pytest.mark.expect_log("retry.*delay_first|configuration")
def test_a_faulty_configuration_changes_nothing(own_stack, own_tenant):
    path = own_stack.directory / "belfry.conf"
    path.write_text(re.sub("delay_first = .*", "delay_first = soon",
                           path.read_text()))
    before = own_stack.workers("api")
    own_stack.kill("api", signal.SIGHUP)
    wait_until(lambda: "delay_first" in own_stack.logs.text("api"), 20,
               "the complaint")
    own_tenant.api.accepted(mail())
    assert own_stack.workers("api") == before


@pytest.mark.expect_log("a worker has crashed|leases that nobody works on")
def test_api_workers_are_killed(own_stack, own_tenant):
    """What was promised is kept; the slots are filled again."""
    with Load(own_tenant) as load:
        for _ in range(4):
            before = own_stack.workers("api")
            goal = load.accepted() + 30
            own_stack.kill_workers("api")
            wait_until(lambda: replaced(own_stack, "api", before), 20,
                       "new workers")
            wait_until(lambda: load.accepted() >= goal, 30, "more load")
    assert set(load.statuses()) <= {202, 500, 503}, load.statuses()
    own_tenant.idle(60)
    stored = [str(r["id"]) for r in own_tenant.rows(
        "SELECT id FROM notification WHERE tenant_id = %s")]
    promised = load.ids()
    assert len(set(promised)) == len(promised)
    assert set(promised) <= set(stored)
    assert len(stored) - len(promised) <= 3
    assert load.addresses() <= set(addresses(own_tenant))


def test_stop_answers_what_is_under_way(own_stack, own_tenant):
    """SIGTERM: whoever was let in gets an answer, then there is an end."""
    with Load(own_tenant) as load:
        wait_until(lambda: load.accepted() > 30, 30, "some load")
        own_stack.stop("api")
        answers = load.statuses()
        own_stack.start("api")
        wait_until(lambda: load.accepted() > answers[202] + 30, 30,
                   "more load")
    assert set(load.statuses()) <= {202, 503}, load.statuses()
    own_tenant.idle(60)
    assert len(own_tenant.rows("SELECT id FROM notification "
                               "WHERE tenant_id = %s")) == load.accepted()
