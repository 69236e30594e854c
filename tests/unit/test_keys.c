/*
 * test_keys.c - which queue is claimed next, and how much of it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A simulated spooler: claims are answered at once, deliveries take some steps.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "model/channel.h"
#include "spooler/keys.h"
#include "spooler/share.h"

enum { SLOTS = 400, BATCH = 200, PERCENT = 75, LATENCY = 4, TENANTS = 1000,
	QUEUES = 6, PLENTY = 1000000000 };

struct flights {
	struct share *share;
	int count, steps;
	struct flights *next;
};

static struct arena *a;
static struct shares *shares;
static struct keys *keys;
static struct flights *flights;
static int64_t rows[TENANTS][QUEUES]; /* that wait, of lane 1 */
static int64_t got[TENANTS][QUEUES];
static int64_t now;
static int latency, claims_max; /* steps of a delivery; claims in a step */

static int
set_up(void **state)
{
	struct shares_params p = { SLOTS, PERCENT, BATCH };

	a = arena_new(65536);
	shares = shares_new(a, &p);
	keys = keys_new(a, shares);
	flights = NULL;
	memset(rows, 0, sizeof(rows));
	memset(got, 0, sizeof(got));
	now = 1000;
	latency = LATENCY;
	claims_max = SLOTS;
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(&a);
	return 0;
}

static struct tenant_id
tenant(int i)
{
	return (struct tenant_id){ i + 1 };
}

static void
give(int i, int prio, int64_t n)
{
	rows[i][prio] += n;
	keys_mark(keys, tenant(i), 1, prio);
}

/* As claim.c does it. */
static void
begin(struct key *k, int asked)
{
	assert_ptr_equal(share_of(shares, k->tenant), k->share);
	share_hold(shares, k->share, asked);
	keys_charge(k, asked);
	k->claims++;
	k->holds++;
	keys_update(keys, k);
}

static void
finish(struct key *k, int asked, int count)
{
	struct flights *f = arena_object(a, struct flights);

	keys_charge(k, count - asked);
	k->marked = k->full = count == asked;
	k->last_work_ms = count > 0 ? now : k->last_work_ms;
	k->claims--;
	k->holds--;
	keys_update(keys, k);
	share_hold(shares, k->share, count - asked);
	*f = (struct flights){ k->share, count, latency, flights };
	flights = f;
}

static void
land(struct flights *f)
{
	share_hold(shares, f->share, -f->count);
	share_release(shares, f->share);
}

static void
step(void)
{
	struct flights *f, **at = &flights;
	struct key *k;
	int asked, claims = 0, count, i;

	while (claims++ < claims_max &&
	    (k = keys_next(keys, now, &asked)) != NULL) {
		i = (int)k->tenant.n - 1;
		assert_in_range(asked, 1, BATCH);
		assert_true(asked <= shares_free(shares));
		begin(k, asked);
		count = rows[i][k->prio] < asked ? (int)rows[i][k->prio] : asked;
		rows[i][k->prio] -= count;
		got[i][k->prio] += count;
		finish(k, asked, count);
	}
	while ((f = *at) != NULL) {
		if (--f->steps > 0) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		land(f);
	}
	now++;
}

static double
jain(int first, int count)
{
	double sum = 0, squares = 0, x;
	int i, q;

	for (i = first; i < first + count; i++) {
		for (q = 0, x = 0; q < QUEUES; q++)
			x += (double)got[i][q];
		sum += x;
		squares += x * x;
	}
	return sum * sum / (count * squares);
}

/* ---- Fairness ---------------------------------------------------------------------- */

static void
test_equal_tenants_get_the_same(void **state)
{
	int i;

	for (i = 0; i < 50; i++)
		give(i, PRIORITY_NORMAL, PLENTY);
	for (i = 0; i < 5000; i++)
		step();
	assert_true(jain(0, 50) >= 0.99);
}

