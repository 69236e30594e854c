/*
 * test_model.c - RELIABILITY D14: any order of events keeps the books in order
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A small world of one notification after the other: a queue in which a row is in one
 * place, leases with numbers, and the functions of notify/decide.h, which say what
 * follows from each event.  What is written there by SQL is done here by hand; that the
 * two agree is for the integration tests.  BELFRY_MODEL_EVENTS events (a million), from
 * BELFRY_MODEL_SEED (printed).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "notify/decide.h"

enum { STEPS_MAX = 6, DEVICES_MAX = 2, SIZE = STEPS_MAX * DEVICES_MAX };

/* Where a delivery's row of the queue is. */
enum place { NOWHERE, READY, LEASED, LATER };

struct item {
	enum delivery_state state;
	enum place place;
	enum later later;
	enum told told;
	enum verdict_class told_class; /* of a failure that was told too early */
	int step, attempts, counted, lease_no, zombie; /* a lease that was lost */
	int reopened; /* how often it came back from SENT or HELD */
	bool has_next, timed;
	enum unless unless;
};

struct world {
	uint64_t random;
	struct retry_policy policy;
	enum notification_state state;
	int open, count;
	struct item items[SIZE];
};

static uint32_t
draw(struct world *w, uint32_t below)
{
	w->random = w->random * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(w->random >> 33) % below;
}

/* ---- What the statements do ---------------------------------------------------------- */

static void
count_open(struct world *w, int more)
{
	w->open += more;
	assert_true(w->open >= 0);
	if (w->state == NOTIFICATION_ROUTED && w->open == 0)
		w->state = NOTIFICATION_DONE;
	else if (w->state == NOTIFICATION_DONE && w->open > 0)
		w->state = NOTIFICATION_ROUTED;
}

static void follow(struct world *w, const struct item *d);

static void
move(struct world *w, struct item *d, enum delivery_state to, enum place place)
{
	int was_final = delivery_state_is_final((int)d->state);
	enum delivery_state was = d->state;

	if (to != was) {
		assert_true(delivery_move_is_legal((int)was, (int)to));
		if (was_final)
			assert_true(was == DELIVERY_SENT || was == DELIVERY_DEAD);
		d->state = to;
		d->reopened += to == DELIVERY_READY &&
		    (was == DELIVERY_SENT || was == DELIVERY_HELD);
	}
	d->place = place;
	count_open(w, was_final - delivery_state_is_final((int)to));
	if (to != was)
		follow(w, d);
}

static void
skip_after(struct world *w, int step)
{
	struct item *d;

	for (d = w->items; d < w->items + w->count; d++)
		if (d->step > step && (d->state == DELIVERY_WAITING ||
		        d->state == DELIVERY_READY)) {
			d->has_next = false;
			move(w, d, DELIVERY_SKIPPED, NOWHERE);
		}
}

static bool
step_is_over(const struct world *w, int step)
{
	const struct item *d;

	for (d = w->items; d < w->items + w->count; d++)
		if (d->step == step && d->state != DELIVERY_FAILED &&
		    d->state != DELIVERY_DEAD && d->state != DELIVERY_SKIPPED &&
		    d->state != DELIVERY_CANCELLED && d->state != DELIVERY_EXPIRED)
			return false;
	return true;
}

static struct item *
head_of(struct world *w, int step)
{
	struct item *d;

	for (d = w->items; d < w->items + w->count; d++)
		if (d->step == step)
			return d;
	return NULL;
}

/* Trigger step_follow. */
static void
follow(struct world *w, const struct item *before)
{
	struct item *head = head_of(w, before->step + 1), *d;
	enum step_act act;

	if (!before->has_next || before->state == DELIVERY_SENDING)
		return;
	act = decide_step(before->state, before->attempts, before->told,
	    head->unless);
	if (act == STEP_NOT_NEEDED) {
		skip_after(w, before->step);
		return;
	}
	if (act == STEP_STAYS || (act == STEP_WAITS && !head->timed) ||
	    (act == STEP_GOES_ON && !step_is_over(w, before->step)))
		return;
	for (d = w->items; d < w->items + w->count; d++) {
		if (d->step != head->step || d->state != DELIVERY_WAITING ||
		    d->attempts > 0 || d->place == READY)
			continue;
		if (act == STEP_GOES_ON) {
			move(w, d, DELIVERY_READY, READY);
		} else if (d->place == NOWHERE) {
			d->place = LATER;
			d->later = LATER_TIME;
		}
	}
}

