/*
 * spooler.c - belfryctl spooler status, drain, undrain, hold, release
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What operators wish stands in the database, and each heartbeat brings it to its spooler.
 */
#include "ctl/spooler.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "db/db.h"

static const struct out_column columns[] = {
	{ "host", "HOST" },
	{ "slot", "SLOT" },
	{ "pid", "PID" },
	{ "version", "VERSION" },
	{ "since", "SINCE" },
	{ "heard_s", "HEARD (s)" },
	{ "state", "STATE" },
	{ "in_flight", "IN FLIGHT" },
	{ "claims", "CLAIMS" },
	{ "id", "ID" },
	{ NULL, NULL },
};

/* enum spooler_state of src/spooler/spooler.h */
static const char *const states[] = { "unknown", "running", "draining",
	"drained", "holding", "stopping", "left" };

enum { LEFT = 6 };

static json_t *
row_json(const struct ctl *c, const struct db_rows *r, int i)
{
	struct uuid id = db_uuid(r, i, 0);
	int64_t age_ms = db_int(r, i, 6), state = db_int(r, i, 7);
	bool silent = age_ms >= c->config->spooler_dead_after;
	char text[UUID_TEXT_BYTES];

	uuid_format(&id, text);
	if (state < 0 || state >= (int64_t)NELEMS(states))
		state = 0;
	return json_pack(
	    "{s:s, s:s, s:I, s:I, s:s, s:o, s:f, s:s, s:b, s:I, s:I}", "id",
	    text, "host", db_text(r, i, 1), "slot", (json_int_t)db_int(r, i, 2),
	    "pid", (json_int_t)db_int(r, i, 3), "version", db_text(r, i, 4),
	    "since", out_time(db_time_ms(r, i, 5)), "heard_s",
	    (double)(age_ms / 100) / 10, "state",
	    silent && state != LEFT ? "silent" : states[state], "drain", db_bool(r, i, 8),
	    "in_flight", (json_int_t)db_int(r, i, 9), "claims",
	    (json_int_t)db_int(r, i, 10));
}

int
spooler_rows(struct ctl *c, const char *which, json_t **rows_r, struct err *e)
{
	struct db_batch *b =
	    db_batch_new(c->a, (struct tenant_id){ 0 }, DB_PLAIN);
	struct db_rows **rows;
	int i;

	db_add(b, Q_SPOOLER_LIST);
	db_arg_text(b, which);
	if (db_run(c->db, c->a, b, &rows, e) == -1)
		return -1;
	*rows_r = json_array();
	for (i = 0; i < db_count(rows[0]); i++)
		json_array_append_new(*rows_r, row_json(c, rows[0], i));
	return 0;
}

int
command_spooler_status(struct ctl *c, struct err *e)
{
	json_t *rows;

	if (spooler_rows(c, ctl_argument(c, 0), &rows, e) == -1)
		return -1;
	out_table(c, rows, columns, "no spooler is running");
	return 0;
}

/* ---- Draining ----------------------------------------------------------------- */

static int
set_drain(struct ctl *c, bool drain, struct err *e)
{
	const char *which = ctl_argument(c, 0);
	struct editor ed = ctl_editor(c);
	struct db_batch *b = db_batch_new(c->a, ed.tenant, DB_BEGIN);
	struct db_rows **rows;
	int count;

	if ((which == NULL) != ctl_has(c, "all"))
		return err_set(e, ERR_INVALID,
		    "name a host or the id of a spooler, or say --all");
	db_add(b, Q_SPOOLER_DRAIN);
	db_arg_text(b, which);
	db_arg_bool(b, drain);
	if (db_run(c->db, c->a, b, &rows, e) == -1)
		return -1;
	count = db_count(rows[0]);
	if (count == 0) {
		if (which == NULL)
			err_set(e, ERR_NOT_FOUND, "no spooler is running");
		else
			err_set(e, ERR_NOT_FOUND,
			    "there is no spooler \"%.80s\": \"belfryctl "
			    "spooler status\" lists them", which);
		return edit_abort(&ed);
	}
	b = db_batch_new(c->a, ed.tenant, DB_COMMIT);
	edit_record(&ed, b, drain ? "spooler.drain" : "spooler.undrain",
	    which != NULL ? which : "all", json_pack("{s:i}", "spoolers", count));
	if (db_run(c->db, c->a, b, &rows, e) == -1)
		return -1;
	out_said(c, json_pack("{s:i, s:b}", "spoolers", count, "drain", drain),
	    "%d %s %s: \"belfryctl spooler status\" shows how far it is", count,
	    count == 1 ? "spooler" : "spoolers",
	    drain ? "will take nothing new" : "will work again");
	return 0;
}

int
command_spooler_drain(struct ctl *c, struct err *e)
{
	return set_drain(c, true, e);
}

int
command_spooler_undrain(struct ctl *c, struct err *e)
{
	return set_drain(c, false, e);
}

/* ---- Holding -------------------------------------------------------------------- */

static const char *
who(struct ctl *c)
{
	const char *name = getenv("SUDO_USER");

	if (name == NULL)
		name = getenv("USER");
	return name != NULL ? arena_printf(c->a, "belfryctl %s", name)
	                    : "belfryctl";
}

static int
set_hold(struct ctl *c, bool hold, const char *reason, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct db_batch *b = db_batch_new(c->a, ed.tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_INSTALLATION_HOLD);
	db_arg_bool(b, hold);
	db_arg_text(b, reason);
	db_arg_text(b, who(c));
	edit_record(&ed, b, hold ? "spooler.hold" : "spooler.release",
	    "installation", json_pack("{s:s*}", "reason", reason));
	if (db_run(c->db, c->a, b, &rows, e) == -1)
		return -1;
	out_said(c,
	    json_pack("{s:b, s:o, s:o, s:o}", "hold", db_bool(rows[0], 0, 0),
	        "reason", out_text(db_text(rows[0], 0, 1)), "by",
	        out_text(db_text(rows[0], 0, 2)), "since",
	        out_time(db_time_ms(rows[0], 0, 3))),
	    hold ? "on hold: spoolers send nothing from their next heartbeat on"
	         : "released: spoolers send from their next heartbeat on");
	return 0;
}

int
command_spooler_hold(struct ctl *c, struct err *e)
{
	return set_hold(c, true, ctl_value(c, "reason"), e);
}

int
command_spooler_release(struct ctl *c, struct err *e)
{
	return set_hold(c, false, NULL, e);
}
