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
struct spooler;

/* One transaction: rows leave the ready queue, what they lack is loaded, what they become
 * is written, and it commits.  Its memory lives until the last of its deliveries has a
 * result. */
struct claim {
	struct pool_job job; /* its arena holds the claim too */
	struct spooler *spooler;
	struct uuid id; /* the spooler's when it began */
	struct key *key;
	unsigned marks; /* of the key when it began */
	int asked;
	int promised; /* how many deliveries it may start */
	enum { CLAIM_ROWS, CLAIM_LOAD, CLAIM_WRITE, CLAIM_END } stage;
	int64_t started_us;
	int64_t generation;
	struct page *page;
	const struct db_rows *recipients;
	bool suspect; /* it holds the one delivery that is suspected */
	bool load_page, load_recipients; /* what the load under way is for */
	size_t *load_templates, load_templates_count; /* indices into n */
	struct notification *n;
	size_t count;
	struct delivery_list deliveries;
	int holds; /* itself, and each delivery without a result */
};

#endif
