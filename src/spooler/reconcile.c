/*
 * reconcile.c - looking for what cannot happen, now and then
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Every spooler.reconcile_interval one spooler of all has its turn.  It goes from tenant
 * to tenant, one small transaction after the other: the queue, then up to SLICES slices of
 * the history from where the last turn stopped.  At the end it says in one line what it
 * found.
 */
#include "notify/reconcile.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "db/db.h"
#include "db/pool.h"
#include "spooler/spooler.h"

enum { CHUNK_BYTES = 65536, ASK_MS = 60000, SLICES = 10 };

struct turn {
	struct pool_job job; /* its arena is that of one transaction */
	struct spooler *sp;
	struct arena *a; /* of the turn */
	struct reconcile rc;
	struct tenant_id *tenants;
	int count, at;
	int slices;
	bool more;
	struct uuid after, until;
};

static void at_queue(struct pool_job *job, struct db_rows **rows,
    const struct err *e);

static void
end(struct turn *t)
{
	struct arena *step = t->job.a, *a = t->a;
	int64_t total = reconcile_total(&t->rc);
	int i;

	for (i = 0; i < RECONCILE_KINDS && total > 0; i++)
		if (t->rc.found[i] > 0)
			log_warn(NULL, "found what cannot happen, and repaired it",
			    LF_STR("kind",
			        reconcile_kind_name((enum reconcile_kind)i)),
			    LF_INT("count", t->rc.found[i]));
	t->sp->reconciling = false;
	arena_free(&step);
	arena_free(&a);
}

/* The next transaction, in an arena of its own. */
static void
next(struct turn *t, void (*step)(struct pool_job *, struct db_rows **,
    const struct err *), struct arena *a, struct db_batch *b)
{
	struct arena *old = t->job.a;

	memset(&t->job, 0, sizeof(t->job));
	t->job.a = a;
	t->job.step = step;
	pool_submit(t->sp->pool, &t->job, b);
	arena_free(&old);
}

static void
begin_tenant(struct turn *t)
{
	struct arena *a;

	if (t->at == t->count || t->sp->stopping ||
	    !lease_is_trusted(t->sp)) {
		end(t);
		return;
	}
	a = arena_new(CHUNK_BYTES);
	next(t, at_queue, a, reconcile_queue(a, &t->rc, t->tenants[t->at]));
}

/* What fails is tried at the next turn. */
static bool
has_failed(struct turn *t, const struct err *e)
{
	if (e == NULL)
		return false;
	spooler_trouble(t->sp, "reconciling failed", e);
	end(t);
	return true;
}

static void
kept(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct turn *t = (struct turn *)job;

	if (has_failed(t, e))
		return;
	t->at++;
	begin_tenant(t);
}

/* Behind the last slice it begins anew next time. */
static void
leave_tenant(struct turn *t)
{
	static const struct uuid nil;
	struct arena *a = arena_new(CHUNK_BYTES);

	next(t, kept, a,
	    reconcile_keep(a, t->tenants[t->at], t->more ? &t->after : &nil));
}

static void at_slice(struct pool_job *job, struct db_rows **rows,
    const struct err *e);

static void
begin_slice(struct turn *t)
{
	struct arena *a;

	if (!t->more || t->slices++ == SLICES) {
		leave_tenant(t);
		return;
	}
	a = arena_new(CHUNK_BYTES);
	next(t, at_slice, a,
	    reconcile_slice(a, &t->rc, t->tenants[t->at], &t->after));
}

static void
at_history(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct turn *t = (struct turn *)job;

	if (has_failed(t, e))
		return;
	(void)reconcile_history_read(&t->rc, rows);
	t->after = t->until;
	begin_slice(t);
}

static void
at_slice(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct turn *t = (struct turn *)job;
	struct arena *a;

	if (has_failed(t, e))
		return;
	if (!reconcile_slice_read(rows, &t->until, &t->more)) {
		t->more = false;
		leave_tenant(t);
		return;
	}
	a = arena_new(CHUNK_BYTES);
	next(t, at_history, a,
	    reconcile_history(a, &t->rc, t->tenants[t->at], &t->after,
	        &t->until));
}

static void
at_queue(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct turn *t = (struct turn *)job;

	if (has_failed(t, e))
		return;
	(void)reconcile_queue_read(&t->rc, rows);
	t->after = db_uuid(rows[0], 0, 0);
	t->slices = 0;
	t->more = true;
	begin_slice(t);
}

static void
at_turn(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct turn *t = (struct turn *)job;
	int i;

	if (has_failed(t, e))
		return;
	if (db_count(rows[0]) == 0) {
		end(t);
		return;
	}
	t->count = db_count(rows[1]);
	t->tenants = arena_zalloc(t->a, (size_t)t->count + 1,
	    sizeof(*t->tenants));
	for (i = 0; i < t->count; i++)
		t->tenants[i].n = db_int(rows[1], i, 0);
	begin_tenant(t);
}

void
reconcile_service(struct spooler *sp)
{
	int64_t now = clock_mono_ms();
	char id[UUID_TEXT_BYTES];
	struct arena *a, *step;
	struct db_batch *b;
	struct turn *t;

	if (sp->reconciling || now < sp->next_reconcile_ms || sp->holding ||
	    !lease_is_trusted(sp) || now < sp->rescue_from_ms)
		return;
	sp->next_reconcile_ms = now + ASK_MS;
	if (sp->config->spooler_reconcile_interval < ASK_MS)
		sp->next_reconcile_ms =
		    now + sp->config->spooler_reconcile_interval;
	sp->reconciling = true;
	a = arena_new(CHUNK_BYTES);
	step = arena_new(CHUNK_BYTES);
	t = arena_object(a, struct turn);
	uuid_format(&sp->id, id);
	t->a = a;
	t->sp = sp;
	t->rc.config = sp->config;
	t->rc.by = arena_printf(a, "spooler %s", id);
	b = db_batch_new(step, (struct tenant_id){ 0 }, DB_ONE);
	db_add(b, Q_RECONCILE_TURN);
	db_arg_int(b, sp->config->spooler_reconcile_interval);
	db_add(b, Q_RECONCILE_TENANTS);
	next(t, at_turn, step, b);
}
