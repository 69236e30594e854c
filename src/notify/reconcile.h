/*
 * reconcile.h - what cannot happen, found and repaired
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For a damaged database, a backup that tore, a fault of our own.  One tenant at a time:
 * first its queue, then its history in slices.  Both belfryctl (src/ctl/reconcile.c) and
 * the spooler (src/spooler/reconcile.c) run the batches that are made here; each is a small
 * transaction and one round trip.  Nothing that is younger than twice
 * spooler.dead_after is looked at.
 */
#ifndef BELFRY_NOTIFY_RECONCILE_H
#define BELFRY_NOTIFY_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct config;
struct db_batch;
struct db_rows;

/* The labels of METRIC_RECONCILED_TOTAL. */
enum reconcile_kind {
	RECONCILE_LEASE, /* of nobody */
	RECONCILE_DELIVERY_LOST, /* open, in no queue */
	RECONCILE_ROW_STRAY, /* of nothing that is open */
	RECONCILE_NOTIFICATION_LOST, /* to be routed, in no queue */
	RECONCILE_COUNT, /* of open deliveries is wrong */
	RECONCILE_DONE, /* all ended, and it does not know */
	RECONCILE_KEY, /* work without its mark */
	RECONCILE_DEAD_LETTER, /* not among them */
	RECONCILE_KINDS
};

enum { RECONCILE_SLICE = 2000 }; /* notifications */

struct reconcile {
	const struct config *config;
	const char *by; /* on timelines */
	bool dry; /* find only */
	int64_t found[RECONCILE_KINDS];
};

/* "lease" and so on. */
const char *reconcile_kind_name(enum reconcile_kind kind);

/* What stands in the queue of a tenant. */
struct db_batch *reconcile_queue(struct arena *a, const struct reconcile *rc,
    struct tenant_id tenant) MUST_CHECK;
/* Counts what it found; true: there may be more, the same again. */
bool reconcile_queue_read(struct reconcile *rc, struct db_rows *const *rows);

/* The slice of its history that begins after "after". */
struct db_batch *reconcile_slice(struct arena *a, const struct reconcile *rc,
    struct tenant_id tenant, const struct uuid *after) MUST_CHECK;
/* False when there is none; else its last notification, and whether more follow. */
bool reconcile_slice_read(struct db_rows *const *rows, struct uuid *until_r,
    bool *more_r);

/* Where the last look at the tenant's history stopped; keeps where this one did. */
struct db_batch *reconcile_position(struct arena *a, struct tenant_id tenant)
    MUST_CHECK;
struct db_batch *reconcile_keep(struct arena *a, struct tenant_id tenant,
    const struct uuid *position) MUST_CHECK;

/* What belongs to the notifications after "after" up to "until". */
struct db_batch *reconcile_history(struct arena *a, const struct reconcile *rc,
    struct tenant_id tenant, const struct uuid *after,
    const struct uuid *until) MUST_CHECK;
/* As reconcile_queue_read(). */
bool reconcile_history_read(struct reconcile *rc, struct db_rows *const *rows);

/* How much was found in all. */
int64_t reconcile_total(const struct reconcile *rc);

#endif
