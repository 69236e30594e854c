/*
 * hooks.c - what providers report is applied
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * belfry-api puts what it has proven into a tenant's inbox.  One transaction takes requests
 * out, finds and locks the deliveries they are about, and writes what follows: receipts,
 * suppressions.  Should we die on the way, it is rolled back and the requests are still
 * there; what comes twice has no second effect (notify/receipt.h, said.h).
 *
 * What the database refuses is applied request by request; the one that is refused alone is
 * thrown away with a line in the log.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/uuid.h"
#include "db/db.h"
#include "db/pool.h"
#include "model/suppression.h"
#include "notify/receipt.h"
#include "provider/hook.h"
#include "provider/provider.h"
#include "spooler/said.h"
#include "spooler/spooler.h"
#include "web/js.h"

enum {
	CHUNK_BYTES = 16384,
	POLL_MS = 1000, /* for what other hosts have taken in */
	PAUSE_MS = 500, /* after trouble */
	SWEEP_MS = 5000, /* how long a low-water mark holds */
	MARGIN_MS = 2000, /* transactions may commit this late */
	REQUESTS = 10, /* of at most 100 events each: RECEIPTS_MAX */
	EVENTS_DEPTH = 4,
	EVENT_BYTES = 4096,
	AHEAD_S = 5 * 60, /* times beyond these are taken for now */
	BEHIND_S = 30 * 24 * 3600
};

/* The labels of METRIC_HOOK_EVENTS_TOTAL. */
enum { APPLIED, FOREIGN };

/* A tenant that has, or had, something in its inbox. */
struct inbox {
	struct inbox *next;
	struct tenant_id tenant;
	unsigned marks; /* counts up */
	bool marked; /* may have something */
	int careful; /* requests to come that are taken one by one */
	struct uuid condemned; /* was refused alone */
	int64_t pause_until_ms;
	int64_t low_ms; /* wall: nothing is older; 0: not known */
	int64_t swept_ms; /* when everything was looked at last */
};

struct hooks {
	struct spooler *sp;
	struct inbox *list;
	bool running, polling;
	int64_t next_poll_ms;
};

/* What a receipt is of. */
struct subject {
	const struct hook_event *event;
	const char *key; /* in hook_seen, or NULL */
};

struct job {
	struct pool_job job; /* its arena holds this too */
	struct hooks *h;
	struct inbox *in;
	unsigned marks;
	int asked, count; /* requests */
	struct uuid first; /* of them */
	enum { TAKE, FIND, WRITE, END } stage;
	struct hook_events events;
	struct receipt *receipts; /* of events that are */
	struct subject *subjects; /* the event of each receipt */
	size_t receipts_count;
	struct receipts *work;
	struct suppression_notes *notes;
	struct said *said;
	bool asked_seen, asked_known; /* queries of "said" have gone with that of "work" */
};

struct hooks *
hooks_new(struct spooler *sp)
{
	struct hooks *h = arena_object(sp->a, struct hooks);

	h->sp = sp;
	return h;
}

void
hooks_mark(struct hooks *h, struct tenant_id tenant)
{
	struct inbox *in = h->list;

	while (in != NULL && in->tenant.n != tenant.n)
		in = in->next;
	if (in == NULL) {
		in = arena_object(h->sp->a, struct inbox);
		in->tenant = tenant;
		in->next = h->list;
		h->list = in;
	}
	in->marked = true;
	in->marks++;
}

/* ---- What events become --------------------------------------------------------- */

static const enum receipt_what receipt_of[HOOK_WHAT_COUNT] = {
	[HOOK_DELIVERED] = RECEIPT_DELIVERED,
	[HOOK_FAILED] = RECEIPT_FAILED,
	[HOOK_BOUNCED] = RECEIPT_BOUNCED,
	[HOOK_DELAYED] = RECEIPT_DELAYED,
	[HOOK_READ] = RECEIPT_READ,
	[HOOK_OPENED] = RECEIPT_OPENED,
	[HOOK_CLICKED] = RECEIPT_CLICKED,
	[HOOK_COMPLAINED] = RECEIPT_COMPLAINED,
	[HOOK_UNSUBSCRIBED] = RECEIPT_UNSUBSCRIBED,
	[HOOK_RESUBSCRIBED] = RECEIPT_RESUBSCRIBED,
	[HOOK_OPT_OUT] = RECEIPT_WHAT_COUNT,
	[HOOK_OPT_IN] = RECEIPT_WHAT_COUNT,
	[HOOK_HEARD] = RECEIPT_WHAT_COUNT,
};

