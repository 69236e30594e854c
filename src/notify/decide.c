/*
 * decide.c - what follows from what: pure functions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/decide.h"

#include "base/config.h"
#include "base/ensure.h"

struct retry_policy
retry_policy_from(const struct config *config, enum channel channel)
{
	return (struct retry_policy){
		.attempts_max = (int)config->retry_attempts_max,
		.delay_first_ms = config->retry_delay_first,
		.delay_max_ms = config->retry_delay_max,
		.jitter_percent = (int)config->retry_jitter_percent,
		.give_up_after_ms = config->retry_give_up_after,
		/* A second mail or push is a nuisance, a lost one a fault. */
		.unknown = UNKNOWN_RESEND,
	};
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

/* What the provider asked for, as far as it is believed. */
static int64_t
at_least(int64_t ms, const struct verdict *v, const struct retry_policy *policy)
{
	int64_t asked = v->retry_after_ms;

	if (asked > policy->delay_max_ms)
		asked = policy->delay_max_ms;
	return asked > ms ? asked : ms;
}

/* Another attempt, unless the delivery had enough of them or is too old. */
static struct outcome
again(const struct retry_policy *policy, const struct decide_attempt *attempt,
    int counts)
{
	int counted = attempt->counted + counts;
	struct outcome o = { .state = DELIVERY_WAITING, .counted = counts };

	o.delay_ms = at_least(decide_delay_ms(policy, counted, attempt->random),
	    attempt->verdict, policy);
	if (counted >= policy->attempts_max)
		o.because = "the last of its attempts failed";
	else if (attempt->age_ms + o.delay_ms > policy->give_up_after_ms)
		o.because = "it was tried for too long";
	if (o.because != NULL) {
		o.state = DELIVERY_DEAD;
		o.delay_ms = 0;
	}
	return o;
}

struct outcome
decide_outcome(const struct retry_policy *policy,
    const struct decide_attempt *attempt)
{
	switch (attempt->verdict->class) {
	case VERDICT_ACCEPTED:
		return (struct outcome){ .state = DELIVERY_SENT, .counted = 1 };
	case VERDICT_BAD_RECIPIENT:
	case VERDICT_BAD_MESSAGE:
		return (struct outcome){ .state = DELIVERY_FAILED,
			.counted = 1 };
	case VERDICT_UNKNOWN:
		if (policy->unknown == UNKNOWN_HOLD)
			return (struct outcome){ .state = DELIVERY_HELD,
				.counted = 1 };
		return again(policy, attempt, 1);
	case VERDICT_RETRY:
		return again(policy, attempt, 1);
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

struct route_outcome
decide_route(const struct decide_route *r)
{
	if (r->expired)
		return (struct route_outcome){ DELIVERY_EXPIRED,
			"it expired before it was routed" };
	if (!r->has_part)
		return (struct route_outcome){ DELIVERY_SKIPPED,
			"the template has no part for %s" };
	if (!r->has_address)
		return (struct route_outcome){ DELIVERY_SKIPPED,
			"the recipient has no address for %s" };
	if (!r->has_provider)
		return (struct route_outcome){ DELIVERY_DEAD,
			"no provider for %s is enabled" };
	return (struct route_outcome){
		r->has_room ? DELIVERY_SENDING : DELIVERY_READY, NULL
	};
}
