-- pgbench_receipts.sql - the one row of a receipt that waits to be applied
--
-- SPDX-License-Identifier: BSD-2-Clause
--
-- One statement, one transaction, one round trip.  The caller sets tenant, base (the first
-- 24 characters of a UUIDv7 of now), n (0), and the texts provider and events with -D.
\set n :n + 1
\set number :client_id * 1000000000 + :n
INSERT INTO hook_inbox (tenant_id, id, provider_id, events)
VALUES (:tenant, (:base || lpad(:number::text, 12, '0'))::uuid, :provider, :events);
