/*
 * decide.c - what follows from what: pure functions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/decide.h"

#include <string.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"

static const char *
overrides(const struct config *config, enum channel channel)
{
	switch (channel) {
	case CHANNEL_EMAIL:
		return config->retry_email;
	case CHANNEL_SMS:
		return config->retry_sms;
	case CHANNEL_PUSH:
		return config->retry_push;
	case CHANNEL_WHATSAPP:
		return config->retry_whatsapp;
	case CHANNEL_INAPP:
		return config->retry_inapp;
	case CHANNEL_WEBHOOK:
		return config->retry_webhook;
	case CHANNEL_CHAT:
		return config->retry_chat;
	case CHANNEL_NONE:
	case CHANNEL_COUNT:
	default:
		return NULL;
	}
}

static struct retry_policy
policy_of(const struct config *config)
{
	return (struct retry_policy){
		.attempts_max = (int)config->retry_attempts_max,
		.delay_first_ms = config->retry_delay_first,
		.delay_max_ms = config->retry_delay_max,
		.throttled_delay_ms = config->retry_throttled_delay,
		.account_delay_ms = config->retry_account_delay,
		.jitter_percent = (int)config->retry_jitter_percent,
		.give_up_after_ms = config->retry_give_up_after,
		.failover_after = (int)config->retry_failover_after,
		.receipt_after_ms = config->retry_receipt_after,
		.hold_ms = config->retry_hold,
		.unknown = strcmp(config->retry_unknown, "hold") == 0
		    ? UNKNOWN_HOLD
		    : UNKNOWN_RESEND,
	};
}

struct retry_policy
retry_policy_from(const struct config *config, enum channel channel)
{
	const char *text = overrides(config, channel);
	struct arena *a = arena_new(4096);
	struct retry_policy policy;
	struct config own = *config;
	struct err e;

	if (text != NULL)
		ensure(config_override(a, config, "retry", text, &own, &e) == 0);
	policy = policy_of(&own);
	arena_free(&a);
	return policy;
}

static int64_t
spread(int64_t ms, int percent, uint32_t random)
{
	int64_t range = ms * percent / 100;

	if (range == 0)
		return ms;
	return ms - range + (int64_t)(random % (uint32_t)(2 * range + 1));
}

int64_t
decide_delay_ms(const struct retry_policy *policy, int counted, uint32_t random)
{
	int64_t ms = policy->delay_first_ms;
	int i;

	for (i = 1; i < counted && ms < policy->delay_max_ms; i++)
		ms *= 2;
	if (ms > policy->delay_max_ms)
		ms = policy->delay_max_ms;
	return spread(ms, policy->jitter_percent, random);
}

int64_t
decide_put_off_ms(const struct retry_policy *policy, uint32_t random)
{
	return spread(policy->throttled_delay_ms, 50, random);
}

/* What the provider asked for, as far as it is believed. */
static int64_t
at_least(int64_t ms, const struct verdict *v, const struct retry_policy *policy)
{
	int64_t asked = v->retry_after_ms;

	if (asked > policy->delay_max_ms)
		asked = policy->delay_max_ms;
	return asked > ms ? asked : ms;
}

/* Is its time over before it would go on? */
static bool
expires_first(int64_t expires_in_ms, int64_t delay_ms)
{
	return expires_in_ms != 0 && expires_in_ms <= delay_ms;
}

/* When the next attempt is to be, and at which account. */
static void
plan_again(const struct retry_policy *policy,
    const struct decide_attempt *attempt, struct outcome *o)
{
	int counted = attempt->counted + o->counted;

	enum verdict_class class = attempt->verdict->class;
	int64_t ms;

	if (class == VERDICT_BAD_CREDENTIAL || class == VERDICT_PROVIDER_BLOCKED) {
		o->failover = true;
		o->later = LATER_ACCOUNT;
		o->delay_ms = spread(policy->account_delay_ms,
		    policy->jitter_percent, attempt->random);
	} else if (class == VERDICT_THROTTLED) {
		ms = spread(policy->throttled_delay_ms, policy->jitter_percent,
		    attempt->random);
		o->delay_ms = at_least(ms, attempt->verdict, policy);
	} else {
		o->failover = o->counted > 0 &&
		    counted % policy->failover_after == 0;
		ms = decide_delay_ms(policy, counted, attempt->random);
		o->delay_ms = at_least(ms, attempt->verdict, policy);
	}
	if (o->failover && attempt->others) {
		o->state = DELIVERY_READY;
		o->later = LATER_NOT;
		o->delay_ms = 0;
	}
}

