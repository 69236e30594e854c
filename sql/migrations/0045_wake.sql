-- 0045_wake: an account with a long queue can be enabled, too.
--
-- Of what waits for an account of the platform only so many are woken as a request has time
-- for; the others are due by themselves within retry.account_delay.

CREATE OR REPLACE FUNCTION shared_wake(account uuid) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = belfry, pg_temp AS $$
DECLARE
    channel smallint := (SELECT p.channel FROM provider p
        WHERE p.tenant_id = -1 AND p.id = account);
    one bigint;
    woken int;
    left_over int := 5000;
BEGIN
    FOR one IN SELECT s.tenant_id FROM provider_shares(account) s ORDER BY 1 LOOP
        PERFORM set_config('belfry.tenant', one::text, true);
        WITH c AS MATERIALIZED (
            SELECT tenant_id, ctid AS place FROM q_later
            WHERE tenant_id = one AND kind = 1 AND due > now() AND lane = channel
            ORDER BY due, id LIMIT LEAST(left_over, 1000) FOR UPDATE SKIP LOCKED
        )
        UPDATE q_later q SET due = now() FROM c
        WHERE q.ctid = c.place AND q.tenant_id = c.tenant_id;
        GET DIAGNOSTICS woken = ROW_COUNT;
        PERFORM set_config('belfry.tenant', '-1', true);
        left_over := left_over - woken;
        EXIT WHEN left_over <= 0;
    END LOOP;
END $$;
