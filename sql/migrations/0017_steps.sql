-- 0017_steps: a step of a fallback order can be several deliveries, one for each device.
-- The next one goes on when all of them failed, begins to wait when one was tried, and is
-- not needed when one arrived.

DROP FUNCTION steps_skip(delivery, text);

-- Takes what comes after a step, and has not gone out, out of the order.
CREATE FUNCTION steps_skip(before delivery, why text) RETURNS void LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    d delivery;
    skipped int := 0;
BEGIN
    FOR d IN SELECT * FROM delivery WHERE tenant_id = before.tenant_id
        AND notification_id = before.notification_id
        AND recipient_no = before.recipient_no AND step > before.step
        AND state IN (1, 2) ORDER BY id FOR UPDATE LOOP
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
    END LOOP;
    UPDATE notification SET open_count = open_count - skipped,
        state = CASE WHEN state = 2 AND open_count <= skipped THEN 3 ELSE state END,
        done_at = CASE WHEN state = 2 AND open_count <= skipped THEN now()
            ELSE done_at END
    WHERE tenant_id = before.tenant_id AND id = before.notification_id AND skipped > 0;
END $$;

CREATE OR REPLACE FUNCTION step_follow() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    channels constant text[] :=
        ARRAY['email', 'sms', 'push', 'whatsapp', 'inapp', 'webhook'];
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
