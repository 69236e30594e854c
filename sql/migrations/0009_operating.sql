-- 0009_operating: what operators see of spoolers and of the queue, how they drain and hold
-- them, and when belfry-api takes no more.

-- Spoolers ---------------------------------------------------------------------------

ALTER TABLE spooler
    ADD COLUMN slot smallint NOT NULL DEFAULT 0,
    ADD COLUMN drain boolean NOT NULL DEFAULT false, -- what operators wish
    ADD COLUMN state smallint NOT NULL DEFAULT 1
        CHECK (state BETWEEN 1 AND 6), -- running, draining, drained, holding, stopping, left
    ADD COLUMN in_flight int NOT NULL DEFAULT 0,
    ADD COLUMN claims int NOT NULL DEFAULT 0; -- under way

-- What each spooler has on the wire and got done lately: statistics, worth no WAL.
CREATE UNLOGGED TABLE throughput (
    tenant_id bigint NOT NULL,
    spooler uuid NOT NULL,
    lane smallint NOT NULL,
    provider_id uuid NOT NULL,
    provider text NOT NULL, -- its name
    in_flight int NOT NULL,
    per_minute real NOT NULL, -- attempts that ended
    measured_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, spooler, lane, provider_id)
);
CREATE INDEX throughput_spooler ON throughput (spooler);

-- The installation ----------------------------------------------------------------------

-- Which database this is.  "restored": it was recovered to a point in time.
CREATE FUNCTION installation_identity(OUT system_identifier bigint, OUT database bigint,
    OUT timeline int, OUT port int, OUT restored boolean) LANGUAGE sql STABLE
    SET search_path = pg_catalog AS $$
SELECT s.system_identifier, d.oid::bigint,
    ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int,
    current_setting('port')::int,
    EXISTS (SELECT FROM unnest(ARRAY['recovery_target', 'recovery_target_lsn',
        'recovery_target_name', 'recovery_target_time', 'recovery_target_xid']) AS t (name)
        WHERE current_setting(t.name) <> '')
FROM pg_control_system() s, pg_database d
WHERE d.datname = current_database()
$$;

-- One row.  While "hold" is true no spooler sends anything.
CREATE TABLE installation (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    system_identifier bigint NOT NULL,
    database bigint NOT NULL,
    timeline int NOT NULL,
    port int NOT NULL,
    hold boolean NOT NULL DEFAULT false,
    hold_reason text,
    hold_by text,
    hold_since timestamptz
);
INSERT INTO installation (system_identifier, database, timeline, port)
    SELECT system_identifier, database, timeline, port FROM installation_identity();

-- The queue in numbers --------------------------------------------------------------------

-- Rows of a queue table by tenant, lane and priority.  Of a large one only a part of its
-- pages is read, so it costs the same however long it is; then "exact" is false.
CREATE FUNCTION queue_count(target regclass, OUT tenant_id bigint, OUT lane smallint,
    OUT prio smallint, OUT n bigint, OUT oldest timestamptz, OUT exact boolean)
    RETURNS SETOF record LANGUAGE plpgsql STABLE
    SET search_path = belfry, pg_temp SET enable_seqscan = on SET enable_indexscan = off
    SET enable_indexonlyscan = off SET enable_bitmapscan = off AS $$
DECLARE
    pages bigint := pg_relation_size(target) / current_setting('block_size')::int;
    share float8 := LEAST(1, 600.0 / GREATEST(pages, 1));
BEGIN
    RETURN QUERY EXECUTE format('SELECT tenant_id, lane, prio,
        (count(*) / $1)::bigint, %s, $1 = 1 FROM %s %s GROUP BY tenant_id, lane, prio',
        CASE target WHEN 'q_ready'::regclass THEN 'min(due)'
        ELSE 'NULL::timestamptz' END, target,
        CASE WHEN share < 1 THEN 'TABLESAMPLE SYSTEM (100 * $1)' ELSE '' END)
        USING share;
END $$;

