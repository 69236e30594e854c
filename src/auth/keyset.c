/*
 * keyset.c - the key sets of issuers, kept and fetched again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What lies in the run directory and in memcached is the time of the fetch in
 * milliseconds, a line feed, and the set as it came.
 */
#include "auth/keyset.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "auth/jwks.h"
#include "auth/keyset_store.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/metrics.h"
#include "base/text.h"
#include "net/cache_trusted.h"
#include "net/fetch.h"
#include "web/js.h"

enum { FILES_MAX = 32, PREFIX_BYTES = crypto_generichash_BYTES_MIN };
enum { SETS_MAX = 256, NAME_BYTES = 16, LOOK_MS = 1000, WAIT_MS = 20, DISCOVERY_DEPTH = 16 };
enum { DISCOVERY_BYTES_MAX = 64 * 1024 };
enum { FETCHED_OK, FETCHED_FAILED }; /* of the metric */

#define DISCOVERY "/.well-known/openid-configuration"
#define CACHE_TTL_MS INT64_C(86400000)

struct keyset {
	struct keyset *next;
	struct arena *a; /* holds this struct, too */
	struct key_source source;
	const char *name; /* of its file */
	const char *path;
	struct keyset_stamp stamp;
	int64_t looked_ms; /* monotonic: at the file */
	int64_t patient_ms; /* monotonic: until then it waits for another's fetch */
	struct arena *keys_arena; /* of the set; NULL without one */
	struct jwks *keys;
	int64_t fetched_ms; /* wall */
	bool due;
	int64_t until_ms; /* monotonic: of what is guarded, the end of the fetch */
};

struct keysets {
	struct keysets_params p;
	struct keyset *first; /* the last used one */
	size_t count;
	bool failed; /* failure is not told yet */
	struct err failure;
};

/* ---- The sets of a worker ------------------------------------------------------ */

static void
keyset_free(struct keyset *s)
{
	struct arena *a = s->a;

	arena_free(&s->keys_arena);
	arena_free(&a);
}

static void
keysets_free(void *p)
{
	struct keysets *ks = p;
	struct keyset *s;

	while ((s = ks->first) != NULL) {
		ks->first = s->next;
		keyset_free(s);
	}
}

struct keysets *
keysets_new(struct arena *a, const struct keysets_params *p)
{
	struct keysets *ks = arena_object(a, struct keysets);

	ks->p = *p;
	arena_defer(a, keysets_free, ks);
	keyset_sweep(p->config->process_run_directory);
	return ks;
}

static bool
is_file(const struct key_source *source)
{
	return source->jwks[0] == '/';
}

const char *
keyset_owner(struct arena *a, struct tenant_id tenant)
{
	return arena_printf(a, "%" PRId64, tenant.n);
}

static const char *
owner_of(const struct key_source *source)
{
	return source->owner != NULL ? source->owner : "";
}

/* Did a tenant name it?  What is guarded besides is the default of a setting. */
static bool
is_guest(const struct key_source *source)
{
	return source->guarded && source->owner != NULL &&
	    source->owner[0] != '\0';
}

/* What the names of an owner's files begin with; "" for those of nobody. */
static const char *
prefix_of(struct arena *a, const struct key_source *source)
{
	const char *owner = owner_of(source);
	unsigned char hash[PREFIX_BYTES];

	if (!is_guest(source))
		return "";
	(void)crypto_generichash(hash, sizeof(hash),
	    (const unsigned char *)owner, strlen(owner), NULL, 0);
	return arena_printf(a, "%s-", text_hex(a, hash, sizeof(hash)));
}

/* Two sources are the same when all of them is. */
static const char *
name_of(struct arena *a, const struct key_source *source)
{
	const char *all = arena_printf(a, "%s\n%s\n%s\n%d\n%s",
	    source->issuer, source->jwks, source->ca_file,
	    source->guarded + source->of_platform, owner_of(source));
	unsigned char hash[NAME_BYTES];

	(void)crypto_generichash(hash, sizeof(hash),
	    (const unsigned char *)all, strlen(all), NULL, 0);
	return arena_printf(a, "%s%s", prefix_of(a, source),
	    text_hex(a, hash, sizeof(hash)));
}

