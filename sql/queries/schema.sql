-- What the programs ask about the schema (src/db/migrate.h) and the server.

-- name: schema_version
-- One row: the number of the last migration.
SELECT COALESCE(max(version), 0) FROM schema_migration

-- name: database_writes
-- Nothing.  Fails where the database takes no writes: a standby, or one that is read-only.
UPDATE tenant_generation SET generation = generation WHERE tenant_id = 0 AND false

-- name: durability
-- One row: what lets a commit of this session be lost (NULL: nothing).  Where standbys are
-- named, "local" does not wait for them.
SELECT string_agg(fault, ', ') FROM (VALUES
    (CASE current_setting('fsync') WHEN 'off' THEN 'fsync is off' END),
    (CASE current_setting('full_page_writes') WHEN 'off' THEN 'full_page_writes is off' END),
    (CASE WHEN current_setting('synchronous_commit') = 'off'
        THEN 'synchronous_commit is off' END),
    (CASE WHEN current_setting('synchronous_commit') = 'local'
        AND current_setting('synchronous_standby_names') <> ''
        THEN 'synchronous_commit is local though there are synchronous standbys' END))
    AS v (fault)
