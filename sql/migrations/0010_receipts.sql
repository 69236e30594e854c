-- 0010_receipts: what receipts tell, fallback orders, and hours that are quiet.

-- Receipts -------------------------------------------------------------------------

-- The provider's name for it, where receipts come by that name.  It stands with the
-- attempt: after a failover a delivery has one at each provider.
ALTER TABLE attempt ADD COLUMN provider_ref text;
CREATE INDEX attempt_ref ON attempt (tenant_id, provider_id, provider_ref)
    WHERE provider_ref IS NOT NULL;

ALTER TABLE delivery
    -- What is known of its arrival: 0 nothing; 1 that it was delivered, or was sent by an
    -- account that tells no more; 2 that it was read; -1 that it failed, told before the
    -- attempt's own end was written.
    ADD COLUMN told smallint NOT NULL DEFAULT 0 CHECK (told BETWEEN -1 AND 2),
    -- In a fallback order: the step that follows, and how long this one waits from when the
    -- one before was first tried (NULL: for ever, unless that one fails).
    ADD COLUMN next_id uuid,
    ADD COLUMN after_ms bigint;
COMMENT ON COLUMN delivery.unless IS
    'of a fallback step: not needed when the one before was 0 sent, 1 delivered, 2 read';

-- What was delivered after all is not sent again (105, 205).
DROP TRIGGER legal_move ON delivery;
CREATE TRIGGER legal_move AFTER UPDATE OF state ON delivery FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state * 100 + NEW.state NOT IN (
        102, 103, 105, 107, 109, 110, 111,
        201, 203, 205, 207, 209, 210, 211,
        301, 302, 304, 305, 306, 307, 308, 311,
        402, 405, 406,
        702, 710,
        802, 804, 805, 806, 807))
    EXECUTE FUNCTION illegal_move();

-- Fallback orders ---------------------------------------------------------------------

-- What the step after one does when this one comes to a state; decide_step()
-- (src/notify/decide.h) says the same, and a test compares them.
--   0 it stays   1 its time begins   2 it goes on at once   3 it is not needed
CREATE FUNCTION step_act(state smallint, attempts int, told smallint, unless smallint)
    RETURNS int LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN told >= GREATEST(unless, 1) THEN 3
        WHEN unless = 0 AND state IN (4, 5) THEN 3
        WHEN state IN (6, 7, 9, 11) THEN 2
        WHEN state IN (1, 2, 4, 5, 8) AND attempts > 0 THEN 1
        ELSE 0 END $$;

-- A UUIDv7 of now.
CREATE FUNCTION uuid_now() RETURNS uuid LANGUAGE sql VOLATILE
    SET search_path = belfry, pg_temp AS
$$ SELECT (left(uuid_floor(clock_timestamp())::text, 14) || '7'
    || substr(gen_random_uuid()::text, 16))::uuid $$;

-- Takes the step and all that come after it out of the order.
CREATE FUNCTION steps_skip(step delivery, why text) RETURNS void LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    d delivery := step;
    skipped int := 0;
BEGIN
    LOOP
        DELETE FROM q_later WHERE tenant_id = d.tenant_id AND id = d.id;
        UPDATE delivery SET state = 9, reason = why, due = NULL, next_id = NULL,
            finished_at = now()
        WHERE tenant_id = d.tenant_id AND notification_id = d.notification_id
            AND id = d.id;
        INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel,
            text, by)
        VALUES (d.tenant_id, d.notification_id, uuid_now(), d.id, 'delivery.skipped',
            d.channel, why, 'belfry');
        skipped := skipped + 1;
        EXIT WHEN d.next_id IS NULL;
        SELECT * INTO d FROM delivery WHERE tenant_id = step.tenant_id
            AND notification_id = step.notification_id AND id = d.next_id
            AND state IN (1, 2) FOR UPDATE;
        EXIT WHEN NOT FOUND;
    END LOOP;
    UPDATE notification SET open_count = open_count - skipped,
        state = CASE WHEN state = 2 AND open_count <= skipped THEN 3 ELSE state END,
        done_at = CASE WHEN state = 2 AND open_count <= skipped THEN now()
            ELSE done_at END
    WHERE tenant_id = step.tenant_id AND id = step.notification_id;
