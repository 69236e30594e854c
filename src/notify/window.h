/*
 * window.h - how many deliveries an account is given at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nobody says how much a server takes at once, so it is found out.  The window begins
 * small and grows by one with each answer (so it doubles in a round) until something is
 * refused; from then on it grows by one in a round, as a queue manager's or TCP's does.
 * Each refusal takes one away: it is one that the server had no room for.
 *
 * What was refused is remembered.  Above a count that was never served and was refused
 * lies the ceiling; it is tried again, by one delivery, ever more rarely.
 *
 * Pure: no clock, no memory of its own.
 */
#ifndef BELFRY_NOTIFY_WINDOW_H
#define BELFRY_NOTIFY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WINDOW_FIRST = 5, /* what a new account gets */
	WINDOW_PROBE_MS = 30000, /* until more than the ceiling is tried, at first */
	WINDOW_PROBE_MAX_MS = 15 * 60000 /* and at most */
};

struct window {
	double size;
	int limit; /* the size is never more */
	int good; /* so many at once were served */
	int ceiling; /* more were refused; 0: none is known */
	bool steady; /* something was refused: it grows slowly */
	int64_t probe_at_ms; /* when one more than the ceiling is tried */
	int64_t probe_every_ms;
};

void window_init(struct window *w, int limit);

/* The configuration changed. */
void window_set_limit(struct window *w, int limit);

/* After an outage: from one on, but quickly. */
void window_restart(struct window *w);

/* How many may be on their way now. */
int window_size(const struct window *w, int64_t now_ms);

/* A delivery was served, or refused, that was the "at"th on its way when it started. */
void window_served(struct window *w, int at, int64_t now_ms);
void window_refused(struct window *w, int at, int64_t now_ms);

#endif