/* Within so many percent. */
static void
check_weights(int tolerance)
{
	static const int weights[] = { 1, 2, 3, 10 };
	size_t i;

	for (i = 0; i < NELEMS(weights); i++) {
		give((int)i, PRIORITY_NORMAL, PLENTY);
		shares_weigh(shares, tenant((int)i), weights[i]);
	}
	for (i = 0; i < 20000; i++)
		step();
	for (i = 1; i < NELEMS(weights); i++)
		assert_in_range(100 * got[i][1] / got[0][1],
		    (100 - tolerance) * weights[i],
		    (100 + tolerance) * weights[i]);
}

static void
test_turns_go_by_weight(void **state)
{
	latency = claims_max = 1; /* claims are what is scarce */
	check_weights(3);
}

static void
test_slots_go_by_weight(void **state)
{
	check_weights(30);
}

/* One has a backlog, many have a row now and then: those are served in the same step
 * whatever the backlog, and it gets what they leave. */
static void
test_who_has_little_does_not_wait(void **state)
{
	int64_t waited = 0, worst = 0, sum = 0;
	int i, n;

	give(0, PRIORITY_NORMAL, PLENTY);
	for (i = 0; i < 2000; i++) {
		for (n = 1 + i % 10; n < 200; n += 10)
			give(n, PRIORITY_NORMAL, 1);
		step();
		for (n = 1, waited = 0; n < 200; n++)
			waited += rows[n][1];
		sum += waited;
		worst = waited > worst ? waited : worst;
	}
	assert_true(sum <= 20); /* of 40,000 */
	assert_true(worst <= 20);
	assert_true(jain(1, 199) >= 0.99);
	assert_true(got[0][1] > 2000 * (SLOTS / LATENCY - 20) * PERCENT / 100 *
	    85 / 100);
}

static void
test_priorities_share_and_none_starves(void **state)
{
	int64_t bulk;
	int i;

	for (i = 0; i < PRIORITY_COUNT; i++)
		give(0, i, PLENTY);
	for (i = 0; i < 5000; i++)
		step();
	bulk = got[0][PRIORITY_BULK];
	assert_true(bulk > 0);
	assert_in_range(100 * got[0][PRIORITY_NORMAL] / bulk, 380, 420);
	assert_in_range(100 * got[0][PRIORITY_URGENT] / bulk, 760, 840);
}

/* Alone, the lowest gets everything, in claims as large as any. */
static void
test_bulk_alone_gets_everything(void **state)
{
	int i, asked;
	struct key *k;

	give(0, PRIORITY_BULK, PLENTY);
	k = keys_next(keys, now, &asked);
	assert_non_null(k);
	assert_true(asked >= 100);
	for (i = 0; i < 1000; i++)
		step();
	assert_true(got[0][PRIORITY_BULK] > 1000 * SLOTS / LATENCY * 60 / 100);
}

static void
test_fresh_and_deferred_one_to_one(void **state)
{
	int i;

	give(0, PRIORITY_NORMAL, PLENTY);
	give(0, PRIORITY_NORMAL + PRIORITY_COUNT, PLENTY);
	for (i = 0; i < 5000; i++)
		step();
	assert_in_range(100 * got[0][1] / got[0][4], 95, 105);
}

/* ---- The noisy tenant ---------------------------------------------------------------- */

static struct key *
fill(int i)
{
	struct key *k, *last = NULL;
	int asked;

	give(i, PRIORITY_NORMAL, PLENTY);
	while ((k = keys_next(keys, now, &asked)) != NULL &&
	    k->tenant.n == tenant(i).n) {
		begin(k, asked);
		finish(k, asked, asked);
		last = k;
	}
	return last;
}

static void
test_there_is_room_for_a_newcomer(void **state)
{
	struct key *k;
	int asked, held;

	k = fill(0);
	assert_non_null(k);
	held = k->share->held;
	assert_in_range(held, SLOTS * PERCENT / 100 * 7 / 8 - 1,
	    SLOTS * PERCENT / 100);

	give(1, PRIORITY_NORMAL, 10);
	k = keys_next(keys, now, &asked);
	assert_non_null(k);
	assert_int_equal(k->tenant.n, tenant(1).n);
	assert_true(asked >= 50);
}

