/*
 * test_quiet_hours.c - when it is quiet, and until when
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "model/quiet_hours.h"
#include "template/icu_cache.h"
#include "template/instant.h"

static struct quiet_hours
hours(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	struct quiet_hours q;
	const char *fault = NULL;

	assert_non_null(json);
	assert_int_equal(quiet_hours_read(json, &q, &fault), 0);
	json_decref(json);
	return q;
}

static int64_t
ms_of(const char *text)
{
	struct instant at;

	assert_true(instant_of_text(text, strlen(text), &at));
	return (int64_t)at.ms;
}

static void
what_is_wrong_is_said(void **state)
{
	static const char *const texts[] = { "{}", "[]", "{\"from\": \"22:00\"}",
		"{\"from\": \"22:00\", \"to\": \"7:00\"}",
		"{\"from\": \"24:00\", \"to\": \"07:00\"}",
		"{\"from\": \"22:60\", \"to\": \"07:00\"}",
		"{\"from\": \"22:00\", \"to\": \"22:00\"}",
		"{\"from\": \"22:00\", \"to\": 7}",
		"{\"from\": \"22:00\", \"to\": \"07:00\", \"zone\": \"UTC\"}",
		"{\"from\": \"22:00\", \"to\": \"07:00\", \"days\": \"mon\"}",
		"{\"from\": \"22:00\", \"to\": \"07:00\", \"days\": [\"Mon\"]}" };
	struct quiet_hours q;
	const char *fault;
	json_t *json;
	size_t i;

	for (i = 0; i < NELEMS(texts); i++) {
		fault = NULL;
		json = json_loads(texts[i], 0, NULL);
		assert_int_equal(quiet_hours_read(json, &q, &fault), -1);
		assert_non_null(fault);
		json_decref(json);
	}
}

#define NIGHT "{\"from\": \"22:00\", \"to\": \"07:00\"}"
#define WEEKEND                                                                \
	"{\"from\": \"22:00\", \"to\": \"07:00\", \"days\": [\"fri\", \"sat\"]}"
#define NOON "{\"from\": \"12:00\", \"to\": \"13:30\"}"
#define CHANGE "{\"from\": \"02:30\", \"to\": \"06:00\"}"
#define TO_CHANGE "{\"from\": \"22:00\", \"to\": \"02:30\"}"

/* 2026-03-29 and 2026-10-25 are the days on which Vienna changes its clocks. */
static void
it_is_quiet_by_the_clock_of_the_zone(void **state)
{
	static const struct {
		const char *hours, *zone, *now, *end; /* NULL: it is not quiet */
	} rows[] = {
		{ NIGHT, "UTC", "2026-11-25T21:59:59Z", NULL },
		{ NIGHT, "UTC", "2026-11-25T22:00:00Z", "2026-11-26T07:00:00Z" },
		{ NIGHT, "UTC", "2026-11-26T06:59:59Z", "2026-11-26T07:00:00Z" },
		{ NIGHT, "UTC", "2026-11-26T07:00:00Z", NULL },
		{ NIGHT, "Europe/Vienna", "2026-11-25T21:30:00Z",
		    "2026-11-26T06:00:00Z" },
		{ NIGHT, "Asia/Kathmandu", "2026-11-25T16:20:00Z",
		    "2026-11-26T01:15:00Z" },
		{ NIGHT, "Pacific/Kiritimati", "2026-12-31T08:00:00Z",
		    "2026-12-31T17:00:00Z" },
		{ NOON, "UTC", "2026-11-25T13:29:00Z", "2026-11-25T13:30:00Z" },
		{ NOON, "UTC", "2026-11-25T22:00:00Z", NULL },
		/* Over the end of a month and of a year. */
		{ NIGHT, "UTC", "2026-12-31T23:00:00Z", "2027-01-01T07:00:00Z" },
		{ NIGHT, "UTC", "2028-02-28T23:00:00Z", "2028-02-29T07:00:00Z" },
		/* A Friday night goes on until Saturday; Sunday's is not named. */
		{ WEEKEND, "UTC", "2026-11-27T23:00:00Z", "2026-11-28T07:00:00Z" },
		{ WEEKEND, "UTC", "2026-11-29T06:00:00Z", "2026-11-29T07:00:00Z" },
		{ WEEKEND, "UTC", "2026-11-29T23:00:00Z", NULL },
		{ WEEKEND, "UTC", "2026-11-27T06:00:00Z", NULL },
		{ "{\"from\": \"22:00\", \"to\": \"07:00\", \"days\": []}", "UTC",
		    "2026-11-27T23:00:00Z", NULL },
		/* A night of eight hours, and one of ten. */
		{ NIGHT, "Europe/Vienna", "2026-03-28T21:00:00Z",
		    "2026-03-29T05:00:00Z" },
		{ NIGHT, "Europe/Vienna", "2026-10-24T20:00:00Z",
		    "2026-10-25T06:00:00Z" },
		/* What begins in the hour that is skipped begins after it. */
		{ CHANGE, "Europe/Vienna", "2026-03-29T00:59:59Z", NULL },
		{ CHANGE, "Europe/Vienna", "2026-03-29T01:00:00Z",
		    "2026-03-29T04:00:00Z" },
		{ TO_CHANGE, "Europe/Vienna", "2026-03-29T00:59:59Z",
		    "2026-03-29T01:00:00Z" },
		/* An hour that is there twice belongs to it twice. */
		{ CHANGE, "Europe/Vienna", "2026-10-25T00:30:00Z",
		    "2026-10-25T05:00:00Z" },
		{ TO_CHANGE, "Europe/Vienna", "2026-10-25T00:45:00Z",
		    "2026-10-25T01:30:00Z" },
		{ TO_CHANGE, "Europe/Vienna", "2026-10-25T01:30:00Z", NULL },
		{ NIGHT, "Nowhere/Else", "2026-11-25T23:00:00Z",
		    "2026-11-26T07:00:00Z" },
	};
	struct quiet_hours q;
	int64_t end, want;
	size_t i;

	for (i = 0; i < NELEMS(rows); i++) {
		q = hours(rows[i].hours);
		end = quiet_hours_end(&q, rows[i].zone, ms_of(rows[i].now));
		want = rows[i].end != NULL ? ms_of(rows[i].end) : 0;
		if (end != want)
			print_message("# %s in %s at %s\n", rows[i].hours,
			    rows[i].zone, rows[i].now);
		assert_int_equal(end, want);
	}
	icu_cache_clear();
}

/* What is held until the end is not held again at the end, in any zone on any day. */
static void
the_end_is_not_quiet(void **state)
{
	static const char *const zones[] = { "Europe/Vienna", "America/New_York",
		"Australia/Lord_Howe", "Africa/Casablanca", "UTC" };
	static const char *const all[] = { NIGHT, NOON, CHANGE, TO_CHANGE };
	struct quiet_hours q;
	int64_t now, end;
	size_t z, i;
	int step;

	for (z = 0; z < NELEMS(zones); z++)
		for (i = 0; i < NELEMS(all); i++) {
			q = hours(all[i]);
			now = ms_of("2026-01-01T00:00:00Z");
			for (step = 0; step < 2000; step++, now += 4567890) {
				end = quiet_hours_end(&q, zones[z], now);
				assert_true(end == 0 || end > now);
				assert_true(end < now + 26 * 3600000LL);
				if (end != 0)
					assert_int_equal(quiet_hours_end(&q,
					                     zones[z], end),
					    0);
			}
		}
	icu_cache_clear();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(it_is_quiet_by_the_clock_of_the_zone),
		cmocka_unit_test(the_end_is_not_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
