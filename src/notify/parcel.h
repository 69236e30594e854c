/*
 * parcel.h - accepted work on its way from belfry-api to the spooler it was leased to
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A notification that was routed when it was accepted, its deliveries, and the attempts
 * and leases that were committed for them: all that a claim would have read.  It goes
 * over the doorbell of one host, between programs of one version.
 */
#ifndef BELFRY_NOTIFY_PARCEL_H
#define BELFRY_NOTIFY_PARCEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "notify/work.h"

struct arena;
struct buf;

enum { PARCEL_DELIVERIES_MAX = 64 };

struct parcel {
	struct tenant_id tenant;
	struct uuid spooler; /* whose the leases are */
	int64_t good_until_ms; /* monotonic: it is not started later */
	int64_t generation; /* of the tenant when it was routed */
	struct notification n; /* what a delivery needs of it */
	size_t count;
	struct delivery *deliveries; /* of attempt 1 */
	struct provider_id *providers; /* theirs */
};

/* Adds it to a buffer, whose maximum it may overflow. */
void parcel_write(struct parcel *p, struct buf *out);

/* Reads one; its texts and lists are copied into "a".  0, or -1 for anything else but
 * a whole parcel. */
int parcel_read(struct arena *a, const void *bytes, size_t n,
    struct parcel *p_r) MUST_CHECK;

#endif
