/*
 * keys.h - which queues may have work, and which is claimed next
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key is a tenant's queue: (tenant, lane, priority).  The doorbell, polling and our
 * own writes mark keys; claims unmark those that turn out empty.  Tenants take turns by
 * weight (share.h), and in a tenant's turn its keys do by priority: urgent, normal and
 * bulk 8 to 4 to 1, fresh and deferred one to one.  No key waits for another to be empty.
 */
#ifndef BELFRY_SPOOLER_KEYS_H
#define BELFRY_SPOOLER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/heap.h"
#include "base/id.h"
#include "spooler/turn.h"

struct arena;
struct share;
struct shares;

/* keys_update() moves a key between these, and nobody else. */
enum key_state {
	KEY_IDLE, /* not marked, no claim: in the heap "idle" by last_work_ms */
	KEY_BUSY, /* has the claims that it may have, or its last one is to tell */
	KEY_PAUSED, /* marked, but in the heap "paused" until pause_until_ms */
	KEY_READY /* takes turns with the tenant's other keys */
};

struct key {
	struct turn turn; /* among the keys of its tenant */
	struct heap_node wait; /* idle or paused */
	enum key_state state;
	struct tenant_id tenant;
	struct share *share; /* of the tenant */
	int lane;
	int prio; /* from PRIORITY_COUNT on: of what is deferred */
	int claims; /* claims of it under way */
	int holds; /* claims whose memory still names it */
	unsigned marks; /* counts up; a claim compares it */
	bool marked; /* may have work */
	bool counted; /* among those that are marked and not gated, by keys_update() */
	bool full; /* the last claim got all that it asked for */
	int careful; /* claims to come that take one row each */
	struct uuid condemned; /* the row whose claim of its own was refused */
	int promised; /* rows that claims under way may bring */
	bool gated; /* paused until an account has room (door.c) */
	int64_t check_page_ms; /* when it is asked again whether its page is right */
	int64_t pause_until_ms; /* after trouble, or so that work gathers */
	int64_t last_work_ms; /* when it last had some */
	int64_t low_water_ms; /* wall: nothing ready is due before; 0: not known */
	unsigned lowered; /* counts up; a claim compares it */
	bool old; /* had rows of notifications that are not fresh (claim.c) */
	int64_t swept; /* the last sweep that its claims know of */
	struct key *next; /* of its bucket */
};

struct keys;

struct keys *keys_new(struct arena *a, struct shares *ss) MUST_CHECK;

/* The key may have work. */
void keys_mark(struct keys *ks, struct tenant_id tenant, int lane, int prio);

/* The same from somebody who may have seen rows that a claim under way takes: while there
 * is one it is no news. */
void keys_mark_seen(struct keys *ks, struct tenant_id tenant, int lane, int prio);

/* To be called whenever marked, full, careful, claims, holds, gated or pause_until_ms
 * changed. */
void keys_update(struct keys *ks, struct key *k);

/* The key whose turn it is, of those that may be claimed (without a claim under way, or
 * with one when there is plenty and no care is needed), and how many rows may be asked
 * for; NULL when there is none or none may hold more. */
struct key *keys_next(struct keys *ks, int64_t now_ms, int *rows_r);

/* It took n rows; below 0: it gives back what it was charged. */
void keys_charge(struct key *k, int n);

/* An account of that lane has room again. */
void keys_ungate(struct keys *ks, struct tenant_id tenant, int lane);

/* Does work of that lane wait for an account? */
bool keys_are_gated(struct keys *ks, struct tenant_id tenant, int lane);

/* How many rows of that lane claims under way may bring. */
int keys_promised(struct keys *ks, struct tenant_id tenant, int lane);

/* Milliseconds until a marked key may be claimed whose pause is not over; -1: none. */
int keys_timeout_ms(struct keys *ks, int64_t now_ms);

/* True when any key is marked and not gated: something waits for us, or may. */
bool keys_are_marked(const struct keys *ks);

/* The next claim of each key looks behind its low-water mark: a minute, or with "all" at
 * everything. */
void keys_sweep(struct keys *ks, bool all);

/* From which moment on (wall) a claim of the key has to look; that claim is made. */
int64_t keys_low_water_ms(const struct keys *ks, struct key *k);

/* Calls fn for at most max keys that are not marked, are not held by a claim and had no
 * work since before_ms, and takes them out. */
void keys_expire(struct keys *ks, int64_t before_ms, int max,
    void (*fn)(void *arg, const struct key *key), void *arg);

/* Rows that are due from "ms" on (wall; 0: from any time) are in the queue again.  A claim
 * under way, which did not see them, must not raise the mark: k->lowered tells. */
void keys_lower_water(struct key *k, int64_t ms);

size_t keys_count(const struct keys *ks);

#endif
