/*
 * webhooks.c - tenants' endpoints are told what happened
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A small station beside the queue of deliveries, made of the same steps: messages of an
 * endpoint are leased with their attempts in one transaction, posted when it has
 * committed, and their outcomes are written many at once, guarded by the number of the
 * attempt.  Leases hang on the spooler's heartbeat.
 *
 * An endpoint has a few places on the wire, so one that hangs holds up nobody but itself.
 * Polling finds who has something due; what this spooler writes itself makes it look at
 * once.
 */
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/config_list.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/uuid.h"
#include "db/db.h"
#include "db/pool.h"
#include "model/webhook_endpoint.h"
#include "net/transfer.h"
#include "notify/webhook_event.h"
#include "notify/webhook_post.h"
#include "notify/webhook_url.h"
#include "spooler/spooler.h"
#include "spooler/webhooks.h"

enum {
	CHUNK_BYTES = 8192,
	POLL_MS = 500,
	POLL_LEAST_MS = 20,
	MEASURE_MS = 10000,
	DOUBT_MS = 12000, /* longer than a COMMIT takes, however it ends */
	ANSWER_MAX = 64 << 10, /* that is read */
	CLAIMS_SHARE = 2 /* connections to the database for one claim at once */
};

/* Attempts that are undone once more, some seconds later: the COMMIT may have waited in the
 * server while we looked for the first time. */
struct doubt {
	struct pool_job job; /* its arena holds it */
	struct doubt *next;
	struct webhooks *w;
	struct db_batch *batch;
	int64_t due_ms;
};

static void
defer_targets(void *p)
{
	struct webhooks *w = p;
	struct target *t, *next;
	struct doubt *d;
	struct arena *a;

	while ((d = w->doubts) != NULL) {
		w->doubts = d->next;
		a = d->job.a;
		arena_free(&a);
	}
	for (t = w->targets; t != NULL; t = next) {
		next = t->next;
		a = t->a;
		arena_free(&a);
	}
}

struct webhooks *
webhooks_new(struct spooler *sp, struct keyring *ring)
{
	struct webhooks *w = arena_object(sp->a, struct webhooks);
	const struct config *config = sp->config;
	int64_t *delays;
	struct err e;

	arena_defer(sp->a, defer_targets, w);
	w->sp = sp;
	w->ring = ring;
	ensure(config_durations(sp->a, config->webhook_schedule, &delays,
	           &w->policy.delays_count, &e) == 0);
	w->policy.delays_ms = delays;
	w->policy.jitter_percent = (int)config->retry_jitter_percent;
	w->policy.throttled_ms = config->retry_throttled_delay;
	w->policy.pause_max_ms = config->retry_delay_max;
	return w;
}

/* ---- Endpoints ----------------------------------------------------------------------- */

void
webhooks_mark(struct webhooks *w, struct tenant_id tenant, struct uuid endpoint)
{
	struct target *t = w->targets;
	struct arena *a;

	while (t != NULL && (t->tenant.n != tenant.n ||
	                        uuid_cmp(&t->endpoint, &endpoint) != 0))
		t = t->next;
	if (t == NULL) {
		a = arena_new(sizeof(*t) * 2);
		t = arena_object(a, struct target);
		t->a = a;
		t->tenant = tenant;
		t->endpoint = endpoint;
		t->next = w->targets;
		w->targets = t;
	}
	t->marked = true;
}

static void
drop_idle(struct webhooks *w)
{
	struct target **p = &w->targets, *t;
	struct arena *a;

	while ((t = *p) != NULL) {
		if (t->marked || t->claiming || t->in_flight > 0) {
			p = &t->next;
			continue;
		}
		*p = t->next;
		a = t->a;
		arena_free(&a);
	}
}

void
webhooks_wake(struct webhooks *w)
{
	int64_t at = w->polled_ms + POLL_LEAST_MS;

	if (at < w->next_poll_ms)
		w->next_poll_ms = at;
}