/* A provider's clock is believed within reason. */
static int64_t
time_of(const struct hook_event *ev)
{
	int64_t now_s = clock_wall_ms() / 1000, s = ev->at_ms / 1000;

	return s > now_s + AHEAD_S || s < now_s - BEHIND_S ? 0 : ev->at_ms;
}

static void
add_receipt(struct job *j, const struct hook_event *ev,
    struct provider_id provider, const struct provider_ops *ops)
{
	j->subjects[j->receipts_count] = (struct subject){ ev,
		ev->suppress != SUPPRESSION_NONE
		    ? said_once(j->said, ev, provider)
		    : NULL };
	j->receipts[j->receipts_count++] = (struct receipt){
		.notification = ev->notification,
		.delivery = ev->delivery,
		.provider = provider,
		.provider_ref = ev->provider_ref,
		.what = receipt_of[ev->what],
		.class = ev->class,
		.at_ms = time_of(ev),
		.code = ev->code,
		.text = ev->text,
		.by = ops != NULL ? ops->kind : "recipient",
	};
}

/* Of the delivery that is named, whose address is suppressed. */
static void
add_note(struct job *j, const struct hook_event *ev,
    struct provider_id provider, struct notification_id notification,
    struct delivery_id delivery, const char *kind)
{
	struct suppression_note note = {
		.notification = notification,
		.delivery = delivery,
		.reason = ev->suppress,
		.source = arena_printf(j->job.a, "provider %s", kind),
		.code = ev->code,
		.by_category = ev->by_category,
		.at_ms = time_of(ev),
	};

	if (ev->suppress == SUPPRESSION_NONE || uuid_is_nil(&delivery.u))
		return;
	if (ev->what == HOOK_RESUBSCRIBED) {
		suppression_notes_lift(j->notes, notification, delivery,
		    note.at_ms);
		return;
	}
	if (ev->for_sender)
		note.provider = provider;
	suppression_notes_take(j->notes, &note);
}

static void
add_event(struct job *j, const struct hook_event *ev,
    struct provider_id provider, const struct provider_ops *ops)
{
	if (receipt_of[ev->what] != RECEIPT_WHAT_COUNT)
		add_receipt(j, ev, provider, ops);
	else if (ops != NULL)
		said_take(j->said, ev, provider, ops);
}

/* The events of one request; those of an account that is gone go with it. */
static void
read_request(struct job *j, const struct db_rows *rows, int i)
{
	struct provider_id provider = { db_uuid(rows, i, 1) };
	const char *text = db_text(rows, i, 2), *kind = db_text(rows, i, 3);
	bool ours = uuid_is_nil(&provider.u); /* by a link of ours */
	const struct provider_ops *ops =
	    kind != NULL ? provider_ops_find(kind) : NULL;
	struct hook_events events = { .count = 0 };
	json_t *json;
	struct err e;
	size_t k, room;

	if ((ops == NULL && !ours) || js_parse(j->job.a, text, strlen(text), EVENTS_DEPTH,
	                       &json, &e) == -1)
		return;
	hook_events_read(j->job.a, json, &events);
	room = RECEIPTS_MAX - j->receipts_count;
	for (k = 0; k < events.count && k < room; k++)
		add_event(j, &events.list[k], provider, ops);
}

/* ---- One transaction -------------------------------------------------------------- */

static void
go_on(struct job *j, struct db_batch *b, int stage)
{
	j->stage = stage;
	pool_continue(j->h->sp->pool, &j->job, b);
}

static void
let_be(struct job *j)
{
	go_on(j, db_batch_new(j->job.a, j->in->tenant, DB_ROLLBACK), END);
}

/* Nothing follows but that it is gone. */
static void
throw_away(struct job *j)
{
	go_on(j, db_batch_new(j->job.a, j->in->tenant, DB_COMMIT), END);
}

static void
find(struct job *j)
{
	struct db_batch *b =
	    db_batch_new(j->job.a, j->in->tenant, DB_CONTINUE);

	j->work = receipts_new(j->job.a, j->in->tenant, j->receipts,
	    j->receipts_count);
	receipts_find_add(j->work, b);
	j->asked_seen = said_seen_add(j->said, b);
	j->asked_known = said_known_add(j->said, b);
	go_on(j, b, FIND);
}

