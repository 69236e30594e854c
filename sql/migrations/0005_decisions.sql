-- 0005_decisions: what retries, failover, fallback, dead letters and quiet hours keep.

-- Later work -----------------------------------------------------------------------

-- What a row waits for:
--   0 its time; then it is ready
--   1 its time, or an account at a provider that can be used (provider_wake)
--   2 a receipt, of a delivery that is held; without one the delivery is dead
--   3 a receipt, of a delivery that is sent; without one the next provider tries
ALTER TABLE q_later ADD COLUMN kind smallint NOT NULL DEFAULT 0
    CHECK (kind BETWEEN 0 AND 3);
-- Cancelling, rescheduling and receipts find a row by its delivery.
CREATE INDEX q_later_id ON q_later (tenant_id, id);

-- Deliveries -------------------------------------------------------------------------

ALTER TABLE delivery
    ADD COLUMN failovers smallint NOT NULL DEFAULT 0, -- how often the next provider's turn came
    ADD COLUMN crashed_at timestamptz, -- the last of "crashes"
    ADD COLUMN revived_at timestamptz, -- replayed: its age counts from here
    ADD COLUMN unless smallint; -- of a fallback step: 1 not when delivered, 2 not when read

-- Names itself, so that a claim that lost a race with a cancellation knows.
CREATE OR REPLACE FUNCTION illegal_move() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'illegal move of % from state % to %', TG_TABLE_NAME, OLD.state,
        NEW.state USING ERRCODE = 'check_violation', CONSTRAINT = 'legal_move';
END $$;

DROP TRIGGER legal_move ON delivery;
CREATE TRIGGER legal_move AFTER UPDATE OF state ON delivery FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state * 100 + NEW.state NOT IN (
        102, 103, 107, 109, 110, 111,
        201, 203, 207, 209, 210, 211,
        301, 302, 304, 305, 306, 307, 308, 311,
        402, 405, 406,
        702, 710,
        802, 804, 805, 806, 807))
    EXECUTE FUNCTION illegal_move();

-- Crashes of spoolers while they routed it.
ALTER TABLE notification ADD COLUMN crashes smallint NOT NULL DEFAULT 0;

ALTER TABLE recipient ADD COLUMN quiet_hours json;

-- Dead letters ----------------------------------------------------------------------

-- One row for each delivery in state "dead": what lists, replays and discards go by.  A
-- partial index on delivery would cost every settled delivery its HOT update.
CREATE TABLE dead_letter (
    tenant_id bigint NOT NULL,
    died_at timestamptz NOT NULL,
    id uuid NOT NULL, -- of the delivery
    notification_id uuid NOT NULL,
    channel smallint NOT NULL,
    provider_id uuid,
    template_id uuid,
    class smallint,
    PRIMARY KEY (tenant_id, died_at, id)
);

CREATE FUNCTION dead_letter_follow() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    IF NEW.state = 7 THEN
        INSERT INTO dead_letter (tenant_id, died_at, id, notification_id, channel,
            provider_id, template_id, class)
        SELECT NEW.tenant_id, COALESCE(NEW.finished_at, now()), NEW.id,
            NEW.notification_id, NEW.channel, NEW.provider_id, n.template_id, NEW.class
        FROM (SELECT) x LEFT JOIN notification n
            ON n.tenant_id = NEW.tenant_id AND n.id = NEW.notification_id
        ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM dead_letter WHERE tenant_id = NEW.tenant_id
            AND died_at = OLD.finished_at AND id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER dead_letter_made AFTER INSERT ON delivery FOR EACH ROW
    WHEN (NEW.state = 7) EXECUTE FUNCTION dead_letter_follow();
CREATE TRIGGER dead_letter_moved AFTER UPDATE OF state ON delivery FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND (OLD.state = 7 OR NEW.state = 7))
    EXECUTE FUNCTION dead_letter_follow();

INSERT INTO dead_letter (tenant_id, died_at, id, notification_id, channel, provider_id,
    template_id, class)
SELECT d.tenant_id, COALESCE(d.finished_at, d.created_at), d.id, d.notification_id,
    d.channel, d.provider_id, n.template_id, d.class
FROM delivery d LEFT JOIN notification n
    ON n.tenant_id = d.tenant_id AND n.id = d.notification_id
WHERE d.state = 7;

-- Health of accounts at providers --------------------------------------------------------

-- Only accounts that had trouble have a row.  All spoolers write it, and read what changed.
CREATE TABLE provider_health (
    tenant_id bigint NOT NULL,
    provider_id uuid NOT NULL,
    state smallint NOT NULL DEFAULT 1
        CHECK (state IN (1, 2, 3)), -- closed, open, half open: the circuit breaker's
    failures int NOT NULL DEFAULT 0, -- in a row
    refusals int NOT NULL DEFAULT 0, -- in a row, of its credentials
    opened_until timestamptz,
    penalty real NOT NULL DEFAULT 0
        CHECK (penalty BETWEEN 0 AND 1), -- the share of its weight it had lost at penalised_at
    penalised_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, provider_id)
) WITH (fillfactor = 50);
CREATE INDEX provider_health_updated ON provider_health (updated_at);

-- Who may do what ---------------------------------------------------------------------------

CALL tenant_wall('dead_letter'::regclass);
CALL tenant_wall('provider_health'::regclass);
-- It holds no secret; a spooler keeps the health of all accounts in memory.
CREATE POLICY spooler_reads ON provider_health FOR SELECT TO belfry_spooler USING (true);
-- Old dead letters go whoever they belong to, with the partitions of their deliveries.
CREATE POLICY spooler_expires_finds ON dead_letter FOR SELECT
    TO belfry_spooler USING (died_at < now() - interval '7 days');
CREATE POLICY spooler_expires ON dead_letter FOR DELETE
    TO belfry_spooler USING (died_at < now() - interval '7 days');

GRANT SELECT, INSERT, DELETE ON dead_letter TO belfry_api, belfry_spooler;
GRANT SELECT, INSERT, UPDATE ON provider_health TO belfry_spooler, belfry_api;
GRANT SELECT ON dead_letter TO belfry_report;
GRANT UPDATE ON tenant_generation TO belfry_spooler;
GRANT INSERT ON audit TO belfry_spooler;
GRANT UPDATE, DELETE ON q_later TO belfry_api;
