-- 0021_deletion: a tenant that is deleted leaves nothing behind but a receipt.

-- What is to be deleted, how far it came, and what was deleted.  It belongs to the
-- platform, so the tenant is not called tenant_id.
CREATE TABLE tenant_deletion (
    tenant bigint PRIMARY KEY,
    slug text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    looked_at timestamptz NOT NULL DEFAULT now(),
    removed bigint NOT NULL DEFAULT 0, -- rows
    tables jsonb NOT NULL DEFAULT '{}', -- how many of each
    empty_at timestamptz, -- since then nothing has been found
    finished_at timestamptz
);
CREATE INDEX tenant_deletion_slug ON tenant_deletion (slug, requested_at);
CREATE INDEX tenant_deletion_open ON tenant_deletion (looked_at) WHERE finished_at IS NULL;

-- Removes at most "most" rows of a tenant from all tables that have tenants, as the
-- catalogue names them: those that others refer to come last.  What a foreign key holds
-- still is for the next call.
CREATE FUNCTION tenant_erase_rows(target bigint, most int, OUT removed int,
    OUT tables jsonb, OUT complete boolean) LANGUAGE plpgsql
    SET search_path = belfry, pg_temp SET enable_seqscan = off AS $$
DECLARE
    t record;
    n int;
BEGIN
    removed := 0;
    tables := '{}';
    complete := true;
    FOR t IN
        SELECT c.oid::regclass AS leaf, COALESCE(pg_partition_root(c.oid), c.oid)::regclass
            AS root
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'belfry'::regnamespace AND c.relkind = 'r'
            AND a.attname = 'tenant_id' AND NOT a.attisdropped
        ORDER BY EXISTS (SELECT FROM pg_constraint
            WHERE confrelid = c.oid AND contype = 'f'), c.relname LOOP
        BEGIN
            EXECUTE format('DELETE FROM %s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %s
                WHERE tenant_id = $1 LIMIT $2))', t.leaf, t.leaf)
                USING target, most - removed;
            GET DIAGNOSTICS n = ROW_COUNT;
        EXCEPTION WHEN foreign_key_violation THEN
            n := 0;
            complete := false;
        END;
        removed := removed + n;
        tables := tables || jsonb_build_object(t.root::text,
            COALESCE((tables->>t.root::text)::int, 0) + n);
        IF removed >= most THEN
            complete := false;
            RETURN;
        END IF;
    END LOOP;
END $$;

-- One step of a deletion, of the one that was not looked at for longest: at most "most"
-- rows.  While something of the tenant is on the wire, it waits.  When nothing was found
-- for "settle_ms", so that whoever knew the tenant still has learned of its end, a last
-- look finds nothing in any table, and in the same transaction the tenant goes, whose slug is
-- free then, and the receipt is written, also into the audit of the platform (tenant 0).
-- Returns how many rows went, and the slug when it is done; no row when there is nothing
-- to do.
CREATE FUNCTION tenant_erase(most int, settle_ms bigint, OUT removed int, OUT slug text)
    RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = belfry, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    d tenant_deletion;
    step record;
BEGIN
    SELECT * INTO d FROM tenant_deletion WHERE finished_at IS NULL
    ORDER BY looked_at LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('belfry.tenant', d.tenant::text, true);
    PERFORM set_config('belfry.audit', 'erased', true); -- entries that nobody asked for
    IF EXISTS (SELECT FROM q_leased WHERE tenant_id = d.tenant) THEN
        UPDATE tenant_deletion SET looked_at = clock_timestamp() WHERE tenant = d.tenant;
        removed := 0;
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT * INTO step FROM tenant_erase_rows(d.tenant, most);
    d.empty_at := CASE WHEN step.complete AND step.removed = 0
        THEN COALESCE(d.empty_at, now()) END;
    UPDATE tenant_deletion t SET looked_at = clock_timestamp(), empty_at = d.empty_at,
        removed = t.removed + step.removed,
        tables = (SELECT COALESCE(jsonb_object_agg(key, n), '{}') FROM (
            SELECT key, sum(value::bigint) AS n FROM (
                SELECT * FROM jsonb_each_text(t.tables)
                UNION ALL SELECT * FROM jsonb_each_text(step.tables)) x GROUP BY key) y)
    WHERE t.tenant = d.tenant RETURNING * INTO d;
    removed := step.removed;
    IF d.empty_at <= now() - settle_ms * interval '1 ms' THEN
        DELETE FROM tenant WHERE id = d.tenant AND state = 3;
        UPDATE tenant_deletion SET finished_at = now() WHERE tenant = d.tenant;
        PERFORM set_config('belfry.tenant', '0', true);
        PERFORM set_config('belfry.audit_changes', '', true); -- what it was is gone, too
        INSERT INTO audit (tenant_id, id, principal, action, object, detail)
        VALUES (0, uuid_now(), d.requested_by, 'tenant.delete', d.slug,
            json_build_object('tenant', d.tenant, 'removed', d.removed,
                'tables', d.tables, 'left', 0));
        slug := d.slug;
    END IF;
    RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION tenant_erase(int, bigint), tenant_erase_rows(bigint, int)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_erase(int, bigint) TO belfry_spooler;
GRANT SELECT, INSERT ON tenant_deletion TO belfry_api;
