-- What happens is told to URLs that tenants subscribed (src/model/webhook_endpoint.h,
-- src/model/webhook_attempt.h, src/spooler/webhooks.c).

-- name: webhook_endpoint_list
-- Up to $3 rows after the one with the id $2, in the order of their ids.
SELECT e.id, e.url, e.description, array_to_string(e.events, ','), e.signature, e.rate,
    e.public_key, e.previous_until, e.state, e.reason, e.version, e.created_at,
    e.updated_at, h.failing_since, h.paused_until, e.sealed, e.ordered
FROM webhook_endpoint e
LEFT JOIN webhook_health h ON h.tenant_id = $1 AND h.endpoint_id = e.id
WHERE e.tenant_id = $1 AND e.id > $2
ORDER BY e.id
LIMIT $3

-- name: webhook_endpoint_get
-- One row or none, with the same columns.
SELECT e.id, e.url, e.description, array_to_string(e.events, ','), e.signature, e.rate,
    e.public_key, e.previous_until, e.state, e.reason, e.version, e.created_at,
    e.updated_at, h.failing_since, h.paused_until, e.sealed, e.ordered
FROM webhook_endpoint e
LEFT JOIN webhook_health h ON h.tenant_id = $1 AND h.endpoint_id = e.id
WHERE e.tenant_id = $1 AND e.id = $2

-- name: webhook_endpoint_count
-- One row: how many there are.
SELECT count(*) FROM webhook_endpoint WHERE tenant_id = $1

-- name: webhook_endpoint_lock
-- One row or none: the version, which nobody changes until the transaction ends, and what
-- is sealed, and the state.
SELECT version, sealed, state FROM webhook_endpoint
WHERE tenant_id = $1 AND id = $2 FOR UPDATE

