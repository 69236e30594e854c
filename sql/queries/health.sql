-- How accounts at providers have been doing (src/notify/health.h).

-- name: health_changed
-- A row for each account of any tenant whose health changed since $1 (NULL: ever): id,
-- the state of its breaker, failures, refusals, until when it is open, its penalty in
-- thousandths and since when, the time of the change, and until when it is blocked.
SELECT provider_id, state, failures, refusals, opened_until,
    (penalty * 1000)::int, penalised_at, updated_at, blocked_until
FROM provider_health
WHERE updated_at >= COALESCE($1::timestamptz - interval '3 s', '-infinity')

-- name: health_counts
-- One row: how many accounts of all tenants are left alone, how many are being tried
-- again, and how many said that they want nothing before a later time.
SELECT count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3),
    count(*) FILTER (WHERE blocked_until > now())
FROM provider_health

-- name: health_note
-- A row for each account that is parked by this: id and name.  For each account how many
-- of its attempts failed and how many were refused for their credentials, and whether
-- one succeeded, which comes before the failures; with it no refusals are in a row.
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($5::uuid[], $6::int[], $7::int[], $8::int[], $9::uuid[],
        $10::uuid[], $11::uuid[])
        AS r (id, failed, refused, well, notification_id, event_id, audit_id)
), h AS (
    INSERT INTO provider_health AS h (tenant_id, provider_id, failures, refusals,
        penalty, penalised_at)
    SELECT $1, id, failed, CASE WHEN well = 1 THEN 0 ELSE refused END, CASE WHEN failed > 0 THEN 0.5 ELSE 0 END,
        CASE WHEN failed > 0 THEN now() END
    FROM r WHERE EXISTS (SELECT FROM provider p WHERE p.tenant_id = $1 AND p.id = r.id)
    ORDER BY id
    ON CONFLICT (tenant_id, provider_id) DO UPDATE SET
        failures = excluded.failures + CASE WHEN (SELECT well FROM r
            WHERE r.id = h.provider_id) = 1 THEN 0 ELSE h.failures END,
        refusals = excluded.refusals + CASE WHEN (SELECT well FROM r
            WHERE r.id = h.provider_id) = 1 THEN 0 ELSE h.refusals END,
        penalty = CASE WHEN excluded.failures = 0 THEN h.penalty
            ELSE (1 + h.penalty * power(0.5, LEAST(1000, extract(epoch
                FROM now() - COALESCE(h.penalised_at, now())) * 1000 / $3::bigint))) / 2
            END,
        penalised_at = COALESCE(excluded.penalised_at, h.penalised_at),
        updated_at = now()
    RETURNING h.provider_id, h.refusals
), p AS (
    UPDATE provider p SET state = 3, version = p.version + 1, updated_at = now()
    FROM h WHERE p.tenant_id = $1 AND p.id = h.provider_id AND p.state = 1
        AND h.refusals >= $2
    RETURNING p.id, p.name, p.channel
), g AS (
    UPDATE tenant_generation SET generation = generation + 1
    WHERE tenant_id = $1 AND EXISTS (SELECT FROM p)
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, type, channel, provider_id, text,
        by)
    SELECT $1, r.notification_id, r.event_id, 'provider.parked', p.channel, p.id,
        'its credentials are refused: it is not used until somebody mends it',
        'spooler ' || $4::uuid
    FROM p JOIN r ON r.id = p.id WHERE r.notification_id IS NOT NULL
), a AS (
    INSERT INTO audit (tenant_id, id, principal, source, action, object)
    SELECT $1, r.audit_id, 'spooler ' || $4::uuid,
        (SELECT host FROM spooler WHERE id = $4::uuid), 'provider.park', p.name
    FROM p JOIN r ON r.id = p.id
)
SELECT id, name FROM p

-- name: provider_wake
-- Nothing.  An account can be used (again): of what waits for one of its channel, so many
-- as a request has time for are due now, those first that would be first.  The others are
-- due by themselves within retry.account_delay.
WITH h AS (
    UPDATE provider_health SET state = 1, failures = 0, refusals = 0,
        opened_until = NULL, blocked_until = NULL, updated_at = now()
    WHERE tenant_id = $1 AND provider_id = $2
), c AS MATERIALIZED (
    SELECT tenant_id, ctid AS place FROM q_later
    WHERE tenant_id = $1 AND kind = 1 AND due > now()
        AND lane = (SELECT channel FROM provider WHERE tenant_id = $1 AND id = $2)
    ORDER BY due, id LIMIT 5000 FOR UPDATE SKIP LOCKED
)
UPDATE q_later q SET due = now() FROM c
WHERE q.ctid = c.place AND q.tenant_id = c.tenant_id
