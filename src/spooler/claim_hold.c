/*
 * claim_hold.c - the deliveries of a claim: held until each has a result
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "spooler/claim.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/crash_point.h"
#include "notify/book.h"
#include "notify/deliver.h"
#include "notify/quiet.h"
#include "notify/settle.h"
#include "spooler/crash.h"
#include "spooler/keys.h"
#include "spooler/share.h"
#include "spooler/spooler.h"

void
claim_enter(struct claim *c, struct spooler *sp, struct tenant_id tenant)
{
	c->spooler = sp;
	c->tenant = tenant;
	c->share = share_of(sp->shares, tenant);
	c->id = sp->id;
	c->holds = 1;
	c->place = &sp->claim_list;
	c->next = sp->claim_list;
	if (c->next != NULL)
		c->next->place = &c->next;
	sp->claim_list = c;
}

void
claim_release(struct claim *c)
{
	struct arena *a = c->job.a;
	size_t i;

	if (--c->holds > 0)
		return;
	for (i = 0; i < c->count; i++)
		book_template_release(c->spooler->book, c->tenant, &c->n[i]);
	book_page_release(c->page);
	if (c->suspect) {
		c->spooler->suspects--;
		crash_suspect((struct tenant_id){ 0 }, NULL, NULL);
	}
	if (c->key != NULL) {
		c->key->holds--;
		keys_update(c->spooler->keys, c->key);
	}
	share_release(c->spooler->shares, c->share);
	*c->place = c->next;
	if (c->next != NULL)
		c->next->place = c->place;
	arena_free(&a);
}

void
claim_count(struct claim *c, int n)
{
	c->spooler->in_flight += n;
	share_hold(c->spooler->shares, c->share, n);
}

/* ---- Starting --------------------------------------------------------------- */

/* How long it is quiet where its recipient is; 0: it is not. */
static int64_t
quiet_ms(const struct claim *c, const struct delivery *d, int64_t now_ms)
{
	int64_t until_ms = quiet_until(c->job.a, c->page, d->notification,
	    d->channel, d->recipient, now_ms);

	return until_ms > now_ms ? until_ms - now_ms : 0;
}

struct start_outcome
claim_start_of(const struct claim *c, const struct delivery *d)
{
	const struct config *config = c->spooler->config;
	int64_t now_ms = clock_agreed_ms();
	struct decide_start q = {
		.corrupt = d->notification->corrupt,
		.crashes = d->crashes,
		.told = d->told,
		.quiet_ms = quiet_ms(c, d, now_ms),
		.crashes_max = (int)config->spooler_crashes_max,
		.is_suppressed = d->suppressed,
		.has_account = d->provider != NULL,
		.age_ms = now_ms - d->aged_from_ms,
		.expires_in_ms = expires_in(d->notification->expires_ms, now_ms),
	};

	return decide_start(&c->spooler->policies[d->channel], &q);
}

/* What hindered a delivery ends it, or it waits for an account. */
static void
hinder(const struct claim *c, struct result *r, const struct delivery *d)
{
	struct start_outcome o = claim_start_of(c, d);

	if (o.reason == NULL) /* what hindered it is gone already */
		o = (struct start_outcome){ DELIVERY_WAITING,
			"it could not be started",
			c->spooler->policies[d->channel].delay_first_ms,
			LATER_TIME };
	settle_unsent(r, d, o.state, o.reason);
	if (o.state == DELIVERY_WAITING) {
		r->later = o.later;
		r->delay_ms = o.delay_ms;
	}
}

/* The result of a delivery that was not started is complete. */
static void
ground(struct claim *c, struct result *r, struct delivery *d)
{
	door_leave(c->spooler, d);
	r->tenant = c->tenant;
	r->spooler = c->id;
	claim_count(c, -1);
	claim_release(c);
}

void
claim_hand_back(struct claim *c, struct delivery *d, const char *reason)
{
	struct result *r = settler_result(c->spooler->settler, c->tenant);

	settle_handed_back(r, d, reason);
	/* Who looked for leases without deliveries may have been quicker. */
	r->doubtful = c->parcel != NULL;
	ground(c, r, d);
}

bool
claim_may_send(const struct claim *c)
{
	const struct spooler *sp = c->spooler;

	return !sp->stopping && lease_is_trusted(sp) &&
	    uuid_cmp(&c->id, &sp->id) == 0;
}

void
claim_go(struct claim *c, struct delivery *d)
{
	struct spooler *sp = c->spooler;
	struct result *r;

	if (d->attempt > 0 && claim_may_send(c)) {
		crash_point(CRASH_AFTER_CLAIM_COMMIT);
		door_pass(sp, c, d);
		return;
	}
	if (d->attempt > 0) {
		claim_hand_back(c, d, "it was handed back before it was sent");
		return;
	}
	r = settler_result(sp->settler, c->tenant);
	hinder(c, r, d);
	ground(c, r, d);
}
