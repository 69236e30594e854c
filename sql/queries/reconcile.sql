-- What cannot happen, found and repaired (src/notify/reconcile.h).
--
-- Each move of a delivery is one transaction, so what one statement sees fits together, and
-- what does not is wrong.  All of it is done for one tenant at a time, behind the lock of its
-- row in reconcile_position, so two that reconcile do not meet.  "dry" finds and leaves it.
-- Rows that somebody has locked are being worked on and are passed over.

-- name: reconcile_turn
-- One row when it is our turn: nobody has reconciled within $1 milliseconds.
UPDATE queue_state SET reconciled_at = now()
WHERE reconciled_at <= now() - $1::bigint * interval '1 ms' RETURNING 1

-- name: reconcile_tenants
-- A row for each tenant.
SELECT id FROM tenant ORDER BY id

-- name: reconcile_enter
-- One row: up to which notification the tenant's history was looked through.  Nobody else
-- reconciles the tenant until the end of the transaction.
INSERT INTO reconcile_position AS p (tenant_id, position)
VALUES ($1, '00000000-0000-0000-0000-000000000000')
ON CONFLICT (tenant_id) DO UPDATE SET position = p.position
RETURNING position

-- name: reconcile_leave
-- Nothing.  Keeps the position $2.
UPDATE reconcile_position SET position = $2 WHERE tenant_id = $1

-- name: reconcile_slice
-- One row: the last notification of the slice after $2, of at most $3 notifications, none
-- of them younger than $4 milliseconds (NULL: there is none), and how many they are.
WITH n AS MATERIALIZED (
    SELECT id FROM notification WHERE tenant_id = $1 AND id > $2
        AND id < uuid_floor(now() - $4::bigint * interval '1 ms')
    ORDER BY id LIMIT $3
)
SELECT (SELECT id FROM n ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM n)

-- name: reconcile_leases
-- One row: how many leases had no owner that gave a sign of life within $2 milliseconds.
-- They are ready again.  $3: dry, $4: by whom, $5: ids for events, which limit it, too.
WITH l AS MATERIALIZED (
    SELECT l.id, l.notification_id, l.lane, l.prio, l.lease_no FROM q_leased l
    WHERE l.tenant_id = $1 AND NOT EXISTS (SELECT FROM spooler s WHERE s.id = l.spooler
        AND s.heartbeat_at >= now() - $2::bigint * interval '1 ms')
    LIMIT array_length($5::uuid[], 1) FOR UPDATE OF l SKIP LOCKED
), x AS (
    DELETE FROM q_leased q USING l WHERE NOT $3::boolean AND q.tenant_id = $1
        AND q.id = l.id AND q.lease_no = l.lease_no
    RETURNING l.*
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, lane, prio, now(), id, notification_id, lease_no FROM x
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, lane, prio FROM x ON CONFLICT DO NOTHING
), d AS (
    UPDATE delivery d SET state = 2, told = GREATEST(d.told, 0) FROM x WHERE d.tenant_id = $1
        AND d.notification_id = x.notification_id AND d.id = x.id AND d.state = 3
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, code,
        text, by)
    SELECT $1, notification_id, ($5::uuid[])[row_number() OVER ()], id,
        'delivery.reconciled', lane, 'lease', 'nobody worked on it: it is ready again', $4
    FROM x
)
SELECT count(*) FROM l

-- name: reconcile_strays
-- One row: how many rows of later or leased work belong to nothing that is open.  They are
-- gone.  What is ready and belongs to nothing is buried by its claim.  $2: nothing younger
-- than so many milliseconds; the rest as above.
WITH s AS MATERIALIZED (
    SELECT q.id, q.notification_id, q.lane FROM (
        SELECT id, notification_id, lane FROM q_later WHERE tenant_id = $1 AND kind < 2
        ORDER BY due LIMIT 5000) q
    WHERE q.notification_id < uuid_floor(now() - $2::bigint * interval '1 ms')
        AND CASE q.lane WHEN 0 THEN NOT EXISTS (SELECT FROM notification n
            WHERE n.tenant_id = $1 AND n.id = q.id AND n.state = 1)
        ELSE NOT EXISTS (SELECT FROM delivery d WHERE d.tenant_id = $1
            AND d.notification_id = q.notification_id AND d.id = q.id
            AND d.state IN (1, 2, 3)) END
    UNION ALL
    SELECT q.id, q.notification_id, q.lane FROM q_leased q
    WHERE q.tenant_id = $1
        AND q.notification_id < uuid_floor(now() - $2::bigint * interval '1 ms')
        AND NOT EXISTS (SELECT FROM delivery d WHERE d.tenant_id = $1
            AND d.notification_id = q.notification_id AND d.id = q.id
            AND d.state IN (1, 2, 3))
    LIMIT array_length($5::uuid[], 1)
), w AS (
    DELETE FROM q_later q USING s WHERE NOT $3::boolean AND q.tenant_id = $1
        AND q.id = s.id AND q.kind < 2
), l AS (
    DELETE FROM q_leased q USING s WHERE NOT $3::boolean AND q.tenant_id = $1
        AND q.id = s.id
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, code,
        text, by)
    SELECT $1, s.notification_id, ($5::uuid[])[row_number() OVER ()], NULLIF(s.id,
        s.notification_id), 'delivery.reconciled', NULLIF(s.lane, 0), 'row_stray',
        'it stood in the queue though there was nothing to do', $4
    FROM s WHERE NOT $3::boolean AND EXISTS (SELECT FROM notification n
        WHERE n.tenant_id = $1 AND n.id = s.notification_id)
)
SELECT count(*) FROM s

