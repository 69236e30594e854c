-- 0008_gate: how much an account at a provider may have in flight, a second and a day.

-- Limits that every kind of provider knows (src/provider/limits.h).
ALTER TABLE provider ADD COLUMN limits json NOT NULL DEFAULT '{}';

-- It said when it wants to be asked again.
ALTER TABLE provider_health ADD COLUMN blocked_until timestamptz;

-- What accounts with a limit have been granted.  One row for each; the one with the nil
-- id is the tenant's own.  All spoolers take from it.
CREATE TABLE provider_budget (
    tenant_id bigint NOT NULL,
    provider_id uuid NOT NULL,
    tat timestamptz NOT NULL DEFAULT '-infinity', -- when the next one would be on time
    day date NOT NULL DEFAULT '-infinity', -- of UTC, to which "used" belongs
    used int NOT NULL DEFAULT 0, -- how many were granted on that day
    granted int NOT NULL DEFAULT 0, -- by the last request
    warm_from date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date, -- the first day of a warm-up
    PRIMARY KEY (tenant_id, provider_id)
) WITH (fillfactor = 50);

CALL tenant_wall('provider_budget'::regclass);
GRANT SELECT, INSERT, UPDATE ON provider_budget TO belfry_spooler, belfry_api;

-- A warm-up begins on the day on which it is asked for.
CREATE FUNCTION budget_warm() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    UPDATE provider_budget SET warm_from = (now() AT TIME ZONE 'UTC')::date
    WHERE tenant_id = NEW.tenant_id AND provider_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER budget_warm AFTER UPDATE OF limits ON provider FOR EACH ROW
    WHEN (OLD.limits ->> 'warmup_start' IS NULL AND NEW.limits ->> 'warmup_start' IS NOT NULL)
    EXECUTE FUNCTION budget_warm();