-- What there is to do, by tenant, lane and priority.  Of a long q_ready, what is
-- short in it is counted by its key, and only what is long is taken from a sample.
CREATE FUNCTION queue_measure(OUT tenant_id bigint, OUT lane smallint, OUT prio smallint,
    OUT ready bigint, OUT leased bigint, OUT later bigint, OUT oldest timestamptz,
    OUT exact boolean) RETURNS SETOF record LANGUAGE plpgsql STABLE
    SET search_path = belfry, pg_temp SET enable_seqscan = off AS $$
DECLARE
    most int;
BEGIN
    SELECT GREATEST(10, LEAST(1000, 20000 / GREATEST(count(*), 1))) INTO most
    FROM tenant_ready;
    RETURN QUERY
    WITH r AS MATERIALIZED (
        SELECT * FROM queue_count('q_ready')
    ), k AS MATERIALIZED (
        SELECT t.tenant_id, t.lane, t.prio, c.n, (
            SELECT q.due FROM q_ready q WHERE q.tenant_id = t.tenant_id
                AND q.lane = t.lane AND q.prio = t.prio
            ORDER BY q.due LIMIT 1) AS oldest
        FROM tenant_ready t CROSS JOIN LATERAL (
            SELECT count(*) AS n FROM (
                SELECT FROM q_ready q WHERE q.tenant_id = t.tenant_id
                    AND q.lane = t.lane AND q.prio = t.prio
                ORDER BY q.due DESC LIMIT most) x) c
        WHERE EXISTS (SELECT FROM r WHERE NOT r.exact) AND c.n > 0
    ), n AS (
        SELECT r.tenant_id, r.lane, r.prio, r.n AS ready, 0::bigint AS leased,
            0::bigint AS later, r.oldest, r.exact
        FROM r WHERE r.exact
        UNION ALL
        SELECT k.tenant_id, k.lane, k.prio,
            CASE WHEN k.n < most THEN k.n ELSE GREATEST(k.n, r.n) END, 0, 0, k.oldest,
            k.n < most
        FROM k LEFT JOIN r ON r.tenant_id = k.tenant_id AND r.lane = k.lane
            AND r.prio = k.prio
        UNION ALL
        SELECT l.tenant_id, l.lane, l.prio, 0, l.n, 0, NULL, l.exact
        FROM queue_count('q_leased') l
        UNION ALL
        SELECT w.tenant_id, w.lane, w.prio, 0, 0, w.n, NULL, w.exact
        FROM queue_count('q_later') w
    )
    SELECT n.tenant_id, n.lane, n.prio, sum(n.ready)::bigint, sum(n.leased)::bigint,
        sum(n.later)::bigint, min(n.oldest), bool_and(n.exact)
    FROM n GROUP BY n.tenant_id, n.lane, n.prio;
END $$;

-- Overload ------------------------------------------------------------------------------------

-- One row: the queue when it was measured last, for gauges and for belfry-api.
CREATE TABLE queue_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    measured_at timestamptz NOT NULL DEFAULT '-infinity',
    level smallint NOT NULL DEFAULT 0, -- as below, of the whole
    waiting bigint NOT NULL DEFAULT 0,
    lanes json NOT NULL DEFAULT '[]', -- [[lane, ready, leased, later, oldest in ms] ...]
    dead bigint NOT NULL DEFAULT 0, -- dead letters, counted up to 10001
    took_ms int NOT NULL DEFAULT 0,
    reconciled_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
INSERT INTO queue_state DEFAULT VALUES;

-- Tenants of whom belfry-api takes no more: 1 nothing of priority bulk, 2 nothing normal
-- either, 3 nothing.
CREATE TABLE overload (
    tenant_id bigint NOT NULL PRIMARY KEY,
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 3),
    waiting bigint NOT NULL
) WITH (fillfactor = 50);

-- How far "waiting" of "most" goes; 0 means no limit.
CREATE FUNCTION overload_level(waiting bigint, most bigint) RETURNS smallint
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
SELECT (CASE WHEN most <= 0 OR waiting < most * 0.8 THEN 0 WHEN waiting < most * 0.9 THEN 1
    WHEN waiting < most THEN 2 ELSE 3 END)::smallint
$$;

