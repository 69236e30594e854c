/*
 * cache.c - memcached, which may vanish at any time
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two of the library's paths end the process or worse when what listens is not
 * memcached (all seen with 1.1.4): the answer to a set, of which an assertion
 * expects that it is one of those known; and the whole binary protocol, which
 * believes the lengths in a header.  So the ASCII protocol is used and sets ask
 * for no answer, which also saves their round trip.
 *
 * Each server has a libmemcached handle of its own, so one that is gone costs
 * its own keys only.  After a failure the handle is thrown away: the library's
 * own ways of disabling and retrying a server count in whole seconds and
 * outlast a new connection.
 */
#include "net/cache.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmemcached/memcached.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"

enum { PAUSE_MS = 1000, PAUSE_MAX_MS = 16000, HASH_BYTES = 16, PREFIX_CHARS = 7 };
enum { KEY_CHARS = PREFIX_CHARS + 2 * HASH_BYTES };

/* More would be read as an absolute time. */
#define TTL_MS_MAX (INT64_C(30) * 86400 * 1000)

struct server {
	struct server *next;
	const char *host; /* or the path of a socket */
	in_port_t port; /* 0 with a path */
	uint64_t seed; /* of its name, to choose it by */
	memcached_st *mc; /* NULL until it is used, and after a failure */
	bool known; /* it has said that it is a memcached */
	int64_t pause_until_ms; /* monotonic */
	int64_t pause_ms; /* the last one; 0 after an answer */
};

struct cache {
	struct server *servers;
	int64_t timeout_ms;
};

/* What a key is called over there, and a number to choose its server by. */
struct wire_key {
	char text[KEY_CHARS + 1];
	uint64_t number;
};

static void
close_server(struct server *s)
{
	if (s->mc != NULL)
		memcached_free(s->mc);
	s->mc = NULL;
	s->known = false;
}

static void
defer_servers(void *p)
{
	struct cache *c = p;
	struct server *s;

	for (s = c->servers; s != NULL; s = s->next)
		close_server(s);
}

/* One server: the path of a socket, HOST, HOST:PORT or [ADDRESS]:PORT. */
static int
read_server(struct arena *a, struct server *s, const char *name, struct err *e)
{
	char *host = arena_strdup(a, name), *colon = strrchr(host, ':');
	char *end;
	long port = MEMCACHED_DEFAULT_PORT;
	size_t n;

	if (host[0] == '/') {
		s->host = host;
		return 0;
	}
	if (colon != NULL && strchr(colon, ']') == NULL) {
		port = strtol(colon + 1, &end, 10);
		if (colon[1] < '0' || colon[1] > '9' || *end != '\0')
			port = 0;
		*colon = '\0';
	}
	n = strlen(host);
	if (host[0] == '[' && n > 1 && host[n - 1] == ']') {
		host[n - 1] = '\0';
		host++;
	}
	if (port < 1 || port > 65535 || host[0] == '\0')
		return err_set(e, ERR_INVALID,
		    "cache.servers: \"%s\" is no server", name);
	s->host = host;
	s->port = (in_port_t)port;
	return 0;
}

static uint64_t
hash_name(const char *name, unsigned char hash[static HASH_BYTES])
{
	uint64_t number;

	(void)crypto_generichash(hash, HASH_BYTES, (const unsigned char *)name,
	    strlen(name), NULL, 0);
	memcpy(&number, hash, sizeof(number));
	return number;
}

static size_t
trailing_blanks(const char *text, size_t n)
{
	size_t count = 0;

	while (count < n && text[n - count - 1] == ' ')
		count++;
	return count;
}

int
cache_new(struct arena *a, const struct config *config, struct cache **cache_r,
    struct err *e)
{
	struct cache *c = arena_object(a, struct cache);
	const char *at = config->cache_servers, *name;
	unsigned char hash[HASH_BYTES];
	struct server *s;
	size_t n;

	c->timeout_ms = config->cache_timeout;
	arena_defer(a, defer_servers, c);
	for (; *at != '\0'; at += n) {
		at += strspn(at, " ,");
		n = strcspn(at, ",");
		if (n == 0)
			continue;
		name = arena_strndup(a, at, n - trailing_blanks(at, n));
		s = arena_object(a, struct server);
		s->seed = hash_name(name, hash);
		if (read_server(a, s, name, e) != 0)
			return -1;
		s->next = c->servers;
		c->servers = s;
	}
	*cache_r = c;
	return 0;
}