static struct keyset *
keyset_new(struct keysets *ks, const struct key_source *source)
{
	struct arena *a = arena_new(1024);
	struct keyset *s = arena_object(a, struct keyset);

	s->a = a;
	s->source.issuer = arena_strdup(a, source->issuer);
	s->source.jwks = arena_strdup(a, source->jwks);
	s->source.ca_file = arena_strdup(a, source->ca_file);
	s->source.guarded = source->guarded;
	s->source.of_platform = source->of_platform;
	s->source.owner = arena_strdup(a, owner_of(source));
	s->name = name_of(a, source);
	s->path = is_file(source) ?
	    s->source.jwks :
	    arena_printf(a, "%s/jwks.%s", ks->p.config->process_run_directory,
	        s->name);
	s->looked_ms = -LOOK_MS;
	s->patient_ms = -KEYSET_PAUSE_MS;
	ks->count++;
	return s;
}

static bool
is_same(const struct key_source *a, const struct key_source *b)
{
	return strcmp(a->issuer, b->issuer) == 0 &&
	    strcmp(a->jwks, b->jwks) == 0 &&
	    strcmp(a->ca_file, b->ca_file) == 0 &&
	    a->guarded == b->guarded && a->of_platform == b->of_platform &&
	    strcmp(owner_of(a), owner_of(b)) == 0;
}

/* Finds a set or makes one, and puts it first; too many lose the one that was not used
 * for the longest time. */
static struct keyset *
keyset_of(struct keysets *ks, const struct key_source *source)
{
	struct keyset **p, *s;

	for (p = &ks->first; *p != NULL; p = &(*p)->next)
		if (is_same(&(*p)->source, source))
			break;
	s = *p;
	if (s != NULL)
		*p = s->next;
	else
		s = keyset_new(ks, source);
	s->next = ks->first;
	ks->first = s;
	if (ks->count > SETS_MAX) {
		for (p = &ks->first; (*p)->next != NULL;)
			p = &(*p)->next;
		keyset_free(*p);
		*p = NULL;
		ks->count--;
	}
	return s;
}

/* ---- Taking over a set --------------------------------------------------------- */

/* Puts a set into use.  -1 when it is none: then the one before stays. */
static int
adopt(struct keyset *s, const char *text, int64_t fetched_ms, struct err *e)
{
	struct arena *a = arena_new(4096);
	struct jwks *keys;

	if (jwks_parse(a, text, strlen(text), &keys, e) != 0) {
		arena_free(&a);
		return -1;
	}
	arena_free(&s->keys_arena);
	s->keys_arena = a;
	s->keys = keys;
	s->fetched_ms = fetched_ms;
	s->due = false;
	return 0;
}

/* The same with a text that begins with the time; only when it is a newer one. */
static int
adopt_stored(struct keyset *s, const char *text, struct err *e)
{
	char *end;
	int64_t fetched_ms = strtoll(text, &end, 10);

	if (*end != '\n' || fetched_ms > clock_wall_ms())
		return err_set(e, ERR_INTERNAL, "the stored key set is broken");
	if (s->keys != NULL && fetched_ms <= s->fetched_ms)
		return 0;
	return adopt(s, end + 1, fetched_ms, e);
}

/* Looks whether the file has changed. */
static int
look_at_file(struct keyset *s, struct arena *a, struct err *e)
{
	const char *text;
	int rc;

	s->looked_ms = clock_mono_ms();
	rc = keyset_file_read(a, s->path, &s->stamp, &text, e);
	if (rc != 1)
		return rc;
	return is_file(&s->source) ? adopt(s, text, clock_wall_ms(), e) :
	                             adopt_stored(s, text, e);
}

/* ---- Places ------------------------------------------------------------------------ */

enum { ONE_WORKER_OF = 4 }; /* may be held up by what tenants named */

/* May this worker see to the set, or wait for it?  Then leave() ends it. */
static bool
enter(const struct keysets *ks, const struct keyset *s, struct arena *a,
    int *place_r)
{
	const struct config *config = ks->p.config;
	int64_t count = config->api_workers / ONE_WORKER_OF;

	*place_r = -1;
	if (!is_guest(&s->source))
		return true;
	*place_r = keyset_place(a, config->process_run_directory,
	    s->source.owner, count > 0 ? (int)count : 1);
	return *place_r != -1;
}

static void
leave(int place)
{
	if (place != -1)
		close(place);
}

/* ---- Fetching ---------------------------------------------------------------------- */

static int64_t
patience_ms(const struct keyset *s)
{
	int64_t left_ms = s->until_ms - clock_mono_ms();

	if (!s->source.guarded)
		return KEYSET_FETCH_MS;
	return left_ms > 1 ? left_ms : 1;
}

