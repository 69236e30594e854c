-- 0023_audit: what was before and after, from where, and a chain of hashes (doc/audit.md).

ALTER TABLE audit
    ADD COLUMN source text, -- the client's address, "unix root@host", a spooler's host
    ADD COLUMN changes jsonb, -- [{"table", "op", "row", "before", "after"} ...]
    -- The chain of a tenant.  NULL: of the time before it began.
    ADD COLUMN seq bigint,
    ADD COLUMN prev_hash bytea,
    ADD COLUMN hash bytea;
CREATE UNIQUE INDEX audit_seq ON audit (tenant_id, seq);

-- The last entry of each chain.  Tenant 0 is the installation.
CREATE TABLE audit_head (
    tenant_id bigint NOT NULL PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL
) WITH (fillfactor = 50);
CALL tenant_wall('audit_head');

-- What the installation's operator does has no tenant.
CREATE POLICY owner_operates ON audit TO belfry_owner
    USING (tenant_id = 0) WITH CHECK (tenant_id = 0);
CREATE POLICY owner_operates ON audit_head TO belfry_owner
    USING (tenant_id = 0) WITH CHECK (tenant_id = 0);

-- The chain ------------------------------------------------------------------------

-- A text as a netstring; NULL as "-,".
CREATE FUNCTION audit_part(t text) RETURNS bytea LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog AS
$$ SELECT COALESCE(convert_to(octet_length(convert_to(t, 'UTF8')) || ':' || t || ',', 'UTF8'),
    '-,') $$;

CREATE FUNCTION audit_at(at timestamptz) RETURNS text LANGUAGE sql STABLE
    SET search_path = pg_catalog AS
$$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- The hash of an entry, which covers the hash of the one before.
CREATE FUNCTION audit_hash(a audit) RETURNS bytea LANGUAGE sql STABLE
    SET search_path = belfry, pg_temp AS $$
SELECT sha256(a.prev_hash || audit_part(a.tenant_id::text) || audit_part(a.seq::text)
    || audit_part(a.id::text) || audit_part(audit_at(a.at)) || audit_part(a.principal)
    || audit_part(a.source) || audit_part(a.action) || audit_part(a.object)
    || audit_part(a.detail::text) || audit_part(a.changes::text)
    || audit_part(a.request_id))
$$;

-- Nobody chooses an entry's time or its place in the chain.
CREATE FUNCTION audit_begin() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    NEW.at := now();
    NEW.changes := NULL;
    NEW.seq := NULL;
    NEW.prev_hash := NULL;
    NEW.hash := NULL;
    PERFORM set_config('belfry.audit', NEW.id::text, true);
    RETURN NEW;
END $$;
CREATE TRIGGER audit_begin BEFORE INSERT ON audit FOR EACH ROW
    EXECUTE FUNCTION audit_begin();

-- At the end of a transaction its entry gets what changed and becomes the chain's last.
-- The head is locked no longer than the commit takes.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = belfry, pg_temp AS $$
DECLARE
    outside text := current_setting('belfry.tenant', true);
    head audit_head;
    entry audit;
