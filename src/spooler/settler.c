/*
 * settler.c - results are gathered and written, many at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One pile per tenant, since a transaction belongs to one tenant.  A pile is written when
 * it is large or old enough.  Writing is repeated until the database has answered: the
 * lease guards every row, so twice is as good as once.  When the answer to a COMMIT was
 * lost, rows that take no effect at the second time are not called late: they may be our
 * own.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/crash_point.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "db/pool.h"
#include "notify/book.h"
#include "notify/health.h"
#include "notify/settle.h"
#include "spooler/spooler.h"

enum { CHUNK_BYTES = 16384, AGAIN_MS = 200, BROKEN_MS = 2000 };

/* What is left of a result that was refused alone, a step less each time. */
enum less { WHOLE, WITHOUT_WORDS, LEAST, UNTOLD };

struct pile {
	struct pool_job job; /* its arena holds the pile and its results */
	struct settler *settler;
	struct pile *next;
	struct tenant_id tenant;
	struct result *first, **last;
	int count;
	int64_t since_ms; /* when it got its first result, or may be tried again */
	bool writing;
	bool uncertain; /* an earlier try may have taken effect */
	bool single; /* holds one result that spoiled its pile */
	enum less less; /* how much of that result is written */
	struct db_batch *late;
	size_t took; /* the place of the rows that tell which results took effect */
	struct health_notes notes; /* the rows that tell of parked accounts */
	struct arena *step; /* of one try */
};

struct settler {
	struct spooler *sp;
	struct pile *piles; /* those that wait and those that are written */
};

struct settler *
settler_new(struct spooler *sp)
{
	struct settler *st = arena_object(sp->a, struct settler);

	st->sp = sp;
	return st;
}

static void step(struct pool_job *job, struct db_rows **rows,
    const struct err *e);

static struct pile *
add_pile(struct settler *st, struct tenant_id tenant)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct pile *p = arena_object(a, struct pile);

	p->job.a = a;
	p->job.step = step;
	p->settler = st;
	p->tenant = tenant;
	p->last = &p->first;
	p->since_ms = clock_mono_ms();
	p->next = st->piles;
	st->piles = p;
	return p;
}

static struct result *
add_result(struct pile *p)
{
	struct result *r = arena_object(p->job.a, struct result);

	r->a = p->job.a;
	*p->last = r;
	p->last = &r->next;
	p->count++;
	return r;
}

/* The caller fills the whole result (but for "next") before the next service. */
struct result *
settler_result(struct settler *st, struct tenant_id tenant)
{
	int max = (int)st->sp->config->spooler_settle_batch;
	struct pile *p = st->piles;

	while (p != NULL && (p->tenant.n != tenant.n || p->writing ||
	                        p->single || p->count >= max))
		p = p->next;
	if (p == NULL)
		p = add_pile(st, tenant);
	return add_result(p);
}

static void
drop_pile(struct pile *p)
{
	struct pile **at = &p->settler->piles;
	struct arena *a = p->job.a;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	arena_free(&p->step);
	arena_free(&a);
}

static int
state_label(enum delivery_state state)
{
	static const int labels[DELIVERY_STATE_COUNT] = {
		[DELIVERY_SENT] = 1,
		[DELIVERY_DELIVERED] = 1,
		[DELIVERY_FAILED] = 2,
		[DELIVERY_DEAD] = 3,
		[DELIVERY_SKIPPED] = 4,
		[DELIVERY_EXPIRED] = 5,
		[DELIVERY_HELD] = 6,
	};

	return labels[state] - 1;
}

static void
count(const struct pile *p)
{
	const struct result *r;

	metrics_add(METRIC_SETTLES_TOTAL, 0, 1);
	for (r = p->first; r != NULL; r = r->next)
		if (state_label(r->state) >= 0)
			metrics_add(METRIC_DELIVERIES_TOTAL,
			    state_label(r->state), 1);
}

/* One result spoils the transaction of all: each gets a pile of its own. */
static void
take_apart(struct pile *p)
{
	struct result *r, *copy, *next;
	struct pile *own;

	for (r = p->first; r != NULL; r = r->next) {
		own = add_pile(p->settler, p->tenant);
		own->single = true;
		own->uncertain = p->uncertain;
		copy = add_result(own);
		next = copy->next;
		*copy = *r;
		copy->next = next;
		copy->a = own->job.a;
		if (r->verdict.entry != NULL)
			copy->verdict.entry =
			    arena_strdup(copy->a, r->verdict.entry);
	}
	drop_pile(p);
}

static void
drop_words(struct result *r)
{
	r->note[0] = '\0';
	if (r->verdict.entry != NULL) {
		r->state = DELIVERY_DEAD;
		verdict_set(&r->verdict, VERDICT_BAD_MESSAGE, "",
		    "the database refused the entry");
		return;
	}
	r->verdict.code[0] = r->verdict.provider_ref[0] = '\0';
	snprintf(r->verdict.text, sizeof(r->verdict.text),
	    "the database refused what the provider said");
}

/* Written one by one, a result was refused: its provider's words may be the reason, or what
 * else follows from it.  What was sent must not be sent again for that. */
