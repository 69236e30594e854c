/*
 * tickets.h - how much a spooler takes straight from who accepts it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each spooler process has a page of shared memory in a file beside its doorbell: the
 * path of the doorbell, ".SLOT.tickets".  On it stand the id that its leases carry, how
 * long that surely holds, and how many deliveries may be leased to it now.  Who takes
 * tickets writes leases with that id and hands the deliveries over by doorbell.
 *
 * A page is never truncated and never reused: who starts makes a new file and renames
 * it into place.  Whoever may write to it may make Belfry slow, not wrong: a lease that
 * names nobody is rescued.
 */
#ifndef BELFRY_NET_TICKETS_H
#define BELFRY_NET_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/uuid.h"

struct arena;
struct err;
struct tickets;

/* How long what was handed over may be started, counted from the taking of its ticket.
 * A spooler that looks for leases whose deliveries never came waits longer than that. */
enum { TICKET_GOOD_MS = 1000 };

/* ---- The spooler's side --------------------------------------------------------- */

/* Makes the page of a slot, for owner and group; nothing is offered yet.  Lives in "a".
 * -1 with *e when the file cannot be made. */
int tickets_open(struct arena *a, const char *path, int slot,
    struct tickets **t_r, struct err *e) MUST_CHECK;

/* Offers "count" tickets in place of what is left of the last offer, for leases of
 * "spooler", until a moment of the monotonic clock.  Tickets of another id that were
 * not taken by then are void. */
void tickets_offer(struct tickets *t, const struct uuid *spooler, int count,
    int64_t until_ms);

/* True while something may come still for tickets that were taken.  It stays so when a
 * taker dies. */
bool tickets_are_under_way(const struct tickets *t);

/* ---- The other side --------------------------------------------------------------- */

struct ticket {
	int slot; /* whose doorbell is to be rung */
	struct uuid spooler; /* what the leases have to name */
	int64_t good_until_ms; /* monotonic: it is not started later */
	unsigned serial; /* of the page where it was taken */
	bool under_way; /* not handed over yet */
};

/* True when any spooler of this host offers some. */
bool tickets_are_offered(const char *path);

/* Takes "count" tickets of one spooler of this host, all or none; the slots in turn.
 * Both cost no system call but once a second, when they look for new pages. */
bool tickets_take(const char *path, int count, struct ticket *ticket_r);

/* After what they were taken for was handed over or has come to nothing: the spooler
 * waits for it no longer.  A second time does nothing. */
void tickets_handed(struct ticket *ticket);

#endif
