/*
 * prefix_limit.c - how many recipients whose numbers begin alike a tenant may reach
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/prefix_limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/metrics.h"
#include "notify/tenant_settings.h"

enum { LABEL = 7 }; /* "prefix" of METRIC_RATE_LIMITED_TOTAL */

struct share {
	const char *who; /* the tenant and the prefix */
	size_t first; /* of its numbers */
	int64_t count;
};

struct prefix_limit
prefix_limit_of(const struct config *config, struct rate_limiter *limiter,
    struct tenant_id tenant, const struct tenant_rules *rules)
{
	const struct prefix_rule *own = &rules->prefix;
	int64_t most = own->is_set ? own->most : config->limits_prefix_most;
	int64_t per_ms = own->per_ms != 0 ? own->per_ms
	                                  : config->limits_prefix_per;
	struct prefix_limit l = {
		.limiter = limiter,
		.rate = { .policy = "prefix", .burst = most, .exact = true },
		.digits = own->digits != 0 ? own->digits
		                           : (int)config->limits_prefix_digits,
		.tenant = tenant,
	};
	double per_s = (double)most * 1000 / (double)per_ms;

	if (rate_is_sane(per_s, (double)most))
		l.rate.per_s = per_s;
	return l;
}

static bool
is_off(const struct prefix_limit *l)
{
	return l->limiter == NULL || l->rate.per_s == 0;
}

static const char *
who_of(struct arena *a, const struct prefix_limit *l, const char *number)
{
	return arena_printf(a, "%lld/%.*s", (long long)l->tenant.n, l->digits,
	    number + strspn(number, "+"));
}

static int
compare(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	int rc = strcmp(x->who, y->who);

	return rc != 0 ? rc : x->first < y->first ? -1 : x->first > y->first;
}

/* How many of each prefix. */
static size_t
shares_of(struct arena *a, const struct prefix_limit *l,
    const char *const *numbers, size_t count, struct share **shares_r)
{
	struct share *list = arena_zalloc(a, count, sizeof(*list));
	size_t i, n = 0, last = 0;

	for (i = 0; i < count; i++)
		if (numbers[i] != NULL)
			list[n++] = (struct share){ who_of(a, l, numbers[i]), i,
				1 };
	*shares_r = list;
	if (n == 0)
		return 0;
	qsort(list, n, sizeof(*list), compare);
	for (i = 1; i < n; i++) {
		if (strcmp(list[last].who, list[i].who) == 0)
			list[last].count++;
		else
			list[++last] = list[i];
	}
	return last + 1;
}

static void
put_back(const struct prefix_limit *l, const struct share *shares, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		rate_limit_put_back(l->limiter, &l->rate, shares[i].who,
		    shares[i].count);
}

bool
prefix_limit_take(struct arena *a, const struct prefix_limit *l,
    const char *const *numbers, size_t count, struct rate_state *state_r,
    size_t *which_r)
{
	struct share *shares;
	size_t i, n;

	if (is_off(l))
		return true;
	n = shares_of(a, l, numbers, count, &shares);
	for (i = 0; i < n; i++) {
		if (rate_limit_take_many(l->limiter, &l->rate, shares[i].who,
		        shares[i].count, state_r))
			continue;
		put_back(l, shares, i);
		*which_r = shares[i].first;
		metrics_add(METRIC_RATE_LIMITED_TOTAL, LABEL, 1);
		return false;
	}
	return true;
}

void
prefix_limit_put_back(struct arena *a, const struct prefix_limit *l,
    const char *const *numbers, size_t count)
{
	struct share *shares;
	size_t n;

	if (is_off(l))
		return;
	n = shares_of(a, l, numbers, count, &shares);
	put_back(l, shares, n);
}
