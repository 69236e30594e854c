/*
 * known.h - what a worker remembers of tenants
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Texts that were read from the database under one generation of their tenant
 * (generation.h), parsed, by kind and name.  A look-up costs nothing while the
 * generation was checked within api.cache_check; past that it costs one query for the
 * generation.  What this worker does not have is asked of memcached, under a name
 * that holds the generation, and then of the database.  Entries in memcached
 * carry a keyed hash, so whoever can write to it can make Belfry miss but not
 * believe.
 */
#ifndef BELFRY_MODEL_KNOWN_H
#define BELFRY_MODEL_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/overload.h"

struct arena;
struct cache;
struct config;
struct db;
struct db_batch;
struct db_rows;
struct err;
struct keyring;
struct known;

/* One kind of thing that can be remembered. */
struct known_kind {
	const char *name; /* "key", "template" */

	/* Adds the query for a name; text() tells what its rows hold, NULL when there
	 * is no such thing. */
	void (*add)(struct db_batch *b, struct tenant_id tenant, const char *name);
	const char *(*text)(const struct db_rows *rows);

	/* Parses a text into *record_r, all of which lives in "a". */
	int (*parse)(struct arena *a, const char *text, size_t len,
	    const void **record_r, struct err *e);
};

/* How far the tenant's queue and the whole one are overfull, as of the last time that the
 * tenant was looked at: a look-up of this request did so within api.cache_check. */
struct overload known_overload(struct known *k, struct tenant_id tenant);

/* Whether the tenant has webhook endpoints, as of the same time. */
bool known_webhooks(struct known *k, struct tenant_id tenant);

struct known_params {
	const struct config *config;
	const struct keyring *ring;
	struct db *db;
	struct cache *cache;
};

/* Lives in "a". */
struct known *known_new(struct arena *a, const struct known_params *p) MUST_CHECK;

/* Looks something up; *record_r is good until the second
 * call after this one.  "a" is for the time of
 * the call.  1, 0 when the tenant has no such thing, -1 with *e. */
int known_get(struct known *k, struct arena *a, const struct known_kind *kind,
    struct tenant_id tenant, const char *name, const void **record_r,
    struct err *e) MUST_CHECK;

#endif
