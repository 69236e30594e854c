/*
 * settle.h - the last station: outcomes are written, many at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Every statement is guarded by the lease: an outcome whose lease was taken over in the
 * meantime changes nothing and is recorded as a late result.
 */
#ifndef BELFRY_NOTIFY_SETTLE_H
#define BELFRY_NOTIFY_SETTLE_H

#include <stdbool.h>
#include <stddef.h>

#include "notify/decide.h"
#include "notify/work.h"

struct arena;
struct db_batch;
struct db_rows;
struct health;
struct health_notes;

/* Judged: fills *r with what is to be written for delivery "d". */
void settle_attempt(struct result *r, const struct delivery *d,
    const struct verdict *v, const struct retry_policy *policy,
    uint32_t random);

/* The end of a delivery without an attempt: EXPIRED or DEAD, and why. */
void settle_unsent(struct result *r, const struct delivery *d,
    enum delivery_state state, const char *reason);

/* Handed back: the delivery is ready again and its attempt does not count. */
void settle_handed_back(struct result *r, const struct delivery *d,
    const char *reason);

/* The database refuses a result: reduces it to what stands in as few places as possible,
 * its state and class.  What was to go on, is dead: it must not be sent for ever. */
void settle_least(struct result *r);

/* A transaction that writes the results (all of one tenant).  *took_r is the place of the
 * rows that settle_late() reads.  What they tell of accounts goes with them (health.h). */
struct settle_params {
	struct health *health;
	int park_after;
	bool untold; /* the tenant has no webhook endpoints */
	bool bare; /* the results alone: nothing of accounts, addresses, devices */
};
struct db_batch *settle_batch(struct arena *a, const struct settle_params *p,
    const struct result *first, size_t *took_r, struct health_notes *notes_r);

/* After it: how many results did not take effect.  When there are any, *late_r is the
 * batch that records them.  Those that did are marked, so that they are not called late
 * should all of it be repeated. */
size_t settle_late(struct arena *a, struct result *first,
    const struct db_rows *took_effect, struct db_batch **late_r);

#endif
