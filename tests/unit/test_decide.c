/*
 * test_decide.c - what follows from what
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "notify/decide.h"

static const struct retry_policy policy = {
	.attempts_max = 5,
	.delay_first_ms = 1000,
	.delay_max_ms = 60000,
	.throttled_delay_ms = 500,
	.account_delay_ms = 20000,
	.failover_after = 2,
	.hold_ms = 90000,
	.jitter_percent = 20,
	.give_up_after_ms = 3600 * 1000,
	.unknown = UNKNOWN_RESEND,
};

static void
each_class_has_its_outcome(void **state)
{
	static const struct {
		enum verdict_class class;
		int counted;
		int64_t age_ms, retry_after_ms;
		enum delivery_state want;
		int want_counted;
		int64_t least_ms, most_ms;
	} rows[] = {
		{ VERDICT_ACCEPTED, 0, 0, 0, DELIVERY_SENT, 1, 0, 0 },
		{ VERDICT_BAD_RECIPIENT, 0, 0, 0, DELIVERY_FAILED, 1, 0, 0 },
		{ VERDICT_BAD_MESSAGE, 3, 0, 0, DELIVERY_FAILED, 1, 0, 0 },
		{ VERDICT_RETRY, 0, 0, 0, DELIVERY_WAITING, 1, 800, 1200 },
		{ VERDICT_RETRY, 1, 0, 0, DELIVERY_WAITING, 1, 1600, 2400 },
		{ VERDICT_RETRY, 3, 0, 0, DELIVERY_WAITING, 1, 6400, 9600 },
		{ VERDICT_RETRY, 4, 0, 0, DELIVERY_DEAD, 1, 0, 0 },
		{ VERDICT_RETRY, 0, 3600 * 1000, 0, DELIVERY_DEAD, 1, 0, 0 },
		{ VERDICT_RETRY, 0, 0, 30000, DELIVERY_WAITING, 1, 30000, 30000 },
		{ VERDICT_RETRY, 0, 0, 1LL << 40, DELIVERY_WAITING, 1, 60000,
		    60000 },
		{ VERDICT_RETRY, 0, 0, -5, DELIVERY_WAITING, 1, 800, 1200 },
		{ VERDICT_UNKNOWN, 0, 0, 0, DELIVERY_WAITING, 1, 800, 1200 },
		{ VERDICT_UNKNOWN, 4, 0, 0, DELIVERY_DEAD, 1, 0, 0 },
		{ VERDICT_THROTTLED, 4, 0, 0, DELIVERY_WAITING, 0, 400, 600 },
		{ VERDICT_THROTTLED, 4, 0, 7000, DELIVERY_WAITING, 0, 7000, 7000 },
		{ VERDICT_BAD_CREDENTIAL, 4, 0, 0, DELIVERY_WAITING, 0, 16000,
		    24000 },
		{ VERDICT_PROVIDER_BLOCKED, 0, 0, 0, DELIVERY_WAITING, 0, 16000,
		    24000 },
		{ VERDICT_PROVIDER_BLOCKED, 0, 3600 * 1000, 0, DELIVERY_DEAD, 0,
		    0, 0 },
	};
	struct decide_attempt attempt;
	struct verdict v;
	struct outcome o;
	size_t i;
	int k;

	for (i = 0; i < NELEMS(rows); i++) {
		verdict_set(&v, rows[i].class, "", "");
		v.retry_after_ms = rows[i].retry_after_ms;
		for (k = 0; k < 100; k++) {
			attempt = (struct decide_attempt){ &v, rows[i].counted,
				rows[i].age_ms, (uint32_t)rand(), false, 0 };
			o = decide_outcome(&policy, &attempt);
			assert_int_equal(o.state, rows[i].want);
			assert_int_equal(o.counted, rows[i].want_counted);
			assert_in_range(o.delay_ms, rows[i].least_ms,
			    rows[i].most_ms);
			assert_int_equal(o.because != NULL,
			    o.state == DELIVERY_DEAD);
		}
	}
}

/* What fails at one account goes to the next at once, as long as there is one. */
static void
the_next_account_has_its_turn(void **state)
{
	static const struct {
		enum verdict_class class;
		int counted;
		bool others;
		bool failover;
		enum delivery_state want;
		enum later later;
	} rows[] = {
		{ VERDICT_RETRY, 0, true, false, DELIVERY_WAITING, LATER_TIME },
		{ VERDICT_RETRY, 1, true, true, DELIVERY_READY, LATER_NOT },
		{ VERDICT_RETRY, 1, false, true, DELIVERY_WAITING, LATER_TIME },
		{ VERDICT_UNKNOWN, 1, true, true, DELIVERY_READY, LATER_NOT },
		{ VERDICT_BAD_CREDENTIAL, 0, true, true, DELIVERY_READY,
		    LATER_NOT },
		{ VERDICT_PROVIDER_BLOCKED, 0, false, true, DELIVERY_WAITING,
		    LATER_ACCOUNT },
		{ VERDICT_THROTTLED, 1, true, false, DELIVERY_WAITING,
		    LATER_TIME },
		{ VERDICT_ACCEPTED, 0, true, false, DELIVERY_SENT, LATER_NOT },
		{ VERDICT_BAD_MESSAGE, 1, true, false, DELIVERY_FAILED,
		    LATER_NOT },
	};
	struct decide_attempt attempt = { .age_ms = 0 };
	struct verdict v;
	struct outcome o;
	size_t i;

	attempt.verdict = &v;
	for (i = 0; i < NELEMS(rows); i++) {
		verdict_set(&v, rows[i].class, "", "");
		attempt.counted = rows[i].counted;
		attempt.others = rows[i].others;
		o = decide_outcome(&policy, &attempt);
		assert_int_equal(o.failover, rows[i].failover);
		assert_int_equal(o.state, rows[i].want);
		assert_int_equal(o.later, rows[i].later);
		if (o.state == DELIVERY_READY)
			assert_int_equal(o.delay_ms, 0);
	}
}

