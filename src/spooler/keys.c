/*
 * keys.c - which queues may have work, and which is claimed next
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table to find keys, and a place for each by its state, so that whatever has to
 * be found is first somewhere.  A key that is taken out goes to a list of free ones.
 */
#include "spooler/keys.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "model/channel.h"
#include "spooler/share.h"

enum {
	BUCKETS = 16384,
	CLAIMS_MAX = 2, /* of a key, so that a claim on its way does not hold up the next */
	QUANTUM_ROWS = 16, /* of priority "bulk" */
	QUEUE_PRIOS = 2 * PRIORITY_COUNT, /* fresh and deferred */
	SWEEP_MS = 60 * 1000 /* a transaction may commit this late */
};

struct keys {
	struct arena *a;
	struct shares *shares;
	struct key *buckets[BUCKETS];
	struct heap *idle, *paused;
	struct key *free;
	size_t count, marked;
	int64_t sweep, sweep_all; /* numbers of the last one, and of the last complete one */
};

struct keys *
keys_new(struct arena *a, struct shares *ss)
{
	struct keys *ks = arena_object(a, struct keys);

	ks->a = a;
	ks->shares = ss;
	ks->idle = heap_new(a);
	ks->paused = heap_new(a);
	return ks;
}

/* Its part of the tenant's turns. */
static int
quantum(int prio)
{
	static const int parts[PRIORITY_COUNT] = {
		[PRIORITY_URGENT] = 8,
		[PRIORITY_NORMAL] = 4,
		[PRIORITY_BULK] = 1,
	};

	return QUANTUM_ROWS * parts[(unsigned)prio % PRIORITY_COUNT];
}

static struct key **
bucket(struct keys *ks, struct tenant_id tenant, int lane, int prio)
{
	uint64_t h = (uint64_t)tenant.n * 61 + (uint64_t)lane * 7 + (uint64_t)prio;

	return &ks->buckets[h % BUCKETS];
}

static struct key *
add(struct keys *ks, struct tenant_id tenant, int lane, int prio)
{
	struct key **at = bucket(ks, tenant, lane, prio), *k = ks->free;

	if (k != NULL)
		ks->free = k->next;
	else
		k = arena_object(ks->a, struct key);
	*k = (struct key){ .state = KEY_BUSY, .tenant = tenant, .lane = lane,
		.prio = prio, .next = *at };
	k->turn.quantum = quantum(prio);
	k->share = share_of(ks->shares, tenant);
	*at = k;
	ks->count++;
	return k;
}

static struct key *
find(struct keys *ks, struct tenant_id tenant, int lane, int prio)
{
	struct key *k = *bucket(ks, tenant, lane, prio);

	while (k != NULL && (k->tenant.n != tenant.n || k->lane != lane ||
	                        k->prio != prio))
		k = k->next;
	return k;
}

void
keys_ungate(struct keys *ks, struct tenant_id tenant, int lane)
{
	struct key *k;
	int prio;

	for (prio = 0; prio < QUEUE_PRIOS; prio++) {
		k = find(ks, tenant, lane, prio);
		if (k != NULL && k->gated) {
			k->gated = false;
			k->pause_until_ms = 0;
			keys_update(ks, k);
		}
	}
}

bool
keys_are_gated(struct keys *ks, struct tenant_id tenant, int lane)
{
	const struct key *k;
	bool gated = false;
	int prio;

	for (prio = 0; prio < QUEUE_PRIOS; prio++) {
		k = find(ks, tenant, lane, prio);
		gated |= k != NULL && k->marked && k->gated;
	}
	return gated;
}

int
keys_promised(struct keys *ks, struct tenant_id tenant, int lane)
{
	const struct key *k;
	int prio, promised = 0;

	for (prio = 0; prio < QUEUE_PRIOS; prio++) {
		k = find(ks, tenant, lane, prio);
		promised += k != NULL ? k->promised : 0;
	}
	return promised;
}

void
keys_mark_seen(struct keys *ks, struct tenant_id tenant, int lane, int prio)
{
	const struct key *k = find(ks, tenant, lane, prio);

	if (k == NULL || k->claims == 0)
		keys_mark(ks, tenant, lane, prio);
}

void
keys_mark(struct keys *ks, struct tenant_id tenant, int lane, int prio)
{
	struct key *k = find(ks, tenant, lane, prio);

	if (k == NULL)
		k = add(ks, tenant, lane, prio);
	k->marks++;
	if (k->marked)
		return;
	k->marked = true;
	keys_update(ks, k);
}

