-- A tenant's own issuers of access tokens (src/model/issuer_store.h).

-- name: issuer_list
-- Up to $3 rows whose name comes after $2, in the order of their names.
SELECT id, name, settings, version, created_at, updated_at
FROM issuer
WHERE tenant_id = $1 AND name > $2
ORDER BY name
LIMIT $3

-- name: issuer_get
-- One row or none.
SELECT id, name, settings, version, created_at, updated_at
FROM issuer
WHERE tenant_id = $1 AND id = $2

-- name: issuer_count
-- One row: how many there are.
SELECT count(*) FROM issuer WHERE tenant_id = $1

-- name: issuer_lock
-- One row or none: the version and the name, which nobody changes until the
-- transaction ends.
SELECT version, name FROM issuer WHERE tenant_id = $1 AND id = $2 FOR UPDATE

-- name: issuer_insert
-- Nothing.
INSERT INTO issuer (tenant_id, id, name, settings) VALUES ($1, $2, $3, $4)

-- name: issuer_update
-- One row: the new version.
UPDATE issuer
SET name = $3, settings = $4, version = version + 1, updated_at = now()
WHERE tenant_id = $1 AND id = $2
RETURNING version

-- name: issuer_delete
-- Nothing.
DELETE FROM issuer WHERE tenant_id = $1 AND id = $2
