/*
 * tally.c - what is on the wire, by tenant, lane and account
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Counted in memory and written into the table "throughput" once in a while, where
 * belfryctl and belfry-api read it.  It is for people: when it cannot be written, it is
 * not.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "db/db.h"
#include "db/pool.h"
#include "provider/provider.h"
#include "spooler/spooler.h"

enum { BUCKETS = 256, ROWS_MAX = 1000 };

struct count {
	struct count *next; /* in its bucket, or of the free ones */
	struct tenant_id tenant;
	int lane;
	struct uuid provider;
	char name[64]; /* of the account */
	int in_flight;
	int ended; /* since the last time it was written */
};

struct tally {
	struct arena *a;
	struct count *buckets[BUCKETS];
	struct count *free;
	int64_t since_ms;
	bool writing;
	bool written; /* there are rows of ours */
};

struct tally *
tally_new(struct arena *a)
{
	struct tally *t = arena_object(a, struct tally);

	t->a = a;
	t->since_ms = clock_mono_ms();
	return t;
}

static struct count *
find(struct tally *t, struct tenant_id tenant, int lane,
    const struct provider *pr)
{
	const struct uuid *provider = &pr->id.u;
	uint64_t h = (uint64_t)tenant.n * 31 + (uint64_t)lane * 7 +
	    provider->b[sizeof(provider->b) - 1];
	struct count **at = &t->buckets[h % BUCKETS], *c = *at;

	while (c != NULL && (c->tenant.n != tenant.n || c->lane != lane ||
	                        uuid_cmp(&c->provider, provider) != 0))
		c = c->next;
	if (c != NULL)
		return c;
	c = t->free;
	if (c != NULL)
		t->free = c->next;
	else
		c = arena_object(t->a, struct count);
	*c = (struct count){ .next = *at, .tenant = tenant, .lane = lane,
		.provider = *provider };
	snprintf(c->name, sizeof(c->name), "%s", pr->name);
	*at = c;
	return c;
}

void
tally_started(struct tally *t, struct tenant_id tenant, int lane,
    const struct provider *pr)
{
	find(t, tenant, lane, pr)->in_flight++;
}

void
tally_ended(struct tally *t, struct tenant_id tenant, int lane,
    const struct provider *pr)
{
	struct count *c = find(t, tenant, lane, pr);

	c->in_flight--;
	c->ended++;
}

/* ---- Writing ------------------------------------------------------------------------ */

struct write {
	struct pool_job job;
	struct spooler *sp;
};

static void
written(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct write *w = (struct write *)job;

	w->sp->tally->writing = false;
	if (e != NULL)
		spooler_trouble(w->sp, "writing the throughput failed", e);
	arena_free(&job->a);
}

struct columns {
	struct db_array *tenants, *lanes, *providers, *names, *in_flight, *ended;
	int count;
	struct arena *a;
};

static void
add(struct columns *v, const struct count *c)
{
	if (v->count >= ROWS_MAX)
		return;
	v->count++;
	db_array_int(v->tenants, c->tenant.n);
	db_array_int(v->lanes, c->lane);
	db_array_uuid(v->providers, &c->provider);
	db_array_text(v->names, arena_strdup(v->a, c->name));
	db_array_int(v->in_flight, c->in_flight);
	db_array_int(v->ended, c->ended);
}

/* Those with nothing in flight are told of once more, and forgotten. */
static void
take_all(struct tally *t, struct columns *v)
{
	struct count **at, *c;
	int i;

	for (i = 0; i < BUCKETS; i++) {
		at = &t->buckets[i];
		while ((c = *at) != NULL) {
			add(v, c);
			c->ended = 0;
			if (c->in_flight > 0) {
				at = &c->next;
				continue;
			}
			*at = c->next;
			c->next = t->free;
			t->free = c;
		}
	}
}

static void
write_columns(struct spooler *sp, struct arena *a, const struct columns *v,
    int64_t since_ms)
{
	struct write *w = arena_object(a, struct write);
	struct db_batch *b =
	    db_batch_new(a, (struct tenant_id){ 0 }, DB_ONE);

	w->job.a = a;
	w->job.step = written;
	w->sp = sp;
	db_add(b, Q_THROUGHPUT_CLEAR);
	db_arg_uuid(b, &sp->id);
	db_add(b, Q_THROUGHPUT_WRITE);
	db_arg_uuid(b, &sp->id);
	db_arg_int(b, since_ms);
	db_arg_array(b, v->tenants);
	db_arg_array(b, v->lanes);
	db_arg_array(b, v->providers);
	db_arg_array(b, v->names);
	db_arg_array(b, v->in_flight);
	db_arg_array(b, v->ended);
	sp->tally->writing = true;
	sp->tally->written = v->count > 0;
	pool_submit(sp->pool, &w->job, b);
}

void
tally_service(struct spooler *sp)
{
	struct tally *t = sp->tally;
	int64_t now = clock_mono_ms(), since_ms = now - t->since_ms;
	struct arena *a;
	struct columns v;

	if (t->writing || since_ms < sp->config->spooler_heartbeat_interval)
		return;
	a = arena_new(8192);
	v = (struct columns){ db_array_new(a), db_array_new(a), db_array_new(a),
		db_array_new(a), db_array_new(a), db_array_new(a), 0, a };
	take_all(t, &v);
	t->since_ms = now;
	if (v.count > 0 || t->written)
		write_columns(sp, a, &v, since_ms);
	else
		arena_free(&a);
}
