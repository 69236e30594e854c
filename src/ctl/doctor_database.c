/*
 * doctor_database.c - what belfryctl doctor asks the database
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/doctor.h"
#include "db/db.h"
#include "db/durability.h"
#include "db/migrate.h"

static const char init_mend[] = "Run \"belfryctl init\" again.";

enum {
	CLOCK_WARN_MS = 500,
	CLOCK_FAIL_MS = 5000,
	PARTITION_WARN_DAYS = 14,
	PARTITION_FAIL_DAYS = 2
};

/* ---- Connections
 * -------------------------------------------------------------- */

static struct db *
try_connect(struct doctor *d, const struct db_params *p, const char *who,
    const char *mend)
{
	struct db *db = db_new(d->c->a, p);
	struct err e;

	if (db_connect(db, &e) == -1) {
		doctor_fail(d, mend, "could not connect as %s: %.*s", who,
		    (int)strcspn(e.detail, "\n"), e.detail);
		return NULL;
	}
	return db;
}

static struct db *
try_program(struct doctor *d, const char *user)
{
	struct db_params p = db_params_from(d->c->config, user, "belfryctl");

	p.prepare = false;
	return try_connect(d, &p, user,
	    "Look at database.conninfo and at pg_hba.conf.");
}

void
doctor_database(struct doctor *d)
{
	const struct config *config = d->c->config;
	struct db_params p = ctl_db_params(d->c, true);

	d->owner = try_connect(d, &p, "belfry_owner",
	    "Start PostgreSQL and look at database.admin_conninfo; on a new "
	    "server run \"belfryctl init\".");
	d->api = try_program(d, config->database_api_user);
	d->spooler = try_program(d, config->database_spooler_user);
	if (d->owner != NULL && d->api != NULL && d->spooler != NULL)
		doctor_ok(d, "belfry_owner, %s and %s can connect",
		    config->database_api_user, config->database_spooler_user);
}

/* Runs one query with at most one argument, which is a text or a number. */
static const struct db_rows *
ask(struct doctor *d, struct db *db, enum query query, const int64_t *number)
{
	struct db_batch *b =
	    db_batch_new(d->c->a, (struct tenant_id){ 0 }, DB_PLAIN);
	struct db_rows **rows;
	struct err e;

	db_add(b, query);
	if (number != NULL)
		db_arg_int(b, *number);
	if (db_run(db, d->c->a, b, &rows, &e) == 0)
		return rows[0];
	doctor_fail(d, init_mend, "%s: %s", e.text, e.detail);
	return NULL;
}

/* ---- Roles and schema
 * ------------------------------------------------------------ */

static void
judge_role(struct doctor *d, const struct db_rows *r, int i)
{
	const char *name = db_text(r, i, 0);
	const char *mend = arena_printf(d->c->a,
	    "As a superuser: alter role %s nosuperuser nobypassrls "
	    "nocreaterole nocreatedb",
	    name);
	bool owner = strcmp(name, "belfry_owner") == 0;

	if (db_bool(r, i, 1) || db_bool(r, i, 2))
		doctor_fail(d, mend, "%s could see every tenant's rows", name);
	else if (db_bool(r, i, 3))
		doctor_warn(d, mend, "%s may make roles or databases", name);
	else if (owner == db_bool(r, i, 4))
		doctor_warn(d,
		    arena_printf(d->c->a, "As a superuser: alter role %s %s",
		        name, owner ? "nologin" : "login"),
		    "%s %s log in", name, owner ? "may" : "may not");
}

void
doctor_roles(struct doctor *d)
{
	const struct config *config = d->c->config;
	const char *const names[] = { "belfry_owner", config->database_api_user,
		config->database_spooler_user };
	struct db_array *array = db_array_new(d->c->a);
	struct db_batch *b;
	struct db_rows **rows;
	size_t i, before = json_array_size(d->rows);
	struct err e;

	if (d->owner == NULL)
		return;
	for (i = 0; i < NELEMS(names); i++)
		db_array_text(array, names[i]);
	b = db_batch_new(d->c->a, (struct tenant_id){ 0 }, DB_PLAIN);
	db_add(b, Q_DOCTOR_ROLES);
	db_arg_array(b, array);
	if (db_run(d->owner, d->c->a, b, &rows, &e) == -1) {
		doctor_fail(d, init_mend, "%s", e.text);
		return;
	}
	for (i = 0; i < (size_t)db_count(rows[0]); i++)
		judge_role(d, rows[0], (int)i);
	if (before == json_array_size(d->rows))
		doctor_ok(
		    d, "no role of Belfry can pass the wall between tenants");
}

void
doctor_schema(struct doctor *d)
{
	struct err e;

	if (d->owner == NULL)
		return;
	if (migrate_check(d->owner, d->c->a, &e) == 0)
		doctor_ok(
		    d, "version %d, as this program needs", migrate_latest());
	else
		doctor_fail(d, "Run \"belfryctl migrate\".", "%s", e.text);
}

/* ---- Settings
 * ---------------------------------------------------------------------- */

static void
judge_session(struct doctor *d, struct db *db, bool spooler)
{
	const struct db_rows *r = ask(d, db, Q_DOCTOR_SESSION, NULL);
	bool right;

	if (r == NULL)
		return;
	right = strcmp(db_text(r, 0, 1), "force_generic_plan") == 0 &&
	    strcmp(db_text(r, 0, 2), "off") == 0 &&
	    strstr(db_text(r, 0, 4), "belfry") != NULL &&
	    (!spooler || strcmp(db_text(r, 0, 3), "off") == 0);
	if (right)
		doctor_ok(d, "%s has its settings", db_text(r, 0, 0));
	else
		doctor_warn(d, init_mend,
		    "%s lacks settings that keep its plans steady",
		    db_text(r, 0, 0));
}

