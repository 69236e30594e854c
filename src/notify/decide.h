/*
 * decide.h - what follows from what: pure functions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Here stands every decision of route and settle, without database, clock or network:
 * what goes in are values, what comes out is what to do.  So a test can run any number
 * of orders of events through it.
 */
#ifndef BELFRY_NOTIFY_DECIDE_H
#define BELFRY_NOTIFY_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/channel.h"
#include "notify/state.h"
#include "provider/verdict.h"

struct config;

/* What a channel does when it is not known whether a message went out. */
enum unknown_policy { UNKNOWN_RESEND, UNKNOWN_HOLD };

struct retry_policy {
	int attempts_max;
	int64_t delay_first_ms, delay_max_ms;
	int jitter_percent;
	int64_t give_up_after_ms;
	enum unknown_policy unknown;
};

struct retry_policy retry_policy_from(const struct config *config,
    enum channel channel);

/* A delivery at the end of an attempt. */
struct decide_attempt {
	const struct verdict *verdict;
	int counted; /* attempts that counted before this one */
	int64_t age_ms; /* of the delivery */
	uint32_t random; /* spreads the delay */
};

struct outcome {
	enum delivery_state state;
	int64_t delay_ms; /* of the next attempt, when state is WAITING */
	int counted; /* 1 when this attempt counts against the limit */
	const char *because; /* why it was given up, or NULL */
};

struct outcome decide_outcome(const struct retry_policy *policy,
    const struct decide_attempt *attempt);

/* The delay before the attempt after "counted" ones: first, doubled each time, at most
 * the largest, spread by the jitter. */
int64_t decide_delay_ms(const struct retry_policy *policy, int counted,
    uint32_t random);

/* What becomes of a recipient on a channel. */
struct decide_route {
	const char *channel; /* its name, for the reason */
	bool expired;
	bool has_address;
	bool has_part; /* the template or the content speaks on this channel */
	bool has_provider;
	bool has_room; /* this spooler may start it at once */
};

struct route_outcome {
	enum delivery_state state; /* SENDING, READY, SKIPPED, DEAD or EXPIRED */
	const char *reason; /* a format with one %s for the channel, or NULL */
};

struct route_outcome decide_route(const struct decide_route *r);

#endif
