-- The number that caches are keyed by (src/model/generation.h).

-- name: generation_get
-- One row: the tenant's generation, of which that of the platform's accounts is a part;
-- whether it has any suppressions; how far its queue and the whole one are overfull, as
-- of the last measurement, and whether that is too old to go by; whether it has webhook
-- endpoints.  When it has none, the transaction is untold (db_batch_untold()).
SELECT g.generation + p.generation, g.suppresses, COALESCE(o.level, 0), COALESCE(s.level, 0),
    COALESCE(s.measured_at < now() - interval '30 s', false), g.webhooks,
    CASE WHEN NOT g.webhooks THEN set_config('belfry.tenant', $1::bigint || ' ', true) END
FROM tenant_generation g
CROSS JOIN shared_generation p
LEFT JOIN overload o ON o.tenant_id = $1
LEFT JOIN queue_state s ON true
WHERE g.tenant_id = $1

-- name: generation_bump
-- Nothing; part of each transaction that changes accounts, templates or providers.
UPDATE tenant_generation SET generation = generation + 1 WHERE tenant_id = $1

-- name: generation_bump_erasures
-- Nothing; part of each transaction that erases a person.
UPDATE tenant_generation SET generation = generation + 1, erasures = erasures + 1
WHERE tenant_id = $1

-- name: tenant_page
-- One row: name, default locale, time zone, settings, slug, whether it has webhook
-- endpoints, whether it is a test tenant, its sealed settings, and how often somebody of
-- it was erased.
SELECT t.name, t.default_locale, t.time_zone, t.settings, t.slug, g.webhooks, t.test,
    t.sealed, g.erasures
FROM tenant t JOIN tenant_generation g ON g.tenant_id = $1 WHERE t.id = $1
