/*
 * migrate.c - the schema and its versions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/migrate.h"

#include <string.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/ensure.h"
#include "base/err.h"
#include "db/db.h"

static const struct migration {
	int version;
	const char *name;
	const char *checksum;
	const char *sql;
} migrations[] = {
#define MIGRATION(version, name, checksum, sql) { version, name, checksum, sql },
#include "db/migrations.inc"
#undef MIGRATION
};

/* The role and its session while migrations run; the table that records them. */
static const char prelude[] =
    "SET ROLE belfry_owner; SET search_path = belfry;"
    "SET lock_timeout = '2s'; SET client_min_messages = warning;"
    "SELECT pg_advisory_lock(7236837425);"
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    " version int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now());"
    "GRANT SELECT ON schema_migration TO PUBLIC;";
static const char postlude[] =
    "SELECT pg_advisory_unlock(7236837425); RESET ROLE;"
    "RESET search_path; RESET lock_timeout; RESET client_min_messages";

int
migrate_latest(void)
{
	return migrations[NELEMS(migrations) - 1].version;
}

static int
apply(struct db *db, struct arena *a, const struct migration *m, struct err *e)
{
	const char *sql = arena_printf(a,
	    "BEGIN; %s;\nINSERT INTO schema_migration (version, name, checksum)"
	    " VALUES (%d, '%s', '%s'); COMMIT",
	    m->sql, m->version, m->name, m->checksum);

	return db_script(db, a, sql, NULL, e);
}

/* Compares what was applied with what we know. */
static int
compare(const struct db_rows *done, struct err *e)
{
	const struct migration *m;
	int i;

	for (i = 0; i < db_count(done); i++) {
		if (i >= (int)NELEMS(migrations))
			return err_set(e, ERR_CONFLICT,
			    "the database has migration \"%s\", which this "
			    "program does not know: install a newer Belfry",
			    db_text(done, i, 1));
		m = &migrations[i];
		if (strcmp(db_text(done, i, 2), m->checksum) != 0)
			return err_set(e, ERR_CONFLICT,
			    "migration \"%s\" was applied with another text",
			    m->name);
	}
	return 0;
}

static int
up(struct db *db, struct arena *a, void (*told)(void *, const char *),
    void *arg, struct err *e)
{
	struct db_rows *done;
	size_t i;

	if (db_script(db, a,
	        "SELECT version, name, checksum FROM schema_migration"
	        " ORDER BY version",
	        &done, e) == -1 ||
	    compare(done, e) == -1)
		return -1;
	for (i = (size_t)db_count(done); i < NELEMS(migrations); i++) {
		if (apply(db, a, &migrations[i], e) == -1)
			return -1;
		told(arg, migrations[i].name);
	}
	return 0;
}

int
migrate_up(struct db *db, struct arena *a,
    void (*told)(void *arg, const char *name), void *arg, struct err *e)
{
	struct err ignored;
	int rc;

	if (db_script(db, a, prelude, NULL, e) == -1)
		return -1;
	rc = up(db, a, told, arg, e);
	if (db_script(db, a, postlude, NULL, rc == -1 ? &ignored : e) == -1)
		return -1;
	return rc;
}

int
migrate_check(struct db *db, struct arena *a, struct err *e)
{
	struct db_rows **rows;
	struct db_batch *b =
	    db_batch_new(a, (struct tenant_id){ 0 }, DB_PLAIN);
	struct err db_e;

	db_add(b, Q_SCHEMA_VERSION);
	if (db_run(db, a, b, &rows, &db_e) == -1) {
		*e = db_e;
		if (db_e.kind == ERR_INTERNAL)
			err_set(e, ERR_TEMPORARY, "the database has no "
			    "schema of Belfry: run \"belfryctl init\"");
		return -1;
	}
	if (db_int(rows[0], 0, 0) < migrate_latest())
		return err_set(e, ERR_TEMPORARY,
		    "the schema has version %d and this program needs %d: "
		    "run \"belfryctl migrate\"",
		    (int)db_int(rows[0], 0, 0), migrate_latest());
	return 0;
}
