# test_read_only.py - the database takes no writes for a while
#
# SPDX-License-Identifier: BSD-2-Clause
#
# An operator who runs out of disk sets default_transaction_read_only.  A session keeps
# what it began with: when all is well again, it is the session that must go.
import pytest

from harness.api import Client, checks, mail, problem
from harness.tenant import Tenant
from harness.wait import wait_until

END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename IN ('belfry_api', 'belfry_spooler')"""


@pytest.mark.settings(settings={"api.workers": "2"})
@pytest.mark.expect_log("read-only|connection|terminat|leases are no longer|health.ready")
def test_writes_come_back_by_themselves(own_stack):
    tenant = Tenant(own_stack)
    tenant.api.accepted(mail())
    tenant.wait_for_mails(1)
    name = own_stack.env["PGDATABASE"]
    own_stack.rows(f"ALTER DATABASE {name} "
                   "SET default_transaction_read_only = on")
    own_stack.rows(END_SESSIONS)
    wait_until(lambda: tenant.api.send(mail()).status_code == 503, 10,
               "a database that is read-only")
    problem(tenant.api.send(mail()), 503, "temporary")
    visitor = Client(own_stack.url, None)

    def told():
        """Whoever finds a session that was ended says that first."""
        ready = visitor.get("/health/ready")
        assert ready.status_code == 503
        assert checks(ready)["database"]["state"] == "failed"
        return checks(ready)["database"]["error"]
    wait_until(lambda: told() == "the database is read-only", 10, "why")
    assert visitor.get("/health/live").status_code == 200
    own_stack.rows(f"BEGIN READ WRITE; ALTER DATABASE {name} "
                   "RESET default_transaction_read_only; COMMIT")
    pids = own_stack.workers("api"), own_stack.workers("spooler")
    # A load balancer sends nothing else before.
    wait_until(lambda: all(visitor.get("/health/ready").status_code == 200
                           for _ in range(6)), 15, "that all workers are ready")
    for _ in range(5):
        wait_until(lambda: tenant.api.send(mail()).status_code == 202, 10,
                   "recovery by itself")
    tenant.wait_for_mails(6)
    tenant.idle()
    assert pids == (own_stack.workers("api"), own_stack.workers("spooler"))
