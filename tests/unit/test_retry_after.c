/*
 * test_retry_after.c - when to come back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "net/retry_after.h"

/* 1994-11-06 08:49:37 GMT, the example of RFC 9110. */
#define THEN_S INT64_C(784111777)

static const struct {
	const char *value;
	int64_t seconds; /* when it is a minute before THEN_S */
} cases[] = {
	{ NULL, 0 },
	{ "", 0 },
	{ "0", 0 },
	{ "120", 120 },
	{ " \t120 \t", 120 },
	{ "00000000000000000000120", 120 },
	{ "31536000", 31536000 },
	{ "31536001", 31536000 },
	{ "1000000000", 31536000 },
	{ "99999999999999999999999999999999", 31536000 },
	{ "-1", 0 },
	{ "+1", 0 },
	{ "1.5", 0 },
	{ "120s", 0 },
	{ "120 120", 0 },
	{ "0x10", 0 },
	{ "1e3", 0 },
	{ "soon", 0 },
	{ "\xff\xfe", 0 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 60 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", 60 },
	{ "Sun Nov  6 08:49:37 1994", 60 },
	{ "Sun, 06 Nov 1994 08:48:37 GMT", 0 },
	{ "Sun, 06 Nov 1994 08:48:36 GMT", 0 },
	{ "Wed, 21 Oct 2015 07:28:00 GMT", 31536000 },
	{ "Fri, 31 Dec 9999 23:59:59 GMT", 31536000 },
	{ "Sun, 06 Nov 1994 08:49:37", 0 },
	{ "Sun, 06 Nov 1994 08:49:37 CET", 0 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT, 5", 0 },
	{ "1994-11-06T08:49:37Z", 0 },
};

static void
test_cases(void **state)
{
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		int64_t s = retry_after_s(cases[i].value, (THEN_S - 60) * 1000);

		if (s != cases[i].seconds)
			fail_msg("row %zu: %lld", i, (long long)s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
