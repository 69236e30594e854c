/*
 * later.c - what is due becomes ready
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Now and then we look which tenants have something due, and take them one after the
 * other over a single connection, so that claims have the others however many tenants
 * there are.  A tenant gets a batch at a time, and none while as much of what we promoted
 * before has not been claimed yet: what falls due all at once stays in q_later until
 * somebody can deal with it.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "db/db.h"
#include "db/pool.h"
#include "spooler/keys.h"
#include "spooler/share.h"
#include "spooler/spooler.h"

enum {
	CHUNK_BYTES = 8192,
	LOOK_MS = 1000, /* the longest time between two looks */
	BATCH = 1000,
	OVER_BATCH = 100
};

struct round {
	struct pool_job job; /* its arena is that of one tenant's transaction */
	struct arena *a;
	struct spooler *sp;
	struct tenant_id *tenants;
	int count, done; /* tenants */
	int64_t next_ms; /* when the next look is due */
};

static void
end(struct round *r)
{
	struct spooler *sp = r->sp;

	if (sp->next_promote_ms > r->next_ms)
		sp->next_promote_ms = r->next_ms;
	sp->promote_running = false;
	arena_free(&r->job.a);
	arena_free(&r->a);
}

static void
promote(struct round *r)
{
	struct arena *a = r->job.a;
	struct tenant_id tenant = r->tenants[r->done];
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_array *events = db_array_new(a);
	struct uuid event;
	int i;

	db_add(b, Q_LATER_PROMOTE);
	db_arg_int(b, tenant.n);
	db_arg_int(b, BATCH);
	for (i = 0; i < OVER_BATCH; i++) {
		event = uuid_make();
		db_array_uuid(events, &event);
	}
	db_add(b, Q_LATER_OVER);
	db_arg_int(b, tenant.n);
	db_arg_int(b, OVER_BATCH);
	db_arg_uuid(b, &r->sp->id);
	db_arg_array(b, events);
	pool_submit(r->sp->pool, &r->job, b);
}

/* Goes on with the next tenant that may have more. */
static void
go_on(struct round *r)
{
	while (r->done < r->count &&
	    !shares_may_promote(r->sp->shares, r->tenants[r->done], BATCH))
		r->done++;
	if (r->done < r->count)
		promote(r);
	else
		end(r);
}

static void
promoted(struct round *r, struct db_rows **rows)
{
	struct tenant_id tenant = r->tenants[r->done];
	int i, n = 0;

	for (i = 0; i < db_count(rows[0]); i++) {
		keys_mark(r->sp->keys, tenant, (int)db_int(rows[0], i, 0),
		    (int)db_int(rows[0], i, 1));
		n += (int)db_int(rows[0], i, 2);
	}
	for (i = 0; i < db_count(rows[1]); i++)
		if (!db_is_null(rows[1], i, 0))
			keys_mark(r->sp->keys, tenant,
			    (int)db_int(rows[1], i, 0),
			    (int)db_int(rows[1], i, 1));
	shares_promoted(r->sp->shares, tenant, n);
	if (n == BATCH || db_count(rows[1]) == OVER_BATCH)
		r->next_ms = 0; /* there is more */
}

static void
promote_step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct round *r = (struct round *)job;

	if (e != NULL) {
		spooler_trouble(r->sp, "promotion failed", e);
		end(r);
		return;
	}
	promoted(r, rows);
	arena_reset(job->a);
	r->done++;
	go_on(r);
}

/* Which tenants have something due, and when the next one will. */
static void
look_step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct round *r = (struct round *)job;
	int i, count = e == NULL ? db_count(rows[0]) : 0;
	int64_t ms, least = LOOK_MS;

	if (e != NULL)
		spooler_trouble(r->sp, "looking for due work failed", e);
	r->tenants = arena_zalloc(r->a, (size_t)count + 1, sizeof(*r->tenants));
	for (i = 0; i < count; i++) {
		ms = db_int(rows[0], i, 1);
		if (ms <= 0)
			r->tenants[r->count++].n = db_int(rows[0], i, 0);
		else if (ms < least)
			least = ms;
	}
	r->next_ms = clock_mono_ms() + least;
	arena_reset(job->a);
	job->step = promote_step;
	go_on(r);
}

static void
look(struct spooler *sp)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct round *r = arena_object(a, struct round);
	struct db_batch *b;

	r->a = a;
	r->sp = sp;
	r->job.a = arena_new(CHUNK_BYTES);
	r->job.step = look_step;
	b = db_batch_new(r->job.a, (struct tenant_id){ 0 }, DB_PLAIN);
	db_add(b, Q_LATER_DUE);
	sp->promote_running = true;
	sp->next_promote_ms = INT64_MAX;
	pool_submit(sp->pool, &r->job, b);
}

void
later_service(struct spooler *sp)
{
	if (clock_mono_ms() >= sp->next_promote_ms && !sp->promote_running)
		look(sp);
}
