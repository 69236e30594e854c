/*
 * explain.c - belfryctl explain
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "base/config.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "ctl/show.h"
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

static const struct out_column wait_columns[] = {
	{ "what", "WAITS FOR" },
	{ "name", "NAME" },
	{ "why", "WHY" },
	{ "until", "UNTIL" },
	{ NULL, NULL },
};

static void
print_list(struct ctl *c, json_t *of, const char *name,
    const struct out_column *columns)
{
	json_t *list = json_object_get(of, name);

	if (json_array_size(list) > 0)
		out_table(c, json_incref(list), columns, "");
}

static void
print(struct ctl *c, json_t *json)
{
	json_t *d;
	size_t i;

	out_object(c, json_incref(json), head_columns);
	print_list(c, json, "waits", wait_columns);
	json_array_foreach(json_object_get(json, "deliveries"), i, d)
	{
		out_said(c, NULL, "%s", "");
		out_object(c, json_incref(d), delivery_columns);
		print_list(c, d, "trace", trace_columns);
		print_list(c, d, "waits", wait_columns);
	}
	json_decref(json);
}

int
command_explain(struct ctl *c, struct err *e)
{
	struct explain_question q = {
		.tenant = c->tenant->id,
		.dead_after_ms = c->config->spooler_dead_after,
	};
	json_t *json;
	int rc;

	if (show_id(c, &q.notification.u, e) == -1)
		return -1;
	rc = explain_notification(c->a, c->db, &q, &json, e);
	if (rc != 1)
		return rc == 0 ? show_missing(c, e) : -1;
	if (c->json)
		out_object(c, json, head_columns);
	else
		print(c, json);
	return 0;
}
