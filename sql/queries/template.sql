-- Templates and their versions (src/model/template.h, template_store.h).

-- name: template_head
-- One text, or no row: what must be known to accept a notification.  "version" is the
-- published one or 0; "parts" are the names of the parts in any locale; "release" is
-- that of layouts and partials in use, or 0.
SELECT json_build_object('id', t.id, 'key', t.key, 'category', t.category,
    'default_locale', t.default_locale, 'version', COALESCE(v.version, 0),
    'variables', COALESCE(v.variables, '{}'), 'fallback', t.fallback,
    'quiet_exempt', t.quiet_exempt,
    'release', COALESCE((SELECT max(release) FROM template_release
        WHERE tenant_id = $1), 0),
    'parts', COALESCE((SELECT json_agg(DISTINCT p)
        FROM json_each(v.parts) l, json_object_keys(l.value) p), '[]'))
FROM template t
LEFT JOIN template_version v ON v.tenant_id = t.tenant_id
    AND v.template_id = t.id AND v.version = t.published_version
WHERE t.tenant_id = $1 AND t.key = $2

-- name: template_load
-- A text, a number and a text, or no row: a version with the sources of all its parts;
-- the number of a release ($4; -1: the one in use now; 0: none) and the layouts and
-- partials in it.
SELECT json_build_object('id', t.id, 'key', t.key, 'category', t.category,
    'default_locale', t.default_locale, 'version', v.version, 'layout', v.layout,
    'unsubscribe', v.unsubscribe, 'from', v.sender, 'tracking', v.tracking,
    'variables', v.variables, 'parts', v.parts), r.release, (
    SELECT COALESCE(json_agg(json_build_object('id', mt.id, 'key', mt.key,
        'category', '', 'default_locale', mt.default_locale, 'version', mv.version,
        'variables', '{}'::json, 'parts', mv.parts) ORDER BY mt.key), '[]')
    FROM json_each(r.members) m
    JOIN template_version mv ON mv.tenant_id = $1
        AND mv.template_id = (m.value->>0)::uuid AND mv.version = (m.value->>1)::int
    JOIN template mt ON mt.tenant_id = $1 AND mt.id = mv.template_id)
FROM template_version v
JOIN template t ON t.tenant_id = v.tenant_id AND t.id = v.template_id
LEFT JOIN template_release r ON r.tenant_id = $1 AND r.release = CASE $4::int
    WHEN -1 THEN (SELECT max(release) FROM template_release WHERE tenant_id = $1)
    ELSE $4::int END
WHERE v.tenant_id = $1 AND v.template_id = $2 AND v.version = $3

-- name: template_find
-- One row or none.
SELECT id, key, name, description, category, default_locale, published_version,
    latest_version, version, created_at, updated_at, fallback, quiet_exempt
FROM template
WHERE tenant_id = $1 AND key = $2

-- name: template_list
-- Up to $3 rows whose key comes after $2, in the order of their keys.
SELECT id, key, name, description, category, default_locale, published_version,
    latest_version, version, created_at, updated_at, fallback, quiet_exempt
FROM template
WHERE tenant_id = $1 AND key > $2
ORDER BY key
LIMIT $3

-- name: template_lock
-- One row or none, which nobody changes until the transaction ends: the template and
-- the checksum and author of its latest version; the newest version before the one in use
-- that was in use, too; what requests have that do not say otherwise.
SELECT t.version, t.id, t.name, t.description, t.category, t.default_locale,
    t.published_version, t.latest_version, v.checksum, v.created_by,
    (SELECT max(b.version) FROM template_version b WHERE b.tenant_id = $1
        AND b.template_id = t.id AND b.version < t.published_version
        AND b.published_at IS NOT NULL),
    t.fallback, t.quiet_exempt
FROM template t
LEFT JOIN template_version v ON v.tenant_id = t.tenant_id
    AND v.template_id = t.id AND v.version = t.latest_version
WHERE t.tenant_id = $1 AND t.key = $2
FOR UPDATE OF t

-- name: template_insert
-- Nothing; the template has version 1 as its latest.
INSERT INTO template (tenant_id, id, key, name, description, category,
    default_locale, latest_version, published_version, fallback, quiet_exempt)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10)

