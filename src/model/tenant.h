/*
 * tenant.h - tenants
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table is a global one.  A change of a row raises the tenant's generation, so it
 * counts within api.cache_check, and its version, for ETags.
 */
#ifndef BELFRY_MODEL_TENANT_H
#define BELFRY_MODEL_TENANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct editor;
struct err;

enum tenant_state {
	TENANT_ACTIVE = 1,
	TENANT_SUSPENDED = 2,
	TENANT_DELETING = 3 /* suspended for good */
};

struct tenant {
	struct tenant_id id;
	const char *slug; /* its name outside */
	const char *name;
	enum tenant_state state;
	int weight; /* its share when there is more work than can be done */
	const char *default_locale;
	const char *time_zone;
	const char *settings; /* a JSON object (notify/tenant_settings.h) */
	const void *sealed; /* its secret ones; NULL: none */
	size_t sealed_bytes;
	bool test; /* nothing but simulators sends for it */
	int version;
	int64_t created_ms, updated_ms;
};

/* "active", "suspended", "deleting"; the list, for field tables, ends with NULL. */
extern const char *const tenant_state_names[];
const char *tenant_state_name(enum tenant_state state);

/* 1, 0 when there is none, -1. */
int tenant_get(struct arena *a, struct db *db, struct tenant_id id,
    struct tenant **tenant_r, struct err *e) MUST_CHECK;
int tenant_find(struct arena *a, struct db *db, const char *slug,
    struct tenant **tenant_r, struct err *e) MUST_CHECK;

/* At most "limit" whose slug comes after "after" ("": from the first on). */
int tenant_list(struct arena *a, struct db *db, const char *after, int limit,
    struct tenant **list_r, size_t *count_r, struct err *e) MUST_CHECK;

/* All of them but the platform, in the order of their slugs, some read at a time: begin with
 * { .a, .db }.  1 with the next one, which lives in "a"; 0 behind the last; -1. */
struct tenant_walk {
	struct arena *a;
	struct db *db;
	struct tenant *list;
	size_t count, at;
	bool begun;
};
int tenant_next(struct tenant_walk *w, struct tenant **tenant_r, struct err *e)
    MUST_CHECK;

/* Makes a tenant from t->slug, name, default_locale, time_zone, weight and test, and
 * sets t->id.  ed->tenant is not looked at.  ERR_CONFLICT when the slug is taken. */
int tenant_create(const struct editor *ed, struct tenant *t, struct err *e)
    MUST_CHECK;

/* Replaces what tenant_create() takes, but for the slug, and the settings, which were
 * checked.  t->id is the tenant, t->version the one that is expected (0: any).  "changed"
 * is for the audit: an object or NULL; its reference is taken.  ERR_NOT_FOUND also for
 * one that is being deleted, ERR_PRECONDITION. */
int tenant_update(const struct editor *ed, const struct tenant *t,
    json_t *changed, struct err *e) MUST_CHECK;

/* Suspends or resumes ed->tenant: a suspended one is sent nothing for, and
 * its keys are refused.  ERR_NOT_FOUND also for one that is being deleted. */
int tenant_set_state(const struct editor *ed, enum tenant_state state,
    struct err *e) MUST_CHECK;

/* Gives *e better words when it says that the platform's own tenant stays active.
 * Returns -1. */
int tenant_say_stays(struct err *e);

/* Sets the quiet hours of ed->tenant's recipients without their own: a JSON object that
 * was checked, or NULL for none. */
int tenant_set_quiet_hours(const struct editor *ed, const char *json,
    struct err *e) MUST_CHECK;

#endif
