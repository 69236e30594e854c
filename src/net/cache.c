/*
 * cache.c - memcached, which may vanish at any time
 *
 * SPDX-License-Identifier: BSD-2-Clause
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

enum { PAUSE_MS = 1000, HASH_BYTES = 16, PREFIX_CHARS = 7 };
enum { KEY_CHARS = PREFIX_CHARS + 2 * HASH_BYTES };

struct cache {
	memcached_st *mc; /* NULL: there are no servers */
	int64_t pause_until_ms; /* monotonic */
};

static void
defer_memcached(void *p)
{
	memcached_free(p);
}

/* One server: the path of a socket, HOST, HOST:PORT or [ADDRESS]:PORT. */
static int
add_server(struct arena *a, memcached_st *mc, const char *s, size_t n,
    struct err *e)
{
	char *host = arena_strndup(a, s, n), *colon = strrchr(host, ':');
	memcached_return_t rc;
	char *end;
	long port = MEMCACHED_DEFAULT_PORT;

	if (host[0] != '/' && colon != NULL && colon[1] != '\0' &&
	    strchr(colon, ']') == NULL) {
		port = strtol(colon + 1, &end, 10);
		if (*end != '\0' || port < 1 || port > 65535)
			return err_set(e, ERR_INVALID,
			    "cache.servers: \"%s\" is no server", host);
		*colon = '\0';
	}
	n = strlen(host);
	if (host[0] == '[' && n > 1 && host[n - 1] == ']') {
		host[n - 1] = '\0';
		host++;
	}
	rc = host[0] == '/' ? memcached_server_add_unix_socket(mc, host)
			    : memcached_server_add(mc, host, (in_port_t)port);
	if (rc != MEMCACHED_SUCCESS)
		return err_set(e, ERR_INVALID, "cache.servers: \"%s\": %s",
		    host, memcached_strerror(mc, rc));
	return 0;
}

static void
set_behaviour(memcached_st *mc, int64_t timeout_ms)
{
	const struct {
		memcached_behavior_t flag;
		uint64_t value;
	} behaviours[] = {
		{ MEMCACHED_BEHAVIOR_TCP_NODELAY, 1 },
		{ MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, (uint64_t)timeout_ms },
		{ MEMCACHED_BEHAVIOR_POLL_TIMEOUT, (uint64_t)timeout_ms },
		{ MEMCACHED_BEHAVIOR_SND_TIMEOUT, (uint64_t)timeout_ms * 1000 },
		{ MEMCACHED_BEHAVIOR_RCV_TIMEOUT, (uint64_t)timeout_ms * 1000 },
		{ MEMCACHED_BEHAVIOR_DISTRIBUTION,
		    MEMCACHED_DISTRIBUTION_CONSISTENT },
		/* The pause is made here, for all servers together. */
		{ MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 0 },
		{ MEMCACHED_BEHAVIOR_DEAD_TIMEOUT, 0 },
	};
	size_t i;

	for (i = 0; i < NELEMS(behaviours); i++)
		(void)memcached_behavior_set(mc, behaviours[i].flag,
		    behaviours[i].value);
}

int
cache_new(struct arena *a, const struct config *config, struct cache **cache_r,
    struct err *e)
{
	struct cache *c = arena_object(a, struct cache);
	const char *s = config->cache_servers;
	size_t n;

	for (; *s != '\0'; s += n) {
		s += strspn(s, " ,");
		n = strcspn(s, " ,");
		if (n == 0)
			continue;
		if (c->mc == NULL) {
			c->mc = memcached_create(NULL);
			if (c->mc == NULL)
				panic("out of memory: memcached");
			arena_defer(a, defer_memcached, c->mc);
			set_behaviour(c->mc, config->cache_timeout);
		}
		if (add_server(a, c->mc, s, n, e) != 0)
			return -1;
	}
	*cache_r = c;
	return 0;
}

static bool
is_usable(const struct cache *c)
{
	return c->mc != NULL && clock_mono_ms() >= c->pause_until_ms;
}

static void
failed(struct cache *c)
{
	metrics_add(METRIC_CACHE_ERRORS_TOTAL, 0, 1);
	c->pause_until_ms = clock_mono_ms() + PAUSE_MS;
	memcached_quit(c->mc);
}

/* What a key is called over there. */
static void
wire_key(const char *key, char wire[static KEY_CHARS + 1])
{
	unsigned char hash[HASH_BYTES];

	(void)crypto_generichash(hash, sizeof(hash),
	    (const unsigned char *)key, strlen(key), NULL, 0);
	memcpy(wire, "belfry:", PREFIX_CHARS);
	sodium_bin2hex(wire + PREFIX_CHARS, 2 * HASH_BYTES + 1, hash,
	    sizeof(hash));
}

bool
cache_get(struct cache *c, struct arena *a, const char *key,
    const void **value_r, size_t *n_r)
{
	char wire[KEY_CHARS + 1], *value;
	memcached_return_t rc;
	uint32_t flags;
	size_t n;

	if (!is_usable(c))
		return false;
	wire_key(key, wire);
	value = memcached_get(c->mc, wire, KEY_CHARS, &n, &flags, &rc);
	if (rc != MEMCACHED_SUCCESS) {
		if (rc != MEMCACHED_NOTFOUND)
			failed(c);
		free(value);
		return false;
	}
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
	char wire[KEY_CHARS + 1];
	memcached_return_t rc;

	if (!is_usable(c) || n > CACHE_VALUE_BYTES_MAX)
		return;
	wire_key(key, wire);
	rc = memcached_set(c->mc, wire, KEY_CHARS, value, n,
	    (time_t)((ttl_ms + 999) / 1000), 0);
	if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_BUFFERED)
		failed(c);
}

enum cache_state
cache_probe(struct cache *c)
{
	char wire[KEY_CHARS + 1];
	memcached_return_t rc;
	uint32_t flags;
	size_t n;

	if (c->mc == NULL)
		return CACHE_UNUSED;
	wire_key("probe", wire);
	free(memcached_get(c->mc, wire, KEY_CHARS, &n, &flags, &rc));
	if (rc == MEMCACHED_SUCCESS || rc == MEMCACHED_NOTFOUND)
		return CACHE_OK;
	failed(c);
	return CACHE_FAILED;
}