END $$;

-- The step begins to wait, or is ready.
CREATE FUNCTION step_go(d delivery, act int, why text) RETURNS void LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    IF act = 1 THEN
        INSERT INTO q_later (tenant_id, due, id, notification_id, lane, prio, lease_no)
        VALUES (d.tenant_id, now() + d.after_ms * interval '1 ms', d.id,
            d.notification_id, d.channel, d.priority, 0);
    ELSE
        DELETE FROM q_later WHERE tenant_id = d.tenant_id AND id = d.id;
        IF d.due IS NOT NULL AND NOT FOUND THEN
            RETURN; -- it is ready already
        END IF;
        INSERT INTO q_ready (tenant_id, lane, prio, due, id, notification_id, lease_no)
        VALUES (d.tenant_id, d.channel, d.priority, now(), d.id, d.notification_id, 0);
        INSERT INTO tenant_ready (tenant_id, lane, prio)
        VALUES (d.tenant_id, d.channel, d.priority) ON CONFLICT DO NOTHING;
    END IF;
    UPDATE delivery SET reason = why, state = CASE act WHEN 1 THEN 1 ELSE 2 END,
        due = CASE act WHEN 1 THEN now() + d.after_ms * interval '1 ms' END
    WHERE tenant_id = d.tenant_id AND notification_id = d.notification_id AND id = d.id;
    INSERT INTO event (tenant_id, notification_id, id, delivery_id, type, channel, text,
        by)
    VALUES (d.tenant_id, d.notification_id, uuid_now(), d.id, 'delivery.scheduled',
        d.channel, why, 'belfry');
END $$;

-- Whatever changes a step, the one after it follows in the same transaction.
CREATE FUNCTION step_follow() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    channels constant text[] :=
        ARRAY['email', 'sms', 'push', 'whatsapp', 'inapp', 'webhook'];
    d delivery;
    act int;
    this text := channels[NEW.channel];
BEGIN
    SELECT * INTO d FROM delivery WHERE tenant_id = NEW.tenant_id
        AND notification_id = NEW.notification_id AND id = NEW.next_id
        AND state IN (1, 2) FOR UPDATE;
    act := step_act(NEW.state, NEW.attempts, NEW.told, d.unless);
    IF NOT FOUND OR act = 0 THEN
        RETURN NULL;
    END IF;
    IF act = 3 THEN
        PERFORM steps_skip(d, 'not needed: ' || this || CASE
            WHEN NEW.told = 2 THEN ' was read' WHEN NEW.state = 4 THEN ' was sent'
            ELSE ' was delivered' END);
    ELSIF d.attempts > 0 OR d.state <> 1 THEN
        RETURN NULL; -- it is on its way
    ELSIF act = 2 THEN
        PERFORM step_go(d, act, 'it goes on now: ' || this || CASE NEW.state
            WHEN 9 THEN ' was skipped' WHEN 11 THEN ' expired' ELSE ' failed' END);
    ELSIF d.due IS NULL AND d.after_ms IS NOT NULL THEN
        PERFORM step_go(d, act, format('it goes on %s s after %s, unless that one is %s',
            (d.after_ms / 1000.0)::float8, this, CASE d.unless WHEN 2 THEN 'read'
            ELSE 'delivered' END));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER step_follow AFTER UPDATE OF state, told ON delivery FOR EACH ROW
    WHEN (NEW.next_id IS NOT NULL AND NEW.state <> 3
        AND (OLD.state <> NEW.state OR OLD.told <> NEW.told))
    EXECUTE FUNCTION step_follow();

-- The default of a template's notifications.
ALTER TABLE template ADD COLUMN fallback json;

-- Quiet hours --------------------------------------------------------------------------

ALTER TABLE template ADD COLUMN quiet_exempt boolean NOT NULL DEFAULT false;
-- It is sent in quiet hours too, as its template said when it was accepted.
ALTER TABLE notification ADD COLUMN quiet_exempt boolean NOT NULL DEFAULT false;
