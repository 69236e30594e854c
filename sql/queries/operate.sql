-- What operators ask for (src/ctl/).  belfryctl acts as belfry_owner, which may count
-- the queue of all tenants.

-- name: queue_depth
-- A row for each tenant and lane that has something, or had lately: ready, leased, later, the
-- age of the oldest that is ready in milliseconds, whether these were counted (false:
-- estimated), in flight and attempts that ended in a minute.  Only the tenant $1 when
-- it is given.
SELECT t.slug, COALESCE(m.lane, x.lane), COALESCE(m.ready, 0), COALESCE(m.leased, 0),
    COALESCE(m.later, 0), (extract(epoch FROM now() - m.oldest) * 1000)::bigint,
    COALESCE(m.exact, true), COALESCE(x.in_flight, 0), COALESCE(round(x.per_minute), 0)
FROM (SELECT tenant_id, lane, sum(ready)::bigint AS ready, sum(leased)::bigint AS leased,
        sum(later)::bigint AS later, min(oldest) AS oldest, bool_and(exact) AS exact
    FROM queue_measure() GROUP BY tenant_id, lane) m
FULL JOIN (SELECT tenant_id, lane, sum(in_flight) AS in_flight,
        sum(per_minute)::bigint AS per_minute
    FROM throughput WHERE measured_at > now() - interval '30 s'
    GROUP BY tenant_id, lane) x ON x.tenant_id = m.tenant_id AND x.lane = m.lane
JOIN tenant t ON t.id = COALESCE(m.tenant_id, x.tenant_id)
WHERE $1::text IS NULL OR t.slug = $1::text
ORDER BY t.slug, 2

-- name: queue_providers
-- A row for each account at a provider that was used lately: tenant, name, lane, in flight
-- and attempts that ended in a minute.  Only of the tenant $1 when it is given.
SELECT t.slug, x.provider, x.lane, sum(x.in_flight), round(sum(x.per_minute))::bigint
FROM throughput x JOIN tenant t ON t.id = x.tenant_id
WHERE x.measured_at > now() - interval '30 s'
    AND ($1::text IS NULL OR t.slug = $1::text)
GROUP BY t.slug, x.provider, x.lane
ORDER BY t.slug, x.provider

-- name: doctor_roles
-- A row for each of the roles $1 (their names) that there is.
SELECT rolname, rolsuper, rolbypassrls, rolcreaterole OR rolcreatedb, rolcanlogin
FROM pg_roles
WHERE rolname = ANY ($1::text[])

-- name: doctor_server
-- One row: the version and the clock.
SELECT current_setting('server_version'),
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
