-- What operators ask for (src/ctl/).  belfryctl acts as belfry_owner, which may count
-- the queue of all tenants.

-- name: queue_depth
-- A row for each tenant and lane that has something: ready, leased, later, and the age
-- of the oldest that is ready in milliseconds.  Only the tenant $1 when it is given.
SELECT t.slug, q.lane, sum(q.ready), sum(q.leased), sum(q.later),
    (extract(epoch FROM now() - min(q.due)) * 1000)::bigint
FROM (
    SELECT tenant_id, lane, 1 AS ready, 0 AS leased, 0 AS later, due FROM q_ready
    UNION ALL
    SELECT tenant_id, lane, 0, 1, 0, NULL FROM q_leased
    UNION ALL
    SELECT tenant_id, lane, 0, 0, 1, NULL FROM q_later) q
JOIN tenant t ON t.id = q.tenant_id
WHERE $1::text IS NULL OR t.slug = $1::text
GROUP BY t.slug, q.lane
ORDER BY t.slug, q.lane

-- name: doctor_roles
-- A row for each of the roles $1 (their names) that there is.
SELECT rolname, rolsuper, rolbypassrls, rolcreaterole OR rolcreatedb, rolcanlogin
FROM pg_roles
WHERE rolname = ANY ($1::text[])

-- name: doctor_server
-- One row: what durability rests on, the version and the clock.
SELECT current_setting('fsync'), current_setting('full_page_writes'),
    current_setting('synchronous_commit'), current_setting('server_version'),
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- name: doctor_session
-- One row: settings of a session that belfryctl init made for its role.
SELECT current_user, current_setting('plan_cache_mode'), current_setting('jit'),
    current_setting('enable_seqscan'), current_setting('search_path')

-- name: doctor_partitions
-- One row: for how many days there are partitions for what is new; the least of all
-- partitioned tables, NULL when one has none.
SELECT min(days) FROM (
    SELECT (SELECT max(to_date(right(c.relname, 8), 'YYYYMMDD')) + 7 - CURRENT_DATE
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = p.oid AND c.relname ~ '_[0-9]{8}$') AS days
    FROM pg_class p
    WHERE p.relkind = 'p' AND p.relnamespace = 'belfry'::regnamespace) x

-- name: vacuum_holders
-- A row for each that keeps PostgreSQL from vacuuming: kind, a name, pid, user,
-- application, and its age in milliseconds (NULL: not known).
SELECT kind, holder, pid, username, application, age_ms FROM vacuum_holders()

-- name: doctor_spoolers
-- One row: how many spoolers gave a sign of life within $1 milliseconds, and how long
-- ago the last one was (NULL: there was none).
SELECT count(*) FILTER (WHERE heartbeat_at > now() - $1::bigint * interval '1 ms'),
    (extract(epoch FROM now() - max(heartbeat_at)) * 1000)::bigint
FROM spooler
