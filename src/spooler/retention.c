/*
 * retention.c - what was kept for long enough goes
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Once an hour whole weeks are dropped, one after the other, and then each tenant's rows
 * that are to go before their week does, a slice at a time; sql/migrations/ has the rules.
 * A drop that would have to wait for a long reader gives up at once and is tried again
 * soon: others wait behind it as long as it waits.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "db/pool.h"
#include "spooler/spooler.h"

enum {
	CHUNK_BYTES = 4096,
	EVERY_MS = 3600 * 1000,
	AGAIN_MS = 3000,
	SLICE = 500
};

struct retention {
	struct pool_job job;
	struct spooler *sp;
	int64_t after; /* the tenant before the one that is at work */
	int64_t removed;
};

static void drop(struct spooler *sp);
static void apply(struct spooler *sp, int64_t after, int64_t removed);

static struct retention *
begin(struct spooler *sp,
    void (*step)(struct pool_job *, struct db_rows **, const struct err *))
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct retention *r = arena_object(a, struct retention);

	r->job.a = a;
	r->job.step = step;
	r->sp = sp;
	sp->retaining = true;
	return r;
}

static void
end(struct retention *r, int64_t again_ms)
{
	if (r->removed > 0)
		log_info(NULL, "what was kept for long enough is removed",
		    LF_INT("rows", r->removed));
	r->sp->retaining = false;
	r->sp->next_retention_ms = clock_mono_ms() + again_ms;
}

/* ---- Tenants ------------------------------------------------------------------------ */

static void
applied(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct retention *r = (struct retention *)job;
	struct spooler *sp = r->sp;
	bool more;

	if (e != NULL) {
		spooler_trouble(sp, "removing what was kept for long enough failed",
		    e);
		end(r, EVERY_MS);
	} else if (db_is_null(rows[0], 0, 0) || sp->stopping) {
		end(r, EVERY_MS);
	} else {
		more = db_bool(rows[0], 0, 2);
		metrics_add(METRIC_RETENTION_REMOVED_TOTAL, 0,
		    db_int(rows[0], 0, 1));
		apply(sp, more ? r->after : db_int(rows[0], 0, 0),
		    r->removed + db_int(rows[0], 0, 1));
	}
	arena_free(&job->a);
}

static void
apply(struct spooler *sp, int64_t after, int64_t removed)
{
	struct retention *r = begin(sp, applied);
	struct db_batch *b =
	    db_batch_new(r->job.a, (struct tenant_id){ 0 }, DB_PLAIN);

	r->after = after;
	r->removed = removed;
	db_add(b, Q_RETENTION_APPLY);
	db_arg_int(b, after);
	db_arg_int(b, sp->config->retention_days);
	db_arg_int(b, SLICE);
	pool_submit(sp->pool, &r->job, b);
}

/* ---- Weeks ---------------------------------------------------------------------------- */

static void
dropped(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct retention *r = (struct retention *)job;
	struct spooler *sp = r->sp;
	int64_t count = e == NULL ? db_int(rows[0], 0, 0) : 0;

	if (count > 0) {
		log_info(NULL, "partitions dropped", LF_INT("count", count));
		sp->next_house_ms = 0; /* which learns what partitions there are */
	}
	if (e != NULL) {
		spooler_trouble(sp, "dropping partitions failed", e);
		end(r, EVERY_MS);
	} else if (sp->stopping) {
		end(r, EVERY_MS);
	} else if (db_bool(rows[0], 0, 1)) {
		log_info(NULL, "dropping partitions is put off: somebody reads them");
		end(r, AGAIN_MS);
	} else if (count > 0) {
		drop(sp);
	} else {
		apply(sp, 0, 0);
	}
	arena_free(&job->a);
}

static void
drop(struct spooler *sp)
{
	struct retention *r = begin(sp, dropped);
	struct db_batch *b =
	    db_batch_new(r->job.a, (struct tenant_id){ 0 }, DB_PLAIN);

	db_add(b, Q_PARTITIONS_DROP);
	db_arg_int(b, sp->config->retention_days);
	pool_submit(sp->pool, &r->job, b);
}

void
retention_service(struct spooler *sp)
{
	if (!sp->retaining && clock_mono_ms() >= sp->next_retention_ms)
		drop(sp);
}
