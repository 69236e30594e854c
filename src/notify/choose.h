/*
 * choose.h - which account of a channel sends a delivery
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The accounts that can be used have an order for each delivery: those with the lowest
 * priority first, and among equals a draw by weight.  The draw comes from the ids alone,
 * so it is the same in every process.  A delivery that fails over goes to the next in its
 * order, and after the last to the first again.  An account that failed draws with less
 * weight for a while; among equals one that has no room now comes after those that have.
 */
#ifndef BELFRY_NOTIFY_CHOOSE_H
#define BELFRY_NOTIFY_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "model/channel.h"

struct gate;
struct health;
struct page;
struct provider;

struct choose_params {
	const struct page *page;
	const struct health *health; /* NULL: all are well */
	enum channel channel;
	bool test; /* simulators alone */
	const char *address; /* NULL: of any form */
	struct delivery_id delivery;
	int failovers; /* how often the next one's turn came */
	int64_t now_ms; /* wall */
	struct gate *gate; /* NULL: there is room everywhere */
};

struct choice {
	const struct provider *provider; /* NULL: there is none */
	int usable; /* how many can */
	bool others; /* one has not had its turn in this round */
	int enabled; /* how many there are, well or not */
	int equals; /* of the usable ones with its priority, itself too */
	double share; /* of its weight that it has left */
	bool shut; /* all are left alone for now: the provider is one to wait for */
};

/* May the account be used at all: it is enabled, and for what is a test, or belongs to a
 * test tenant, it is a simulator. */
bool choose_may_use(const struct page *page, const struct provider *pr, bool test);

struct choice choose_provider(const struct choose_params *p);

#endif
