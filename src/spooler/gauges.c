/*
 * gauges.c - the queue in numbers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One spooler of all measures the queue, and marks the tenants of whom too much waits
 * (overload_mark() in sql/migrations/0009_operating.sql); the others read what it found.
 * The first process of each host shows it in its gauges.
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "db/pool.h"
#include "model/channel.h"
#include "model/overload.h"
#include "spooler/spooler.h"

enum {
	MEASURE_MS = 2000,
	COST = 20, /* measuring gets this part of the time at most */
	LANES = CHANNEL_COUNT
};

struct measure {
	struct pool_job job;
	struct spooler *sp;
};

static void
show_lanes(const char *text)
{
	json_t *lanes = json_loads(text, 0, NULL), *lane;
	json_int_t n[LANES][4] = { 0 };
	size_t i, k;

	json_array_foreach(lanes, i, lane) {
		k = (size_t)json_integer_value(json_array_get(lane, 0));
		if (k < LANES &&
		    json_unpack(lane, "[I, I, I, I]", &n[k][0], &n[k][0],
		        &n[k][1], &n[k][2]) == 0)
			n[k][3] = json_integer_value(json_array_get(lane, 4));
	}
	for (i = 0; i < LANES; i++) {
		metrics_set(METRIC_QUEUE_READY, (int)i, n[i][0]);
		metrics_set(METRIC_QUEUE_LEASED, (int)i, n[i][1]);
		metrics_set(METRIC_QUEUE_LATER, (int)i, n[i][2]);
		metrics_set(METRIC_QUEUE_OLDEST_AGE_MS, (int)i, n[i][3]);
	}
	json_decref(lanes);
}

static void
show_accounts(const struct db_rows *r)
{
	int i;

	for (i = 0; i < 3; i++)
		metrics_set(METRIC_ACCOUNTS_TROUBLED, i, db_int(r, 0, i));
}

static void
show(struct spooler *sp, const struct db_rows *r)
{
	int64_t level = db_int(r, 0, 0), took_ms = db_int(r, 0, 4);

	if (took_ms * COST > MEASURE_MS)
		sp->next_measure_ms = clock_mono_ms() + took_ms * COST;
	if (level > sp->overload_level)
		log_warn(NULL, "too much waits: belfry-api refuses more",
		    LF_INT("level", level),
		    LF_INT("waiting", db_int(r, 0, 1)));
	sp->overload_level = level;
	if (sp->slot != 0)
		return;
	metrics_set(METRIC_QUEUE_OVERLOAD, 0, level);
	metrics_set(METRIC_DEAD_LETTERS, 0, db_int(r, 0, 3));
	metrics_set(METRIC_SPOOLERS_ALIVE, 0, db_int(r, 0, 5));
	show_lanes(db_text(r, 0, 2));
}

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct measure *m = (struct measure *)job;

	m->sp->measuring = false;
	if (e != NULL)
		spooler_trouble(m->sp, "measuring the queue failed", e);
	else
		show(m->sp, rows[0]);
	if (e == NULL && m->sp->slot == 0)
		show_accounts(rows[1]);
	arena_free(&job->a);
}

void
gauges_service(struct spooler *sp)
{
	int64_t now = clock_mono_ms();
	struct arena *a;
	struct measure *m;
	struct db_batch *b;

	if (sp->measuring || now < sp->next_measure_ms)
		return;
	sp->next_measure_ms = now + MEASURE_MS;
	sp->measuring = true;
	a = arena_new(8192);
	m = arena_object(a, struct measure);
	m->job.a = a;
	m->job.step = step;
	m->sp = sp;
	b = db_batch_new(a, (struct tenant_id){ 0 }, DB_ONE);
	overload_mark_add(b, sp->config, MEASURE_MS * 9 / 10);
	db_add(b, Q_HEALTH_COUNTS);
	pool_submit(sp->pool, &m->job, b);
}
