/*
 * issuer_store.h - a tenant's own issuers of access tokens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Their settings are JSON here; auth/issuer.h knows what they mean.
 */
#ifndef BELFRY_MODEL_ISSUER_STORE_H
#define BELFRY_MODEL_ISSUER_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct editor;
struct err;

enum { ISSUERS_PER_TENANT_MAX = 8 };

struct issuer_row {
	struct uuid id;
	const char *name; /* a slug, unique in the tenant */
	const char *settings; /* a JSON object */
	int version; /* for ETag */
	int64_t created_ms;
	int64_t updated_ms;
};

int issuer_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct issuer_row **list_r, size_t *count_r,
    struct err *e) MUST_CHECK;

/* 1, 0 when there is none, -1. */
int issuer_get(struct arena *a, struct db *db, struct tenant_id tenant,
    struct uuid id, struct issuer_row **row_r, struct err *e) MUST_CHECK;

/* Makes one from its name and settings, and sets its id. */
int issuer_create(const struct editor *ed, struct issuer_row *row, struct err *e)
    MUST_CHECK;

/* Replaces name and settings.  row->version is the one that is expected (0: any). */
int issuer_update(const struct editor *ed, struct issuer_row *row, struct err *e)
    MUST_CHECK;
int issuer_remove(const struct editor *ed, struct uuid id, int expected_version,
    struct err *e) MUST_CHECK;

#endif