-- name: reconcile_keys
-- One row: how many keys of the queue had rows for $2 milliseconds and no mark.
WITH RECURSIVE k AS (
    (SELECT lane, prio FROM q_ready WHERE tenant_id = $1 ORDER BY lane, prio LIMIT 1)
    UNION ALL
    SELECT n.lane, n.prio FROM k, LATERAL (
        SELECT q.lane, q.prio FROM q_ready q
        WHERE q.tenant_id = $1 AND (q.lane, q.prio) > (k.lane, k.prio)
        ORDER BY q.lane, q.prio LIMIT 1) n
), m AS MATERIALIZED (
    SELECT k.lane, k.prio FROM k
    WHERE NOT EXISTS (SELECT FROM tenant_ready t WHERE t.tenant_id = $1
        AND t.lane = k.lane AND t.prio = k.prio)
        AND EXISTS (SELECT FROM q_ready q WHERE q.tenant_id = $1 AND q.lane = k.lane
        AND q.prio = k.prio AND q.due < now() - $2::bigint * interval '1 ms')
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT $1, lane, prio FROM m WHERE NOT $3::boolean ON CONFLICT DO NOTHING
)
SELECT count(*) FROM m

-- name: reconcile_lost
-- One row: how many deliveries of the slice (after $2, up to $3) are open and stand in no
-- queue.  They are ready again; what is held is given up at the next look for receipts, and
-- what was sent and waits for one goes to the next account then.
-- $4: dry, $5: by whom, $6: ids for events, which limit it, too.  A step of a fallback order
-- that waits for the one before stands in no queue.  Of a tenant with a long queue nothing
-- is said: that would cost too much.
WITH r AS MATERIALIZED (
    SELECT id FROM q_ready WHERE tenant_id = $1 LIMIT 20001
), d AS MATERIALIZED (
    SELECT d.notification_id, d.id, d.channel, d.priority, d.state FROM delivery d
    WHERE d.tenant_id = $1 AND d.notification_id > $2 AND d.notification_id <= $3
        AND (d.state IN (1, 2, 3, 8) OR d.state = 4 AND d.due IS NOT NULL)
        AND (SELECT count(*) FROM r) <= 20000
        AND (d.state <> 1 OR d.due IS NOT NULL OR d.step = 0)
        AND d.id NOT IN (SELECT id FROM r)
        AND NOT EXISTS (SELECT FROM q_later q WHERE q.tenant_id = $1 AND q.id = d.id)
        AND NOT EXISTS (SELECT FROM q_leased q WHERE q.tenant_id = $1 AND q.id = d.id)
    LIMIT array_length($6::uuid[], 1) FOR UPDATE OF d SKIP LOCKED
), u AS (
    UPDATE delivery x SET state = 2, due = NULL, told = GREATEST(x.told, 0)
    FROM d WHERE NOT $4::boolean AND d.state NOT IN (4, 8) AND x.tenant_id = $1
        AND x.notification_id = d.notification_id AND x.id = d.id AND x.state = d.state
    RETURNING d.*
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, channel, priority, now(), id, notification_id, COALESCE((
        SELECT max(lease_no) FROM attempt a WHERE a.tenant_id = $1
            AND a.notification_id = u.notification_id AND a.delivery_id = u.id), 0)
    FROM u
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, channel, priority FROM u ON CONFLICT DO NOTHING
), w AS (
    INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no, kind)
    SELECT $1, now(), id, notification_id, channel, priority, COALESCE((
        SELECT max(lease_no) FROM attempt a WHERE a.tenant_id = $1
            AND a.notification_id = d.notification_id AND a.delivery_id = d.id), 0),
        CASE state WHEN 8 THEN 2 ELSE 3 END
    FROM d WHERE NOT $4::boolean AND state IN (4, 8)
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, code,
        text, by)
    SELECT $1, notification_id, ($6::uuid[])[row_number() OVER ()], id,
        'delivery.reconciled', channel, 'delivery_lost',
        'it stood in no queue: it is taken up again', $5
    FROM d WHERE NOT $4::boolean
)
SELECT count(*) FROM d

