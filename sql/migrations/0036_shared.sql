-- 0036_shared: accounts of the platform, and tenants to whom they are given.

-- The platform is a tenant of its own, for which nothing is sent and nobody has a key.
-- Its id is one that is never given out.
ALTER TABLE tenant ADD CONSTRAINT tenant_platform_stays CHECK (id <> -1 OR state = 1);
ALTER TABLE service_account ADD CONSTRAINT service_account_platform_check
    CHECK (tenant_id <> -1);

DO $$
DECLARE
    free text := 'platform';
BEGIN
    WHILE EXISTS (SELECT FROM tenant WHERE slug = free) LOOP
        free := free || '-accounts';
    END LOOP;
    PERFORM set_config('belfry.tenant', '-1', true);
    INSERT INTO tenant (id, slug, name) OVERRIDING SYSTEM VALUE
    VALUES (-1, free, 'The platform');
    INSERT INTO tenant_generation (tenant_id) VALUES (-1);
END $$;

-- A row with shared_id is not an account, but leave to use one of the platform's: what
-- stands in it is the tenant's own.  "allowed" says as whom it may send: domains and whole
-- addresses.  Of an account of the platform: as whom everybody may who is given it
-- without being asked (NULL: nobody is).
ALTER TABLE provider
    ADD COLUMN shared_id uuid,
    ADD COLUMN allowed json,
    ADD CONSTRAINT provider_shared_check CHECK (CASE
        WHEN shared_id IS NULL THEN tenant_id = -1 OR allowed IS NULL
        ELSE tenant_id <> -1 AND sealed IS NULL AND allowed IS NOT NULL END),
    ADD CONSTRAINT provider_tenant_id_shared_id_key UNIQUE (tenant_id, shared_id);
CREATE INDEX provider_shared ON provider (shared_id) WHERE shared_id IS NOT NULL;

-- Raised with each change of an account of the platform: a part of every tenant's
-- generation.
CREATE TABLE shared_generation (
    id smallint PRIMARY KEY CHECK (id = 1),
    generation bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO shared_generation VALUES (1, 0);
GRANT SELECT, UPDATE ON shared_generation TO belfry_api, belfry_spooler;

CREATE FUNCTION shared_changed() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    UPDATE shared_generation SET generation = generation + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER shared_changed AFTER INSERT OR UPDATE ON provider FOR EACH ROW
    WHEN (NEW.tenant_id = -1) EXECUTE FUNCTION shared_changed();

-- Who has leave to use an account, for the platform alone.
CREATE POLICY owner_finds ON provider FOR SELECT TO belfry_owner
    USING (shared_id IS NOT NULL);
CREATE FUNCTION provider_shares(account uuid) RETURNS TABLE (tenant_id bigint, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = belfry, pg_temp AS $$
    SELECT p.tenant_id, p.id FROM provider p
    WHERE p.shared_id = account AND current_setting('belfry.tenant', true) = '-1'
$$;

-- What waits, whoever's it is, for an account that can be used (again) is due now.
CREATE FUNCTION shared_wake(account uuid) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = belfry, pg_temp AS $$
DECLARE
    channel smallint := (SELECT p.channel FROM provider p
        WHERE p.tenant_id = -1 AND p.id = account);
    one bigint;
BEGIN
    FOR one IN SELECT s.tenant_id FROM provider_shares(account) s ORDER BY 1 LOOP
        PERFORM set_config('belfry.tenant', one::text, true);
        UPDATE q_later SET due = now()
        WHERE tenant_id = one AND kind = 1 AND due > now() AND lane = channel;
        PERFORM set_config('belfry.tenant', '-1', true);
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION provider_shares(uuid), shared_wake(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION provider_shares(uuid), shared_wake(uuid)
    TO belfry_api;
