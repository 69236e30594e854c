-- Notifications, from acceptance to what became of them.

-- name: accept_now
-- Nothing; violates idempotency_pkey when the key ($24, NULL for none) was used before.
-- The notification, its row in lane 0, the mark that the tenant has work, and the key
-- with its answer.
WITH n AS (
    INSERT INTO notification (tenant_id, id, priority, account_id, template_id,
        template_version, category, locale, channels, fallback, content, recipients,
        user_ids, data, metadata, attachments, send_at, expires_at, request_id,
        traceparent, created_at, template_release, quiet_exempt, test,
        tracking)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
        $17, $18, $19, $20, $21, $22, $23, $29, $30)
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    VALUES ($1, 0, $3, now(), $2, $2, 0)
), i AS (
    INSERT INTO idempotency (tenant_id, key, request_hash, status, location, body)
    SELECT $1, $24, $25, $26, $27, $28 WHERE $24::bytea IS NOT NULL
)
INSERT INTO tenant_ready (tenant_id, lane, prio) VALUES ($1, 0, $3)
ON CONFLICT DO NOTHING

-- name: accept_express
-- The same for a notification that the api has routed into $29 deliveries, which are
-- written in the same transaction.  By its two times being the same it is seen that it
-- was the api.
WITH i AS (
    INSERT INTO idempotency (tenant_id, key, request_hash, status, location, body)
    SELECT $1, $24, $25, $26, $27, $28 WHERE $24::bytea IS NOT NULL
)
INSERT INTO notification (tenant_id, id, priority, account_id, template_id,
    template_version, category, locale, channels, fallback, content, recipients,
    user_ids, data, metadata, attachments, send_at, expires_at, request_id,
    traceparent, created_at, template_release, quiet_exempt, state, open_count,
    delivery_count, routed_at, tracking)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
    $17, $18, $19, $20, $21, $22, $23, 2, $29, $29, $21, $30)

-- name: accept_later
-- The same with a row in the queue of later work (send_at).
WITH n AS (
    INSERT INTO notification (tenant_id, id, priority, account_id, template_id,
        template_version, category, locale, channels, fallback, content, recipients,
        user_ids, data, metadata, attachments, send_at, expires_at, request_id,
        traceparent, created_at, template_release, quiet_exempt, test,
        tracking)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
        $17, $18, $19, $20, $21, $22, $23, $29, $30)
), i AS (
    INSERT INTO idempotency (tenant_id, key, request_hash, status, location, body)
    SELECT $1, $24, $25, $26, $27, $28 WHERE $24::bytea IS NOT NULL
)
INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no)
VALUES ($1, $17, $2, $2, 0, $3, 0)

-- name: accept_confirm
-- One row of no interest: this transaction has something to write by it, so its COMMIT
-- waits until everything before it is as safe as it is to be.
SELECT pg_logical_emit_message(true, 'belfry', '')::text

-- name: idempotency_get
-- At most one row: the request's hash and its answer.  A key that is older than $3
-- milliseconds counts as not there, and is gone then.
WITH x AS (
    DELETE FROM idempotency WHERE tenant_id = $1 AND key = $2
        AND created_at < now() - $3::bigint * interval '1 ms'
)
SELECT request_hash, status, location, body, etag FROM idempotency
WHERE tenant_id = $1 AND key = $2
    AND created_at >= now() - $3::bigint * interval '1 ms'

-- name: idempotency_insert
-- Nothing; violates idempotency_pkey when the key was used before.
INSERT INTO idempotency (tenant_id, key, request_hash, status, location, etag, body)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: idempotency_expire
-- One row: whether there are blocks behind the $3 from $2 on, from which the keys went that
-- are older than $1 milliseconds.
WITH x AS (
    DELETE FROM idempotency WHERE ctid >= format('(%s,0)', $2::bigint)::tid
        AND ctid < format('(%s,0)', $2::bigint + $3::bigint)::tid
        AND created_at < now() - $1::bigint * interval '1 ms'
)
SELECT pg_relation_size('idempotency')
    > ($2::bigint + $3::bigint) * current_setting('block_size')::bigint

-- name: notification_exists
-- One row if the notification is there.
SELECT 1 FROM notification WHERE tenant_id = $1 AND id = $2

-- name: notification_get
-- At most one row: the notification as its service sees it.
SELECT n.id, n.state, n.priority, n.category, n.locale, n.channels, t.key,
    n.template_version, n.batch_id, n.metadata, n.send_at, n.expires_at, n.created_at,
    n.routed_at, n.done_at, n.delivery_count, n.request_id,
    CASE json_typeof(n.recipients) WHEN 'array' THEN json_array_length(n.recipients)
        ELSE 0 END, n.fallback
