-- What is reported later of deliveries (src/notify/receipt.h).

-- name: receipt_find
-- A row for each receipt whose delivery there is, which nobody changes until the end: the
-- receipt's place from 1 on, notification, delivery, state, told, the number of attempts,
-- the attempt it tells of (0: not known), the last account, channel, user, address, and
-- whether the next account is waiting for a receipt.
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::uuid[], $6::text[])
        WITH ORDINALITY AS r (notification_id, id, n, provider_id, ref, no)
), f AS MATERIALIZED (
    SELECT no, notification_id, id, n FROM r WHERE id IS NOT NULL
    UNION ALL
    SELECT r.no, a.notification_id, a.delivery_id, a.n FROM r CROSS JOIN LATERAL (
        SELECT * FROM attempt WHERE tenant_id = $1 AND provider_id = r.provider_id
            AND provider_ref = r.ref ORDER BY notification_id DESC LIMIT 1) a
    WHERE r.id IS NULL
    ORDER BY 3
)
SELECT f.no, d.notification_id, d.id, d.state, d.told, d.attempts, f.n, d.provider_id,
    d.channel, d.user_id, d.address, d.state = 4 AND d.due IS NOT NULL
FROM f CROSS JOIN LATERAL (
    SELECT * FROM delivery WHERE tenant_id = $1 AND notification_id = f.notification_id
        AND id = f.id OFFSET 0 FOR UPDATE) d
ORDER BY f.no

-- name: receipt_move
-- Nothing.  Deliveries get their state $4 and what is told of them; $8 is what that
-- does to the open deliveries of their notifications.  Only whose wait was still there
-- becomes ready.
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::smallint[], $5::smallint[],
        $6::smallint[], $7::text[], $8::int[], $9::smallint[])
        AS r (notification_id, id, state, told, class, reason, opened, failover)
), c AS MATERIALIZED (
    SELECT q.tenant_id, q.place FROM r CROSS JOIN LATERAL (
        SELECT tenant_id, ctid AS place FROM q_later WHERE tenant_id = $1
            AND id = r.id OFFSET 0 FOR UPDATE SKIP LOCKED) q
    WHERE r.state <> 3
), w AS (
    DELETE FROM q_later q USING c
    WHERE q.ctid = c.place AND q.tenant_id = c.tenant_id
    RETURNING q.id, q.notification_id, q.lane, q.prio, q.lease_no
), d AS (
    UPDATE delivery d SET state = r.state, told = r.told,
        due = CASE WHEN r.state = 3 THEN d.due END,
        class = CASE WHEN r.told < 0 THEN r.class ELSE COALESCE(r.class, d.class) END,
        failovers = d.failovers + r.failover,
        reason = CASE r.state WHEN 5 THEN NULL ELSE COALESCE(r.reason, d.reason) END,
        finished_at = CASE WHEN r.state IN (2, 3) THEN NULL
            ELSE COALESCE(d.finished_at, now()) END
    FROM r WHERE d.tenant_id = $1 AND d.notification_id = r.notification_id
        AND d.id = r.id AND (r.state <> 2 OR EXISTS (SELECT FROM w WHERE w.id = r.id))
    RETURNING d.notification_id, d.id, d.state, r.opened
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, w.lane, w.prio, now(), w.id, w.notification_id, w.lease_no
    FROM w JOIN d ON d.id = w.id WHERE d.state = 2
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, w.lane, w.prio FROM w JOIN d ON d.id = w.id
    WHERE d.state = 2
    ON CONFLICT DO NOTHING
)
UPDATE notification n SET open_count = n.open_count + c.opened,
    state = CASE WHEN n.state = 3 AND n.open_count + c.opened > 0 THEN 2
        WHEN n.state = 2 AND n.open_count + c.opened <= 0 THEN 3 ELSE n.state END,
    done_at = CASE WHEN n.open_count + c.opened > 0 THEN NULL
        WHEN n.state = 2 THEN now() ELSE n.done_at END
FROM (SELECT notification_id, sum(opened)::int AS opened FROM d
    GROUP BY notification_id HAVING sum(opened) <> 0) c
WHERE n.tenant_id = $1 AND n.id = c.notification_id

-- name: receipt_events
-- The ids of the events that are new: each type once for a delivery, clicks once for
-- each text.
INSERT INTO event (tenant_id, notification_id, id, delivery_id, at, type, channel,
    provider_id, attempt, class, code, text, by)
SELECT $1, r.notification_id, r.event_id, r.id, COALESCE(r.at, now()), r.type, r.channel,
    r.provider_id, NULLIF(r.n, 0), r.class, r.code, r.text, r.by
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::text[],
    $7::smallint[], $8::uuid[], $9::int[], $10::smallint[], $11::text[], $12::text[],
    $13::text[])
    AS r (notification_id, id, event_id, at, type, channel, provider_id, n, class, code,
        text, by)
WHERE NOT EXISTS (SELECT FROM event e WHERE e.tenant_id = $1
    AND e.notification_id = r.notification_id AND e.delivery_id = r.id
    AND e.type = r.type AND (r.type <> 'delivery.clicked'
        OR e.text IS NOT DISTINCT FROM r.text))
RETURNING id
