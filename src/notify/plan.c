/*
 * plan.c - a recipient of a notification while it is routed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/plan.h"

#include "base/arena.h"
#include "base/clock.h"
#include "model/suppression.h"
#include "notify/book.h"
#include "notify/choose.h"
#include "notify/fallback.h"
#include "notify/prefix_limit.h"
#include "notify/quiet.h"
#include "notify/route.h"
#include "provider/provider.h"

/* ---- Traces --------------------------------------------------------------------- */

/* The most that an account of the channel carries; without any, what mails do. */
static enum provider_carries
carries(const struct plan *pl, enum channel channel)
{
	const struct page *page = pl->params->page;
	enum provider_carries most = CARRIES_NOTHING;
	bool any = false;
	size_t i;

	for (i = 0; i < page->provider_count; i++) {
		const struct provider *p = page->providers[i];

		if (p->ops->channel != channel ||
		    !choose_may_use(page, p, pl->n->test))
			continue;
		any = true;
		if (p->ops->carries != CARRIES_NOTHING)
			most = p->ops->carries;
	}
	return any || channel != CHANNEL_EMAIL ? most : CARRIES_FILES;
}

static void
trace_files(struct plan *pl, enum channel channel,
    const struct provider *provider)
{
	switch (provider != NULL ? provider->ops->carries
	                         : carries(pl, channel)) {
	case CARRIES_FILES:
		break;
	case CARRIES_NAMED:
		trace_add(&pl->trace, "attachments", "by name",
		    "those that the part for %s names go",
		    channel_name((int)channel));
		break;
	case CARRIES_NOTHING:
	default:
		trace_add(&pl->trace, "attachments", "left out",
		    provider != NULL ? "accounts of kind %s carry none"
		                     : "no account of %s carries any",
		    provider != NULL ? provider->ops->kind
		                     : channel_name((int)channel));
	}
}

void
plan_trace_begin(struct plan *pl, enum channel channel,
    const struct provider *provider, const char *why)
{
	trace_begin(&pl->trace, pl->a);
	trace_add(&pl->trace, "channel", channel_name((int)channel), "%s", why);
	if (pl->n->attaches)
		trace_files(pl, channel, provider);
}

void
plan_trace_quiet(struct plan *pl, const struct quiet *quiet)
{
	char until[CLOCK_TEXT_BYTES];

	if (!quiet->applies)
		return;
	if (quiet->until_ms != 0)
		clock_format(quiet->until_ms, until);
	trace_add(&pl->trace, "quiet_hours",
	    quiet->until_ms != 0 ? until : "not now", "by the clock of %s",
	    quiet->zone);
}

void
plan_trace_choice(struct plan *pl, const struct choice *choice)
{
	if (pl->n->test || pl->params->page->rules.test)
		trace_add(&pl->trace, "test", NULL,
		    "simulators alone may send it");
	if (choice->provider == NULL)
		trace_add(&pl->trace, "provider", NULL,
		    "none of %d accounts can be used", choice->enabled);
	else if (choice->enabled == 1)
		trace_add(&pl->trace, "provider", choice->provider->name,
		    "the only account");
	else
		trace_add(&pl->trace, "provider", choice->provider->name,
		    "1 of %d with priority %d, weight %d x %.2f; %d of %d can be "
		    "used", choice->equals, choice->provider->priority,
		    choice->provider->weight, choice->share, choice->usable,
		    choice->enabled);
	if (choice->provider != NULL && choice->provider->tenant_rate > 0)
		trace_add(&pl->trace, "rate", NULL,
		    "the tenant has %d deliveries a second",
		    choice->provider->tenant_rate);
}

/* ---- Steps ---------------------------------------------------------------------- */

/* Is there an account of the channel at all? */
static bool
has_account(const struct plan *pl, enum channel channel)
{
	const struct page *page = pl->params->page;
	size_t i;

	for (i = 0; i < page->provider_count; i++)
		if (choose_may_use(page, page->providers[i], pl->n->test) &&
		    page->providers[i]->ops->channel == channel)
			return true;
	return false;
}

