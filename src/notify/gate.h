/*
 * gate.h - how much of what waits may start, account by account
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whatever limits an account at a provider is asked here: how many deliveries it serves
 * at once (window.h), whether it works at all (breaker.h), whether it said "not before",
 * how many a second and a day it is to get, and how much of what it gets may be retries.
 *
 * A delivery takes a place of its account before its attempt is written.  With the place
 * it waits for the wire, a moment at most: an account has as many places as it has room
 * on the wire, and those that it will have served in the next tenth of a second.  So
 * claims may bring many deliveries for a quick account, and a slow one holds few.
 *
 * A tenant that has a rate of its own has a place too, with the nil id, of which nothing
 * is used but its pace: what takes a place of one of its accounts uses a grant of both.
 *
 * An account of the platform is one place for all tenants who have leave to use it: they
 * share its window, its budget and its breaker.  Each is a guest there.
 *
 * What all spoolers must know of an account is in the database.  A spooler asks it for a
 * share of a budget or for the right to try an account whose breaker is open (gate_ask_),
 * and tells it what happened to an account (gate_tell_).
 */
#ifndef BELFRY_NOTIFY_GATE_H
#define BELFRY_NOTIFY_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/channel.h"
#include "notify/breaker.h"
#include "notify/window.h"

struct account_health;
struct arena;
struct db_batch;
struct db_rows;
struct gate;
struct health;
struct provider;
struct transfer_result;
struct verdict;

struct gate_params {
	struct health *health;
	int concurrency; /* of accounts that do not say */
	struct failure_limits failures; /* until a breaker opens */
	int64_t try_every_ms; /* between two tries of one that is open */
	int64_t block_max_ms; /* the longest "not before" that is believed */
};

/* Of what an account is given. */
struct pace {
	int64_t every_us; /* between two deliveries; 0: as many as one likes */
	int per_day; /* 0: as many as one likes */
	int warmup_start, warmup_days;
};

/* So many deliveries may go out: the first at a time, each of the others a pace later.
 * They are granted ahead of their time, so that it can be used to claim them. */
struct grant {
	int64_t from_us;
	int count;
};

enum { GATE_GRANTS = 4 };

/* An account as a spooler sees it, whoever sends by it.  Lives as long as the gate. */
struct place {
	struct place *next; /* of its bucket */
	struct provider_id id;
	struct tenant_id tenant; /* whose account it is */
	enum channel channel;
	struct account_health *health; /* NULL: it had no trouble yet */
	struct window window;
	struct failures failures;
	int taken; /* by deliveries that are about to start or on the wire */
	int running; /* on the wire */
	int64_t tick; /* the fifth of a second that is counted */
	int served_now, served_before; /* in it, and in the one before */
	struct pace pace;
	struct grant grants[GATE_GRANTS]; /* the first is used first */
	int unused; /* granted and expired: given back when asked next */
	int64_t try_until_ms; /* we may try it with one delivery; 0: we may not */
	bool trying; /* and do */
	bool asking;
	struct pace asked; /* its pace when it was asked for */
	int64_t ask_from_ms; /* it makes no sense to ask before */
	double credit; /* for retries */
	int64_t credit_at_ms;
	struct guest *awaiting; /* work of theirs was left in the queue because of it */
	void *line; /* the caller's: deliveries that wait for the wire */
};

/* A tenant at a place: its own account has one guest, an account of the platform many.
 * Lives as long as the gate. */
struct guest {
	struct guest *next; /* of its bucket */
	struct provider_id id; /* of the row among the tenant's own */
	struct tenant_id tenant; /* who sends */
	struct place *place;
	struct place *whole; /* what the tenant is given by all accounts; NULL: any number */
	bool awaits;
	struct guest *next_awaiting;
};

struct gate *gate_new(struct arena *a, const struct gate_params *params)
    MUST_CHECK;

