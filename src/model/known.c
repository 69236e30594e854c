/*
 * known.c - what a worker remembers of tenants
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two hash tables with lists: of tenants (their generation and when it was
 * checked), and of entries, which stand in a list by their last use too.  A tenant
 * whose generation has moved keeps its old entries until they are asked for or
 * are the oldest: they cannot be found to be good any more.
 *
 * The generation is read before the thing itself, in one transaction.  Should a change
 * commit between the two, the thing is newer than its generation says and is
 * read once more than needed; the other way round it would stay old.
 */
#include "model/known.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"
#include "db/db.h"
#include "model/generation.h"
#include "net/cache_trusted.h"

enum { BUCKETS = 1024, ENTRY_CHUNK_BYTES = 2048 };
enum { FOUND_LOCAL, FOUND_MEMCACHED, FOUND_DATABASE }; /* of the metric */

struct place {
	struct place *next;
	struct tenant_id tenant;
	int64_t generation;
	int64_t checked_ms; /* monotonic */
	struct overload overload; /* as it was then */
	bool webhooks; /* the same */
};

struct entry {
	struct entry *next; /* in its bucket */
	struct entry *newer, *older; /* by use */
	struct arena *a; /* holds all of it, this struct too */
	const struct known_kind *kind;
	struct tenant_id tenant;
	const char *name;
	int64_t generation;
	int64_t read_ms; /* monotonic */
	const void *record;
};

struct known {
	struct known_params p;
	struct arena *a; /* of the tenants */
	struct place *places[BUCKETS];
	size_t places_count;
	struct entry *entries[BUCKETS];
	struct entry *newest, *oldest;
	size_t count;
};

static size_t
bucket_of(struct tenant_id tenant, const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)tenant.n;

	h *= UINT64_C(1099511628211);
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return (size_t)((h ^ h >> 32) % BUCKETS);
}

/* ---- Entries -------------------------------------------------------------- */

static void
use_remove(struct known *k, struct entry *en)
{
	*(en->newer != NULL ? &en->newer->older : &k->newest) = en->older;
	*(en->older != NULL ? &en->older->newer : &k->oldest) = en->newer;
}

static void
use_insert(struct known *k, struct entry *en)
{
	en->newer = NULL;
	en->older = k->newest;
	*(k->newest != NULL ? &k->newest->newer : &k->oldest) = en;
	k->newest = en;
}

static void
entry_drop(struct known *k, struct entry *en)
{
	struct entry **p = &k->entries[bucket_of(en->tenant, en->name)];
	struct arena *a = en->a;

	while (*p != en)
		p = &(*p)->next;
	*p = en->next;
	use_remove(k, en);
	k->count--;
	arena_free(&a);
}

static struct entry *
entry_find(struct known *k, const struct known_kind *kind,
    struct tenant_id tenant, const char *name)
{
	struct entry *en = k->entries[bucket_of(tenant, name)];

	while (en != NULL && (en->kind != kind || en->tenant.n != tenant.n ||
	                         strcmp(en->name, name) != 0))
		en = en->next;
	return en;
}

/* Parses a text into a new entry.  -1 when it does not parse. */
static int
entry_make(struct known *k, const struct known_kind *kind,
    const struct place *place, const char *name, const char *text,
    struct err *e)
{
	struct arena *a = arena_new(ENTRY_CHUNK_BYTES);
	struct entry *en = arena_object(a, struct entry), *old, **bucket;
	size_t len = strlen(text);

	*en = (struct entry){ .a = a, .kind = kind, .tenant = place->tenant,
		.generation = place->generation, .read_ms = clock_mono_ms() };
	en->name = arena_strdup(a, name);
	if (kind->parse(a, arena_strndup(a, text, len), len, &en->record,
	        e) != 0) {
		arena_free(&a);
		return -1;
	}
	old = entry_find(k, kind, place->tenant, name);
	if (old != NULL)
		entry_drop(k, old);
	while (k->count >= (size_t)k->p.config->cache_entries)
		entry_drop(k, k->oldest);
	bucket = &k->entries[bucket_of(en->tenant, en->name)];
	en->next = *bucket;
	*bucket = en;
	use_insert(k, en);
	k->count++;
	return 0;
}

/* ---- Generations ------------------------------------------------------------ */

/* The place of a tenant.  They are few and small; should there ever be many, all are
 * forgotten at once. */
static struct place *
place_of(struct known *k, struct tenant_id tenant)
{
	struct place **bucket = &k->places[bucket_of(tenant, "")], *p;

	for (p = *bucket; p != NULL; p = p->next)
		if (p->tenant.n == tenant.n)
			return p;
	if (k->places_count >= 16 * BUCKETS) {
		arena_reset(k->a);
		memset(k->places, 0, sizeof(k->places));
		k->places_count = 0;
	}
	p = arena_object(k->a, struct place);
	p->tenant = tenant;
	p->generation = -1;
	p->webhooks = true;
	p->next = *bucket;
	*bucket = p;
	k->places_count++;
	return p;
}

