/*
 * test_window.c - how many deliveries an account is given at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "notify/window.h"

enum { TAKES_MS = 20, REFUSES_MS = 1, MOST = 256 };

/* A server that serves so many at once and refuses what comes above. */
struct trial {
	int serves;
	int limit;
	int recipients;
};

struct tally {
	int refused;
	double mean; /* of those that were served at once */
	int64_t took_ms;
};

struct wire {
	int64_t until_ms; /* 0: free */
	int at;
	bool refused;
};

/* Starts what the window allows at this moment; the rest of "left" waits. */
static void
start(const struct window *w, struct wire *wires, const struct trial *t,
    int *left, int64_t now_ms)
{
	int i, running = 0, served = 0;

	for (i = 0; i < MOST; i++) {
		running += wires[i].until_ms != 0;
		served += wires[i].until_ms != 0 && !wires[i].refused;
	}
	for (i = 0; i < MOST && *left > 0 && running < window_size(w, now_ms);
	     i++) {
		if (wires[i].until_ms != 0)
			continue;
		wires[i].at = ++running;
		wires[i].refused = served >= t->serves;
		served += !wires[i].refused;
		wires[i].until_ms =
		    now_ms + (wires[i].refused ? REFUSES_MS : TAKES_MS);
		(*left)--;
	}
}

static struct tally
simulate(struct window *w, const struct trial *t)
{
	struct wire wires[MOST] = { 0 };
	struct tally sum = { 0 };
	int left = t->recipients, done = 0, i;
	int64_t now = 1, busy = 0;

	for (; done < t->recipients; now++) {
		for (i = 0; i < MOST; i++) {
			if (wires[i].until_ms == 0)
				continue;
			busy += !wires[i].refused;
			if (wires[i].until_ms > now)
				continue;
			if (wires[i].refused)
				window_refused(w, wires[i].at, now);
			else
				window_served(w, wires[i].at, now);
			sum.refused += wires[i].refused;
			wires[i].until_ms = 0;
			done++;
		}
		start(w, wires, t, &left, now);
	}
	sum.mean = (double)busy / (double)now;
	sum.took_ms = now;
	return sum;
}

/* RELIABILITY P3: 16.5 % is Postfix's figure, 5 % the aim. */
static void
p3_learns_the_limit_of_a_server(void **state)
{
	const struct trial trial = { .serves = 5, .limit = 20,
		.recipients = 2000 };
	struct window w;
	struct tally sum;

	window_init(&w, trial.limit);
	sum = simulate(&w, &trial);
	print_message("deferred: %.2f %% (5), mean concurrency: %.2f (4.8-5.6)\n",
	    100.0 * sum.refused / trial.recipients, sum.mean);
	assert_true(sum.refused * 100 <= trial.recipients * 5);
	assert_true(sum.mean > 4.8 && sum.mean < 5.6);
}

/* For any server most of what it has room for is used, and little is refused. */
static void
it_fits_every_server(void **state)
{
	static const struct trial trials[] = {
		{ 1, 20, 2000 }, { 2, 20, 2000 }, { 7, 20, 2000 },
		{ 19, 20, 2000 }, { 20, 20, 2000 }, { 100, 20, 2000 },
		{ 40, 100, 8000 }, { 1, 1, 500 },
	};
	struct window w;
	struct tally sum;
	size_t i;
	int room;

	for (i = 0; i < NELEMS(trials); i++) {
		window_init(&w, trials[i].limit);
		sum = simulate(&w, &trials[i]);
		room = trials[i].serves < trials[i].limit ? trials[i].serves
							  : trials[i].limit;
		assert_true(sum.refused * 100 <= trials[i].recipients * 5);
		assert_true(sum.mean > 0.75 * room);
		if (trials[i].serves >= trials[i].limit)
			assert_int_equal(sum.refused, 0);
	}
}

static void
a_server_with_less_room_than_before(void **state)
{
	struct trial trial = { .serves = 20, .limit = 20, .recipients = 2000 };
	struct window w;
	struct tally sum;

	window_init(&w, trial.limit);
	simulate(&w, &trial);
	assert_int_equal(window_size(&w, 0), 20);
	trial.serves = 5;
	sum = simulate(&w, &trial);
	assert_true(sum.refused * 100 <= trial.recipients * 10);
	assert_true(sum.mean > 3.5);
}

static void
the_ceiling_is_tried_ever_more_rarely(void **state)
{
	struct window w;
	int64_t now = 1, before = 0;
	int tries = 0;

	window_init(&w, 20);
	window_served(&w, 5, now);
	window_refused(&w, 6, now);
	assert_int_equal(w.ceiling, 5);
	for (; now < 60 * 60000; now += 20) {
		window_served(&w, 5, now);
		assert_true(window_size(&w, now) <= 6);
		if (window_size(&w, now) < 6)
			continue;
		window_refused(&w, 6, now);
		assert_int_equal(window_size(&w, now), 5);
		assert_true(now - before >= WINDOW_PROBE_MS);
		before = now;
		tries++;
	}
	assert_in_range(tries, 5, 8);
}

static void
a_ceiling_that_is_gone_is_noticed(void **state)
{
	struct window w;
	int64_t now = 1;

	window_init(&w, 20);
	window_served(&w, 5, now);
	window_refused(&w, 6, now);
	for (now += WINDOW_PROBE_MS; now < 4 * WINDOW_PROBE_MS; now += 20)
		window_served(&w, window_size(&w, now), now);
	assert_int_equal(w.ceiling, 0);
	assert_int_equal(window_size(&w, now), 20);
}

static void
it_never_falls_below_one(void **state)
{
	struct window w;
	int i;

	window_init(&w, 20);
	for (i = 0; i < 50; i++)
		window_refused(&w, window_size(&w, 0), 0);
	assert_int_equal(window_size(&w, 0), 1);
	window_set_limit(&w, 3);
	window_restart(&w);
	for (i = 0; i < 50; i++)
		window_served(&w, window_size(&w, WINDOW_PROBE_MAX_MS),
		    WINDOW_PROBE_MAX_MS);
	assert_int_equal(window_size(&w, WINDOW_PROBE_MAX_MS), 3);
}

/* An account that is asked for one thing at a time is not held to be a wide road. */
static void
idle_accounts_do_not_grow(void **state)
{
	struct window w;
	int i;

	window_init(&w, 20);
	for (i = 0; i < 1000; i++)
		window_served(&w, 1, i);
	assert_int_equal(window_size(&w, 1000), WINDOW_FIRST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(p3_learns_the_limit_of_a_server),
		cmocka_unit_test(it_fits_every_server),
		cmocka_unit_test(a_server_with_less_room_than_before),
		cmocka_unit_test(the_ceiling_is_tried_ever_more_rarely),
		cmocka_unit_test(a_ceiling_that_is_gone_is_noticed),
		cmocka_unit_test(it_never_falls_below_one),
		cmocka_unit_test(idle_accounts_do_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