static void
a_receipt_is_waited_for_when_somebody_else_may_try(void **state)
{
	struct retry_policy p = policy;
	struct decide_attempt attempt = { .others = true };
	struct verdict v;
	struct outcome o;

	p.receipt_after_ms = 5000;
	verdict_set(&v, VERDICT_ACCEPTED, "", "");
	attempt.verdict = &v;
	o = decide_outcome(&p, &attempt);
	assert_int_equal(o.state, DELIVERY_SENT);
	assert_int_equal(o.later, LATER_RECEIPT);
	assert_int_equal(o.delay_ms, 5000);
	attempt.expires_in_ms = 4000;
	assert_int_equal(decide_outcome(&p, &attempt).later, LATER_NOT);
	attempt = (struct decide_attempt){ .verdict = &v };
	assert_int_equal(decide_outcome(&p, &attempt).later, LATER_NOT);
}

static void
nothing_waits_beyond_its_deadline(void **state)
{
	struct decide_attempt attempt = { .expires_in_ms = 700 };
	struct retry_policy p = policy;
	struct verdict v;
	struct outcome o;

	verdict_set(&v, VERDICT_RETRY, "", "");
	attempt.verdict = &v;
	o = decide_outcome(&policy, &attempt);
	assert_int_equal(o.state, DELIVERY_EXPIRED);
	assert_non_null(o.because);
	attempt.expires_in_ms = 1300;
	assert_int_equal(decide_outcome(&policy, &attempt).state,
	    DELIVERY_WAITING);
	attempt.expires_in_ms = -1;
	assert_int_equal(decide_outcome(&policy, &attempt).state,
	    DELIVERY_EXPIRED);
	verdict_set(&v, VERDICT_UNKNOWN, "", "");
	p.unknown = UNKNOWN_HOLD;
	attempt.expires_in_ms = 800;
	o = decide_outcome(&p, &attempt);
	assert_int_equal(o.state, DELIVERY_HELD);
	assert_int_equal(o.delay_ms, 800);
	assert_int_equal(expires_in(0, 5), 0);
	assert_int_equal(expires_in(5, 5), -1);
	assert_int_equal(expires_in(9, 5), 4);
}

