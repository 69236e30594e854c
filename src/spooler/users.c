/*
 * users.c - people whom a tenant's own service knows
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each person that was asked for has a place in a hash table of bounded size; each tenant
 * has a breaker.  A place belongs to one form of the settings, so another service or another
 * mapping asks anew.
 */
#include "spooler/users.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/seal.h"
#include "net/cache.h"
#include "notify/book.h"
#include "notify/user_service.h"
#include "spooler/users_private.h"

enum {
	BUCKET_MAX = 8,
	CHUNK_BYTES = 2048,
	GOOD_MS = 300000,
	NOBODY_MS = 60000,
	STALE_MS = 3600000,
	ASK_AGAIN_MS = 1000,
	ASK_AGAIN_MAX_MS = 30000,
	WAIT_MAX_MS = 300000, /* however long a service asks for */
	LOOK_AGAIN_MS = 100,
	SWEEP_MS = 1000, /* all buckets in about a minute */
	SWEEP_BUCKETS = USER_BUCKETS / 64,
	FAILURES = 5,
	FAILURES_SPAN_MS = 10000
};

static void
drop(struct user **at)
{
	struct arena *a = (*at)->a;
	json_t *json = (*at)->json;

	*at = (*at)->next;
	json_decref(json);
	arena_free(&a);
}

static void
defer_users(void *p)
{
	struct users *us = p;
	int i;

	for (i = 0; i < USER_BUCKETS; i++)
		while (us->buckets[i] != NULL)
			drop(&us->buckets[i]);
}

struct users *
users_new(struct arena *a, const struct users_params *p)
{
	struct users *us = arena_object(a, struct users);

	us->a = a;
	us->p = *p;
	arena_defer(a, defer_users, us);
	return us;
}

static void
defer_source(void *p)
{
	struct user_source *s = p;

	arena_free(&s->a);
}

static struct user_source *
source_find(struct users *us, struct tenant_id tenant)
{
	struct user_source *s = us->sources;

	while (s != NULL && s->tenant.n != tenant.n)
		s = s->next;
	if (s != NULL)
		return s;
	s = arena_object(us->a, struct user_source);
	s->users = us;
	s->tenant = tenant;
	s->last = &s->first;
	s->next = us->sources;
	us->sources = s;
	arena_defer(us->a, defer_source, s);
	return s;
}

/* The service as the page has it now. */
static struct user_source *
source_of(struct users *us, const struct page *page)
{
	struct user_source *s = source_find(us, page->tenant);

	if (s->how != NULL && s->how->hash == page->users->hash)
		return s;
	arena_free(&s->a);
	s->a = arena_new(CHUNK_BYTES);
	s->how = user_service_copy(s->a, page->users);
	s->slug = arena_strdup(s->a, page->slug);
	return s;
}

/* ---- Places ----------------------------------------------------------------------- */

static struct user **
bucket(struct users *us, struct tenant_id tenant, const char *id)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)tenant.n;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * UINT64_C(1099511628211);
	return &us->buckets[(h ^ h >> 32) % USER_BUCKETS];
}

/* The last one that nobody asks for goes when the bucket is full. */
static void
make_room(struct user **at)
{
	struct user **last = NULL;
	int count = 0;

	for (; *at != NULL; at = &(*at)->next) {
		count++;
		if (!(*at)->fetching)
			last = at;
	}
	if (count >= BUCKET_MAX && last != NULL)
		drop(last);
}

/* Nobody is asked for twice in a row for it: what is left of a failure counts, too. */
static void
sweep(struct user **at, int64_t now)
{
	while (*at != NULL) {
		if (!(*at)->fetching && now >= (*at)->stale_until_ms &&
		    now >= (*at)->ask_from_ms)
			drop(at);
		else
			at = &(*at)->next;
	}
}

void
users_sweep(struct users *us)
{
	int64_t now = clock_mono_ms();
	int i;

	if (now < us->sweep_ms)
		return;
	us->sweep_ms = now + SWEEP_MS;
	for (i = 0; i < SWEEP_BUCKETS; i++) {
		sweep(&us->buckets[us->swept], now);
		us->swept = (us->swept + 1) % USER_BUCKETS;
	}
}

