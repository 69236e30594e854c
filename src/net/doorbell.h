/*
 * doorbell.h - telling the spooler of this host that there is work
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A Unix datagram with a tenant and a queue.  Each spooler process listens at its own
 * path: the configured one, a dot and the number of its slot.  A ring that is lost (nobody
 * listens, the socket is full) costs one interval of polling and nothing else, so nothing
 * here waits or fails.
 */
#ifndef BELFRY_NET_DOORBELL_H
#define BELFRY_NET_DOORBELL_H

#include "base/compiler.h"
#include "base/id.h"

struct err;

/* Listens at "path".SLOT, whose stale socket is replaced; non-blocking, for owner and
 * group.  The caller closes the descriptor.  -1 with *e when the path cannot be used. */
int doorbell_open(const char *path, int slot, struct err *e) MUST_CHECK;

/* Rings at one of the spoolers of this host, in turn. */
void doorbell_ring(const char *path, struct tenant_id tenant, int queue);

/* Takes one ring: 1, or 0 when there is none left. */
int doorbell_read(int fd, struct tenant_id *tenant_r, int *queue_r);

#endif