FROM notification n
LEFT JOIN template t ON t.tenant_id = $1 AND t.id = n.template_id
WHERE n.tenant_id = $1 AND n.id = $2

-- name: notification_deliveries
-- A row for each delivery of a notification, in the order of recipients.
SELECT d.id, d.recipient_no, d.step, d.channel, d.state, d.attempts, d.user_id,
    d.address, p.name, d.provider_ref, d.class, d.reason, d.due, d.created_at,
    d.finished_at, d.trace
FROM delivery d
LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = d.provider_id
WHERE d.tenant_id = $1 AND d.notification_id = $2
ORDER BY d.recipient_no, d.step, d.id

-- name: notification_timeline
-- A row for each thing that happened, oldest first.  What attempts and the
-- notification itself tell is not stored a second time as an event.
SELECT * FROM (
    SELECT created_at AS at, 10 AS rank, 'notification.accepted' AS type,
        NULL::uuid AS delivery_id, NULL::smallint AS channel, NULL AS provider,
        NULL::int AS attempt, NULL::smallint AS class, NULL AS code, NULL AS text,
        'api' AS by, NULL::timestamptz AS next_due
    FROM notification WHERE tenant_id = $1 AND id = $2
    UNION ALL
    SELECT routed_at, 20, 'notification.routed', NULL, NULL, NULL, NULL, NULL, NULL,
        delivery_count || CASE delivery_count WHEN 1 THEN ' delivery'
            ELSE ' deliveries' END,
        CASE routed_at WHEN created_at THEN 'api' ELSE 'spooler' END, NULL
    FROM notification WHERE tenant_id = $1 AND id = $2 AND routed_at IS NOT NULL
    UNION ALL
    SELECT a.started_at, 40, 'delivery.started', a.delivery_id, d.channel, p.name, a.n,
        NULL, NULL, NULL, 'spooler ' || a.spooler, NULL
    FROM attempt a
    JOIN delivery d ON d.tenant_id = $1 AND d.notification_id = $2
        AND d.id = a.delivery_id
    LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = a.provider_id
    WHERE a.tenant_id = $1 AND a.notification_id = $2
    UNION ALL
    SELECT a.finished_at, 50, CASE a.state WHEN 1 THEN 'delivery.deferred'
            WHEN 2 THEN 'delivery.deferred' WHEN 4 THEN 'delivery.sent'
            WHEN 5 THEN 'delivery.delivered' WHEN 6 THEN 'delivery.failed'
            WHEN 7 THEN 'delivery.dead' WHEN 8 THEN 'delivery.held'
            ELSE 'delivery.expired' END,
        a.delivery_id, d.channel, p.name, a.n, a.class, a.code, a.text,
        'spooler ' || a.spooler, a.next_due
    FROM attempt a
    JOIN delivery d ON d.tenant_id = $1 AND d.notification_id = $2
        AND d.id = a.delivery_id
    LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = a.provider_id
    WHERE a.tenant_id = $1 AND a.notification_id = $2 AND a.finished_at IS NOT NULL
    UNION ALL
    SELECT e.at, 45, e.type, e.delivery_id, e.channel, p.name, e.attempt, e.class,
        e.code, e.text, e.by, NULL
    FROM event e
    LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = e.provider_id
    WHERE e.tenant_id = $1 AND e.notification_id = $2
    UNION ALL
    SELECT done_at, 90, 'notification.done', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        'spooler', NULL
    FROM notification WHERE tenant_id = $1 AND id = $2 AND done_at IS NOT NULL
        AND state = 3
) x ORDER BY at, rank, attempt

-- name: route_devices
-- A row for each device of those users, at most $3 for each, the latest registered first:
-- user id and token.
SELECT u.user_id, d.token FROM (
    SELECT DISTINCT user_id FROM unnest($2::text[]) AS t (user_id)) u CROSS JOIN LATERAL (
    SELECT token FROM device WHERE tenant_id = $1 AND user_id = u.user_id
    ORDER BY updated_at DESC, id LIMIT $3) d

-- name: route_recipients
-- A row for each stored recipient of those user ids.
SELECT user_id, email, phone, name, locale, time_zone, data, quiet_hours
FROM recipient
WHERE tenant_id = $1 AND user_id = ANY ($2::text[])

-- name: notification_attachments
-- One text: the attachments as they came.
SELECT attachments FROM notification WHERE tenant_id = $1 AND id = $2

