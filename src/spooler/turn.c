/*
 * turn.c - whose turn it is: deficit round robin
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "spooler/turn.h"

#include <stddef.h>

#include "base/ensure.h"

enum {
	FRESH_ROW_MAX = 16, /* then one of the others has its turn */
	REST = 8 /* less than this part of a quantum is not worth a turn */
};

static void
add_last(struct turn *head, struct turn *t)
{
	t->prev = head->prev;
	t->next = head;
	t->prev->next = t;
	head->prev = t;
}

static void
take_out(struct turn *t)
{
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->next = t->prev = NULL;
}

void
turns_init(struct turns *ts)
{
	*ts = (struct turns){ .round = 1 };
	ts->fresh.next = ts->fresh.prev = &ts->fresh;
	ts->old.next = ts->old.prev = &ts->old;
	add_last(&ts->old, &ts->mark);
}

bool
turns_wait(const struct turns *ts)
{
	return ts->fresh.next != &ts->fresh || ts->old.next != &ts->mark ||
	    ts->old.prev != &ts->mark;
}

bool
turn_waits(const struct turn *t)
{
	return t->next != NULL;
}

static bool
is_spent(const struct turn *t)
{
	return t->deficit <= t->quantum / REST;
}

void
turns_enter(struct turns *ts, struct turn *t)
{
	int64_t rounds = ts->round - t->round;

	ensure(t->quantum > 0);
	if (turn_waits(t))
		return;
	if (rounds > 0) {
		t->deficit += rounds * t->quantum;
		if (t->deficit > t->quantum)
			t->deficit = t->quantum;
		t->round = ts->round;
	}
	t->fresh = !is_spent(t);
	add_last(t->fresh ? &ts->fresh : &ts->old, t);
}

void
turns_leave(struct turns *ts, struct turn *t)
{
	if (turn_waits(t))
		take_out(t);
}

/* Who comes first in the old ring, with the round's quantum; NULL: nobody is in it. */
static struct turn *
first_old(struct turns *ts)
{
	struct turn *t = ts->old.next;

	if (t == &ts->mark) {
		if (t->next == &ts->old)
			return NULL;
		take_out(t);
		add_last(&ts->old, t);
		ts->round++;
		t = ts->old.next;
	}
	if (t->round != ts->round) {
		t->deficit += t->quantum;
		t->round = ts->round;
	}
	return t;
}

struct turn *
turns_first(struct turns *ts)
{
	struct turn *t;

	for (;;) {
		t = ts->fresh.next;
		if (t == &ts->fresh || ts->fresh_row >= FRESH_ROW_MAX) {
			ts->fresh_row = 0;
			t = first_old(ts);
		}
		if (t == NULL && ts->fresh.next == &ts->fresh)
			return NULL;
		if (t == NULL)
			continue;
		if (!is_spent(t)) {
			ts->fresh_row += t->fresh;
			return t;
		}
		take_out(t);
		t->fresh = false;
		add_last(&ts->old, t);
	}
}

void
turn_charge(struct turn *t, int64_t n)
{
	t->deficit -= n;
}
