-- 0003_template_release: when versions were in use, layouts and partials.
--
-- A layout or partial is a template whose key says so.  What of them is in use
-- together is a release; a notification names the one it was accepted under, so that it
-- is rendered the same for ever.

ALTER TABLE template DROP CONSTRAINT template_key_check;
ALTER TABLE template ADD CONSTRAINT template_key_check
    CHECK (key ~ '^((layout|partial):)?[a-z0-9][a-z0-9-]{0,62}$');

ALTER TABLE template_version
    ADD COLUMN layout text, -- the layout around it; NULL: none
    ADD COLUMN published_at timestamptz, -- last; NULL: it was never in use
    ADD COLUMN published_by text,
    ADD COLUMN published_as smallint -- by publish, by rollback
        CHECK (published_as IN (1, 2));

ALTER TABLE template NO FORCE ROW LEVEL SECURITY;
ALTER TABLE template_version NO FORCE ROW LEVEL SECURITY;
UPDATE template_version v
SET published_at = v.created_at, published_by = v.created_by, published_as = 1
FROM template t
WHERE t.tenant_id = v.tenant_id AND t.id = v.template_id
    AND t.published_version = v.version;
ALTER TABLE template FORCE ROW LEVEL SECURITY;
ALTER TABLE template_version FORCE ROW LEVEL SECURITY;

-- "members" is {"layout:default": ["id of the template", version], ...}.
CREATE TABLE template_release (
    tenant_id bigint NOT NULL,
    release int NOT NULL,
    members json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, release)
);
CALL tenant_wall('template_release');

ALTER TABLE notification ADD COLUMN template_release int; -- NULL: there was none

GRANT SELECT, INSERT ON template_release TO belfry_api;
GRANT SELECT ON template_release TO belfry_spooler;