static void
taken(struct job *j, const struct db_rows *rows)
{
	struct inbox *in = j->in;
	struct arena *a = j->job.a;
	int i;

	j->count = db_count(rows);
	if (j->count < j->asked && in->marks == j->marks)
		in->marked = false;
	if (in->careful > 0)
		in->careful = j->count > 0 ? in->careful - 1 : 0;
	if (j->count == 0) {
		let_be(j);
		return;
	}
	j->first = db_uuid(rows, 0, 0);
	in->low_ms = uuid_time_ms(&j->first) - MARGIN_MS;
	if (uuid_cmp(&in->condemned, &j->first) == 0) {
		throw_away(j);
		return;
	}
	j->receipts = arena_zalloc(a, RECEIPTS_MAX, sizeof(*j->receipts));
	j->subjects = arena_zalloc(a, RECEIPTS_MAX, sizeof(*j->subjects));
	j->said = said_new(a, in->tenant, RECEIPTS_MAX);
	j->notes = suppression_notes_new(a);
	for (i = 0; i < j->count; i++)
		read_request(j, rows, i);
	find(j);
}

static void
found(struct job *j, struct db_rows **rows)
{
	struct db_batch *b = db_batch_new(j->job.a, j->in->tenant, DB_COMMIT);
	const struct receipt_result *results =
	    receipts_found(j->work, rows[0]);
	const struct db_rows *seen = j->asked_seen ? rows[1] : NULL;
	size_t i;

	for (i = 0; i < j->receipts_count; i++)
		if (said_is_new(seen, j->subjects[i].key))
			add_note(j, j->subjects[i].event,
			    j->receipts[i].provider, results[i].notification,
			    results[i].delivery, j->receipts[i].by);
	receipts_write_add(j->work, b);
	suppression_notes_add(b, j->in->tenant, j->notes);
	if (j->asked_known)
		said_known_read(j->said, rows[j->asked_seen ? 2 : 1]);
	said_write_add(j->said, b, seen);
	go_on(j, b, WRITE);
}

static void
written(struct job *j, struct db_rows **rows)
{
	const struct receipt_result *results =
	    receipts_written(j->work, rows[0]);
	size_t i;

	for (i = 0; i < j->receipts_count; i++)
		metrics_add(METRIC_HOOK_EVENTS_TOTAL,
		    results[i].effect == RECEIPT_FOREIGN ? FOREIGN : APPLIED,
		    1);
}

static void
end(struct job *j)
{
	j->h->running = false;
	arena_free(&j->job.a);
}

/* A value was refused: which one's?  Anything else passes. */
static void
failed(struct job *j, const struct err *e)
{
	struct inbox *in = j->in;
	char id[UUID_TEXT_BYTES];

	in->marked = true;
	in->low_ms = 0;
	if (err_may_retry(e->kind)) {
		in->pause_until_ms = clock_mono_ms() + PAUSE_MS;
		spooler_trouble(j->h->sp, "applying reports failed", e);
	} else if (j->count > 1) {
		in->careful = j->count;
	} else if (j->count == 1) {
		uuid_format(&j->first, id);
		log_error(NULL, "what a provider reported cannot be applied",
		    LF_INT("tenant_id", in->tenant.n), LF_STR("request", id),
		    LF_ERR(e));
		in->condemned = j->first;
		in->careful = 1;
	} else {
		in->pause_until_ms = clock_mono_ms() + PAUSE_MS;
		spooler_trouble(j->h->sp, "reading reports failed", e);
	}
	end(j);
}

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct job *j = (struct job *)job;

	if (e != NULL) {
		failed(j, e);
		return;
	}
	switch (j->stage) {
	case TAKE:
		taken(j, rows[0]);
		return;
	case FIND:
		found(j, rows);
		return;
	case WRITE:
		written(j, rows);
		end(j);
		return;
	case END:
		end(j);
		return;
	}
}

/* The least id of a moment. */
static struct uuid
floor_of(int64_t ms)
{
	struct uuid u = { { 0 } };
	int i;

	for (i = 0; ms > 0 && i < 6; i++)
		u.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	return u;
}

