-- Cancelling and rescheduling (src/notify/cancel.h).

-- name: cancel_failover
-- Nothing.  What was sent does not wait for a receipt any more, so no other account sends
-- it.  This comes before any lock: who moves such a row has it first, then the delivery,
-- then the notification (later_over).
WITH q AS (
    DELETE FROM q_later WHERE tenant_id = $1 AND kind = 3 AND id = ANY (ARRAY(
        SELECT id FROM delivery WHERE tenant_id = $1 AND notification_id = $2
            AND state = 4 AND due IS NOT NULL))
    RETURNING id
)
UPDATE delivery d SET due = NULL FROM q
WHERE d.tenant_id = $1 AND d.notification_id = $2 AND d.id = q.id AND d.state = 4

-- name: cancel_lock
-- One row or none: the notification's state, which nobody changes until the end.
SELECT state FROM notification WHERE tenant_id = $1 AND id = $2 FOR UPDATE

-- name: cancel_pick
-- A row for each delivery that is not on the wire, which nobody starts until the end.
SELECT id FROM delivery
WHERE tenant_id = $1 AND notification_id = $2 AND state IN (1, 2)
ORDER BY id FOR UPDATE

-- name: cancel_write
-- One row: the notification's state.  The deliveries $3 are cancelled, and the
-- notification when nothing of it is left.  $4 are ids for their events and one more for
-- the notification's; $5 is who does it.
WITH r AS MATERIALIZED (
    SELECT id, n FROM unnest($3::uuid[]) WITH ORDINALITY AS r (id, n)
), q AS (
    DELETE FROM q_later WHERE tenant_id = $1
        AND id = ANY (ARRAY(SELECT id FROM r) || $2::uuid)
), d AS (
    UPDATE delivery d SET state = 10, due = NULL, finished_at = now(),
        reason = 'cancelled by ' || $5::text
    FROM r WHERE d.tenant_id = $1 AND d.notification_id = $2 AND d.id = r.id
    RETURNING d.id, d.channel, r.n
), n AS (
    UPDATE notification SET open_count = open_count - (SELECT count(*) FROM d),
        state = CASE WHEN state = 1 THEN 4
            WHEN state = 2 AND open_count <= (SELECT count(*) FROM d) THEN 4
            ELSE state END,
        done_at = CASE WHEN state = 1
            OR state = 2 AND open_count <= (SELECT count(*) FROM d) THEN now()
            ELSE done_at END
    WHERE tenant_id = $1 AND id = $2
    RETURNING state
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, by)
    SELECT $1, $2, ($4::uuid[])[n], id, 'delivery.cancelled', channel, $5 FROM d
    UNION ALL
    SELECT $1, $2, ($4::uuid[])[array_upper($4::uuid[], 1)], NULL,
        'notification.cancelled', NULL, $5 FROM n WHERE state = 4 AND $6::boolean
)
SELECT state FROM n

-- name: reschedule
-- One row when it waited for its time and has the new one $3 now; none when it is
-- routed already, or being routed.  What is over is due now: spoolers do not look for what
-- becomes due far behind them (later_due).
WITH q AS (
    DELETE FROM q_later WHERE tenant_id = $1 AND id = $2 AND lane = 0
    RETURNING prio
), i AS (
    INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no)
    SELECT $1, GREATEST($3::timestamptz, now()), $2, $2, 0, prio, 0 FROM q
), n AS (
    UPDATE notification SET send_at = $3
    WHERE tenant_id = $1 AND id = $2 AND EXISTS (SELECT FROM q)
), e AS (
    INSERT INTO event (tenant_id, notification_id, id, type, text, by)
    SELECT $1, $2, $4, 'delivery.scheduled', 'it was rescheduled', $5 FROM q
)
SELECT 1 FROM q