static void
set_behaviour(memcached_st *mc, int64_t timeout_ms)
{
	const struct {
		memcached_behavior_t flag;
		uint64_t value;
	} behaviours[] = {
		{ MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 0 },
		{ MEMCACHED_BEHAVIOR_NOREPLY, 1 },
		{ MEMCACHED_BEHAVIOR_NO_BLOCK, 1 },
		{ MEMCACHED_BEHAVIOR_TCP_NODELAY, 1 },
		{ MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, (uint64_t)timeout_ms },
		{ MEMCACHED_BEHAVIOR_POLL_TIMEOUT, (uint64_t)timeout_ms },
	};
	size_t i;

	for (i = 0; i < NELEMS(behaviours); i++)
		(void)memcached_behavior_set(mc, behaviours[i].flag,
		    behaviours[i].value);
}

static void
failed(struct server *s)
{
	metrics_add(METRIC_CACHE_ERRORS_TOTAL, 0, 1);
	s->pause_ms = s->pause_ms == 0 ? PAUSE_MS : 2 * s->pause_ms;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
	s->pause_until_ms = clock_mono_ms() + s->pause_ms;
	close_server(s);
}

/* Makes the handle if need be; nothing is connected before the first
 * request. */
static bool
open_server(const struct cache *c, struct server *s)
{
	memcached_return_t rc;

	if (s->mc != NULL)
		return true;
	s->mc = memcached_create(NULL);
	if (s->mc == NULL)
		panic("out of memory: memcached");
	set_behaviour(s->mc, c->timeout_ms);
	rc = s->port == 0 ? memcached_server_add_unix_socket(s->mc, s->host)
			  : memcached_server_add(s->mc, s->host, s->port);
	if (rc != MEMCACHED_SUCCESS)
		failed(s);
	return rc == MEMCACHED_SUCCESS;
}

static struct wire_key
wire_key(const char *key)
{
	struct wire_key wire = { .text = "belfry:" };
	unsigned char hash[HASH_BYTES];

	wire.number = hash_name(key, hash);
	sodium_bin2hex(wire.text + PREFIX_CHARS, 2 * HASH_BYTES + 1, hash,
	    sizeof(hash));
	return wire;
}

/* Mixes the bits of a number (the last step of SplitMix64). */
static uint64_t
mix(uint64_t n)
{
	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ^ n >> 31;
}

/* The server of a key: the one whose name and the key mix to the largest
 * number, so that one more or less moves only its own share of the keys.  NULL
 * while it pauses: its keys do not go to another, where they would lie stale
 * later. */
static struct server *
server_of(const struct cache *c, const struct wire_key *wire)
{
	struct server *s, *best = NULL;
	uint64_t score, best_score = 0;

	for (s = c->servers; s != NULL; s = s->next) {
		score = mix(s->seed ^ wire->number);
		if (best == NULL || score > best_score) {
			best = s;
			best_score = score;
		}
	}
	if (best == NULL || clock_mono_ms() < best->pause_until_ms ||
	    !open_server(c, best))
		return NULL;
	return best;
}

/* Asks one server.  1, 0, or -1 when it failed.  The library believes any
 * length that a server names; one near 2^64 overflows when it adds to it, and
 * then the bytes are not there. */
static int
ask(struct server *s, const struct wire_key *wire, char **value_r, size_t *n_r)
{
	memcached_return_t rc;
	uint32_t flags;
	size_t n = 0;
	char *value = memcached_get(s->mc, wire->text, KEY_CHARS, &n, &flags,
	    &rc);

	if (rc == MEMCACHED_SUCCESS && n <= CACHE_VALUE_BYTES_MAX &&
	    (value != NULL || n == 0)) {
		*value_r = value;
		*n_r = n;
		return 1;
	}
	free(value);
	return rc == MEMCACHED_NOTFOUND ? 0 : -1;
}

/* The timeout bounds each wait and not their sum: a server that trickles its
 * answer has to pause as well. */
static bool
took_too_long(const struct cache *c, int64_t begun_ms)
{
	return clock_mono_ms() - begun_ms > c->timeout_ms;
}

