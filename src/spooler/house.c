/*
 * house.c - looking for work, and keeping the tables in order
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Polling reads the small table of keys with work; the doorbell makes it unnecessary for
 * work that is accepted on this host.  Each job below is one transaction, and at most one
 * of each kind runs at a time.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "db/db.h"
#include "db/pool.h"
#include "notify/health.h"
#include "spooler/keys.h"
#include "spooler/spooler.h"

enum {
	CHUNK_BYTES = 8192,
	PROMOTE_MAX_MS = 1000, /* the longest time between two promotions */
	PROMOTE_BATCH = 1000,
	OVER_BATCH = 100,
	HEALTH_MS = 1000,
	KEY_IDLE_MS = 1000, /* a key without work for this long goes */
	HOUSE_MS = 3600 * 1000,
	PARTITION_WEEKS = 4,
	RETENTION_MARGIN_DAYS = 7 /* a partition is a week */
};

struct chore {
	struct pool_job job;
	struct spooler *sp;
	struct tenant_id tenant;
	bool *running; /* cleared at the end */
	void (*then)(struct chore *ch, struct db_rows **rows);
	const char *what;
};

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct chore *ch = (struct chore *)job;

	if (ch->running != NULL)
		*ch->running = false;
	if (e != NULL)
		spooler_trouble(ch->sp, ch->what, e);
	else if (ch->then != NULL)
		ch->then(ch, rows);
	arena_free(&job->a);
}

static struct chore *
new_chore(struct spooler *sp, const char *what,
    void (*then)(struct chore *, struct db_rows **))
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct chore *ch = arena_object(a, struct chore);

	ch->job.a = a;
	ch->job.step = step;
	ch->sp = sp;
	ch->what = what;
	ch->then = then;
	return ch;
}

static struct db_batch *
plain(struct chore *ch, enum query query)
{
	struct db_batch *b =
	    db_batch_new(ch->job.a, (struct tenant_id){ 0 }, DB_PLAIN);

	db_add(b, query);
	return b;
}

/* ---- Polling ------------------------------------------------------------------- */

static void
keys_seen(struct chore *ch, struct db_rows **rows)
{
	struct spooler *sp = ch->sp;
	int i, n = db_count(rows[0]);

	for (i = 0; i < n; i++)
		keys_mark(sp->keys,
		    (struct tenant_id){ db_int(rows[0], i, 0) },
		    (int)db_int(rows[0], i, 1), (int)db_int(rows[0], i, 2));
	sp->poll_interval_ms = n > 0 ? sp->config->spooler_poll_min
	                             : sp->poll_interval_ms * 2;
	if (sp->poll_interval_ms > sp->config->spooler_poll_max)
		sp->poll_interval_ms = sp->config->spooler_poll_max;
}

static void
poll_keys(struct spooler *sp)
{
	struct chore *ch = new_chore(sp, "polling failed", keys_seen);

	ch->running = &sp->poll_running;
	sp->poll_running = true;
	pool_submit(sp->pool, &ch->job, plain(ch, Q_READY_KEYS));
}

static void
clear_key(void *arg, const struct key *key)
{
	struct chore *ch = new_chore(arg, "clearing a key failed", NULL);
	struct db_batch *b = plain(ch, Q_READY_KEY_CLEAR);

	db_arg_int(b, key->tenant.n);
	db_arg_int(b, key->lane);
	db_arg_int(b, key->prio);
	pool_submit(ch->sp->pool, &ch->job, b);
}

/* ---- Later work ------------------------------------------------------------------ */

static void
promoted(struct chore *ch, struct db_rows **rows)
{
	int i, k, n = 0;

	for (k = 0; k < 2; k++)
		for (i = 0; i < db_count(rows[k]); i++, n++)
			if (!db_is_null(rows[k], i, 0))
				keys_mark(ch->sp->keys, ch->tenant,
				    (int)db_int(rows[k], i, 0),
				    (int)db_int(rows[k], i, 1));
	if (n > 0)
		ch->sp->next_promote_ms = 0;
}

static void
promote(struct spooler *sp, struct tenant_id tenant)
{
	struct chore *ch = new_chore(sp, "promotion failed", promoted);
	struct db_batch *b = db_batch_new(ch->job.a, tenant, DB_ONE);
	struct db_array *events = db_array_new(ch->job.a);
	struct uuid event;
	int i;

	ch->tenant = tenant;
	db_add(b, Q_LATER_PROMOTE);
	db_arg_int(b, tenant.n);
	db_arg_int(b, PROMOTE_BATCH);
	for (i = 0; i < OVER_BATCH; i++) {
		event = uuid_make();
		db_array_uuid(events, &event);
	}
	db_add(b, Q_LATER_OVER);
	db_arg_int(b, tenant.n);
	db_arg_int(b, OVER_BATCH);
	db_arg_uuid(b, &sp->id);
	db_arg_array(b, events);
	pool_submit(sp->pool, &ch->job, b);
}