-- name: webhook_endpoint_insert
-- Nothing.
INSERT INTO webhook_endpoint (tenant_id, id, url, description, events, signature, rate,
    ordered, sealed, public_key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: webhook_endpoint_update
-- One row: the new version.
UPDATE webhook_endpoint SET url = $3, description = $4, events = $5, rate = $6, ordered = $7,
    sealed = $8, version = version + 1, updated_at = now()
WHERE tenant_id = $1 AND id = $2
RETURNING version

-- name: webhook_endpoint_rotate
-- One row: the new version.  The secret before goes on being used for $5 milliseconds.
UPDATE webhook_endpoint SET sealed = $3, public_key = $4,
    previous_until = now() + $5::bigint * interval '1 ms', version = version + 1,
    updated_at = now()
WHERE tenant_id = $1 AND id = $2
RETURNING version

-- name: webhook_endpoint_enable
-- Nothing.  It begins as if it had never failed.
WITH h AS (
    UPDATE webhook_health SET disabled = false, failing_since = NULL, warned = 0,
        paused_until = NULL, next_at = NULL
    WHERE tenant_id = $1 AND endpoint_id = $2
)
UPDATE webhook_endpoint SET state = 1, reason = NULL, version = version + 1,
    updated_at = now()
WHERE tenant_id = $1 AND id = $2

-- name: webhook_endpoint_disable
-- Nothing.  What waited for it can be sent again when it is enabled.
WITH q AS (
    DELETE FROM webhook_queue WHERE tenant_id = $1 AND endpoint_id = $2
), h AS (
    UPDATE webhook_health SET disabled = true WHERE tenant_id = $1 AND endpoint_id = $2
)
UPDATE webhook_endpoint SET state = 2, reason = $3, version = version + 1,
    updated_at = now()
WHERE tenant_id = $1 AND id = $2

-- name: webhook_endpoint_delete
-- Nothing.
DELETE FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2

-- name: webhook_ping
-- Nothing.  A message with the id $3 to this endpoint alone.
WITH m AS (
    INSERT INTO webhook_message (tenant_id, id, at, type, object_id, seq, endpoint_id, text)
    SELECT $1, $3, now(), 'webhook.ping', $2, 1 + COALESCE((SELECT max(seq)
        FROM webhook_message WHERE tenant_id = $1 AND object_id = $2), 0), $2,
        'somebody wants to know whether messages get through'
)
INSERT INTO webhook_queue (tenant_id, endpoint_id, message_id, due) VALUES ($1, $2, $3, now())

-- ---- Attempts ----------------------------------------------------------------------

-- name: webhook_attempt_list
-- Up to $9 rows of the endpoint $2 before the one with the id $8 (NULL: from the newest
-- on), the newest first.  $3: of this message; $4: of messages of this type; $5: those that
-- succeeded or did not; $6 and $7: started from, and before.
SELECT a.id, a.message_id, m.type, a.n, a.started_at, a.finished_at, a.ok, a.status,
    a.error, a.duration_ms, a.next_due, NULL, NULL
FROM webhook_attempt a
LEFT JOIN webhook_message m ON m.tenant_id = $1 AND m.id = a.message_id
WHERE a.tenant_id = $1 AND a.endpoint_id = $2
    AND ($3::uuid IS NULL OR a.message_id = $3)
    AND ($4::text IS NULL OR m.type = $4)
    AND ($5::boolean IS NULL OR a.ok = $5)
    AND a.started_at >= COALESCE($6::timestamptz, '-infinity')
    AND a.started_at < COALESCE($7::timestamptz, 'infinity')
    AND a.id < COALESCE($8::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
ORDER BY a.id DESC
LIMIT $9

-- name: webhook_attempt_get
-- One row or none, with the same columns.
SELECT a.id, a.message_id, m.type, a.n, a.started_at, a.finished_at, a.ok, a.status,
    a.error, a.duration_ms, a.next_due, a.request, a.response
FROM webhook_attempt a
LEFT JOIN webhook_message m ON m.tenant_id = $1 AND m.id = a.message_id
WHERE a.tenant_id = $1 AND a.endpoint_id = $2 AND a.id = $3

-- name: webhook_redeliver_attempt
-- One row or none: the message of the attempt $3, which is due at once.
INSERT INTO webhook_queue AS q (tenant_id, endpoint_id, message_id, due, tries, base, chain)
SELECT $1, $2, a.message_id, now(), t.n, t.n, webhook_chain(e.ordered, m)
FROM webhook_attempt a
JOIN webhook_message m ON m.tenant_id = $1 AND m.id = a.message_id
JOIN webhook_endpoint e ON e.tenant_id = $1 AND e.id = $2
CROSS JOIN LATERAL (SELECT max(n) AS n FROM webhook_attempt b WHERE b.tenant_id = $1
    AND b.endpoint_id = $2 AND b.message_id = a.message_id) t
WHERE a.tenant_id = $1 AND a.endpoint_id = $2 AND a.id = $3
ON CONFLICT (tenant_id, endpoint_id, message_id) DO UPDATE SET
    due = LEAST(q.due, CASE WHEN q.spooler IS NULL THEN now() ELSE q.due END)
RETURNING message_id

-- name: webhook_redeliver
-- One row: how many messages of those looked at are due at once, how many were looked at,
-- and the last of them.  Up to $6 messages after the one with the id $5 (NULL: the first)
-- that the endpoint wants, from $3 on; $4: only those that never got through.
WITH m AS MATERIALIZED (
    SELECT m.id, webhook_chain(e.ordered, m) AS chain FROM webhook_message m
    JOIN webhook_endpoint e ON e.tenant_id = $1 AND e.id = $2
    WHERE m.tenant_id = $1
        AND m.id > GREATEST(uuid_floor($3::timestamptz),
            COALESCE($5::uuid, '00000000-0000-0000-0000-000000000000'))
        AND (e.events = '{}' OR m.type = ANY (e.events))
        AND m.endpoint_id IS DISTINCT FROM $2
    ORDER BY m.id LIMIT $6
), w AS (
    INSERT INTO webhook_queue (tenant_id, endpoint_id, message_id, due, tries, base, chain)
    SELECT $1, $2, m.id, now(), COALESCE(t.n, 0), COALESCE(t.n, 0), m.chain
    FROM m CROSS JOIN LATERAL (SELECT max(n) AS n, bool_or(ok) AS ok
        FROM webhook_attempt a WHERE a.tenant_id = $1 AND a.endpoint_id = $2
            AND a.message_id = m.id) t
    WHERE NOT ($4::boolean AND COALESCE(t.ok, false))
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM w), count(*), (SELECT id FROM m ORDER BY id DESC LIMIT 1)
FROM m

-- ---- Sending ------------------------------------------------------------------------

-- name: webhook_due
-- A row for each endpoint that has something due, wherever it is: tenant and endpoint.
WITH RECURSIVE k AS (
    (SELECT tenant_id, endpoint_id, due FROM webhook_queue
    ORDER BY tenant_id, endpoint_id, due LIMIT 1)
    UNION ALL
    SELECT n.* FROM k, LATERAL (
        SELECT q.tenant_id, q.endpoint_id, q.due FROM webhook_queue q
        WHERE (q.tenant_id, q.endpoint_id) > (k.tenant_id, k.endpoint_id)
        ORDER BY q.tenant_id, q.endpoint_id, q.due LIMIT 1) n
)
SELECT k.tenant_id, k.endpoint_id FROM k
JOIN webhook_health h ON h.tenant_id = k.tenant_id AND h.endpoint_id = k.endpoint_id
WHERE k.due <= now() AND NOT h.disabled AND COALESCE(h.paused_until, '-infinity') <= now()

-- name: webhook_claim
-- A row for each message that is leased to the spooler $3 now, at most $4 and as many as
-- the endpoint's rate allows, with its attempt, whose id is one of $5: the attempt, its
-- number and how many lie before the last redelivery; the message; the endpoint.  Of a chain
-- only the first is leased, when nothing of it is; others that are met are parked behind it,
-- while it is locked (sql/migrations/0035_channels.sql says why).
WITH h AS MATERIALIZED (
    SELECT h.next_at, e.rate, e.url, e.signature, e.sealed, e.previous_until > now() AS both,
        GREATEST(0, LEAST($4::int, COALESCE(floor(e.rate * (1 - GREATEST(0,
            extract(epoch FROM h.next_at - now())))), $4::int)))::int AS room,
        CASE WHEN e.ordered IS NULL THEN 1 ELSE 20 END AS wider
    FROM webhook_health h
    JOIN webhook_endpoint e ON e.tenant_id = $1 AND e.id = $2 AND e.state = 1
    WHERE h.tenant_id = $1 AND h.endpoint_id = $2
        AND COALESCE(h.paused_until, '-infinity') <= now()
        AND EXISTS (SELECT FROM tenant WHERE id = $1 AND state = 1)
    FOR UPDATE OF h SKIP LOCKED
), w AS MATERIALIZED (
    SELECT tenant_id, ctid AS place, due, message_id, chain FROM webhook_queue
    WHERE tenant_id = $1 AND endpoint_id = $2 AND due <= now() AND EXISTS (SELECT FROM h)
    ORDER BY due, message_id
    LIMIT (SELECT room * wider FROM h)
    FOR UPDATE SKIP LOCKED
), first AS MATERIALIZED (
    SELECT k.chain, f.message_id
    FROM (SELECT DISTINCT chain FROM w WHERE chain IS NOT NULL) k
    CROSS JOIN LATERAL (SELECT message_id FROM webhook_queue WHERE tenant_id = $1
        AND endpoint_id = $2 AND chain = k.chain ORDER BY message_id LIMIT 1) f
), c AS MATERIALIZED (
    SELECT w.* FROM w
    WHERE w.chain IS NULL OR (w.message_id IN (SELECT message_id FROM first)
        AND NOT EXISTS (SELECT FROM webhook_queue l WHERE l.tenant_id = $1
            AND l.endpoint_id = $2 AND l.chain = w.chain AND l.spooler IS NOT NULL))
    ORDER BY w.due, w.message_id
    LIMIT (SELECT room FROM h)
), locked AS MATERIALIZED (
    SELECT first.chain FROM first
    JOIN webhook_queue p ON p.tenant_id = $1 AND p.endpoint_id = $2
        AND p.message_id = first.message_id
    WHERE NOT EXISTS (SELECT FROM w WHERE w.message_id = first.message_id)
    FOR KEY SHARE OF p SKIP LOCKED
), parked AS (
    UPDATE webhook_queue q SET due = 'infinity'
    FROM w JOIN first ON first.chain = w.chain AND first.message_id < w.message_id
    WHERE q.ctid = w.place AND q.tenant_id = w.tenant_id
        AND (w.chain IN (SELECT chain FROM locked)
            OR first.message_id IN (SELECT message_id FROM w))
), q AS (
    UPDATE webhook_queue q SET due = 'infinity', spooler = $3, tries = tries + 1
    FROM c WHERE q.ctid = c.place AND q.tenant_id = c.tenant_id
    RETURNING q.message_id, q.tries, q.base, q.chain
), n AS (
    SELECT q.*, ($5::uuid[])[row_number() OVER (ORDER BY message_id)] AS attempt_id FROM q
), a AS (
    INSERT INTO webhook_attempt (tenant_id, endpoint_id, id, message_id, n, spooler)
    SELECT $1, $2, attempt_id, message_id, tries, $3 FROM n
), r AS (
    UPDATE webhook_health u SET next_at = GREATEST(u.next_at, now())
        + (SELECT count(*) FROM q)::float8 / h.rate * interval '1 s'
    FROM h WHERE u.tenant_id = $1 AND u.endpoint_id = $2 AND h.rate IS NOT NULL
        AND EXISTS (SELECT FROM q)
)
SELECT n.attempt_id, n.tries, n.base, m.id, m.at, m.type, m.seq, m.notification_id,
    m.delivery_id, m.channel, p.name, m.endpoint_id, m.attempt, m.class, m.code, m.text,
    m.next_due, o.metadata, o.traceparent, d.user_id, h.url, h.signature, h.sealed, h.both, n.chain IS NOT NULL
FROM n CROSS JOIN h
JOIN webhook_message m ON m.tenant_id = $1 AND m.id = n.message_id
LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = m.provider_id
LEFT JOIN LATERAL (SELECT metadata, traceparent FROM notification WHERE tenant_id = $1
    AND id = m.notification_id OFFSET 0) o ON true
LEFT JOIN LATERAL (SELECT user_id FROM delivery WHERE tenant_id = $1
    AND notification_id = m.notification_id AND id = m.delivery_id OFFSET 0) d ON true
ORDER BY m.id

-- name: webhook_settle
-- A row for each endpoint that goes on failing: for how many milliseconds, and of how much
-- of its time it was warned.  The outcomes of attempts: those with a delay are tried
-- again, the others are over; verdict 1 is success, 0 failure, 2 an attempt that was taken
-- back and does not count.  Attempts are looked up one by one, and by what each of their
-- indexes has: the plan for a table that was small would read all of the endpoint's.
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::int[],
        $8::int[], $9::text[], $10::int[], $11::bigint[], $12::bigint[], $13::text[],
        $14::text[])
        AS r (endpoint_id, message_id, attempt_id, n, verdict, status, error, took_ms,
            delay_ms, pause_ms, request, response)
), f AS MATERIALIZED (
    SELECT r.*, q.place, q.tenant_id FROM r CROSS JOIN LATERAL (
        SELECT tenant_id, ctid AS place FROM webhook_queue WHERE tenant_id = $1
            AND endpoint_id = r.endpoint_id AND message_id = r.message_id
            AND spooler = $2 AND tries = r.n OFFSET 0) q
), over AS (
    DELETE FROM webhook_queue q USING f
    WHERE q.ctid = f.place AND q.tenant_id = f.tenant_id AND f.delay_ms IS NULL
), again AS (
    UPDATE webhook_queue q SET due = now() + f.delay_ms * interval '1 ms', spooler = NULL,
        base = q.base + CASE f.verdict WHEN 2 THEN 1 ELSE 0 END
    FROM f WHERE q.ctid = f.place AND q.tenant_id = f.tenant_id AND f.delay_ms IS NOT NULL
), a AS (
    UPDATE webhook_attempt a SET finished_at = now(), ok = r.verdict = 1,
        status = r.status, error = r.error, duration_ms = r.took_ms,
        next_due = now() + r.delay_ms * interval '1 ms', request = r.request,
        response = r.response
    FROM r CROSS JOIN LATERAL (SELECT ctid AS place FROM webhook_attempt
        WHERE tenant_id = $1 AND endpoint_id = r.endpoint_id AND id = r.attempt_id
            AND message_id = r.message_id OFFSET 0) p
    WHERE a.tenant_id = $1 AND a.ctid = p.place
), e AS (
    SELECT endpoint_id, bool_or(verdict = 1) AS well, bool_or(verdict = 0) AS ill,
        max(pause_ms) AS pause_ms
    FROM r GROUP BY endpoint_id
)
UPDATE webhook_health h SET
    failing_since = CASE WHEN e.well THEN NULL WHEN e.ill THEN COALESCE(failing_since, now())
        ELSE failing_since END,
    warned = CASE WHEN e.well THEN 0 ELSE warned END,
    paused_until = CASE WHEN e.pause_ms > 0
        THEN GREATEST(paused_until, now() + e.pause_ms * interval '1 ms')
        ELSE paused_until END
