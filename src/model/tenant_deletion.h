/*
 * tenant_deletion.h - a tenant that is deleted
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It is asked for here, and done by the spoolers, some rows at a time, in all tables that
 * have tenants (tenant_erase() in sql/migrations/0021_deletion.sql).  What can be read
 * here tells how far it came, and in the end it is the receipt.
 */
#ifndef BELFRY_MODEL_TENANT_DELETION_H
#define BELFRY_MODEL_TENANT_DELETION_H

#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct config;
struct db;
struct db_batch;
struct editor;
struct err;
struct tenant;

struct tenant_deletion {
	const char *requested_by;
	int64_t requested_ms;
	int64_t removed; /* rows */
	const char *tables; /* JSON: how many of each */
	int64_t finished_ms; /* 0: it is under way */
};

/* Makes t a tenant that is being deleted: from now on it is refused everything.
 * t->version is the one that is expected (0: any).  ERR_NOT_FOUND also when it is so
 * already, ERR_PRECONDITION. */
int tenant_delete(const struct editor *ed, const struct tenant *t,
    struct err *e) MUST_CHECK;

/* The last deletion of a tenant of that slug: 1, 0 when there was none, -1. */
int tenant_deletion_find(struct arena *a, struct db *db, const char *slug,
    struct tenant_deletion **d_r, struct err *e) MUST_CHECK;

/* Adds a step of the deletions that are to be done.  Its row tells how many rows went,
 * and the slug of a tenant that is gone; there is none when nothing is to do. */
void tenant_erase_add(struct db_batch *b, const struct config *config);

#endif
