-- 0030_heard: who wrote to an account, and when last.
--
-- A provider may let an account write freely to people who wrote to it within a day
-- (src/spooler/said.h).  Rows are useless after that and are removed.

CREATE TABLE heard (
    tenant_id bigint NOT NULL,
    provider_id uuid NOT NULL,
    address text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, provider_id, address)
);
CALL tenant_wall('heard');

CREATE POLICY spooler_expires_finds ON heard FOR SELECT
    TO belfry_spooler USING (at < now() - interval '1 day');
CREATE POLICY spooler_expires ON heard FOR DELETE
    TO belfry_spooler USING (at < now() - interval '1 day');

GRANT SELECT, INSERT, UPDATE, DELETE ON heard TO belfry_spooler;
