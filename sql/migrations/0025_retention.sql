-- 0025_retention: how long what is kept, by tenant, channel and category (doc/privacy.md).

-- A tenant's setting "retention" is {"days": 60, "rules": [{"category": "otp",
-- "channel": "sms", "days": 7} ...]}: the first rule that fits counts.

CREATE FUNCTION retention_days(retention jsonb, category text, channel smallint,
    otherwise int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
SELECT COALESCE((SELECT (r ->> 'days')::int
        FROM jsonb_array_elements(retention -> 'rules') WITH ORDINALITY x (r, n)
        WHERE COALESCE(r ->> 'category', category) = category
            AND COALESCE(r ->> 'channel' = (ARRAY['email', 'sms', 'push', 'whatsapp',
                'inapp', 'webhook', 'chat'])[channel], NOT r ? 'channel')
        ORDER BY n LIMIT 1),
    (retention ->> 'days')::int, otherwise)
$$;

-- The shortest and the longest of all that may count.
CREATE FUNCTION retention_span(retention jsonb, otherwise int, OUT shortest int,
    OUT longest int) LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
SELECT min(d), max(d) FROM (
    SELECT COALESCE((retention ->> 'days')::int, otherwise)
    UNION ALL SELECT (r ->> 'days')::int
    FROM jsonb_array_elements(retention -> 'rules') r) x (d)
$$;

-- Up to where a tenant's history was looked through; what is older is to be kept longer.
CREATE TABLE retention_position (
    tenant_id bigint NOT NULL PRIMARY KEY,
    position uuid NOT NULL
) WITH (fillfactor = 50);
CALL tenant_wall('retention_position');

-- Old entries are found by their time: they lie together.
CREATE INDEX inbox_age ON inbox USING brin (created_at) WITH (pages_per_range = 16);

-- Removes a slice of what a tenant has kept for long enough: the tenant after "after".
-- Returns which one it was (NULL: there is none) and how many rows went; "more": call it
-- again for the same.
CREATE FUNCTION retention_apply(after bigint, otherwise int, slice int, OUT tenant bigint,
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
END $$;

-- Dropping ----------------------------------------------------------------------------

-- Drops the oldest week of which the longest retention of all has passed, unless the queue
-- or a legal hold needs something of it.  It waits for nobody longer than lock_timeout,
-- since others wait behind it: then "postponed" is true, and one tries again.
DROP FUNCTION partitions_drop(int);
CREATE FUNCTION partitions_drop(days int, OUT dropped int, OUT postponed boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = belfry, pg_temp
    SET lock_timeout = '100ms' AS $$
DECLARE
    child text;
    parent text;
    week timestamptz;
    most int;
    t bigint;
    held boolean;
BEGIN
    dropped := 0;
    postponed := false;
    SELECT GREATEST(days, 7, max(s.longest)) INTO most
    FROM tenant t CROSS JOIN LATERAL retention_span(t.settings -> 'retention', days) s;
    FOR child IN
        SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('notification'::regclass, 'delivery'::regclass,
            'attempt'::regclass, 'event'::regclass) AND c.relname ~ '_[0-9]{8}$'
        GROUP BY 1 ORDER BY 1 LOOP
        week := to_date(child, 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC';
        EXIT WHEN week + interval '7 days' >= now() - make_interval(days => most);
        CONTINUE WHEN EXISTS (SELECT FROM (
            SELECT notification_id FROM q_later
            UNION ALL SELECT notification_id FROM q_ready
            UNION ALL SELECT notification_id FROM q_leased) q
            WHERE notification_id >= uuid_floor(week)
            AND notification_id < uuid_floor(week + interval '7 days'));
        held := false;
        FOR t IN SELECT DISTINCT h.tenant_id FROM legal_hold h LOOP
            PERFORM set_config('belfry.tenant', t::text, true);
            held := held OR EXISTS (SELECT FROM notification n WHERE n.tenant_id = t
                AND n.id >= uuid_floor(week)
                AND n.id < uuid_floor(week + interval '7 days'));
        END LOOP;
        CONTINUE WHEN held;
        BEGIN
            FOREACH parent IN ARRAY ARRAY['notification', 'delivery', 'attempt', 'event'] LOOP
                IF to_regclass(format('belfry.%I', parent || '_' || child)) IS NOT NULL THEN
                    EXECUTE format('DROP TABLE %I', parent || '_' || child);
                    dropped := dropped + 1;
                END IF;
            END LOOP;
            DELETE FROM dead_letter WHERE notification_id >= uuid_floor(week)
                AND notification_id < uuid_floor(week + interval '7 days');
        EXCEPTION WHEN lock_not_available THEN
            dropped := 0;
            postponed := true;
        END;
        RETURN;
    END LOOP;
END $$;

-- Dead letters go with what they are about, whoever they belong to.
DROP POLICY spooler_expires_finds ON dead_letter;
DROP POLICY spooler_expires ON dead_letter;
CREATE POLICY owner_drops ON dead_letter FOR DELETE TO belfry_owner USING (true);

REVOKE ALL ON FUNCTION partitions_drop(int), retention_apply(bigint, int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partitions_drop(int), retention_apply(bigint, int, int)
    TO belfry_spooler;