/* Another attempt, unless the delivery had enough of them or is too old. */
static struct outcome
again(const struct retry_policy *policy, const struct decide_attempt *attempt,
    int counts)
{
	struct outcome o = { .state = DELIVERY_WAITING, .counted = counts,
		.later = LATER_TIME };

	plan_again(policy, attempt, &o);
	if (attempt->counted + counts >= policy->attempts_max) {
		o.state = DELIVERY_DEAD;
		o.because = "the last of its attempts failed";
	} else if (expires_first(attempt->expires_in_ms, o.delay_ms)) {
		o.state = DELIVERY_EXPIRED;
		o.because = "it expires before its next attempt";
	} else if (attempt->age_ms + o.delay_ms > policy->give_up_after_ms) {
		o.state = DELIVERY_DEAD;
		o.because = "it was tried for too long";
	}
	if (o.because != NULL) {
		o.delay_ms = 0;
		o.failover = false;
		o.later = LATER_NOT;
	}
	return o;
}

/* Nobody knows whether it went out: a receipt may tell. */
static struct outcome
hold(const struct retry_policy *policy, const struct decide_attempt *attempt)
{
	struct outcome o = { .state = DELIVERY_HELD, .counted = 1,
		.later = LATER_HELD, .delay_ms = policy->hold_ms };

	if (expires_first(attempt->expires_in_ms, o.delay_ms))
		o.delay_ms =
		    attempt->expires_in_ms > 0 ? attempt->expires_in_ms : 1;
	return o;
}

static struct outcome
accepted(const struct retry_policy *policy, const struct decide_attempt *attempt)
{
	struct outcome o = { .state = DELIVERY_SENT, .counted = 1,
		.later = LATER_NOT };

	if (attempt->verdict->entry != NULL) {
		/* It is written together with this. */
		o.state = DELIVERY_DELIVERED;
		return o;
	}
	if (policy->receipt_after_ms > 0 && attempt->others &&
	    !expires_first(attempt->expires_in_ms, policy->receipt_after_ms)) {
		o.later = LATER_RECEIPT;
		o.delay_ms = policy->receipt_after_ms;
	}
	return o;
}

struct outcome
decide_outcome(const struct retry_policy *policy,
    const struct decide_attempt *attempt)
{
	switch (attempt->verdict->class) {
	case VERDICT_ACCEPTED:
		return accepted(policy, attempt);
	case VERDICT_BAD_RECIPIENT:
	case VERDICT_BAD_MESSAGE:
		return (struct outcome){ .state = DELIVERY_FAILED,
			.counted = 1, .later = LATER_NOT };
	case VERDICT_UNKNOWN:
		if (policy->unknown == UNKNOWN_HOLD)
			return hold(policy, attempt);
		return again(policy, attempt, attempt->spared ? 0 : 1);
	case VERDICT_RETRY:
		return again(policy, attempt, attempt->spared ? 0 : 1);
	case VERDICT_THROTTLED:
	case VERDICT_BAD_CREDENTIAL:
	case VERDICT_PROVIDER_BLOCKED:
		/* Not this delivery's fault: it keeps its attempts. */
		return again(policy, attempt, 0);
	case VERDICT_NONE:
	case VERDICT_COUNT:
	default:
		panic("verdict without a class");
	}
}

static struct start_outcome
start_ends(enum delivery_state state, const char *reason)
{
	return (struct start_outcome){ state, reason, 0, LATER_NOT };
}

/* What ends a claimed delivery before its attempt; reason NULL: nothing. */
static struct start_outcome
start_ended(const struct decide_start *q)
{
	if (q->corrupt != NULL)
		return start_ends(DELIVERY_DEAD, q->corrupt);
	if (q->told > TOLD_NOTHING)
		return start_ends(DELIVERY_DELIVERED,
		    "a receipt told that it was delivered");
	if (q->crashes >= q->crashes_max)
		return start_ends(DELIVERY_DEAD,
		    "quarantined: spoolers crashed while they worked on it");
	if (expires_first(q->expires_in_ms, 0))
		return start_ends(DELIVERY_EXPIRED, "it expired");
	if (q->is_suppressed)
		return start_ends(DELIVERY_FAILED, "the address is suppressed");
	if (q->quiet_ms > 0 && expires_first(q->expires_in_ms, q->quiet_ms))
		return start_ends(DELIVERY_EXPIRED,
		    "it expires before the quiet hours end");
	return start_ends(DELIVERY_SENDING, NULL);
}

struct start_outcome
decide_start(const struct retry_policy *policy, const struct decide_start *q)
{
	struct start_outcome o = start_ended(q);

	if (o.reason != NULL)
		return o;
	if (q->quiet_ms > 0)
		return (struct start_outcome){ DELIVERY_WAITING,
			"quiet hours of the recipient", q->quiet_ms, LATER_TIME };
	if (q->has_account)
		return o;
	if (q->age_ms > policy->give_up_after_ms)
		return start_ends(DELIVERY_DEAD,
		    "no provider for the channel can be used");
	if (expires_first(q->expires_in_ms, policy->account_delay_ms))
		return start_ends(DELIVERY_EXPIRED,
		    "it expires before a provider can be used");
	return (struct start_outcome){ DELIVERY_WAITING,
		"no provider for the channel can be used",
		policy->account_delay_ms, LATER_ACCOUNT };
}

