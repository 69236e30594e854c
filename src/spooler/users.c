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

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "net/cache_trusted.h"
#include "net/transfer.h"
#include "notify/book.h"
#include "notify/breaker.h"
#include "notify/user_service.h"

enum {
	BUCKETS = 4096,
	BUCKET_MAX = 8,
	CHUNK_BYTES = 2048,
	ANSWER_MAX = 64 * 1024,
	GOOD_MS = 300000,
	NOBODY_MS = 60000,
	STALE_MS = 3600000,
	ASK_AGAIN_MS = 1000,
	ASK_AGAIN_MAX_MS = 30000,
	LOOK_AGAIN_MS = 100,
	FAILURES = 5,
	FAILURES_SPAN_MS = 10000
};

/* The labels of METRIC_USER_LOOKUPS_TOTAL. */
enum { KNOWN, CACHED, ANSWERED, NOBODY, FAILED, STALE };

struct user {
	struct user *next;
	struct arena *a; /* of itself and what is known */
	struct tenant_id tenant;
	const char *id;
	uint64_t service; /* its hash, when it was asked for */
	json_t *json; /* NULL: the service knows nobody */
	bool known;
	bool fetching;
	int failures;
	int64_t good_until_ms, stale_until_ms, ask_from_ms; /* monotonic */
};

struct service {
	struct service *next;
	struct tenant_id tenant;
	struct failures failures;
	int64_t open_until_ms; /* monotonic; 0: it works */
};

struct users {
	struct arena *a;
	struct users_params p;
	struct user *buckets[BUCKETS];
	struct service *services; /* only grows: tenants with a service are few */
};

struct fetch {
	struct arena *a;
	struct users *users;
	struct user *user;
	struct service *service;
	const struct user_service *how; /* a copy: the page may go */
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

	for (i = 0; i < BUCKETS; i++)
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

static struct service *
service_of(struct users *us, struct tenant_id tenant)
{
	struct service *s = us->services;

	while (s != NULL && s->tenant.n != tenant.n)
		s = s->next;
	if (s == NULL) {
		s = arena_object(us->a, struct service);
		s->tenant = tenant;
		s->next = us->services;
		us->services = s;
	}
	return s;
}

/* ---- Places ----------------------------------------------------------------------- */

static struct user **
bucket(struct users *us, struct tenant_id tenant, const char *id)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)tenant.n;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * UINT64_C(1099511628211);
	return &us->buckets[(h ^ h >> 32) % BUCKETS];
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

static struct user *
user_of(struct users *us, const struct page *page, const char *id)
{
	struct user **head = bucket(us, page->tenant, id), *u = *head;
	struct arena *a;

	while (u != NULL &&
	    (u->tenant.n != page->tenant.n || strcmp(u->id, id) != 0))
		u = u->next;
	if (u != NULL) {
		if (u->service != page->users->hash) {
			u->known = false;
			u->ask_from_ms = 0;
		}
		u->service = page->users->hash;
		return u;
	}
	make_room(head);
	a = arena_new(CHUNK_BYTES);
	u = arena_object(a, struct user);
	u->a = a;
	u->tenant = page->tenant;
	u->service = page->users->hash;
	u->id = arena_strdup(a, id);
	u->next = *head;
	*head = u;
	return u;
}

static void
know(struct user *u, json_t *json, int64_t good_ms)
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
	return arena_printf(a, "user/%lld/%llx/%s", (long long)u->tenant.n,
	    (unsigned long long)u->service, u->id);
}

static bool
read_cached(struct users *us, struct user *u)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	const char *text = cache_get_trusted(us->p.cache, us->p.ring, a,
	    cache_key(a, u));
	json_t *json = text != NULL ? json_loads(text, 0, NULL) : NULL;

	if (json_is_object(json))
		know(u, json, GOOD_MS);
	arena_free(&a);
	if (json == NULL)
		return false;
	json_decref(json);
	metrics_add(METRIC_USER_LOOKUPS_TOTAL, CACHED, 1);
	return true;
}

static void
write_cached(struct users *us, struct arena *a, const struct user *u)
{
	char *text = json_dumps(u->json, JSON_COMPACT);

	if (text != NULL)
		cache_set_trusted(us->p.cache, us->p.ring, a, cache_key(a, u),
		    text, GOOD_MS);
	free(text);
}

/* ---- Asking ------------------------------------------------------------------------- */

/* Doubled each time, and spread. */
static int64_t
backoff_ms(int failures)
{
	int64_t ms = (int64_t)ASK_AGAIN_MS << (failures < 6 ? failures : 6);

	if (ms > ASK_AGAIN_MAX_MS)
		ms = ASK_AGAIN_MAX_MS;
	return ms / 2 + (int64_t)randombytes_uniform((uint32_t)ms);
}

