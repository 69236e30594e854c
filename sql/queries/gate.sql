-- How much accounts at providers may be sent (src/notify/gate.h).

-- name: budget_make
-- Nothing.  An account's row, from which all spoolers take; the nil id is the tenant's own.
-- It is made for an account that is there until then, which will take it along.
WITH p AS (
    SELECT FROM provider WHERE tenant_id = $1 AND id = $2 FOR KEY SHARE
)
INSERT INTO provider_budget (tenant_id, provider_id) SELECT $1, $2
WHERE $2 = '00000000-0000-0000-0000-000000000000' OR EXISTS (SELECT FROM p)
ON CONFLICT DO NOTHING

-- name: gate_ask
-- One row: 1 when the account, whose breaker is open, may be tried once now; how many
-- of $3 deliveries were granted (NULL: it has no budget); in how many microseconds the
-- first of them may go out; and in how many milliseconds there is another one.  $4
-- grants were not used.  $5 ms is the time between two tries of an account, 0: no try is
-- asked for.  The budget: one delivery every $6 microseconds (NULL: as many as one
-- likes), granted up to $7 microseconds ahead; $8 a day (NULL: as many as one likes), or
-- on the first $10 days a growing share of it that begins with $9.
WITH h AS (
    UPDATE provider_health SET state = 3, updated_at = now(),
        opened_until = now() + $5::bigint * interval '1 ms'
    WHERE tenant_id = $1 AND provider_id = $2 AND $5::bigint > 0 AND state <> 1
        AND opened_until <= now()
    RETURNING 1
), b AS (
    UPDATE provider_budget b SET (tat, day, used, granted) = (
        SELECT CASE WHEN x.every IS NULL THEN b.tat ELSE x.tat + x.k * x.every END,
            x.today, x.used + x.k, x.k
        FROM (
            SELECT y.*, GREATEST(0, LEAST($3::int, y.most - y.used,
                CASE WHEN y.every IS NULL THEN $3::int
                    ELSE 1 + floor(extract(epoch FROM now() + $7::bigint * interval '1 us'
                        - y.tat) / extract(epoch FROM y.every))::int END)) AS k
            FROM (
                SELECT GREATEST(b.tat, now()) AS tat, z.today,
                    $6::bigint * interval '1 us' AS every,
                    CASE WHEN b.day = z.today THEN GREATEST(0, b.used - $4::int) ELSE 0
                        END AS used,
                    COALESCE(warm_up_share($8::int, $9::int, $10::int,
                        z.today - b.warm_from), 2000000000) AS most
                FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) z
            ) y
        ) x)
    WHERE b.tenant_id = $1 AND b.provider_id = $2
    RETURNING b.*
)
SELECT (SELECT count(*) FROM h)::int, b.granted,
    CASE WHEN $6::bigint IS NULL THEN 0
        ELSE GREATEST(0, extract(epoch FROM b.tat - now()) * 1000000
            - b.granted * $6::bigint)::bigint END,
    CASE WHEN b.used >= COALESCE(warm_up_share($8::int, $9::int, $10::int,
            b.day - b.warm_from), 2000000000)
        THEN ceil(extract(epoch FROM (b.day + 1)::timestamp AT TIME ZONE 'UTC' - now())
            * 1000)::bigint
        WHEN $6::bigint IS NULL THEN 0
        ELSE GREATEST(0, ceil(extract(epoch FROM b.tat - now()) * 1000
            - $7::bigint / 1000.0))::bigint END
FROM (SELECT) one LEFT JOIN b ON true

-- name: health_make
-- Nothing.  A row for an account that has trouble for the first time, and is there.
INSERT INTO provider_health (tenant_id, provider_id)
SELECT tenant_id, id FROM provider WHERE tenant_id = $1 AND id = $2 FOR KEY SHARE
ON CONFLICT DO NOTHING

