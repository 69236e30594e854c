-- Tenants (src/model/tenant.h).  The table belongs to no tenant: "id = $1" is what
-- "tenant_id = $1" is elsewhere.

-- name: tenant_get
-- One row or none.
SELECT id, slug, name, state, weight, default_locale, time_zone, settings, created_at,
    test, version, updated_at, sealed
FROM tenant
WHERE id = $1

-- name: tenant_find
-- One row or none, by slug.
SELECT id, slug, name, state, weight, default_locale, time_zone, settings, created_at,
    test, version, updated_at, sealed
FROM tenant
WHERE slug = $1

-- name: tenant_list
-- Up to $2 rows whose slug comes after $1, in the order of their slugs; the platform is
-- none of them.
SELECT id, slug, name, state, weight, default_locale, time_zone, settings, created_at,
    test, version, updated_at, sealed
FROM tenant
WHERE slug > $1 AND id > 0
ORDER BY slug
LIMIT $2

-- name: tenant_origins
-- Up to $1 rows: the web origins that active tenants allow.
SELECT DISTINCT o
FROM tenant t
CROSS JOIN LATERAL jsonb_array_elements_text(t.settings->'cors_origins') o
WHERE t.state = 1 AND jsonb_typeof(t.settings->'cors_origins') = 'array'
LIMIT $1

-- name: tenant_insert
-- One row: the new id.
INSERT INTO tenant (slug, name, default_locale, time_zone, weight, test)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id

-- name: tenant_enter
-- One row: makes the rest of the transaction see the tenant that was just made.
SELECT set_config('belfry.tenant', $1, true)

-- name: tenant_generation_insert
-- Nothing.
INSERT INTO tenant_generation (tenant_id) VALUES ($1)

-- name: tenant_version
-- One row or none: a tenant's version.  Who raises its generation first has it to
-- himself.
SELECT version FROM tenant WHERE id = $1 AND state <> 3

-- name: tenant_update
-- Nothing.
UPDATE tenant SET name = $2, default_locale = $3, time_zone = $4, weight = $5, test = $6,
    settings = $7, sealed = $8, version = version + 1, updated_at = now()
WHERE id = $1

-- name: tenant_set_state
-- Nothing.
UPDATE tenant SET state = $2, version = version + 1, updated_at = now() WHERE id = $1

-- name: tenant_set_quiet_hours
-- Nothing.
UPDATE tenant SET version = version + 1, updated_at = now(),
    settings = CASE WHEN $2::jsonb IS NULL THEN settings - 'quiet_hours'
    ELSE settings || jsonb_build_object('quiet_hours', $2::jsonb) END
WHERE id = $1

-- name: tenant_ways
-- At most one row with one text: how a tenant's notifications may go, that is the
-- generation, whether the tenant is active, whether it has any suppressions, its
-- time zone and settings, and its providers in state $2 in the order of their names:
-- id, kind, priority, weight, name, whether they have a budget, and whose health counts.
SELECT json_build_object('generation', g.generation + s.generation, 'active', t.state = 1,
    'suppresses', g.suppresses, 'test', t.test, 'zone', t.time_zone,
    'settings', t.settings - '{branding,cors_origins,user_service}'::text[],
    'providers', COALESCE((SELECT json_agg(json_build_array(p.id, p.kind, p.priority,
        p.weight, p.name, COALESCE(p.limits ->> 'rate', '0') <> '0'
            OR COALESCE(p.limits ->> 'per_day', '0') <> '0' OR t.settings ? 'delivery_rate',
            COALESCE(p.shared_id, p.id)) ORDER BY p.name) FROM (
            SELECT p.id, p.kind, p.priority, p.weight, p.name, p.shared_id,
                COALESCE(s.limits, p.limits) AS limits
            FROM provider p LEFT JOIN LATERAL shared_account(p.shared_id) s ON true
            WHERE p.tenant_id = $1 AND p.state = $2
                AND (p.shared_id IS NULL OR s.state = $2)) p), '[]'))
FROM tenant t JOIN tenant_generation g ON g.tenant_id = $1
CROSS JOIN shared_generation s
WHERE t.id = $1

-- name: tenant_deletion_insert
-- Nothing.
INSERT INTO tenant_deletion (tenant, slug, requested_by) VALUES ($1, $2, $3)

-- name: tenant_deletion_find
-- One row or none: the last deletion of a tenant of that slug: who asked for it and
-- when, how many rows went, of which tables, and when it was done.
SELECT d.requested_by, d.requested_at, d.removed, d.tables, d.finished_at
FROM tenant_deletion d WHERE d.slug = $1
ORDER BY d.requested_at DESC LIMIT 1

-- name: tenant_erase
-- One row: how many rows of a tenant that is being deleted went, at most $1, and its
-- slug when that is done; none when nothing is to do.  $2 ms after nothing was found any
-- more it is.
SELECT removed, slug FROM tenant_erase($1, $2)
