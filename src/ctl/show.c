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
#include "ctl/show.h"
#include "db/db.h"
#include "model/tenant.h"
#include "notify/timeline.h"

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

int
show_id(struct ctl *c, struct uuid *id_r, struct err *e)
{
	const char *text = ctl_argument(c, 0);

	if (uuid_parse(text, id_r) == -1)
		return err_set(e, ERR_INVALID,
		    "\"%.60s\" is not the id of a notification", text);
	return 0;
}

int
show_missing(struct ctl *c, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
	    "there is no notification %s of tenant \"%s\"", ctl_argument(c, 0),
	    c->tenant->slug);
}

/* The rows of the queries, of which the first has one. */
static int
read_rows(struct ctl *c, struct db_rows ***rows_r, struct err *e)
{
	static const enum query queries[] = { Q_NOTIFICATION_GET,
		Q_NOTIFICATION_DELIVERIES, Q_NOTIFICATION_TIMELINE };
	struct db_batch *b = db_batch_new(c->a, c->tenant->id, DB_ONE);
	struct uuid id;
	size_t i;

	if (show_id(c, &id, e) == -1)
		return -1;
	for (i = 0; i < NELEMS(queries); i++) {
		db_add(b, queries[i]);
		db_arg_int(b, c->tenant->id.n);
		db_arg_uuid(b, &id);
	}
	if (db_run(c->db, c->a, b, rows_r, e) == -1)
		return -1;
	return db_count((*rows_r)[0]) > 0 ? 0 : show_missing(c, e);
}

int
command_show(struct ctl *c, struct err *e)
{
	struct db_rows **rows;
	json_t *head, *deliveries, *timeline;

	if (read_rows(c, &rows, e) == -1)
		return -1;
	head = notification_json(rows[0]);
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