/* With many that take all they may, the next one waits for a landing or two. */
static void
test_there_is_room_behind_many(void **state)
{
	int i;

	for (i = 0; i < 20; i++)
		give(i, PRIORITY_NORMAL, PLENTY);
	for (i = 0; i < 200; i++) {
		if (i >= 100)
			give(30, PRIORITY_NORMAL, 1);
		step();
		assert_in_range(rows[30][PRIORITY_NORMAL], 0, LATENCY);
	}
	assert_in_range(got[30][PRIORITY_NORMAL], 100 - LATENCY, 100);
}

static void
test_who_waits_for_room_gets_it(void **state)
{
	int asked;

	fill(0);
	assert_null(keys_next(keys, now, &asked));
	while (flights != NULL && keys_next(keys, now, &asked) == NULL) {
		share_hold(shares, flights->share, -1);
		if (--flights->count > 0)
			continue;
		share_release(shares, flights->share);
		flights = flights->next;
	}
	assert_non_null(keys_next(keys, now, &asked));
	assert_true(asked > 1);
}

/* ---- States of keys -------------------------------------------------------------------- */

static void
test_claims_at_a_time(void **state)
{
	struct key *k;
	int asked;

	keys_mark(keys, tenant(0), 1, 1);
	k = keys_next(keys, now, &asked);
	begin(k, 10);
	assert_null(keys_next(keys, now, &asked)); /* it may be empty */
	k->full = true;
	keys_update(keys, k);
	assert_ptr_equal(keys_next(keys, now, &asked), k);
	k->careful = 5;
	keys_update(keys, k);
	assert_null(keys_next(keys, now, &asked));
	k->careful = 0;
	keys_update(keys, k);
	begin(keys_next(keys, now, &asked), 10);
	assert_null(keys_next(keys, now, &asked));
}

/* What polling sees while a claim takes it is not marked again. */
static void
test_rows_of_a_claim_are_no_news(void **state)
{
	struct key *k;
	int asked;

	keys_mark_seen(keys, tenant(0), 1, 1);
	k = keys_next(keys, now, &asked);
	assert_non_null(k);
	begin(k, 10);
	keys_mark_seen(keys, tenant(0), 1, 1);
	assert_int_equal(k->marks, 1);
	keys_mark(keys, tenant(0), 1, 1);
	assert_int_equal(k->marks, 2);
	finish(k, 10, 3);
	keys_mark_seen(keys, tenant(0), 1, 1);
	assert_true(k->marked);
	land(flights);
}

static void
test_pauses(void **state)
{
	struct key *k;
	int asked;

	assert_int_equal(keys_timeout_ms(keys, now), -1);
	keys_mark(keys, tenant(0), 1, 1);
	k = keys_next(keys, now, &asked);
	k->pause_until_ms = now + 20;
	keys_update(keys, k);
	assert_null(keys_next(keys, now, &asked));
	assert_int_equal(keys_timeout_ms(keys, now), 20);
	assert_int_equal(keys_timeout_ms(keys, now + 15), 5);
	assert_true(keys_are_marked(keys));
	assert_ptr_equal(keys_next(keys, now + 20, &asked), k);
	assert_int_equal(keys_timeout_ms(keys, now + 20), -1);
}

static void
count_key(void *arg, const struct key *k)
{
	++*(int *)arg;
}

