/*
 * dead_letter.c - deliveries that were given up: listed, replayed, discarded
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/dead_letter.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "model/edit.h"
#include "notify/timeline.h"

enum { MASKED_BYTES = 128 };

static void
add_filter(struct db_batch *b, const struct dead_filter *f)
{
	if (f->channel == CHANNEL_NONE)
		db_arg_null(b);
	else
		db_arg_int(b, f->channel);
	db_arg_text(b, f->provider);
	if (f->class == VERDICT_NONE)
		db_arg_null(b);
	else
		db_arg_int(b, f->class);
	db_arg_text(b, f->template);
	db_arg_time_ms(b, f->since_ms);
	db_arg_time_ms(b, f->until_ms);
}

int
dead_filter_end(const struct editor *ed, struct dead_filter *filter,
    struct err *e)
{
	struct db_batch *b;
	struct db_rows **rows;

	if (filter->until_ms != 0)
		return 0;
	b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	db_add(b, Q_DEAD_NOW);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	filter->until_ms = db_time_ms(rows[0], 0, 0) + 1;
	return 0;
}

enum column {
	NOTIFICATION,
	ID,
	CHANNEL,
	USER_ID,
	ADDRESS,
	ATTEMPTS,
	CLASS,
	REASON,
	DIED,
	PROVIDER,
	TEMPLATE
};

static json_t *
letter_json(const struct db_rows *r, int i)
{
	char masked[MASKED_BYTES];
	const char *address = db_text(r, i, ADDRESS);
	json_t *json = json_object();

	if (address != NULL)
		log_mask_address(address, masked, sizeof(masked));
	row_text(json, "notification", r, i, NOTIFICATION);
	row_text(json, "delivery", r, i, ID);
	row_channel(json, "channel", r, i, CHANNEL);
	row_text(json, "user_id", r, i, USER_ID);
	json_object_set_new(json, "address",
	    address != NULL ? json_string(masked) : json_null());
	row_number(json, "attempts", r, i, ATTEMPTS);
	row_class(json, "class", r, i, CLASS);
	row_text(json, "reason", r, i, REASON);
	row_time(json, "died_at", r, i, DIED);
	row_text(json, "provider", r, i, PROVIDER);
	row_text(json, "template", r, i, TEMPLATE);
	return json;
}

/* "2026-12-01T08:00:00.123456+00 0192..." as the database wrote them: exact. */
static int
split_key(struct arena *a, const char *key, const char **at_r, struct uuid *id_r,
    struct err *e)
{
	const char *gap = strrchr(key, '/');

	if (gap == NULL || uuid_parse(gap + 1, id_r) == -1)
		return err_set(e, ERR_INVALID, "this is no place in the list");
	*at_r = arena_strndup(a, key, (size_t)(gap - key));
	return 0;
}

int
dead_list(const struct editor *ed, const struct dead_filter *filter,
    const char *after_key, int limit, struct dead_letter **list_r,
    size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct dead_letter *list;
	struct db_rows **rows;
	const char *at = NULL;
	struct uuid id;
	int i, n;

	if (after_key[0] != '\0' &&
	    split_key(ed->a, after_key, &at, &id, e) == -1)
		return -1;
	db_add(b, Q_DEAD_LIST);
	db_arg_int(b, ed->tenant.n);
	add_filter(b, filter);
	db_arg_text(b, at);
	db_arg_uuid(b, at != NULL ? &id : NULL);
	db_arg_int(b, limit);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	list = arena_zalloc(ed->a, (size_t)n, sizeof(*list));
	for (i = 0; i < n; i++) {
		list[i].json = letter_json(rows[0], i);
		list[i].key = arena_printf(ed->a, "%s/%s",
		    db_text(rows[0], i, DIED), db_text(rows[0], i, ID));
	}
	*list_r = list;
	*count_r = (size_t)n;
	return 0;
}

static int
pick(const struct editor *ed, const struct dead_filter *filter,
    const struct uuid *ids, size_t ids_count, struct db_rows **rows_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);
	struct db_array *v = db_array_new(ed->a);
	struct db_rows **rows;
	size_t i;

	for (i = 0; i < ids_count; i++)
		db_array_uuid(v, &ids[i]);
	db_add(b, Q_DEAD_PICK);
	db_arg_int(b, ed->tenant.n);
	add_filter(b, filter);
	if (ids == NULL)
		db_arg_null(b);
	else
		db_arg_array(b, v);
	db_arg_int(b, DEAD_SLICE);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	*rows_r = rows[0];
	return 0;
}

int
dead_act(const struct editor *ed, enum dead_act act,
    const struct dead_filter *filter, const struct uuid *ids, size_t ids_count,
    int *count_r, bool *more_r, struct err *e)
{
	struct db_array *picked = db_array_new(ed->a);
	struct db_array *events = db_array_new(ed->a);
	struct db_rows *r, **rows;
	struct uuid id;
	struct db_batch *b;
	int i;

	if (pick(ed, filter, ids, ids_count, &r, e) == -1)
		return -1;
	for (i = 0; i < db_count(r); i++) {
		id = db_uuid(r, i, 0);
		db_array_uuid(picked, &id);
		id = uuid_make();
		db_array_uuid(events, &id);
	}
	b = edit_commit(ed,
	    act == DEAD_REPLAY ? "dead_letter.replay" : "dead_letter.discard",
	    "dead letters", json_pack("{s:i}", "count", db_count(r)));
	db_add(b, act == DEAD_REPLAY ? Q_DEAD_REPLAY : Q_DEAD_DISCARD);
	db_arg_int(b, ed->tenant.n);
	db_arg_array(b, picked);
	db_arg_array(b, events);
	db_arg_text(b, ed->principal);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	*count_r = db_count(rows[1]);
	*more_r = db_count(r) == DEAD_SLICE;
	metrics_add(METRIC_DEAD_LETTERS_TOTAL, act, *count_r);
	return 0;
}
