-- 0013_hooks: what providers report, on its way from belfry-api to a spooler.

-- A row is one request, proven to be the account's, or a part of a large one.  It is there
-- until its effects are: both happen in one transaction.
CREATE TABLE hook_inbox (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    events json NOT NULL, -- src/provider/hook.h
    PRIMARY KEY (tenant_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0);
CALL tenant_wall('hook_inbox');

-- What has no place on a timeline, where it would be seen that it came before: STOP and
-- START.  By a hash of account and the provider's own id.
CREATE TABLE hook_seen (
    tenant_id bigint NOT NULL,
    key bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
CALL tenant_wall('hook_seen');

-- The tenants that have something in the inbox, hopping from one to the next: all that a
-- spooler may see of others than the one it works for.
CREATE POLICY owner_finds ON hook_inbox FOR SELECT TO belfry_owner USING (true);
CREATE FUNCTION hook_tenants() RETURNS SETOF bigint LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = belfry, pg_temp AS $$
    WITH RECURSIVE t AS (
        (SELECT min(tenant_id) AS id FROM hook_inbox)
        UNION ALL
        SELECT (SELECT min(tenant_id) FROM hook_inbox WHERE tenant_id > t.id)
        FROM t WHERE t.id IS NOT NULL
    )
    SELECT id FROM t WHERE id IS NOT NULL
$$;
REVOKE ALL ON FUNCTION hook_tenants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hook_tenants() TO belfry_spooler;

CREATE POLICY spooler_expires_finds ON hook_seen FOR SELECT
    TO belfry_spooler USING (at < now() - interval '7 days');
CREATE POLICY spooler_expires ON hook_seen FOR DELETE
    TO belfry_spooler USING (at < now() - interval '7 days');

GRANT INSERT ON hook_inbox TO belfry_api;
GRANT SELECT, UPDATE, DELETE ON hook_inbox TO belfry_spooler;
GRANT SELECT, INSERT, DELETE ON hook_seen TO belfry_spooler;

-- Channels may become more.
ALTER TABLE suppression DROP CONSTRAINT suppression_channel_check;
ALTER TABLE suppression ADD CONSTRAINT suppression_channel_check
    CHECK (channel BETWEEN 1 AND 99);
