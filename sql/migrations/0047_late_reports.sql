-- 0047_late_reports: who is erased while a report of a delivery is written down.

-- As in 0043; what waits for its time goes first (who moves it does so, too), then the
-- deliveries are held.  A report that holds one is waited for, and
-- what it wrote is seen by what follows; one that comes later sees that there is no address
-- any more (src/notify/receipt.c).
CREATE OR REPLACE FUNCTION privacy_cancel(tenant bigint, notifications uuid[], deliveries uuid[],
    whole uuid[]) RETURNS bigint LANGUAGE plpgsql SET search_path = belfry, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM q_later WHERE tenant_id = tenant AND id = ANY (deliveries || whole)
        AND kind <> 2;
    PERFORM FROM (SELECT * FROM unnest(notifications, deliveries) r (notification_id, id)
        ORDER BY r.id) r
    CROSS JOIN LATERAL (
        SELECT FROM delivery WHERE tenant_id = tenant
            AND notification_id = r.notification_id AND id = r.id OFFSET 0 FOR UPDATE) d;
    UPDATE delivery d SET due = NULL
    FROM unnest(notifications, deliveries) r (notification_id, id)
    WHERE d.tenant_id = tenant AND d.notification_id = r.notification_id AND d.id = r.id
        AND d.state = 4 AND d.due IS NOT NULL;
    WITH d AS (
        UPDATE delivery d SET state = 10, due = NULL, finished_at = now(), next_id = NULL
        FROM unnest(notifications, deliveries) r (notification_id, id)
        WHERE d.tenant_id = tenant AND d.notification_id = r.notification_id
            AND d.id = r.id AND d.state IN (1, 2, 7)
        RETURNING d.notification_id, d.id, d.channel, (SELECT o.state FROM delivery o
            WHERE o.tenant_id = tenant AND o.notification_id = r.notification_id
                AND o.id = r.id) AS was
    ), e AS (
        INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, by)
        SELECT tenant, d.notification_id, uuid_now(), d.id, 'delivery.cancelled',
            d.channel, 'privacy' FROM d
    ), c AS (
        SELECT d.notification_id, count(*) AS n FROM d WHERE d.was <> 7 GROUP BY 1
    ), x AS (
        UPDATE notification t SET open_count = t.open_count - c.n,
            state = CASE WHEN t.state = 2 AND t.open_count <= c.n
                THEN CASE WHEN t.id = ANY (whole) THEN 4 ELSE 3 END ELSE t.state END,
            done_at = CASE WHEN t.state = 2 AND t.open_count <= c.n THEN now()
                ELSE t.done_at END
        FROM c WHERE t.tenant_id = tenant AND t.id = c.notification_id
    )
    SELECT count(*) INTO n FROM d;
    UPDATE notification SET state = 4, done_at = now()
    WHERE tenant_id = tenant AND id = ANY (whole) AND state = 1;
    RETURN n;
END $$;
