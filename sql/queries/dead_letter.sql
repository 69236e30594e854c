-- Deliveries that were given up (src/notify/dead_letter.h).

-- name: dead_list
-- Up to $10 rows after the one that died at $8 with the id $9, the newest first.
SELECT l.notification_id, l.id, l.channel, d.user_id, d.address, d.attempts, l.class,
    d.reason, l.died_at, p.name, t.key
FROM dead_letter l
LEFT JOIN delivery d ON d.tenant_id = $1 AND d.notification_id = l.notification_id
    AND d.id = l.id
LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = l.provider_id
LEFT JOIN template t ON t.tenant_id = $1 AND t.id = l.template_id
WHERE l.tenant_id = $1
    AND ($2::smallint IS NULL OR l.channel = $2)
    AND ($3::text IS NULL OR p.name = $3)
    AND ($4::smallint IS NULL OR l.class = $4)
    AND ($5::text IS NULL OR t.key = $5)
    AND l.died_at >= COALESCE($6::timestamptz, '-infinity')
    AND l.died_at < COALESCE($7::timestamptz, 'infinity')
    AND (l.died_at, l.id) < (COALESCE($8::timestamptz, 'infinity'),
        COALESCE($9::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY l.died_at DESC, l.id DESC
LIMIT $10

-- name: dead_now
-- One row: what time it is where deaths are dated.
SELECT now()

-- name: dead_pick
-- Up to $9 rows: the ids of the deliveries among $8 (NULL: of all), the oldest first,
-- that the filter leaves.
SELECT l.id
FROM dead_letter l
LEFT JOIN provider p ON p.tenant_id = $1 AND p.id = l.provider_id
LEFT JOIN template t ON t.tenant_id = $1 AND t.id = l.template_id
WHERE l.tenant_id = $1
    AND ($2::smallint IS NULL OR l.channel = $2)
    AND ($3::text IS NULL OR p.name = $3)
    AND ($4::smallint IS NULL OR l.class = $4)
    AND ($5::text IS NULL OR t.key = $5)
    AND l.died_at >= COALESCE($6::timestamptz, '-infinity')
    AND l.died_at < COALESCE($7::timestamptz, 'infinity')
    AND ($8::uuid[] IS NULL OR l.id = ANY ($8::uuid[]))
ORDER BY l.died_at, l.id
LIMIT $9

-- name: dead_replay
-- The ids of the deliveries among $2 that were dead and are ready again.  $3 are ids for
-- their events, $4 is who does it.  Leases go on from the highest.  They are ready as
-- what was deferred is: many of them do not hold up what is fresh.
WITH d AS (
    UPDATE delivery d SET state = 2, counted = 0, crashes = 0, failovers = 0,
        finished_at = NULL, due = NULL, revived_at = now(),
        reason = 'replayed by ' || $4::text
    FROM dead_letter l
    WHERE l.tenant_id = $1 AND l.id = ANY ($2::uuid[]) AND d.tenant_id = $1
        AND d.notification_id = l.notification_id AND d.id = l.id AND d.state = 7
    RETURNING d.notification_id, d.id, d.channel, d.priority
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, channel, priority + 3, now(), id, notification_id, COALESCE((
        SELECT max(lease_no) FROM attempt a WHERE a.tenant_id = $1
            AND a.notification_id = d.notification_id AND a.delivery_id = d.id), 0)
    FROM d
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, channel, priority + 3 FROM d ON CONFLICT DO NOTHING
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, code,
        text, by)
    SELECT $1, notification_id, ($3::uuid[])[row_number() OVER ()], id,
        'delivery.scheduled', channel, 'replayed', 'it was dead and is tried again', $4
    FROM d
), n AS (
    UPDATE notification n SET open_count = n.open_count + c.opened, done_at = NULL,
        state = CASE n.state WHEN 3 THEN 2 ELSE n.state END
    FROM (SELECT notification_id, count(*)::int AS opened FROM d
        GROUP BY notification_id) c
    WHERE n.tenant_id = $1 AND n.id = c.notification_id
)
SELECT id FROM d

-- name: dead_discard
-- The ids of the deliveries among $2 that were dead and are cancelled now.
WITH d AS (
    UPDATE delivery d SET state = 10, reason = 'discarded by ' || $4::text
    FROM dead_letter l
    WHERE l.tenant_id = $1 AND l.id = ANY ($2::uuid[]) AND d.tenant_id = $1
        AND d.notification_id = l.notification_id AND d.id = l.id AND d.state = 7
    RETURNING d.notification_id, d.id, d.channel
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, code,
        text, by)
    SELECT $1, notification_id, ($3::uuid[])[row_number() OVER ()], id,
        'delivery.cancelled', channel, 'discarded', 'it was dead and is discarded', $4
    FROM d
)
SELECT id FROM d
