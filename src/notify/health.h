/*
 * health.h - how accounts at providers have been doing
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table provider_health holds a row for each account that had trouble; here is what
 * a spooler knows of it, read again every second and written with the results that tell
 * of trouble.  An account that is not in it is well.
 */
#ifndef BELFRY_NOTIFY_HEALTH_H
#define BELFRY_NOTIFY_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "notify/breaker.h"

struct arena;
struct db_batch;
struct db_rows;
struct health;
struct result;

struct account_health {
	struct account_health *next; /* of its bucket */
	struct provider_id id;
	enum breaker_state state;
	bool telling; /* we know more than the database does yet */
	int failures, refusals; /* in a row */
	int64_t opened_until_ms; /* wall: when it may be tried */
	int64_t blocked_until_ms; /* wall: it said when it wants to be asked again */
	double penalty; /* at penalised_ms */
	int64_t penalised_ms; /* wall */
	int64_t updated_ms; /* wall, the database's */
};

/* "recovery_ms": half of a penalty is gone after it. */
struct health *health_new(struct arena *a, int64_t recovery_ms) MUST_CHECK;

/* NULL: it is well. */
const struct account_health *health_find(const struct health *h,
    struct provider_id id);

/* The same, made when there is none: for what a spooler learns before the database
 * knows it (gate.h). */
struct account_health *health_of(struct health *h, struct provider_id id)
    MUST_CHECK;

/* May it be used now: its breaker is closed, and it is not blocked? */
bool health_is_usable(const struct health *h, struct provider_id id,
    int64_t now_ms);

/* The share of its weight that an account has left, above 0, at most 1.  "h" may be
 * NULL: all are well. */
double health_share(const struct health *h, struct provider_id id,
    int64_t now_ms);

/* Reading what changed, again and again. */
void health_changed_add(struct db_batch *b, struct health *h);
void health_changed_read(struct health *h, const struct db_rows *rows);

/* Queries that tell of accounts: one for a tenant's own, one for those of the platform.
 * The rows at each place are the accounts that were parked by it: id and name. */
struct health_notes {
	struct {
		size_t place;
		struct tenant_id owner; /* of the accounts */
	} list[2];
	size_t count;
};

/* Learns from the results of one transaction of a tenant and adds the queries that write
 * it, none when there is nothing to tell. */
void health_note_add(struct health *h, struct arena *a, struct db_batch *b,
    const struct result *first, int park_after, struct health_notes *notes_r);

#endif