/* Across all tenants. */
static struct db_batch *
job_plain(struct job *j, enum query query, bool *running)
{
	struct db_batch *b =
	    db_batch_new(j->job.a, (struct tenant_id){ 0 }, DB_PLAIN);

	j->running = running;
	*running = true;
	db_add(b, query);
	return b;
}

static void
due_found(struct job *j, const struct db_rows *rows)
{
	int i;

	for (i = 0; i < db_count(rows); i++)
		webhooks_mark(j->w, (struct tenant_id){ db_int(rows, i, 0) },
		    db_uuid(rows, i, 1));
}

static void
poll_due(struct webhooks *w, int64_t now_ms)
{
	struct job *j = webhook_job_new(w, "looking for webhooks failed", due_found);

	w->polled_ms = now_ms;
	w->next_poll_ms = now_ms + POLL_MS;
	pool_submit(w->sp->pool, &j->job,
	    job_plain(j, Q_WEBHOOK_DUE, &w->polling));
}

static void
measured(struct job *j, const struct db_rows *rows)
{
	metrics_set(METRIC_WEBHOOKS_WAITING, 0, db_int(rows, 0, 0));
}

static void
measure(struct webhooks *w, int64_t now_ms)
{
	struct job *j = webhook_job_new(w, "measuring webhooks failed", measured);

	w->next_measure_ms = now_ms + MEASURE_MS;
	pool_submit(w->sp->pool, &j->job,
	    job_plain(j, Q_WEBHOOK_WAITING, &w->measuring));
}

/* ---- Rescue ---------------------------------------------------------------------------- */

static void
rescued(struct job *j, const struct db_rows *rows)
{
	int i;

	for (i = 0; i < db_count(rows); i++)
		webhooks_mark(j->w, j->tenant, db_uuid(rows, i, 0));
	metrics_add(METRIC_RESCUED_TOTAL, 0, db_count(rows));
	if (db_count(rows) > 0)
		log_warn(NULL, "took over webhooks from a dead spooler",
		    LF_INT("tenant_id", j->tenant.n),
		    LF_INT("count", db_count(rows)));
}

static void
orphans_found(struct job *j, const struct db_rows *rows)
{
	struct job *one;
	struct db_batch *b;
	struct uuid dead;
	int i;

	for (i = 0; i < db_count(rows); i++) {
		one = webhook_job_new(j->w, "rescuing webhooks failed", rescued);
		one->tenant = (struct tenant_id){ db_int(rows, i, 0) };
		dead = db_uuid(rows, i, 1);
		b = db_batch_new(one->job.a, one->tenant, DB_ONE);
		db_add(b, Q_WEBHOOK_RESCUE);
		db_arg_int(b, one->tenant.n);
		db_arg_uuid(b, &dead);
		pool_submit(j->w->sp->pool, &one->job, b);
	}
}

static void
rescue(struct webhooks *w, int64_t now_ms)
{
	struct spooler *sp = w->sp;
	struct job *j;
	struct db_batch *b;

	w->next_rescue_ms = now_ms + sp->config->spooler_sweep_interval;
	if (now_ms < sp->rescue_from_ms)
		return;
	j = webhook_job_new(w, "looking for orphaned webhooks failed", orphans_found);
	b = job_plain(j, Q_WEBHOOK_ORPHANS, &w->rescuing);
	db_arg_int(b, sp->config->spooler_dead_after);
	db_arg_uuid(b, &sp->id);
	pool_submit(sp->pool, &j->job, b);
}

/* ---- Posting -------------------------------------------------------------------------------- */

/* One whose lease is no longer ours leaves no outcome, as if we had died. */
static void
done(void *arg, const struct transfer_result *res)
{
	struct post *po = arg;
	struct webhooks *w = po->w;
	struct webhook_outcome o = webhook_judge(&w->policy, res, po->round,
	    randombytes_random());

	if (res->outcome == TRANSFER_ABORTED &&
	    uuid_cmp(&po->spooler, &w->sp->id) != 0)
		webhook_forget(po);
	else
		webhook_land(po, &o, res);
}

