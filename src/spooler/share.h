/*
 * share.h - what a tenant may have of a spooler
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tenants take turns (turn.h); their quantum is the largest claim, times their weight.
 * Besides, none may hold more than a part of what is free and what it holds itself: the
 * dynamic threshold of shared-memory switches (Choudhury and Hahne, 1998).  So a tenant
 * alone has nearly everything, each further one that is busy takes from all others, and
 * there is always room for one that comes anew.
 */
#ifndef BELFRY_SPOOLER_SHARE_H
#define BELFRY_SPOOLER_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/heap.h"
#include "base/id.h"
#include "spooler/turn.h"

struct arena;
struct shares;

struct share {
	struct turn turn; /* among the tenants */
	struct turns keys; /* its keys that could be claimed now (keys.c) */
	struct heap_node shortage; /* waits until so many slots are free */
	struct tenant_id tenant;
	int held; /* deliveries in flight, and those promised to claims */
	int refs; /* its keys and claims */
	int promoted; /* rows promoted that were not claimed yet, as far as we know */
	int glut; /* promotion waits until there are fewer than this; 0: it does not */
	struct share *next; /* of its bucket, or of the free ones */
};

struct shares_params {
	int slots; /* how many deliveries the spooler holds at most */
	int percent; /* of what is free and what it holds, that a tenant may hold */
	int batch; /* rows of the largest claim */
};

struct shares *shares_new(struct arena *a, const struct shares_params *p) MUST_CHECK;

/* A tenant's share, made when there is none; to be released as often. */
struct share *share_of(struct shares *ss, struct tenant_id tenant) MUST_CHECK;
void share_release(struct shares *ss, struct share *s);

/* The weight of a tenant, from 1 on; 1 until it is known. */
void shares_weigh(struct shares *ss, struct tenant_id tenant, int64_t weight);

/* It holds n more (less, below 0). */
void share_hold(struct shares *ss, struct share *s, int n);

/* How many more it may hold. */
int share_room(const struct shares *ss, const struct share *s);

/* Slots that nobody holds. */
int shares_free(const struct shares *ss);

/* It has keys that could be claimed now, or has not. */
void share_ready(struct shares *ss, struct share *s, bool ready);

/* The tenant whose turn it is, and in *rows_r how many rows it may claim; NULL: nobody
 * is ready who may hold more. */
struct share *shares_next(struct shares *ss, int *rows_r);

/* Of what a tenant has in q_later another n rows may be promoted, unless as many that
 * were promoted have not been claimed yet; n were promoted; n were claimed, which were
 * all there are when "all".  The last is true when promotion waited for that. */
bool shares_may_promote(struct shares *ss, struct tenant_id tenant, int n);
void shares_promoted(struct shares *ss, struct tenant_id tenant, int n);
bool share_claimed_promoted(struct share *s, int n, bool all);

#endif
