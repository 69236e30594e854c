-- 0001_foundation: tenants, accounts, templates, providers, notifications and
-- their queue.  Run by belfry_owner in the schema "belfry".
--
-- Habits: tenant_id comes first in each key; states are smallint; ids are UUIDv7
-- made in C; policies compare tenant_id with a setting and nothing else; whatever
-- belongs to one notification lies in the partition of that notification's id, so
-- "where is my message?" reads one partition of each table and retention drops
-- them together.

-- Global tables ------------------------------------------------------------------

CREATE TABLE tenant (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL,
    state smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2)), -- active, suspended
    weight int NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000),
    cluster text NOT NULL DEFAULT '',
    default_locale text NOT NULL DEFAULT 'en',
    time_zone text NOT NULL DEFAULT 'UTC',
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One row per spooler process: leases last as long as its heart beats.
CREATE TABLE spooler (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    pid int NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- What a tenant's admins edit ----------------------------------------------------

-- Raised with each change of a tenant's accounts, templates or providers; caches
-- are keyed by it.
CREATE TABLE tenant_generation (
    tenant_id bigint NOT NULL PRIMARY KEY,
    generation bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 50);

CREATE TABLE service_account (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    state smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2)), -- active, revoked
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE api_key (
    tenant_id bigint NOT NULL,
    id text NOT NULL,
    account_id uuid NOT NULL,
    hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id)
        REFERENCES service_account (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE recipient (
    tenant_id bigint NOT NULL,
    user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
    email text,
    phone text,
    name text,
    locale text,
    time_zone text,
    data json,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE template (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    key text NOT NULL CHECK (key ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    category text NOT NULL DEFAULT '',
    default_locale text NOT NULL DEFAULT 'en',
    published_version int, -- NULL: nothing to send yet
    latest_version int NOT NULL DEFAULT 0,
    version int NOT NULL DEFAULT 1, -- of this row, for ETag
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key)
);

-- A version never changes.  "parts" is {"en": {"email.subject": "...", ...}, ...};
-- "variables" is {"order": {"required": true, "description": ..., "example": ...}}.
CREATE TABLE template_version (
    tenant_id bigint NOT NULL,
    template_id uuid NOT NULL,
    version int NOT NULL,
    parts json NOT NULL,
    variables json NOT NULL DEFAULT '{}',
    sample json NOT NULL DEFAULT '{}',
    checksum bytea NOT NULL,
    created_by text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, template_id, version),
    FOREIGN KEY (tenant_id, template_id)
        REFERENCES template (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE provider (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    kind text NOT NULL,
    channel smallint NOT NULL CHECK (channel BETWEEN 1 AND 6),
    state smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2, 3)), -- enabled, disabled, parked
    priority smallint NOT NULL DEFAULT 10,
    weight smallint NOT NULL DEFAULT 1,
    settings json NOT NULL DEFAULT '{}', -- without the secret ones
    sealed bytea, -- the secret ones, sealed (src/base/seal.h)
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE audit (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    principal text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    detail json,
    request_id text,
    PRIMARY KEY (tenant_id, id)
);

-- History: partitioned by the id of the notification ------------------------------

CREATE TABLE notification (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    state smallint NOT NULL DEFAULT 1
        CHECK (state BETWEEN 1 AND 4), -- accepted, routed, done, cancelled
    priority smallint NOT NULL DEFAULT 1,
    open_count int NOT NULL DEFAULT 0, -- deliveries without a final state
    delivery_count int NOT NULL DEFAULT 0,
    account_id uuid NOT NULL,
    template_id uuid,
    template_version int,
    batch_id uuid,
    category text NOT NULL DEFAULT '',
    locale text,
    channels text, -- names separated by commas; NULL: the template's
    fallback json,
    content json, -- instead of a template
    recipients json NOT NULL, -- as they were sent
    user_ids text[], -- those of them who are named by user_id
    data json,
    metadata json,
    attachments json,
    send_at timestamptz,
    expires_at timestamptz,
    request_id text,
    traceparent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    routed_at timestamptz,
    done_at timestamptz,
    PRIMARY KEY (tenant_id, id)
) PARTITION BY RANGE (id);

CREATE TABLE delivery (
    tenant_id bigint NOT NULL,
    notification_id uuid NOT NULL,
    id uuid NOT NULL,
    recipient_no smallint NOT NULL, -- place in notification.recipients
    step smallint NOT NULL DEFAULT 0, -- place in the fallback order
    channel smallint NOT NULL CHECK (channel BETWEEN 1 AND 6),
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 11),
    priority smallint NOT NULL DEFAULT 1,
    attempts int NOT NULL DEFAULT 0, -- started
    counted int NOT NULL DEFAULT 0, -- those that count against the limit
    crashes int NOT NULL DEFAULT 0, -- spoolers that died with it
    user_id text,
    address text,
    recipient json, -- name, locale, time zone and data as they were when routed
    locale text,
    provider_id uuid,
    provider_ref text,
    class smallint, -- of the last attempt
    reason text, -- why it is in its state, for people
    due timestamptz,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    trace json, -- the decisions that led here
    PRIMARY KEY (tenant_id, notification_id, id)
) PARTITION BY RANGE (notification_id);

-- Written before any byte leaves; the result is filled in once.
CREATE TABLE attempt (
    tenant_id bigint NOT NULL,
    notification_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    n int NOT NULL,
    lease_no int NOT NULL,
    spooler uuid NOT NULL,
    provider_id uuid,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    class smallint,
    state smallint, -- the delivery's state that came of it
    next_due timestamptz,
    code text,
    text text,
    PRIMARY KEY (tenant_id, notification_id, delivery_id, n)
) PARTITION BY RANGE (notification_id);

-- What attempts do not tell: skipped, rescued, late results, receipts ...
CREATE TABLE event (
    tenant_id bigint NOT NULL,
    notification_id uuid NOT NULL,
    id uuid NOT NULL,
    delivery_id uuid,
    at timestamptz NOT NULL DEFAULT now(),
    type text NOT NULL,
    channel smallint,
    provider_id uuid,
    attempt int,
    class smallint,
    code text,
    text text,
    by text,
    data json,
    PRIMARY KEY (tenant_id, notification_id, id)
) PARTITION BY RANGE (notification_id);

-- Nothing is refused because a partition is missing.
CREATE TABLE notification_default PARTITION OF notification DEFAULT;
CREATE TABLE delivery_default PARTITION OF delivery DEFAULT;
CREATE TABLE attempt_default PARTITION OF attempt DEFAULT;
CREATE TABLE event_default PARTITION OF event DEFAULT;

-- The legal moves, as from * 100 + to; src/notify/state.def has the same table.
-- Only an illegal move calls the function.  They fire after the update, where nothing
-- has to lock the row a second time.
CREATE FUNCTION illegal_move() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'illegal move of % from state % to %',
        TG_TABLE_NAME, OLD.state, NEW.state USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER legal_move AFTER UPDATE OF state ON delivery FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state * 100 + NEW.state NOT IN (
        102, 103, 107, 109, 110, 111,
        201, 203, 207, 209, 210, 211,
        301, 302, 304, 305, 306, 307, 308, 311,
        405, 406,
        702,
        802, 804, 805, 806, 807))
    EXECUTE FUNCTION illegal_move();

