-- The number that caches are keyed by (src/model/generation.h).

-- name: generation_get
-- One row: the tenant's generation; whether it has any suppressions; how far its queue and the whole one are overfull, as
-- of the last measurement, and whether that is too old to go by.
SELECT g.generation, g.suppresses, COALESCE(o.level, 0), COALESCE(s.level, 0),
    COALESCE(s.measured_at < now() - interval '30 s', false)
FROM tenant_generation g
LEFT JOIN overload o ON o.tenant_id = $1
LEFT JOIN queue_state s ON true
WHERE g.tenant_id = $1

-- name: generation_bump
-- Nothing; part of each transaction that changes accounts, templates or providers.
UPDATE tenant_generation SET generation = generation + 1 WHERE tenant_id = $1

-- name: tenant_page
-- One row: name, default locale, time zone, settings and slug.
SELECT name, default_locale, time_zone, settings, slug
FROM tenant WHERE id = $1
