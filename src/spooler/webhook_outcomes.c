/*
 * webhook_outcomes.c - what came of messages to endpoints is written, many at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing is repeated until the database has answered: the number of the attempt guards
 * every row, so twice is as good as once.  What is written tells which endpoints go on
 * failing; warning their tenants is a transaction of its own, which the next outcome
 * repeats should we die before it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/uuid.h"
#include "db/db.h"
#include "db/pool.h"
#include "net/transfer.h"
#include "spooler/spooler.h"
#include "spooler/webhooks.h"

enum {
	CHUNK_BYTES = 8192,
	WRITE_DELAY_MS = 20, /* how long an outcome waits for others */
	WRITE_COUNT = 200,
	AGAIN_MS = 200,
	KEPT_BYTES = 4096, /* of a request and an answer */
	JOB_BYTES = 2048
};

/* The labels of METRIC_WEBHOOKS_TOTAL. */
enum { SENT, RETRIED, GIVEN_UP };

/* What came of one. */
struct ended {
	struct ended *next;
	struct uuid endpoint, message, attempt;
	int n;
	struct webhook_outcome outcome;
	int64_t took_ms;
	const char *request, *response;
	bool chained; /* the next one may go */
};

/* Outcomes of one tenant's messages, which are written together. */
struct pile {
	struct pool_job job; /* its arena holds them */
	struct webhooks *w;
	struct pile *next;
	struct tenant_id tenant;
	struct uuid spooler;
	struct ended *first;
	int count;
	int64_t since_ms; /* when the first came, or it may be tried again */
	bool writing;
	bool bare; /* a text was refused: without any */
	struct arena *step; /* of one try */
};

/* ---- Jobs that need no more than an end ------------------------------------------------ */

static void
job_step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct job *j = (struct job *)job;

	if (j->running != NULL)
		*j->running = false;
	if (e != NULL)
		spooler_trouble(j->w->sp, j->what, e);
	else
		j->then(j, rows[0]);
	arena_free(&job->a);
}

struct job *
webhook_job_new(struct webhooks *w, const char *what,
    void (*then)(struct job *, const struct db_rows *))
{
	struct arena *a = arena_new(JOB_BYTES);
	struct job *j = arena_object(a, struct job);

	j->job.a = a;
	j->job.step = job_step;
	j->w = w;
	j->what = what;
	j->then = then;
	return j;
}

/* ---- Endpoints that fail ------------------------------------------------------------------ */

static void
told(struct job *j, const struct db_rows *rows)
{
	char id[UUID_TEXT_BYTES];

	if (db_count(rows) == 0)
		return;
	uuid_format(&j->endpoint, id);
	log_warn(NULL, j->percent < 100 ? "webhook endpoint keeps failing"
	                                : "webhook endpoint is disabled",
	    LF_INT("tenant_id", j->tenant.n), LF_STR("endpoint", id),
	    LF_INT("percent", j->percent), LF_STR("reason", j->reason));
	if (j->percent == 100)
		metrics_add(METRIC_WEBHOOKS_DISABLED_TOTAL, 0, 1);
	webhooks_wake(j->w);
}

static const char *
failing_reason(struct arena *a, int64_t failing_ms, int percent)
{
	const char *rest = percent == 100
	    ? "it is disabled"
	    : "it is disabled when that goes on";

	if (failing_ms >= INT64_C(2) * 24 * 3600 * 1000)
		return arena_printf(a, "nothing got through for %d days: %s",
		    (int)(failing_ms / (24 * 3600 * 1000)), rest);
	return arena_printf(a, "nothing got through for %d minutes: %s",
	    (int)(failing_ms / (60 * 1000)), rest);
}

