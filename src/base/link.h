/*
 * link.h - what stands in links that only we can have made
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whoever has such a link may do one thing, and needs no other proof: tell that a message was
 * opened, say.  What it holds is sealed (base/seal.h): it cannot be read, changed or made
 * by others, the same content makes the same text, and it is good as long as its key is in
 * the ring.  A link for one purpose is none for another.
 */
#ifndef BELFRY_BASE_LINK_H
#define BELFRY_BASE_LINK_H

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct keyring;

/* A delivery, and what else belongs to it: "" or an address where to go. */
struct link {
	struct tenant_id tenant;
	struct notification_id notification;
	struct delivery_id delivery;
	const char *rest;
};

enum { LINK_REST_MAX = 2048 };

/* The text; "rest" has at most LINK_REST_MAX bytes.  NULL when it cannot be sealed. */
const char *link_write(struct arena *a, const struct keyring *ring,
    const char *purpose, const struct link *l) MUST_CHECK;

/* -1 when it is none of ours for this purpose. */
int link_read(struct arena *a, const struct keyring *ring, const char *purpose,
    const char *text, struct link *l_r) MUST_CHECK;

#endif