/* ---- Events --------------------------------------------------------------------------- */

static void
start(struct world *w, struct item *d)
{
	struct decide_start q = {
		.corrupt = draw(w, 200) == 0 ? "torn" : NULL,
		.crashes = draw(w, 300) == 0 ? 3 : 0,
		.crashes_max = 3,
		.has_account = draw(w, 8) > 0,
		.is_suppressed = draw(w, 100) == 0,
		.told = d->told,
		.quiet_ms = draw(w, 20) == 0 ? 1000 : 0,
		.expires_in_ms = draw(w, 100) == 0 ? -1 : 0,
	};
	struct start_outcome o = decide_start(&w->policy, &q);

	d->lease_no++;
	if (o.reason == NULL) {
		d->attempts++;
		move(w, d, DELIVERY_SENDING, LEASED);
		return;
	}
	move(w, d, DELIVERY_SENDING, LEASED);
	if (o.state == DELIVERY_WAITING) {
		assert_true(o.later == LATER_TIME || o.later == LATER_ACCOUNT);
		d->later = o.later;
	}
	if (o.state == DELIVERY_DELIVERED)
		assert_true(d->told >= TOLD_DELIVERED);
	move(w, d, o.state, o.state == DELIVERY_WAITING ? LATER : NOWHERE);
}

/* What was told before the outcome counts as if it had been told afterwards. */
static void
hear(struct item *d, struct outcome *o)
{
	struct decide_receipt q = { .state = o->state, .tried = true,
		.class = d->told_class };

	if ((o->state != DELIVERY_SENT && o->state != DELIVERY_HELD) ||
	    d->told == TOLD_NOTHING)
		return;
	q.what = d->told == TOLD_FAILED ? RECEIPT_FAILED : RECEIPT_DELIVERED;
	o->state = decide_receipt(&q).state;
	d->reopened += o->state == DELIVERY_READY;
}

/* A result of lease "lease_no", which may be an old one. */
static void
settle(struct world *w, struct item *d, int lease_no)
{
	struct verdict v = { .class = VERDICT_NONE };
	struct decide_attempt attempt = { .verdict = &v, .counted = d->counted,
		.random = draw(w, UINT32_MAX), .others = draw(w, 2) };
	struct outcome o;

	if (d->place != LEASED || lease_no != d->lease_no)
		return; /* late: recorded, not applied */
	verdict_set(&v,
	    (enum verdict_class)(1 + draw(w, VERDICT_COUNT - 1)), "", "");
	o = decide_outcome(&w->policy, &attempt);
	d->counted += o.counted;
	assert_in_range(d->counted, 0, w->policy.attempts_max + d->reopened);
	d->later = o.later;
	hear(d, &o);
	assert_true(o.state != DELIVERY_HELD || d->told == TOLD_NOTHING);
	if (d->told == TOLD_FAILED)
		d->told = TOLD_NOTHING;
	if (o.state == DELIVERY_SENT && o.later == LATER_NOT && draw(w, 2) &&
	    d->told < TOLD_DELIVERED)
		d->told = TOLD_DELIVERED; /* its account reports no more */
	if (o.state == DELIVERY_FAILED || o.state == DELIVERY_DELIVERED ||
	    o.state == DELIVERY_READY)
		d->later = LATER_NOT;
	move(w, d, o.state,
	    o.state == DELIVERY_READY ? READY
	        : d->later != LATER_NOT ? LATER
	                                : NOWHERE);
}

