/*
 * house.c - looking for work, and keeping the tables in order
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Polling reads the small table of keys with work; the doorbell makes it unnecessary for
 * work that is accepted on this host.  Each job below is one transaction, and at most one
 * of each kind runs at a time.  What takes long, since there are many keys or a long
 * transaction keeps dead rows from being vacuumed, is done less often.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "db/db.h"
#include "db/pool.h"
#include "db/week.h"
#include "notify/health.h"
#include "spooler/keys.h"
#include "spooler/pack.h"
#include "spooler/share.h"
#include "spooler/spooler.h"

enum {
	CHUNK_BYTES = 8192,
	HEALTH_MS = 1000,
	KEY_IDLE_MS = 60 * 1000, /* a key without work for this long goes */
	KEYS_EXPIRE_MAX = 50, /* at a time */
	POLL_BACK_MS = 5000, /* polling looks for what became ready since */
	POLL_PART = 4, /* of the time, at most, goes to polling */
	SWEEP_PART = 20, /* and to sweeping */
	SWEEPS_ALL = 12, /* so often one looks behind all low-water marks, and at all leases */
	HOUSE_MS = 3600 * 1000,
	PARTITION_WEEKS = 4,
	HEARD_DAYS = 2, /* a session is open for one */
	HOOK_SEEN_DAYS = 30, /* STOP and START are told once */
	SLICE = 256 /* blocks of a table: some thousand rows */
};

struct chore {
	struct pool_job job;
	struct spooler *sp;
	bool *running; /* cleared at the end */
	int64_t began_ms;
	void (*then)(struct chore *ch, struct db_rows **rows);
	const char *what;
	int expires; /* the place in expiries[] ... */
	int64_t block; /* ... and the first of the slice in its table */
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
	ch->began_ms = clock_mono_ms();
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
	int64_t now = clock_mono_ms(), spacing = POLL_PART * (now - ch->began_ms);
	struct tenant_id tenant;
	int i, n = db_count(rows[0]);

	for (i = 0; i < n; i++) {
		tenant = (struct tenant_id){ db_int(rows[0], i, 0) };
		keys_mark_seen(sp->keys, tenant, (int)db_int(rows[0], i, 1),
		    (int)db_int(rows[0], i, 2));
		shares_weigh(sp->shares, tenant, db_int(rows[0], i, 3));
	}
	sp->poll_interval_ms = n > 0 ? sp->config->spooler_poll_min
	                             : sp->poll_interval_ms * 2;
	if (sp->poll_interval_ms > sp->config->spooler_poll_max)
		sp->poll_interval_ms = sp->config->spooler_poll_max;
	if (sp->poll_interval_ms < spacing)
		sp->poll_interval_ms = spacing;
	sp->next_poll_ms = now + sp->poll_interval_ms;
}

