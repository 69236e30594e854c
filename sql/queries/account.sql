-- Service accounts and their keys (src/model/account.h).

-- name: account_list
-- Up to $3 rows whose name comes after $2, in the order of their names.
SELECT id, name, array_to_string(scopes, ' '), state, version, created_at, updated_at,
    networks
FROM service_account
WHERE tenant_id = $1 AND name > $2
ORDER BY name
LIMIT $3

-- name: account_get
-- One row or none.
SELECT id, name, array_to_string(scopes, ' '), state, version, created_at, updated_at,
    networks
FROM service_account
WHERE tenant_id = $1 AND id = $2

-- name: account_find
-- One row or none, by name.
SELECT id, name, array_to_string(scopes, ' '), state, version, created_at, updated_at,
    networks
FROM service_account
WHERE tenant_id = $1 AND name = $2

-- name: account_lock
-- One row or none: the version and the name, which nobody changes until the
-- transaction ends.
SELECT version, name FROM service_account WHERE tenant_id = $1 AND id = $2 FOR UPDATE

-- name: account_insert
-- Nothing.
INSERT INTO service_account (tenant_id, id, name, scopes, networks)
VALUES ($1, $2, $3, string_to_array($4, ' '), COALESCE($5, ''))

-- name: account_update
-- One row: the new version.
UPDATE service_account
SET name = $3, scopes = string_to_array($4, ' '), state = $5, networks = $6,
    version = version + 1, updated_at = now()
WHERE tenant_id = $1 AND id = $2
RETURNING version

-- name: account_delete
-- Nothing; its keys go with it.
DELETE FROM service_account WHERE tenant_id = $1 AND id = $2

-- name: api_key_list
-- Up to 1000 rows, the newest first: the keys of the account $2.
SELECT id, account_id, created_at, expires_at, revoked_at, last_used_at, test
FROM api_key
WHERE tenant_id = $1 AND account_id = $2
ORDER BY created_at DESC, id
LIMIT 1000

-- name: api_key_insert
-- Nothing.
INSERT INTO api_key (tenant_id, id, account_id, hash, expires_at, test)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: api_key_retire
-- Nothing: the account's keys, but for $3, end in $4 milliseconds at the latest.
UPDATE api_key
SET expires_at = now() + $4::bigint * interval '1 millisecond'
WHERE tenant_id = $1 AND account_id = $2 AND id <> $3 AND revoked_at IS NULL
    AND (expires_at IS NULL
        OR expires_at > now() + $4::bigint * interval '1 millisecond')

-- name: api_key_touch
-- Nothing: the key $2 was used, to the hour.
UPDATE api_key SET last_used_at = now()
WHERE tenant_id = $1 AND id = $2
    AND (last_used_at IS NULL OR last_used_at < now() - interval '1 hour')

-- name: api_key_revoke
-- One row, or none when there is no such key that still works: its account.
UPDATE api_key SET revoked_at = now()
WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL
RETURNING account_id

-- name: account_key
-- One text, or no row: all that authentication must know of the key $2.
SELECT json_build_object('key', k.id, 'hash', encode(k.hash, 'hex'),
    'expires', COALESCE((extract(epoch FROM k.expires_at) * 1000)::bigint, 0),
    'used', COALESCE((extract(epoch FROM k.last_used_at) * 1000)::bigint, 0),
    'revoked', k.revoked_at IS NOT NULL OR a.state <> 1, 'networks', a.networks,
    'account', a.id, 'name', a.name, 'scopes', a.scopes,
    'slug', t.slug, 'suspended', t.state <> 1, 'default_locale', t.default_locale,
    'time_zone', t.time_zone, 'generation', g.generation)
FROM api_key k
JOIN service_account a ON a.tenant_id = k.tenant_id AND a.id = k.account_id
JOIN tenant t ON t.id = k.tenant_id
JOIN tenant_generation g ON g.tenant_id = k.tenant_id
WHERE k.tenant_id = $1 AND k.id = $2
