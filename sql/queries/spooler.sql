-- What operators see of spoolers, and what they wish (src/spooler/lease.c, src/ctl/spooler.c).

-- name: installation_check
-- One row: whether the installation is on hold, and why.  A database that is another one
-- than before, or an earlier one, is put on hold: it comes from a backup, and what it holds
-- may have been sent long ago.  A standby that took over is no such case.
WITH x AS (
    SELECT s.*, CASE
        WHEN s.system_identifier <> i.system_identifier
            THEN 'the database lies in another cluster than before'
        WHEN s.database <> i.database THEN 'the database was made anew'
        WHEN s.timeline <> i.timeline AND s.restored
            THEN 'the database was recovered to a point in time'
        WHEN s.timeline = i.timeline AND s.port <> i.port
            THEN 'the database is at another port, and may be a copy' END AS reason
    FROM installation i, installation_identity() s
    WHERE (s.system_identifier, s.database, s.timeline, s.port)
        <> (i.system_identifier, i.database, i.timeline, i.port)
), u AS (
    UPDATE installation i SET system_identifier = x.system_identifier,
        database = x.database, timeline = x.timeline, port = x.port,
        hold = i.hold OR x.reason IS NOT NULL,
        hold_reason = CASE WHEN i.hold THEN i.hold_reason ELSE x.reason END,
        hold_by = CASE WHEN i.hold THEN i.hold_by WHEN x.reason IS NOT NULL
            THEN 'spooler' END,
        hold_since = CASE WHEN i.hold THEN i.hold_since WHEN x.reason IS NOT NULL
            THEN now() END
    FROM x
    RETURNING i.hold, i.hold_reason
)
SELECT hold, hold_reason FROM u
UNION ALL
SELECT hold, hold_reason FROM installation WHERE NOT EXISTS (SELECT FROM u)

-- name: installation_hold
-- One row: whether the installation is on hold now, why, by whom and since when; $1 puts it
-- on hold (true), releases it (false) or does nothing (NULL), for the reason $2, by $3.  Who
-- names a reason changes that of a hold that lasts.
WITH u AS (
    UPDATE installation SET hold = $1::boolean,
        hold_reason = CASE WHEN $1::boolean THEN COALESCE($2::text, 'by hand') END,
        hold_by = CASE WHEN $1::boolean THEN $3::text END,
        hold_since = CASE WHEN $1::boolean THEN COALESCE(hold_since, now()) END
    WHERE $1::boolean IS NOT NULL AND (hold <> $1::boolean
        OR $1::boolean AND $2::text IS NOT NULL)
    RETURNING hold, hold_reason, hold_by, hold_since
)
SELECT * FROM u
UNION ALL
SELECT hold, hold_reason, hold_by, hold_since FROM installation
WHERE NOT EXISTS (SELECT FROM u)

-- name: spooler_list
-- A row for each spooler, by host and slot: id, host, slot, process, version, start, age of
-- its last sign of life in milliseconds, state, whether it should drain, in flight and
-- claims under way.  Only those of the host or with the id $1 when it is given.
SELECT id, host, slot, pid, version, started_at,
    (extract(epoch FROM now() - heartbeat_at) * 1000)::bigint, state, drain, in_flight,
    claims
FROM spooler WHERE $1::text IS NULL OR host = $1::text OR id::text = $1::text
ORDER BY host, slot, started_at

-- name: spooler_drain
-- A row for each spooler that should drain ($2) or no longer (not $2): those of the host or
-- with the id $1, or all.
UPDATE spooler SET drain = $2
WHERE $1::text IS NULL OR host = $1::text OR id::text = $1::text
RETURNING id

-- name: throughput_clear
-- Nothing.  Removes what the spooler $1 wrote before, and what nobody writes any more.
DELETE FROM throughput WHERE spooler = $1 OR measured_at < now() - interval '10 minutes'

-- name: throughput_write
-- Nothing.  What the spooler $1 has in flight, and what ended in the last $2 milliseconds.
INSERT INTO throughput (tenant_id, spooler, lane, provider_id, provider, in_flight,
    per_minute)
SELECT tenant, $1, lane, provider, name, in_flight, ended * 60000.0 / $2::bigint
FROM unnest($3::bigint[], $4::smallint[], $5::uuid[], $6::text[], $7::int[], $8::int[])
    AS t (tenant, lane, provider, name, in_flight, ended)

-- name: overload_mark
-- One row: the queue as it was measured last: level of the whole, how many rows wait, the
-- lanes as JSON, dead letters, how long measuring took in milliseconds; spoolers alive, that
-- is heard of within $4 milliseconds, and whether the installation is on hold.  It is
-- measured again when that was $3 milliseconds ago, against the limits $1 for a tenant and
-- $2 for all.
SELECT q.level, q.waiting, q.lanes, q.dead, q.took_ms, (SELECT count(*) FROM spooler
    WHERE heartbeat_at > now() - $4::bigint * interval '1 ms'),
    (SELECT hold FROM installation)
FROM overload_mark($1, $2, $3) q

-- name: delivery_health
-- One row: how delivery is ("ok", "hold", "stopped" or "overloaded"), and why.  $1 is the age
-- in milliseconds at which a silent spooler is dead.
SELECT CASE WHEN i.hold THEN 'hold' WHEN a.alive = 0 THEN 'stopped'
        WHEN q.level > 0 THEN 'overloaded' ELSE 'ok' END,
    CASE WHEN i.hold THEN i.hold_reason WHEN a.alive = 0 THEN 'no spooler is running'
        WHEN q.level > 0 THEN 'too much waits to be sent' END
FROM installation i, queue_state q, (SELECT count(*) AS alive FROM spooler
    WHERE heartbeat_at > now() - $1::bigint * interval '1 ms') a

-- name: queue_of_tenant
-- A row for each lane of the tenant that has something, or had lately: ready, leased, later,
-- the age of the oldest that is ready in milliseconds, whether these were counted (false:
-- estimated), in flight and attempts that ended in a minute.
SELECT COALESCE(m.lane, x.lane), COALESCE(m.ready, 0), COALESCE(m.leased, 0),
    COALESCE(m.later, 0), (extract(epoch FROM now() - m.oldest) * 1000)::bigint,
    COALESCE(m.exact, true), COALESCE(x.in_flight, 0), COALESCE(x.per_minute, 0)
FROM (SELECT lane, sum(ready)::bigint AS ready, sum(leased)::bigint AS leased,
        sum(later)::bigint AS later, min(oldest) AS oldest, bool_and(exact) AS exact
    FROM queue_measure() WHERE tenant_id = $1 GROUP BY lane) m
FULL JOIN (SELECT lane, sum(in_flight) AS in_flight,
        round(sum(per_minute))::bigint AS per_minute
    FROM throughput WHERE tenant_id = $1 AND measured_at > now() - interval '30 s'
    GROUP BY lane) x ON x.lane = m.lane
ORDER BY 1

-- name: installation_is_held
-- One row: whether the installation is on hold.
SELECT hold FROM installation
