/*
 * choose.c - which account of a channel sends a delivery
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The draw: each account gets -ln(u) / weight, where u is made from the two ids and lies
 * between 0 and 1; the least goes first.  So an account with twice the weight is first
 * twice as often, and taking one away leaves the order of the others as it was.
 */
#include "notify/choose.h"

#include <math.h>
#include <string.h>

#include "notify/book.h"
#include "notify/gate.h"
#include "notify/health.h"
#include "provider/provider.h"

enum { ACCOUNTS_MAX = 32 }; /* of one channel that are looked at */

struct candidate {
	const struct provider *provider;
	bool shut, full;
	double draw;
};

/* The mixing function of splitmix64. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static double
draw(const struct choose_params *p, const struct provider *pr)
{
	double weight = pr->weight *
	    health_share(p->health, pr->account, p->now_ms);
	uint64_t a, b;

	if (weight <= 0)
		return INFINITY;
	memcpy(&a, p->delivery.u.b + 8, sizeof(a));
	memcpy(&b, pr->id.u.b + 8, sizeof(b));
	a = mix(a ^ mix(b));
	return -log(((double)(a >> 11) + 0.5) / (double)(UINT64_C(1) << 53)) /
	    weight;
}

static bool
goes_before(const struct candidate *a, const struct candidate *b)
{
	if (a->shut != b->shut)
		return b->shut;
	if (a->provider->priority != b->provider->priority)
		return a->provider->priority < b->provider->priority;
	if (a->full != b->full)
		return b->full;
	return a->draw < b->draw;
}

static void
insert(struct candidate *list, int count, struct candidate c)
{
	for (; count > 0 && goes_before(&c, &list[count - 1]); count--)
		list[count] = list[count - 1];
	list[count] = c;
}

static bool
takes(const struct provider *pr, const char *address)
{
	return pr->ops->takes == NULL || address == NULL ||
	    pr->ops->takes(address);
}

static struct candidate
candidate(const struct choose_params *p, const struct provider *pr)
{
	struct candidate c = { .provider = pr, .draw = draw(p, pr) };
	struct guest *guest;

	if (p->gate == NULL) {
		c.shut = !health_is_usable(p->health, pr->account, p->now_ms);
		return c;
	}
	guest = gate_guest(p->gate, pr);
	c.shut = gate_is_shut(guest->place);
	c.full = gate_room(p->gate, guest) == 0;
	return c;
}

bool
choose_may_use(const struct page *page, const struct provider *pr, bool test)
{
	return pr->enabled &&
	    (pr->ops->simulated || (!test && !page->rules.test));
}

struct choice
choose_provider(const struct choose_params *p)
{
	struct candidate list[ACCOUNTS_MAX];
	const struct provider *pr;
	struct candidate c;
	struct choice choice = { .provider = NULL };
	int k, turn, count = 0;
	size_t i;

	for (i = 0; i < p->page->provider_count && count < ACCOUNTS_MAX; i++) {
		pr = p->page->providers[i];
		if (!choose_may_use(p->page, pr, p->test) ||
		    pr->ops->channel != p->channel || !takes(pr, p->address))
			continue;
		choice.enabled++;
		c = candidate(p, pr);
		choice.usable += !c.shut;
		insert(list, count++, c);
	}
	if (count == 0)
		return choice;
	choice.shut = choice.usable == 0;
	if (!choice.shut)
		count = choice.usable;
	turn = p->failovers % count;
	pr = list[turn].provider;
	choice.provider = pr;
	choice.others = turn < choice.usable - 1;
	choice.share = health_share(p->health, pr->account, p->now_ms);
	for (k = 0; k < count; k++)
		choice.equals +=
		    list[k].provider->priority == pr->priority;
	return choice;
}
