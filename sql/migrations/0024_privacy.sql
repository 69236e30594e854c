-- 0024_privacy: what is stored of a person, told and taken away (doc/privacy.md).

-- Of whom nothing is deleted or erased.  "person" is a user's id or an address; empty: the
-- whole tenant.
CREATE TABLE legal_hold (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    person text COLLATE "C" NOT NULL DEFAULT '',
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, person)
);
CALL tenant_wall('legal_hold');
CREATE POLICY owner_finds ON legal_hold FOR SELECT TO belfry_owner USING (true);
CALL audit_watch('legal_hold', '{person}', '{tenant_id}');
GRANT SELECT, INSERT, DELETE ON legal_hold TO belfry_api;
CALL audit_watch('webhook_endpoint', '{sealed}', '{tenant_id,version,created_at,updated_at}');

-- A tenant on hold, or with somebody who is, cannot be deleted.
CREATE FUNCTION tenant_held() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = belfry, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM legal_hold WHERE tenant_id = NEW.id) THEN
        RAISE EXCEPTION 'a legal hold' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'legal_hold';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION tenant_held() FROM PUBLIC;
CREATE TRIGGER tenant_held BEFORE UPDATE OF state ON tenant FOR EACH ROW
    WHEN (OLD.state <> 3 AND NEW.state = 3) EXECUTE FUNCTION tenant_held();

-- Its secret settings came after it was watched.
DROP TRIGGER audit_collect ON tenant;
CREATE TRIGGER audit_collect AFTER INSERT OR UPDATE OR DELETE ON tenant FOR EACH ROW
    EXECUTE FUNCTION audit_collect('{sealed}', '{id,version,created_at,updated_at}');

-- Who is meant -------------------------------------------------------------------------

-- All ids and addresses (in lower case) of a person, of whom an id or an address is
-- known.  The address of a webhook or a chat is not a person's.
CREATE FUNCTION privacy_find(tenant bigint, who text, address text, OUT users text[],
    OUT addresses text[]) LANGUAGE plpgsql STABLE
    SET search_path = belfry, pg_temp SET enable_seqscan = on AS $$
BEGIN
    users := ARRAY(
        SELECT who WHERE who IS NOT NULL
        UNION SELECT r.user_id FROM recipient r WHERE r.tenant_id = tenant
            AND address IS NOT NULL AND lower(address) IN (lower(r.email), lower(r.phone))
        UNION SELECT v.user_id FROM device v WHERE v.tenant_id = tenant
            AND v.token = address);
    addresses := ARRAY(SELECT DISTINCT lower(a.v COLLATE "C") FROM (
        SELECT address
        UNION ALL SELECT r.email FROM recipient r WHERE r.tenant_id = tenant
            AND r.user_id = ANY (users)
        UNION ALL SELECT r.phone FROM recipient r WHERE r.tenant_id = tenant
            AND r.user_id = ANY (users)
        UNION ALL SELECT v.token FROM device v WHERE v.tenant_id = tenant
            AND v.user_id = ANY (users)
        UNION ALL SELECT d.address FROM delivery d WHERE d.tenant_id = tenant
            AND d.user_id = ANY (users) AND d.channel <= 4) a (v) WHERE a.v <> '');
END $$;

-- The places of a person among the recipients of notifications: all of the tenant's, or
-- those of "among".
CREATE FUNCTION privacy_places(tenant bigint, users text[], addresses text[],
    among uuid[]) RETURNS TABLE (notification_id uuid, no smallint) LANGUAGE sql STABLE
    SET search_path = belfry, pg_temp SET enable_seqscan = on AS $$
SELECT n.id, (r.no - 1)::smallint
FROM notification n
CROSS JOIN LATERAL json_array_elements(CASE json_typeof(n.recipients) WHEN 'array'
    THEN n.recipients ELSE '[]' END) WITH ORDINALITY r (v, no)
WHERE n.tenant_id = tenant AND (among IS NULL OR n.id = ANY (among))
    AND (r.v ->> 'user_id' = ANY (users) OR lower(r.v ->> 'email') = ANY (addresses)
        OR lower(r.v ->> 'phone') = ANY (addresses)
        OR lower(r.v ->> 'push_token') = ANY (addresses))
