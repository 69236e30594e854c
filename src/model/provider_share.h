/*
 * provider_share.h - tenants are given leave to use accounts of the platform
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a tenant is given is a row among its own accounts (provider_account.h), which only
 * the platform makes and takes away.  An account may also be for everybody: then each
 * tenant that is made gets it.  In what is allowed "{tenant}" stands for the slug.
 */
#ifndef BELFRY_MODEL_PROVIDER_SHARE_H
#define BELFRY_MODEL_PROVIDER_SHARE_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/id.h"

/* What a tenant may send as: entries, and characters of one. */
enum { PROVIDER_ALLOWED_MAX = 100, PROVIDER_ALLOWED_CHARS = 254 };

struct arena;
struct db;
struct db_batch;
struct db_rows;
struct editor;
struct err;
struct provider_account;

/* A tenant that was given an account. */
struct provider_share {
	struct tenant_id tenant;
	const char *slug;
	struct provider_id id; /* of the row among its own */
};

/* Who was given an account, in the order of their slugs. */
int provider_share_list(struct arena *a, struct db *db,
    struct provider_id account, struct provider_share **list_r, size_t *count_r,
    struct err *e) MUST_CHECK;

/* What a tenant has of an account: 1, 0, -1. */
int provider_share_find(struct arena *a, struct db *db, struct tenant_id tenant,
    struct provider_id account, struct provider_account **row_r, struct err *e)
    MUST_CHECK;

/* The row by which ed->tenant gets it.  ERR_CONFLICT when the name is taken. */
int provider_share_give(const struct editor *ed,
    const struct provider_account *account, const char *name,
    const char *allowed, struct err *e) MUST_CHECK;

/* From now on each new tenant gets it, and may send as "allowed" says; NULL: none gets it.
 * ed->tenant is the platform. */
int provider_share_allow(const struct editor *ed, struct provider_id account,
    const char *name, const char *allowed, struct err *e) MUST_CHECK;

/* What is allowed, for the tenant of that slug. */
const char *provider_share_allowed(struct arena *a, const char *allowed,
    const char *slug) MUST_CHECK;

/* For a tenant that is being made: adds the queries that read what is for everybody; and
 * from the rows of the second one the query that gives it. */
void provider_share_everyone_add(struct db_batch *b);
void provider_share_welcome_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const char *slug, const struct db_rows *rows);

#endif
