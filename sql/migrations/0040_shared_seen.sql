-- 0040_shared_seen: what a tenant may know of the platform's accounts that it uses, and who
-- was written to by number.

-- The account of the platform, as far as it says whether the tenant's deliveries can go by
-- it.  Nothing of an account that the tenant has no leave to use.
CREATE POLICY owner_reads_platform ON provider FOR SELECT TO belfry_owner
    USING (tenant_id = -1);
CREATE POLICY owner_reads_platform ON provider_health FOR SELECT TO belfry_owner
    USING (tenant_id = -1);
CREATE POLICY owner_reads_platform ON provider_budget FOR SELECT TO belfry_owner
    USING (tenant_id = -1);
CREATE FUNCTION shared_account(account uuid) RETURNS TABLE (state smallint, limits json,
    breaker smallint, opened_until timestamptz, blocked_until timestamptz,
    tat timestamptz, day date, used int, warm_from date)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = belfry, pg_temp AS $$
    SELECT p.state, p.limits, h.state, h.opened_until, h.blocked_until,
        b.tat, b.day, b.used, b.warm_from
    FROM provider p
    LEFT JOIN provider_health h ON h.tenant_id = -1 AND h.provider_id = p.id
    LEFT JOIN provider_budget b ON b.tenant_id = -1 AND b.provider_id = p.id
    WHERE p.tenant_id = -1 AND p.id = account AND EXISTS (SELECT FROM provider s
        WHERE s.tenant_id = NULLIF(current_setting('belfry.tenant', true), '')::bigint
            AND s.shared_id = account)
$$;
REVOKE ALL ON FUNCTION shared_account(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shared_account(uuid) TO belfry_api;

-- Who answers STOP to an account of several tenants is looked for at each of them.  Of the
-- channels on which people can answer alone: each entry costs a write.
CREATE INDEX delivery_answerable ON delivery (tenant_id, address, notification_id)
    WHERE channel IN (2, 4);
