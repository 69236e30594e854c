/*
 * doorbell.h - telling the spooler of this host that there is work
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Unix datagrams.  Each spooler process listens at its own path: the configured one, a
 * dot and the number of its slot.  There are two kinds:
 *
 * A ring is a tenant and a queue.  One that is lost (nobody listens, the socket is full)
 * costs one interval of polling and nothing else, so nothing waits or fails.
 *
 * A parcel is work that was leased to that spooler already (tickets.h), with all that
 * it needs.  It is waited for a moment when the socket is full.  One that is lost costs
 * a few seconds: the spooler finds leases of its own whose deliveries never came, and
 * those of a dead one are rescued.
 *
 * Whoever may write to the socket is trusted as the database is.  Still what comes is
 * read with care: noise is thrown away.
 */
#ifndef BELFRY_NET_DOORBELL_H
#define BELFRY_NET_DOORBELL_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/id.h"

struct err;

/* Listens at "path".SLOT, whose stale socket is replaced; non-blocking, for owner and
 * group.  The caller closes the descriptor.  -1 with *e when the path cannot be used. */
int doorbell_open(const char *path, int slot, struct err *e) MUST_CHECK;

/* Rings at one of the spoolers of this host, in turn. */
void doorbell_ring(const char *path, struct tenant_id tenant, int queue);

/* The largest parcel that the system lets through, at most 64 kB; 0: none. */
size_t doorbell_parcel_max(void);

/* Puts a parcel before the door of one spooler: 0, or -1 when it did not take it. */
int doorbell_hand(const char *path, int slot, const void *parcel, size_t n)
    MUST_CHECK;

/* What was heard: a ring, or a parcel, which is good until the next call. */
struct doorbell_heard {
	struct tenant_id tenant;
	int queue;
	const void *parcel; /* NULL: a ring */
	size_t parcel_bytes;
};

/* Takes one of either: 1, or 0 when there is none left. */
int doorbell_read(int fd, struct doorbell_heard *heard_r);

#endif