-- Measures the queue and marks who has too much, unless somebody did or does so within
-- "age_ms".  Returns the state then.  Spoolers call it all the time; belfry-api does
-- when there is none.
CREATE FUNCTION overload_mark(tenant_max bigint, total_max bigint, age_ms int)
    RETURNS SETOF queue_state LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = belfry, pg_temp AS $$
DECLARE
    began timestamptz := clock_timestamp();
    state queue_state;
BEGIN
    PERFORM FROM queue_state WHERE measured_at <= began - age_ms * interval '1 ms'
        FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        WITH m AS MATERIALIZED (
            SELECT * FROM queue_measure()
        ), t AS MATERIALIZED (
            SELECT m.tenant_id, sum(m.ready + m.later)::bigint AS waiting,
                overload_level(sum(m.ready + m.later)::bigint, CASE
                    WHEN t.settings->>'queue_max' ~ '^[0-9]{1,15}$'
                    THEN (t.settings->>'queue_max')::bigint ELSE tenant_max END) AS level
            FROM m JOIN tenant t ON t.id = m.tenant_id GROUP BY m.tenant_id, t.settings
        ), gone AS (
            DELETE FROM overload o WHERE NOT EXISTS (SELECT FROM t
                WHERE t.tenant_id = o.tenant_id AND t.level > 0)
        ), marked AS (
            INSERT INTO overload (tenant_id, level, waiting)
            SELECT tenant_id, level, waiting FROM t WHERE level > 0
            ON CONFLICT (tenant_id) DO UPDATE SET level = excluded.level,
                waiting = excluded.waiting
        )
        UPDATE queue_state SET measured_at = began,
            waiting = (SELECT COALESCE(sum(t.waiting), 0) FROM t),
            level = overload_level((SELECT COALESCE(sum(t.waiting), 0)::bigint FROM t),
                total_max),
            lanes = (SELECT COALESCE(json_agg(json_build_array(l.lane, l.ready, l.leased,
                l.later, (extract(epoch FROM began - l.oldest) * 1000)::bigint)), '[]')
                FROM (SELECT m.lane, sum(m.ready) AS ready, sum(m.leased) AS leased,
                    sum(m.later) AS later, min(m.oldest) AS oldest
                    FROM m GROUP BY m.lane) l),
            dead = (SELECT count(*) FROM (SELECT FROM dead_letter LIMIT 10001) d),
            took_ms = extract(epoch FROM clock_timestamp() - began) * 1000;
    END IF;
    RETURN QUERY SELECT * FROM queue_state;
END $$;

-- Reconciliation ----------------------------------------------------------------------------

-- Up to which notification a tenant's history was looked through.
CREATE TABLE reconcile_position (
    tenant_id bigint NOT NULL PRIMARY KEY,
    position uuid NOT NULL
);

-- Who may do what ----------------------------------------------------------------------------

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['throughput', 'overload', 'reconcile_position'] LOOP
        CALL tenant_wall(t::regclass);
    END LOOP;
END $$;
-- Numbers and ids, which operators and spoolers see of all tenants.
CREATE POLICY spooler_works ON throughput TO belfry_spooler USING (true) WITH CHECK (true);
CREATE POLICY owner_finds ON throughput FOR SELECT TO belfry_owner USING (true);
CREATE POLICY owner_finds ON tenant_ready FOR SELECT TO belfry_owner USING (true);
CREATE POLICY owner_finds ON dead_letter FOR SELECT TO belfry_owner USING (true);
CREATE POLICY owner_marks ON overload TO belfry_owner USING (true) WITH CHECK (true);

REVOKE ALL ON FUNCTION overload_mark(bigint, bigint, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION overload_mark(bigint, bigint, int) TO belfry_spooler, belfry_api;

GRANT SELECT, UPDATE ON installation TO belfry_spooler;
GRANT SELECT ON installation, queue_state, overload, throughput TO belfry_api;
GRANT SELECT ON overload TO belfry_spooler, belfry_gateway;
GRANT SELECT ON queue_state TO belfry_gateway;
GRANT SELECT, UPDATE ON queue_state TO belfry_spooler;
GRANT SELECT, INSERT, DELETE ON throughput TO belfry_spooler;
GRANT SELECT, INSERT, UPDATE ON reconcile_position TO belfry_spooler;
