-- 0032_account_gone: what was noted of an account goes with it.

GRANT DELETE ON provider_health, provider_budget, heard TO belfry_api, belfry_spooler;
GRANT SELECT ON heard TO belfry_api;

CREATE FUNCTION provider_gone() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    DELETE FROM provider_health WHERE tenant_id = OLD.tenant_id AND provider_id = OLD.id;
    DELETE FROM provider_budget WHERE tenant_id = OLD.tenant_id AND provider_id = OLD.id;
    DELETE FROM heard WHERE tenant_id = OLD.tenant_id AND provider_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER provider_gone AFTER DELETE ON provider FOR EACH ROW
    EXECUTE FUNCTION provider_gone();
