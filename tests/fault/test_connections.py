# test_connections.py - the database takes no more connections
#
# SPDX-License-Identifier: BSD-2-Clause
#
# RELIABILITY O12: 503 at once, no crash loop, the spooler goes on with what it holds,
# and all is well again by itself.
import re
import time

import psycopg2
import pytest

from harness.api import Client, mail
from harness.size import bound
from harness.tenant import Tenant
from harness.wait import wait_until


def take_all(stack):
    """Every connection that is left to those who are not superusers."""
    taken = []
    while True:
        try:
            taken.append(psycopg2.connect(
                host=stack.env["PGHOST"], port=stack.env["PGPORT"],
                dbname=stack.env["PGDATABASE"], user="belfry_report"))
        except psycopg2.OperationalError:
            return taken


def restarts(stack):
    text = Client(stack.url, None).get("/metrics").text
    return int(re.search(r"^belfry_workers_restarted_total (\d+)", text,
                         re.MULTILINE).group(1))


@pytest.mark.O12
@pytest.mark.settings(settings={"api.workers": "3"})
@pytest.mark.expect_log("could not connect|a worker has crashed|connection")
def test_no_connection_is_left(own_stack):
    tenant = Tenant(own_stack)
    tenant.push_template("templates/welcome")
    for _ in range(20):
        tenant.api.accepted(mail())
    tenant.idle()
    # Workers that have their connections lose them; others take the room.
    own_stack.kill_workers("api")
    taken = take_all(own_stack)
    wait_until(lambda: len(own_stack.workers("api")) == 3, 10, "workers")
    before = restarts(own_stack)
    spooler = own_stack.workers("spooler")
    try:
        answers = []
        for _ in range(20):
            begin = time.monotonic()
            answer = tenant.api.send(mail())
            answers.append((answer.status_code, time.monotonic() - begin,
                            answer.headers.get("Retry-After")))
        refused = [a for a in answers if a[0] == 503]
        assert {a[0] for a in answers} <= {202, 503} and refused
        assert all(a[1] < bound(2, 5) and a[2] for a in refused), refused
        # belfryctl is a superuser's here, and gets in: the spooler delivers.
        tenant.ctl("send", "--template", "welcome", "--to", "a@example.org",
                   "--data", '{"steps": []}')
        tenant.wait_for_mails(21 + sum(a[0] == 202 for a in answers))
        assert restarts(own_stack) == before
        assert own_stack.workers("spooler") == spooler
    finally:
        for connection in taken:
            connection.close()
    wait_until(lambda: tenant.api.send(mail()).status_code == 202, 10,
               "recovery by itself")
    tenant.idle()
    print(f"{len(taken)} connections taken; the slowest 503 took "
          f"{max(a[1] for a in refused):.2f} s")