-- name: template_update
-- One row: the new version of the row.  The fallback order ($10) and whether it is sent in
-- quiet hours ($12) change where $9 and $11 say so.
UPDATE template
SET name = $3, description = $4, category = $5, default_locale = $6,
    latest_version = $7, published_version = $8, version = version + 1,
    fallback = CASE WHEN $9::boolean THEN $10::json ELSE fallback END,
    quiet_exempt = CASE WHEN $11::boolean THEN $12::boolean ELSE quiet_exempt END,
    updated_at = now()
WHERE tenant_id = $1 AND id = $2
RETURNING version

-- name: template_version_insert
-- Nothing.
INSERT INTO template_version (tenant_id, template_id, version, parts, variables,
    sample, checksum, created_by, layout, unsubscribe, sender, tracking)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: template_version_used
-- Nothing; the version came into use by publish (1) or rollback (2).
UPDATE template_version
SET published_at = now(), published_as = $4, published_by = $5
WHERE tenant_id = $1 AND template_id = $2 AND version = $3

-- name: template_release_make
-- Nothing; the layouts and partials in use now are a new release.  The transaction has
-- raised the tenant's generation, so no two make one at the same time.
INSERT INTO template_release (tenant_id, release, members)
SELECT $1, COALESCE((SELECT max(release) FROM template_release WHERE tenant_id = $1),
    0) + 1, COALESCE(json_object_agg(key, json_build_array(id, published_version)
    ORDER BY key), '{}')
FROM template
WHERE tenant_id = $1 AND key ~ ':' AND published_version IS NOT NULL

-- name: template_version_list
-- Up to $4 rows with numbers below $3 (0: all), newest first.
SELECT version, created_by, created_at, published_as, published_by, published_at
FROM template_version
WHERE tenant_id = $1 AND template_id = $2 AND ($3::int = 0 OR version < $3::int)
ORDER BY version DESC
LIMIT $4

-- name: template_draft
-- One row or none: a version with everything its author wrote.  Number 0 is the
-- published one, or the latest when none is.
SELECT t.key, t.name, t.description, t.category, t.default_locale, v.variables,
    v.sample, v.parts, v.version, v.created_by, v.created_at, v.layout,
    v.published_as, v.published_by, v.published_at, v.unsubscribe,
    v.sender, v.tracking, t.fallback, t.quiet_exempt
FROM template t
JOIN template_version v ON v.tenant_id = t.tenant_id AND v.template_id = t.id
    AND v.version = COALESCE(NULLIF($3::int, 0), t.published_version,
        t.latest_version)
WHERE t.tenant_id = $1 AND t.key = $2

-- name: template_layout_missing
-- One row, the name of the layout, when it is not in use: of the layout $4, or of
-- version $3 of the template.
SELECT l.name FROM (SELECT COALESCE($4::text, (
    SELECT v.layout FROM template t
    JOIN template_version v ON v.tenant_id = $1 AND v.template_id = t.id
        AND v.version = $3
    WHERE t.tenant_id = $1 AND t.key = $2)) AS name) l
WHERE l.name IS NOT NULL AND NOT EXISTS (
    SELECT FROM template WHERE tenant_id = $1 AND key = 'layout:' || l.name
    AND published_version IS NOT NULL)

-- name: template_layout_user
-- One row when a template in use stands in the layout $2: its key.
SELECT t.key FROM template t
JOIN template_version v ON v.tenant_id = $1 AND v.template_id = t.id
    AND v.version = t.published_version
WHERE t.tenant_id = $1 AND v.layout = $2
LIMIT 1

-- name: template_set_published
-- Nothing; no row is affected when there is no such version, or with $4 none that was
-- in use before.
UPDATE template t
SET published_version = $3, version = t.version + 1, updated_at = now()
WHERE t.tenant_id = $1 AND t.key = $2 AND EXISTS (
    SELECT FROM template_version v WHERE v.tenant_id = t.tenant_id
    AND v.template_id = t.id AND v.version = $3
    AND (NOT $4::bool OR v.published_at IS NOT NULL))

-- name: template_delete
-- Nothing.
DELETE FROM template WHERE tenant_id = $1 AND key = $2

-- name: template_set_defaults
-- One row, or none when there is no such template: its fallback order and whether it is
-- sent in quiet hours.
UPDATE template SET fallback = CASE WHEN $3::boolean THEN $4::json ELSE fallback END,
    quiet_exempt = CASE WHEN $5::boolean THEN $6::boolean ELSE quiet_exempt END,
    version = version + 1, updated_at = now()
WHERE tenant_id = $1 AND key = $2
RETURNING fallback, quiet_exempt
