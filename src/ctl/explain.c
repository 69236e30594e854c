/*
 * explain.c - belfryctl explain
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
#include "model/tenant.h"
#include "notify/explain.h"

static const struct out_column head_columns[] = {
	{ "id", "notification" },
	{ "state", NULL },
	{ NULL, NULL },
};

static const struct out_column delivery_columns[] = {
	{ "id", "delivery" },
	{ "channel", NULL },
	{ "state", NULL },
	{ "reason", NULL },
	{ "due", NULL },
	{ "provider", NULL },
	{ "attempts", NULL },
	{ NULL, NULL },
};

static const struct out_column trace_columns[] = {
	{ "what", "DECISION" },
	{ "result", "RESULT" },
	{ "why", "WHY" },
	{ NULL, NULL },
};

static int
read_rows(struct ctl *c, struct db_rows ***rows_r, struct err *e)
{
	struct db_batch *b = db_batch_new(c->a, c->tenant->id, DB_ONE);
	const char *text = ctl_argument(c, 0);
	struct uuid id;

	if (uuid_parse(text, &id) == -1)
		return err_set(e, ERR_INVALID,
		    "\"%.60s\" is not the id of a notification", text);
	db_add(b, Q_NOTIFICATION_GET);
	db_arg_int(b, c->tenant->id.n);
	db_arg_uuid(b, &id);
	db_add(b, Q_NOTIFICATION_DELIVERIES);
	db_arg_int(b, c->tenant->id.n);
	db_arg_uuid(b, &id);
	if (db_run(c->db, c->a, b, rows_r, e) == -1)
		return -1;
	if (db_count((*rows_r)[0]) == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no notification %s of tenant \"%s\"", text,
		    c->tenant->slug);
	return 0;
}

int
command_explain(struct ctl *c, struct err *e)
{
	struct db_rows **rows;
	json_t *json, *list, *d;
	size_t i;

	if (read_rows(c, &rows, e) == -1)
		return -1;
	json = explain_json(rows[0], rows[1]);
	if (c->json) {
		out_object(c, json, head_columns);
		return 0;
	}
	list = json_incref(json_object_get(json, "deliveries"));
	out_object(c, json, head_columns);
	json_array_foreach(list, i, d)
	{
		out_said(c, NULL, "%s", "");
		out_object(c, json_incref(d), delivery_columns);
		if (json_is_array(json_object_get(d, "trace")))
			out_table(c, json_incref(json_object_get(d, "trace")),
			    trace_columns, "");
	}
	json_decref(list);
	return 0;
}
