/*
 * claim.h - a claim and what hangs on it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_SPOOLER_CLAIM_H
#define BELFRY_SPOOLER_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/pool.h"
#include "notify/route.h"
#include "notify/work.h"

struct key;
struct page;
struct parcel;
struct share;
struct spooler;

/* Deliveries that are leased together.  What came as a parcel (express.c) was leased by
 * belfry-api.  Else it is one transaction: rows leave the ready queue, what they lack is loaded, what they become
 * is written, and it commits.  Its memory lives until the last of its deliveries has a
 * result. */
struct claim {
	struct pool_job job; /* its arena holds the claim too */
	struct spooler *spooler;
	struct claim *next, **place; /* in the spooler's list */
	struct uuid id; /* the spooler's when it began: the leases carry it */
	struct tenant_id tenant;
	struct key *key; /* NULL: came as a parcel */
	struct share *share; /* of its tenant */
	const struct parcel *parcel; /* or NULL */
	unsigned marks; /* of the key when it began */
	int asked;
	int64_t from_ms; /* wall: none of its rows was due before; 0: not known */
	unsigned lowered; /* of the key when it began */
	bool gives_back; /* rows are in the queue again when it is over */
	bool old; /* it looks for notifications of any age */
	int promised; /* how many deliveries it may start */
	enum { CLAIM_ROWS, CLAIM_LOAD, CLAIM_WRITE, CLAIM_END } stage;
	int64_t started_us;
	int64_t generation;
	struct page *page;
	const struct db_rows *recipients, *devices;
	bool suspect; /* it holds the one delivery that is suspected */
	const struct db_rows *suppressed; /* or NULL: nothing is */
	bool load_page, load_recipients; /* what the load under way is for */
	bool load_suppressed;
	size_t *load_templates, load_templates_count; /* indices into n */
	struct notification *n;
	size_t count;
	struct delivery_list deliveries;
	struct delivery *returned; /* those that go back at once */
	size_t returned_count;
	int holds; /* itself, and each delivery without a result */
};

/* Puts a new claim, whose arena is set, into the spooler's list and holds it. */
void claim_enter(struct claim *c, struct spooler *sp, struct tenant_id tenant);

/* It has n more deliveries in flight, or with n below 0 less. */
void claim_count(struct claim *c, int n);

/* May the attempt of a delivery start?  When not, why, and what becomes of it. */
struct start_outcome claim_start_of(const struct claim *c,
    const struct delivery *d);

/* Are its leases surely ours, and do we go on? */
bool claim_may_send(const struct claim *c);

/* A leased delivery, held and counted as in flight, goes on its way; when we may not
 * start it any more its end or its return is written. */
void claim_go(struct claim *c, struct delivery *d);

/* The same delivery is not started: it goes back, its attempt does not count. */
void claim_hand_back(struct claim *c, struct delivery *d,
    const char *reason);

/* park.c: a claimed notification of which not all recipients are known yet goes back into
 * the queue: among c->returned.  What is known is added to "users". */
bool claim_parks(struct claim *c, struct notification *n, json_t *users);

#endif