static int
get(struct arena *a, const struct keysets *ks, const struct keyset *s,
    const char *url, size_t max_bytes, const char **text_r, size_t *len_r, struct err *e)
{
	const struct fetch_request request = {
		.url = url,
		.ca_file = s->source.ca_file[0] != '\0' ? s->source.ca_file :
		                                          NULL,
		.allowed = s->source.guarded ? ks->p.config->network_allowed
		                             : NULL,
		.allowed_platform = s->source.of_platform
		    ? ks->p.config->network_allowed_platform
		    : NULL,
		.max_bytes = max_bytes,
		.timeout_ms = patience_ms(s),
	};

	return fetch(a, &request, text_r, len_r, e);
}

/* OpenID Connect Discovery: the document must be that of the issuer. */
static int
discover(struct arena *a, const struct keysets *ks, const struct keyset *s,
    const char **url_r, struct err *e)
{
	const char *issuer = s->source.issuer, *text, *said;
	size_t len = strlen(issuer);
	json_t *json;

	if (len > 0 && issuer[len - 1] == '/')
		len--;
	if (get(a, ks, s, arena_printf(a, "%.*s" DISCOVERY, (int)len, issuer),
	        DISCOVERY_BYTES_MAX, &text, &len, e) != 0 ||
	    js_parse(a, text, len, DISCOVERY_DEPTH, &json, e) != 0)
		return -1;
	said = json_string_value(json_object_get(json, "issuer"));
	*url_r = json_string_value(json_object_get(json, "jwks_uri"));
	if (said == NULL || strcmp(said, issuer) != 0 || *url_r == NULL)
		return err_set(e, ERR_TEMPORARY,
		    "the discovery document of \"%.120s\" is of another issuer "
		    "or names no keys", issuer);
	return 0;
}

static int
fetch_keys(struct arena *a, struct keysets *ks, struct keyset *s,
    struct err *e)
{
	const char *url = s->source.jwks, *text, *stored;
	int64_t now_ms = clock_wall_ms();
	size_t len;

	s->until_ms = clock_mono_ms() + KEYSET_GUEST_MS;
	if ((url[0] == '\0' && discover(a, ks, s, &url, e) != 0) ||
	    get(a, ks, s, url, JWKS_BYTES_MAX, &text, &len, e) != 0)
		return -1;
	if (strlen(text) != len || adopt(s, text, now_ms, e) != 0)
		return err_detail(e, "the keys of \"%.120s\"", s->source.issuer);
	stored = arena_printf(a, "%" PRId64 "\n%s", now_ms, text);
	cache_set_trusted(ks->p.cache, ks->p.ring, a,
	    arena_printf(a, "jwks/%s", s->name), stored, CACHE_TTL_MS);
	return keyset_file_write(a, s->path, stored, e);
}

/* What another host has fetched within the pause is as good. */
static bool
take_from_cache(struct arena *a, struct keysets *ks, struct keyset *s)
{
	const char *text = cache_get_trusted(ks->p.cache, ks->p.ring, a,
	    arena_printf(a, "jwks/%s", s->name));
	int64_t before_ms = s->fetched_ms;
	struct err e;

	if (text == NULL || adopt_stored(s, text, &e) != 0 ||
	    s->fetched_ms == before_ms ||
	    clock_wall_ms() - s->fetched_ms >= KEYSET_PAUSE_MS)
		return false;
	if (keyset_file_write(a, s->path, text, &e) != 0)
		s->due = false;
	return true;
}

/* Fetches, when it is this worker's turn.  True when another one is just about it. */
static bool
refresh(struct arena *a, struct keysets *ks, struct keyset *s)
{
	struct err e;
	bool busy;
	int lock = keyset_lock(a, s->path, KEYSET_PAUSE_MS, &busy);

	s->due = false;
	if (lock == -1)
		return busy;
	if (is_guest(&s->source))
		keyset_thin(ks->p.config->process_run_directory,
		    prefix_of(a, &s->source), s->name, FILES_MAX,
		    KEYSET_PAUSE_MS);
	if (!take_from_cache(a, ks, s)) {
		if (fetch_keys(a, ks, s, &e) != 0) {
			ks->failed = true;
			ks->failure = e;
			metrics_add(METRIC_JWKS_FETCHES_TOTAL, FETCHED_FAILED, 1);
		} else {
			metrics_add(METRIC_JWKS_FETCHES_TOTAL, FETCHED_OK, 1);
		}
	}
	close(lock);
	return false;
}