BEGIN
    PERFORM set_config('belfry.tenant', NEW.tenant_id::text, true);
    INSERT INTO audit_head (tenant_id, seq, hash)
    VALUES (NEW.tenant_id, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM audit_head WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    entry := NEW;
    entry.seq := head.seq + 1;
    entry.prev_hash := head.hash;
    entry.changes := NULLIF(current_setting('belfry.audit_changes', true), '')::jsonb;
    entry.hash := audit_hash(entry);
    UPDATE audit SET seq = entry.seq, prev_hash = entry.prev_hash,
        changes = entry.changes, hash = entry.hash
    WHERE tenant_id = NEW.tenant_id AND id = NEW.id;
    UPDATE audit_head SET seq = entry.seq, hash = entry.hash
    WHERE tenant_id = NEW.tenant_id;
    PERFORM set_config('belfry.audit_changes', '', true);
    PERFORM set_config('belfry.tenant', COALESCE(outside, ''), true);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_chain();

-- What changed ------------------------------------------------------------------------

-- What of "a" is not the same in "b"; objects are looked into.
CREATE FUNCTION audit_minus(a jsonb, b jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE
    SET search_path = belfry, pg_temp AS $$
DECLARE
    k text;
    v jsonb;
    d jsonb := '{}';
BEGIN
    FOR k, v IN SELECT * FROM jsonb_each(a) LOOP
        CONTINUE WHEN b -> k = v OR (b -> k IS NULL AND v = 'null');
        IF jsonb_typeof(v) = 'object' AND jsonb_typeof(b -> k) = 'object' THEN
            v := audit_minus(v, b -> k);
            CONTINUE WHEN v = '{}';
        END IF;
        d := d || jsonb_build_object(k, v);
    END LOOP;
    RETURN d;
END $$;

-- Collects what happens to a row for the transaction's entry.  The first argument names
-- columns of which nothing is told but that they changed ("*": all, and not which row
-- either), the second those that are left out.  Of more than 50 rows the count is kept.
CREATE FUNCTION audit_collect() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
DECLARE
    told jsonb := COALESCE(NULLIF(current_setting('belfry.audit_changes', true), ''),
        '[]')::jsonb;
    o jsonb := to_jsonb(OLD) - TG_ARGV[1]::text[];
    n jsonb := to_jsonb(NEW) - TG_ARGV[1]::text[];
    whole jsonb := COALESCE(n, o);
    before jsonb := audit_minus(o, COALESCE(n, '{}'));
    after jsonb := audit_minus(n, COALESCE(o, '{}'));
    k text;
    d jsonb;
BEGIN
    IF TG_OP = 'UPDATE' AND before = '{}' AND after = '{}' THEN
        RETURN NULL;
    END IF;
    FOR k IN SELECT jsonb_object_keys(COALESCE(before, '{}') || COALESCE(after, '{}')) LOOP
        CONTINUE WHEN TG_ARGV[0] <> '*' AND k <> ALL (TG_ARGV[0]::text[]);
        before := CASE WHEN before ? k THEN before || jsonb_build_object(k, '(not shown)')
            ELSE before END;
        after := CASE WHEN after ? k THEN after || jsonb_build_object(k, '(not shown)')
            ELSE after END;
    END LOOP;
    d := jsonb_strip_nulls(jsonb_build_object('table', TG_TABLE_NAME, 'op', lower(TG_OP),
        'row', CASE WHEN TG_ARGV[0] <> '*' THEN COALESCE(whole ->> 'key', whole ->> 'name',
            whole ->> 'slug', whole ->> 'id', whole ->> 'template_id') END))
        || jsonb_build_object('before', before, 'after', after);
    told := CASE WHEN jsonb_array_length(told) < 50 THEN told || d
        ELSE jsonb_set(told, '{50}', jsonb_build_object('more',
            COALESCE((told -> 50 ->> 'more')::bigint, 0) + 1)) END;
    PERFORM set_config('belfry.audit_changes', told::text, true);
    RETURN NULL;
END $$;

-- A change that nobody wrote an entry for, by hand in psql or forgotten, gets one.
CREATE FUNCTION audit_stray() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = belfry, pg_temp AS $$
DECLARE
    outside text := current_setting('belfry.tenant', true);
    whole jsonb := to_jsonb(COALESCE(NEW, OLD));
    tenant bigint := COALESCE(whole ->> 'tenant_id', whole ->> 'id')::bigint;
BEGIN
    IF COALESCE(current_setting('belfry.audit_changes', true), '') = ''
        OR COALESCE(current_setting('belfry.audit', true), '') <> '' THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('belfry.tenant', tenant::text, true);
    INSERT INTO audit (tenant_id, id, principal, source, action, object)
    VALUES (tenant, uuid_now(), 'sql:' || session_user, host(inet_client_addr()),
        TG_TABLE_NAME || '.' || lower(TG_OP), COALESCE(whole ->> 'key', whole ->> 'name',
            whole ->> 'slug', whole ->> 'id', TG_TABLE_NAME));
    PERFORM set_config('belfry.tenant', COALESCE(outside, ''), true);
    RETURN NULL;
END $$;

-- Each table that admins change is watched.
CREATE PROCEDURE audit_watch(target regclass, hidden text, omitted text)
    LANGUAGE plpgsql SET search_path = belfry, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_collect AFTER INSERT OR UPDATE OR DELETE ON %s
        FOR EACH ROW EXECUTE FUNCTION audit_collect(%L, %L)', target, hidden, omitted);
    IF hidden <> '*' THEN
        EXECUTE format('CREATE CONSTRAINT TRIGGER audit_stray AFTER INSERT OR UPDATE OR DELETE
            ON %s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            EXECUTE FUNCTION audit_stray()', target);
    END IF;
END $$;

CALL audit_watch('tenant', '{}', '{id,version,created_at,updated_at}');
CALL audit_watch('service_account', '{}', '{tenant_id,version,created_at,updated_at}');
CALL audit_watch('api_key', '{hash}', '{tenant_id,created_at,last_used_at}');
CALL audit_watch('template', '{}', '{tenant_id,version,created_at,updated_at}');
CALL audit_watch('template_version', '{parts,variables,sample}', '{tenant_id,created_at}');
CALL audit_watch('provider', '{sealed}', '{tenant_id,version,created_at,updated_at}');
CALL audit_watch('issuer', '{}', '{tenant_id,version,created_at,updated_at}');
-- Personal data stay out of what cannot be erased.
CALL audit_watch('recipient', '*', '{tenant_id,version,created_at,updated_at}');
CALL audit_watch('device', '*', '{tenant_id,created_at,updated_at}');
CALL audit_watch('suppression', '*', '{tenant_id,created_at}');

REVOKE ALL ON FUNCTION audit_chain(), audit_stray() FROM PUBLIC;
REVOKE ALL ON PROCEDURE audit_watch(regclass, text, text) FROM PUBLIC;
