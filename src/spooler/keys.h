/*
 * keys.h - which queues may have work
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key is a tenant's queue: (tenant, lane, priority).  The doorbell, polling and our
 * own writes mark keys; claims unmark those that turn out empty.  Marked keys are taken
 * in turn, so one tenant's backlog does not keep the others waiting.
 */
#ifndef BELFRY_SPOOLER_KEYS_H
#define BELFRY_SPOOLER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;

struct key {
	struct tenant_id tenant;
	int lane;
	int prio;
	int claims; /* claims of it under way */
	int holds; /* claims whose memory still names it */
	unsigned marks; /* counts up; a claim compares it */
	bool marked; /* may have work */
	bool full; /* the last claim got all that it asked for */
	int careful; /* claims to come that take one row each */
	struct uuid condemned; /* the row whose claim of its own was refused */
	int64_t pause_until_ms; /* after trouble, or so that work gathers */
	int64_t last_work_ms; /* when it last had some */
	int64_t low_water_ms; /* wall: nothing ready is due before; 0: not known */
	struct key *next; /* of its bucket */
	struct key *ring_next, *ring_prev;
};

struct keys;

struct keys *keys_new(struct arena *a) MUST_CHECK;

/* The key may have work. */
void keys_mark(struct keys *ks, struct tenant_id tenant, int lane, int prio);

/* The next marked key that may be claimed, or NULL: without a claim under way, or with
 * fewer than max_claims when there is plenty and no care is needed. */
struct key *keys_next(struct keys *ks, int max_claims, int64_t now_ms);

/* Milliseconds until a marked key may be claimed whose pause is not over; -1: none. */
int keys_timeout_ms(const struct keys *ks, int64_t now_ms);

/* True when any key is marked: something waits, or may. */
bool keys_are_marked(const struct keys *ks);

/* Forgets all low-water marks: the next claims look at everything. */
void keys_forget_low_water(struct keys *ks);

/* Calls fn for each key that is not marked, is not held by a claim and had no work since
 * before_ms, and takes it out. */
void keys_expire(struct keys *ks, int64_t before_ms,
    void (*fn)(void *arg, const struct key *key), void *arg);

size_t keys_count(const struct keys *ks);

#endif
