/*
 * explain.c - belfryctl explain
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "ctl/show.h"
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

int
command_explain(struct ctl *c, struct err *e)
{
	struct db_rows **rows;
	json_t *json, *list, *d;
	size_t i;

	if (show_read(c, &rows, e) == -1)
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