static void
unsendable(struct post *po, const char *why)
{
	struct webhook_outcome o = webhook_unsendable(&po->w->policy, why,
	    po->round, randombytes_random());

	webhook_land(po, &o, NULL);
}

/* The columns of query "webhook_claim". */
enum column {
	ATTEMPT,
	N,
	BASE,
	MESSAGE,
	AT,
	TYPE,
	SEQ,
	NOTIFICATION,
	DELIVERY,
	CHANNEL,
	PROVIDER,
	ENDPOINT,
	OF_ATTEMPT,
	CLASS,
	CODE,
	TEXT,
	NEXT_DUE,
	METADATA,
	TRACEPARENT,
	USER_ID,
	URL,
	SIGNATURE,
	SEALED,
	BOTH,
	CHAINED
};

static struct webhook_message
message_of(const struct db_rows *r, int i)
{
	return (struct webhook_message){
		.id = db_uuid(r, i, MESSAGE),
		.at_ms = db_time_ms(r, i, AT),
		.type = db_text(r, i, TYPE),
		.seq = db_int(r, i, SEQ),
		.notification = db_uuid(r, i, NOTIFICATION),
		.delivery = db_uuid(r, i, DELIVERY),
		.endpoint = db_uuid(r, i, ENDPOINT),
		.channel = (int)db_int(r, i, CHANNEL),
		.provider = db_text(r, i, PROVIDER),
		.user_id = db_text(r, i, USER_ID),
		.metadata = db_text(r, i, METADATA),
		.attempt = (int)db_int(r, i, OF_ATTEMPT),
		.class = (int)db_int(r, i, CLASS),
		.code = db_text(r, i, CODE),
		.text = db_text(r, i, TEXT),
		.next_attempt_ms = db_time_ms(r, i, NEXT_DUE),
	};
}

struct claim_job {
	struct pool_job job;
	struct webhooks *w;
	struct target *target;
	struct uuid spooler;
	struct uuid *ids; /* for attempts */
	int asked;
	bool undoing;
};

static struct post *
post_new(const struct claim_job *c, const struct db_rows *r, int i)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct post *po = arena_object(a, struct post);
	struct webhook_message m = message_of(r, i);

	po->a = a;
	po->w = c->w;
	po->target = c->target;
	po->spooler = c->spooler;
	po->message = m.id;
	po->attempt = db_uuid(r, i, ATTEMPT);
	po->n = (int)db_int(r, i, N);
	po->round = po->n - (int)db_int(r, i, BASE);
	po->body = webhook_body(a, &m);
	po->started_us = clock_mono_us();
	po->chained = db_bool(r, i, CHAINED);
	c->target->in_flight++;
	c->w->in_flight++;
	return po;
}

static void
send(struct post *po, const struct db_rows *r, int i,
    const struct webhook_secrets *secrets)
{
	struct webhooks *w = po->w;
	struct webhook_post how = {
		.url = arena_strdup(po->a, db_text(r, i, URL)),
		.id = webhook_id(po->a, &po->message),
		.body = po->body,
		.secrets = secrets,
		.both = !db_is_null(r, i, BOTH) && db_bool(r, i, BOTH),
		.now_s = clock_wall_ms() / 1000,
	};
	struct transfer_request rq;
	struct transfer *t;
	struct err e;

	if (db_text(r, i, TRACEPARENT) != NULL)
		how.traceparent =
		    arena_strdup(po->a, db_text(r, i, TRACEPARENT));
	webhook_post_build(po->a, &how, &rq);
	rq.timeout_ms = (int)w->sp->config->webhook_timeout;
	rq.response_max = ANSWER_MAX;
	rq.done = done;
	rq.arg = po;
	if (webhook_url_check(w->sp->config, how.url, &e) == -1)
		unsendable(po, arena_printf(po->a, "its URL %s", e.text));
	else if (transfers_start(w->sp->transfers, &rq, &t, &e) == -1)
		unsendable(po, arena_strdup(po->a, e.text));
}

