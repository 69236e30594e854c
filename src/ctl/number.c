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

int
ctl_time(const struct ctl *c, const char *option, int64_t *ms_r, struct err *e)
{
	const char *text = ctl_value(c, option);

	if (text == NULL || clock_parse(text, ms_r) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "--%s: \"%.60s\" is not a time such as "
	    "2026-12-01T08:00:00Z", option, text);
}