FROM e WHERE h.tenant_id = $1 AND h.endpoint_id = e.endpoint_id
    AND (e.pause_ms > 0 OR CASE WHEN e.well THEN failing_since IS NOT NULL ELSE e.ill END)
RETURNING h.endpoint_id, (extract(epoch FROM now() - h.failing_since) * 1000)::bigint,
    h.warned

-- name: webhook_warn
-- A row when this is news.  An endpoint was told to have used up $3 percent of its time, for
-- $7 milliseconds of which at most it counts as failing: there was nothing to send for long.
WITH h AS (
    UPDATE webhook_health SET warned = $3,
        failing_since = GREATEST(failing_since, now() - $7 * interval '1 ms')
    WHERE tenant_id = $1 AND endpoint_id = $2 AND warned < $3
    RETURNING endpoint_id
), a AS (
    INSERT INTO audit (tenant_id, id, principal, source, action, object, detail)
    SELECT $1, $4, 'spooler ' || $6::uuid,
        (SELECT host FROM spooler WHERE id = $6::uuid), 'webhook.warn', $2::uuid::text,
        json_build_object('percent', $3::int, 'text', $5::text)
    FROM h
)
SELECT webhook_put(ROW($1, NULL, now(), 'webhook.failing', NULL, 0, NULL, NULL, NULL, NULL,
    endpoint_id, NULL, NULL, NULL, $5, NULL)::webhook_message) FROM h