-- name: gate_tell
-- A row when this is news: the account's name.  $3 is what happened to the account:
-- 1 its breaker opens, 2 it recovered, 3 it wants no request for $4 ms, 4 the try
-- failed.  $5 is the spooler, $6 the notification by which it was noticed.
WITH h AS (
    UPDATE provider_health SET updated_at = now(),
        state = CASE $3::int WHEN 2 THEN 1 WHEN 3 THEN state ELSE 2 END,
        failures = CASE $3::int WHEN 2 THEN 0 ELSE failures END,
        opened_until = CASE $3::int WHEN 2 THEN NULL WHEN 3 THEN opened_until
            ELSE now() + $4::bigint * interval '1 ms' END,
        blocked_until = CASE $3::int WHEN 3
            THEN GREATEST(blocked_until, now() + $4::bigint * interval '1 ms')
            WHEN 2 THEN NULL ELSE blocked_until END
    WHERE tenant_id = $1 AND provider_id = $2
        AND CASE $3::int WHEN 1 THEN state = 1 WHEN 2 THEN state <> 1 WHEN 4 THEN state <> 1
            ELSE true END
    RETURNING provider_id
), p AS (
    SELECT p.id, p.name, p.channel FROM provider p JOIN h ON h.provider_id = p.id
    WHERE p.tenant_id = $1 AND p.id = $2 AND $3::int IN (1, 2)
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, type, channel, provider_id, text,
        by)
    SELECT $1, $6, $7::uuid,
        CASE $3::int WHEN 1 THEN 'provider.opened' ELSE 'provider.recovered' END, channel, id,
        CASE $3::int WHEN 1 THEN 'nothing but failures: it is left alone, and tried now and then'
            ELSE 'it works again' END,
        'spooler ' || $5::uuid
    FROM p WHERE $6::uuid IS NOT NULL
), a AS (
    INSERT INTO audit (tenant_id, id, principal, source, action, object)
    SELECT $1, $8::uuid, 'spooler ' || $5::uuid,
        (SELECT host FROM spooler WHERE id = $5::uuid),
        CASE $3::int WHEN 1 THEN 'provider.open' ELSE 'provider.recover' END, name
    FROM p
)
SELECT name FROM p

-- name: lane_return
-- Nothing.  Claimed deliveries that cannot start: they are ready as before, or later
-- (those with a delay).
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($4::uuid[], $5::uuid[], $6::int[], $7::timestamptz[],
        $8::bigint[]) AS r (notification_id, id, lease_no, due, delay_ms)
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, $2, $3, due, id, notification_id, lease_no FROM r WHERE delay_ms = 0
), w AS (
    INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no, kind)
    SELECT $1, now() + delay_ms * interval '1 ms', id, notification_id, $2, $3, lease_no,
        0
    FROM r WHERE delay_ms > 0
)
UPDATE delivery d SET state = 1, due = now() + r.delay_ms * interval '1 ms'
FROM r WHERE r.delay_ms > 0 AND d.tenant_id = $1
    AND d.notification_id = r.notification_id AND d.id = r.id

-- name: health_get
-- One row: what is known of an account's health: the state of its breaker, failures,
-- refusals, until when it is open and blocked, its penalty in thousandths and since
-- when, and how many deliveries were granted to it today.
SELECT COALESCE(h.state, 1), COALESCE(h.failures, 0), COALESCE(h.refusals, 0),
    CASE WHEN h.state <> 1 THEN h.opened_until END,
    CASE WHEN h.blocked_until > now() THEN h.blocked_until END,
    (COALESCE(h.penalty, 0) * 1000)::int, h.penalised_at,
    CASE WHEN b.day = (now() AT TIME ZONE 'UTC')::date THEN b.used ELSE 0 END
FROM (SELECT) one
LEFT JOIN provider_health h ON h.tenant_id = $1 AND h.provider_id = $2
LEFT JOIN provider_budget b ON b.tenant_id = $1 AND b.provider_id = $2
