-- 0043_history: whose something is, is found by whole names; what is held stays so; webhooks
-- forget what retention has removed (doc/privacy.md).

-- Who is meant -------------------------------------------------------------------------

-- Whether a text names the person: an id or an address that nothing stands before or behind
-- which may belong to it, since "ann@example.org" is the end of another's address, and
-- "+43660" the beginning of another's number.  Behind "\" there is a blank of a JSON string.
CREATE OR REPLACE FUNCTION privacy_names(t text, users text[], addresses text[])
    RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
SELECT EXISTS (SELECT FROM (
        SELECT lower(t COLLATE "C"), a FROM unnest(addresses) a
        UNION ALL SELECT t, u FROM unnest(users) u) x (t, name)
    WHERE name <> '' AND strpos(x.t, name) > 0
        AND x.t ~ ('(^|[][\s"<>(),;:\\]|\\[nrt])''?'
            || regexp_replace(name, '[][\\.^$*+?(){}|]', '\\\&', 'g')
            || '(?![-._%+]*([[:alnum:]@]|[^\u0001-\u007f]))'))
$$;

-- Whether an event of hook_inbox (src/provider/hook.h) is the person's.  Its codes and kinds
-- may be the same as somebody's id.
CREATE FUNCTION privacy_reports(v json, users text[], addresses text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = belfry, pg_temp AS $$
SELECT COALESCE(v ->> 'address' = ANY (users), false)
    OR privacy_names(v::text, '{}', addresses)
$$;

-- Whether an answer that was given names the person, as those about holds and suppressions
-- do.
CREATE FUNCTION privacy_answers(body text, users text[], addresses text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = belfry, pg_temp AS $$
SELECT EXISTS (SELECT FROM unnest(users) u, unnest('{person,address,user_id}'::text[]) m
        WHERE strpos(body, format('"%s":%s', m, to_json(u))) > 0)
    OR privacy_names(body, '{}', addresses)
$$;

-- As in 0024; whether what is held went out is not known, so it is not cancelled: it waits
-- for its receipt, and is dead without one.
CREATE OR REPLACE FUNCTION privacy_cancel(tenant bigint, notifications uuid[], deliveries uuid[],
    whole uuid[]) RETURNS bigint LANGUAGE plpgsql SET search_path = belfry, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM q_later WHERE tenant_id = tenant AND id = ANY (deliveries || whole)
        AND kind <> 2;
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

-- As in 0024, with the functions above.  The answers to what was sent, which are most of them,
-- name nobody and are not looked into.
CREATE OR REPLACE FUNCTION privacy_erase(tenant bigint, who text, address text, mark_key text)
    RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = belfry, pg_temp SET enable_seqscan = on AS $$
DECLARE
    users text[];
    addresses text[];
    places uuid[];
    nos smallint[];
    notifications uuid[];
    deliveries uuid[];
    whole uuid[];
    cancelled bigint;
    busy bigint;
    done jsonb := '{}';
    n bigint;
BEGIN
    SELECT f.users, f.addresses INTO users, addresses FROM privacy_find(tenant, who, address) f;
    IF EXISTS (SELECT FROM legal_hold h WHERE h.tenant_id = tenant
        AND (h.person = '' OR h.person = ANY (users) OR lower(h.person) = ANY (addresses))) THEN
        RAISE EXCEPTION 'a legal hold' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'legal_hold';
    END IF;
    SELECT array_agg(p.notification_id), array_agg(p.no) INTO places, nos
    FROM privacy_places(tenant, users, addresses, NULL) p;
    SELECT array_agg(d.notification_id), array_agg(d.id) INTO notifications, deliveries
    FROM unnest(places, nos) p (notification_id, no)
    JOIN delivery d ON d.tenant_id = tenant AND d.notification_id = p.notification_id
        AND d.recipient_no = p.no;
    SELECT array_agg(x.id) INTO whole FROM (
        SELECT p.notification_id AS id, count(*) AS n
        FROM unnest(places, nos) p (notification_id, no) GROUP BY 1) x
    JOIN notification t ON t.tenant_id = tenant AND t.id = x.id
    WHERE x.n >= json_array_length(t.recipients);

    -- Who shares a notification that waits for its time: its row in the queue is held, so
    -- that nobody routes it until this is over.
    PERFORM FROM q_later WHERE tenant_id = tenant AND lane = 0 AND id = ANY (places)
        FOR UPDATE;
    cancelled := privacy_cancel(tenant, notifications, deliveries, whole);
    SELECT (SELECT count(*) FROM unnest(notifications, deliveries) r (notification_id, id)
            JOIN delivery d ON d.tenant_id = tenant AND d.notification_id = r.notification_id
                AND d.id = r.id WHERE d.state = 3)
        + (SELECT count(*) FROM notification t WHERE t.tenant_id = tenant
            AND t.id = ANY (places) AND t.state = 1 AND NOT EXISTS (SELECT FROM q_later q
                WHERE q.tenant_id = tenant AND q.id = t.id)) INTO busy;
    IF busy > 0 THEN
        RETURN jsonb_build_object('busy', busy, 'cancelled', cancelled);
    END IF;

    UPDATE attempt a SET text = NULL, provider_ref = NULL,
        code = privacy_code(a.code, users, addresses)
    FROM unnest(notifications, deliveries) r (notification_id, id)
    WHERE a.tenant_id = tenant AND a.notification_id = r.notification_id
        AND a.delivery_id = r.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('attempt', n);
    UPDATE event e SET text = NULL, data = NULL,
        code = privacy_code(e.code, users, addresses),
        by = CASE WHEN privacy_names(e.by, users, addresses) THEN 'erased' ELSE e.by END
    FROM (SELECT notification_id, id FROM unnest(notifications, deliveries) r (notification_id, id)
        UNION ALL SELECT id, NULL FROM unnest(whole) id) r
    WHERE e.tenant_id = tenant AND e.notification_id = r.notification_id
        AND (e.delivery_id = r.id OR r.id IS NULL);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('event', n);
    UPDATE delivery d SET user_id = NULL, address = NULL, recipient = '{}', reason = NULL,
        trace = NULL, provider_ref = NULL
    FROM unnest(notifications, deliveries) r (notification_id, id)
    WHERE d.tenant_id = tenant AND d.notification_id = r.notification_id AND d.id = r.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('delivery', n);
    UPDATE notification t SET user_ids = ARRAY(SELECT u FROM unnest(t.user_ids) u
            WHERE u <> ALL (users)),
        recipients = (SELECT json_agg(CASE WHEN (r.no - 1)::smallint = ANY (x.nos)
                THEN '{}' ELSE r.v END ORDER BY r.no)
            FROM json_array_elements(t.recipients) WITH ORDINALITY r (v, no)),
        data = CASE WHEN t.id = ANY (whole) THEN NULL ELSE t.data END,
        content = CASE WHEN t.id = ANY (whole) AND t.content IS NOT NULL THEN '{}'
            ELSE t.content END,
        metadata = CASE WHEN t.id = ANY (whole) THEN NULL ELSE t.metadata END,
        attachments = CASE WHEN t.id = ANY (whole) THEN NULL ELSE t.attachments END
    FROM (SELECT p.id, array_agg(p.no) AS nos FROM unnest(places, nos) p (id, no)
        GROUP BY 1) x
    WHERE t.tenant_id = tenant AND t.id = x.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('notification', n);

    WITH m AS (
        UPDATE webhook_message m SET text = NULL,
            code = privacy_code(m.code, users, addresses)
        FROM (SELECT notification_id, id
            FROM unnest(notifications, deliveries) r (notification_id, id)
            UNION ALL SELECT id, NULL FROM unnest(whole) id) r
        WHERE m.tenant_id = tenant AND m.notification_id = r.notification_id
            AND (m.delivery_id = r.id OR r.id IS NULL)
        RETURNING m.id
    )
    UPDATE webhook_attempt a SET request = NULL, response = NULL, error = NULL
    FROM m WHERE a.tenant_id = tenant AND a.message_id = m.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('webhook_attempt', n);
    DELETE FROM inbox WHERE tenant_id = tenant AND user_id = ANY (users);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('inbox', n);
    DELETE FROM device WHERE tenant_id = tenant AND user_id = ANY (users);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('device', n);
    DELETE FROM recipient WHERE tenant_id = tenant AND user_id = ANY (users);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('recipient', n);
    WITH gone AS (
        DELETE FROM suppression s WHERE s.tenant_id = tenant AND s.address = ANY (addresses)
        RETURNING *
    )
    INSERT INTO suppression (tenant_id, address, channel, provider_id, category, reason,
        source, created_at)
    SELECT tenant_id, suppression_mark(mark_key, gone.address), channel, provider_id,
        category, reason, 'erased', created_at FROM gone
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('suppression', n);
    DELETE FROM heard h WHERE h.tenant_id = tenant AND lower(h.address) = ANY (addresses);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('heard', n);
    UPDATE hook_inbox h SET events = COALESCE((SELECT json_agg(v)
        FROM json_array_elements(h.events) v
        WHERE NOT privacy_reports(v, users, addresses)), '[]')
    WHERE h.tenant_id = tenant AND EXISTS (SELECT FROM json_array_elements(
            CASE json_typeof(h.events) WHEN 'array' THEN h.events ELSE '[]' END) v
        WHERE privacy_reports(v, users, addresses));
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('hook_inbox', n);
    DELETE FROM idempotency i WHERE i.tenant_id = tenant
        AND COALESCE(i.location NOT LIKE
            '%/services/notifications/________-____-____-____-____________', true)
        AND privacy_answers(i.body, users, addresses);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('idempotency', n);
    RETURN jsonb_build_object('rows', done, 'cancelled', cancelled);
END $$;

-- As in 0038, with the functions above.
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
    WHERE h.tenant_id = tenant AND privacy_reports(v, users, addresses)
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

-- Retention ----------------------------------------------------------------------------

-- As in 0038; a rule that names no category, or no channel, fits what has none, too.
CREATE OR REPLACE FUNCTION retention_days(retention jsonb, category text, channel smallint,
    otherwise int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = belfry, pg_temp AS $$
SELECT COALESCE((SELECT retention_number(x.r -> 'days') FROM retention_rules(retention) x
        WHERE COALESCE(x.r ->> 'category' = category, x.r ->> 'category' IS NULL)
            AND COALESCE(x.r ->> 'channel' = (ARRAY['email', 'sms', 'push', 'whatsapp',
                'inapp', 'webhook', 'chat'])[channel], x.r ->> 'channel' IS NULL)
        ORDER BY x.n LIMIT 1),
    retention_number(retention -> 'days'), otherwise)
$$;

-- As in 0038; when the notification is gone, its time is over, and nobody knows its category
-- any more.
CREATE OR REPLACE FUNCTION webhook_retire(tenant bigint, retention jsonb, shortest int,
    otherwise int, persons text[], slice int, OUT removed bigint, OUT more boolean)
    LANGUAGE plpgsql
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
            AND (m.notification_id IS NOT NULL AND t.id IS NULL
                OR m.at < now() - make_interval(days =>
                    retention_days(retention, t.category, m.channel, otherwise)))
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

-- Fallback orders ----------------------------------------------------------------------

-- As in 0017, with chats.
CREATE OR REPLACE FUNCTION step_follow() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    channels constant text[] :=
        ARRAY['email', 'sms', 'push', 'whatsapp', 'inapp', 'webhook', 'chat'];
    this text := channels[NEW.channel];
    head delivery; -- the next step's first; whoever holds it decides
    d delivery;
    act int;
    why text;
BEGIN
    SELECT * INTO head FROM delivery WHERE tenant_id = NEW.tenant_id
        AND notification_id = NEW.notification_id AND id = NEW.next_id FOR UPDATE;
    act := step_act(NEW.state, NEW.attempts, NEW.told, head.unless);
    IF act = 3 THEN
        PERFORM steps_skip(NEW, 'not needed: ' || this || CASE
            WHEN NEW.told = 2 THEN ' was read' WHEN NEW.state = 4 THEN ' was sent'
            ELSE ' was delivered' END);
        RETURN NULL;
    ELSIF act = 1 AND head.after_ms IS NOT NULL THEN
        why := format('it goes on %s s after %s, unless that one is %s',
            (head.after_ms / 1000.0)::float8, this, CASE head.unless WHEN 2 THEN 'read'
            WHEN 1 THEN 'delivered' ELSE 'sent' END);
    ELSIF act = 2 AND NOT EXISTS (SELECT FROM delivery s
        WHERE s.tenant_id = NEW.tenant_id AND s.notification_id = NEW.notification_id
            AND s.recipient_no = NEW.recipient_no AND s.step = NEW.step
            AND s.state NOT IN (6, 7, 9, 10, 11)) THEN
        why := 'it goes on now: ' || this || CASE NEW.state
            WHEN 9 THEN ' was skipped' WHEN 11 THEN ' expired' ELSE ' failed' END;
    ELSE
        RETURN NULL;
    END IF;
    FOR d IN SELECT * FROM delivery s WHERE s.tenant_id = NEW.tenant_id
        AND s.notification_id = NEW.notification_id
        AND s.recipient_no = NEW.recipient_no AND s.step = head.step AND s.state = 1
        AND s.attempts = 0 AND (act = 2 OR s.due IS NULL) ORDER BY id FOR UPDATE LOOP
        PERFORM step_go(d, act, why);
    END LOOP;
    RETURN NULL;
END $$;
