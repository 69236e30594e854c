/*
 * holders.c - who keeps PostgreSQL from vacuuming
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A transaction that is held open for long, or a replication slot that nobody reads, keeps
 * every dead row of the queue.  Claims bear it (their low-water marks), but tables grow
 * until it ends, and only a person can end it: so it is named, once.  One spooler of a host
 * looks.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "db/pool.h"
#include "spooler/spooler.h"

enum { CHUNK_BYTES = 8192, LOOKS = 3, HOLDERS_MAX = 64, NAME_BYTES = 160 };

struct holder {
	char name[NAME_BYTES];
	int64_t since_ms; /* monotonic: when we saw it first */
	bool told;
	bool seen; /* at the look under way */
};

struct holders {
	struct holder list[HOLDERS_MAX];
	int count;
	int64_t next_look_ms;
	bool looking;
};

struct look {
	struct pool_job job;
	struct spooler *sp;
};

struct holders *
holders_new(struct spooler *sp)
{
	return arena_object(sp->a, struct holders);
}

/* The holder of that name, a new one when there was none; NULL: there are too many. */
static struct holder *
find(struct holders *hs, const char *name)
{
	struct holder *h;
	int i;

	for (i = 0; i < hs->count; i++)
		if (strncmp(hs->list[i].name, name, NAME_BYTES - 1) == 0)
			return &hs->list[i];
	if (hs->count == HOLDERS_MAX)
		return NULL;
	h = &hs->list[hs->count++];
	*h = (struct holder){ .since_ms = clock_mono_ms() };
	snprintf(h->name, NAME_BYTES, "%s", name);
	return h;
}

static const char *
or_none(const char *s)
{
	return s != NULL ? s : "";
}

/* True when it is old. */
static bool
judge(struct spooler *sp, struct holder *h, const struct db_rows *rows, int row)
{
	int64_t age_ms = db_is_null(rows, row, 5)
	    ? clock_mono_ms() - h->since_ms
	    : db_int(rows, row, 5);

	h->seen = true;
	if (age_ms < sp->config->spooler_transaction_age)
		return false;
	if (!h->told)
		log_warn(NULL, "dead rows cannot be vacuumed: somebody holds on to them",
		    LF_STR("kind", db_text(rows, row, 0)),
		    LF_STR("holder", h->name), LF_INT("pid", db_int(rows, row, 2)),
		    LF_STR("user", or_none(db_text(rows, row, 3))),
		    LF_STR("application", or_none(db_text(rows, row, 4))),
		    LF_INT("age_s", age_ms / 1000));
	h->told = true;
	return true;
}

/* Those that were not seen any more go. */
static void
forget(struct holders *hs)
{
	int i, kept = 0;

	for (i = 0; i < hs->count; i++) {
		if (hs->list[i].told && !hs->list[i].seen)
			log_info(NULL, "dead rows can be vacuumed again",
			    LF_STR("holder", hs->list[i].name));
		if (hs->list[i].seen)
			hs->list[kept++] = hs->list[i];
	}
	hs->count = kept;
	for (i = 0; i < kept; i++)
		hs->list[i].seen = false;
}

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct look *l = (struct look *)job;
	struct holders *hs = l->sp->holders;
	struct holder *h;
	int i, old = 0;

	hs->looking = false;
	if (e != NULL)
		spooler_trouble(l->sp, "looking for long transactions failed", e);
	for (i = 0; e == NULL && i < db_count(rows[0]); i++) {
		h = find(hs, db_text(rows[0], i, 1));
		old += h != NULL && judge(l->sp, h, rows[0], i);
	}
	if (e == NULL) {
		forget(hs);
		metrics_set(METRIC_VACUUM_HOLDERS, 0, old);
	}
	arena_free(&job->a);
}

void
holders_service(struct spooler *sp)
{
	struct holders *hs = sp->holders;
	int64_t now = clock_mono_ms();
	struct arena *a;
	struct look *l;
	struct db_batch *b;

	if (sp->slot != 0 || hs->looking || now < hs->next_look_ms)
		return;
	a = arena_new(CHUNK_BYTES);
	l = arena_object(a, struct look);
	l->job.a = a;
	l->job.step = step;
	l->sp = sp;
	hs->looking = true;
	hs->next_look_ms = now + sp->config->spooler_transaction_age / LOOKS;
	b = db_batch_new(a, (struct tenant_id){ 0 }, DB_PLAIN);
	db_add(b, Q_VACUUM_HOLDERS);
	pool_submit(sp->pool, &l->job, b);
}
