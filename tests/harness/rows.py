# rows.py - queues of any length, written straight into the tables
#
# SPDX-License-Identifier: BSD-2-Clause
#
# As the programs would have written them: each row can be claimed, rendered, sent and
# settled.  Only a very long backlog has deliveries for its oldest rows alone: those that
# a test comes to.
import contextlib

ID = """(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(random()::text), 1, 3) || '8'
    || substr(md5(random()::text), 1, 15))::uuid"""
AGED = ID.replace("clock_timestamp()", "clock_timestamp() - %(days)s * interval '1 day'")
CHANNELS = {"email": 1, "push": 3, "webhook": 6}
CONTENT = {
    "email": '{"email": {"subject": "Row", "text": "A row of a test."}}',
    "push": '{"push": {"title": "Row", "body": "A row of a test."}}',
    "webhook": '{"webhook": {"a": "b"}}',
}
NIL = "00000000-0000-0000-0000-000000000000"

TENANTS = f"""
WITH t AS (
    INSERT INTO tenant (slug, name, weight)
    SELECT %(prefix)s || i, 'Rows', %(weight)s FROM generate_series(1, %(count)s) i
    RETURNING id
), g AS (
    INSERT INTO tenant_generation (tenant_id) SELECT id FROM t
), p AS (
    INSERT INTO provider (tenant_id, id, name, kind, channel, settings)
    SELECT t.id, {ID}, p.name, p.kind, p.channel, p.settings FROM t, provider p
    WHERE p.tenant_id = %(like)s AND p.sealed IS NULL AND p.state = 1
)
SELECT id FROM t ORDER BY id
"""

# One delivery for each notification, ready in a lane or due later.
BACKLOG = f"""
WITH i AS MATERIALIZED (
    SELECT {AGED} AS n, {ID} AS d, i FROM generate_series(1, %(count)s) i
), n AS (
    INSERT INTO notification (tenant_id, id, state, open_count, delivery_count,
        account_id, channels, content, recipients, routed_at)
    SELECT %(tenant)s, n, 2, 1, 1, '{NIL}', %(channel)s, %(content)s::json,
        '[]', now() FROM i
), d AS (
    INSERT INTO delivery (tenant_id, notification_id, id, recipient_no, channel, state,
        address, recipient)
    SELECT %(tenant)s, n, d, 0, %(lane)s, %(state)s, 'r' || i || '@example.org',
        ('{{"id": "r' || i || '"}}')::json FROM i
)
"""
READY = BACKLOG + """, t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    VALUES (%(tenant)s, %(lane)s, %(prio)s) ON CONFLICT DO NOTHING
)
INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
SELECT %(tenant)s, %(lane)s, %(prio)s, now() - interval '1 hour' + i * interval '1 us',
    d, n, 0 FROM i
"""
LATER = BACKLOG + """
INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no)
SELECT %(tenant)s, now() + %(due)s * interval '1 s', d, n, %(lane)s, %(prio)s, 0 FROM i
"""

# More of a backlog: rows alone, behind those that have deliveries.
TAIL = f"""
INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
SELECT %(tenant)s, %(lane)s, %(prio)s, now() - interval '1 min' + i * interval '1 us',
    {ID}, {ID}, 0 FROM generate_series(1, %(count)s) i
"""

# A notification for each of the tenants, as it is accepted.
FRESH = f"""
WITH i AS MATERIALIZED (
    SELECT {AGED} AS n, tenant FROM unnest(%(tenants)s::bigint[]) tenant
), n AS (
    INSERT INTO notification (tenant_id, id, account_id, channels, content, recipients)
    SELECT tenant, n, '{NIL}', %(channel)s, %(content)s::json, %(recipients)s::json
    FROM i
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT tenant, 0, 1, now(), n, n, 0 FROM i
)
INSERT INTO tenant_ready (tenant_id, lane, prio)
SELECT DISTINCT tenant, 0, 1 FROM i ON CONFLICT DO NOTHING
"""

# How long notifications waited for their first attempt, in milliseconds.
DWELL = """
SELECT n.tenant_id, (extract(epoch FROM a.started_at - n.created_at) * 1000)::float AS ms
FROM notification n LEFT JOIN attempt a
    ON a.tenant_id = n.tenant_id AND a.notification_id = n.id AND a.n = 1
WHERE n.tenant_id = ANY (%(tenants)s) AND n.created_at BETWEEN to_timestamp(%(first)s)
    AND to_timestamp(%(last)s)
"""


class Rows:
    """What a test writes by one connection, as superuser."""

    def __init__(self, connection, channel="webhook"):
        self.cursor = connection.cursor()
        self.channel = channel
        self.recipients = '[{"email": "fresh@example.org", "id": "fresh"}]'

    def run(self, sql, **values):
        self.cursor.execute(sql, {
            "channel": self.channel, "lane": CHANNELS[self.channel],
            "content": CONTENT[self.channel], "recipients": self.recipients,
            "days": 0, **values})
        return self.cursor.fetchall() if self.cursor.description else []

    def tenants(self, prefix, count, like, weight=1):
        """New tenants with the accounts at providers that the tenant "like" has."""
        return [r["id"] for r in self.run(TENANTS, prefix=prefix, count=count,
                                          like=like, weight=weight)]

    def ready(self, tenant, count, prio=1, days=0):
        """Deliveries of notifications that are so many days old."""
        for part in parts(count, 100000):
            self.run(READY, tenant=tenant, count=part, prio=prio, state=2, days=days)

    def tail(self, tenant, count, prio=1):
        for part in parts(count, 1000000):
            self.run(TAIL, tenant=tenant, count=part, prio=prio)

    def later(self, tenant, count, due_s, prio=1):
        self.run(LATER, tenant=tenant, count=count, due=due_s, prio=prio, state=1)

    def fresh(self, tenants, days=0):
        self.run(FRESH, tenants=list(tenants), days=days)

    def dwell(self, tenants, first, last):
        """(tenant, milliseconds) of each; None for one that still waits."""
        return [(r["tenant_id"], r["ms"]) for r in self.run(
            DWELL, tenants=list(tenants), first=first, last=last)]


def parts(count, most):
    while count > 0:
        yield min(count, most)
        count -= most


@contextlib.contextmanager
def waiting_for_an_account(stack, tenant, count, lane=1):
    """So many rows of a tenant, which is suspended, wait for an account for an hour; gives
    what tells how many of them still do."""
    stack.suspend([tenant.id])
    stack.rows("INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, "
               "lease_no, kind) SELECT %s, now() + interval '1 h' + n * interval '1 ms', "
               "gen_random_uuid(), gen_random_uuid(), %s, 1, 0, 1 "
               "FROM generate_series(1, %s) n", tenant.id, lane, count)
    try:
        yield lambda: tenant.rows(
            "SELECT count(*) AS n FROM q_later WHERE tenant_id = %s "
            "AND due > now() + interval '30 min'")[0]["n"]
    finally:
        for table in ("q_later", "q_ready"):
            stack.rows(f"DELETE FROM {table} WHERE tenant_id = %s", tenant.id)


def jain(values):
    """1.0 when all have the same, 1/n when one has everything."""
    values = list(values)
    squares = sum(v * v for v in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 0.0


def percentile(values, share):
    """The smallest value that at least this share of the values is not above."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
