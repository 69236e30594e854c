-- 0012_suppression: addresses that are not to be written to any more.
--
-- An address stands in lower case (ASCII alone: src/model/suppression.h).  The nil UUID
-- means every account of the channel, the empty text every category.

CREATE TABLE suppression (
    tenant_id bigint NOT NULL,
    address text COLLATE "C" NOT NULL CHECK (address <> '' AND address = lower(address)),
    channel smallint NOT NULL CHECK (channel BETWEEN 1 AND 6),
    provider_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    category text COLLATE "C" NOT NULL DEFAULT '',
    reason smallint NOT NULL CHECK (reason BETWEEN 1 AND 5), -- src/model/suppression.def
    source text NOT NULL, -- who said so: "key:...", "provider twilio"
    code text, -- in the words of the source
    notification_id uuid, -- what it came of, where it did
    delivery_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, address, channel, provider_id, category)
);
CALL tenant_wall('suppression');

-- A tenant without any is not asked for them.
ALTER TABLE tenant_generation ADD COLUMN suppresses boolean NOT NULL DEFAULT false;

CREATE FUNCTION suppression_first() RETURNS trigger LANGUAGE plpgsql
    SET search_path = belfry, pg_temp AS $$
BEGIN
    UPDATE tenant_generation SET suppresses = true, generation = generation + 1
    WHERE tenant_id = NEW.tenant_id AND NOT suppresses;
    RETURN NULL;
END $$;
CREATE TRIGGER suppression_first AFTER INSERT ON suppression FOR EACH ROW
    EXECUTE FUNCTION suppression_first();

-- Fails, by the name of a constraint, when one of the deliveries that belfry-api is about
-- to write is suppressed: they are the spooler's then.
CREATE FUNCTION suppression_guard(tenant bigint, addresses text[], channels smallint[],
    providers uuid[], in_category text) RETURNS void LANGUAGE plpgsql STABLE
    SET search_path = belfry, pg_temp AS $$
BEGIN
    PERFORM FROM unnest(addresses, channels, providers) AS r (address, channel, provider_id)
    CROSS JOIN LATERAL (
        SELECT FROM suppression s WHERE s.tenant_id = tenant
            AND s.address = lower(r.address COLLATE "C") AND s.channel = r.channel
            AND s.provider_id IN (r.provider_id, '00000000-0000-0000-0000-000000000000')
            AND s.category IN ('', in_category) OFFSET 0) s;
    IF FOUND THEN
        RAISE EXCEPTION 'an address is suppressed' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'suppressed';
    END IF;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON suppression TO belfry_api, belfry_spooler;
GRANT SELECT ON suppression TO belfry_report;
REVOKE ALL ON FUNCTION suppression_guard(bigint, text[], smallint[], uuid[], text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION suppression_guard(bigint, text[], smallint[], uuid[], text)
    TO belfry_api;
