-- name: schema_version
-- One row: the number of the last migration.
SELECT COALESCE(max(version), 0) FROM schema_migration
