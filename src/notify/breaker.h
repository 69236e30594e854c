/*
 * breaker.h - the circuit breaker of an account
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * When nothing but failures has come back from an account for some time or for so many
 * in a row, it is left alone: its breaker opens.  Then one delivery at a time may try it
 * (half open); the first that is served closes the breaker.  The numbers of the states
 * stand in provider_health.state (sql/migrations).
 *
 * Pure: the state itself is shared by all spoolers and lives in the database (gate.h).
 */
#ifndef BELFRY_NOTIFY_BREAKER_H
#define BELFRY_NOTIFY_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED = 1, BREAKER_OPEN, BREAKER_HALF_OPEN };

enum breaker_event {
	BREAKER_TRIPS, /* too many failures */
	BREAKER_TRIES, /* somebody got the right to try */
	BREAKER_SERVES, /* a delivery was served, by whomever */
	BREAKER_FAILS /* one was not */
};

enum breaker_state breaker_next(enum breaker_state state,
    enum breaker_event event);

/* Failures in a row, as one spooler sees them. */
struct failures {
	int count;
	int64_t since_ms;
};

struct failure_limits {
	int count; /* so many in a row are too many */
	int64_t span_ms; /* and so are these, when there are two or more */
};

/* One more; true when they are too many. */
bool failures_add(struct failures *f, const struct failure_limits *limits,
    int64_t now_ms);
void failures_end(struct failures *f);

#endif
