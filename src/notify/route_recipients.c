/*
 * route_recipients.c - who the recipients of a notification are
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is given with a recipient goes before what is stored of it.  What a delivery needs
 * later (name, locale, data of its own) is written with it, so a recipient that changes
 * in the meantime does not change what was asked for.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"
#include "model/suppression.h"
#include "notify/plan.h"
#include "notify/route.h"
#include "web/js.h"

enum { JSON_DEPTH = 512, DEVICES_MAX = 20 };
enum { QUIET_HOURS = 7 }; /* of query "route_recipients" */

json_t *
plan_parse(struct arena *a, const char *text)
{
	json_t *json;
	struct err e;

	if (text == NULL ||
	    js_parse(a, text, strlen(text), JSON_DEPTH, &json, &e) == -1)
		return NULL;
	return json;
}

void
route_recipients_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct notification *n, size_t count)
{
	struct db_array *ids = db_array_new(a), *again = db_array_new(a);
	json_t *recipients, *to;
	const char *id;
	size_t i, k;

	for (i = 0; i < count; i++) {
		if (n[i].user_ids == NULL)
			continue;
		recipients = plan_parse(a, n[i].recipients);
		json_array_foreach(recipients, k, to)
		{
			id = json_string_value(json_object_get(to, "user_id"));
			if (id == NULL)
				continue;
			db_array_text(ids, id);
			db_array_text(again, id);
		}
	}
	db_add(b, Q_ROUTE_RECIPIENTS);
	db_arg_int(b, tenant.n);
	db_arg_array(b, ids);
	db_add(b, Q_ROUTE_DEVICES);
	db_arg_int(b, tenant.n);
	db_arg_array(b, again);
	db_arg_int(b, DEVICES_MAX);
}

void
route_suppressed_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct notification *n, size_t count)
{
	static const char *const members[] = { "email", "phone" };
	struct db_array *addresses = db_array_new(a), *ids = db_array_new(a);
	json_t *recipients, *to, *value;
	size_t i, k, m;

	for (i = 0; i < count; i++) {
		recipients = plan_parse(a, n[i].recipients);
		json_array_foreach(recipients, k, to)
		{
			value = json_object_get(to, "user_id");
			if (json_is_string(value))
				db_array_text(ids, json_string_value(value));
			for (m = 0; m < NELEMS(members); m++) {
				value = json_object_get(to, members[m]);
				if (json_is_string(value))
					db_array_text(addresses,
					    json_string_value(value));
			}
		}
	}
	suppression_find_add(a, b, tenant, addresses, ids);
}

/* A JSON column that was not given. */
static void
fill_json(struct arena *a, json_t *to, const char *name, const char *text)
{
	json_t *json = plan_parse(a, text);

	if (json != NULL && json_object_get(to, name) == NULL)
		json_object_set(to, name, json);
}

/* Takes over what is stored and was not given. */
static void
fill_from_row(struct arena *a, json_t *to, const struct db_rows *rows, int row)
{
	static const char *const names[] = { NULL, "email", "phone", "name",
		"locale", "time_zone" };
	json_t *data, *given;
	const char *value;
	int i;

	for (i = 1; i < (int)NELEMS(names); i++) {
		value = db_text(rows, row, i);
		if (value != NULL && json_object_get(to, names[i]) == NULL)
			json_object_set_new(to, names[i], json_string(value));
	}
	fill_json(a, to, "quiet_hours", db_text(rows, row, QUIET_HOURS));
	data = plan_parse(a, db_text(rows, row, (int)NELEMS(names)));
	if (data == NULL)
		return;
	given = json_object_get(to, "data");
	if (given != NULL)
		json_object_update(data, given);
	json_object_set(to, "data", data);
}

json_t *
plan_fill(struct arena *a, json_t *to, const struct route_params *p)
{
	const char *id = json_string_value(json_object_get(to, "user_id"));
	const struct db_rows *stored = p->recipients;
	json_t *user, *tokens;
	int i;

	if (id == NULL || stored == NULL)
		return NULL;
	for (i = 0; i < db_count(stored); i++) {
		if (strcmp(db_text(stored, i, 0), id) == 0) {
			fill_from_row(a, to, stored, i);
			return NULL;
		}
	}
	user = json_object_get(p->users, id);
	tokens = json_object_get(user, "push_tokens");
	if (user != NULL)
		json_object_update_missing(to, user);
	if (tokens != NULL) /* each goes with its delivery */
		json_object_del(to, "push_tokens");
	return tokens;
}

json_t *
route_strangers(struct arena *a, const struct notification *n,
    const struct db_rows *stored)
{
	json_t *recipients = plan_parse(a, n->recipients), *to, *id;
	json_t *strangers = js_keep(a, json_array());
	size_t i;
	int row;

	if (n->user_ids == NULL)
		return strangers;
	json_array_foreach(recipients, i, to)
	{
		id = json_object_get(to, "user_id");
		row = stored != NULL ? db_count(stored) - 1 : -1;
		while (row >= 0 && json_is_string(id) &&
		    strcmp(db_text(stored, row, 0), json_string_value(id)) != 0)
			row--;
		if (json_is_string(id) && row < 0)
			json_array_append(strangers, id);
	}
	return strangers;
}