static void
receive(struct world *w, struct item *d)
{
	struct decide_receipt q = {
		.state = d->state,
		.told = d->told,
		.what = (enum receipt_what)draw(w, RECEIPT_WHAT_COUNT),
		.class = (enum verdict_class)draw(w, VERDICT_COUNT),
		.tried = d->attempts > 0,
		.stale = draw(w, 4) == 0,
		.waits = d->state == DELIVERY_SENT && d->place == LATER,
	};
	struct receipt_outcome o = decide_receipt(&q);
	struct decide_receipt again = q;
	struct receipt_outcome second;
	enum told was = d->told;

	assert_true(o.told >= was || o.told == TOLD_FAILED);
	assert_true(was <= TOLD_NOTHING || o.told >= was);
	d->told = o.told;
	if (was == TOLD_NOTHING && o.told == TOLD_FAILED)
		d->told_class = q.class;
	if (o.state != d->state) {
		move(w, d, o.state, o.state == DELIVERY_READY ? READY : NOWHERE);
	} else if (was != o.told) {
		follow(w, d);
	}
	/* Twice is as once, but for what goes on by it. */
	again.state = o.state;
	again.told = o.told;
	again.waits = false;
	second = decide_receipt(&again);
	if (o.state != DELIVERY_READY) {
		assert_int_equal(second.state, o.state);
		assert_int_equal(second.told, o.told);
	}
}

/* What is later is due, or its receipt did not come. */
static void
fall_due(struct world *w, struct item *d)
{
	if (d->place != LATER)
		return;
	if (d->state == DELIVERY_WAITING)
		d->place = READY; /* promoted; its state follows when it is claimed */
	else if (d->state == DELIVERY_HELD)
		move(w, d, d->told > TOLD_NOTHING ? DELIVERY_DELIVERED
		                                  : DELIVERY_DEAD, NOWHERE);
	else if (d->state == DELIVERY_SENT)
		move(w, d, DELIVERY_READY, READY);
}

static void
rescue(struct world *w, struct item *d)
{
	if (d->place != LEASED)
		return;
	d->zombie = d->lease_no;
	move(w, d, DELIVERY_READY, READY);
}

static void
cancel(struct world *w)
{
	struct item *d;
	int open = 0;

	for (d = w->items; d < w->items + w->count; d++) {
		if (d->state == DELIVERY_WAITING || d->state == DELIVERY_READY)
			move(w, d, DELIVERY_CANCELLED, NOWHERE);
		else if (d->state == DELIVERY_SENT)
			d->place = NOWHERE; /* no other account sends it */
		open += !delivery_state_is_final((int)d->state);
	}
	assert_int_equal(open, w->open);
}

static void
replay(struct world *w, struct item *d)
{
	if (d->state != DELIVERY_DEAD)
		return;
	d->counted = 0;
	move(w, d, DELIVERY_READY, READY);
}

static void
discard(struct world *w, struct item *d)
{
	if (d->state == DELIVERY_DEAD)
		move(w, d, DELIVERY_CANCELLED, NOWHERE);
}

static void
happen(struct world *w)
{
	struct item *d = &w->items[draw(w, (uint32_t)w->count)];
	int attempts = d->attempts;

	switch (draw(w, 16)) {
	case 0:
	case 1:
	case 2:
	case 3:
		if (d->place == READY)
			start(w, d);
		break;
	case 4:
	case 5:
	case 6:
		settle(w, d, d->lease_no);
		break;
	case 7:
		settle(w, d, d->zombie);
		break;
	case 8:
	case 9:
		receive(w, d);
		break;
	case 10:
	case 11:
	case 12:
		fall_due(w, d);
		break;
	case 13:
		rescue(w, d);
		break;
	case 14:
		replay(w, d);
		break;
	default:
		if (draw(w, 20) == 0)
			cancel(w);
		else
			discard(w, d);
	}
	assert_true(d->attempts == attempts || d->attempts == attempts + 1);
}

/* ---- What always holds ------------------------------------------------------------------ */

