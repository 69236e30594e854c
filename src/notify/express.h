/*
 * express.h - routing a notification while it is accepted
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * When a spooler of this host has little to do, the way through the queue is longer than
 * the work.  Then belfry-api routes by itself, as route.h does, and writes the
 * deliveries in the transaction that accepts the notification, with their leases and
 * first attempts; so the spooler may start as soon as it has committed.  It needs a
 * ticket from the spooler for each delivery (net/tickets.h) and hands all of them over
 * as a parcel by its doorbell.
 *
 * Only what can be decided from what a worker knows goes this way: recipients that bring
 * their own addresses, now, and all of them deliverable.  The rest is for the queue.  An
 * address that is suppressed is found in the transaction itself, which then fails and is
 * made once more without this way: only such notifications pay for it.  (Of a tenant's
 * very first suppression a worker learns within api.cache_check.)
 */
#ifndef BELFRY_NOTIFY_EXPRESS_H
#define BELFRY_NOTIFY_EXPRESS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct config;
struct db_batch;
struct err;
struct express;
struct known;
struct notification;
struct page;

struct express_params {
	const struct config *config;
	struct known *known;
	struct tenant_id tenant;
	unsigned channels; /* that the template or the content has parts for */
};

/* Plans the deliveries of a notification and takes their tickets: its way, or NULL when
 * it has to go through the queue.  "n" is used as long as the way is. */
struct express *express_take(struct arena *a, const struct express_params *p,
    struct notification *n) MUST_CHECK;

/* How many deliveries it became. */
int express_count(const struct express *x);

/* Adds the queries that check and write them. */
void express_write_add(struct arena *a, struct db_batch *b,
    const struct express *x);

/* The transaction failed for a suppressed address: it is for the queue.  "x" may be
 * NULL. */
bool express_is_refused(const struct express *x, const struct err *e);

/* After the commit: hands them over. */
void express_hand(struct express *x);

/* It goes by the queue after all: nobody waits for its parcel. */
void express_drop(struct express **x);

/* What a worker knows of a tenant's ways: its accounts, without credentials or branding, and
 * its quiet hours.  It is good until the second look-up after this one. */
int express_page(struct arena *a, struct known *known, struct tenant_id tenant,
    const struct page **page_r, struct err *e) MUST_CHECK;

#endif
