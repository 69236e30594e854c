-- 0041_spooler: the share of a day that a warm-up grants, spoolers that left nothing, and no
-- rows of accounts that are gone.

-- How many deliveries an account may start on a day: "per_day", or while it is warmed up a
-- share that begins with "first" and grows by the same factor each day.  "day" counts from 0.
-- It has no settings of its own, so that queries take it in.
CREATE FUNCTION warm_up_share(per_day int, first int, days int, day int) RETURNS int
    LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN day < days AND first > 0
    THEN ceil(first * power(per_day::float8 / first, day::float8 / days))::int
    ELSE per_day END
$$;

-- Of a dead one: nothing is leased to it any more.  Its next sign of life takes that back.
ALTER TABLE spooler ADD COLUMN buried boolean NOT NULL DEFAULT false;

-- What was noted of accounts that went before they took it along, or while it was noted.
DO $$
DECLARE
    one bigint;
BEGIN
    FOR one IN SELECT id FROM tenant ORDER BY id LOOP
        PERFORM set_config('belfry.tenant', one::text, true);
        DELETE FROM provider_health h WHERE h.tenant_id = one AND NOT EXISTS (
            SELECT FROM provider p WHERE p.tenant_id = one AND p.id = h.provider_id);
        DELETE FROM provider_budget b WHERE b.tenant_id = one AND NOT EXISTS (
            SELECT FROM provider p WHERE p.tenant_id = one AND p.id = b.provider_id)
            AND b.provider_id <> '00000000-0000-0000-0000-000000000000';
    END LOOP;
    PERFORM set_config('belfry.tenant', '', true);
END $$;
