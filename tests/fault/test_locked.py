# test_locked.py - somebody holds a lock for too long
#
# SPDX-License-Identifier: BSD-2-Clause
import time

import pytest

from harness.api import mail, problem
from harness.tenant import Tenant


@pytest.mark.settings(settings={"database.statement_timeout": "400ms"})
@pytest.mark.expect_log("request")
@pytest.mark.expect_log("failed|not written yet")
def test_statement_timeout(own_stack):
    """503 in time, and the same key works as soon as the lock is gone."""
    tenant = Tenant(own_stack)
    tenant.api.accepted(mail())
    for table in ("notification", "idempotency"):
        with own_stack.db() as connection:
            connection.autocommit = False
            connection.cursor().execute(
                f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            answer = tenant.api.send(mail(), idempotency_key=table)
            took = time.monotonic() - began
            connection.rollback()
        problem(answer, 503, "temporary")
        assert int(answer.headers["Retry-After"]) >= 1
        assert took < 10
        again = tenant.api.send(mail(), idempotency_key=table)
        assert again.status_code == 202
        assert "Idempotent-Replayed" not in again.headers
    tenant.idle()
    assert len(tenant.mails()) == 3


REFUSES = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = '53100'; END $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON idempotency
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"""


@pytest.mark.expect_log("request|not today|failed")
def test_commit_fails(own_stack):
    """Every statement was carried out, and the end of the transaction fails."""
    tenant = Tenant(own_stack)
    own_stack.rows(REFUSES)
    for _ in range(3):
        problem(tenant.api.send(mail(), idempotency_key="k"), 503, "temporary")
    own_stack.rows("DROP FUNCTION refuse CASCADE")
    again = tenant.api.send(mail(), idempotency_key="k")
    assert again.status_code == 202
    assert "Idempotent-Replayed" not in again.headers
    tenant.idle()
    assert len(tenant.mails()) == 1
