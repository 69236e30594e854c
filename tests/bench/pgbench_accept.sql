-- pgbench_accept.sql - the two rows of an accepted notification, and nothing else
--
-- SPDX-License-Identifier: BSD-2-Clause
--
-- One statement, one transaction, one round trip: the fastest way in.  Every value is
-- a parameter, as it is for belfry-api; ids ascend for each client.  The caller sets
-- tenant, base (the first 24 characters of a UUIDv7 of now), n (0), request_id and
-- the texts account, template, recipients and data with -D.
\set n :n + 1
\set number :client_id * 1000000000 + :n
WITH n AS (
    INSERT INTO notification (tenant_id, id, priority, account_id, template_id,
        template_version, category, recipients, data, request_id, created_at)
    VALUES (:tenant, (:base || lpad(:number::text, 12, '0'))::uuid, 1, :account,
        :template, 1, 'orders', :recipients, :data, :request_id, now())
    RETURNING id
)
INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
SELECT :tenant, 0, 1, now(), id, id, 0 FROM n;