static void
start(struct hooks *h, struct inbox *in, int64_t now_ms)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct job *j = arena_object(a, struct job);
	struct db_batch *b = db_batch_new(a, in->tenant, DB_BEGIN);
	struct uuid from;

	if (now_ms - in->swept_ms > SWEEP_MS) {
		in->swept_ms = now_ms;
		in->low_ms = 0;
	}
	from = floor_of(in->low_ms);
	j->job.a = a;
	j->job.step = step;
	j->h = h;
	j->in = in;
	j->marks = in->marks;
	j->asked = in->careful > 0 ? 1 : REQUESTS;
	h->running = true;
	db_add(b, Q_HOOK_TAKE);
	db_arg_int(b, in->tenant.n);
	db_arg_uuid(b, &from);
	db_arg_int(b, j->asked);
	pool_submit(h->sp->pool, &j->job, b);
}

/* ---- What is foreseen ------------------------------------------------------------- */

struct foresight {
	struct pool_job job;
	struct hooks *h;
};

static void
foreseen(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct foresight *f = (struct foresight *)job;

	if (e != NULL)
		spooler_trouble(f->h->sp, "foreseeing receipts failed", e);
	arena_free(&job->a);
}

void
hooks_foresee(struct hooks *h, const struct provider *p, const struct message *m)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct foresight *f = arena_object(a, struct foresight);
	struct hook_events events = { .count = 0 };
	struct db_batch *b = db_batch_new(a, m->tenant, DB_ONE);
	struct db_array *ids = db_array_new(a), *texts = db_array_new(a),
	                *times = db_array_new(a);
	struct uuid id;
	size_t i;

	p->ops->foresee(a, m, &events);
	if (events.count == 0) {
		arena_free(&a);
		return;
	}
	for (i = 0; i < events.count; i++) {
		struct buf *text = buf_new(a, EVENT_BYTES);

		js_write(text,
		    js_keep(a, hook_events_write(&events.list[i], 1)));
		id = uuid_make();
		db_array_uuid(ids, &id);
		db_array_text(texts, text->data);
		db_array_int(times, events.list[i].after_ms);
	}
	f->job.a = a;
	f->job.step = foreseen;
	f->h = h;
	db_add(b, Q_HOOK_FORESEE);
	db_arg_int(b, m->tenant.n);
	db_arg_uuid(b, &p->id.u);
	db_arg_array(b, ids);
	db_arg_array(b, texts);
	db_arg_array(b, times);
	pool_submit(h->sp->pool, &f->job, b);
}

/* ---- Who has something --------------------------------------------------------------- */

struct look {
	struct pool_job job;
	struct hooks *h;
};

static void
seen(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct look *l = (struct look *)job;
	int i;

	l->h->polling = false;
	if (e != NULL)
		spooler_trouble(l->h->sp, "looking for reports failed", e);
	else
		for (i = 0; i < db_count(rows[0]); i++)
			hooks_mark(l->h,
			    (struct tenant_id){ db_int(rows[0], i, 0) });
	arena_free(&job->a);
}

static void
look_for_tenants(struct hooks *h)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct look *l = arena_object(a, struct look);
	struct db_batch *b =
	    db_batch_new(a, (struct tenant_id){ 0 }, DB_PLAIN);

	l->job.a = a;
	l->job.step = seen;
	l->h = h;
	h->polling = true;
	db_add(b, Q_HOOK_TENANTS);
	pool_submit(h->sp->pool, &l->job, b);
}

/* The next tenant in turn: it goes to the end of the list. */
static struct inbox *
next_marked(struct hooks *h, int64_t now_ms)
{
	struct inbox **p = &h->list, *in;

	while ((in = *p) != NULL && (!in->marked || in->pause_until_ms > now_ms))
		p = &in->next;
	if (in == NULL || in->next == NULL)
		return in;
	*p = in->next;
	while (*p != NULL)
		p = &(*p)->next;
	*p = in;
	in->next = NULL;
	return in;
}

void
hooks_service(struct hooks *h)
{
	int64_t now_ms = clock_mono_ms();
	struct inbox *in;

	if (!pool_is_up(h->sp->pool))
		return;
	if (!h->polling && now_ms >= h->next_poll_ms) {
		h->next_poll_ms = now_ms + POLL_MS;
		look_for_tenants(h);
	}
	if (h->running)
		return;
	in = next_marked(h, now_ms);
	if (in != NULL)
		start(h, in, now_ms);
}