/* What is known is of another service, or from before somebody was erased. */
static void
forget(struct user *u)
{
	json_decref(u->json);
	u->json = NULL;
	u->known = false;
	u->ask_from_ms = 0;
}

static struct user *
user_of(struct users *us, const struct page *page, const char *id)
{
	struct user **head = bucket(us, page->tenant, id), *u = *head;
	struct arena *a;

	while (u != NULL &&
	    (u->tenant.n != page->tenant.n || strcmp(u->id, id) != 0))
		u = u->next;
	if (u != NULL) {
		if (u->service != page->users->hash ||
		    u->erasures != page->erasures)
			forget(u);
		u->service = page->users->hash;
		u->erasures = page->erasures;
		return u;
	}
	make_room(head);
	a = arena_new(CHUNK_BYTES);
	u = arena_object(a, struct user);
	u->a = a;
	u->tenant = page->tenant;
	u->service = page->users->hash;
	u->erasures = page->erasures;
	u->id = arena_strdup(a, id);
	u->next = *head;
	*head = u;
	return u;
}

void
user_know(struct user *u, json_t *json, int64_t good_ms)
{
	int64_t now = clock_mono_ms();

	json_decref(u->json);
	u->json = json_incref(json);
	u->known = true;
	u->failures = 0;
	u->good_until_ms = now + good_ms;
	u->stale_until_ms = now + STALE_MS;
}

/* ---- memcached --------------------------------------------------------------------- */

static const char *
cache_key(struct arena *a, const struct user *u)
{
	return arena_printf(a, "user/%lld/%llx/%lld/%s",
	    (long long)u->tenant.n, (unsigned long long)u->service,
	    (long long)u->erasures, u->id);
}

/* A blob belongs to its key. */
static struct seal_place
place_of(struct arena *a, const struct user *u)
{
	const char *key = cache_key(a, u);
	struct seal_place place = { .tenant = u->tenant, .table = "user",
		.column = "cached" };

	(void)crypto_generichash(place.row.b, sizeof(place.row.b),
	    (const unsigned char *)key, strlen(key), NULL, 0);
	return place;
}

/* "when {...}": when the service said so, by the wall clock, which hosts have in common.
 * What is left of its five minutes counts here. */
static bool
adopt(struct user *u, const char *plain)
{
	int64_t said_ms, age_ms;
	json_t *json;
	int at = 0;

	if (sscanf(plain, "%" SCNd64 " %n", &said_ms, &at) != 1)
		return false;
	age_ms = clock_wall_ms() - said_ms;
	if (age_ms < 0 || age_ms >= GOOD_MS)
		return false;
	json = json_loads(plain + at, 0, NULL);
	if (json_is_object(json)) {
		user_know(u, json, GOOD_MS - age_ms);
		u->stale_until_ms -= age_ms;
	}
	json_decref(json);
	return u->known;
}

static bool
read_cached(struct users *us, struct user *u)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct seal_place place = place_of(a, u);
	struct err ignored;
	const void *blob;
	void *plain;
	size_t n;
	bool found = cache_get(us->p.cache, a, cache_key(a, u), &blob, &n) &&
	    unseal(a, us->p.ring, &place, blob, n, &plain, &n, &ignored) == 0 &&
	    adopt(u, plain);

	arena_free(&a);
	if (found)
		metrics_add(METRIC_USER_LOOKUPS_TOTAL, CACHED, 1);
	return found;
}

static void
write_cached(struct users *us, struct arena *a, const struct user *u)
{
	char *json = json_dumps(u->json, JSON_COMPACT), *text;
	struct seal_place place = place_of(a, u);
	struct err ignored;
	void *blob;
	size_t n;

	if (json == NULL)
		return;
	text = arena_printf(a, "%" PRId64 " %s", clock_wall_ms(), json);
	free(json);
	if (seal(a, us->p.ring, &place, text, strlen(text), &blob, &n,
	        &ignored) == 0)
		cache_set(us->p.cache, cache_key(a, u), blob, n, GOOD_MS);
}