static void
claimed_deliveries_start_unless_something_hinders(void **state)
{
	static const struct {
		struct decide_start q;
		enum delivery_state want;
	} rows[] = {
		{ { NULL, 0, 3, true, 0, 0 }, DELIVERY_SENDING },
		{ { NULL, 2, 3, true, 0, 5000 }, DELIVERY_SENDING },
		{ { "torn", 0, 3, true, 0, 0 }, DELIVERY_DEAD },
		{ { NULL, 3, 3, true, 0, 0 }, DELIVERY_DEAD },
		{ { NULL, 0, 3, true, 0, -1 }, DELIVERY_EXPIRED },
		{ { NULL, 0, 3, false, 0, 0 }, DELIVERY_WAITING },
		{ { NULL, 0, 3, false, 0, 100 }, DELIVERY_EXPIRED },
		{ { NULL, 0, 3, false, 3600 * 1000 + 1, 0 }, DELIVERY_DEAD },
		{ { NULL, 0, 3, true, 0, 0, true }, DELIVERY_FAILED },
		{ { NULL, 0, 3, false, 0, -1, true }, DELIVERY_EXPIRED },
		{ { NULL, 3, 3, true, 0, -1, false, TOLD_DELIVERED },
		    DELIVERY_DELIVERED },
		{ { NULL, 0, 3, true, 0, 0, false, TOLD_FAILED },
		    DELIVERY_SENDING },
	};
	struct start_outcome o;
	size_t i;

	for (i = 0; i < NELEMS(rows); i++) {
		o = decide_start(&policy, &rows[i].q);
		assert_int_equal(o.state, rows[i].want);
		assert_int_equal(o.reason == NULL, o.state == DELIVERY_SENDING);
		assert_int_equal(o.delay_ms > 0, o.state == DELIVERY_WAITING);
	}
}

static void
a_channel_may_hold_what_is_unknown(void **state)
{
	struct retry_policy hold = policy;
	struct decide_attempt attempt = { .age_ms = 0 };
	struct verdict v;

	hold.unknown = UNKNOWN_HOLD;
	verdict_set(&v, VERDICT_UNKNOWN, "", "");
	attempt.verdict = &v;
	assert_int_equal(decide_outcome(&hold, &attempt).state, DELIVERY_HELD);
	assert_int_equal(decide_outcome(&hold, &attempt).later, LATER_HELD);
	assert_int_equal(decide_outcome(&hold, &attempt).delay_ms, 90000);
}

static void
delays_double_up_to_the_largest(void **state)
{
	struct retry_policy exact = policy;
	static const int64_t want[] = { 1000, 1000, 2000, 4000, 8000, 16000, 32000,
		60000, 60000 };
	int i;

	exact.jitter_percent = 0;
	for (i = 0; i < (int)NELEMS(want); i++)
		assert_int_equal(decide_delay_ms(&exact, i, 12345), want[i]);
	assert_int_equal(decide_delay_ms(&exact, 1000000, 0), 60000);
}

static void
routes_have_their_reasons(void **state)
{
	static const struct {
		struct decide_route question;
		enum delivery_state want;
		bool reason;
	} rows[] = {
		{ { "email", false, true, true, true, true }, DELIVERY_SENDING,
		    false },
		{ { "email", false, true, true, true, false }, DELIVERY_READY,
		    false },
		{ { "email", true, true, true, true, true }, DELIVERY_EXPIRED,
		    true },
		{ { "email", false, false, true, true, true }, DELIVERY_SKIPPED,
		    true },
		{ { "email", false, true, false, true, true }, DELIVERY_SKIPPED,
		    true },
		{ { "email", false, true, true, false, true }, DELIVERY_WAITING,
		    true },
		{ { "email", false, true, true, true, true, true },
		    DELIVERY_SKIPPED, true },
		{ { "email", false, true, true, false, true, true },
		    DELIVERY_SKIPPED, true },
		{ { "email", false, true, true, true, true,
		      .is_forbidden = true },
		    DELIVERY_SKIPPED, true },
	};
	struct route_outcome o;
	size_t i;

	for (i = 0; i < NELEMS(rows); i++) {
		o = decide_route(&rows[i].question);
		assert_int_equal(o.state, rows[i].want);
		assert_int_equal(o.reason != NULL, rows[i].reason);
	}
}