static void
write_less(struct pile *p, const struct err *e)
{
	struct result *r = p->first;
	char id[UUID_TEXT_BYTES];

	uuid_format(&r->delivery.u, id);
	log_error(NULL, "result cannot be written", LF_STR("delivery", id),
	    LF_ERR(e));
	if (p->less == UNTOLD) {
		express_doubt(p->settler->sp); /* nobody works on its lease */
		drop_pile(p);
		return;
	}
	p->less++;
	if (p->less == WITHOUT_WORDS)
		drop_words(r);
	else
		settle_least(r);
}

static void
failed(struct pile *p, const struct err *e)
{
	p->writing = false;
	p->late = NULL;
	p->since_ms = clock_mono_ms() + AGAIN_MS;
	p->uncertain |= e->kind == ERR_UNCERTAIN;
	if (err_may_retry(e->kind)) {
		spooler_trouble(p->settler->sp, "results not written yet", e);
	} else if (!p->single) {
		take_apart(p);
	} else if (e->kind == ERR_UNPROCESSABLE || e->kind == ERR_CONFLICT) {
		write_less(p, e);
	} else {
		/* Not the result is wrong, the database is: its time comes. */
		p->since_ms += BROKEN_MS;
		spooler_trouble(p->settler->sp, "results cannot be written", e);
	}
}

/* The one alarm of a parked account. */
static void
tell_parked(struct tenant_id owner, const struct db_rows *rows)
{
	int i;

	for (i = 0; i < db_count(rows); i++)
		log_error(NULL, "provider account is parked: it refuses its credentials",
		    LF_INT("tenant_id", owner.n),
		    LF_STR("provider", db_text(rows, i, 1)));
	metrics_add(METRIC_PROVIDERS_PARKED_TOTAL, 0, db_count(rows));
}

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct pile *p = (struct pile *)job;
	size_t i, late = 0;

	if (e != NULL) {
		failed(p, e);
		return;
	}
	crash_point(CRASH_AFTER_FINISH_COMMIT);
	if (book_has_webhooks(p->settler->sp->book, p->tenant))
		webhooks_wake(p->settler->sp->webhooks);
	for (i = 0; p->late == NULL && i < p->notes.count; i++)
		tell_parked(p->notes.list[i].owner,
		    rows[p->notes.list[i].place]);
	if (p->late == NULL && !p->uncertain)
		late = settle_late(p->step, p->first, rows[p->took],
		    &p->late);
	else
		p->late = NULL;
	if (late == 0) {
		count(p);
		drop_pile(p);
		return;
	}
	metrics_add(METRIC_LATE_RESULTS_TOTAL, 0, (int64_t)late);
	log_warn(NULL, "results came too late", LF_INT("tenant_id", p->tenant.n),
	    LF_INT("count", (int64_t)late));
	pool_submit(p->settler->sp->pool, &p->job, p->late);
}

static void
write(struct pile *p)
{
	struct settle_params params = {
		.health = p->settler->sp->health,
		.park_after = (int)p->settler->sp->config->retry_park_after,
		.untold = p->less >= UNTOLD ||
		    !book_has_webhooks(p->settler->sp->book, p->tenant),
		.bare = p->less >= LEAST,
	};
	struct db_batch *b;

	arena_free(&p->step);
	p->step = arena_new(CHUNK_BYTES);
	p->writing = true;
	b = settle_batch(p->step, &params, p->first, &p->took,
	    &p->notes);
	crash_point(CRASH_BEFORE_FINISH_COMMIT);
	pool_submit(p->settler->sp->pool, &p->job, b);
}

/* When a pile is to be written: 0 or less is now. */
static int64_t
wait_ms(const struct settler *st, const struct pile *p)
{
	const struct config *config = st->sp->config;
	int64_t age = clock_mono_ms() - p->since_ms;

	if (p->count >= (int)config->spooler_settle_batch && age >= 0)
		return 0;
	return config->spooler_settle_delay - age;
}

void
settler_service(struct settler *st, bool all)
{
	struct pile *p, *next;

	for (p = st->piles; p != NULL; p = next) {
		next = p->next;
		if (!p->writing && (all || wait_ms(st, p) <= 0))
			write(p);
	}
}

int
settler_timeout_ms(const struct settler *st)
{
	const struct pile *p;
	int64_t least = -1, ms;

	for (p = st->piles; p != NULL; p = p->next) {
		if (p->writing)
			continue;
		ms = wait_ms(st, p);
		if (ms < 0)
			ms = 0;
		if (least == -1 || ms < least)
			least = ms;
	}
	return (int)least;
}

bool
settler_has(const struct settler *st, const struct uuid *delivery)
{
	const struct pile *p;
	const struct result *r;

	for (p = st->piles; p != NULL; p = p->next)
		for (r = p->first; r != NULL; r = r->next)
			if (uuid_cmp(&r->delivery.u, delivery) == 0)
				return true;
	return false;
}

size_t
settler_ids(const struct settler *st, struct uuid *ids_r)
{
	const struct pile *p;
	const struct result *r;
	size_t n = 0;

	for (p = st->piles; p != NULL; p = p->next)
		for (r = p->first; r != NULL; r = r->next) {
			if (ids_r != NULL)
				ids_r[n] = r->delivery.u;
			n++;
		}
	return n;
}

bool
settler_is_empty(const struct settler *st)
{
	return st->piles == NULL;
}