/* Warns the tenant, or disables the endpoint (100); failing_ms -1: it answered 410. */
static void
tell(const struct pile *p, struct uuid endpoint, int percent,
    int64_t failing_ms)
{
	struct job *j = webhook_job_new(p->w, "telling of an endpoint failed", told);
	struct db_batch *b = db_batch_new(j->job.a, p->tenant, DB_ONE);
	struct uuid audit = uuid_make();
	int64_t disable_after_ms = p->w->sp->config->webhook_disable_after;

	j->tenant = p->tenant;
	j->endpoint = endpoint;
	j->percent = percent;
	j->reason = failing_ms == -1
	    ? "the receiver answered 410 Gone"
	    : failing_reason(j->job.a, failing_ms, percent);
	db_add(b, percent == 100 ? Q_WEBHOOK_GIVE_UP : Q_WEBHOOK_WARN);
	db_arg_int(b, p->tenant.n);
	db_arg_uuid(b, &endpoint);
	if (percent < 100)
		db_arg_int(b, percent);
	else
		db_arg_text(b, j->reason);
	db_arg_uuid(b, &audit);
	if (percent < 100)
		db_arg_text(b, j->reason);
	db_arg_uuid(b, &p->w->sp->id);
	if (percent < 100)
		db_arg_int(b, failing_ms < disable_after_ms
		        ? disable_after_ms
		        : disable_after_ms / 100 * percent);
	pool_submit(p->w->sp->pool, &j->job, b);
}

/* ---- Outcomes ------------------------------------------------------------------------------ */

static void step(struct pool_job *job, struct db_rows **rows,
    const struct err *e);

static struct pile *
pile_of(struct webhooks *w, const struct post *po)
{
	struct pile *p = w->piles;
	struct arena *a;

	while (p != NULL && (p->writing || p->bare || p->count >= WRITE_COUNT ||
	                        p->tenant.n != po->target->tenant.n ||
	                        uuid_cmp(&p->spooler, &po->spooler) != 0))
		p = p->next;
	if (p != NULL)
		return p;
	a = arena_new(CHUNK_BYTES);
	p = arena_object(a, struct pile);
	p->job.a = a;
	p->job.step = step;
	p->w = w;
	p->tenant = po->target->tenant;
	p->spooler = po->spooler;
	p->since_ms = clock_mono_ms();
	p->next = w->piles;
	w->piles = p;
	return p;
}

/* The first of it as text that the database takes. */
static const char *
beginning(struct arena *a, const char *p, size_t n)
{
	struct buf *out = buf_new(a, KEPT_BYTES * 3 + 1);
	size_t i, len;

	if (p == NULL)
		return NULL;
	for (i = 0; i < n && i < KEPT_BYTES; i += len) {
		len = text_utf8_len(p + i, n - i);
		if (len > 0 && p[i] != '\0')
			buf_add(out, p + i, len);
		else
			buf_puts(out, "\xEF\xBF\xBD"); /* U+FFFD */
		if (len == 0)
			len = 1;
	}
	return out->data;
}

static void
count(const struct webhook_outcome *o, int64_t took_us)
{
	if (o->verdict == WEBHOOK_TAKEN_BACK)
		return;
	metrics_add(METRIC_WEBHOOKS_TOTAL, o->verdict == WEBHOOK_SUCCESS ? SENT
	    : o->delay_ms >= 0 ? RETRIED
	                       : GIVEN_UP, 1);
	metrics_observe_us(METRIC_WEBHOOK_SECONDS, 0, took_us);
}

static void
leave(struct post *po)
{
	struct arena *a = po->a;

	po->target->in_flight--;
	po->w->in_flight--;
	metrics_set(METRIC_WEBHOOKS_IN_FLIGHT, 0, po->w->in_flight);
	arena_free(&a);
}

void
webhook_forget(struct post *po)
{
	leave(po);
}

void
webhook_land(struct post *po, const struct webhook_outcome *o,
    const struct transfer_result *res)
{
	struct pile *p = pile_of(po->w, po);
	struct ended *en = arena_object(p->job.a, struct ended);
	int64_t took_us = clock_mono_us() - po->started_us;

	*en = (struct ended){
		.next = p->first,
		.endpoint = po->target->endpoint,
		.message = po->message,
		.attempt = po->attempt,
		.n = po->n,
		.outcome = *o,
		.took_ms = took_us / 1000,
		.chained = po->chained,
		.request = beginning(p->job.a, po->body->data, po->body->len),
	};
	if (o->error != NULL)
		en->outcome.error = beginning(p->job.a, o->error,
		    strlen(o->error));
	if (res != NULL)
		en->response = beginning(p->job.a, res->body, res->body_len);
	p->first = en;
	p->count++;
	count(o, took_us);
	leave(po);
}

/* The columns of query "webhook_settle" from $3 on. */
enum { SETTLE_COLUMNS = 12 };