static void
due_seen(struct chore *ch, struct db_rows **rows)
{
	int64_t ms, least = PROMOTE_MAX_MS;
	int i;

	for (i = 0; i < db_count(rows[0]); i++) {
		ms = db_int(rows[0], i, 1);
		if (ms <= 0)
			promote(ch->sp,
			    (struct tenant_id){ db_int(rows[0], i, 0) });
		else if (ms < least)
			least = ms;
	}
	ch->sp->next_promote_ms = clock_mono_ms() + least;
}

static void
look_for_due(struct spooler *sp)
{
	struct chore *ch = new_chore(sp, "looking for due work failed", due_seen);

	ch->running = &sp->promote_running;
	sp->promote_running = true;
	sp->next_promote_ms = clock_mono_ms() + PROMOTE_MAX_MS;
	pool_submit(sp->pool, &ch->job, plain(ch, Q_LATER_DUE));
}

/* ---- Health of accounts ------------------------------------------------------------- */

static void
health_seen(struct chore *ch, struct db_rows **rows)
{
	health_changed_read(ch->sp->health, rows[0]);
}

static void
look_for_health(struct spooler *sp)
{
	struct chore *ch =
	    new_chore(sp, "reading the health of accounts failed", health_seen);
	struct db_batch *b =
	    db_batch_new(ch->job.a, (struct tenant_id){ 0 }, DB_PLAIN);

	ch->running = &sp->health_running;
	sp->health_running = true;
	health_changed_add(b, sp->health);
	pool_submit(sp->pool, &ch->job, b);
}

/* ---- Sweeping and the rest ---------------------------------------------------------- */

static void
sweep(struct spooler *sp)
{
	struct chore *ch = new_chore(sp, "sweeping failed", NULL);

	ch->running = &sp->sweep_running;
	sp->sweep_running = true;
	keys_forget_low_water(sp->keys);
	pool_submit(sp->pool, &ch->job, plain(ch, Q_READY_KEYS_REPAIR));
	lease_rescue_crashed(sp);
	lease_rescue(sp);
}

static void
partitions_made(struct chore *ch, struct db_rows **rows)
{
	if (db_int(rows[0], 0, 0) > 0)
		log_info(NULL, "partitions made",
		    LF_INT("count", db_int(rows[0], 0, 0)));
}

static void
partitions_dropped(struct chore *ch, struct db_rows **rows)
{
	if (db_int(rows[0], 0, 0) > 0)
		log_info(NULL, "partitions dropped",
		    LF_INT("count", db_int(rows[0], 0, 0)));
}

static void
keep_house(struct spooler *sp)
{
	struct chore *ch;
	struct db_batch *b;

	ch = new_chore(sp, "making partitions failed", partitions_made);
	b = plain(ch, Q_PARTITIONS_MAKE);
	db_arg_int(b, PARTITION_WEEKS);
	pool_submit(sp->pool, &ch->job, b);

	ch = new_chore(sp, "dropping partitions failed", partitions_dropped);
	b = plain(ch, Q_PARTITIONS_DROP);
	db_arg_int(b, sp->config->retention_days);
	pool_submit(sp->pool, &ch->job, b);

	ch = new_chore(sp, "expiring dead letters failed", NULL);
	b = plain(ch, Q_DEAD_EXPIRE);
	db_arg_int(b, sp->config->retention_days + RETENTION_MARGIN_DAYS);
	pool_submit(sp->pool, &ch->job, b);

	ch = new_chore(sp, "expiring idempotency keys failed", NULL);
	b = plain(ch, Q_IDEMPOTENCY_EXPIRE);
	db_arg_int(b, sp->config->api_idempotency_ttl);
	pool_submit(sp->pool, &ch->job, b);
}

void
house_service(struct spooler *sp)
{
	int64_t now = clock_mono_ms();

	if (!pool_is_up(sp->pool))
		return;
	if (now >= sp->next_poll_ms && !sp->poll_running) {
		poll_keys(sp);
		sp->next_poll_ms = now + sp->poll_interval_ms;
		keys_expire(sp->keys, now - KEY_IDLE_MS, clear_key, sp);
	}
	if (now >= sp->next_promote_ms && !sp->promote_running)
		look_for_due(sp);
	if (now >= sp->next_sweep_ms && !sp->sweep_running &&
	    lease_is_trusted(sp)) {
		sweep(sp);
		sp->next_sweep_ms = now + sp->config->spooler_sweep_interval;
	}
	if (now >= sp->next_health_ms && !sp->health_running) {
		look_for_health(sp);
		sp->next_health_ms = now + HEALTH_MS;
	}
	if (now >= sp->next_house_ms) {
		keep_house(sp);
		sp->next_house_ms = now + HOUSE_MS;
	}
}