static void
receipts_move_forward_or_not_at_all(void **state)
{
	static const struct {
		enum delivery_state was;
		enum told told;
		enum receipt_what what;
		enum verdict_class class;
		bool stale, waits;
		enum delivery_state want;
		enum told want_told;
	} rows[] = {
#define ROW(was, told, what, class, stale, waits, want, want_told)             \
	{ DELIVERY_##was, TOLD_##told, RECEIPT_##what, VERDICT_##class, stale, \
		waits, DELIVERY_##want, TOLD_##want_told },
		ROW(SENT, NOTHING, DELIVERED, NONE, 0, 0, DELIVERED, DELIVERED)
		ROW(SENT, NOTHING, DELIVERED, NONE, 1, 0, DELIVERED, DELIVERED)
		ROW(HELD, NOTHING, DELIVERED, NONE, 0, 0, DELIVERED, DELIVERED)
		ROW(WAITING, NOTHING, OPENED, NONE, 0, 0, DELIVERED, READ)
		ROW(READY, NOTHING, READ, NONE, 1, 0, DELIVERED, READ)
		ROW(SENT, NOTHING, CLICKED, NONE, 0, 0, DELIVERED, READ)
		ROW(SENT, NOTHING, COMPLAINED, NONE, 0, 0, DELIVERED, DELIVERED)
		ROW(DELIVERED, READ, DELIVERED, NONE, 0, 0, DELIVERED, READ)
		ROW(DELIVERED, DELIVERED, READ, NONE, 0, 0, DELIVERED, READ)
		ROW(SENDING, NOTHING, DELIVERED, NONE, 0, 0, SENDING, DELIVERED)
		ROW(SENDING, FAILED, DELIVERED, NONE, 0, 0, SENDING, DELIVERED)
		ROW(SENDING, NOTHING, FAILED, RETRY, 0, 0, SENDING, FAILED)
		ROW(SENDING, NOTHING, FAILED, RETRY, 1, 0, SENDING, NOTHING)
		ROW(SENDING, DELIVERED, FAILED, RETRY, 0, 0, SENDING, DELIVERED)
		ROW(DEAD, NOTHING, DELIVERED, NONE, 0, 0, DEAD, DELIVERED)
		ROW(FAILED, NOTHING, READ, NONE, 0, 0, FAILED, READ)
		ROW(CANCELLED, NOTHING, DELIVERED, NONE, 0, 0, CANCELLED,
		    DELIVERED)
		ROW(SENT, NOTHING, BOUNCED, BAD_RECIPIENT, 0, 0, FAILED, NOTHING)
		ROW(SENT, NOTHING, BOUNCED, BAD_RECIPIENT, 1, 0, SENT, NOTHING)
		ROW(SENT, NOTHING, FAILED, RETRY, 0, 0, FAILED, NOTHING)
		ROW(SENT, NOTHING, FAILED, RETRY, 0, 1, READY, NOTHING)
		ROW(SENT, NOTHING, FAILED, PROVIDER_BLOCKED, 0, 1, READY, NOTHING)
		ROW(SENT, NOTHING, FAILED, BAD_MESSAGE, 0, 1, FAILED, NOTHING)
		ROW(SENT, NOTHING, FAILED, NONE, 0, 1, FAILED, NOTHING)
		ROW(HELD, NOTHING, FAILED, RETRY, 0, 0, READY, NOTHING)
		ROW(HELD, NOTHING, FAILED, UNKNOWN, 0, 0, FAILED, NOTHING)
		ROW(DELIVERED, DELIVERED, BOUNCED, BAD_RECIPIENT, 0, 0, DELIVERED,
		    DELIVERED)
		ROW(WAITING, NOTHING, FAILED, BAD_RECIPIENT, 0, 0, WAITING,
		    NOTHING)
#undef ROW
	};
	struct decide_receipt q;
	struct receipt_outcome o;
	size_t i;

	for (i = 0; i < NELEMS(rows); i++) {
		q = (struct decide_receipt){ rows[i].was, rows[i].told,
			rows[i].what, rows[i].class, true, rows[i].stale,
			rows[i].waits };
		o = decide_receipt(&q);
		assert_int_equal(o.state, rows[i].want);
		assert_int_equal(o.told, rows[i].want_told);
		assert_int_equal(o.failover, o.state == DELIVERY_READY &&
		        rows[i].was != DELIVERY_READY);
		q.tried = false;
		o = decide_receipt(&q);
		assert_int_equal(o.state, rows[i].was);
		assert_int_equal(o.told, rows[i].told);
	}
}

/* Any order of verdicts: attempts ascend, moves are legal, final is final, and it ends. */
static void
random_orders_keep_the_invariants(void **state)
{
	enum { ROUNDS = 200000 };
	unsigned seed = 20260101;
	struct decide_attempt attempt;
	enum delivery_state st;
	struct verdict v;
	struct outcome o;
	int i, attempts;

	print_message("# seed %u\n", seed);
	srand(seed);
	for (i = 0; i < ROUNDS; i++) {
		st = DELIVERY_READY;
		attempt = (struct decide_attempt){ .verdict = &v };
		attempts = 0;
		while (!delivery_state_is_final((int)st)) {
			delivery_move(&st, DELIVERY_SENDING);
			attempts++;
			verdict_set(&v,
			    (enum verdict_class)(1 + rand() % (VERDICT_COUNT - 1)),
			    "", "");
			v.retry_after_ms = rand() % 3 == 0 ? rand() : 0;
			attempt.random = (uint32_t)rand();
			attempt.others = rand() % 2;
			o = decide_outcome(&policy, &attempt);
			delivery_move(&st, o.state);
			attempt.counted += o.counted;
			attempt.age_ms += o.delay_ms;
			assert_in_range(attempt.counted, 0, policy.attempts_max);
			assert_true(attempt.age_ms <= policy.give_up_after_ms);
			assert_true(attempts < 10000);
		}
	}
}

/* What the database is compared with (tests/integration/test_fallback.py). */
static int
print_steps(void)
{
	int state, attempts, told, unless;

	for (state = 1; state < DELIVERY_STATE_COUNT; state++)
		for (attempts = 0; attempts < 2; attempts++)
			for (told = TOLD_FAILED; told <= TOLD_READ; told++)
				for (unless = UNLESS_SENT; unless <= UNLESS_READ;
				     unless++)
					printf("%d %d %d %d %d\n", state, attempts,
					    told, unless,
					    (int)decide_step(
					        (enum delivery_state)state,
					        attempts, (enum told)told,
					        (enum unless)unless));
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_class_has_its_outcome),
		cmocka_unit_test(the_next_account_has_its_turn),
		cmocka_unit_test(
		    a_receipt_is_waited_for_when_somebody_else_may_try),
		cmocka_unit_test(nothing_waits_beyond_its_deadline),
		cmocka_unit_test(
		    claimed_deliveries_start_unless_something_hinders),
		cmocka_unit_test(a_channel_may_hold_what_is_unknown),
		cmocka_unit_test(delays_double_up_to_the_largest),
		cmocka_unit_test(routes_have_their_reasons),
		cmocka_unit_test(receipts_move_forward_or_not_at_all),
		cmocka_unit_test(random_orders_keep_the_invariants),
	};

	if (argc > 1 && strcmp(argv[1], "--steps") == 0)
		return print_steps();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
