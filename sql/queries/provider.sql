-- Accounts at providers (src/model/provider_account.h).

-- name: provider_list
-- Up to $3 rows whose name comes after $2, in the order of their names.
SELECT id, name, kind, channel, state, priority, weight, settings, sealed, version,
    created_at, updated_at, tenant_id, limits, shared_id, allowed
FROM provider
WHERE tenant_id = $1 AND name > $2
ORDER BY name
LIMIT $3

-- name: provider_get
-- One row or none.
SELECT id, name, kind, channel, state, priority, weight, settings, sealed, version,
    created_at, updated_at, tenant_id, limits, shared_id, allowed
FROM provider
WHERE tenant_id = $1 AND id = $2

-- name: provider_find
-- One row or none, by name.
SELECT id, name, kind, channel, state, priority, weight, settings, sealed, version,
    created_at, updated_at, tenant_id, limits, shared_id, allowed
FROM provider
WHERE tenant_id = $1 AND name = $2

-- name: provider_lock
-- One row or none: the version, which nobody changes until the transaction ends, and the name.
SELECT version, name FROM provider WHERE tenant_id = $1 AND id = $2 FOR UPDATE

-- name: provider_insert
-- Nothing.
INSERT INTO provider (tenant_id, id, name, kind, channel, state, priority, weight,
    settings, sealed, limits, shared_id, allowed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: provider_update
-- One row: the new version.
UPDATE provider
SET name = $3, state = $4, priority = $5, weight = $6, settings = $7, sealed = $8,
    limits = $9, allowed = $10, version = version + 1, updated_at = now()
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

-- Accounts of the platform, and leave to use them (sql/migrations/0036_shared.sql).

-- name: platform_enter
-- Nothing that counts: the queries up to platform_leave are the platform's.
SELECT set_config('belfry.tenant', '-1', true)
FROM (SELECT set_config('belfry.outside', current_setting('belfry.tenant', true), true)
    OFFSET 0) outside

-- name: platform_leave
-- Nothing that counts: the transaction is again whose it was.
SELECT set_config('belfry.tenant', current_setting('belfry.outside', true), true)

-- name: shared_lock
-- One row or none: an account of the platform stays as long as the transaction.
SELECT id FROM provider WHERE tenant_id = $1 AND id = $2 FOR SHARE

-- name: shared_allow
-- Nothing; as whom everybody may send who is given the account ($2) without being asked;
-- NULL: nobody is given it.
UPDATE provider SET allowed = $3, version = version + 1, updated_at = now()
WHERE tenant_id = $1 AND id = $2

-- name: shared_list
-- A row for each tenant that has leave to use an account of the platform, the platform
-- being the tenant: the tenant, its slug, and the row's id.
SELECT s.tenant_id, t.slug, s.id
FROM provider_shares($1) s JOIN tenant t ON t.id = s.tenant_id
ORDER BY t.slug

-- name: shared_find
-- One row or none: what a tenant has of an account of the platform.
SELECT id FROM provider WHERE tenant_id = $1 AND shared_id = $2

-- name: shared_wake
-- Nothing that counts: an account of the platform can be used.
SELECT shared_wake($1)

-- name: shared_everyone
-- A row for each account of the platform that new tenants get: id, name, kind, channel,
-- priority, weight, and as whom they may send.
SELECT id, name, kind, channel, priority, weight, allowed FROM provider
WHERE tenant_id = $1 AND allowed IS NOT NULL
ORDER BY name FOR SHARE

-- name: shared_welcome
-- Nothing.  A new tenant gets accounts of the platform.
INSERT INTO provider (tenant_id, id, shared_id, name, kind, channel, priority, weight,
    allowed)
SELECT $1, r.id, r.shared_id, r.name, r.kind, r.channel, r.priority, r.weight,
    r.allowed::json
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::smallint[],
    $7::smallint[], $8::smallint[], $9::text[])
    AS r (id, shared_id, name, kind, channel, priority, weight, allowed)
