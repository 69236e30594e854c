-- What the programs ask about the schema (src/db/migrate.h).

-- name: schema_version
-- One row: the number of the last migration.
SELECT COALESCE(max(version), 0) FROM schema_migration
