-- 0035_channels: webhooks in order, templates that say what is tracked, and answers that are
-- given again.

-- Webhooks in order ------------------------------------------------------------------------

-- A moment to the microsecond, so that ids made one after the other in a transaction are in
-- that order (RFC 9562, 6.2, method 3).
CREATE OR REPLACE FUNCTION uuid_now() RETURNS uuid LANGUAGE sql VOLATILE
    SET search_path = belfry, pg_temp AS
$$ SELECT (left(uuid_floor(date_trunc('milliseconds', t))::text, 14) || '7'
    || lpad(to_hex((extract(microseconds FROM t)::bigint % 1000) * 4096 / 1000), 3, '0')
    || substr(gen_random_uuid()::text, 19))::uuid FROM clock_timestamp() t $$;

-- What an endpoint gets one after the other: 'notification': what is about the same one;
-- 'metadata.KEY': what has the same value there; NULL: nothing.
ALTER TABLE webhook_endpoint ADD COLUMN ordered text;

-- Rows of one chain are sent one after the other, by their message_id.  Only the first of them
-- is due; a claim that meets others parks them (due is infinity, and there is no spooler), and
-- the trigger below wakes the next one when the first is over: it is due since it was written,
-- so it goes before what came later.  A chain that waits costs nothing but its rows.
ALTER TABLE webhook_queue ADD COLUMN chain uuid;
CREATE INDEX webhook_queue_chain ON webhook_queue (tenant_id, endpoint_id, chain, message_id)
    WHERE chain IS NOT NULL;
-- Whatever two claims may think, one of a chain is leased at most.
CREATE UNIQUE INDEX webhook_queue_chain_leased ON webhook_queue (tenant_id, endpoint_id, chain)
    WHERE chain IS NOT NULL AND spooler IS NOT NULL;

CREATE FUNCTION webhook_chain(ordered text, m webhook_message) RETURNS uuid LANGUAGE plpgsql
    STABLE SET search_path = belfry, pg_temp AS $$
DECLARE
    value text;
BEGIN
    IF ordered IS NULL THEN
        RETURN NULL;
    END IF;
    IF ordered LIKE 'metadata.%' AND m.notification_id IS NOT NULL THEN
        SELECT metadata ->> substr(ordered, 10) INTO value FROM notification
        WHERE tenant_id = m.tenant_id AND id = m.notification_id;
    END IF;
    RETURN COALESCE(md5(value)::uuid, m.notification_id, m.object_id);
END $$;

-- A claim parks behind a row that it has locked, so none can be parked unseen behind one that
-- is being deleted: this looks when that lock is gone.
CREATE FUNCTION webhook_chain_next() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    UPDATE webhook_queue q SET due = to_timestamp((
        'x' || translate(left(q.message_id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)
    WHERE q.tenant_id = OLD.tenant_id AND q.endpoint_id = OLD.endpoint_id
        AND q.chain = OLD.chain AND q.spooler IS NULL AND q.due = 'infinity'
        AND q.message_id = (SELECT message_id FROM webhook_queue
            WHERE tenant_id = OLD.tenant_id AND endpoint_id = OLD.endpoint_id
                AND chain = OLD.chain ORDER BY message_id LIMIT 1);
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_chain_next AFTER DELETE ON webhook_queue FOR EACH ROW
    WHEN (OLD.chain IS NOT NULL) EXECUTE FUNCTION webhook_chain_next();

-- As in 0018, with the chain.
CREATE OR REPLACE FUNCTION webhook_put(m webhook_message) RETURNS void LANGUAGE plpgsql
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
    INSERT INTO webhook_queue (tenant_id, endpoint_id, message_id, due, chain)
    SELECT m.tenant_id, e.id, m.id, now(), webhook_chain(e.ordered, m) FROM webhook_endpoint e
    WHERE e.tenant_id = m.tenant_id AND e.state = 1
        AND (e.events = '{}' OR m.type = ANY (e.events))
        AND e.id IS DISTINCT FROM m.endpoint_id;
END $$;

-- Tracking ---------------------------------------------------------------------------------

-- Whether it is to be known that mails were opened and links followed: {"opens", "clicks"}.
-- What a notification says goes before what its template says, and that before the tenant's
-- setting; NULL, or an absent member: it says nothing.
ALTER TABLE template_version ADD COLUMN tracking json;
ALTER TABLE notification ADD COLUMN tracking json;

-- Answers that are given again -------------------------------------------------------------

ALTER TABLE idempotency ADD COLUMN etag text;
