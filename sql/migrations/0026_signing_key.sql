-- 0026_signing_key: the keys that Belfry signs its own access tokens with.  They belong to
-- the installation, not to a tenant.

CREATE TABLE signing_key (
    id uuid PRIMARY KEY,
    kid text NOT NULL UNIQUE,
    alg text NOT NULL CHECK (alg IN ('EdDSA', 'RS256')),
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 3), -- next, current, retired
    public_jwk json NOT NULL, -- the half that is published
    sealed bytea NOT NULL, -- the other one, sealed (src/base/seal.h)
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CHECK ((state = 3) = (retired_at IS NOT NULL))
);
-- One is next and one is current.
CREATE UNIQUE INDEX signing_key_state ON signing_key (state) WHERE state < 3;

GRANT SELECT ON signing_key TO belfry_api;