/* A tenant at the place of an account, whose limits may have changed. */
struct guest *gate_guest(struct gate *g, const struct provider *pr) MUST_CHECK;

/* Is it a tenant's, for all its accounts? */
bool gate_is_whole(const struct place *p);

/* May nothing be sent to it now, but for a try? */
bool gate_is_shut(const struct place *p);

/* Is its breaker not closed?  What fails then does not count. */
bool gate_is_open(const struct place *p);

/* How many deliveries may take a place now. */
int gate_room(struct gate *g, struct guest *gu);

/* The same when it is worth a claim: many, or nothing is on its way. */
int gate_room_worth(struct gate *g, struct guest *gu);

/* How many may by what the tenant is given in all. */
int gate_whole_room(struct guest *gu);

/* Work of its was left in the queue: it is told of when there is room again. */
void gate_await(struct guest *gu);

/* Those who were to be told, one after the other; NULL: there is none (any more). */
struct guest *gate_awaiting(struct place *p);

/* Takes a place for a delivery; false when there is none.  *from_us_r is the time before
 * which it must not go on the wire, of clock_mono_us(). */
bool gate_take(struct gate *g, struct guest *gu, int64_t *from_us_r) MUST_CHECK;

/* The same for one that was handed to us already: it may wait in line. */
bool gate_join(struct gate *g, struct guest *gu, int64_t *from_us_r) MUST_CHECK;

/* A delivery that did not come to an answer gives its place back. */
void gate_leave(struct place *p);

/* May one that has a place go on the wire?  Then it does: the number it is. */
bool gate_may_start(const struct place *p);
int gate_start(struct place *p);

/* May this delivery, which is a retry, go out now?  It uses up credit that earlier
 * successes gave: so retries stay a small share of what an account gets. */
bool gate_may_retry(struct place *p);

/* ---- Answers ----------------------------------------------------------------------- */

enum gate_answer {
	GATE_SERVED, /* the account works, whatever it said */
	GATE_NEITHER, /* it tells nothing of the account */
	GATE_FAILED, /* the account is at fault */
	GATE_REFUSED /* the same, and it may have been too much at once */
};

/* What an attempt tells of its account.  "res" NULL: without a transfer. */
enum gate_answer gate_judge(const struct transfer_result *res,
    const struct verdict *v);

/* What the database must be told; the numbers are those of query "gate_tell". */
enum gate_news {
	GATE_NO_NEWS,
	GATE_OPENED,
	GATE_RECOVERED,
	GATE_BLOCKED,
	GATE_TRY_FAILED
};

struct gate_ended {
	int at; /* what gate_start() said */
	bool retry; /* gate_may_retry() was asked for it */
	enum gate_answer answer;
	int64_t block_ms; /* it wants no request for so long; 0: it did not say */
};

/* A delivery that was on the wire has its answer. */
enum gate_news gate_end(struct gate *g, struct place *p,
    const struct gate_ended *ended);

/* ---- The database ------------------------------------------------------------------- */

/* Must the database be asked before anything can start? */
bool gate_must_ask(struct gate *g, struct place *p);

/* Adds the queries and reads their answer (rows[0] is the first one's); NULL: it failed.
 * What the account is given may change in between: grants of another pace are not used. */
void gate_ask_add(struct gate *g, struct place *p, struct db_batch *b);
void gate_ask_read(struct gate *g, struct place *p, struct db_rows **rows);

/* Adds the queries that tell it; the rows of the second name the account when it is
 * news.  Until gate_told() we know better than what is read. */
struct gate_tell {
	enum gate_news news;
	int64_t block_ms;
	struct uuid spooler;
	struct notification_id notification; /* by which it was noticed; nil: another's */
};
void gate_tell_add(struct gate *g, struct place *p, struct db_batch *b,
    const struct gate_tell *t);
void gate_told(struct place *p);

/* Milliseconds until something may change by itself, at most a second. */
int64_t gate_wait_ms(const struct place *p);

#endif
