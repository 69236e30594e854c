/*
 * audit.h - who changed what
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each change leaves one entry, written in the transaction of the change (edit.h).
 * What is said of a table's rows, before and after, the database collects itself
 * (audit_watch() in sql/).  An entry never holds a secret, and nothing of a recipient.
 * The entries of a tenant are a chain of hashes (doc/audit.md).
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
	const char *at; /* as it is hashed: "2026-11-30T08:00:00.123456Z" */
	const char *principal; /* "key:ab12...", "belfryctl:root" */
	const char *source; /* an address, "unix root@host"; or NULL */
	const char *action; /* "template.publish" */
	const char *object; /* "order-shipped" */
	const char *detail; /* a JSON object, or NULL */
	const char *changes; /* a JSON array, or NULL */
	const char *request_id; /* or NULL */
	int64_t seq; /* 0: it is older than the chain */
	const char *prev_hash, *hash; /* hexadecimal; or NULL */
};

/* Texts are NULL, times 0, for all. */
struct audit_filter {
	const char *principal, *action, *object;
	int64_t since_ms, until_ms;
};

/* Reads at most "limit" entries, newest first, that are older than *before
 * (NULL: from the newest on). */
int audit_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const struct audit_filter *filter, const struct uuid *before, int limit,
    struct audit **list_r, size_t *count_r, struct err *e) MUST_CHECK;

/* Reads a part of the chain in its order: at most "limit" entries behind the place
 * "after"; of the filter only the times count. */
int audit_chain(struct arena *a, struct db *db, struct tenant_id tenant,
    const struct audit_filter *filter, int64_t after, int limit,
    struct audit **list_r, size_t *count_r, struct err *e) MUST_CHECK;

struct audit_verdict {
	int64_t entries; /* that are in order */
	int64_t unchained; /* older than the chain: nothing proves them */
	const char *fault; /* what is wrong first, in "a"; NULL: nothing */
};

/* Goes through the chain and compares it with its head. */
int audit_verify(struct arena *a, struct db *db, struct tenant_id tenant,
    struct audit_verdict *verdict_r, struct err *e) MUST_CHECK;

#endif
