/*
 * audit.h - who changed what
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each change that an admin makes leaves one row, written in the transaction of
 * the change (edit.h).  The detail never holds a secret.
 */
#ifndef BELFRY_MODEL_AUDIT_H
#define BELFRY_MODEL_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct err;

struct audit {
	struct uuid id;
	int64_t at_ms;
	const char *principal; /* "key:ab12...", "belfryctl:root" */
	const char *action; /* "template.publish" */
	const char *object; /* "order-shipped" */
	const char *detail; /* a JSON object, or NULL */
	const char *request_id; /* or NULL */
};

/* Reads at most "limit" entries, newest first, that are older than *before
 * (NULL: from the newest on). */
int audit_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const struct uuid *before, int limit, struct audit **list_r,
    size_t *count_r, struct err *e) MUST_CHECK;

#endif