static void
test_idle_keys_go(void **state)
{
	struct key *k;
	int i, asked, gone = 0;

	for (i = 0; i < 5; i++) {
		keys_mark(keys, tenant(i), 1, 1);
		assert_true(keys_are_marked(keys));
		k = keys_next(keys, now, &asked);
		assert_non_null(k);
		begin(k, asked);
		finish(k, asked, i);
		assert_false(keys_are_marked(keys));
	}
	while (flights != NULL) {
		land(flights);
		flights = flights->next;
	}
	keys_mark(keys, tenant(7), 1, 1);
	keys_expire(keys, now + 1, 3, count_key, &gone);
	assert_int_equal(gone, 3);
	assert_int_equal(keys_count(keys), 3);
	keys_expire(keys, now + 1, 100, count_key, &gone);
	assert_int_equal(gone, 5);
	assert_int_equal(keys_count(keys), 1);
	give(3, PRIORITY_BULK, 1); /* memory that was used before */
	step();
	assert_int_equal(rows[3][PRIORITY_BULK], 0);
}

static void
test_low_water(void **state)
{
	struct key *k;
	int asked;

	keys_mark(keys, tenant(0), 1, 1);
	k = keys_next(keys, now, &asked);
	assert_int_equal(keys_low_water_ms(keys, k), 0);
	k->low_water_ms = 5000000;
	assert_int_equal(keys_low_water_ms(keys, k), 5000000);
	keys_sweep(keys, false);
	assert_int_equal(keys_low_water_ms(keys, k), 5000000 - 60000);
	assert_int_equal(keys_low_water_ms(keys, k), 5000000);
	keys_sweep(keys, true);
	keys_sweep(keys, false);
	assert_int_equal(keys_low_water_ms(keys, k), 0);
	assert_int_equal(keys_low_water_ms(keys, k), 5000000);
	keys_lower_water(k, 6000000);
	assert_int_equal(keys_low_water_ms(keys, k), 5000000);
	keys_lower_water(k, 4000000);
	assert_int_equal(keys_low_water_ms(keys, k), 4000000);
	keys_lower_water(k, 0);
	assert_int_equal(keys_low_water_ms(keys, k), 0);
	assert_int_equal(k->lowered, 3);
}

/* ---- Many ---------------------------------------------------------------------------------- */

enum { DECISIONS = 20000 };

/* Time of that many decisions among "count" marked keys, of which the most wait for room
 * or pause; in microseconds. */
static int64_t
decide(int count)
{
	struct key *k;
	int64_t began;
	int i, asked;

	tear_down(NULL);
	set_up(NULL);
	for (i = 0; i < count; i++)
		keys_mark(keys, tenant(i / 4), 1 + i % 2, i / 2 % 2);
	began = clock_mono_us();
	for (i = 0; i < DECISIONS; i++) {
		k = keys_next(keys, now, &asked);
		if (k == NULL) { /* all pause: time goes on */
			now += 50;
			continue;
		}
		begin(k, 1);
		keys_timeout_ms(keys, now);
		keys_are_marked(keys);
		k->full = i % 2 == 0;
		if (i % 3 == 0)
			k->pause_until_ms = now + 30;
		finish(k, 1, 1);
		land(flights);
		flights = NULL;
		keys_mark(keys, k->tenant, k->lane, k->prio);
	}
	return clock_mono_us() - began;
}

static void
test_a_decision_does_not_cost_more_among_many(void **state)
{
	int64_t few = decide(100), many = decide(100000);

	print_message("# %d decisions: %lld us among 100 keys, %lld us among 100,000\n",
	    DECISIONS, (long long)few, (long long)many);
	assert_true(many < 20 * few + 200000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_equal_tenants_get_the_same),
		TEST(test_turns_go_by_weight),
		TEST(test_slots_go_by_weight),
		TEST(test_who_has_little_does_not_wait),
		TEST(test_priorities_share_and_none_starves),
		TEST(test_bulk_alone_gets_everything),
		TEST(test_fresh_and_deferred_one_to_one),
		TEST(test_there_is_room_for_a_newcomer),
		TEST(test_there_is_room_behind_many),
		TEST(test_who_waits_for_room_gets_it),
		TEST(test_claims_at_a_time),
		TEST(test_rows_of_a_claim_are_no_news),
		TEST(test_pauses),
		TEST(test_idle_keys_go),
		TEST(test_low_water),
		TEST(test_a_decision_does_not_cost_more_among_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
