/*
 * number.c - options and arguments that are numbers or times
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "web/field_form.h"

static int
parse(const char *name, const char *text, int64_t min, int64_t max,
    int64_t *n_r, struct err *e)
{
	long long n;
	char *end;

	if (text == NULL)
		return 0;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < min || n > max)
		return err_set(e, ERR_INVALID,
		    "%s takes a number from %" PRId64 " to %" PRId64
		    ", not \"%.40s\"",
		    name, min, max, text);
	*n_r = n;
	return 0;
}

int
ctl_number(const struct ctl *c, const char *option, int64_t min, int64_t max,
    int64_t *n_r, struct err *e)
{
	return parse(arena_printf(c->a, "--%s", option), ctl_value(c, option),
	    min, max, n_r, e);
}

int
ctl_number_argument(const struct ctl *c, size_t n, const char *name,
    int64_t *n_r, struct err *e)
{
	return parse(name, ctl_argument(c, n), 1, INT32_MAX, n_r, e);
}

/* A time, a date, which is its midnight in UTC, or how far away it is. */
static int
read_time(const struct ctl *c, const char *text, enum ctl_direction direction,
    int64_t *ms_r)
{
	int64_t away_ms, now_ms = clock_wall_ms();

	if (clock_parse(text, ms_r) == 0 ||
	    clock_parse(arena_printf(c->a, "%.40sT00:00:00Z", text), ms_r) == 0)
		return 0;
	if (form_duration_parse(text, &away_ms) == -1 ||
	    away_ms > (direction == CTL_AGO ? now_ms - CLOCK_FIRST_MS :
	    CLOCK_LAST_MS - now_ms))
		return -1;
	*ms_r = direction == CTL_AGO ? now_ms - away_ms : now_ms + away_ms;
	return 0;
}

static int
need_time(const struct ctl *c, const char *name, const char *text,
    enum ctl_direction direction, int64_t *ms_r, struct err *e)
{
	if (text == NULL || read_time(c, text, direction, ms_r) == 0)
		return 0;
	return err_set(e, ERR_INVALID,
	    "%s: \"%.60s\" is no time: write \"2026-12-01T08:00:00Z\", a date "
	    "such as \"2026-12-01\", or %s \"7d\" or \"24h\"", name, text,
	    direction == CTL_AGO ? "how long ago, as in" : "in how long, as in");
}

int
ctl_time(const struct ctl *c, const char *option, enum ctl_direction direction,
    int64_t *ms_r, struct err *e)
{
	return need_time(c, arena_printf(c->a, "--%s", option),
	    ctl_value(c, option), direction, ms_r, e);
}

int
ctl_time_argument(const struct ctl *c, size_t n, const char *name,
    enum ctl_direction direction, int64_t *ms_r, struct err *e)
{
	return need_time(c, name, ctl_argument(c, n), direction, ms_r, e);
}

int
ctl_duration(const struct ctl *c, const char *option, int64_t *ms_r,
    struct err *e)
{
	const char *text = ctl_value(c, option);

	if (text == NULL || form_duration_parse(text, ms_r) == 0)
		return 0;
	return err_set(e, ERR_INVALID,
	    "--%s: \"%.40s\" is no duration: write \"90d\", \"24h\" or \"30m\"",
	    option, text);
}
