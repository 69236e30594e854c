/*
 * show.c - belfryctl show
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "db/db.h"
#include "model/channel.h"
#include "model/tenant.h"
#include "notify/state.h"
#include "provider/verdict.h"

static const struct out_column head_columns[] = {
	{ "id", "notification" },
	{ "state", NULL },
	{ "template", NULL },
	{ "recipients", NULL },
	{ "created_at", "accepted" },
	{ "done_at", "done" },
	{ NULL, NULL },
};

static const struct out_column delivery_columns[] = {
	{ "channel", "CHANNEL" },
	{ "address", "ADDRESS" },
	{ "state", "STATE" },
	{ "attempts", "ATTEMPTS" },
	{ "provider", "PROVIDER" },
	{ "reason", "REASON" },
	{ NULL, NULL },
};

static const struct out_column timeline_columns[] = {
	{ "at", "AT" },
	{ "type", "EVENT" },
	{ "channel", "CHANNEL" },
	{ "provider", "PROVIDER" },
	{ "attempt", "ATTEMPT" },
	{ "class", "CLASS" },
	{ "code", "CODE" },
	{ "text", "TEXT" },
	{ NULL, NULL },
};

static json_t *
number_or_null(const struct db_rows *r, int row, int column)
{
	if (db_is_null(r, row, column))
		return json_null();
	return json_integer(db_int(r, row, column));
}

static json_t *
class_or_null(const struct db_rows *r, int row, int column)
{
	if (db_is_null(r, row, column))
		return json_null();
	return json_string(
	    verdict_name((enum verdict_class)db_int(r, row, column)));
}

static json_t *
channel_or_null(const struct db_rows *r, int row, int column)
{
	if (db_is_null(r, row, column))
		return json_null();
	return json_string(channel_name((int)db_int(r, row, column)));
}

static json_t *
head_json(const struct db_rows *r)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:o, s:o}", "id",
	    db_text(r, 0, 0), "state",
	    notification_state_name((int)db_int(r, 0, 1)), "priority",
	    priority_name(priority_from_row(db_int(r, 0, 2))), "template",
	    out_text(db_text(r, 0, 6)), "template_version",
	    number_or_null(r, 0, 7), "recipients", (int)db_int(r, 0, 17),
	    "created_at", out_time(db_time_ms(r, 0, 12)), "done_at",
	    out_time(db_time_ms(r, 0, 14)));
}

static json_t *
deliveries_json(const struct db_rows *r)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < db_count(r); i++)
		json_array_append_new(list,
		    json_pack(
			"{s:s, s:o, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o}",
			"id", db_text(r, i, 0), "channel",
			channel_or_null(r, i, 3), "user_id",
			out_text(db_text(r, i, 6)), "address",
			out_text(db_text(r, i, 7)), "state",
			delivery_state_name((int)db_int(r, i, 4)), "attempts",
			(int)db_int(r, i, 5), "provider",
			out_text(db_text(r, i, 8)), "class",
			class_or_null(r, i, 10), "reason",
			out_text(db_text(r, i, 11)), "due",
			out_time(db_time_ms(r, i, 12))));
	return list;
}

static json_t *
timeline_json(const struct db_rows *r)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < db_count(r); i++)
		json_array_append_new(list,
		    json_pack(
			"{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			"s:o}",
			"at", out_time(db_time_ms(r, i, 0)), "type",
			db_text(r, i, 2), "delivery",
			out_text(db_text(r, i, 3)), "channel",
			channel_or_null(r, i, 4), "provider",
			out_text(db_text(r, i, 5)), "attempt",
			number_or_null(r, i, 6), "class",
			class_or_null(r, i, 7), "code",
			out_text(db_text(r, i, 8)), "text",
			out_text(db_text(r, i, 9)), "by",
			out_text(db_text(r, i, 10)), "next_attempt_at",
			out_time(db_time_ms(r, i, 11))));
	return list;
}

static int
read_all(struct ctl *c, struct db_rows ***rows_r, struct err *e)
{
	static const enum query queries[] = { Q_NOTIFICATION_GET,
		Q_NOTIFICATION_DELIVERIES, Q_NOTIFICATION_TIMELINE };
	struct db_batch *b = db_batch_new(c->a, c->tenant->id, DB_ONE);
	const char *text = ctl_argument(c, 0);
	struct uuid id;
	size_t i;

	if (uuid_parse(text, &id) == -1)
		return err_set(e, ERR_INVALID,
		    "\"%.60s\" is not the id of a notification", text);
	for (i = 0; i < NELEMS(queries); i++) {
		db_add(b, queries[i]);
		db_arg_int(b, c->tenant->id.n);
		db_arg_uuid(b, &id);
	}
	if (db_run(c->db, c->a, b, rows_r, e) == -1)
		return -1;
	if (db_count((*rows_r)[0]) == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no notification %s of tenant \"%s\"", text,
		    c->tenant->slug);
	return 0;
}

int
command_show(struct ctl *c, struct err *e)
{
	struct db_rows **rows;
	json_t *head, *deliveries, *timeline;

	if (read_all(c, &rows, e) == -1)
		return -1;
	head = head_json(rows[0]);
	deliveries = deliveries_json(rows[1]);
	timeline = timeline_json(rows[2]);
	if (c->json) {
		json_object_set_new(head, "deliveries", deliveries);
		json_object_set_new(head, "timeline", timeline);
		out_object(c, head, head_columns);
		return 0;
	}
	out_object(c, head, head_columns);
	out_said(c, NULL, "%s", "");
	out_table(c, deliveries, delivery_columns, "there is no delivery yet");
	out_said(c, NULL, "%s", "");
	out_table(c, timeline, timeline_columns, "");
	return 0;
}
