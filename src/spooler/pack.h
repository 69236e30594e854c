/*
 * pack.h - the attachments of a notification, fetched once for all its deliveries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * They lie in one file without a name, from which each mail reads its own way through, so
 * memory does not grow with their size or with the mails that are on the wire.  A pack
 * is kept for a moment after its last use: other deliveries of the same notification may
 * follow.
 */
#ifndef BELFRY_SPOOLER_PACK_H
#define BELFRY_SPOOLER_PACK_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct attachment;
struct pack;
struct packs;
struct spooler;
struct upload;
struct verdict;

/* Embedded in what waits. */
struct pack_waiter {
	struct pack_waiter *next;

	/* A pack, which is held for the caller; or NULL and why there is none; or NULL
	 * twice: transfers were aborted. */
	void (*ready)(struct pack_waiter *w, struct pack *pack,
	    const struct verdict *v);
};

struct packs *packs_new(struct spooler *sp) MUST_CHECK;

/* Lets go what nobody has asked for in a while. */
void packs_service(struct packs *ps);

/* The attachments of a notification: the pack, held, when it is there; NULL when "w" is
 * called later. */
struct pack *pack_ask(struct packs *ps, struct tenant_id tenant,
    const struct notification_id *id, struct pack_waiter *w) MUST_CHECK;

const struct attachment *pack_list(const struct pack *p, size_t *count_r);
void pack_hold(struct pack *p);
void pack_release(struct pack *p);

/* What lives as long as the pack: memory, and what providers have of its files (upload.c,
 * to whom the list belongs). */
struct arena *pack_arena(struct pack *p);
struct upload **pack_uploads(struct pack *p);

#endif
