-- The spooler writes to the partition that it knows its rows to lie in
-- (src/db/week.h): for that it needs there the rights that it has on the parents.

CREATE PROCEDURE leaf_grant(child regclass, parent text) LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    IF parent IN ('delivery', 'attempt') THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO belfry_spooler', child);
    ELSIF parent = 'notification' THEN
        EXECUTE format('GRANT SELECT, UPDATE ON %s TO belfry_spooler', child);
    END IF;
END $$;
REVOKE ALL ON PROCEDURE leaf_grant(regclass, text) FROM PUBLIC;

DO $$
DECLARE
    leaf record;
BEGIN
    FOR leaf IN SELECT c.oid::regclass AS child, p.relname AS parent
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.relnamespace = 'belfry'::regnamespace AND c.relname ~ '_[0-9]{8}$' LOOP
        CALL leaf_grant(leaf.child, leaf.parent);
    END LOOP;
END $$;

-- As in 0001, with the rights.
CREATE OR REPLACE FUNCTION partitions_make(weeks int) RETURNS int LANGUAGE plpgsql
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
            CALL leaf_grant(child::regclass, parent);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