/* Looks for what is new, and after a sweep for all there is. */
static void
poll_keys(struct spooler *sp)
{
	struct chore *ch = new_chore(sp, "polling failed", keys_seen);
	struct db_batch *b = plain(ch, Q_READY_KEYS);

	if (sp->poll_all)
		db_arg_null(b);
	else
		db_arg_int(b, POLL_BACK_MS);
	sp->poll_all = false;
	ch->running = &sp->poll_running;
	sp->poll_running = true;
	pool_submit(sp->pool, &ch->job, b);
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
swept(struct chore *ch, struct db_rows **rows)
{
	int64_t now = clock_mono_ms(), spacing = SWEEP_PART * (now - ch->began_ms);

	if (ch->sp->next_sweep_ms < now + spacing)
		ch->sp->next_sweep_ms = now + spacing;
	ch->sp->poll_all = true;
}

/* Marks what has rows and no mark, and has claims look for what was late. */
static void
sweep(struct spooler *sp)
{
	struct chore *ch = new_chore(sp, "sweeping failed", swept);
	bool all = sp->sweeps++ % SWEEPS_ALL == 0;

	ch->running = &sp->sweep_running;
	sp->sweep_running = true;
	keys_sweep(sp->keys, all);
	if (all)
		later_sweep(sp->later);
	pool_submit(sp->pool, &ch->job, plain(ch, Q_READY_KEYS_REPAIR));
}

static void
partitions_made(struct chore *ch, struct db_rows **rows)
{
	if (db_int(rows[0], 0, 0) > 0)
		log_info(NULL, "partitions made",
		    LF_INT("count", db_int(rows[0], 0, 0)));
}

static void
weeks_read(struct chore *ch, struct db_rows **rows)
{
	weeks_learn(rows[0]);
}

/* ---- What expires ------------------------------------------------------------------- */

/* Such tables are walked through from their first block to their last, a slice in a
 * transaction and one slice after the other.  So they need no index by age, for which each
 * insert would pay.  (A BRIN index would not do: its ranges keep the age of what stood in
 * them once, and room is used again.)  One spooler of a host does it. */
static const struct {
	enum query query;
	const char *trouble;
	int64_t days; /* 0: as long as keys live */
} expiries[] = {
	{ Q_IDEMPOTENCY_EXPIRE, "expiring idempotency keys failed", 0 },
	{ Q_HOOK_SEEN_EXPIRE, "forgetting what was reported failed",
	    HOOK_SEEN_DAYS },
	{ Q_HEARD_EXPIRE, "forgetting who wrote failed", HEARD_DAYS },
};

static void expire(struct spooler *sp, int which, int64_t block);

static void
expired(struct chore *ch, struct db_rows **rows)
{
	if (ch->sp->stopping || ch->sp->draining)
		return;
	if (db_bool(rows[0], 0, 0))
		expire(ch->sp, ch->expires, ch->block + SLICE);
	else if (ch->expires + 1 < (int)NELEMS(expiries))
		expire(ch->sp, ch->expires + 1, 0);
}

static void
expire(struct spooler *sp, int which, int64_t block)
{
	struct chore *ch = new_chore(sp, expiries[which].trouble, expired);
	struct db_batch *b = plain(ch, expiries[which].query);

	ch->expires = which;
	ch->block = block;
	ch->running = &sp->expire_running;
	sp->expire_running = true;
	db_arg_int(b, expiries[which].days > 0
	        ? expiries[which].days * 24 * HOUSE_MS
	        : sp->config->api_idempotency_ttl);
	db_arg_int(b, block);
	db_arg_int(b, SLICE);
	pool_submit(sp->pool, &ch->job, b);
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

	ch = new_chore(sp, "reading which partitions there are failed", weeks_read);
	pool_submit(sp->pool, &ch->job, plain(ch, Q_PARTITION_WEEKS));

	if (sp->slot == 0 && !sp->expire_running)
		expire(sp, 0, 0);
}

void
house_service(struct spooler *sp)
{
	int64_t now = clock_mono_ms();

	packs_service(sp->packs);
	if (!pool_is_up(sp->pool))
		return;
	if (now >= sp->next_poll_ms && !sp->poll_running) {
		poll_keys(sp);
		sp->next_poll_ms = now + sp->poll_interval_ms;
		keys_expire(sp->keys, now - KEY_IDLE_MS, KEYS_EXPIRE_MAX,
		    clear_key, sp);
	}
	holders_service(sp);
	/* On hold nothing grows older: receipts cannot come either. */
	if (!sp->holding)
		later_service(sp);
	if (now >= sp->next_rescue_ms && lease_is_trusted(sp)) {
		lease_rescue_crashed(sp);
		lease_rescue(sp, sp->rescues++ % SWEEPS_ALL == 0);
		sp->next_rescue_ms = now + sp->config->spooler_sweep_interval;
	}
	if (now >= sp->next_sweep_ms && !sp->sweep_running) {
		sp->next_sweep_ms = now + sp->config->spooler_sweep_interval;
		sweep(sp);
	}
	if (now >= sp->next_health_ms && !sp->health_running) {
		look_for_health(sp);
		sp->next_health_ms = now + HEALTH_MS;
	}
	tally_service(sp);
	gauges_service(sp);
	reconcile_service(sp);
	eraser_service(sp);
	retention_service(sp);
	if (now >= sp->next_house_ms) {
		keep_house(sp);
		sp->next_house_ms = now + HOUSE_MS;
	}
}
