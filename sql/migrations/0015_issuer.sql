-- 0015_issuer: whom a tenant believes access tokens from, besides the issuers of
-- belfry.conf.

CREATE TABLE issuer (
    tenant_id bigint NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    settings json NOT NULL, -- as the REST API has them
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);
CALL tenant_wall('issuer');

GRANT SELECT, INSERT, UPDATE, DELETE ON issuer TO belfry_api;