/* What follows another step waits for it. */
static void
plan_follower(struct plan *pl, struct delivery *d, enum channel before,
    const struct fallback_step *step)
{
	d->state = DELIVERY_WAITING;
	d->later = LATER_NOT;
	d->due_ms = 0;
	d->attempt = d->lease_no = 0;
	d->provider = NULL;
	d->after_ms = step->after_ms;
	d->unless = step->unless;
	d->reason = fallback_why(pl->a, before, step);
	plan_trace_begin(pl, d->channel, NULL,
	    arena_printf(pl->a, "step %d of its order", d->step + 1));
	trace_add(&pl->trace, "fallback", "waits", "%s", d->reason);
	d->trace = trace_text(&pl->trace);
}

/* It goes, or may go some day. */
static bool
is_open(const struct delivery *d)
{
	return !delivery_state_is_final((int)d->state);
}

/* The deliveries of one step: several when a push goes to several devices. */
struct group {
	size_t from, to; /* their places in the list */
	bool open, has_account;
};

static struct group
plan_step(struct plan *pl, const struct fallback *f, size_t i)
{
	enum channel channel = f->steps[i].channel;
	struct group g = { .from = pl->out->count,
		.has_account = has_account(pl, channel) };
	size_t k;

	pl->because = arena_printf(pl->a, "step %zu of %zu", i + 1, f->count);
	plan_channel(pl, channel);
	g.to = pl->out->count;
	for (k = g.from; k < g.to; k++) {
		pl->out->list[k].step = (int)i;
		g.open |= is_open(&pl->out->list[k]);
	}
	return g;
}

/* Another step has an account, this one has none. */
static void
pass_over(struct plan *pl, const struct group *g)
{
	struct delivery *d;
	size_t k;

	for (k = g->from; k < g->to; k++) {
		d = &pl->out->list[k];
		if (!is_open(d))
			continue;
		d->state = DELIVERY_SKIPPED;
		d->later = LATER_NOT;
		d->due_ms = 0;
		d->reason = arena_printf(pl->a, "there is no account for %s",
		    channel_name((int)d->channel));
	}
}

static void
follow(struct plan *pl, const struct group *g, const struct group *before,
    const struct fallback_step *step)
{
	struct delivery *list = pl->out->list;
	struct delivery_id head = { .u = { { 0 } } };
	enum channel channel = list[before->from].channel;
	size_t k;

	for (k = g->from; k < g->to; k++) {
		if (!is_open(&list[k]))
			continue;
		if (uuid_is_nil(&head.u))
			head = list[k].id;
		plan_follower(pl, &list[k], channel, step);
	}
	for (k = before->from; k < before->to; k++)
		if (is_open(&list[k]))
			list[k].next = head;
}

void
plan_steps(struct plan *pl, const struct fallback *f)
{
	struct group groups[FALLBACK_STEPS_MAX];
	const struct group *before = NULL;
	bool accounts = false;
	size_t i;

	for (i = 0; i < f->count; i++) {
		pl->follows = accounts;
		groups[i] = plan_step(pl, f, i);
		accounts |= groups[i].open && groups[i].has_account;
	}
	pl->follows = false;
	for (i = 0; i < f->count; i++) {
		if (!groups[i].open)
			continue;
		if (accounts && !groups[i].has_account) {
			pass_over(pl, &groups[i]);
			continue;
		}
		if (before != NULL)
			follow(pl, &groups[i], before,
			    &f->steps[before - groups + 1]);
		before = &groups[i];
	}
}

enum suppression_reason
plan_suppressed(const struct plan *pl, const struct delivery *d)
{
	struct suppression_question q = {
		.address = d->address,
		.channel = d->channel,
		.category = pl->n->category != NULL ? pl->n->category : "",
	};

	if (d->provider != NULL)
		q.provider = d->provider->id;
	return suppression_of(pl->params->suppressed, &q);
}

bool
plan_is_too_many(struct plan *pl, enum channel channel)
{
	struct rate_state state;
	size_t which;

	if (pl->number == NULL ||
	    (channel != CHANNEL_SMS && channel != CHANNEL_WHATSAPP))
		return false;
	if (!pl->is_counted) {
		pl->is_counted = true;
		pl->is_too_many = !prefix_limit_take(pl->a,
		    pl->params->prefixes, &pl->number, 1, &state, &which);
	}
	return pl->is_too_many;
}
