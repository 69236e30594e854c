-- Every sealed column, for "belfryctl keys" (src/ctl/keys.c).  What is sealed names its
-- key: a version byte, the length of the name, the name (src/base/seal.c).  For each
-- table there are sealed_TABLE_count, _list and _put with the same arguments; what belongs
-- to no tenant is that of tenant 0.

-- name: sealed_provider_count
-- A row for each key: its name, and how many rows of tenant $1 it seals.
SELECT convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8'), count(*)
FROM provider WHERE tenant_id = $1 AND sealed IS NOT NULL
GROUP BY 1

-- name: sealed_provider_list
-- Up to $3 rows that another key than $2 seals: id and what is sealed.
SELECT id, sealed FROM provider
WHERE tenant_id = $1 AND sealed IS NOT NULL
AND convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8') <> $2
ORDER BY id LIMIT $3

-- name: sealed_provider_put
-- Nothing: a row gets $4 when it still holds $3.
UPDATE provider SET sealed = $4 WHERE tenant_id = $1 AND id = $2 AND sealed = $3

-- name: sealed_webhook_endpoint_count
-- As sealed_provider_count.
SELECT convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8'), count(*)
FROM webhook_endpoint WHERE tenant_id = $1
GROUP BY 1

-- name: sealed_webhook_endpoint_list
-- As sealed_provider_list.
SELECT id, sealed FROM webhook_endpoint
WHERE tenant_id = $1
AND convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8') <> $2
ORDER BY id LIMIT $3

-- name: sealed_webhook_endpoint_put
-- Nothing, as sealed_provider_put.
UPDATE webhook_endpoint SET sealed = $4 WHERE tenant_id = $1 AND id = $2 AND sealed = $3

-- name: sealed_tenant_count
-- As sealed_provider_count.
SELECT convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8'), count(*)
FROM tenant WHERE id = $1 AND sealed IS NOT NULL
GROUP BY 1

-- name: sealed_tenant_list
-- As sealed_provider_list; the one row of a tenant is sealed without an id.
SELECT '00000000-0000-0000-0000-000000000000'::uuid, sealed FROM tenant
WHERE id = $1 AND sealed IS NOT NULL
AND convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8') <> $2
LIMIT $3

-- name: sealed_tenant_put
-- Nothing, as sealed_provider_put.
UPDATE tenant SET sealed = $4 WHERE id = $1 AND $2::uuid IS NOT NULL AND sealed = $3

-- name: sealed_signing_key_count
-- As sealed_provider_count.
SELECT convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8'), count(*)
FROM signing_key WHERE $1::bigint = 0
GROUP BY 1

-- name: sealed_signing_key_list
-- As sealed_provider_list.
SELECT id, sealed FROM signing_key
WHERE $1::bigint = 0
AND convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8') <> $2
ORDER BY id LIMIT $3

-- name: sealed_signing_key_put
-- Nothing, as sealed_provider_put.
UPDATE signing_key SET sealed = $4 WHERE $1::bigint = 0 AND id = $2 AND sealed = $3