-- name: webhook_give_up
-- A row when this is news.  An endpoint is disabled for the reason $3; what waits for it is
-- kept as a message.
WITH e AS (
    UPDATE webhook_endpoint SET state = 2, reason = $3, version = version + 1,
        updated_at = now()
    WHERE tenant_id = $1 AND id = $2 AND state = 1
    RETURNING id
), q AS (
    DELETE FROM webhook_queue WHERE tenant_id = $1 AND endpoint_id = $2
), h AS (
    UPDATE webhook_health SET disabled = true WHERE tenant_id = $1 AND endpoint_id = $2
), a AS (
    INSERT INTO audit (tenant_id, id, principal, source, action, object, detail)
    SELECT $1, $4, 'spooler ' || $5::uuid,
        (SELECT host FROM spooler WHERE id = $5::uuid), 'webhook.disable', id::text,
        json_build_object('reason', $3::text)
    FROM e
)
SELECT webhook_put(ROW($1, NULL, now(), 'webhook.disabled', NULL, 0, NULL, NULL, NULL, NULL,
    id, NULL, NULL, NULL, $3, NULL)::webhook_message) FROM e

-- name: webhook_orphans
-- A row for each tenant and spooler whose leases of messages have no living owner; $1 is the
-- age in milliseconds at which a silent spooler is dead, $2 the one that asks.
SELECT DISTINCT q.tenant_id, q.spooler FROM webhook_queue q
WHERE q.spooler IS NOT NULL AND q.spooler <> $2
    AND NOT EXISTS (SELECT FROM spooler s WHERE s.id = q.spooler
        AND s.heartbeat_at >= now() - $1 * interval '1 ms')