CREATE TRIGGER legal_move AFTER UPDATE OF state ON notification FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state * 100 + NEW.state NOT IN (
        102, 103, 104, 203, 204, 302))
    EXECUTE FUNCTION illegal_move();

-- The queue: small, hot, no payload -------------------------------------------------
-- A row is in exactly one of three tables: ready to be claimed, leased by a spooler,
-- or due later.  "id" is a delivery, or in lane 0 a notification.  A claim takes the
-- oldest of one tenant, lane and priority, which is the order of q_ready's only key.

CREATE TABLE q_ready (
    tenant_id bigint NOT NULL,
    lane smallint NOT NULL,
    prio smallint NOT NULL,
    due timestamptz NOT NULL,
    id uuid NOT NULL,
    notification_id uuid NOT NULL,
    lease_no int NOT NULL,
    PRIMARY KEY (tenant_id, lane, prio, due, id)
);

CREATE TABLE q_leased (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    notification_id uuid NOT NULL,
    lane smallint NOT NULL,
    prio smallint NOT NULL,
    lease_no int NOT NULL,
    spooler uuid NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE q_later (
    tenant_id bigint NOT NULL,
    due timestamptz NOT NULL,
    id uuid NOT NULL,
    notification_id uuid NOT NULL,
    lane smallint NOT NULL,
    prio smallint NOT NULL,
    lease_no int NOT NULL,
    PRIMARY KEY (tenant_id, due, id)
);

-- Which tenants have work: presence only.
CREATE TABLE tenant_ready (
    tenant_id bigint NOT NULL,
    lane smallint NOT NULL,
    prio smallint NOT NULL,
    PRIMARY KEY (tenant_id, lane, prio)
);

CREATE TABLE idempotency (
    tenant_id bigint NOT NULL,
    key bytea NOT NULL, -- hash of account, route and Idempotency-Key
    request_hash bytea NOT NULL,
    status smallint NOT NULL,
    location text,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['q_ready', 'q_leased', 'q_later', 'tenant_ready'] LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0,
            autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
            autovacuum_analyze_scale_factor = 0.5)', t);
    END LOOP;
END $$;

-- What the planner knows of empty tables --------------------------------------------

-- Of an empty table the planner believes that an index on (tenant_id, id) is as well
-- searched by the tenant alone; such a plan stays in a session while the table fills,
-- and each batch reads all of it.  So every partition is taught, by rows that
-- are gone again, that one tenant may own all of it.  "at" is its least id.
CREATE PROCEDURE planner_teach(target regclass, kind text, at uuid) LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    EXECUTE format('INSERT INTO %s (tenant_id, %s FROM (SELECT (left(%L, 24)
        || lpad(n::text, 12, ''0''))::uuid AS u FROM generate_series(1, 300) n) s',
        target, CASE kind
        WHEN 'notification' THEN 'id, account_id, recipients) SELECT 0, u, u, ''[]'''
        WHEN 'delivery' THEN 'notification_id, id, recipient_no, channel, state)
            SELECT 0, u, u, 0, 1, 1'
        WHEN 'attempt' THEN 'notification_id, delivery_id, n, lease_no, spooler)
            SELECT 0, u, u, 1, 1, u'
        ELSE 'notification_id, id, type) SELECT 0, u, u, ''''' END, at);
    EXECUTE format('ANALYZE %s', target);
    EXECUTE format('TRUNCATE %s', target);
END $$;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['notification', 'delivery', 'attempt', 'event'] LOOP
        CALL planner_teach((t || '_default')::regclass, t,
            '00000000-0000-7000-8000-000000000000');
    END LOOP;
END $$;

-- Row-level security ----------------------------------------------------------------

-- Forces a table's rows to be those of the tenant that the transaction names.
CREATE PROCEDURE tenant_wall(target regclass) LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s
        USING (tenant_id = NULLIF(current_setting(''belfry.tenant'', true), '''')::bigint)
        WITH CHECK (tenant_id = NULLIF(current_setting(''belfry.tenant'', true), '''')::bigint)',
        target);
END $$;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['tenant_generation', 'service_account', 'api_key',
        'recipient', 'template', 'template_version', 'provider', 'audit',
        'notification', 'delivery', 'attempt', 'event', 'notification_default',
        'delivery_default', 'attempt_default', 'event_default', 'q_ready',
        'q_leased', 'q_later', 'tenant_ready', 'idempotency'] LOOP
        CALL tenant_wall(t::regclass);
    END LOOP;
    -- The queue, which holds ids and no payload, is the spooler's across tenants: it finds
    -- work there before it knows whose, and it deletes claimed rows by their place alone.
    FOREACH t IN ARRAY ARRAY['q_ready', 'q_leased', 'q_later', 'tenant_ready'] LOOP
        EXECUTE format('CREATE POLICY spooler_works ON %I
            TO belfry_spooler USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;
-- Old idempotency keys go whoever they belong to.
CREATE POLICY spooler_expires_finds ON idempotency FOR SELECT
    TO belfry_spooler USING (true);
CREATE POLICY spooler_expires ON idempotency FOR DELETE
    TO belfry_spooler USING (created_at < now() - interval '1 minute');
-- partitions_drop() looks at the whole queue as belfry_owner.
CREATE POLICY owner_finds ON q_later FOR SELECT TO belfry_owner USING (true);
CREATE POLICY owner_finds ON q_ready FOR SELECT TO belfry_owner USING (true);
CREATE POLICY owner_finds ON q_leased FOR SELECT TO belfry_owner USING (true);

-- Partitions, a week each -------------------------------------------------------------

-- The smallest UUIDv7 of a moment.
CREATE FUNCTION uuid_floor(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog AS
$$ SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
    || '00000000000000000000')::uuid $$;

-- Makes the partitions for "weeks" weeks from now on; those that exist stay.
-- Returns how many were made.  The programs' roles have no DDL: this is what the
-- spooler calls.
CREATE FUNCTION partitions_make(weeks int) RETURNS int LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = belfry, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    parent text;
    child text;
    week timestamptz;
    made int := 0;
BEGIN
    FOR i IN 0..LEAST(weeks, 52) LOOP
        week := date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
            + i * interval '7 days';
        FOREACH parent IN ARRAY
            ARRAY['notification', 'delivery', 'attempt', 'event'] LOOP
            child := parent || to_char(week AT TIME ZONE 'UTC', '_YYYYMMDD');
            CONTINUE WHEN to_regclass(format('belfry.%I', child)) IS NOT NULL;
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L)
                TO (%L) WITH (fillfactor = %s)', child, parent, uuid_floor(week),
                uuid_floor(week + interval '7 days'),
                CASE parent WHEN 'event' THEN 100 WHEN 'notification' THEN 70
                ELSE 50 END); -- room for the update that each row gets (HOT)
            CALL planner_teach(child::regclass, parent, uuid_floor(week));
            CALL tenant_wall(child::regclass);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

-- Drops the partitions that ended more than "days" days ago, unless the queue still
-- holds something of them.  Returns how many were dropped.
CREATE FUNCTION partitions_drop(days int) RETURNS int LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = belfry, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    child text;
    week timestamptz;
    dropped int := 0;
BEGIN
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('notification'::regclass, 'delivery'::regclass,
            'attempt'::regclass, 'event'::regclass) AND c.relname ~ '_[0-9]{8}$'
        ORDER BY c.relname LOOP
        week := to_date(right(child, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC';
        CONTINUE WHEN week + interval '7 days'
            >= now() - make_interval(days => GREATEST(days, 7));
        CONTINUE WHEN EXISTS (SELECT FROM (
            SELECT notification_id FROM q_later
            UNION ALL SELECT notification_id FROM q_ready
            UNION ALL SELECT notification_id FROM q_leased) q
            WHERE notification_id >= uuid_floor(week)
            AND notification_id < uuid_floor(week + interval '7 days'));
        EXECUTE format('DROP TABLE %I', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

SELECT partitions_make(4);

-- Who may do what -----------------------------------------------------------------------

REVOKE ALL ON FUNCTION partitions_make(int), partitions_drop(int) FROM PUBLIC;
REVOKE ALL ON PROCEDURE tenant_wall(regclass), planner_teach(regclass, text, uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partitions_make(int), partitions_drop(int)
    TO belfry_spooler;

GRANT SELECT ON tenant TO belfry_api, belfry_spooler, belfry_gateway, belfry_report;
GRANT SELECT, UPDATE ON tenant_generation TO belfry_api;
GRANT SELECT ON tenant_generation TO belfry_spooler, belfry_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON service_account, api_key, recipient,
    template, template_version, provider TO belfry_api;
GRANT SELECT, INSERT ON audit TO belfry_api;
GRANT SELECT, INSERT, UPDATE ON notification, delivery TO belfry_api;
GRANT SELECT ON attempt, q_leased, spooler TO belfry_api;
GRANT SELECT, INSERT ON event, q_ready, q_later, tenant_ready, idempotency
    TO belfry_api;

GRANT SELECT, INSERT, UPDATE, DELETE ON spooler, q_ready, q_leased, q_later,
    tenant_ready TO belfry_spooler;
GRANT SELECT ON recipient, template, template_version, provider TO belfry_spooler;
GRANT UPDATE (state, version, updated_at) ON provider TO belfry_spooler;
GRANT SELECT, UPDATE ON notification TO belfry_spooler;
GRANT SELECT, INSERT, UPDATE ON delivery, attempt TO belfry_spooler;
GRANT SELECT, INSERT ON event TO belfry_spooler;
GRANT SELECT, DELETE ON idempotency TO belfry_spooler;

GRANT SELECT ON notification, delivery, attempt, event, template, audit
    TO belfry_report;