UNION
SELECT d.notification_id, d.recipient_no FROM delivery d
WHERE d.tenant_id = tenant AND (among IS NULL OR d.notification_id = ANY (among))
    AND (d.user_id = ANY (users) OR d.channel <= 4 AND lower(d.address) = ANY (addresses))
$$;

-- Whether a text names the person.
CREATE FUNCTION privacy_names(t text, users text[], addresses text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
SELECT EXISTS (SELECT FROM unnest(addresses) a WHERE strpos(lower(t), a) > 0)
    OR EXISTS (SELECT FROM unnest(users) u WHERE strpos(t, u) > 0)
$$;

-- A provider's code, unless it may be a part of an address.
CREATE FUNCTION privacy_code(code text, users text[], addresses text[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = belfry, pg_temp AS $$
SELECT CASE WHEN code ~ '^[A-Za-z0-9._:-]+$' AND NOT privacy_names(code, users, addresses)
    THEN code END
$$;

-- What stands in place of a suppressed address that was erased.  The key is not stored.
CREATE FUNCTION suppression_mark(key text, address text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
SELECT 'erased:' || encode(sha256(convert_to(key || lower(address COLLATE "C"), 'UTF8')), 'hex')
$$;

DROP FUNCTION suppression_guard(bigint, text[], smallint[], uuid[], text);
CREATE FUNCTION suppression_guard(tenant bigint, addresses text[], channels smallint[],
    providers uuid[], in_category text, mark_key text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = belfry, pg_temp AS $$
BEGIN
    PERFORM FROM unnest(addresses, channels, providers) AS r (address, channel, provider_id)
    CROSS JOIN LATERAL (
        SELECT FROM suppression s WHERE s.tenant_id = tenant
            AND s.address = ANY (ARRAY[lower(r.address COLLATE "C"),
                suppression_mark(mark_key, r.address)])
            AND s.channel = r.channel
            AND s.provider_id IN (r.provider_id, '00000000-0000-0000-0000-000000000000')
            AND s.category IN ('', in_category) OFFSET 0) s;
    IF FOUND THEN
        RAISE EXCEPTION 'an address is suppressed' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'suppressed';
    END IF;
END $$;
REVOKE ALL ON FUNCTION suppression_guard(bigint, text[], smallint[], uuid[], text, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION suppression_guard(bigint, text[], smallint[], uuid[], text, text)
    TO belfry_api;

-- Erasing ----------------------------------------------------------------------------------

-- Takes back what is queued for these deliveries, and for notifications that are "whole"
-- the person's and are not routed.  Returns how many deliveries.
CREATE FUNCTION privacy_cancel(tenant bigint, notifications uuid[], deliveries uuid[],
    whole uuid[]) RETURNS bigint LANGUAGE plpgsql SET search_path = belfry, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM q_later WHERE tenant_id = tenant AND id = ANY (deliveries || whole);
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

-- Erases a person.  Returns what was done as {"rows": {table: count}, "cancelled": n}, or
-- {"busy": n, "cancelled": n} when n deliveries are on the wire: then what waited is
-- cancelled, and one asks again.  Violates "legal_hold" for who is on hold.
CREATE FUNCTION privacy_erase(tenant bigint, who text, address text, mark_key text)
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
        WHERE NOT privacy_names(v::text, users, addresses)), '[]')
    WHERE h.tenant_id = tenant AND json_typeof(h.events) = 'array'
        AND privacy_names(h.events::text, users, addresses);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('hook_inbox', n);
    DELETE FROM idempotency i WHERE i.tenant_id = tenant
        AND privacy_names(i.body || COALESCE(i.location, ''), users, addresses);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done || jsonb_build_object('idempotency', n);
    RETURN jsonb_build_object('rows', done, 'cancelled', cancelled);
END $$;

-- Telling -----------------------------------------------------------------------------------

-- All that is stored of a person: the name of a list in the answer, and an entry of it.
-- Of notifications to several only the person's own place among the recipients is told.
CREATE FUNCTION privacy_export(tenant bigint, who text, address text)
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
        AND d.recipient_no = p.no;
END $$;

REVOKE ALL ON FUNCTION privacy_erase(bigint, text, text, text),
    privacy_export(bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION privacy_erase(bigint, text, text, text),
    privacy_export(bigint, text, text) TO belfry_api;
