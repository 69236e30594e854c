/*
 * keys.c - which queues may have work
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table to find keys, and a ring in which they are taken in turn.  A key that is
 * taken out goes to a list of free ones.
 */
#include "spooler/keys.h"

#include "base/arena.h"
#include "base/ensure.h"

enum { BUCKETS = 1024 };

struct keys {
	struct arena *a;
	struct key *buckets[BUCKETS];
	struct key ring; /* its ring_next is whose turn it is */
	struct key *free;
	size_t count;
};

struct keys *
keys_new(struct arena *a)
{
	struct keys *ks = arena_object(a, struct keys);

	ks->a = a;
	ks->ring.ring_next = ks->ring.ring_prev = &ks->ring;
	return ks;
}

static struct key **
bucket(struct keys *ks, struct tenant_id tenant, int lane, int prio)
{
	uint64_t h = (uint64_t)tenant.n * 31 + (uint64_t)lane * 7 + (uint64_t)prio;

	return &ks->buckets[h % BUCKETS];
}

static void
ring_add(struct keys *ks, struct key *k)
{
	k->ring_prev = ks->ring.ring_prev;
	k->ring_next = &ks->ring;
	k->ring_prev->ring_next = k;
	ks->ring.ring_prev = k;
}

static void
ring_remove(struct key *k)
{
	k->ring_prev->ring_next = k->ring_next;
	k->ring_next->ring_prev = k->ring_prev;
}

static struct key *
add(struct keys *ks, struct tenant_id tenant, int lane, int prio)
{
	struct key **at = bucket(ks, tenant, lane, prio), *k = ks->free;

	if (k != NULL)
		ks->free = k->next;
	else
		k = arena_object(ks->a, struct key);
	*k = (struct key){ .tenant = tenant, .lane = lane, .prio = prio,
		.next = *at };
	*at = k;
	ring_add(ks, k);
	ks->count++;
	return k;
}

void
keys_mark(struct keys *ks, struct tenant_id tenant, int lane, int prio)
{
	struct key *k = *bucket(ks, tenant, lane, prio);

	while (k != NULL && (k->tenant.n != tenant.n || k->lane != lane ||
	                        k->prio != prio))
		k = k->next;
	if (k == NULL)
		k = add(ks, tenant, lane, prio);
	k->marked = true;
	k->marks++;
}

struct key *
keys_next(struct keys *ks, int max_claims, int64_t now_ms)
{
	struct key *k;
	size_t i;

	for (i = 0; i < ks->count; i++) {
		k = ks->ring.ring_next;
		ring_remove(k);
		ring_add(ks, k);
		if (k->marked &&
		    k->claims < (k->full && k->careful == 0 ? max_claims : 1) &&
		    k->pause_until_ms <= now_ms)
			return k;
	}
	return NULL;
}

int
keys_timeout_ms(const struct keys *ks, int64_t now_ms)
{
	const struct key *k;
	int64_t least = -1, ms;

	for (k = ks->ring.ring_next; k != &ks->ring; k = k->ring_next) {
		ms = k->pause_until_ms - now_ms;
		if (k->marked && ms > 0 && (least == -1 || ms < least))
			least = ms;
	}
	return (int)least;
}

bool
keys_are_marked(const struct keys *ks)
{
	const struct key *k = ks->ring.ring_next;

	while (k != &ks->ring && !k->marked)
		k = k->ring_next;
	return k != &ks->ring;
}

void
keys_forget_low_water(struct keys *ks)
{
	struct key *k;

	for (k = ks->ring.ring_next; k != &ks->ring; k = k->ring_next)
		k->low_water_ms = 0;
}

static void
take_out(struct keys *ks, struct key *k)
{
	struct key **p = bucket(ks, k->tenant, k->lane, k->prio);

	while (*p != k) {
		ensure(*p != NULL);
		p = &(*p)->next;
	}
	*p = k->next;
	ring_remove(k);
	k->next = ks->free;
	ks->free = k;
	ks->count--;
}

void
keys_expire(struct keys *ks, int64_t before_ms,
    void (*fn)(void *arg, const struct key *key), void *arg)
{
	struct key *k, *next;

	for (k = ks->ring.ring_next; k != &ks->ring; k = next) {
		next = k->ring_next;
		if (k->marked || k->holds > 0 || k->last_work_ms >= before_ms)
			continue;
		fn(arg, k);
		take_out(ks, k);
	}
}

size_t
keys_count(const struct keys *ks)
{
	return ks->count;
}
