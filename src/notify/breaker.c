/*
 * breaker.c - the circuit breaker of an account
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/breaker.h"

#include "base/ensure.h"

enum breaker_state
breaker_next(enum breaker_state state, enum breaker_event event)
{
	static const enum breaker_state next[][4] = {
		[BREAKER_CLOSED] = {
			[BREAKER_TRIPS] = BREAKER_OPEN,
			[BREAKER_TRIES] = BREAKER_CLOSED,
			[BREAKER_SERVES] = BREAKER_CLOSED,
			[BREAKER_FAILS] = BREAKER_CLOSED,
		},
		[BREAKER_OPEN] = {
			[BREAKER_TRIPS] = BREAKER_OPEN,
			[BREAKER_TRIES] = BREAKER_HALF_OPEN,
			/* What was on its way when it opened. */
			[BREAKER_SERVES] = BREAKER_CLOSED,
			[BREAKER_FAILS] = BREAKER_OPEN,
		},
		[BREAKER_HALF_OPEN] = {
			[BREAKER_TRIPS] = BREAKER_OPEN,
			/* Whoever tried before was not heard of. */
			[BREAKER_TRIES] = BREAKER_HALF_OPEN,
			[BREAKER_SERVES] = BREAKER_CLOSED,
			[BREAKER_FAILS] = BREAKER_OPEN,
		},
	};

	ensure(state >= BREAKER_CLOSED && state <= BREAKER_HALF_OPEN);
	return next[state][event];
}

bool
failures_add(struct failures *f, const struct failure_limits *limits,
    int64_t now_ms)
{
	if (f->count++ == 0)
		f->since_ms = now_ms;
	return f->count >= limits->count ||
	    (f->count > 1 && now_ms - f->since_ms >= limits->span_ms);
}

void
failures_end(struct failures *f)
{
	*f = (struct failures){ 0 };
}
