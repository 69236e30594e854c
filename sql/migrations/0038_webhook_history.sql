-- 0038_webhook_history: what webhook endpoints were told is told to the person, too, and kept as
-- the tenant says; settings that no API has written do not stop retention (doc/privacy.md).

-- Whatever stands in a tenant's settings: a number of days, or NULL.
CREATE FUNCTION retention_number(v jsonb) RETURNS int LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog AS $$
SELECT CASE WHEN jsonb_typeof(v) = 'number' AND v::text ~ '^[1-9][0-9]{0,3}$'
    THEN LEAST(v::text::int, 3650) END
$$;

-- The rules that can be read.
CREATE FUNCTION retention_rules(retention jsonb) RETURNS TABLE (r jsonb, n bigint)
    LANGUAGE sql IMMUTABLE SET search_path = belfry, pg_temp AS $$
SELECT x.r, x.n FROM jsonb_array_elements(CASE jsonb_typeof(retention -> 'rules')
    WHEN 'array' THEN retention -> 'rules' ELSE '[]' END) WITH ORDINALITY x (r, n)
WHERE retention_number(x.r -> 'days') IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION retention_days(retention jsonb, category text, channel smallint,
    otherwise int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = belfry, pg_temp AS $$
SELECT COALESCE((SELECT retention_number(x.r -> 'days') FROM retention_rules(retention) x
        WHERE COALESCE(x.r ->> 'category', category) = category
            AND COALESCE(x.r ->> 'channel' = (ARRAY['email', 'sms', 'push', 'whatsapp',
                'inapp', 'webhook', 'chat'])[channel], NOT x.r ? 'channel')
        ORDER BY x.n LIMIT 1),
    retention_number(retention -> 'days'), otherwise)
$$;

CREATE OR REPLACE FUNCTION retention_span(retention jsonb, otherwise int, OUT shortest int,
    OUT longest int) LANGUAGE sql IMMUTABLE SET search_path = belfry, pg_temp AS $$
SELECT min(d), max(d) FROM (
    SELECT COALESCE(retention_number(retention -> 'days'), otherwise)
    UNION ALL SELECT retention_number(x.r -> 'days') FROM retention_rules(retention) x) y (d)
$$;

-- Messages are kept as long as what they are about would be; attempts and what is queued go
-- with them.  Those about somebody on hold stay.
CREATE FUNCTION webhook_retire(tenant bigint, retention jsonb, shortest int, otherwise int,
    persons text[], slice int, OUT removed bigint, OUT more boolean) LANGUAGE plpgsql
    SET search_path = belfry, pg_temp SET enable_seqscan = on AS $$
DECLARE
    old uuid[];
    held uuid[];
    n bigint;
BEGIN
    old := ARRAY(SELECT m.id FROM webhook_message m
        LEFT JOIN notification t ON t.tenant_id = tenant AND t.id = m.notification_id
        WHERE m.tenant_id = tenant
            AND m.at < now() - make_interval(days => shortest)
            AND m.at < now() - make_interval(days =>
                retention_days(retention, t.category, m.channel, otherwise))
            AND (persons IS NULL OR NOT EXISTS (SELECT FROM unnest(persons) h
                CROSS JOIN LATERAL privacy_find(tenant, h, h) f
                CROSS JOIN LATERAL privacy_places(tenant, f.users, f.addresses,
                    ARRAY[m.notification_id]) p))
        LIMIT slice * 10);
    more := cardinality(old) = slice * 10;
    DELETE FROM webhook_queue q WHERE q.tenant_id = tenant AND q.message_id = ANY (old);
    DELETE FROM webhook_attempt a WHERE a.tenant_id = tenant AND a.message_id = ANY (old);
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM webhook_message m WHERE m.tenant_id = tenant AND m.id = ANY (old);
    GET DIAGNOSTICS n = ROW_COUNT;
    removed := removed + n;
    -- Attempts whose message is gone already.
    DELETE FROM webhook_attempt a WHERE a.tenant_id = tenant AND persons IS NULL
        AND a.started_at < now() - make_interval(days => GREATEST(otherwise, 8))
        AND NOT EXISTS (SELECT FROM webhook_message m WHERE m.tenant_id = tenant
            AND m.id = a.message_id);
    GET DIAGNOSTICS n = ROW_COUNT;
    removed := removed + n;
END $$;
REVOKE ALL ON FUNCTION webhook_retire(bigint, jsonb, int, int, text[], int) FROM PUBLIC;

-- As in 0025, with webhooks.
CREATE OR REPLACE FUNCTION retention_apply(after bigint, otherwise int, slice int, OUT tenant bigint,
    OUT removed bigint, OUT more boolean) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = belfry, pg_temp SET enable_seqscan = on AS $$
DECLARE
    retention jsonb;
    shortest int;
    place uuid;
    ids uuid[];
    held uuid[];
    persons text[];
    n bigint;
BEGIN
    removed := 0;
    more := false;
    SELECT t.id, t.settings -> 'retention' INTO tenant, retention FROM tenant t
    WHERE t.id > after ORDER BY t.id LIMIT 1;
    IF tenant IS NULL THEN
        RETURN;
    END IF;
    PERFORM set_config('belfry.tenant', tenant::text, true);
    SELECT array_agg(h.person) INTO persons FROM legal_hold h WHERE h.tenant_id = tenant;
    IF '' = ANY (persons) THEN
        RETURN;
    END IF;
    SELECT s.shortest INTO shortest FROM retention_span(retention, otherwise) s;

    SELECT p.position INTO place FROM retention_position p WHERE p.tenant_id = tenant;
    ids := ARRAY(SELECT t.id FROM notification t WHERE t.tenant_id = tenant
        AND t.id > COALESCE(place, '00000000-0000-0000-0000-000000000000')
        AND t.id < uuid_floor(now() - make_interval(days => shortest))
        ORDER BY t.id LIMIT slice);
    more := cardinality(ids) = slice;
    IF more OR place IS NOT NULL THEN
        INSERT INTO retention_position (tenant_id, position)
        VALUES (tenant, CASE WHEN more THEN ids[slice]
            ELSE '00000000-0000-0000-0000-000000000000' END)
        ON CONFLICT (tenant_id) DO UPDATE SET position = excluded.position;
    END IF;
    IF persons IS NOT NULL AND cardinality(ids) > 0 THEN
        SELECT array_agg(DISTINCT p.notification_id) INTO held
        FROM unnest(persons) h CROSS JOIN LATERAL privacy_find(tenant, h, h) f
        CROSS JOIN LATERAL privacy_places(tenant, f.users, f.addresses, ids) p;
    END IF;
    IF cardinality(ids) > 0 THEN
        WITH d AS MATERIALIZED (
            SELECT d.notification_id, d.id FROM notification t
            JOIN delivery d ON d.tenant_id = tenant AND d.notification_id = t.id
            WHERE t.tenant_id = tenant AND t.id = ANY (ids)
                AND t.id <> ALL (COALESCE(held, '{}')) AND d.state NOT IN (1, 2, 3, 8)
                AND t.id < uuid_floor(now() - make_interval(days =>
                    retention_days(retention, t.category, d.channel, otherwise)))
        ), a AS (
            DELETE FROM attempt a USING d WHERE a.tenant_id = tenant
                AND a.notification_id = d.notification_id AND a.delivery_id = d.id
            RETURNING 1
        ), e AS (
            DELETE FROM event e USING d WHERE e.tenant_id = tenant
                AND e.notification_id = d.notification_id AND e.delivery_id = d.id
            RETURNING 1
        ), l AS (
            DELETE FROM dead_letter l USING d WHERE l.tenant_id = tenant AND l.id = d.id
        ), q AS (
            DELETE FROM q_later q USING d WHERE q.tenant_id = tenant AND q.id = d.id
        ), x AS (
            DELETE FROM delivery x USING d WHERE x.tenant_id = tenant
                AND x.notification_id = d.notification_id AND x.id = d.id
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM e)
            + (SELECT count(*) FROM x) INTO n;
        removed := removed + n;
        -- A notification goes with the last of its deliveries.
        WITH t AS MATERIALIZED (
            SELECT t.id FROM notification t WHERE t.tenant_id = tenant AND t.id = ANY (ids)
                AND t.id <> ALL (COALESCE(held, '{}')) AND t.state IN (3, 4)
                AND NOT EXISTS (SELECT FROM delivery d WHERE d.tenant_id = tenant
                    AND d.notification_id = t.id)
                AND (t.delivery_count > 0 OR t.id < uuid_floor(now() - make_interval(days =>
                    retention_days(retention, t.category, NULL, otherwise))))
        ), e AS (
            DELETE FROM event e USING t WHERE e.tenant_id = tenant
                AND e.notification_id = t.id
            RETURNING 1
        ), x AS (
            DELETE FROM notification x USING t WHERE x.tenant_id = tenant AND x.id = t.id
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM e) + (SELECT count(*) FROM x) INTO n;
        removed := removed + n;
    END IF;

    DELETE FROM inbox i WHERE i.ctid = ANY (ARRAY(
        SELECT o.ctid FROM inbox o WHERE o.tenant_id = tenant
            AND o.created_at < now() - make_interval(days => shortest)
            AND o.created_at < now() - make_interval(days =>
                retention_days(retention, o.category, 5::smallint, otherwise))
            AND o.user_id <> ALL (COALESCE(persons, '{}')) LIMIT slice))
        AND i.tenant_id = tenant;
    GET DIAGNOSTICS n = ROW_COUNT;
    removed := removed + n;
    more := more OR n = slice;
    DELETE FROM hook_inbox h WHERE h.tenant_id = tenant AND persons IS NULL
        AND h.id < uuid_floor(now() - make_interval(days => shortest));
    GET DIAGNOSTICS n = ROW_COUNT;
    removed := removed + n;
    SELECT w.removed, retention_apply.more OR w.more INTO n, more
    FROM webhook_retire(tenant, retention, shortest, otherwise, persons, slice) w;
    removed := removed + n;
END $$;

-- Nobody removes them past tenants and holds any more.
DROP POLICY spooler_expires_finds ON webhook_message;
DROP POLICY spooler_expires ON webhook_message;
DROP POLICY spooler_expires_finds ON webhook_attempt;
DROP POLICY spooler_expires ON webhook_attempt;

-- As in 0024, with what webhook endpoints were told.
CREATE OR REPLACE FUNCTION privacy_export(tenant bigint, who text, address text)
    RETURNS TABLE (list text, entry json) LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = belfry, pg_temp SET enable_seqscan = on AS $$
DECLARE
    users text[];
    addresses text[];
    places uuid[];
    nos smallint[];
BEGIN
    SELECT f.users, f.addresses INTO users, addresses FROM privacy_find(tenant, who, address) f;
    SELECT array_agg(p.notification_id), array_agg(p.no) INTO places, nos
    FROM privacy_places(tenant, users, addresses, NULL) p;
    RETURN QUERY
    SELECT 'recipients', to_json(r) FROM recipient r
    WHERE r.tenant_id = tenant AND r.user_id = ANY (users)
    UNION ALL
    SELECT 'devices', to_json(v) FROM device v
    WHERE v.tenant_id = tenant AND v.user_id = ANY (users)
    UNION ALL
    SELECT 'inbox', to_json(i) FROM inbox i
    WHERE i.tenant_id = tenant AND i.user_id = ANY (users)
    UNION ALL
    SELECT 'suppressions', to_json(s) FROM suppression s
    WHERE s.tenant_id = tenant AND s.address = ANY (addresses)
    UNION ALL
    SELECT 'heard', to_json(h) FROM heard h
    WHERE h.tenant_id = tenant AND lower(h.address) = ANY (addresses)
    UNION ALL
    SELECT 'reports', v FROM hook_inbox h, json_array_elements(CASE json_typeof(h.events)
        WHEN 'array' THEN h.events ELSE '[]' END) v
    WHERE h.tenant_id = tenant AND privacy_names(v::text, users, addresses)
    UNION ALL
    SELECT 'notifications', json_build_object('id', t.id, 'created_at', t.created_at,
        'category', t.category, 'template_id', t.template_id, 'recipients', (
            SELECT json_agg(r.v ORDER BY r.no)
            FROM json_array_elements(t.recipients) WITH ORDINALITY r (v, no)
            WHERE (r.no - 1)::smallint = ANY (x.nos)),
        'data', t.data, 'content', t.content, 'metadata', t.metadata,
        'attachments', t.attachments)
    FROM (SELECT p.id, array_agg(p.no) AS nos FROM unnest(places, nos) p (id, no)
        GROUP BY 1) x JOIN notification t ON t.tenant_id = tenant AND t.id = x.id
    UNION ALL
    SELECT 'deliveries', json_build_object('id', d.id, 'notification_id',
        d.notification_id, 'channel', d.channel, 'state', d.state, 'address', d.address,
        'recipient', d.recipient, 'reason', d.reason, 'created_at', d.created_at,
        'finished_at', d.finished_at, 'trace', d.trace,
        'attempts', (SELECT json_agg(json_build_object('n', a.n, 'at', a.started_at,
                'code', a.code, 'text', a.text, 'provider_ref', a.provider_ref))
            FROM attempt a WHERE a.tenant_id = tenant
                AND a.notification_id = d.notification_id AND a.delivery_id = d.id),
        'events', (SELECT json_agg(json_build_object('at', e.at, 'type', e.type, 'code',
                e.code, 'text', e.text, 'by', e.by, 'data', e.data))
            FROM event e WHERE e.tenant_id = tenant
                AND e.notification_id = d.notification_id AND e.delivery_id = d.id))
    FROM unnest(places, nos) p (notification_id, no)
    JOIN delivery d ON d.tenant_id = tenant AND d.notification_id = p.notification_id
        AND d.recipient_no = p.no
    UNION ALL
    SELECT 'webhooks', json_build_object('id', m.id, 'at', m.at, 'type', m.type,
        'notification_id', m.notification_id, 'delivery_id', m.delivery_id, 'code', m.code,
        'text', m.text, 'attempts', (SELECT json_agg(json_build_object('endpoint_id',
                w.endpoint_id, 'at', w.started_at, 'status', w.status, 'error', w.error,
                'request', w.request, 'response', w.response) ORDER BY w.id)
            FROM webhook_attempt w WHERE w.tenant_id = tenant AND w.message_id = m.id))
    FROM webhook_message m
    WHERE m.tenant_id = tenant AND m.notification_id = ANY (places)
        AND (EXISTS (SELECT FROM unnest(places, nos) p (notification_id, no)
                JOIN delivery d ON d.tenant_id = tenant
                    AND d.notification_id = p.notification_id AND d.recipient_no = p.no
                WHERE d.id = m.delivery_id)
            OR m.delivery_id IS NULL AND EXISTS (SELECT FROM notification t
                WHERE t.tenant_id = tenant AND t.id = m.notification_id
                    AND json_array_length(t.recipients) = (SELECT count(*)
                        FROM unnest(places, nos) p (notification_id, no)
                        WHERE p.notification_id = m.notification_id)));
END $$;
