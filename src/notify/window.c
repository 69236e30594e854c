/*
 * window.c - how many deliveries an account is given at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/window.h"

static int
least(int a, int b)
{
	return a < b ? a : b;
}

void
window_init(struct window *w, int limit)
{
	*w = (struct window){ .size = least(WINDOW_FIRST, limit),
		.limit = limit, .probe_every_ms = WINDOW_PROBE_MS };
}

void
window_set_limit(struct window *w, int limit)
{
	w->limit = limit;
	if (w->size > limit)
		w->size = limit;
}

void
window_restart(struct window *w)
{
	w->size = 1;
	w->steady = false;
}

/* The most that the ceiling allows; above it one, when its time has come. */
static int
most(const struct window *w, int64_t now_ms)
{
	int ceiling;

	if (w->ceiling == 0)
		return w->limit;
	ceiling = w->ceiling + (now_ms >= w->probe_at_ms ? 1 : 0);
	return least(ceiling, w->limit);
}

int
window_size(const struct window *w, int64_t now_ms)
{
	return least((int)w->size, most(w, now_ms));
}

/* The server takes more than it did. */
static void
lift_ceiling(struct window *w)
{
	w->ceiling = 0;
	w->probe_every_ms = WINDOW_PROBE_MS;
}

void
window_served(struct window *w, int at, int64_t now_ms)
{
	int top;

	if (at > w->good)
		w->good = at;
	if (w->ceiling > 0 && at > w->ceiling)
		lift_ceiling(w);
	/* One that had much room tells nothing of what there is room for. */
	if (2 * at < (int)w->size)
		return;
	w->size += w->steady ? 1 / w->size : 1;
	top = most(w, now_ms);
	if (w->size > top)
		w->size = top;
}

static void
set_ceiling(struct window *w, int at, int64_t now_ms)
{
	int ceiling = at > 1 ? at - 1 : 1;
	bool tried = w->ceiling > 0 && at > w->ceiling &&
	    now_ms >= w->probe_at_ms;

	if (tried && w->probe_every_ms < WINDOW_PROBE_MAX_MS)
		w->probe_every_ms *= 2;
	if (w->ceiling == 0 || ceiling < w->ceiling)
		w->ceiling = ceiling;
	w->probe_at_ms = now_ms + w->probe_every_ms;
}

void
window_refused(struct window *w, int at, int64_t now_ms)
{
	bool was_steady = w->steady;

	w->steady = true;
	w->size = w->size > 2 ? w->size - 1 : 1;
	if (at > w->good) {
		set_ceiling(w, at, now_ms);
	} else if (was_steady && w->good > (int)w->size) {
		/* So many were served once: the server has less room than it had. */
		w->good = (int)w->size;
	}
	if (w->size > most(w, now_ms))
		w->size = most(w, now_ms);
}
