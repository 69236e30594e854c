-- 0020_tenancy: tenants are made and edited over the REST API.

ALTER TABLE tenant
    DROP CONSTRAINT tenant_state_check,
    ADD CONSTRAINT tenant_state_check CHECK (state IN (1, 2, 3)), -- active, suspended, deleting
    ADD COLUMN test boolean NOT NULL DEFAULT false, -- simulators alone send for it
    ADD COLUMN version int NOT NULL DEFAULT 1, -- for ETag
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

-- What templates know as "brand" is the setting "branding".
UPDATE tenant SET settings = settings - 'brand'
    || jsonb_build_object('branding', settings->'brand')
WHERE settings ? 'brand';

GRANT INSERT, UPDATE ON tenant TO belfry_api;
GRANT INSERT ON tenant_generation TO belfry_api;