/* All rows are of one endpoint. */
static void
send_all(struct claim_job *c, const struct db_rows *r)
{
	struct webhook_secrets secrets;
	struct post *po;
	const void *sealed;
	size_t n;
	struct err e;
	bool open;
	int i;

	if (db_count(r) == 0)
		return;
	sealed = db_bytes(c->job.a, r, 0, SEALED, &n);
	open = webhook_secrets_open(c->job.a, c->w->ring, c->target->tenant,
	           c->target->endpoint, sealed, n, &secrets, &e) == 0;
	if (!open)
		log_error(NULL, "the secret of a webhook endpoint does not open",
		    LF_INT("tenant_id", c->target->tenant.n), LF_ERR(&e));
	for (i = 0; i < db_count(r); i++) {
		po = post_new(c, r, i);
		if (open)
			send(po, r, i, &secrets);
		else
			unsendable(po, "its secret cannot be opened");
	}
	metrics_set(METRIC_WEBHOOKS_IN_FLIGHT, 0, c->w->in_flight);
}

static struct db_array *
array_of(const struct claim_job *c, struct arena *a)
{
	struct db_array *v = db_array_new(a);
	int i;

	for (i = 0; i < c->asked; i++)
		db_array_uuid(v, &c->ids[i]);
	return v;
}

static struct db_batch *
undo_batch(const struct claim_job *c, struct arena *a)
{
	struct db_batch *b = db_batch_new(a, c->target->tenant, DB_ONE);

	db_add(b, Q_WEBHOOK_UNDO);
	db_arg_int(b, c->target->tenant.n);
	db_arg_uuid(b, &c->target->endpoint);
	db_arg_uuid(b, &c->spooler);
	db_arg_array(b, array_of(c, a));
	return b;
}

/* The answer to COMMIT was lost: should the leases be there, they are given back. */
static void
undo(struct claim_job *c)
{
	c->undoing = true;
	pool_submit(c->w->sp->pool, &c->job, undo_batch(c, c->job.a));
}

static void
undone(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct doubt *d = (struct doubt *)job;

	if (e != NULL)
		spooler_trouble(d->w->sp, "undoing a claim of webhooks failed", e);
	else if (db_count(rows[0]) > 0)
		webhooks_wake(d->w);
	arena_free(&job->a);
}

static void
doubt(const struct claim_job *c)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct doubt *d = arena_object(a, struct doubt);

	d->job.a = a;
	d->job.step = undone;
	d->w = c->w;
	d->batch = undo_batch(c, a);
	d->due_ms = clock_mono_ms() + DOUBT_MS;
	d->next = c->w->doubts;
	c->w->doubts = d;
}

static void
undo_again(struct webhooks *w, int64_t now_ms)
{
	struct doubt **p = &w->doubts, *d;

	while ((d = *p) != NULL) {
		if (d->due_ms > now_ms) {
			p = &d->next;
			continue;
		}
		*p = d->next;
		pool_submit(w->sp->pool, &d->job, d->batch);
	}
}

static void
claimed(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct claim_job *c = (struct claim_job *)job;

	if (e != NULL && db_violates(e, "webhook_queue_chain_leased")) {
		/* Somebody was faster: it is looked at again. */
	} else if (e != NULL) {
		spooler_trouble(c->w->sp, "claiming webhooks failed", e);
		if (e->kind == ERR_UNCERTAIN ||
		    (c->undoing && err_may_retry(e->kind))) {
			undo(c);
			return;
		}
		c->target->marked = false; /* until it is looked for again */
	} else if (c->undoing) {
		doubt(c);
	} else {
		c->target->marked = db_count(rows[0]) == c->asked;
		if (uuid_cmp(&c->spooler, &c->w->sp->id) == 0)
			send_all(c, rows[0]);
	}
	c->target->claiming = false;
	c->w->claims--;
	c->w->claimed -= c->asked;
	arena_free(&job->a);
}