/* ---- Looking up -------------------------------------------------------------------- */

static void
look(struct keysets *ks, struct keyset *s, struct arena *a)
{
	struct err e;

	if (look_at_file(s, a, &e) == -1) {
		ks->failed = true;
		ks->failure = e;
	}
}

/* The first set of all is worth waiting for: without it no token is good. */
static void
get_first(struct keysets *ks, struct keyset *s, struct arena *a)
{
	int64_t end_ms = clock_mono_ms() +
	    (s->source.guarded ? KEYSET_GUEST_MS : 2 * KEYSET_FETCH_MS);

	while (refresh(a, ks, s) && clock_mono_ms() < end_ms) {
		(void)poll(NULL, 0, WAIT_MS);
		look(ks, s, a);
		if (s->keys != NULL)
			return;
	}
	look(ks, s, a);
}

/* A worker waits for KEYSET_PATIENCE_MS in all while one fetch is under way. */
static bool
is_patient(struct keyset *s)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms - s->patient_ms >= KEYSET_PAUSE_MS)
		s->patient_ms = now_ms + KEYSET_PATIENCE_MS;
	return now_ms < s->patient_ms;
}

/* A set that is too old, or lacks a key, needs the next one. */
static void
get_next(struct keysets *ks, struct keyset *s, struct arena *a)
{
	while (refresh(a, ks, s) && is_patient(s))
		(void)poll(NULL, 0, WAIT_MS);
	look(ks, s, a);
}

/* The first set or the next.  False when there is no place for it. */
static bool
get_set(struct keysets *ks, struct keyset *s, struct arena *a)
{
	int place;

	if (!enter(ks, s, a, &place))
		return false;
	if (s->keys == NULL)
		get_first(ks, s, a);
	else
		get_next(ks, s, a);
	leave(place);
	return true;
}

static int64_t
age_ms(const struct keyset *s)
{
	int64_t age = clock_wall_ms() - s->fetched_ms;

	return s->keys == NULL || age < 0 ? KEYSET_OLD_MS : age;
}

/* Gives up the file for a newer one, or asks for one, as the age of the set demands. */
static void
keep_fresh(struct keysets *ks, struct keyset *s, struct arena *a)
{
	int64_t allowed_ms = is_file(&s->source) ? 0 : KEYSET_TEND_MS;

	if (age_ms(s) < allowed_ms ||
	    clock_mono_ms() - s->looked_ms < LOOK_MS)
		return;
	look(ks, s, a);
	if (is_file(&s->source))
		return;
	if (s->keys != NULL && age_ms(s) >= KEYSET_OLD_MS)
		(void)get_set(ks, s, a);
	else if (s->keys != NULL && age_ms(s) >= KEYSET_TEND_MS)
		s->due = true;
}

static const struct jwk *
key_of(const struct keyset *s, const char *kid)
{
	return s->keys != NULL ? jwks_find(s->keys, kid) : NULL;
}

int
keysets_find(struct keysets *ks, struct arena *a,
    const struct key_source *source, const char *kid, const struct jwk **key_r,
    struct err *e)
{
	struct keyset *s = keyset_of(ks, source);

	keep_fresh(ks, s, a);
	*key_r = key_of(s, kid);
	if (*key_r == NULL && !is_file(source)) {
		look(ks, s, a);
		*key_r = key_of(s, kid);
	}
	if (*key_r == NULL && !is_file(source)) {
		if (!get_set(ks, s, a))
			return err_set(e, ERR_TEMPORARY,
			    "the keys of too many issuers are being fetched");
		*key_r = key_of(s, kid);
	}
	if (*key_r != NULL)
		return 1;
	if (s->keys != NULL)
		return 0;
	err_set(e, ERR_TEMPORARY,
	    "the keys of the token's issuer could not be fetched");
	return -1;
}

int
keysets_tend(struct keysets *ks, struct err *e)
{
	struct arena *a = NULL;
	struct keyset *s;
	int place;

	for (s = ks->first; s != NULL && a == NULL; s = s->next) {
		if (!s->due)
			continue;
		a = arena_new(16384);
		if (enter(ks, s, a, &place)) {
			(void)refresh(a, ks, s);
			leave(place);
		}
		s->due = false; /* soon again, if it has not become newer */
	}
	arena_free(&a);
	if (!ks->failed)
		return 0;
	*e = ks->failure;
	ks->failed = false;
	return -1;
}