/* ---- What came of it ---------------------------------------------------------------- */

/* Doubled each time, and spread. */
static int64_t
backoff_ms(int failures)
{
	int64_t ms = (int64_t)ASK_AGAIN_MS << (failures < 6 ? failures : 6);

	if (ms > ASK_AGAIN_MAX_MS)
		ms = ASK_AGAIN_MAX_MS;
	return ms / 2 + (int64_t)randombytes_uniform((uint32_t)ms);
}

void
user_failed(struct user *u, int64_t wait_ms)
{
	int64_t ms = backoff_ms(u->failures++);

	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	u->ask_from_ms = clock_mono_ms() + (wait_ms > ms ? wait_ms : ms);
	metrics_add(METRIC_USER_LOOKUPS_TOTAL, FAILED, 1);
}

void
user_answered(struct users *us, struct user *u, json_t *json)
{
	struct arena *a = arena_new(CHUNK_BYTES);

	user_know(u, json, json != NULL ? GOOD_MS : NOBODY_MS);
	if (json != NULL)
		write_cached(us, a, u);
	metrics_add(METRIC_USER_LOOKUPS_TOTAL, json != NULL ? ANSWERED : NOBODY,
	    1);
	arena_free(&a);
}

void
user_source_failed(struct user_source *s, const char *why)
{
	static const struct failure_limits limits = { FAILURES,
		FAILURES_SPAN_MS };
	int64_t now = clock_mono_ms();

	if (s->open_until_ms == 0) {
		if (!failures_add(&s->failures, &limits, now))
			return;
		log_warn(NULL, "user service is left alone: nothing but failures",
		    LF_INT("tenant_id", s->tenant.n), LF_STR("reason", why));
	}
	s->open_until_ms = now + s->users->p.try_every_ms;
	user_source_drop(s);
}

void
user_source_works(struct user_source *s)
{
	if (s->open_until_ms != 0)
		log_info(NULL, "user service works again",
		    LF_INT("tenant_id", s->tenant.n));
	s->open_until_ms = 0;
	failures_end(&s->failures);
}

/* ---- Asking ------------------------------------------------------------------------- */

/* What may be done now about somebody who is not known or no longer for sure. */
static void
refresh(struct users *us, struct user *u, const struct page *page,
    int64_t now)
{
	struct user_source *s = source_of(us, page);

	if (u->fetching || now < u->ask_from_ms || now < s->open_until_ms)
		return;
	if (!u->known && read_cached(us, u))
		return;
	/* While it does not work one request at a time tries it. */
	if (s->open_until_ms != 0)
		s->open_until_ms = now + us->p.try_every_ms;
	user_fetch(s, u);
}

static int64_t
wait_ms(struct users *us, const struct user *u, int64_t now)
{
	const struct user_source *s = source_find(us, u->tenant);
	int64_t from = u->ask_from_ms > s->open_until_ms ? u->ask_from_ms
							 : s->open_until_ms;

	if (u->fetching || from <= now)
		return LOOK_AGAIN_MS +
		    (int64_t)randombytes_uniform(LOOK_AGAIN_MS);
	return from - now + (int64_t)randombytes_uniform(LOOK_AGAIN_MS);
}

int
users_ask(struct users *us, const struct page *page, const char *user_id,
    json_t **user_r, int64_t *wait_ms_r)
{
	struct user *u = user_of(us, page, user_id);
	int64_t now = clock_mono_ms();

	if (!u->known || now >= u->good_until_ms)
		refresh(us, u, page, now);
	if (!u->known || (now >= u->good_until_ms && u->fetching &&
	                     u->json == NULL)) {
		*wait_ms_r = wait_ms(us, u, now);
		return 0;
	}
	if (now >= u->stale_until_ms) {
		u->known = false;
		*wait_ms_r = wait_ms(us, u, now);
		return 0;
	}
	metrics_add(METRIC_USER_LOOKUPS_TOTAL,
	    now < u->good_until_ms ? KNOWN : STALE, 1);
	*user_r = u->json;
	return 1;
}
