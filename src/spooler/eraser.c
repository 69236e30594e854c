/*
 * eraser.c - tenants that are deleted
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One step after the other, each in a transaction of its own, so nobody is held up and a
 * spooler that dies leaves to the next one what is left.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "db/pool.h"
#include "model/tenant_deletion.h"
#include "spooler/spooler.h"

enum { CHUNK_BYTES = 2048, LOOK_MS = 1000, AGAIN_MS = 20 };

struct erase {
	struct pool_job job;
	struct spooler *sp;
};

static void
erased(struct spooler *sp, const struct db_rows *r)
{
	int64_t n = db_count(r) > 0 ? db_int(r, 0, 0) : 0;

	metrics_add(METRIC_ERASED_ROWS_TOTAL, 0, n);
	if (n > 0)
		sp->next_erase_ms = clock_mono_ms() + AGAIN_MS;
	if (db_count(r) > 0 && db_text(r, 0, 1) != NULL)
		log_info(NULL, "tenant is deleted",
		    LF_STR("slug", db_text(r, 0, 1)));
}

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct erase *er = (struct erase *)job;

	er->sp->erasing = false;
	if (e != NULL)
		spooler_trouble(er->sp, "deleting a tenant failed", e);
	else
		erased(er->sp, rows[0]);
	arena_free(&job->a);
}

void
eraser_service(struct spooler *sp)
{
	int64_t now = clock_mono_ms();
	struct arena *a;
	struct erase *er;
	struct db_batch *b;

	if (sp->erasing || now < sp->next_erase_ms)
		return;
	sp->next_erase_ms = now + LOOK_MS;
	sp->erasing = true;
	a = arena_new(CHUNK_BYTES);
	er = arena_object(a, struct erase);
	er->job.a = a;
	er->job.step = step;
	er->sp = sp;
	b = db_batch_new(a, (struct tenant_id){ 0 }, DB_ONE);
	tenant_erase_add(b, sp->config);
	pool_submit(sp->pool, &er->job, b);
}
