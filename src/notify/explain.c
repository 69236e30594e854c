/*
 * explain.c - why something went its way, and which way something would go
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/explain.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "db/db.h"
#include "model/template.h"
#include "notify/accept.h"
#include "notify/express.h"
#include "notify/health.h"
#include "notify/route.h"
#include "notify/send_request.h"
#include "notify/timeline.h"
#include "provider/provider.h"

enum { DELIVERIES_MAX = 100000 };

/* ---- What is ------------------------------------------------------------------------ */

json_t *
explain_json(const struct db_rows *notification, const struct db_rows *deliveries)
{
	static const char *const kept[] = { "id", "recipient", "channel", "step",
		"state", "reason", "class", "due", "provider", "attempts", "trace" };
	json_t *all = deliveries_json(deliveries), *list = json_array();
	json_t *head = notification_json(notification), *one, *d;
	size_t i, k;

	json_array_foreach(all, i, d)
	{
		one = json_object();
		for (k = 0; k < NELEMS(kept); k++)
			json_object_set(one, kept[k],
			    json_object_get(d, kept[k]));
		json_array_append_new(list, one);
	}
	json_decref(all);
	one = json_pack("{s:O, s:O, s:o}", "id", json_object_get(head, "id"),
	    "state", json_object_get(head, "state"), "deliveries", list);
	json_decref(head);
	return one;
}

/* ---- What would be ---------------------------------------------------------------- */

static int
load(struct arena *a, const struct accept_params *p, struct route_params *rp,
    const struct notification *n, struct health *health, struct err *e)
{
	struct db_batch *b = db_batch_new(a, p->tenant, DB_ONE);
	struct db_rows **rows;

	health_changed_add(b, health);
	route_suppressed_add(a, b, p->tenant, n, 1);
	route_recipients_add(a, b, p->tenant, n, 1);
	if (db_run(p->db, a, b, &rows, e) == -1)
		return -1;
	health_changed_read(health, rows[0]);
	rp->health = health;
	rp->suppressed = rows[1];
	rp->recipients = rows[2];
	rp->devices = rows[3];
	return 0;
}

static void
set_time(json_t *json, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (ms != 0)
		clock_format(ms, text);
	json_object_set_new(json, name,
	    ms != 0 ? json_string(text) : json_null());
}

static void
set_text(json_t *json, const char *name, const char *text)
{
	json_object_set_new(json, name,
	    text != NULL ? json_string(text) : json_null());
}

static json_t *
delivery_json(const struct delivery *d)
{
	bool goes = d->state == DELIVERY_SENDING;
	json_t *json = json_object();

	json_object_set_new(json, "recipient", json_integer(d->recipient_no));
	set_text(json, "channel", channel_name((int)d->channel));
	json_object_set_new(json, "step", json_integer(d->step));
	set_text(json, "state", goes ? delivery_state_name(DELIVERY_READY)
	                             : delivery_state_name((int)d->state));
	set_text(json, "reason", d->reason);
	set_time(json, "due", goes ? d->created_ms : d->due_ms);
	set_text(json, "provider",
	    d->provider != NULL && !delivery_state_is_final((int)d->state)
	        ? d->provider->name
	        : NULL);
	json_object_set_new(json, "trace",
	    d->trace != NULL ? json_loads(d->trace, 0, NULL) : json_array());
	return json;
}

int
explain_request(struct arena *a, const struct accept_params *p, json_t **json_r,
    struct err *e)
{
	struct template *tpl = arena_object(a, struct template);
	struct delivery_list out = { .count = 0 };
	struct notification n;
	struct route_params rp = {
		.tenant = p->tenant,
		.room = DELIVERIES_MAX,
		.account_delay_ms = p->config->retry_account_delay,
	};
	json_t *list;
	size_t i;

	accept_describe(a, p, &n);
	rp.now_ms = p->request->send_at > n.created_ms ? p->request->send_at
						       : n.created_ms;
	if (express_page(a, p->known, p->tenant, &rp.page, e) == -1 ||
	    load(a, p, &rp, &n,
	        health_new(a, p->config->retry_recovery), e) == -1)
		return -1;
	tpl->channels = accept_parts(p);
	n.template = tpl;
	route_plan(a, &rp, &n, &out);
	list = json_array();
	for (i = 0; i < out.count; i++)
		json_array_append_new(list, delivery_json(&out.list[i]));
	*json_r = json_pack("{s:o}", "deliveries", list);
	return 0;
}
