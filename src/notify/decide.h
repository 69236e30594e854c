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
	int64_t throttled_delay_ms; /* after being too fast */
	int64_t account_delay_ms; /* without an account that can be used */
	int jitter_percent;
	int64_t give_up_after_ms;
	int failover_after; /* failed attempts until the next account's turn */
	int64_t receipt_after_ms; /* 0: a provider's word is enough */
	int64_t hold_ms; /* how long a held delivery waits for a receipt */
	enum unknown_policy unknown;
};

/* The section "retry" of the configuration for a channel. */
struct retry_policy retry_policy_from(const struct config *config,
    enum channel channel);

/* Why a delivery has a row in the queue of later work; the numbers stand in q_later.kind
 * (sql/migrations). */
enum later {
	LATER_NOT = -1, /* it has none */
	LATER_TIME, /* for its next attempt */
	LATER_ACCOUNT, /* for an account that can be used, or for its time */
	LATER_HELD, /* for a receipt; then it is dead */
	LATER_RECEIPT /* for a receipt; then the next account tries */
};

/* A delivery at the end of an attempt. */
struct decide_attempt {
	const struct verdict *verdict;
	int counted; /* attempts that counted before this one */
	int64_t age_ms; /* of the delivery */
	uint32_t random; /* spreads the delay */
	bool others; /* an account of the channel has not had its turn yet */
	int64_t expires_in_ms; /* 0: never; what is negative is over */
	bool spared; /* its account is known not to work: it does not count */
};

struct outcome {
	enum delivery_state state;
	int64_t delay_ms; /* until what "later" says */
	int counted; /* 1 when this attempt counts against the limit */
	const char *because; /* why it was given up, or NULL */
	bool failover; /* the next attempt is the next account's */
	enum later later;
};

/* "expires_in_ms" of a time, 0 when there is none. */
static inline int64_t
expires_in(int64_t expires_ms, int64_t now_ms)
{
	if (expires_ms == 0)
		return 0;
	return expires_ms > now_ms ? expires_ms - now_ms : -1;
}

struct outcome decide_outcome(const struct retry_policy *policy,
    const struct decide_attempt *attempt);

/* The delay before the attempt after "counted" ones: first, doubled each time, at most
 * the largest, spread by the jitter. */
int64_t decide_delay_ms(const struct retry_policy *policy, int counted,
    uint32_t random);

/* What is known of the arrival of a delivery; the numbers stand in delivery.told. */
enum told {
	TOLD_FAILED = -1, /* before the end of its attempt was written */
	TOLD_NOTHING,
	TOLD_DELIVERED, /* or sent, by an account that tells no more */
	TOLD_READ
};

/* How long a retry is put off for which there is no credit now. */
int64_t decide_put_off_ms(const struct retry_policy *policy, uint32_t random);

/* A delivery that was claimed: may its attempt start? */
struct decide_start {
	const char *corrupt; /* why it cannot be worked on, or NULL */
	int crashes, crashes_max;
	bool has_account; /* one of its channel can be used */
	int64_t age_ms;
	int64_t expires_in_ms; /* as above */
	bool is_suppressed; /* the address, since it was routed */
	enum told told; /* by a receipt that came meanwhile */
	int64_t quiet_ms; /* how long it is quiet there; 0: it is not */
};

struct start_outcome {
	/* SENDING, WAITING, DELIVERED, FAILED, DEAD or EXPIRED */
	enum delivery_state state;
	const char *reason; /* NULL: it may */
	int64_t delay_ms; /* of WAITING */
	enum later later; /* the same */
};

struct start_outcome decide_start(const struct retry_policy *policy,
    const struct decide_start *q);

/* What of the step before makes a step of a fallback order needless; the numbers stand in
 * delivery.unless. */
enum unless { UNLESS_SENT, UNLESS_DELIVERED, UNLESS_READ };

/* What the step after one does when that one comes to a state. */
enum step_act { STEP_STAYS, STEP_WAITS, STEP_GOES_ON, STEP_NOT_NEEDED };

/* The function step_act() in the database does the same (sql/migrations); a test
 * compares them.  "attempts" and so on are those of the step before. */
enum step_act decide_step(enum delivery_state state, int attempts, enum told told,
    enum unless unless);

/* What a receipt can tell (receipt.h). */
enum receipt_what {
#define X(NAME, name, told) RECEIPT_##NAME,
#include "notify/receipt.def"
#undef X
	RECEIPT_WHAT_COUNT
};

struct decide_receipt {
	enum delivery_state state;
	enum told told;
	enum receipt_what what;
	enum verdict_class class; /* of what failed */
	bool tried; /* it had an attempt at all */
	bool stale; /* it tells of an earlier attempt than the last one */
	bool waits; /* SENT: the next account tries should no receipt come */
};

struct receipt_outcome {
	enum delivery_state state;
	enum told told;
	bool failover; /* READY: it is the next account's turn */
};

/* What follows from a receipt; what it was when nothing does. */
struct receipt_outcome decide_receipt(const struct decide_receipt *r);

/* What becomes of a recipient on a channel. */
struct decide_route {
	const char *channel; /* its name, for the reason */
	bool expired;
	bool has_address;
	bool has_part; /* the template or the content speaks on this channel */
	bool has_provider;
	bool has_room; /* this spooler may start it at once */
	bool is_suppressed; /* the address, for this sender and category */
	int64_t quiet_ms; /* how long it is quiet there; 0: it is not */
	int64_t expires_in_ms; /* as above */
	bool is_forbidden; /* the tenant may not send by the channel */
	bool is_too_many; /* of those whose numbers begin alike */
};

struct route_outcome {
	enum delivery_state state; /* SENDING, READY, WAITING, SKIPPED or EXPIRED */
	const char *reason; /* a format with one %s for the channel, or NULL */
	enum later later; /* of WAITING: TIME until it is not quiet, or ACCOUNT */
};

struct route_outcome decide_route(const struct decide_route *r);

#endif