static void
claim(struct webhooks *w, struct target *t, int room)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct claim_job *c = arena_object(a, struct claim_job);
	struct db_batch *b = db_batch_new(a, t->tenant, DB_ONE);
	int i;

	c->job.a = a;
	c->job.step = claimed;
	c->w = w;
	c->target = t;
	c->spooler = w->sp->id;
	c->asked = room;
	c->ids = arena_zalloc(a, (size_t)room, sizeof(*c->ids));
	for (i = 0; i < room; i++)
		c->ids[i] = uuid_make();
	t->claiming = true;
	w->claims++;
	w->claimed += room;
	db_add(b, Q_WEBHOOK_CLAIM);
	db_arg_int(b, t->tenant.n);
	db_arg_uuid(b, &t->endpoint);
	db_arg_uuid(b, &w->sp->id);
	db_arg_int(b, room);
	db_arg_array(b, array_of(c, a));
	pool_submit(w->sp->pool, &c->job, b);
}

/* Endpoints do not wait for each other's claims, and leave connections to the rest. */
static bool
may_claim(const struct webhooks *w)
{
	return w->claims <
	    (int)w->sp->config->spooler_db_connections / CLAIMS_SHARE;
}

/* The endpoint whose turn it is goes to the end.  Half of its places are free by then: a
 * transaction for each of them would cost more than it gains. */
static bool
claim_next(struct webhooks *w)
{
	int most = (int)w->sp->config->webhook_endpoint_concurrency;
	int free = (int)w->sp->config->webhook_transfers_max - w->in_flight -
	    w->claimed;
	struct target **p = &w->targets, *t;
	int room;

	while ((t = *p) != NULL && (!t->marked || t->claiming ||
	                          t->in_flight > most / 2))
		p = &t->next;
	if (t == NULL || free <= 0)
		return false;
	room = most - t->in_flight;
	claim(w, t, room < free ? room : free);
	*p = t->next;
	while (*p != NULL)
		p = &(*p)->next;
	*p = t;
	t->next = NULL;
	return true;
}

/* ---- The station ------------------------------------------------------------------------------- */

void
webhooks_service(struct webhooks *w)
{
	int64_t now_ms = clock_mono_ms();

	if (!pool_is_up(w->sp->pool))
		return;
	webhook_outcomes_service(w, w->sp->stopping);
	undo_again(w, now_ms);
	if (!spooler_takes(w->sp))
		return;
	if (!w->polling && now_ms >= w->next_poll_ms)
		poll_due(w, now_ms);
	if (!w->rescuing && now_ms >= w->next_rescue_ms)
		rescue(w, now_ms);
	if (!w->measuring && now_ms >= w->next_measure_ms && w->sp->slot == 0)
		measure(w, now_ms);
	while (may_claim(w) && claim_next(w))
		continue;
	drop_idle(w);
}

int
webhooks_timeout_ms(const struct webhooks *w)
{
	int write_ms = webhook_outcomes_timeout_ms(w);
	int64_t poll_ms;

	if (w->polling || !spooler_takes(w->sp))
		return write_ms;
	poll_ms = w->next_poll_ms - clock_mono_ms();
	if (poll_ms < 0)
		poll_ms = 0;
	return write_ms >= 0 && write_ms < poll_ms ? write_ms : (int)poll_ms;
}

bool
webhooks_is_idle(const struct webhooks *w)
{
	return w->in_flight == 0 && w->claims == 0 && w->piles == NULL;
}