static void
failed(struct fetch *f, const char *why)
{
	static const struct failure_limits limits = { FAILURES,
		FAILURES_SPAN_MS };
	struct service *s = f->service;
	struct user *u = f->user;
	int64_t now = clock_mono_ms();

	metrics_add(METRIC_USER_LOOKUPS_TOTAL, FAILED, 1);
	u->ask_from_ms = now + backoff_ms(u->failures++);
	if (s->open_until_ms != 0)
		s->open_until_ms = now + f->users->p.try_every_ms;
	else if (failures_add(&s->failures, &limits, now)) {
		s->open_until_ms = now + f->users->p.try_every_ms;
		log_warn(NULL, "user service is left alone: nothing but failures",
		    LF_INT("tenant_id", s->tenant.n), LF_STR("reason", why));
	}
}

static void
works(struct service *s)
{
	if (s->open_until_ms != 0)
		log_info(NULL, "user service works again",
		    LF_INT("tenant_id", s->tenant.n));
	s->open_until_ms = 0;
	failures_end(&s->failures);
}

static void
answered(struct fetch *f, const struct transfer_result *res)
{
	struct err e;
	json_t *json;

	if (res->status == 404 || res->status == 410) {
		works(f->service);
		know(f->user, NULL, NOBODY_MS);
		metrics_add(METRIC_USER_LOOKUPS_TOTAL, NOBODY, 1);
		return;
	}
	if (res->status != 200 || res->truncated) {
		failed(f, "another status than 200 and 404, or too much");
		return;
	}
	if (user_service_read(f->a, f->how, res->body, res->body_len, &json,
	        &e) == -1) {
		failed(f, e.text);
		return;
	}
	works(f->service);
	know(f->user, json, GOOD_MS);
	write_cached(f->users, f->a, f->user);
	metrics_add(METRIC_USER_LOOKUPS_TOTAL, ANSWERED, 1);
}

static void
done(void *arg, const struct transfer_result *res)
{
	struct fetch *f = arg;
	struct arena *a = f->a;

	f->user->fetching = false;
	if (res->outcome == TRANSFER_ANSWERED)
		answered(f, res);
	else if (res->outcome != TRANSFER_ABORTED)
		failed(f, res->error);
	arena_free(&a);
}

static const struct user_service *
copy_how(struct arena *a, const struct user_service *how)
{
	struct user_service *copy = arena_object(a, struct user_service);

	*copy = (struct user_service){
		.email = arena_strdup(a, how->email),
		.phone = arena_strdup(a, how->phone),
		.name = arena_strdup(a, how->name),
		.locale = arena_strdup(a, how->locale),
		.time_zone = arena_strdup(a, how->time_zone),
	};
	return copy;
}

static void
fetch(struct users *us, struct service *s, struct user *u,
    const struct user_service *how)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct fetch *f = arena_object(a, struct fetch);
	struct transfer_header *headers = arena_zalloc(a, 2, sizeof(*headers));
	struct transfer_request rq = {
		.kind = TRANSFER_HTTP,
		.url = user_service_url(a, how, u->id),
		.tls = strncmp(how->url, "https:", 6) == 0
		    ? TRANSFER_TLS_IMPLICIT
		    : TRANSFER_TLS_NONE,
		.timeout_ms = (int)how->timeout,
		.response_max = ANSWER_MAX,
		.headers = headers,
		.headers_count = how->token != NULL ? 2 : 1,
		.done = done,
		.arg = f,
	};
	struct transfer *t;
	struct err e;

	*f = (struct fetch){ a, us, u, s, copy_how(a, how) };
	headers[0] = (struct transfer_header){ "Accept", "application/json" };
	if (how->token != NULL)
		headers[1] = (struct transfer_header){ "Authorization",
			arena_printf(a, "Bearer %s", how->token) };
	if (how->ca_file != NULL)
		rq.ca_file = arena_strdup(a, how->ca_file);
	u->fetching = true;
	if (transfers_start(us->p.transfers, &rq, &t, &e) == 0)
		return;
	u->fetching = false;
	failed(f, e.text);
	arena_free(&a);
}

/* What may be done now about somebody who is not known or no longer for sure. */
static void
refresh(struct users *us, struct user *u, const struct page *page,
    int64_t now)
{
	struct service *s = service_of(us, u->tenant);

	if (u->fetching || now < u->ask_from_ms || now < s->open_until_ms)
		return;
	if (!u->known && read_cached(us, u))
		return;
	/* While it does not work one request at a time tries it. */
	if (s->open_until_ms != 0)
		s->open_until_ms = now + us->p.try_every_ms;
	fetch(us, s, u, page->users);
}

static int64_t
wait_ms(struct users *us, const struct user *u, int64_t now)
{
	const struct service *s = service_of(us, u->tenant);
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
