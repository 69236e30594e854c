/*
 * cache_trusted.h - memcached for what must not be forged
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Entries carry a keyed hash of their key and themselves, so whoever can write to
 * memcached can make Belfry miss, but not believe.
 */
#ifndef BELFRY_NET_CACHE_TRUSTED_H
#define BELFRY_NET_CACHE_TRUSTED_H

#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct cache;
struct keyring;

/* The text under a key, in "a"; NULL when there is none, or none of ours. */
const char *cache_get_trusted(struct cache *c, const struct keyring *ring,
    struct arena *a, const char *key) MUST_CHECK;

/* Stores a text for ttl_ms; "a" is for the time of the call. */
void cache_set_trusted(struct cache *c, const struct keyring *ring,
    struct arena *a, const char *key, const char *text, int64_t ttl_ms);

#endif
