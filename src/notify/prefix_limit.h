/*
 * prefix_limit.h - how many recipients whose numbers begin alike a tenant may reach
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Against pumping: somebody has a tenant send codes to thousands of numbers of a range
 * that he earns from.  A prefix is the first digits of a number in E.164 form.  Each
 * recipient to whom sms or whatsapp may go counts once: in belfry-api when the request
 * brings the number, in a spooler when it is looked up (route.h).  Both take from the
 * same bucket in memcached, and from their own shares without it (web/rate_limit.h).
 */
#ifndef BELFRY_NOTIFY_PREFIX_LIMIT_H
#define BELFRY_NOTIFY_PREFIX_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "web/rate_limit.h"

struct arena;
struct config;
struct rate_limiter;
struct tenant_rules;

struct prefix_limit {
	struct rate_limiter *limiter; /* NULL: nothing is limited */
	struct rate rate; /* per_s 0: the same */
	int digits;
	struct tenant_id tenant;
};

/* A tenant's own limit, or that of the configuration. */
struct prefix_limit prefix_limit_of(const struct config *config,
    struct rate_limiter *limiter, struct tenant_id tenant,
    const struct tenant_rules *rules);

/* Takes one for each number that is not NULL, or none at all: false with the state of the
 * limit and the first number that is too many.  One look-up for each prefix. */
bool prefix_limit_take(struct arena *a, const struct prefix_limit *l,
    const char *const *numbers, size_t count, struct rate_state *state_r,
    size_t *which_r) MUST_CHECK;

/* Puts them back. */
void prefix_limit_put_back(struct arena *a, const struct prefix_limit *l,
    const char *const *numbers, size_t count);

#endif
