/*
 * test_gate.c - how much of what waits may start
 *
 * SPDX-License-Identifier: BSD-2-Clause
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
#include "db/batch.h"
#include "db/rows.h"
#include "net/transfer.h"
#include "notify/gate.h"
#include "notify/health.h"
#include "provider/limits.h"
#include "provider/provider.h"
#include "provider/verdict.h"

enum { FAILURES = 10, TRY_EVERY_MS = 5000, LIMIT = 8 };

static const struct provider_ops ops = { .channel = CHANNEL_EMAIL };

struct world {
	struct arena *a;
	struct health *health;
	struct gate *gate;
	struct guest *guest;
	struct place *place;
};

static struct world
world(void)
{
	struct world w = { .a = arena_new(4096) };
	struct gate_params params = { .concurrency = LIMIT,
		.failures = { FAILURES, 3600000 },
		.try_every_ms = TRY_EVERY_MS, .block_max_ms = 60000 };
	struct provider pr = { .id = { uuid_make() }, .ops = &ops };

	w.health = params.health = health_new(w.a, 60000);
	w.gate = gate_new(w.a, &params);
	pr.account = pr.id;
	w.guest = gate_guest(w.gate, &pr);
	assert_ptr_equal(gate_guest(w.gate, &pr), w.guest);
	w.place = w.guest->place;
	return w;
}

static bool
take(const struct world *w)
{
	int64_t from_us;

	return gate_take(w->gate, w->guest, &from_us);
}

/* Takes a place, goes on the wire and has an answer. */
static enum gate_news
attempt(const struct world *w, enum gate_answer answer, int64_t block_ms)
{
	struct gate_ended ended = { .answer = answer, .block_ms = block_ms };

	assert_true(take(w));
	assert_true(gate_may_start(w->place));
	ended.at = gate_start(w->place);
	return gate_end(w->gate, w->place, &ended);
}

static void
what_an_answer_tells(void **state)
{
	static const struct {
		enum verdict_class class;
		struct transfer_result res;
		enum gate_answer want;
	} cases[] = {
		{ VERDICT_ACCEPTED, { .status = 200, .reply = "" }, GATE_SERVED },
		{ VERDICT_BAD_RECIPIENT, { .status = 400, .reply = "" },
		    GATE_SERVED },
		{ VERDICT_BAD_MESSAGE, { .status = 413, .reply = "" },
		    GATE_SERVED },
		{ VERDICT_THROTTLED, { .status = 429, .reply = "" },
		    GATE_REFUSED },
		{ VERDICT_BAD_CREDENTIAL, { .status = 401, .reply = "" },
		    GATE_NEITHER },
		{ VERDICT_PROVIDER_BLOCKED, { .status = 410, .reply = "" },
		    GATE_NEITHER },
		{ VERDICT_RETRY, { .status = 503, .reply = "" }, GATE_FAILED },
		{ VERDICT_RETRY, { .status = 404, .reply = "" }, GATE_NEITHER },
		{ VERDICT_RETRY, { .outcome = TRANSFER_NOT_CONNECTED,
		    .reply = "" }, GATE_REFUSED },
		{ VERDICT_RETRY, { .outcome = TRANSFER_TLS_FAILED, .reply = "" },
		    GATE_REFUSED },
		{ VERDICT_UNKNOWN, { .outcome = TRANSFER_TIMED_OUT,
		    .reply = "" }, GATE_REFUSED },
		{ VERDICT_UNKNOWN, { .outcome = TRANSFER_BROKEN, .reply = "" },
		    GATE_FAILED },
		{ VERDICT_UNKNOWN, { .outcome = TRANSFER_ABORTED, .reply = "" },
		    GATE_NEITHER },
		/* SMTP: greylisting is about one message, a greeting is not. */
		{ VERDICT_RETRY, { .status = 451, .stage = TRANSFER_AT_RECIPIENT,
		    .reply = "later" }, GATE_NEITHER },
		{ VERDICT_RETRY, { .status = 421, .stage = TRANSFER_AT_RECIPIENT,
		    .reply = "bye" }, GATE_REFUSED },
		{ VERDICT_RETRY, { .status = 554, .stage = TRANSFER_AT_CONNECT,
		    .reply = "no" }, GATE_FAILED },
	};
	struct verdict v = { .class = VERDICT_NONE };
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		v.class = cases[i].class;
		assert_int_equal(gate_judge(&cases[i].res, &v), cases[i].want);
	}
	v.class = VERDICT_RETRY;
	assert_int_equal(gate_judge(NULL, &v), GATE_FAILED);
}

