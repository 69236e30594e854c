-- The keys that Belfry signs its own tokens with (src/auth/signing.h).  They belong to no
-- tenant.

-- name: signing_key_list
-- All rows, the next one first, then the current one, then the retired ones, newest first.
SELECT id, kid, alg, state, public_jwk, sealed, created_at, retired_at
FROM signing_key
ORDER BY state, created_at DESC

-- name: signing_key_insert
-- Nothing.
INSERT INTO signing_key (id, kid, alg, state, public_jwk, sealed)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: signing_key_retire
-- Nothing.
UPDATE signing_key SET state = 3, retired_at = now() WHERE state = 2

-- name: signing_key_promote
-- Nothing.
UPDATE signing_key SET state = 2 WHERE state = 1

-- name: signing_key_forget
-- Nothing: of those retired, the ones for $1 ms or longer go.
DELETE FROM signing_key
WHERE state = 3 AND retired_at <= now() - $1 * interval '1 millisecond'