static void
add_ended(struct db_array *v[SETTLE_COLUMNS], const struct ended *en, bool bare)
{
	const struct webhook_outcome *o = &en->outcome;

	db_array_uuid(v[0], &en->endpoint);
	db_array_uuid(v[1], &en->message);
	db_array_uuid(v[2], &en->attempt);
	db_array_int(v[3], en->n);
	db_array_int(v[4], o->verdict);
	if (o->status == 0)
		db_array_null(v[5]);
	else
		db_array_int(v[5], o->status);
	db_array_text(v[6], bare ? NULL : o->error);
	db_array_int(v[7], en->took_ms);
	if (o->delay_ms < 0)
		db_array_null(v[8]);
	else
		db_array_int(v[8], o->delay_ms);
	db_array_int(v[9], o->pause_ms);
	db_array_text(v[10], bare ? NULL : en->request);
	db_array_text(v[11], bare ? NULL : en->response);
}

static void
write_pile(struct pile *p)
{
	struct db_array *v[SETTLE_COLUMNS];
	struct db_batch *b;
	const struct ended *en;
	int i;

	arena_free(&p->step);
	p->step = arena_new(CHUNK_BYTES);
	b = db_batch_new(p->step, p->tenant, DB_ONE);
	for (i = 0; i < SETTLE_COLUMNS; i++)
		v[i] = db_array_new(p->step);
	for (en = p->first; en != NULL; en = en->next)
		add_ended(v, en, p->bare);
	db_add(b, Q_WEBHOOK_SETTLE);
	db_arg_int(b, p->tenant.n);
	db_arg_uuid(b, &p->spooler);
	for (i = 0; i < SETTLE_COLUMNS; i++)
		db_arg_array(b, v[i]);
	p->writing = true;
	pool_submit(p->w->sp->pool, &p->job, b);
}

static void
drop_pile(struct pile *p)
{
	struct pile **at = &p->w->piles;
	struct arena *a = p->job.a;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	arena_free(&p->step);
	arena_free(&a);
}

/* Repeated until the database has answered: the number of the attempt guards every row. */
static void
not_written(struct pile *p, const struct err *e)
{
	p->writing = false;
	p->since_ms = clock_mono_ms() + AGAIN_MS;
	if (err_may_retry(e->kind) || e->kind == ERR_UNCERTAIN) {
		spooler_trouble(p->w->sp, "webhooks not written yet", e);
		return;
	}
	log_error(NULL, "outcomes of webhooks cannot be written",
	    LF_INT("tenant_id", p->tenant.n), LF_ERR(e));
	p->bare = true;
}

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct pile *p = (struct pile *)job;
	const struct ended *en;
	int64_t failing_ms;
	int i, percent;

	if (e != NULL) {
		not_written(p, e);
		return;
	}
	for (i = 0; i < db_count(rows[0]); i++) {
		failing_ms = db_int(rows[0], i, 1);
		percent = webhook_warning(failing_ms,
		    p->w->sp->config->webhook_disable_after,
		    (int)db_int(rows[0], i, 2));
		if (percent > 0)
			tell(p, db_uuid(rows[0], i, 0), percent, failing_ms);
	}
	for (en = p->first; en != NULL; en = en->next) {
		if (en->outcome.gone)
			tell(p, en->endpoint, 100, -1);
		else if (en->chained)
			webhooks_mark(p->w, p->tenant, en->endpoint);
	}
	drop_pile(p);
}

static int64_t
wait_ms(const struct pile *p, int64_t now_ms)
{
	int64_t age = now_ms - p->since_ms;

	return p->count >= WRITE_COUNT && age >= 0 ? 0 : WRITE_DELAY_MS - age;
}

void
webhook_outcomes_service(struct webhooks *w, bool all)
{
	int64_t now_ms = clock_mono_ms();
	struct pile *p, *next;

	for (p = w->piles; p != NULL; p = next) {
		next = p->next;
		if (!p->writing && (all || wait_ms(p, now_ms) <= 0))
			write_pile(p);
	}
}

int
webhook_outcomes_timeout_ms(const struct webhooks *w)
{
	int64_t now_ms = clock_mono_ms(), least = -1, ms;
	const struct pile *p;

	for (p = w->piles; p != NULL; p = p->next) {
		ms = wait_ms(p, now_ms);
		if (!p->writing && (least < 0 || ms < least))
			least = ms > 0 ? ms : 0;
	}
	return (int)least;
}
