/*
 * turn.h - whose turn it is: deficit round robin
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each of those that wait may take its quantum in a round.  What it did not take of it is
 * kept as long as it waits; what it took too much it owes.  Who comes while a round is
 * under way and has not had its quantum in it does not wait behind those that have been
 * there all the time: it is on the "fresh" list, which goes first, though not for ever
 * (as the sparse flows of RFC 8290).  So somebody with little to do is served at once
 * whatever the others have waiting, and over a round everybody gets the same.
 *
 * Each operation takes constant time, but for paying off debts: a debt of n quanta costs
 * n steps once.
 */
#ifndef BELFRY_SPOOLER_TURN_H
#define BELFRY_SPOOLER_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct turns;

/* One that takes turns, embedded.  All zero but for its quantum at first. */
struct turn {
	struct turn *next, *prev; /* NULL: it does not wait */
	int64_t deficit; /* what it may take still in its round; below 0: owes */
	int64_t round; /* that its last quantum belongs to; 0: had none yet */
	int quantum; /* at least 1 */
	bool fresh; /* which list it waits in */
};

struct turns {
	struct turn fresh, old; /* heads of rings */
	struct turn mark; /* in the old ring: what is behind it has had this round */
	int64_t round;
	int fresh_row; /* how often it was a fresh one's turn without a break */
};

void turns_init(struct turns *ts);

/* It has something to do.  No effect when it waits already. */
void turns_enter(struct turns *ts, struct turn *t);

/* It has nothing to do, or cannot now.  No effect when it does not wait. */
void turns_leave(struct turns *ts, struct turn *t);

/* Whose turn it is, who stays in his place; NULL: nobody waits. */
struct turn *turns_first(struct turns *ts);

/* Does anybody wait? */
bool turns_wait(const struct turns *ts);
bool turn_waits(const struct turn *t);

/* It took n; below 0: it gives back what it was charged. */
void turn_charge(struct turn *t, int64_t n);

#endif