enum step_act
decide_step(enum delivery_state state, int attempts, enum told told,
    enum unless unless)
{
	int wanted = unless == UNLESS_READ ? TOLD_READ : TOLD_DELIVERED;

	if ((int)told >= wanted)
		return STEP_NOT_NEEDED;
	switch (state) {
	case DELIVERY_FAILED:
	case DELIVERY_DEAD:
	case DELIVERY_SKIPPED:
	case DELIVERY_EXPIRED:
		return STEP_GOES_ON;
	case DELIVERY_SENT:
	case DELIVERY_DELIVERED:
		return unless == UNLESS_SENT ? STEP_NOT_NEEDED
		    : attempts > 0           ? STEP_WAITS
		                             : STEP_STAYS;
	case DELIVERY_WAITING:
	case DELIVERY_READY:
	case DELIVERY_HELD:
		return attempts > 0 ? STEP_WAITS : STEP_STAYS;
	case DELIVERY_SENDING:
	case DELIVERY_CANCELLED:
	case DELIVERY_STATE_COUNT:
	default:
		return STEP_STAYS;
	}
}

/* It failed after it had been taken, and another try may mend it. */
static bool
may_try_again(const struct decide_receipt *r)
{
	switch (r->class) {
	case VERDICT_RETRY:
	case VERDICT_THROTTLED:
	case VERDICT_BAD_CREDENTIAL:
	case VERDICT_PROVIDER_BLOCKED:
		return r->state == DELIVERY_HELD || r->waits;
	case VERDICT_NONE:
	case VERDICT_ACCEPTED:
	case VERDICT_BAD_RECIPIENT:
	case VERDICT_BAD_MESSAGE:
	case VERDICT_UNKNOWN:
	case VERDICT_COUNT:
	default:
		return false;
	}
}

static struct receipt_outcome
failed_after_all(const struct decide_receipt *r)
{
	struct receipt_outcome o = { r->state, r->told, false };

	if (r->stale)
		return o;
	if (r->state == DELIVERY_SENDING && r->told == TOLD_NOTHING) {
		o.told = TOLD_FAILED;
	} else if (r->state == DELIVERY_SENT || r->state == DELIVERY_HELD) {
		o.failover = may_try_again(r);
		o.state = o.failover ? DELIVERY_READY : DELIVERY_FAILED;
	}
	return o;
}

static enum told
told_by(enum receipt_what what)
{
	static const enum told told[] = {
#define X(NAME, name, told) [RECEIPT_##NAME] = (told),
#include "notify/receipt.def"
#undef X
	};

	return told[what];
}

struct receipt_outcome
decide_receipt(const struct decide_receipt *r)
{
	struct receipt_outcome o = { r->state, told_by(r->what), false };

	if (!r->tried || o.told == TOLD_NOTHING)
		return (struct receipt_outcome){ r->state, r->told, false };
	if (o.told == TOLD_FAILED)
		return failed_after_all(r);
	if (o.told < r->told)
		o.told = r->told;
	if (r->state == DELIVERY_SENT || r->state == DELIVERY_HELD ||
	    r->state == DELIVERY_WAITING || r->state == DELIVERY_READY)
		o.state = DELIVERY_DELIVERED;
	return o;
}

static struct route_outcome
route_ends(enum delivery_state state, const char *reason)
{
	return (struct route_outcome){ state, reason, LATER_NOT };
}

struct route_outcome
decide_route(const struct decide_route *r)
{
	if (r->expired)
		return route_ends(DELIVERY_EXPIRED,
		    "it expired before it was routed");
	if (r->is_forbidden)
		return route_ends(DELIVERY_SKIPPED,
		    "the tenant may not send by %s");
	if (!r->has_part)
		return route_ends(DELIVERY_SKIPPED,
		    "the template has no part for %s");
	if (!r->has_address)
		return route_ends(DELIVERY_SKIPPED,
		    "the recipient has no address for %s");
	if (r->is_suppressed)
		return route_ends(DELIVERY_SKIPPED,
		    "the address for %s is suppressed");
	if (r->is_too_many)
		return route_ends(DELIVERY_SKIPPED,
		    "too many of the tenant's recipients have a number for %s "
		    "that begins alike");
	if (r->quiet_ms > 0)
		return expires_first(r->expires_in_ms, r->quiet_ms)
		    ? route_ends(DELIVERY_EXPIRED,
		          "it expires before the quiet hours end")
		    : (struct route_outcome){ DELIVERY_WAITING,
			      "quiet hours of the recipient", LATER_TIME };
	if (!r->has_provider)
		return (struct route_outcome){ DELIVERY_WAITING,
			"no provider for %s can be used", LATER_ACCOUNT };
	return route_ends(r->has_room ? DELIVERY_SENDING : DELIVERY_READY, NULL);
}
