/*
 * timeline.c - notifications, deliveries and what happened to them, as JSON
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/timeline.h"

#include "base/clock.h"
#include "db/db.h"
#include "model/channel.h"
#include "notify/state.h"
#include "provider/verdict.h"

static void
set_text(json_t *json, const char *name, const char *text)
{
	json_object_set_new(json, name,
	    text != NULL ? json_string(text) : json_null());
}

void
row_text(json_t *json, const char *name, const struct db_rows *r, int row,
    int column)
{
	set_text(json, name, db_text(r, row, column));
}

void
row_number(json_t *json, const char *name, const struct db_rows *r, int row,
    int column)
{
	json_object_set_new(json, name, db_is_null(r, row, column)
	        ? json_null()
	        : json_integer(db_int(r, row, column)));
}

void
row_time(json_t *json, const char *name, const struct db_rows *r, int row,
    int column)
{
	int64_t ms = db_time_ms(r, row, column);
	char text[CLOCK_TEXT_BYTES];

	if (ms != 0)
		clock_format(ms, text);
	set_text(json, name, ms != 0 ? text : NULL);
}

void
row_channel(json_t *json, const char *name, const struct db_rows *r, int row,
    int column)
{
	set_text(json, name, db_is_null(r, row, column)
	        ? NULL
	        : channel_name((int)db_int(r, row, column)));
}

void
row_class(json_t *json, const char *name, const struct db_rows *r, int row,
    int column)
{
	set_text(json, name, db_is_null(r, row, column)
	        ? NULL
	        : verdict_name((enum verdict_class)db_int(r, row, column)));
}

void
row_json(json_t *json, const char *name, const struct db_rows *r, int row,
    int column)
{
	const char *text = db_text(r, row, column);
	json_t *value = NULL;

	if (text != NULL)
		value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	json_object_set_new(json, name, value != NULL ? value : json_null());
}

json_t *
notification_json(const struct db_rows *n)
{
	json_t *json = json_object();

	row_text(json, "id", n, 0, 0);
	set_text(json, "state", notification_state_name((int)db_int(n, 0, 1)));
	set_text(json, "priority",
	    priority_name(priority_from_row(db_int(n, 0, 2))));
	row_text(json, "category", n, 0, 3);
	row_text(json, "locale", n, 0, 4);
	row_text(json, "template", n, 0, 6);
	row_number(json, "template_version", n, 0, 7);
	row_json(json, "fallback", n, 0, 18);
	row_json(json, "metadata", n, 0, 9);
	row_number(json, "recipients", n, 0, 17);
	row_time(json, "send_at", n, 0, 10);
	row_time(json, "expires_at", n, 0, 11);
	row_time(json, "created_at", n, 0, 12);
	row_time(json, "routed_at", n, 0, 13);
	row_time(json, "done_at", n, 0, 14);
	return json;
}

static json_t *
delivery_json(const struct db_rows *r, int i)
{
	json_t *d = json_object();

	row_text(d, "id", r, i, 0);
	row_number(d, "recipient", r, i, 1);
	row_text(d, "user_id", r, i, 6);
	row_channel(d, "channel", r, i, 3);
	row_number(d, "step", r, i, 2);
	row_text(d, "address", r, i, 7);
	set_text(d, "state", delivery_state_name((int)db_int(r, i, 4)));
	row_number(d, "attempts", r, i, 5);
	row_text(d, "provider", r, i, 8);
	row_text(d, "provider_ref", r, i, 9);
	row_class(d, "class", r, i, 10);
	row_text(d, "reason", r, i, 11);
	row_time(d, "due", r, i, 12);
	row_time(d, "created_at", r, i, 13);
	row_time(d, "finished_at", r, i, 14);
	row_json(d, "trace", r, i, 15);
	return d;
}

json_t *
deliveries_json(const struct db_rows *rows)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < db_count(rows); i++)
		json_array_append_new(list, delivery_json(rows, i));
	return list;
}

static json_t *
entry_json(const struct db_rows *r, int i)
{
	json_t *en = json_object();

	row_time(en, "at", r, i, 0);
	row_text(en, "type", r, i, 2);
	row_text(en, "delivery", r, i, 3);
	row_channel(en, "channel", r, i, 4);
	row_text(en, "provider", r, i, 5);
	row_number(en, "attempt", r, i, 6);
	row_class(en, "class", r, i, 7);
	row_text(en, "code", r, i, 8);
	row_text(en, "text", r, i, 9);
	row_text(en, "by", r, i, 10);
	row_time(en, "next_attempt_at", r, i, 11);
	return en;
}

json_t *
timeline_json(const struct db_rows *rows)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < db_count(rows); i++)
		json_array_append_new(list, entry_json(rows, i));
	return list;
}
