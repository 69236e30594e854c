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
#include "base/ensure.h"
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

/* What may keep something from going on; the numbers stand in query notification_waits,
 * and they are told in this order. */
enum wait {
	WAIT_TENANT_SUSPENDED = 0,
	WAIT_NO_SPOOLER = 1,
	WAIT_TIME = 2,
	WAIT_ACCOUNT_PARKED = 3,
	WAIT_ACCOUNT_DISABLED = 4,
	WAIT_BREAKER = 5,
	WAIT_BLOCKED = 6,
	WAIT_RATE = 7,
	WAIT_PER_DAY = 8,
	WAIT_TENANT_RATE = 9,
	WAIT_QUEUE = 10,
	WAIT_LEASED = 11
};

static const struct {
	const char *what, *why;
} waits[] = {
	[WAIT_TENANT_SUSPENDED] = { "tenant", "it is suspended" },
	[WAIT_NO_SPOOLER] = { "spooler",
	    "none is running: belfryctl spooler status" },
	[WAIT_TIME] = { "time", NULL }, /* the delivery's reason says why */
	[WAIT_ACCOUNT_PARKED] = { "account",
	    "it is parked: its credentials were refused" },
	[WAIT_ACCOUNT_DISABLED] = { "account", "it is disabled" },
	[WAIT_BREAKER] = { "account",
	    "its breaker is open: nothing but failures came from it" },
	[WAIT_BLOCKED] = { "account", "it asked for no request before" },
	[WAIT_RATE] = { "account", "its rate is used up" },
	[WAIT_PER_DAY] = { "account", "what it may send a day is used up" },
	[WAIT_TENANT_RATE] = { "tenant", "its rate of deliveries is used up" },
	[WAIT_QUEUE] = { "queue", NULL }, /* the number before it */
	[WAIT_LEASED] = { "spooler", "it is at work on it" },
};

enum { QUEUE_COUNT_MAX = 10000 };

static const char *
wait_why(struct arena *a, const struct db_rows *r, int i, int64_t what)
{
	int64_t before = db_int(r, i, 4);

	if (what != WAIT_QUEUE)
		return waits[what].why;
	return arena_printf(a, "%s%lld before it",
	    before == QUEUE_COUNT_MAX ? "at least " : "", (long long)before);
}

static json_t *
waits_json(struct arena *a, const struct db_rows *r, const char *id)
{
	json_t *list = json_array(), *one;
	char text[UUID_TEXT_BYTES];
	struct uuid whose;
	int64_t what;
	int i;

	for (i = 0; i < db_count(r); i++) {
		whose = db_uuid(r, i, 0);
		uuid_format(&whose, text);
		what = db_int(r, i, 1);
		if (strcmp(text, id) != 0)
			continue;
		ensure(what >= 0 && what < (int64_t)NELEMS(waits));
		one = json_pack("{s:s, s:s?}", "what", waits[what].what, "why",
		    wait_why(a, r, i, what));
		row_text(one, "name", r, i, 2);
		row_time(one, "until", r, i, 3);
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *
explained_json(struct arena *a, struct db_rows *const rows[3])
{
	static const char *const kept[] = { "id", "recipient", "channel", "step",
		"state", "reason", "class", "due", "provider", "attempts", "trace" };
	json_t *all = deliveries_json(rows[1]), *list = json_array();
	json_t *head = notification_json(rows[0]), *one, *d;
	size_t i, k;

	json_array_foreach(all, i, d)
	{
		one = json_object();
		for (k = 0; k < NELEMS(kept); k++)
			json_object_set(one, kept[k],
			    json_object_get(d, kept[k]));
		json_object_set_new(one, "waits",
		    waits_json(a, rows[2],
		        json_string_value(json_object_get(d, "id"))));
		json_array_append_new(list, one);
	}
	json_decref(all);
	one = json_pack("{s:O, s:O, s:o, s:o}", "id",
	    json_object_get(head, "id"), "state", json_object_get(head, "state"),
	    "waits",
	    waits_json(a, rows[2], json_string_value(json_object_get(head, "id"))),
	    "deliveries", list);
	json_decref(head);
	return one;
}

int
explain_notification(struct arena *a, struct db *db,
    const struct explain_question *q, json_t **json_r, struct err *e)
{
	static const enum query queries[] = { Q_NOTIFICATION_GET,
		Q_NOTIFICATION_DELIVERIES, Q_NOTIFICATION_WAITS };
	struct db_batch *b = db_batch_new(a, q->tenant, DB_ONE);
	struct db_rows **rows;
	size_t i;

	for (i = 0; i < NELEMS(queries); i++) {
		db_add(b, queries[i]);
		db_arg_int(b, q->tenant.n);
		db_arg_uuid(b, &q->notification.u);
	}
	db_arg_int(b, q->dead_after_ms);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	*json_r = explained_json(a, rows);
	return 1;
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
