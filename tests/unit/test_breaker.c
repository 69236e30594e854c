/*
 * test_breaker.c - the circuit breaker of an account
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "notify/breaker.h"

static void
its_moves(void **state)
{
	static const struct {
		enum breaker_state from;
		enum breaker_event event;
		enum breaker_state to;
	} moves[] = {
		{ BREAKER_CLOSED, BREAKER_FAILS, BREAKER_CLOSED },
		{ BREAKER_CLOSED, BREAKER_SERVES, BREAKER_CLOSED },
		{ BREAKER_CLOSED, BREAKER_TRIES, BREAKER_CLOSED },
		{ BREAKER_CLOSED, BREAKER_TRIPS, BREAKER_OPEN },
		{ BREAKER_OPEN, BREAKER_FAILS, BREAKER_OPEN },
		{ BREAKER_OPEN, BREAKER_TRIPS, BREAKER_OPEN },
		{ BREAKER_OPEN, BREAKER_TRIES, BREAKER_HALF_OPEN },
		{ BREAKER_OPEN, BREAKER_SERVES, BREAKER_CLOSED },
		{ BREAKER_HALF_OPEN, BREAKER_FAILS, BREAKER_OPEN },
		{ BREAKER_HALF_OPEN, BREAKER_TRIPS, BREAKER_OPEN },
		{ BREAKER_HALF_OPEN, BREAKER_TRIES, BREAKER_HALF_OPEN },
		{ BREAKER_HALF_OPEN, BREAKER_SERVES, BREAKER_CLOSED },
	};
	size_t i;

	for (i = 0; i < NELEMS(moves); i++)
		assert_int_equal(breaker_next(moves[i].from, moves[i].event),
		    moves[i].to);
}

static void
ten_in_a_row_are_too_many(void **state)
{
	const struct failure_limits limits = { 10, 5000 };
	struct failures f = { 0 };
	int i;

	for (i = 0; i < 9; i++)
		assert_false(failures_add(&f, &limits, 1000));
	failures_end(&f);
	for (i = 0; i < 9; i++)
		assert_false(failures_add(&f, &limits, 1000));
	assert_true(failures_add(&f, &limits, 1000));
}

static void
so_are_five_seconds_of_nothing_else(void **state)
{
	const struct failure_limits limits = { 10, 5000 };
	struct failures f = { 0 };

	assert_false(failures_add(&f, &limits, 1000));
	assert_false(failures_add(&f, &limits, 5999));
	assert_true(failures_add(&f, &limits, 6000));
	/* One alone is never too many, however old what was before it. */
	failures_end(&f);
	assert_false(failures_add(&f, &limits, 100000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_moves),
		cmocka_unit_test(ten_in_a_row_are_too_many),
		cmocka_unit_test(so_are_five_seconds_of_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