static bool
is_fresh(const struct known *k, const struct place *p)
{
	return p->generation >= 0 &&
	    clock_mono_ms() - p->checked_ms < k->p.config->api_cache_check;
}

/* 1, 0 when there is no such tenant, -1. */
static int
refresh(struct known *k, struct arena *a, struct place *p, struct err *e)
{
	struct generation g;
	int64_t now = clock_mono_ms();
	int rc = generation_get(k->p.db, a, p->tenant, &g, e);

	p->generation = rc == 1 ? g.n : -1;
	p->checked_ms = now;
	if (rc == 1) {
		p->overload = g.overload;
		p->webhooks = g.webhooks;
	}
	if (rc == 1 && g.unmeasured &&
	    overload_measure(a, k->p.db, k->p.config, e) == -1)
		return -1;
	return rc;
}

struct overload
known_overload(struct known *k, struct tenant_id tenant)
{
	return place_of(k, tenant)->overload;
}

bool
known_webhooks(struct known *k, struct tenant_id tenant)
{
	return place_of(k, tenant)->webhooks;
}

/* ---- memcached -------------------------------------------------------------- */

static const char *
cache_key(struct arena *a, const struct known_kind *kind, const struct place *p,
    const char *name)
{
	return arena_printf(a, "%s/%lld/%lld/%s", kind->name,
	    (long long)p->tenant.n, (long long)p->generation, name);
}

/* ---- Looking up --------------------------------------------------------------- */

/* Generation and thing from the database, in this order and in one round trip. */
static int
database_load(struct known *k, struct arena *a, const struct known_kind *kind,
    struct place *p, const char *name, const char **text_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, p->tenant, DB_ONE);
	int64_t now = clock_mono_ms();
	struct db_rows **rows;

	db_add(b, Q_GENERATION_GET);
	db_arg_int(b, p->tenant.n);
	kind->add(b, p->tenant, name);
	if (db_run(k->p.db, a, b, &rows, e) != 0)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	p->generation = db_int(rows[0], 0, 0);
	p->overload = overload_from_row(rows[0]);
	p->webhooks = db_bool(rows[0], 0, 5);
	p->checked_ms = now;
	*text_r = kind->text(rows[1]);
	return *text_r != NULL ? 1 : 0;
}

static int
load(struct known *k, struct arena *a, const struct known_kind *kind,
    struct place *p, const char *name, struct err *e)
{
	const char *text = NULL;
	int rc, found = FOUND_MEMCACHED;

	if (is_fresh(k, p))
		text = cache_get_trusted(k->p.cache, k->p.ring, a,
		    cache_key(a, kind, p, name));
	if (text == NULL) {
		rc = database_load(k, a, kind, p, name, &text, e);
		if (rc != 1)
			return rc;
		found = FOUND_DATABASE;
		cache_set_trusted(k->p.cache, k->p.ring, a,
		    cache_key(a, kind, p, name), text,
		    k->p.config->cache_ttl);
	}
	metrics_add(METRIC_CACHE_LOOKUPS_TOTAL, found, 1);
	return entry_make(k, kind, p, name, text, e) == 0 ? 1 : -1;
}

/* True when an entry is there and as good as the tenant's generation, which must be
 * fresh. */
static bool
is_good(const struct known *k, const struct entry *en, const struct place *p)
{
	return en->generation == p->generation &&
	    clock_mono_ms() - en->read_ms < k->p.config->cache_ttl;
}

int
known_get(struct known *k, struct arena *a, const struct known_kind *kind,
    struct tenant_id tenant, const char *name, const void **record_r,
    struct err *e)
{
	struct entry *en = entry_find(k, kind, tenant, name);
	struct place *p = place_of(k, tenant);
	int rc;

	if (en != NULL && !is_fresh(k, p)) {
		rc = refresh(k, a, p, e);
		if (rc != 1)
			return rc;
	}
	if (en != NULL && is_good(k, en, p)) {
		metrics_add(METRIC_CACHE_LOOKUPS_TOTAL, FOUND_LOCAL, 1);
		use_remove(k, en);
		use_insert(k, en);
	} else {
		rc = load(k, a, kind, p, name, e);
		if (rc != 1)
			return rc;
	}
	*record_r = k->newest->record;
	return 1;
}

static void
known_free(void *p)
{
	struct known *k = p;

	while (k->oldest != NULL)
		entry_drop(k, k->oldest);
	arena_free(&k->a);
}

struct known *
known_new(struct arena *a, const struct known_params *p)
{
	struct known *k = arena_object(a, struct known);

	k->p = *p;
	k->a = arena_new(4096);
	arena_defer(a, known_free, k);
	return k;
}