void
doctor_sessions(struct doctor *d)
{
	if (d->api != NULL)
		judge_session(d, d->api, false);
	if (d->spooler != NULL)
		judge_session(d, d->spooler, true);
}

/* As a role sees it: it may have settings of its own. */
static bool
judge_durability(struct doctor *d, struct db *db, const char *role)
{
	const char *fault = NULL;
	struct err e;

	if (durability_look(db, d->c->a, &fault, &e) == -1)
		doctor_fail(d, NULL, "%s: %s", role, e.text);
	else if (fault != NULL)
		doctor_fail(d,
		    "Set it to on in postgresql.conf, or accepted "
		    "notifications may be lost when the host fails.",
		    "%s: %s", role, fault);
	else
		return true;
	return false;
}

/* What the programs cannot show, as the owner sees it.  Only what was looked at is said to
 * be kept. */
void
doctor_durability(struct doctor *d)
{
	const struct config *config = d->c->config;
	const struct { struct db *db; const char *role; } sessions[] = {
		{ d->api, config->database_api_user },
		{ d->spooler, config->database_spooler_user },
		{ d->api == NULL && d->spooler == NULL ? d->owner : NULL,
		    "belfry_owner" },
	};
	const char *kept = NULL;
	const struct db_rows *r = NULL;
	bool right = true;
	size_t i;

	for (i = 0; i < NELEMS(sessions); i++) {
		if (sessions[i].db == NULL)
			continue;
		right &= judge_durability(
		    d, sessions[i].db, sessions[i].role);
		kept = kept == NULL ? sessions[i].role
		                    : arena_printf(d->c->a, "%s and %s", kept,
		                          sessions[i].role);
		if (right && r == NULL)
			r = ask(d, sessions[i].db, Q_DOCTOR_SERVER, NULL);
	}
	if (right && r != NULL)
		doctor_ok(d, "PostgreSQL %s keeps what is committed by %s",
		    db_text(r, 0, 0), kept);
}

void
doctor_clock(struct doctor *d)
{
	static const char mend[] = "Let the hosts follow the same time (NTP).";
	int64_t before = clock_wall_ms(), difference;
	const struct db_rows *r;

	r = d->owner != NULL ? ask(d, d->owner, Q_DOCTOR_SERVER, NULL) : NULL;
	if (r == NULL)
		return;
	difference = llabs(db_int(r, 0, 1) - (before + clock_wall_ms()) / 2);
	if (difference > CLOCK_FAIL_MS)
		doctor_fail(d, mend, "the database's clock differs by %" PRId64
		    " ms", difference);
	else if (difference > CLOCK_WARN_MS)
		doctor_warn(d, mend, "the database's clock differs by %" PRId64
		    " ms", difference);
	else
		doctor_ok(d, "the database's clock agrees with ours");
}

/* ---- What the spooler keeps up
 * ----------------------------------------------------- */

void
doctor_partitions(struct doctor *d)
{
	static const char mend[] = "Start belfry-spooler: it makes them.";
	const struct db_rows *r;
	int64_t days;

	r = d->owner != NULL ? ask(d, d->owner, Q_DOCTOR_PARTITIONS, NULL)
			     : NULL;
	if (r == NULL)
		return;
	days = db_int(r, 0, 0);
	if (days < PARTITION_FAIL_DAYS)
		doctor_fail(d, mend, "there are partitions for %" PRId64
		    " days more", days);
	else if (days < PARTITION_WARN_DAYS)
		doctor_warn(d, mend, "there are partitions for %" PRId64
		    " days more", days);
	else
		doctor_ok(d,
		    "there are partitions for the next %" PRId64 " days", days);
}

void
doctor_spoolers(struct doctor *d)
{
	int64_t dead_after_ms = d->c->config->spooler_dead_after;
	const struct db_rows *r;

	r = d->owner != NULL
	    ? ask(d, d->owner, Q_DOCTOR_SPOOLERS, &dead_after_ms)
	    : NULL;
	if (r == NULL)
		return;
	if (db_int(r, 0, 0) > 0)
		doctor_ok(d, "%" PRId64 " alive", db_int(r, 0, 0));
	else if (db_is_null(r, 0, 1))
		doctor_warn(d, "Start belfry-spooler: nothing is delivered.",
		    "no spooler is running");
	else
		doctor_warn(d, "Start belfry-spooler: nothing is delivered.",
		    "no spooler is running; the last sign of life is %" PRId64
		    " s old", db_int(r, 0, 1) / 1000);
}

void
doctor_hold(struct doctor *d)
{
	struct db_batch *b;
	struct db_rows **rows;
	struct err e;

	if (d->owner == NULL)
		return;
	b = db_batch_new(d->c->a, (struct tenant_id){ 0 }, DB_PLAIN);
	db_add(b, Q_INSTALLATION_HOLD);
	db_arg_null(b);
	db_arg_null(b);
	db_arg_null(b);
	if (db_run(d->owner, d->c->a, b, &rows, &e) == -1)
		doctor_fail(d, init_mend, "%s", e.text);
	else if (db_bool(rows[0], 0, 0))
		doctor_fail(d,
		    "When it may send: \"belfryctl spooler release\".",
		    "on hold, nothing is sent: %s", db_text(rows[0], 0, 1));
	else
		doctor_ok(d, "the installation is not on hold");
}
