-- What requests must know of their tenant (src/model/tenant_facts.h).

-- name: tenant_facts
-- One text, or no row: what every request of a tenant must know of it.
SELECT json_build_object('id', t.id, 'slug', t.slug, 'suspended', t.state <> 1,
    'default_locale', t.default_locale, 'time_zone', t.time_zone,
    'settings', t.settings,
    'issuers', COALESCE((SELECT json_agg(json_build_array(i.name, i.settings)
        ORDER BY i.name) FROM issuer i WHERE i.tenant_id = $1), '[]'))
FROM tenant t
WHERE t.id = $1
