/*
 * top.c - belfryctl top
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The same look as "queue", again and again, on a terminal that is cleared each time.
 */
#include <stdint.h>
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
#include "ctl/table.h"

enum { INTERVAL_S = 2, INTERVAL_MAX_S = 3600, CHUNK_BYTES = 65536 };

/* Lines of the time, of the heads and before them, and of the cursor. */
enum { HEADS = 9, ROWS_MIN = 3 };

static const struct out_column spooler_columns[] = {
	{ "host", "HOST" },
	{ "slot", "SLOT" },
	{ "pid", "PID" },
	{ "state", "STATE" },
	{ "heard_s", "HEARD (s)" },
	{ "in_flight", "IN FLIGHT" },
	{ "claims", "CLAIMS" },
	{ NULL, NULL },
};

/* Home, and away with what is below. */
static const char clear[] = "\033[H\033[J";

/* At most so many rows, and how many there are besides. */
static void
print_section(const struct ctl *c, const struct queue_look *look,
    enum queue_by by, size_t most)
{
	json_t *rows = queue_fold(c->a, look, by);
	size_t n = json_array_size(rows);

	if (n > most) {
		json_t *first = json_array();
		size_t i;

		for (i = 0; i + 1 < most; i++)
			json_array_append(first, json_array_get(rows, i));
		json_decref(rows);
		rows = first;
	}
	out_said(c, NULL, "%s", "");
	queue_print(c, rows, by);
	if (n > most)
		out_said(c, NULL, "... and %zu more", n - most + 1);
}

/* Lanes are few.  Tenants and accounts share what is left of the terminal. */
static size_t
rows_that_fit(const struct ctl *c, const struct queue_look *look,
    size_t spoolers)
{
	size_t columns, lines, used;
	json_t *lanes;

	if (!table_terminal(&columns, &lines))
		return SIZE_MAX;
	lanes = queue_fold(c->a, look, QUEUE_BY_LANE);
	used = HEADS + spoolers + json_array_size(lanes) +
	    (json_is_object(look->hold) ? 1 : 0);
	json_decref(lanes);
	return used + 2 * ROWS_MIN > lines ? ROWS_MIN : (lines - used) / 2;
}

static void
print(const struct ctl *c, const struct queue_look *look, json_t *spoolers)
{
	char at[CLOCK_TEXT_BYTES];
	size_t most;

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
	most = rows_that_fit(c, look, json_array_size(spoolers));
	out_table(c, spoolers, spooler_columns, "no spooler is running");
	print_section(c, look, QUEUE_BY_LANE, SIZE_MAX);
	print_section(c, look, QUEUE_BY_TENANT, most);
	print_section(c, look, QUEUE_BY_PROVIDER, most);
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