static void
check_item(struct world *w, const struct item *d)
{
	const struct item *before;
	bool waits = d->state == DELIVERY_WAITING && d->place == NOWHERE;

	if (d->state == DELIVERY_SENDING)
		assert_int_equal(d->place, LEASED);
	else if (d->state == DELIVERY_READY)
		assert_int_equal(d->place, READY);
	else if (d->state == DELIVERY_HELD)
		assert_int_equal(d->place, LATER);
	else if (d->state == DELIVERY_SENT)
		assert_true(d->place == NOWHERE || d->place == LATER);
	else if (delivery_state_is_final((int)d->state))
		assert_int_equal(d->place, NOWHERE);
	/* Only a step that waits for another one is in no queue, and that one is
	 * either on its way or has left it nothing to do. */
	if (!waits)
		return;
	assert_true(d->step > 0);
	assert_false(step_is_over(w, d->step - 1));
	for (before = w->items; before < d; before++)
		if (before->step == d->step - 1 && before->has_next &&
		    before->state != DELIVERY_SENDING)
			assert_true(before->told <
			    (d->unless == UNLESS_READ ? TOLD_READ
			                              : TOLD_DELIVERED));
}

static void
check(struct world *w)
{
	int states[DELIVERY_STATE_COUNT] = { 0 }, sum = 0, open = 0, i;

	for (i = 0; i < w->count; i++) {
		assert_in_range(w->items[i].state, 1, DELIVERY_STATE_COUNT - 1);
		states[w->items[i].state]++;
		check_item(w, &w->items[i]);
	}
	for (i = 1; i < DELIVERY_STATE_COUNT; i++) {
		sum += states[i];
		open += delivery_state_is_final(i) ? 0 : states[i];
	}
	assert_int_equal(sum, w->count);
	assert_int_equal(open, w->open);
	assert_int_equal(w->state == NOTIFICATION_DONE, open == 0);
}

static void
begin(struct world *w)
{
	int step, device, steps = 1 + (int)draw(w, STEPS_MAX);
	struct item *d;

	w->policy = (struct retry_policy){
		.attempts_max = 1 + (int)draw(w, 4),
		.delay_first_ms = 1000,
		.delay_max_ms = 60000,
		.throttled_delay_ms = 500,
		.account_delay_ms = 1000,
		.failover_after = 1 + (int)draw(w, 2),
		.jitter_percent = 20,
		.give_up_after_ms = 3600000,
		.receipt_after_ms = draw(w, 2) ? 5000 : 0,
		.hold_ms = 5000,
		.unknown = draw(w, 2) ? UNKNOWN_HOLD : UNKNOWN_RESEND,
	};
	w->state = NOTIFICATION_ROUTED;
	w->count = 0;
	for (step = 0; step < steps; step++) {
		enum unless unless = (enum unless)draw(w, 3);

		for (device = 1 + (int)draw(w, DEVICES_MAX); device > 0; device--) {
			d = &w->items[w->count++];
			*d = (struct item){
				.state = step == 0 ? DELIVERY_READY
						   : DELIVERY_WAITING,
				.place = step == 0 ? READY : NOWHERE,
				.step = step,
				.has_next = step + 1 < steps,
				.unless = unless,
				.timed = unless != UNLESS_SENT,
			};
		}
	}
	w->open = w->count;
}

/* Without new trouble everything comes to an end. */
static void
drain(struct world *w)
{
	int round, i;

	for (round = 0; w->open > 0; round++) {
		assert_true(round < 100000);
		for (i = 0; i < w->count; i++) {
			fall_due(w, &w->items[i]);
			if (w->items[i].place == READY)
				start(w, &w->items[i]);
			settle(w, &w->items[i], w->items[i].lease_no);
			check(w);
		}
	}
	assert_int_equal(w->state, NOTIFICATION_DONE);
}

static int64_t
setting(const char *name, int64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoll(text, NULL, 10) : otherwise;
}

static void
d14_any_order_keeps_the_books(void **state)
{
	int64_t seed = setting("BELFRY_MODEL_SEED", clock_wall_ms());
	int64_t events = setting("BELFRY_MODEL_EVENTS", 1000000), i;
	struct world w = { .random = (uint64_t)seed };
	int64_t worlds = 0;

	print_message("# BELFRY_MODEL_SEED=%lld\n", (long long)seed);
	begin(&w);
	for (i = 0; i < events; i++) {
		happen(&w);
		check(&w);
		if (draw(&w, 100) != 0)
			continue;
		drain(&w);
		begin(&w);
		worlds++;
	}
	print_message("# %lld events, %lld notifications\n", (long long)events,
	    (long long)worlds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(d14_any_order_keeps_the_books),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