-- name: webhook_rescue
-- A row for each message that the dead spooler $2 was sending, which is due again.
WITH q AS (
    UPDATE webhook_queue SET due = now(), spooler = NULL
    WHERE tenant_id = $1 AND spooler = $2
    RETURNING endpoint_id, message_id, tries
), a AS (
    UPDATE webhook_attempt a SET finished_at = now(), ok = false,
        error = 'the spooler that sent it is gone: nobody knows what came of it'
    FROM q WHERE a.tenant_id = $1 AND a.endpoint_id = q.endpoint_id
        AND a.message_id = q.message_id AND a.n = q.tries AND a.finished_at IS NULL
)
SELECT endpoint_id FROM q

-- name: webhook_waiting
-- One row: how many messages wait or are being sent, counted up to 10001.
SELECT count(*) FROM (SELECT FROM webhook_queue LIMIT 10001) q

-- name: webhook_undo
-- A row for each of the attempts $4 that is there and holds a lease of the spooler $3, which
-- it gives back.
WITH q AS (
    UPDATE webhook_queue q SET due = now(), spooler = NULL
    FROM webhook_attempt a WHERE q.tenant_id = $1 AND q.endpoint_id = $2
        AND a.tenant_id = $1 AND a.endpoint_id = $2 AND a.id = ANY ($4::uuid[])
        AND q.message_id = a.message_id AND q.tries = a.n AND q.spooler = $3
    RETURNING a.id
), a AS (
    UPDATE webhook_attempt a SET finished_at = now(), ok = false,
        error = 'it was not sent: the connection to the database was lost'
    FROM q WHERE a.tenant_id = $1 AND a.endpoint_id = $2 AND a.id = q.id
)
SELECT id FROM q
