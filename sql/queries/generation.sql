-- The number that caches are keyed by (src/model/generation.h).

-- name: generation_get
-- One row: the tenant's generation, and whether it has any suppressions.
SELECT generation, suppresses FROM tenant_generation WHERE tenant_id = $1

-- name: generation_bump
-- Nothing; part of each transaction that changes accounts, templates or providers.
UPDATE tenant_generation SET generation = generation + 1 WHERE tenant_id = $1

-- name: tenant_brand
-- One row: name, default locale, time zone, what templates know as "brand", the quiet
-- hours of recipients without their own, and slug.
SELECT name, default_locale, time_zone, settings->'brand', settings->'quiet_hours',
    slug
FROM tenant WHERE id = $1
