/*
 * queue.c - belfryctl queue
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "db/db.h"
#include "model/channel.h"

static const struct out_column both_columns[] = {
	{ "tenant", "TENANT" },
	{ "lane", "LANE" },
	{ "ready", "READY" },
	{ "leased", "LEASED" },
	{ "later", "LATER" },
	{ "oldest_s", "AGE (s)" },
	{ "in_flight", "IN FLIGHT" },
	{ "per_minute", "PER MIN" },
	{ "exact", "EXACT" },
	{ NULL, NULL },
};

static const struct out_column provider_columns[] = {
	{ "tenant", "TENANT" },
	{ "provider", "PROVIDER" },
	{ "lane", "LANE" },
	{ "in_flight", "IN FLIGHT" },
	{ "per_minute", "PER MIN" },
	{ NULL, NULL },
};

static const char *const by_names[] = { "both", "lane", "tenant", "provider",
	NULL };

/* ---- Looking ------------------------------------------------------------------ */

static json_t *
depth_json(const struct db_rows *r, int i)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:b, s:I, s:I}",
	    "tenant", db_text(r, i, 0), "lane",
	    channel_name((int)db_int(r, i, 1)), "ready",
	    (json_int_t)db_int(r, i, 2), "leased", (json_int_t)db_int(r, i, 3),
	    "later", (json_int_t)db_int(r, i, 4), "oldest_s",
	    db_is_null(r, i, 5) ? json_null()
	                        : json_integer(db_int(r, i, 5) / 1000),
	    "exact", db_bool(r, i, 6), "in_flight",
	    (json_int_t)db_int(r, i, 7), "per_minute",
	    (json_int_t)db_int(r, i, 8));
}

static json_t *
provider_json(const struct db_rows *r, int i)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "tenant",
	    db_text(r, i, 0), "provider", db_text(r, i, 1), "lane",
	    channel_name((int)db_int(r, i, 2)), "in_flight",
	    (json_int_t)db_int(r, i, 3), "per_minute",
	    (json_int_t)db_int(r, i, 4));
}

static json_t *
hold_json(const struct db_rows *r)
{
	if (db_count(r) == 0 || !db_bool(r, 0, 0))
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "reason", out_text(db_text(r, 0, 1)),
	    "by", out_text(db_text(r, 0, 2)), "since",
	    out_time(db_time_ms(r, 0, 3)));
}

int
queue_look(struct ctl *c, struct queue_look *look_r, struct err *e)
{
	struct db_batch *b = db_batch_new(c->a, (struct tenant_id){ 0 }, DB_ONE);
	struct db_rows **rows;
	int i;

	db_add(b, Q_QUEUE_DEPTH);
	db_arg_text(b, ctl_value(c, "tenant"));
	db_add(b, Q_QUEUE_PROVIDERS);
	db_arg_text(b, ctl_value(c, "tenant"));
	db_add(b, Q_INSTALLATION_HOLD);
	db_arg_null(b);
	db_arg_null(b);
	db_arg_null(b);
	if (db_run(c->db, c->a, b, &rows, e) == -1)
		return -1;
	look_r->rows = json_array();
	for (i = 0; i < db_count(rows[0]); i++)
		json_array_append_new(look_r->rows, depth_json(rows[0], i));
	look_r->providers = json_array();
	for (i = 0; i < db_count(rows[1]); i++)
		json_array_append_new(look_r->providers,
		    provider_json(rows[1], i));
	look_r->hold = hold_json(rows[2]);
	return 0;
}

void
queue_look_done(struct queue_look *look)
{
	json_decref(look->rows);
	json_decref(look->providers);
	json_decref(look->hold);
}

/* ---- Putting together ------------------------------------------------------------- */

static json_int_t
number(const json_t *row, const char *member)
{
	return json_integer_value(json_object_get(row, member));
}

static void
merge(json_t *sum, json_t *row)
{
	static const char *const added[] = { "ready", "leased", "later",
		"in_flight", "per_minute" };
	json_t *oldest = json_object_get(row, "oldest_s");
	size_t i;

	for (i = 0; i < NELEMS(added); i++)
		json_object_set_new(sum, added[i],
		    json_integer(number(sum, added[i]) + number(row, added[i])));
	if (json_is_integer(oldest) &&
	    number(row, "oldest_s") >= number(sum, "oldest_s"))
		json_object_set(sum, "oldest_s", oldest);
	if (json_is_false(json_object_get(row, "exact")))
		json_object_set_new(sum, "exact", json_false());
}