static void
places_are_few_at_first(void **state)
{
	struct world w = world();
	int i;

	assert_int_equal(gate_room(w.gate, w.guest), WINDOW_FIRST);
	for (i = 0; i < WINDOW_FIRST; i++)
		assert_true(take(&w));
	assert_false(take(&w));
	assert_int_equal(gate_room_worth(w.gate, w.guest), 0);
	gate_leave(w.place);
	assert_int_equal(gate_room(w.gate, w.guest), 1);
	assert_int_equal(gate_room_worth(w.gate, w.guest), 0);
	gate_leave(w.place);
	assert_int_equal(gate_room_worth(w.gate, w.guest), 2);
	arena_free(&w.a);
}

/* Those beyond the window wait for the wire; a hanging account gets none. */
static void
a_quick_account_has_some_ahead(void **state)
{
	struct world w = world();
	int i, started = 0, taken = 0;

	for (i = 0; i < 400; i++)
		attempt(&w, GATE_SERVED, 0);
	clock_shift_for_test(0, 200);
	assert_true(gate_room(w.gate, w.guest) > LIMIT + 50);
	while (take(&w))
		taken++;
	while (gate_may_start(w.place)) {
		gate_start(w.place);
		started++;
	}
	assert_in_range(started, WINDOW_FIRST, LIMIT);
	clock_shift_for_test(0, 1000);
	for (; taken > 0; taken--)
		gate_leave(w.place);
	assert_in_range(gate_room(w.gate, w.guest), WINDOW_FIRST, LIMIT);
	arena_free(&w.a);
}

static void
a_breaker_opens_and_is_tried(void **state)
{
	struct world w = world();
	struct account_health *ah;
	int i;

	for (i = 0; i < FAILURES - 1; i++)
		assert_int_equal(attempt(&w, GATE_FAILED, 0), GATE_NO_NEWS);
	assert_int_equal(attempt(&w, GATE_SERVED, 0), GATE_NO_NEWS);
	for (i = 0; i < FAILURES - 1; i++)
		assert_int_equal(attempt(&w, GATE_FAILED, 0), GATE_NO_NEWS);
	assert_int_equal(attempt(&w, GATE_FAILED, 0), GATE_OPENED);
	assert_true(gate_is_open(w.place));
	assert_true(gate_is_shut(w.place));
	assert_int_equal(gate_room(w.gate, w.guest), 0);
	assert_false(gate_must_ask(w.gate, w.place));
	assert_in_range(gate_wait_ms(w.place), 1, 1000);

	ah = health_of(w.health, w.place->id);
	ah->opened_until_ms = clock_wall_ms() - 1;
	assert_true(gate_must_ask(w.gate, w.place));
	/* The right has come: one delivery, and one only. */
	w.place->try_until_ms = clock_mono_ms() + TRY_EVERY_MS;
	assert_int_equal(gate_room(w.gate, w.guest), 1);
	assert_int_equal(attempt(&w, GATE_REFUSED, 0), GATE_TRY_FAILED);
	assert_int_equal(gate_room(w.gate, w.guest), 0);

	w.place->try_until_ms = clock_mono_ms() + TRY_EVERY_MS;
	assert_int_equal(attempt(&w, GATE_SERVED, 0), GATE_RECOVERED);
	assert_false(gate_is_open(w.place));
	assert_in_range(gate_room(w.gate, w.guest), 1, 2);
	arena_free(&w.a);
}

static void
not_before_is_kept(void **state)
{
	struct world w = world();

	assert_int_equal(attempt(&w, GATE_REFUSED, 30000), GATE_BLOCKED);
	assert_true(gate_is_shut(w.place));
	assert_false(gate_is_open(w.place));
	assert_false(take(&w));
	clock_shift_for_test(29000, 29000);
	assert_false(take(&w));
	clock_shift_for_test(2000, 2000);
	assert_true(take(&w));
	gate_leave(w.place);
	/* No account can stop us for longer than is believed. */
	assert_int_equal(attempt(&w, GATE_REFUSED, INT64_C(86400000)),
	    GATE_BLOCKED);
	clock_shift_for_test(61000, 61000);
	assert_true(take(&w));
	arena_free(&w.a);
}

