/*
 * test_overload.c - who is refused at which level
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/err.h"
#include "model/channel.h"
#include "model/overload.h"

#define OK ERR_NONE
#define FULL ERR_QUEUE_FULL
#define OVER ERR_OVERLOADED

static void
levels(void **state)
{
	static const struct {
		struct overload o; /* tenant, total */
		enum err_kind want[PRIORITY_COUNT]; /* urgent, normal, bulk */
	} cases[] = {
		{ { 0, 0 }, { OK, OK, OK } },
		{ { 1, 0 }, { OK, OK, FULL } },
		{ { 2, 0 }, { OK, FULL, FULL } },
		{ { 3, 0 }, { FULL, FULL, FULL } },
		{ { 0, 1 }, { OK, OK, OVER } },
		{ { 0, 2 }, { OK, OVER, OVER } },
		{ { 0, 3 }, { OVER, OVER, OVER } },
		{ { 2, 1 }, { OK, FULL, OVER } },
	};
	struct err e;
	size_t i;
	int prio, rc;

	for (i = 0; i < NELEMS(cases); i++)
		for (prio = 0; prio < PRIORITY_COUNT; prio++) {
			err_clear(&e);
			rc = overload_check(cases[i].o, prio, &e);
			assert_int_equal(e.kind, cases[i].want[prio]);
			assert_int_equal(rc, e.kind == OK ? 0 : -1);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(levels) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
