-- Accounts at providers (src/model/provider_account.h).

-- name: provider_list
-- Up to $3 rows whose name comes after $2, in the order of their names.
SELECT id, name, kind, channel, state, priority, weight, settings, sealed, version,
    created_at, updated_at, tenant_id, limits
FROM provider
WHERE tenant_id = $1 AND name > $2
ORDER BY name
LIMIT $3

-- name: provider_get
-- One row or none.
SELECT id, name, kind, channel, state, priority, weight, settings, sealed, version,
    created_at, updated_at, tenant_id, limits
FROM provider
WHERE tenant_id = $1 AND id = $2

-- name: provider_find
-- One row or none, by name.
SELECT id, name, kind, channel, state, priority, weight, settings, sealed, version,
    created_at, updated_at, tenant_id, limits
FROM provider
WHERE tenant_id = $1 AND name = $2

-- name: provider_lock
-- One row or none: the version, which nobody changes until the transaction ends.
SELECT version FROM provider WHERE tenant_id = $1 AND id = $2 FOR UPDATE

-- name: provider_insert
-- Nothing.
INSERT INTO provider (tenant_id, id, name, kind, channel, state, priority, weight,
    settings, sealed, limits)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: provider_update
-- One row: the new version.
UPDATE provider
SET name = $3, state = $4, priority = $5, weight = $6, settings = $7, sealed = $8,
    limits = $9, version = version + 1, updated_at = now()
WHERE tenant_id = $1 AND id = $2
RETURNING version

-- name: provider_set_state
-- Nothing; one row is affected when the state was another one.
UPDATE provider
SET state = $3, version = version + 1, updated_at = now()
WHERE tenant_id = $1 AND id = $2 AND state <> $3

-- name: provider_delete
-- Nothing.
DELETE FROM provider WHERE tenant_id = $1 AND id = $2

-- name: provider_sender
-- One row when an account of channel $2 may send as $3.
SELECT 1 FROM provider WHERE tenant_id = $1 AND channel = $2
    AND (lower(settings->>'from') = lower($3) OR EXISTS (
        SELECT FROM json_array_elements_text(settings->'senders') s
        WHERE lower(s) = lower($3)))
LIMIT 1
