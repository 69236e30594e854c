-- 0018_webhooks: what happens is told to URLs that a tenant subscribed.

-- The endpoints ------------------------------------------------------------------------

CREATE TABLE webhook_endpoint (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL DEFAULT '',
    events text[] NOT NULL DEFAULT '{}', -- src/notify/webhook_event.def; empty: all
    signature smallint NOT NULL DEFAULT 1 CHECK (signature IN (1, 2)), -- v1, v1a
    rate int CHECK (rate > 0), -- messages a second; NULL: as many as it takes
    sealed bytea NOT NULL, -- secrets and headers: src/model/webhook_endpoint.c
    public_key text, -- of v1a
    previous_until timestamptz, -- so long the secret before is used, too
    state smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2)), -- active, disabled
    reason text, -- why it is disabled
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CALL tenant_wall('webhook_endpoint');

-- How it has been doing; without a secret, since a spooler looks at all of them.
CREATE TABLE webhook_health (
    tenant_id bigint NOT NULL,
    endpoint_id uuid NOT NULL,
    disabled boolean NOT NULL DEFAULT false, -- as its state says
    failing_since timestamptz, -- nothing has got through since
    warned smallint NOT NULL DEFAULT 0, -- how much of its time is over, in percent, as told
    paused_until timestamptz, -- it asked for that
    next_at timestamptz, -- up to here its rate is used up
    PRIMARY KEY (tenant_id, endpoint_id)
) WITH (fillfactor = 50);
CALL tenant_wall('webhook_health');

-- A tenant without any pays nothing: what is known of the tenant says so.
ALTER TABLE tenant_generation ADD COLUMN webhooks boolean NOT NULL DEFAULT false;

CREATE FUNCTION webhook_endpoint_follow() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO webhook_health (tenant_id, endpoint_id) VALUES (NEW.tenant_id, NEW.id);
        UPDATE tenant_generation SET webhooks = true WHERE tenant_id = NEW.tenant_id;
    ELSE
        DELETE FROM webhook_health WHERE tenant_id = OLD.tenant_id AND endpoint_id = OLD.id;
        DELETE FROM webhook_queue WHERE tenant_id = OLD.tenant_id AND endpoint_id = OLD.id;
        UPDATE tenant_generation SET webhooks = EXISTS (SELECT FROM webhook_endpoint
            WHERE tenant_id = OLD.tenant_id)
        WHERE tenant_id = OLD.tenant_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_endpoint_follow AFTER INSERT OR DELETE ON webhook_endpoint
    FOR EACH ROW EXECUTE FUNCTION webhook_endpoint_follow();

-- Messages, and who is to get them ---------------------------------------------------------

