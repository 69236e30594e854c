/*
 * tenant_facts.h - what every request must know of its tenant
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Remembered as model/known.h remembers things: a change counts within
 * api.cache_check.
 */
#ifndef BELFRY_NOTIFY_TENANT_FACTS_H
#define BELFRY_NOTIFY_TENANT_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct err;
struct known;
struct tenant_index;

struct tenant_facts {
	struct tenant_id id;
	const char *slug;
	bool suspended;
	const char *default_locale;
	const char *time_zone;
	const json_t *settings; /* an object */
	const json_t *limits; /* of it, NULL: none */
	const json_t *issuers; /* a list of [name, settings] */
};

/* Which slug is whose, as far as this worker was asked; lives in "a". */
struct tenant_index *tenant_index_new(struct arena *a, struct known *known,
    struct db *db) MUST_CHECK;

/* 1, 0 when there is no such tenant, -1.  *facts_r is good until the second call after
 * this one (known_get()). */
int tenant_facts_get(struct tenant_index *index, struct arena *a,
    struct tenant_id tenant, const struct tenant_facts **facts_r, struct err *e)
    MUST_CHECK;
int tenant_facts_find(struct tenant_index *index, struct arena *a,
    const char *slug, const struct tenant_facts **facts_r, struct err *e)
    MUST_CHECK;

#endif
