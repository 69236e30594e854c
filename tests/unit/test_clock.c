/*
 * test_clock.c - the time and its text
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"

static const struct {
	const char *text;
	int64_t ms;
	const char *back; /* NULL: the same as text */
} good[] = {
	{ "1970-01-01T00:00:00.000Z", 0, NULL },
	{ "2026-12-01T08:00:00.123Z", 1796112000123, NULL },
	{ "2026-12-01t08:00:00.123z", 1796112000123,
	    "2026-12-01T08:00:00.123Z" },
	{ "2026-12-01T09:30:00.123+01:30", 1796112000123,
	    "2026-12-01T08:00:00.123Z" },
	{ "2026-11-30T21:00:00.1-11:00", 1796112000100,
	    "2026-12-01T08:00:00.100Z" },
	{ "2026-12-01T08:00:00.123999999-00:00", 1796112000123,
	    "2026-12-01T08:00:00.123Z" },
	{ "2000-02-29T00:00:00Z", 951782400000, "2000-02-29T00:00:00.000Z" },
	{ "1969-12-31T23:59:59.999Z", -1, NULL },
	{ "0000-01-01T00:00:00.000Z", -62167219200000, NULL },
	{ "9999-12-31T23:59:59.999Z", 253402300799999, NULL },
	{ "2016-12-31T23:59:60Z", 1483228800000, "2017-01-01T00:00:00.000Z" },
	{ "2017-01-01T00:59:60+01:00", 1483228800000,
	    "2017-01-01T00:00:00.000Z" },
};

static const char *const bad[] = {
	"",
	"2026-12-01",
	"2026-12-01T08:00:00",
	"2026-12-01 08:00:00Z",
	"2026-12-01T08:00Z",
	"2026-12-01T08:00:00.Z",
	"2026-12-01T08:00:00,5Z",
	"2026-12-01T08:00:00.1234567890Z",
	"2026-12-01T08:00:00Zz",
	"2026-12-01T08:00:00Z ",
	" 2026-12-01T08:00:00Z",
	"2026-12-01T08:00:00+0100",
	"2026-12-01T08:00:00+24:00",
	"2026-12-01T08:00:00+01:60",
	"2026-12-01T08:00:00+1:00",
	"2026-12-01T24:00:00Z",
	"2026-12-01T08:60:00Z",
	"2026-12-01T08:00:60Z",
	"2026-12-31T23:59:61Z",
	"2026-13-01T08:00:00Z",
	"2026-00-01T08:00:00Z",
	"2026-12-00T08:00:00Z",
	"2026-11-31T08:00:00Z",
	"2026-02-29T08:00:00Z",
	"1900-02-29T08:00:00Z",
	"26-12-01T08:00:00Z",
	"+2026-12-01T08:00:00Z",
	"-026-12-01T08:00:00Z",
	"20 6-12-01T08:00:00Z",
	"0000-01-01T00:00:00+00:01",
	"9999-12-31T23:59:59-00:01",
};

static void
reads_and_writes_rfc_3339(void **state)
{
	char text[CLOCK_TEXT_BYTES];
	int64_t ms;
	size_t i;

	for (i = 0; i < NELEMS(good); i++) {
		assert_int_equal(clock_parse(good[i].text, &ms), 0);
		assert_int_equal(ms, good[i].ms);
		clock_format(ms, text);
		assert_string_equal(text,
		    good[i].back != NULL ? good[i].back : good[i].text);
	}
}

static void
refuses_everything_else(void **state)
{
	int64_t ms = 42;
	size_t i;

	for (i = 0; i < NELEMS(bad); i++) {
		if (clock_parse(bad[i], &ms) != -1)
			fail_msg("accepted: \"%s\"", bad[i]);
		assert_int_equal(ms, 42);
	}
}

static void
every_day_of_400_years_comes_back(void **state)
{
	const int64_t day_ms = 86400000;
	char text[CLOCK_TEXT_BYTES], before[CLOCK_TEXT_BYTES] = "";
	int64_t ms, back;

	for (ms = -30000 * day_ms + 1; ms < 116097 * day_ms; ms += day_ms) {
		clock_format(ms, text);
		assert_int_equal(clock_parse(text, &back), 0);
		assert_int_equal(back, ms);
		assert_true(strcmp(before, text) < 0);
		memcpy(before, text, sizeof(before));
	}
}

static void
times_outside_are_clamped(void **state)
{
	char text[CLOCK_TEXT_BYTES];

	clock_format(INT64_MIN, text);
	assert_string_equal(text, "0000-01-01T00:00:00.000Z");
	clock_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void
seconds_of_others_do_not_overflow(void **state)
{
	assert_int_equal(clock_ms_of_s(-1), -1000);
	assert_int_equal(clock_ms_of_s(1764576000), INT64_C(1764576000000));
	assert_int_equal(clock_ms_of_s(INT64_MAX), CLOCK_LAST_MS);
	assert_int_equal(clock_ms_of_s(INT64_MIN), CLOCK_FIRST_MS);
}

static void
a_test_can_move_both_clocks(void **state)
{
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms();
	int64_t mono_us = clock_mono_us();

	clock_shift_for_test(1000000, 0);
	assert_in_range(clock_wall_ms() - wall, 1000000, 1060000);
	assert_in_range(clock_mono_ms() - mono, 0, 60000);
	clock_shift_for_test(-1000000, 500000);
	assert_in_range(clock_wall_ms() - wall, 0, 60000);
	assert_in_range(clock_mono_ms() - mono, 500000, 560000);
	assert_in_range(clock_mono_us() - mono_us, 500000000, 560000000);
	clock_shift_for_test(0, -500000);
}

/* The host's clock may jump as it likes once others have told what time it is. */
static void
agreed_time_does_not_jump(void **state)
{
	int64_t wall = clock_wall_ms();

	assert_in_range(clock_agreed_ms(), wall, wall + 5000);
	clock_agree(1000000);
	assert_in_range(clock_agreed_ms(), 1000000, 1005000);
	clock_shift_for_test(3600000, 0);
	assert_in_range(clock_agreed_ms(), 1000000, 1005000);
	clock_shift_for_test(-3600000, 7000);
	assert_in_range(clock_agreed_ms(), 1007000, 1012000);
	clock_shift_for_test(0, -7000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agreed_time_does_not_jump),
		cmocka_unit_test(reads_and_writes_rfc_3339),
		cmocka_unit_test(refuses_everything_else),
		cmocka_unit_test(every_day_of_400_years_comes_back),
		cmocka_unit_test(times_outside_are_clamped),
		cmocka_unit_test(seconds_of_others_do_not_overflow),
		cmocka_unit_test(a_test_can_move_both_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
