-- Templates and their versions (src/model/template.h, template_store.h).

-- name: template_head
-- One text, or no row: what must be known to accept a notification.  "version" is the
-- published one or 0; "parts" are the names of the parts in any locale.
SELECT json_build_object('id', t.id, 'key', t.key, 'category', t.category,
    'default_locale', t.default_locale, 'version', COALESCE(v.version, 0),
    'variables', COALESCE(v.variables, '{}'),
    'parts', COALESCE((SELECT json_agg(DISTINCT p)
        FROM json_each(v.parts) l, json_object_keys(l.value) p), '[]'))
FROM template t
LEFT JOIN template_version v ON v.tenant_id = t.tenant_id
    AND v.template_id = t.id AND v.version = t.published_version
WHERE t.tenant_id = $1 AND t.key = $2

-- name: template_load
-- One text, or no row: a version with the sources of all its parts.
SELECT json_build_object('id', t.id, 'key', t.key, 'category', t.category,
    'default_locale', t.default_locale, 'version', v.version,
    'variables', v.variables, 'parts', v.parts)
FROM template_version v
JOIN template t ON t.tenant_id = v.tenant_id AND t.id = v.template_id
WHERE v.tenant_id = $1 AND v.template_id = $2 AND v.version = $3
