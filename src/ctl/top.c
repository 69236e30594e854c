/*
 * top.c - belfryctl top
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The same look as "queue", again and again, on a terminal that is cleared each time.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "ctl/queue.h"
#include "ctl/spooler.h"

enum { INTERVAL_S = 2, INTERVAL_MAX_S = 3600, CHUNK_BYTES = 65536 };

/* Home, and away with what is below. */
static const char clear[] = "\033[H\033[J";

static void
print_section(const struct ctl *c, const struct queue_look *look,
    enum queue_by by)
{
	out_said(c, NULL, "%s", "");
	queue_print(c, queue_fold(c->a, look, by), by);
}

static void
print(const struct ctl *c, const struct queue_look *look, json_t *spoolers)
{
	char at[CLOCK_TEXT_BYTES];

	clock_format(clock_wall_ms(), at);
	if (c->json) {
		out_object(c,
		    json_pack("{s:s, s:O, s:o, s:o, s:o, s:o}", "at", at,
		        "hold", look->hold, "spoolers", spoolers, "lanes",
		        queue_fold(c->a, look, QUEUE_BY_LANE), "tenants",
		        queue_fold(c->a, look, QUEUE_BY_TENANT), "providers",
		        queue_fold(c->a, look, QUEUE_BY_PROVIDER)),
		    NULL);
		return;
	}
	if (isatty(STDOUT_FILENO))
		out_raw(clear, sizeof(clear) - 1);
	out_said(c, NULL, "%s", at);
	queue_print_hold(c, look->hold);
	spooler_print(c, spoolers);
	print_section(c, look, QUEUE_BY_LANE);
	print_section(c, look, QUEUE_BY_TENANT);
	print_section(c, look, QUEUE_BY_PROVIDER);
	fflush(stdout);
}

static int
show(struct ctl *c, struct err *e)
{
	struct queue_look look;
	json_t *spoolers;

	if (queue_look(c, &look, e) == -1)
		return -1;
	if (spooler_rows(c, NULL, &spoolers, e) == -1) {
		queue_look_done(&look);
		return -1;
	}
	print(c, &look, spoolers);
	queue_look_done(&look);
	return 0;
}

int
command_top(struct ctl *c, struct err *e)
{
	struct arena *of_command = c->a;
	int64_t interval_s = INTERVAL_S;
	int rc;

	if (ctl_number(c, "interval", 1, INTERVAL_MAX_S, &interval_s, e) == -1)
		return -1;
	do {
		c->a = arena_new(CHUNK_BYTES);
		rc = show(c, e);
		arena_free(&c->a);
		c->a = of_command;
		if (rc == 0 && !ctl_has(c, "once"))
			nanosleep(&(struct timespec){ .tv_sec = interval_s },
			    NULL);
	} while (rc == 0 && !ctl_has(c, "once"));
	return rc;
}
