/*
 * limits.h - how much an account at a provider is given
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits are common to all kinds of providers and stored beside an account's settings.
 */
#ifndef BELFRY_PROVIDER_LIMITS_H
#define BELFRY_PROVIDER_LIMITS_H

#include <jansson.h>

#include "base/compiler.h"
#include "web/field.h"

struct arena;
struct err;
struct provider_account;

struct account_limits {
	struct field_mask mask;
	int64_t concurrency; /* deliveries at once of one spooler; 0: spooler.account_concurrency */
	int64_t rate; /* deliveries in rate_per_ms of all spoolers; 0: as many as one likes */
	int64_t rate_per; /* milliseconds */
	int64_t per_day; /* deliveries a day of UTC; 0: as many as one likes */
	int64_t warmup_start; /* the first day's; 0: no warm-up */
	int64_t warmup_days;
};

extern const struct field_table account_limits_table;

/* Checks "limits" (NULL: none) and sets account->limits.  Faults are added to "fe" with
 * pointers from the limits on, and the first one is told in *e too.  Returns 0, or -1
 * with ERR_UNPROCESSABLE. */
int limits_set(struct arena *a, json_t *limits, struct provider_account *account,
    struct field_errors *fe, struct err *e) MUST_CHECK;

/* The limits of a stored account; those that cannot be read are none. */
const struct account_limits *limits_of(struct arena *a,
    const struct provider_account *account);

#endif