static json_t *
fold_by(json_t *rows, const char *member)
{
	json_t *list = json_array(), *found = json_object(), *row, *sum;
	const char *name;
	size_t i;

	json_array_foreach(rows, i, row) {
		name = json_string_value(json_object_get(row, member));
		sum = json_object_get(found, name);
		if (sum != NULL) {
			merge(sum, row);
			continue;
		}
		sum = json_deep_copy(row);
		json_object_del(sum,
		    strcmp(member, "lane") == 0 ? "tenant" : "lane");
		json_object_set(found, name, sum);
		json_array_append_new(list, sum);
	}
	json_decref(found);
	return list;
}

static json_int_t
weight(const json_t *row)
{
	return number(row, "ready") + number(row, "later") +
	    number(row, "leased") + number(row, "in_flight");
}

static int
by_depth(const void *a, const void *b)
{
	json_int_t x = weight(*(json_t *const *)a),
		   y = weight(*(json_t *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static json_t *
sorted(struct arena *a, json_t *rows)
{
	size_t n = json_array_size(rows), i;
	json_t **list = arena_zalloc(a, n + 1, sizeof(*list));
	json_t *out = json_array();

	for (i = 0; i < n; i++)
		list[i] = json_array_get(rows, i);
	qsort(list, n, sizeof(*list), by_depth);
	for (i = 0; i < n; i++)
		json_array_append(out, list[i]);
	json_decref(rows);
	return out;
}

json_t *
queue_fold(struct arena *a, const struct queue_look *look, enum queue_by by)
{
	switch (by) {
	case QUEUE_BY_LANE:
		return sorted(a, fold_by(look->rows, "lane"));
	case QUEUE_BY_TENANT:
		return sorted(a, fold_by(look->rows, "tenant"));
	case QUEUE_BY_PROVIDER:
		return sorted(a, json_incref(look->providers));
	case QUEUE_BY_BOTH:
		break;
	}
	return json_incref(look->rows);
}

/* ---- Printing ---------------------------------------------------------------------- */

/* Is the column worth its place?  Whether numbers are exact is, once some are not. */
static bool
is_shown(const char *member, const json_t *rows, enum queue_by by)
{
	size_t i;

	if (member == NULL)
		return true;
	if (strcmp(member, "exact") == 0) {
		for (i = 0; i < json_array_size(rows); i++)
			if (json_is_false(json_object_get(
			        json_array_get(rows, i), "exact")))
				return true;
		return false;
	}
	return strcmp(member, by == QUEUE_BY_LANE ? "tenant"
	        : by == QUEUE_BY_TENANT ? "lane" : "") != 0;
}

void
queue_print(const struct ctl *c, json_t *rows, enum queue_by by)
{
	struct out_column columns[NELEMS(both_columns)];
	size_t i, n = 0;

	if (by == QUEUE_BY_PROVIDER) {
		out_table(c, rows, provider_columns, "no account is in use");
		return;
	}
	for (i = 0; i < NELEMS(both_columns); i++)
		if (is_shown(both_columns[i].member, rows, by))
			columns[n++] = both_columns[i];
	out_table(c, rows, columns, "the queue is empty");
}

void
queue_print_hold(const struct ctl *c, const json_t *hold)
{
	if (!c->json && json_is_object(hold))
		out_said(c, NULL, "on hold since %s: %s",
		    json_string_value(json_object_get(hold, "since")),
		    json_string_value(json_object_get(hold, "reason")));
}

int
command_queue(struct ctl *c, struct err *e)
{
	const char *name = ctl_value(c, "by");
	struct queue_look look;
	int by = QUEUE_BY_BOTH;

	while (name != NULL && by_names[by] != NULL &&
	    strcmp(by_names[by], name) != 0)
		by++;
	if (by_names[by] == NULL)
		return err_set(e, ERR_INVALID,
		    "--by takes lane, tenant or provider, not \"%.60s\"", name);
	if (queue_look(c, &look, e) == -1)
		return -1;
	queue_print_hold(c, look.hold);
	queue_print(c, queue_fold(c->a, &look, (enum queue_by)by), (enum queue_by)by);
	queue_look_done(&look);
	return 0;
}