-- What happened.  A row's id is its webhook-id; what is posted is made of it.
CREATE TABLE webhook_message (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    type text NOT NULL,
    object_id uuid NOT NULL, -- what "seq" counts for
    seq int NOT NULL,
    notification_id uuid,
    delivery_id uuid,
    channel smallint,
    provider_id uuid,
    endpoint_id uuid, -- that it is about
    attempt int,
    class smallint,
    code text,
    text text,
    next_due timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CALL tenant_wall('webhook_message');
CREATE INDEX webhook_message_object ON webhook_message (tenant_id, object_id, seq);
CREATE INDEX webhook_message_at ON webhook_message USING brin (at);

-- What is to be sent, to be sent again, or leased by a spooler (due is infinity then).
CREATE TABLE webhook_queue (
    tenant_id bigint NOT NULL,
    endpoint_id uuid NOT NULL,
    message_id uuid NOT NULL,
    due timestamptz NOT NULL,
    tries int NOT NULL DEFAULT 0, -- attempts so far; guards a lease as well
    base int NOT NULL DEFAULT 0, -- how many of them lie before the last redelivery
    spooler uuid,
    PRIMARY KEY (tenant_id, endpoint_id, message_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0);
CALL tenant_wall('webhook_queue');
CREATE INDEX webhook_queue_due ON webhook_queue (tenant_id, endpoint_id, due, message_id);
CREATE INDEX webhook_queue_leased ON webhook_queue (spooler) WHERE spooler IS NOT NULL;

CREATE TABLE webhook_attempt (
    tenant_id bigint NOT NULL,
    endpoint_id uuid NOT NULL,
    id uuid NOT NULL,
    message_id uuid NOT NULL,
    n int NOT NULL,
    spooler uuid NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    ok boolean,
    status int, -- of HTTP
    error text,
    duration_ms int,
    next_due timestamptz,
    request text, -- the first of its body
    response text, -- the same
    PRIMARY KEY (tenant_id, endpoint_id, id)
);
CALL tenant_wall('webhook_attempt');
CREATE INDEX webhook_attempt_message ON webhook_attempt (tenant_id, endpoint_id, message_id);
CREATE INDEX webhook_attempt_at ON webhook_attempt USING brin (started_at);

-- Writes a message and has it sent to every endpoint that wants it, but not to the one that
-- it is about.  What nobody subscribed is not kept.
CREATE FUNCTION webhook_put(m webhook_message) RETURNS void LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM webhook_endpoint e WHERE e.tenant_id = m.tenant_id
            AND (e.events = '{}' OR m.type = ANY (e.events))) THEN
        RETURN;
    END IF;
    m.id := uuid_now();
    m.at := COALESCE(m.at, now());
    m.object_id := COALESCE(m.object_id, m.delivery_id, m.notification_id, m.endpoint_id);
    m.seq := 1 + COALESCE((SELECT seq FROM webhook_message WHERE tenant_id = m.tenant_id
        AND object_id = m.object_id ORDER BY seq DESC LIMIT 1), 0);
    INSERT INTO webhook_message SELECT m.*;
    INSERT INTO webhook_queue (tenant_id, endpoint_id, message_id, due)
    SELECT m.tenant_id, e.id, m.id, now() FROM webhook_endpoint e
    WHERE e.tenant_id = m.tenant_id AND e.state = 1
        AND (e.events = '{}' OR m.type = ANY (e.events))
        AND e.id IS DISTINCT FROM m.endpoint_id;
END $$;

-- Where messages come from ---------------------------------------------------------------
--
-- Whoever writes history writes messages, in the same transaction, by these triggers: so
-- nothing is lost and nothing invented, whatever the way.  A program that knows that the
-- tenant has no endpoints says so by a blank behind belfry.tenant (db_batch_untold()),
-- and they do not run.

CREATE FUNCTION notification_told() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    m webhook_message;
BEGIN
    m.tenant_id := NEW.tenant_id;
    m.notification_id := NEW.id;
    IF TG_OP = 'INSERT' THEN
        m.type := 'notification.accepted';
        m.at := NEW.created_at;
        PERFORM webhook_put(m);
    END IF;
    IF NEW.routed_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.routed_at IS NULL) THEN
        m.type := 'notification.routed';
        m.at := NEW.routed_at;
        m.text := NEW.delivery_count || CASE NEW.delivery_count WHEN 1 THEN ' delivery'
            ELSE ' deliveries' END;
        PERFORM webhook_put(m);
    END IF;
    IF NEW.state = 3 AND (TG_OP = 'INSERT' OR OLD.state <> 3) THEN
        m.type := 'notification.done';
        m.at := NEW.done_at;
        m.text := NULL;
        PERFORM webhook_put(m);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER told_accepted AFTER INSERT ON notification FOR EACH ROW
    WHEN (current_setting('belfry.tenant', true) NOT LIKE '% ')
    EXECUTE FUNCTION notification_told();
CREATE TRIGGER told_changed AFTER UPDATE OF state, routed_at ON notification FOR EACH ROW
    WHEN ((OLD.state <> NEW.state OR OLD.routed_at IS DISTINCT FROM NEW.routed_at)
        AND current_setting('belfry.tenant', true) NOT LIKE '% ')
    EXECUTE FUNCTION notification_told();

