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
 *
 * What was promoted leaves dead rows in front of what is still to come, and while somebody
 * holds on to them (holders.c) they would be passed again and again.  So we remember of
 * each tenant from when on it may have work: its low-water mark.  A look asks for the first
 * row after each mark, and in the gaps between tenants that we know for one that we do not
 * know; now and then it looks behind all marks, for what was committed late.
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
	OVER_BATCH = 100,
	FEW_DEAD_MS = 20 /* a look behind all marks that is as fast passed few dead rows */
};

/* A tenant with later work, now or before. */
struct known {
	struct tenant_id tenant;
	int64_t low_water_ms; /* wall: nothing is due before; 0: not known */
};

struct later_marks {
	struct arena *a; /* of the list */
	struct known *list; /* by tenant */
	int count;
	bool look_behind; /* at the next look */
};

struct round {
	struct pool_job job; /* its arena is that of one tenant's transaction */
	struct arena *a;
	struct spooler *sp;
	struct known *due;
	int count, done; /* tenants */
	int64_t began_ms;
	bool looks_behind;
	int64_t next_ms; /* when the next look is due */
};

static void
defer_later(void *p)
{
	struct later_marks *l = p;

	arena_free(&l->a);
}

struct later_marks *
later_new(struct spooler *sp)
{
	struct later_marks *l = arena_object(sp->a, struct later_marks);

	arena_defer(sp->a, defer_later, l);
	l->a = arena_new(CHUNK_BYTES);
	return l;
}

void
later_sweep(struct later_marks *l)
{
	l->look_behind = true;
}

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
	const struct known *k = &r->due[r->done];
	struct tenant_id tenant = k->tenant;
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_array *events = db_array_new(a);
	struct uuid event;
	int i;

	db_add(b, Q_LATER_PROMOTE);
	db_arg_int(b, tenant.n);
	db_arg_int(b, BATCH);
	db_arg_time_ms(b, k->low_water_ms);
	for (i = 0; i < OVER_BATCH; i++) {
		event = uuid_make();
		db_array_uuid(events, &event);
	}
	db_add(b, Q_LATER_OVER);
	db_arg_int(b, tenant.n);
	db_arg_int(b, OVER_BATCH);
	db_arg_uuid(b, &r->sp->id);
	db_arg_array(b, events);
	db_arg_time_ms(b, k->low_water_ms);
	pool_submit(r->sp->pool, &r->job, b);
}

/* Goes on with the next tenant that may have more. */
static void
go_on(struct round *r)
{
	while (r->done < r->count &&
	    !shares_may_promote(r->sp->shares, r->due[r->done].tenant, BATCH))
		r->done++;
	if (r->done < r->count)
		promote(r);
	else
		end(r);
}

static void
promoted(struct round *r, struct db_rows **rows)
{
	struct tenant_id tenant = r->due[r->done].tenant;
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

/* Remembers the tenants of a look.  Who has nothing is forgotten when it is sure that there
 * are few dead rows of it. */
static void
remember(struct round *r, const struct db_rows *rows)
{
	struct later_marks *l = r->sp->later;
	bool forget = r->looks_behind &&
	    clock_mono_ms() - r->began_ms < FEW_DEAD_MS;
	int i, count = db_count(rows);

	arena_reset(l->a);
	l->list = arena_zalloc(l->a, (size_t)count + 1, sizeof(*l->list));
	l->count = 0;
	for (i = 0; i < count; i++)
		if (!forget || !db_is_null(rows, i, 1))
			l->list[l->count++] = (struct known){
				.tenant = { db_int(rows, i, 0) },
				.low_water_ms = db_time_ms(rows, i, 2),
			};
}

/* Which tenants have something due, and when the next one will.  Behind a tenant that we
 * did not know may be others. */
static void
take_look(struct round *r, const struct db_rows *rows)
{
	int i, count = db_count(rows);
	int64_t ms, least = LOOK_MS;

	r->due = arena_zalloc(r->a, (size_t)count + 1, sizeof(*r->due));
	for (i = 0; i < count; i++) {
		if (!db_bool(rows, i, 3))
			least = 0;
		if (db_is_null(rows, i, 1))
			continue;
		ms = db_int(rows, i, 1);
		if (ms <= 0)
			r->due[r->count++] = (struct known){
				.tenant = { db_int(rows, i, 0) },
				.low_water_ms = db_time_ms(rows, i, 2),
			};
		else if (ms < least)
			least = ms;
	}
	r->next_ms = clock_mono_ms() + least;
}

static void
look_step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct round *r = (struct round *)job;

	if (e != NULL) {
		spooler_trouble(r->sp, "looking for due work failed", e);
		r->next_ms = clock_mono_ms() + LOOK_MS;
	} else {
		remember(r, rows[0]);
		take_look(r, rows[0]);
	}
	arena_reset(job->a);
	job->step = promote_step;
	go_on(r);
}

static void
look(struct spooler *sp)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct round *r = arena_object(a, struct round);
	struct later_marks *l = sp->later;
	struct db_array *tenants, *marks;
	struct db_batch *b;
	int i;

	r->a = a;
	r->sp = sp;
	r->job.a = arena_new(CHUNK_BYTES);
	r->job.step = look_step;
	r->began_ms = clock_mono_ms();
	r->looks_behind = l->look_behind;
	l->look_behind = false;
	tenants = db_array_new(r->job.a);
	marks = db_array_new(r->job.a);
	for (i = 0; i < l->count; i++) {
		db_array_int(tenants, l->list[i].tenant.n);
		db_array_time_ms(marks,
		    r->looks_behind ? 0 : l->list[i].low_water_ms);
	}
	b = db_batch_new(r->job.a, (struct tenant_id){ 0 }, DB_PLAIN);
	db_add(b, Q_LATER_DUE);
	db_arg_array(b, tenants);
	db_arg_array(b, marks);
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
