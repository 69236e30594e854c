/*
 * recipient.h - people who are reached, as services keep them here
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_MODEL_RECIPIENT_H
#define BELFRY_MODEL_RECIPIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct db_array;
struct db_batch;
struct db_rows;
struct editor;
struct err;

/* Texts are NULL when they are not known. */
struct recipient {
	const char *user_id; /* the service's name for the person */
	const char *email;
	const char *phone;
	const char *name;
	const char *locale;
	const char *time_zone;
	const char *data; /* a JSON object for templates */
	const char *quiet_hours; /* JSON (quiet_hours.h) */
	int version; /* for ETag */
	int64_t created_ms;
	int64_t updated_ms;
};

/* Stores a recipient, new or in place of the old one.  r->version is the one
 * that is expected (0: any; else there must be one already), afterwards it
 * is the new one. created_r (may be NULL) tells whether it is
 * new.  ERR_PRECONDITION when somebody else was faster. */
int recipient_put(const struct editor *ed, struct recipient *r,
    bool *created_r, struct err *e) MUST_CHECK;

/* 1, 0 when there is none, -1. */
int recipient_get(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *user_id, struct recipient **r_r, struct err *e) MUST_CHECK;

/* 1, 0 when there was none, -1. */
int recipient_delete(const struct editor *ed, const char *user_id,
    struct err *e) MUST_CHECK;

/* Many in a batch of one's own: those of the ids (texts) that there are, in
 * no order; then reads the rows. */
void recipient_find_add(struct db_batch *b, struct tenant_id tenant,
    const struct db_array *user_ids);
void recipient_from_rows(struct arena *a, const struct db_rows *rows,
    struct recipient **list_r, size_t *count_r);

/* At most "limit" whose id comes after "after" ("": from the first on). */
int recipient_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct recipient **list_r, size_t *count_r,
    struct err *e) MUST_CHECK;

#endif
