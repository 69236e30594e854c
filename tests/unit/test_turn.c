/*
 * test_turn.c - whose turn it is: deficit round robin
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "spooler/turn.h"

enum { MANY = 40 };

static struct turns ts;
static struct turn t[MANY];
static int64_t got[MANY];

/* "n" of the same quantum, all waiting. */
static void
start(int n, int quantum)
{
	int i;

	turns_init(&ts);
	memset(got, 0, sizeof(got));
	memset(t, 0, sizeof(t));
	for (i = 0; i < n; i++) {
		t[i].quantum = quantum;
		turns_enter(&ts, &t[i]);
	}
}

static int
serve(int64_t cost)
{
	struct turn *who = turns_first(&ts);
	int i;

	assert_non_null(who);
	i = (int)(who - t);
	turn_charge(who, cost);
	got[i] += cost;
	return i;
}

static void
test_nobody(void **state)
{
	turns_init(&ts);
	assert_null(turns_first(&ts));
	assert_false(turns_wait(&ts));
	turns_leave(&ts, &t[0]); /* who does not wait */
	start(1, 10);
	assert_true(turns_wait(&ts));
	turns_leave(&ts, &t[0]);
	assert_false(turns_wait(&ts));
	assert_null(turns_first(&ts));
}

static void
test_shares_go_by_quantum(void **state)
{
	static const int quantum[] = { 10, 20, 50, 1 };
	int64_t total = 0;
	size_t i;

	start(0, 0);
	for (i = 0; i < NELEMS(quantum); i++) {
		t[i].quantum = quantum[i];
		turns_enter(&ts, &t[i]);
	}
	while (total < 81000)
		total += got[serve(3)] > 0 ? 3 : 0;
	for (i = 0; i < NELEMS(quantum); i++) {
		assert_in_range(got[i], 1000 * quantum[i] - 60,
		    1000 * quantum[i] + 60);
	}
}

/* A turn is taken in one go: it goes to the next when its quantum is spent. */
static void
test_a_turn_is_a_quantum(void **state)
{
	int i;

	start(3, 100);
	for (i = 0; i < 4; i++)
		assert_int_equal(serve(25), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(serve(25), 1);
	assert_int_equal(serve(25), 2);
}

static void
test_who_comes_anew_is_next(void **state)
{
	int i;

	start(20, 100);
	for (i = 0; i < 500; i++)
		serve(50);
	t[30].quantum = 100;
	turns_enter(&ts, &t[30]);
	assert_int_equal(serve(1), 30);
	turns_leave(&ts, &t[30]);
	for (i = 0; i < 7; i++)
		serve(50);
	turns_enter(&ts, &t[30]); /* the same round: it has credit left */
	assert_int_equal(serve(1), 30);
}

/* Coming and going brings no more than staying. */
static void
test_coming_and_going_gains_nothing(void **state)
{
	int i, who;

	start(4, 100);
	for (i = 0; i < 4000; i++) {
		who = serve(25);
		if (who == 0) {
			turns_leave(&ts, &t[0]);
			turns_enter(&ts, &t[0]);
		}
	}
	for (i = 0; i < 4; i++)
		assert_in_range(got[i], 24000, 26000);
}

/* However many come anew all the time, those that wait get on. */
static void
test_those_that_come_anew_do_not_starve_others(void **state)
{
	int64_t picks;
	int i;

	start(1, 10);
	turn_charge(&t[0], 10); /* its turn in this round is over */
	for (picks = 0; picks < 1700; picks++) {
		for (i = 1; i < MANY; i++) {
			t[i].quantum = 1000000;
			turns_enter(&ts, &t[i]);
		}
		i = serve(1);
		if (i > 0)
			turns_leave(&ts, &t[i]);
	}
	assert_in_range(got[0], 90, 1700);
}

static void
test_debts_are_paid(void **state)
{
	int64_t before;
	int i;

	start(2, 10);
	turn_charge(&t[0], 1010);
	for (i = 0; i < 100; i++)
		assert_int_equal(serve(10), 1);
	before = got[1];
	for (i = 0; i < 100; i++)
		serve(10);
	assert_in_range(got[0], 450, 550);
	assert_in_range(got[1] - before, 450, 550);

	/* Also of one who went away meanwhile. */
	start(2, 10);
	turn_charge(&t[0], 1010);
	turns_leave(&ts, &t[0]);
	for (i = 0; i < 50; i++)
		serve(10);
	turns_enter(&ts, &t[0]);
	for (i = 0; i < 40; i++)
		assert_int_equal(serve(10), 1);
	for (i = 0; i < 100; i++)
		serve(10);
	assert_true(got[0] > 0);
}

/* Who was away for long has a quantum, not all that he could have had. */
static void
test_nothing_is_saved_up(void **state)
{
	int i, mine = 0;

	start(2, 10);
	turns_leave(&ts, &t[0]);
	for (i = 0; i < 1000; i++)
		serve(10);
	turns_enter(&ts, &t[0]);
	for (i = 0; i < 10; i++)
		mine += serve(10) == 0;
	assert_in_range(mine, 4, 6);
}

static void
test_refunds(void **state)
{
	start(2, 100);
	assert_int_equal(serve(100), 0);
	turn_charge(&t[0], -100);
	got[0] -= 100;
	assert_int_equal(serve(100), 0);
	assert_int_equal(serve(100), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_shares_go_by_quantum),
		cmocka_unit_test(test_a_turn_is_a_quantum),
		cmocka_unit_test(test_who_comes_anew_is_next),
		cmocka_unit_test(test_coming_and_going_gains_nothing),
		cmocka_unit_test(test_those_that_come_anew_do_not_starve_others),
		cmocka_unit_test(test_debts_are_paid),
		cmocka_unit_test(test_nothing_is_saved_up),
		cmocka_unit_test(test_refunds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