-- name: notification_waits
-- A row for each thing that keeps open work of a notification from going on: the delivery
-- (the notification's own id until it is routed), the thing's number (enum wait of
-- src/notify/explain.c), a name, until when (NULL: not known), and how many are before it.  $3 is
-- the age in milliseconds at which a silent spooler is dead.
WITH w AS (
    SELECT d.id, d.channel AS lane, d.state FROM delivery d
    WHERE d.tenant_id = $1 AND d.notification_id = $2 AND d.state IN (1, 2, 3)
    UNION ALL
    SELECT n.id, 0, 2 FROM notification n
    WHERE n.tenant_id = $1 AND n.id = $2 AND n.state = 1
), p AS (
    SELECT p.channel, p.name, p.state, p.limits, h.state AS breaker, h.opened_until,
        h.blocked_until, b.tat, b.day, b.used, b.warm_from
    FROM provider p
    LEFT JOIN provider_health h ON h.tenant_id = $1 AND h.provider_id = p.id
    LEFT JOIN provider_budget b ON b.tenant_id = $1 AND b.provider_id = p.id
    WHERE p.tenant_id = $1 AND p.shared_id IS NULL
    UNION ALL
    SELECT p.channel, p.name, CASE p.state WHEN 1 THEN s.state ELSE p.state END, s.limits,
        s.breaker, s.opened_until, s.blocked_until, s.tat, s.day, s.used, s.warm_from
    FROM provider p CROSS JOIN LATERAL shared_account(p.shared_id) s
    WHERE p.tenant_id = $1 AND p.shared_id IS NOT NULL
), a AS (
    SELECT w.id, p.name, p.state, p.breaker, p.opened_until,
        CASE WHEN p.blocked_until > now() THEN p.blocked_until END AS blocked,
        CASE WHEN p.tat > now() + interval '100 ms'
                AND (p.limits ->> 'rate')::int > 0 THEN p.tat END AS paced,
        CASE WHEN p.day = (now() AT TIME ZONE 'UTC')::date AND p.used >= warm_up_share(
                NULLIF((p.limits ->> 'per_day')::int, 0),
                (p.limits ->> 'warmup_start')::int,
                COALESCE((p.limits ->> 'warmup_days')::int, 30), p.day - p.warm_from)
            THEN (p.day + 1)::timestamp AT TIME ZONE 'UTC' END AS used_up
    FROM w JOIN p ON p.channel = w.lane
    WHERE w.state IN (1, 2)
)
SELECT id, what, name, until, n FROM (
    SELECT w.id, 0 AS what, t.slug AS name, NULL::timestamptz AS until, NULL::bigint AS n
    FROM w JOIN tenant t ON t.id = $1 AND t.state <> 1
    UNION ALL
    SELECT w.id, 1, NULL, NULL, NULL FROM w WHERE NOT EXISTS (SELECT FROM spooler s
        WHERE s.state = 1 AND s.heartbeat_at > now() - $3::bigint * interval '1 ms')
    UNION ALL
    SELECT w.id, 2, NULL, q.due, NULL FROM w JOIN q_later q ON q.tenant_id = $1
        AND q.id = w.id WHERE q.due > now()
    UNION ALL SELECT id, 3, name, NULL, NULL FROM a WHERE state = 3
    UNION ALL SELECT id, 4, name, NULL, NULL FROM a WHERE state = 2
    UNION ALL SELECT id, 5, name, opened_until, NULL FROM a WHERE breaker IN (2, 3)
        AND state = 1
    UNION ALL SELECT id, 6, name, blocked, NULL FROM a WHERE blocked IS NOT NULL
        AND state = 1
    UNION ALL SELECT id, 7, name, paced, NULL FROM a WHERE paced IS NOT NULL AND state = 1
    UNION ALL SELECT id, 8, name, used_up, NULL FROM a WHERE used_up IS NOT NULL
        AND state = 1
    UNION ALL
    SELECT w.id, 9, NULL, b.tat, NULL FROM w JOIN provider_budget b ON b.tenant_id = $1
        AND b.provider_id = '00000000-0000-0000-0000-000000000000'
    WHERE w.state = 2 AND w.lane > 0 AND b.tat > now() + interval '100 ms'
    UNION ALL
    SELECT w.id, 10, NULL, NULL, (SELECT count(*) FROM (SELECT FROM q_ready f
        WHERE f.tenant_id = $1 AND f.lane = q.lane AND f.prio = q.prio
            AND (f.due, f.id) < (q.due, q.id) LIMIT 10000) f)
    FROM w JOIN q_ready q ON q.tenant_id = $1 AND q.id = w.id
    UNION ALL
    SELECT w.id, 11, s.host, NULL, NULL FROM w
    JOIN q_leased l ON l.tenant_id = $1 AND l.id = w.id
    LEFT JOIN spooler s ON s.id = l.spooler
) waits
ORDER BY id, what, name