/* RELIABILITY O10: half of everything fails, and is tried again until it succeeds. */
static void
retries_are_a_small_share(void **state)
{
	struct world w = world();
	int offered, requests = 0, waiting = 0, i;
	uint32_t random = 1;
	struct gate_ended ended = { .at = 1 };

	for (offered = 0; offered < 10000; offered++) {
		for (i = 0; i < 2; i++) {
			ended.retry = i == 1;
			if (i == 1 &&
			    (waiting == 0 || !gate_may_retry(w.place)))
				break;
			waiting -= i;
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			ended.answer = random >> 31 ? GATE_SERVED : GATE_NEITHER;
			waiting += ended.answer != GATE_SERVED;
			assert_true(take(&w));
			gate_start(w.place);
			gate_end(w.gate, w.place, &ended);
			requests++;
		}
		clock_shift_for_test(0, 20);
	}
	print_message("requests for each one offered: %.3f (1.3)\n",
	    (double)requests / offered);
	assert_in_range(requests, offered + offered / 20,
	    offered + offered * 3 / 10);
	/* All is well again: the rest goes out soon, with nothing new to help it. */
	ended.retry = true;
	ended.answer = GATE_SERVED;
	for (i = 0; waiting > 0 && i < 60 * 50; i++) {
		clock_shift_for_test(0, 20);
		while (waiting > 0 && gate_may_retry(w.place)) {
			assert_true(take(&w));
			gate_start(w.place);
			gate_end(w.gate, w.place, &ended);
			waiting--;
		}
	}
	assert_int_equal(waiting, 0);
	arena_free(&w.a);
}

/* A tenant's own rate: its accounts take from one place. */
static void
a_tenant_has_a_rate(void **state)
{
	struct world w = world();
	struct provider one = { .id = { uuid_make() }, .ops = &ops,
		.tenant = { 7 }, .owner = { 7 }, .tenant_rate = 10 };
	struct provider other = one, foreign = one;
	struct guest *p, *q;
	int64_t first_us, second_us;

	(void)state;
	one.account = one.id;
	other.id.u = other.account.u = uuid_make();
	foreign.id.u = foreign.account.u = uuid_make();
	foreign.tenant.n = foreign.owner.n = 8;
	p = gate_guest(w.gate, &one);
	q = gate_guest(w.gate, &other);
	assert_non_null(p->whole);
	assert_ptr_equal(p->whole, q->whole);
	assert_true(gate_is_whole(p->whole));
	assert_false(gate_is_whole(p->place));
	assert_ptr_not_equal(gate_guest(w.gate, &foreign)->whole, p->whole);
	assert_int_equal(gate_room(w.gate, p), 0);
	assert_true(gate_must_ask(w.gate, p->whole));
	assert_false(gate_must_ask(w.gate, p->place));
	p->whole->grants[0] = (struct grant){ clock_mono_us(), 2 };
	assert_int_equal(gate_room(w.gate, p), 2);
	assert_true(gate_take(w.gate, p, &first_us));
	assert_true(gate_take(w.gate, q, &second_us));
	assert_int_equal(second_us - first_us, 100000);
	assert_false(gate_take(w.gate, p, &first_us));
	/* It is taken away: nothing is in the way any more. */
	one.tenant_rate = 0;
	assert_null(gate_guest(w.gate, &one)->whole);
	assert_true(gate_take(w.gate, p, &first_us));
	arena_free(&w.a);
}

/* An account of the platform is one place, whoever sends by it. */
static void
tenants_share_a_place(void **state)
{
	struct world w = world();
	const struct account_limits limits = { .rate = 10, .rate_per = 1000 };
	struct provider one = { .id = { uuid_make() }, .ops = &ops,
		.tenant = { 7 }, .owner = TENANT_PLATFORM,
		.account = { uuid_make() }, .limits = &limits };
	struct provider other = one;
	struct guest *p, *q;
	int64_t us;

	(void)state;
	other.id.u = uuid_make();
	other.tenant.n = 8;
	other.tenant_rate = 1;
	p = gate_guest(w.gate, &one);
	q = gate_guest(w.gate, &other);
	assert_ptr_not_equal(p, q);
	assert_ptr_equal(p->place, q->place);
	assert_int_equal(p->place->tenant.n, TENANT_PLATFORM.n);
	assert_null(p->whole);
	assert_int_equal(q->whole->tenant.n, 8);
	p->place->grants[0] = (struct grant){ clock_mono_us(), 2 };
	assert_int_equal(gate_room(w.gate, p), 2);
	assert_int_equal(gate_room(w.gate, q), 0); /* by its own rate */
	q->whole->grants[0] = (struct grant){ clock_mono_us(), 2 };
	assert_true(gate_take(w.gate, p, &us));
	assert_true(gate_take(w.gate, q, &us));
	assert_false(gate_take(w.gate, p, &us));
	gate_await(p);
	gate_await(q);
	gate_await(p);
	assert_ptr_equal(gate_awaiting(p->place), q);
	assert_ptr_equal(gate_awaiting(p->place), p);
	assert_null(gate_awaiting(p->place));
	arena_free(&w.a);
}