-- name: reconcile_unrouted
-- One row: how many notifications of the slice are to be routed and stand in no queue.
-- They are ready, or wait for their time, again.  The rest as above.
WITH r AS MATERIALIZED (
    SELECT id FROM q_ready WHERE tenant_id = $1 LIMIT 20001
), n AS MATERIALIZED (
    SELECT n.id, n.priority, n.send_at FROM notification n
    WHERE n.tenant_id = $1 AND n.id > $2 AND n.id <= $3 AND n.state = 1
        AND (SELECT count(*) FROM r) <= 20000 AND n.id NOT IN (SELECT id FROM r)
        AND NOT EXISTS (SELECT FROM q_later q WHERE q.tenant_id = $1 AND q.id = n.id)
    LIMIT array_length($6::uuid[], 1) FOR UPDATE OF n SKIP LOCKED
), q AS (
    INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
    SELECT $1, 0, priority, now(), id, id, 0 FROM n
    WHERE NOT $4::boolean AND COALESCE(send_at <= now(), true)
), w AS (
    INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no)
    SELECT $1, send_at, id, id, 0, priority, 0 FROM n
    WHERE NOT $4::boolean AND send_at > now()
), t AS (
    INSERT INTO tenant_ready (tenant_id, lane, prio)
    SELECT DISTINCT $1::bigint, 0, priority FROM n WHERE NOT $4::boolean
    ON CONFLICT DO NOTHING
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, type, code, text, by)
    SELECT $1, id, ($6::uuid[])[row_number() OVER ()], 'notification.reconciled',
        'notification_lost', 'it stood in no queue: it is taken up again', $5
    FROM n WHERE NOT $4::boolean
)
SELECT count(*) FROM n

-- name: reconcile_counts
-- One row: of how many notifications of the slice the count of open deliveries was wrong,
-- and how many were not done though all of theirs are.  Both are right now.  The rest as
-- above.
WITH c AS MATERIALIZED (
    SELECT n.id, n.state, n.open_count, x.open FROM notification n CROSS JOIN LATERAL (
        SELECT (count(*) FILTER (WHERE d.state IN (1, 2, 3, 8)))::int AS open
        FROM delivery d WHERE d.tenant_id = $1 AND d.notification_id = n.id) x
    WHERE n.tenant_id = $1 AND n.id > $2 AND n.id <= $3 AND n.state IN (2, 3)
        AND (n.open_count <> x.open OR (n.state = 2) <> (x.open > 0))
    LIMIT array_length($6::uuid[], 1) FOR UPDATE OF n SKIP LOCKED
), u AS (
    UPDATE notification n SET open_count = c.open,
        state = CASE WHEN c.open > 0 THEN 2 ELSE 3 END,
        done_at = CASE WHEN c.open > 0 THEN NULL ELSE COALESCE(n.done_at, now()) END
    FROM c WHERE NOT $4::boolean AND n.tenant_id = $1 AND n.id = c.id
        AND n.open_count = c.open_count AND n.state = c.state
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, type, code, text, by)
    SELECT $1, id, ($6::uuid[])[row_number() OVER ()], 'notification.reconciled',
        CASE WHEN open_count <> open THEN 'count' ELSE 'done' END,
        'the count of its open deliveries was wrong', $5
    FROM c WHERE NOT $4::boolean
)
SELECT count(*) FILTER (WHERE open_count <> open),
    count(*) FILTER (WHERE open_count = open) FROM c

-- name: reconcile_dead
-- One row: how many deliveries of the slice died in the last week and are not among the
-- dead letters.  They are now.  The rest as above.
WITH d AS MATERIALIZED (
    SELECT d.id, d.notification_id, d.channel, d.provider_id, d.class, d.finished_at
    FROM delivery d
    WHERE d.tenant_id = $1 AND d.notification_id > $2 AND d.notification_id <= $3
        AND d.state = 7 AND d.finished_at > now() - interval '7 days'
        AND NOT EXISTS (SELECT FROM dead_letter l
            WHERE l.tenant_id = $1 AND l.id = d.id)
    LIMIT array_length($6::uuid[], 1) FOR UPDATE OF d SKIP LOCKED
), i AS (
    INSERT INTO dead_letter (tenant_id, died_at, id, notification_id, channel,
        provider_id, template_id, class)
    SELECT $1, d.finished_at, d.id, d.notification_id, d.channel, d.provider_id,
        n.template_id, d.class
    FROM d LEFT JOIN notification n ON n.tenant_id = $1 AND n.id = d.notification_id
    WHERE NOT $4::boolean ON CONFLICT DO NOTHING
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, code,
        text, by)
    SELECT $1, notification_id, ($6::uuid[])[row_number() OVER ()], id,
        'delivery.reconciled', channel, 'dead_letter',
        'it was missing among the dead letters', $5
    FROM d WHERE NOT $4::boolean
)
SELECT count(*) FROM d
