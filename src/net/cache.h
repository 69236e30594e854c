/*
 * cache.h - memcached, which may vanish at any time
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A cache is asked and told; whatever goes wrong with it is a miss, counted and
 * otherwise unseen.  A server that does not answer is left alone for a second, and
 * for twice as long each further time up to 16 seconds, so that it does not cost a
 * timeout a request; the keys of the other servers are not touched by that.  Keys may hold any bytes: their hash
 * goes over the wire.
 *
 * Who can write to memcached can put any value under any key: what may not be
 * forged carries a secret_hash() of its key and itself.
 */
#ifndef BELFRY_NET_CACHE_H
#define BELFRY_NET_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct cache;
struct config;
struct err;

enum { CACHE_VALUE_BYTES_MAX = 512 * 1024 };

/* Makes a client for cache.servers, which lives in "a"; without servers it
 * misses everything.  Nothing is connected yet: call it after fork.  -1 with *e
 * when the list of servers cannot be read.  cache.timeout bounds each wait for
 * a server, but not the look-up of the name of a host. */
int cache_new(struct arena *a, const struct config *config,
    struct cache **cache_r, struct err *e) MUST_CHECK;

/* True when *value_r (in "a", followed by a NUL) and *n_r were found. */
bool cache_get(struct cache *c, struct arena *a, const char *key,
    const void **value_r, size_t *n_r) MUST_CHECK;

/* Stores a value for ttl_ms (at most 30 days); one that is too large is not
 * stored.  Does not wait for an answer. */
void cache_set(struct cache *c, const char *key, const void *value, size_t n,
    int64_t ttl_ms);

/* A counter: what cache_set() stored as decimal digits.  Adds to it and tells what it is
 * then: 1; 0 when there is none; -1 when its server failed or is left alone.  One round
 * trip. */
int cache_count(struct cache *c, const char *key, uint64_t by,
    uint64_t *after_r) MUST_CHECK;

/* Takes from a counter, down to 0.  Does not wait for an answer. */
void cache_uncount(struct cache *c, const char *key, uint64_t by);

/* Asks all servers whether they answer, pause or not. */
enum cache_state { CACHE_UNUSED, CACHE_OK, CACHE_FAILED };
enum cache_state cache_probe(struct cache *c);

#endif