/* ---- States ---------------------------------------------------------------------- */

static enum key_state
state_of(const struct key *k)
{
	int most = k->full && k->careful == 0 ? CLAIMS_MAX : 1;

	if (!k->marked)
		return k->holds == 0 ? KEY_IDLE : KEY_BUSY;
	if (k->claims >= most)
		return KEY_BUSY;
	return k->pause_until_ms > 0 ? KEY_PAUSED : KEY_READY;
}

void
keys_update(struct keys *ks, struct key *k)
{
	enum key_state state = state_of(k);

	bool counts = k->marked && !k->gated;

	ks->marked += (size_t)counts - (size_t)k->counted;
	k->counted = counts;
	if (state != k->state) {
		heap_remove(k->state == KEY_IDLE ? ks->idle : ks->paused,
		    &k->wait);
		turns_leave(&k->share->keys, &k->turn);
		k->state = state;
	}
	if (state == KEY_IDLE)
		heap_put(ks->idle, &k->wait, k->last_work_ms);
	else if (state == KEY_PAUSED)
		heap_put(ks->paused, &k->wait, k->pause_until_ms);
	else if (state == KEY_READY)
		turns_enter(&k->share->keys, &k->turn);
	share_ready(ks->shares, k->share, turns_wait(&k->share->keys));
}

/* ---- Taking turns ------------------------------------------------------------------- */

static void
end_pauses(struct keys *ks, int64_t now_ms)
{
	struct heap_node *node;
	struct key *k;

	while ((node = heap_first(ks->paused)) != NULL && node->order <= now_ms) {
		k = CONTAINER_OF(node, struct key, wait);
		k->pause_until_ms = 0;
		k->gated = false;
		keys_update(ks, k);
	}
}

struct key *
keys_next(struct keys *ks, int64_t now_ms, int *rows_r)
{
	struct share *s;

	end_pauses(ks, now_ms);
	s = shares_next(ks->shares, rows_r);
	if (s == NULL)
		return NULL;
	return CONTAINER_OF(turns_first(&s->keys), struct key, turn);
}

void
keys_charge(struct key *k, int n)
{
	turn_charge(&k->turn, n);
	turn_charge(&k->share->turn, n);
}

int
keys_timeout_ms(struct keys *ks, int64_t now_ms)
{
	const struct heap_node *node;

	end_pauses(ks, now_ms);
	node = heap_first(ks->paused);
	return node != NULL ? (int)(node->order - now_ms) : -1;
}

bool
keys_are_marked(const struct keys *ks)
{
	return ks->marked > 0;
}

/* ---- Low-water marks ------------------------------------------------------------------ */

void
keys_sweep(struct keys *ks, bool all)
{
	ks->sweep++;
	if (all)
		ks->sweep_all = ks->sweep;
}

int64_t
keys_low_water_ms(const struct keys *ks, struct key *k)
{
	int64_t swept = k->swept;

	k->swept = ks->sweep;
	if (k->low_water_ms == 0 || swept < ks->sweep_all)
		return 0;
	return swept < ks->sweep ? k->low_water_ms - SWEEP_MS : k->low_water_ms;
}

void
keys_lower_water(struct key *k, int64_t ms)
{
	k->lowered++;
	if (k->low_water_ms > ms)
		k->low_water_ms = ms;
}

/* ---- The end of keys ------------------------------------------------------------------- */

static void
take_out(struct keys *ks, struct key *k)
{
	struct key **p = bucket(ks, k->tenant, k->lane, k->prio);

	while (*p != k) {
		ensure(*p != NULL);
		p = &(*p)->next;
	}
	*p = k->next;
	heap_remove(ks->idle, &k->wait);
	share_release(ks->shares, k->share);
	k->next = ks->free;
	ks->free = k;
	ks->count--;
}

void
keys_expire(struct keys *ks, int64_t before_ms, int max,
    void (*fn)(void *arg, const struct key *key), void *arg)
{
	struct heap_node *node;
	struct key *k;

	while (max-- > 0 && (node = heap_first(ks->idle)) != NULL &&
	    node->order < before_ms) {
		k = CONTAINER_OF(node, struct key, wait);
		fn(arg, k);
		take_out(ks, k);
	}
}

size_t
keys_count(const struct keys *ks)
{
	return ks->count;
}