/* After a request that waited for its answer: "rc" is -1 without one. */
static void
judge(const struct cache *c, struct server *s, int rc, int64_t begun_ms)
{
	if (rc == -1 || took_too_long(c, begun_ms))
		failed(s);
	else
		s->pause_ms = 0;
}

bool
cache_get(struct cache *c, struct arena *a, const char *key,
    const void **value_r, size_t *n_r)
{
	struct wire_key wire = wire_key(key);
	struct server *s = server_of(c, &wire);
	int64_t begun_ms = clock_mono_ms();
	char *value = NULL;
	size_t n = 0;
	int rc;

	if (s == NULL)
		return false;
	rc = ask(s, &wire, &value, &n);
	judge(c, s, rc, begun_ms);
	if (rc != 1)
		return false;
	/* An empty value comes as NULL. */
	*value_r = arena_strndup(a, value != NULL ? value : "", n);
	*n_r = n;
	free(value);
	return true;
}

void
cache_set(struct cache *c, const char *key, const void *value, size_t n,
    int64_t ttl_ms)
{
	struct wire_key wire = wire_key(key);
	struct server *s = server_of(c, &wire);
	int64_t begun_ms = clock_mono_ms();
	memcached_return_t rc;

	if (s == NULL || n > CACHE_VALUE_BYTES_MAX || ttl_ms <= 0)
		return;
	if (ttl_ms > TTL_MS_MAX)
		ttl_ms = TTL_MS_MAX;
	rc = memcached_set(s->mc, wire.text, KEY_CHARS, value, n,
	    (time_t)((ttl_ms + 999) / 1000), 0);
	if (rc != MEMCACHED_SUCCESS || took_too_long(c, begun_ms))
		failed(s);
}

/* Counters want an answer, which is a flag of the handle. */
static void
want_answer(struct server *s, bool want)
{
	(void)memcached_behavior_set(s->mc, MEMCACHED_BEHAVIOR_NOREPLY,
	    want ? 0 : 1);
}

/* Is it a memcached at all?  When it answers a counter with a line that is too long, as
 * none does, the library ends the process. */
static bool
is_memcached(struct server *s)
{
	if (!s->known)
		s->known = memcached_version(s->mc) == MEMCACHED_SUCCESS;
	return s->known;
}

int
cache_count(struct cache *c, const char *key, uint64_t by, uint64_t *after_r)
{
	struct wire_key wire = wire_key(key);
	struct server *s = server_of(c, &wire);
	int64_t begun_ms = clock_mono_ms();
	memcached_return_t said = MEMCACHED_FAILURE;
	uint64_t after = 0;
	int rc;

	if (s == NULL)
		return -1;
	want_answer(s, true);
	if (is_memcached(s))
		said = memcached_increment_by_key(s->mc, wire.text, KEY_CHARS,
		    wire.text, KEY_CHARS, by, &after);
	want_answer(s, false);
	rc = said == MEMCACHED_NOTFOUND ? 0 :
	    said == MEMCACHED_SUCCESS   ? 1 :
	                                  -1;
	judge(c, s, rc, begun_ms);
	if (rc == 1)
		*after_r = after;
	return rc;
}

void
cache_uncount(struct cache *c, const char *key, uint64_t by)
{
	struct wire_key wire = wire_key(key);
	struct server *s = server_of(c, &wire);
	uint64_t after;

	if (s != NULL &&
	    memcached_decrement_by_key(s->mc, wire.text, KEY_CHARS, wire.text,
	        KEY_CHARS, by, &after) != MEMCACHED_SUCCESS)
		failed(s);
}

enum cache_state
cache_probe(struct cache *c)
{
	enum cache_state state = CACHE_UNUSED;
	struct wire_key wire = wire_key("probe");
	struct server *s;
	char *value;
	size_t n;
	int rc;

	for (s = c->servers; s != NULL; s = s->next) {
		value = NULL;
		rc = open_server(c, s) ? ask(s, &wire, &value, &n) : -1;
		free(value);
		if (rc == -1 && s->mc != NULL)
			failed(s);
		else if (rc != -1)
			s->pause_until_ms = s->pause_ms = 0;
		if (rc == -1)
			state = CACHE_FAILED;
		else if (state == CACHE_UNUSED)
			state = CACHE_OK;
	}
	return state;
}
