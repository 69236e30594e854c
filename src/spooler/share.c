/*
 * share.c - what a tenant may have of a spooler
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A ready tenant waits for its turn or, when it holds too much, for room: in a heap by
 * the number of free slots at which its next claim is worth while.  That number changes
 * only with what the tenant holds itself.
 */
#include "spooler/share.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/ensure.h"

enum {
	BUCKETS = 4096,
	PART = 8, /* a claim for less than this part of a share waits */
	RESERVE = 256 /* at least this part is left to others, whatever the weight */
};

struct shares {
	struct arena *a;
	struct shares_params p;
	struct share *buckets[BUCKETS];
	struct share *free;
	struct turns turns; /* ready, and may hold more */
	struct heap *shortage; /* ready, and hold too much */
	int held;
};

struct shares *
shares_new(struct arena *a, const struct shares_params *p)
{
	struct shares *ss = arena_object(a, struct shares);

	ss->a = a;
	ss->p = *p;
	ss->shortage = heap_new(a);
	turns_init(&ss->turns);
	return ss;
}

static struct share **
bucket(struct shares *ss, struct tenant_id tenant)
{
	return &ss->buckets[(uint64_t)tenant.n % BUCKETS];
}

static struct share *
find(struct shares *ss, struct tenant_id tenant)
{
	struct share *s = *bucket(ss, tenant);

	while (s != NULL && s->tenant.n != tenant.n)
		s = s->next;
	return s;
}

struct share *
share_of(struct shares *ss, struct tenant_id tenant)
{
	struct share **at = bucket(ss, tenant), *s = find(ss, tenant);

	if (s == NULL) {
		s = ss->free;
		if (s != NULL)
			ss->free = s->next;
		else
			s = arena_object(ss->a, struct share);
		*s = (struct share){ .tenant = tenant, .next = *at };
		s->turn.quantum = ss->p.batch;
		turns_init(&s->keys);
		*at = s;
	}
	s->refs++;
	return s;
}

void
share_release(struct shares *ss, struct share *s)
{
	struct share **at = bucket(ss, s->tenant);

	ensure(s->refs > 0);
	if (--s->refs > 0)
		return;
	ensure(s->held == 0);
	share_ready(ss, s, false);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->next = ss->free;
	ss->free = s;
}

void
shares_weigh(struct shares *ss, struct tenant_id tenant, int64_t weight)
{
	struct share *s = find(ss, tenant);

	if (s != NULL && weight > 0)
		s->turn.quantum = ss->p.batch * (int)weight;
}

int
shares_free(const struct shares *ss)
{
	return ss->held < ss->p.slots ? ss->p.slots - ss->held : 0;
}

/* What a tenant leaves to others of "all": with weight 1 as the percentage says, with
 * more so much that those who hold as much as they may do so in proportion to their
 * weights. */
static int
reserve(const struct shares *ss, const struct share *s, int64_t all)
{
	int64_t weight = s->turn.quantum / ss->p.batch;
	int64_t others = 100 - ss->p.percent;
	int64_t rest = all * others / (others + ss->p.percent * weight);

	return (int)(rest < all / RESERVE && others > 0 ? all / RESERVE : rest);
}

/* How much more a tenant may hold while "unheld" slots are free; 0 when it is so little
 * that a claim is better put off. */
static int
room(const struct shares *ss, const struct share *s, int unheld)
{
	int held = s->held;
	int limit = held + unheld - reserve(ss, s, held + unheld);
	int least = limit / PART < ss->p.batch ? limit / PART : ss->p.batch;
	int more = limit - held;

	return more > 0 && (more >= least || held == 0) ? more : 0;
}

int
share_room(const struct shares *ss, const struct share *s)
{
	return room(ss, s, shares_free(ss));
}

/* With how many free slots it has room. */
static int
need(const struct shares *ss, const struct share *s)
{
	int low = 0, high = ss->p.slots, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (room(ss, s, middle) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void
share_hold(struct shares *ss, struct share *s, int n)
{
	s->held += n;
	ss->held += n;
	ensure(s->held >= 0);
	if (s->shortage.place != 0)
		heap_put(ss->shortage, &s->shortage, need(ss, s));
}

void
share_ready(struct shares *ss, struct share *s, bool ready)
{
	if (!ready) {
		turns_leave(&ss->turns, &s->turn);
		heap_remove(ss->shortage, &s->shortage);
	} else if (s->shortage.place == 0) {
		turns_enter(&ss->turns, &s->turn);
	}
}

/* Those for whom enough is free now take turns again. */
static void
relieve(struct shares *ss)
{
	struct heap_node *node;
	struct share *s;

	while ((node = heap_first(ss->shortage)) != NULL &&
	    node->order <= shares_free(ss)) {
		s = CONTAINER_OF(node, struct share, shortage);
		heap_remove(ss->shortage, node);
		turns_enter(&ss->turns, &s->turn);
	}
}

struct share *
shares_next(struct shares *ss, int *rows_r)
{
	struct turn *t;
	struct share *s;
	int rows;

	if (shares_free(ss) == 0)
		return NULL;
	relieve(ss);
	while ((t = turns_first(&ss->turns)) != NULL) {
		s = CONTAINER_OF(t, struct share, turn);
		rows = share_room(ss, s);
		if (rows > 0) {
			if (rows > ss->p.batch)
				rows = ss->p.batch;
			*rows_r = rows < t->deficit ? rows : (int)t->deficit;
			return s;
		}
		turns_leave(&ss->turns, t);
		heap_put(ss->shortage, &s->shortage, need(ss, s));
	}
	return NULL;
}

bool
shares_may_promote(struct shares *ss, struct tenant_id tenant, int n)
{
	struct share *s = find(ss, tenant);

	if (s == NULL || s->promoted < n)
		return true;
	s->glut = n;
	return false;
}

void
shares_promoted(struct shares *ss, struct tenant_id tenant, int n)
{
	struct share *s = find(ss, tenant);

	if (s != NULL)
		s->promoted += n;
}

bool
share_claimed_promoted(struct share *s, int n, bool all)
{
	s->promoted = all || n > s->promoted ? 0 : s->promoted - n;
	if (s->promoted >= s->glut)
		return false;
	s->glut = 0;
	return true;
}