CREATE FUNCTION attempt_told() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    m webhook_message;
BEGIN
    m.tenant_id := NEW.tenant_id;
    m.notification_id := NEW.notification_id;
    m.delivery_id := NEW.delivery_id;
    m.provider_id := NEW.provider_id;
    m.attempt := NEW.n;
    SELECT channel INTO m.channel FROM delivery WHERE tenant_id = NEW.tenant_id
        AND notification_id = NEW.notification_id AND id = NEW.delivery_id;
    IF TG_OP = 'INSERT' THEN
        m.type := 'delivery.started';
    ELSE
        m.type := CASE NEW.state WHEN 4 THEN 'delivery.sent' WHEN 5 THEN 'delivery.delivered'
            WHEN 6 THEN 'delivery.failed' WHEN 7 THEN 'delivery.dead'
            WHEN 8 THEN 'delivery.held' WHEN 11 THEN 'delivery.expired'
            ELSE 'delivery.deferred' END;
        m.class := NEW.class;
        m.code := NEW.code;
        m.text := NEW.text;
        m.next_due := NEW.next_due;
    END IF;
    PERFORM webhook_put(m);
    RETURN NULL;
END $$;
CREATE TRIGGER told_started AFTER INSERT ON attempt FOR EACH ROW
    WHEN (current_setting('belfry.tenant', true) NOT LIKE '% ')
    EXECUTE FUNCTION attempt_told();
CREATE TRIGGER told_ended AFTER UPDATE OF finished_at ON attempt FOR EACH ROW
    WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL
        AND current_setting('belfry.tenant', true) NOT LIKE '% ')
    EXECUTE FUNCTION attempt_told();

CREATE FUNCTION event_told() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    m webhook_message;
BEGIN
    m.tenant_id := NEW.tenant_id;
    m.at := NEW.at;
    m.type := NEW.type;
    m.notification_id := NEW.notification_id;
    m.delivery_id := NEW.delivery_id;
    IF NEW.type LIKE 'provider.%' THEN
        m.object_id := NEW.provider_id;
    END IF;
    m.channel := NEW.channel;
    m.provider_id := NEW.provider_id;
    m.attempt := NEW.attempt;
    m.class := NEW.class;
    m.code := NEW.code;
    m.text := NEW.text;
    PERFORM webhook_put(m);
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT ON event FOR EACH ROW
    WHEN (current_setting('belfry.tenant', true) NOT LIKE '% ')
    EXECUTE FUNCTION event_told();

-- Who may ----------------------------------------------------------------------------------

-- A spooler finds work before it knows whose it is; ids are all that it sees there.
CREATE POLICY spooler_works ON webhook_queue TO belfry_spooler
    USING (true) WITH CHECK (true);
CREATE POLICY spooler_reads ON webhook_health FOR SELECT TO belfry_spooler USING (true);
-- Old messages and attempts go whoever they belong to.
CREATE POLICY spooler_expires_finds ON webhook_message FOR SELECT
    TO belfry_spooler USING (at < now() - interval '7 days');
CREATE POLICY spooler_expires ON webhook_message FOR DELETE
    TO belfry_spooler USING (at < now() - interval '7 days');
CREATE POLICY spooler_expires_finds ON webhook_attempt FOR SELECT
    TO belfry_spooler USING (started_at < now() - interval '7 days');
CREATE POLICY spooler_expires ON webhook_attempt FOR DELETE
    TO belfry_spooler USING (started_at < now() - interval '7 days');

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoint, webhook_health, webhook_queue
    TO belfry_api;
GRANT SELECT, INSERT ON webhook_message TO belfry_api;
GRANT SELECT ON webhook_attempt TO belfry_api;
GRANT SELECT ON webhook_endpoint TO belfry_spooler;
GRANT UPDATE (state, reason, version, updated_at) ON webhook_endpoint TO belfry_spooler;
GRANT SELECT, UPDATE ON webhook_health TO belfry_spooler;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_queue, webhook_attempt TO belfry_spooler;
GRANT SELECT, INSERT, DELETE ON webhook_message TO belfry_spooler;
