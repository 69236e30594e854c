-- What the programs ask about the schema (src/db/migrate.h).

-- name: schema_version
-- One row: the number of the last migration.
SELECT COALESCE(max(version), 0) FROM schema_migration

-- name: database_writes
-- Nothing.  Fails where the database takes no writes: a standby, or one that is read-only.
UPDATE tenant_generation SET generation = generation WHERE tenant_id = 0 AND false
