/*
 * generation.h - how caches learn of a change
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each transaction that changes a tenant's accounts, keys, templates or providers
 * raises the tenant's generation.  A process that keeps such things in memory asks for
 * the generation at most every api.cache_check and drops what it read under another
 * one.  What lies in memcached has the generation in its key, so it never needs to be
 * taken out: a changed tenant simply looks elsewhere.  The database alone decides; a
 * memcached that is gone, empty or wrong delays nothing.
 */
#ifndef BELFRY_MODEL_GENERATION_H
#define BELFRY_MODEL_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/overload.h"

struct arena;
struct db;
struct db_batch;
struct err;

/* Adds the raising to a batch that changes something. */
void generation_bump(struct db_batch *b, struct tenant_id tenant);

/* What a process asks for again and again. */
struct generation {
	int64_t n;
	struct overload overload;
	bool unmeasured; /* nobody has measured the queue for long */
	bool webhooks; /* it has endpoints */
};

/* How it is now.  1, 0 when there is no such tenant, -1 with *e. */
int generation_get(struct db *db, struct arena *a, struct tenant_id tenant,
    struct generation *generation_r, struct err *e) MUST_CHECK;

#endif