/* One row of a query; an empty text is NULL. */
static struct db_rows *
row_of(struct arena *a, char (*values)[40], int count)
{
	PGresAttDesc columns[9];
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	int i;

	memset(columns, 0, sizeof(columns));
	for (i = 0; i < count; i++)
		columns[i].name = values[i];
	assert_true(PQsetResultAttrs(res, count, columns));
	for (i = 0; i < count; i++)
		assert_true(PQsetvalue(res, 0, i, values[i],
		    values[i][0] != '\0' ? (int)strlen(values[i]) : -1));
	return rows_wrap(a, res);
}

/* What query "gate_ask" answers: two are granted, the next ones are in a second. */
static struct db_rows *
granted_two(struct arena *a)
{
	static char values[][40] = { "0", "2", "0", "1000" };

	return row_of(a, values, NELEMS(values));
}

/* Limits may change while the question is on its way: the answer is that to what was
 * asked, and what was granted by other limits is not used. */
static void
limits_change_while_one_asks(void **state)
{
	static const struct account_limits none, paced = { .rate = 10,
		.rate_per = 1000 }, other = { .rate = 5, .rate_per = 1000 };
	static const struct {
		const struct account_limits *before, *after;
		int queries, granted;
	} cases[] = { { &none, &paced, 1, 0 }, { &paced, &none, 2, 0 },
		{ &paced, &other, 2, 0 }, { &paced, &paced, 2, 2 } };
	struct world w;
	struct provider pr;
	struct db_rows **rows;
	struct db_batch *b;
	size_t i;

	(void)state;
	for (i = 0; i < NELEMS(cases); i++) {
		w = world();
		pr = (struct provider){ .id = { uuid_make() }, .ops = &ops,
			.limits = cases[i].before };
		pr.account = pr.id;
		w.place = gate_guest(w.gate, &pr)->place;
		b = db_batch_new(w.a, pr.tenant, DB_ONE);
		gate_ask_add(w.gate, w.place, b);
		pr.limits = cases[i].after;
		w.guest = gate_guest(w.gate, &pr);
		rows = arena_zalloc(w.a, 2, sizeof(struct db_rows *));
		rows[cases[i].queries - 1] = granted_two(w.a);
		gate_ask_read(w.gate, w.place, rows);
		assert_false(w.place->asking);
		assert_int_equal(w.place->grants[0].count, cases[i].granted);
		arena_free(&w.a);
	}
}

/* Is only what changed of late asked for? */
static bool
asks_for_changes(struct health *h, struct arena *a)
{
	struct db_batch *b = db_batch_new(a, TENANT_PLATFORM, DB_PLAIN);

	health_changed_add(b, h);
	return b->steps[0].values[0] != NULL;
}

/* What is committed long after its time is found by looking at all now and then. */
static void
health_is_read_whole_now_and_then(void **state)
{
	static char values[][40] = { "01890a5d-ac96-774b-bcce-b302099a8057", "2",
		"1", "0", "", "0", "", "2026-11-27 08:00:00+00", "" };
	struct arena *a = arena_new(4096);
	struct health *h = health_new(a, 60000);

	(void)state;
	assert_false(asks_for_changes(h, a));
	health_changed_read(h, row_of(a, values, NELEMS(values)));
	assert_true(asks_for_changes(h, a));
	clock_shift_for_test(0, 59000);
	assert_true(asks_for_changes(h, a));
	clock_shift_for_test(0, 2000);
	assert_false(asks_for_changes(h, a));
	assert_true(asks_for_changes(h, a));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_answer_tells),
		cmocka_unit_test(places_are_few_at_first),
		cmocka_unit_test(a_quick_account_has_some_ahead),
		cmocka_unit_test(a_breaker_opens_and_is_tried),
		cmocka_unit_test(not_before_is_kept),
		cmocka_unit_test(retries_are_a_small_share),
		cmocka_unit_test(a_tenant_has_a_rate),
		cmocka_unit_test(tenants_share_a_place),
		cmocka_unit_test(limits_change_while_one_asks),
		cmocka_unit_test(health_is_read_whole_now_and_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
