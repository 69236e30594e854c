/*
 * flight.c - a delivery on the wire
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * By the time we get here the attempt's row has been committed.  A message that cannot
 * be rendered or built is dead with the reason; one that was let go because our leases
 * are no longer sure leaves no result, as if we had died: whoever rescues it says so.
 * One that was let go because we stop is handed back.
 */
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/crash_point.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "net/transfer.h"
#include "notify/deliver.h"
#include "notify/settle.h"
#include "provider/provider.h"
#include "spooler/claim.h"
#include "spooler/crash.h"
#include "spooler/keys.h"
#include "spooler/spooler.h"

enum { CHUNK_BYTES = 8192 };

struct flight {
	struct arena *a; /* the message, and this struct */
	struct claim *claim;
	struct delivery *d;
	struct transfer *transfer;
	int64_t started_us;
};

/* The delivery has come to its result, or to none: lets go of everything. */
static void
land(struct flight *f)
{
	struct spooler *sp = f->claim->spooler;
	struct claim *c = f->claim;
	struct arena *a = f->a;

	claim_count(c, -1);
	metrics_set(METRIC_IN_FLIGHT, 0, sp->in_flight);
	arena_free(&a);
	claim_release(c);
}

static struct result *
new_result(const struct flight *f)
{
	return settler_result(f->claim->spooler->settler,
	    f->claim->tenant);
}

/* After settle_*() filled it: what those do not know. */
static void
sign(struct result *r, const struct flight *f)
{
	r->tenant = f->claim->tenant;
	r->spooler = f->claim->id;
}

static void
log_result(const struct flight *f, const struct result *r)
{
	char address[64], delivery[UUID_TEXT_BYTES],
	    notification[UUID_TEXT_BYTES];
	enum log_level level = r->verdict.class == VERDICT_ACCEPTED
	    ? LOG_LEVEL_DEBUG
	    : LOG_LEVEL_INFO;

	if (!log_enabled(level))
		return;
	uuid_format(&r->delivery.u, delivery);
	uuid_format(&r->notification.u, notification);
	log_mask_address(f->d->address != NULL ? f->d->address : "", address,
	    sizeof(address));
	log_at(level, NULL, "attempt ended",
	    LF_INT("tenant_id", r->tenant.n),
	    LF_STR("notification", notification), LF_STR("delivery", delivery),
	    LF_STR("traceparent", f->d->notification->traceparent),
	    LF_STR("provider", f->d->provider->name),
	    LF_STR("address", address), LF_INT("attempt", r->attempt),
	    LF_STR("class", verdict_name(r->verdict.class)),
	    LF_STR("state", delivery_state_name((int)r->state)),
	    LF_STR("code", r->verdict.code), LF_STR("text", r->verdict.text));
}

static void
judged(struct flight *f, const struct verdict *v)
{
	struct spooler *sp = f->claim->spooler;
	struct result *r = new_result(f);

	settle_attempt(r, f->d, v, &sp->policies[f->d->channel],
	    randombytes_random());
	sign(r, f);
	metrics_add(METRIC_ATTEMPTS_TOTAL, (int)v->class - 1, 1);
	metrics_observe_us(METRIC_ATTEMPT_SECONDS, 0,
	    clock_mono_us() - f->started_us);
	log_result(f, r);
	land(f);
}

/* The time to stop has come with the answer outstanding: whoever takes it up next sends
 * it once more, and the attempt does not count.  Were our leases gone meanwhile, this
 * has no effect. */
static void
hand_back(struct flight *f)
{
	struct result *r = new_result(f);

	settle_handed_back(r, f->d, "the spooler stopped before the answer came");
	sign(r, f);
}

static void
done(void *arg, const struct transfer_result *res)
{
	struct flight *f = arg;
	struct verdict v = { .class = VERDICT_NONE };

	if (res->outcome == TRANSFER_ABORTED) {
		if (f->claim->spooler->stopping)
			hand_back(f);
		land(f);
		return;
	}
	if (res->outcome == TRANSFER_ANSWERED)
		crash_point(CRASH_AFTER_ANSWER);
	crash_working_on(f->claim->tenant, &f->d->notification->id,
	    &f->d->id);
	f->d->provider->ops->judge(f->d->provider, res, &v);
	judged(f, &v);
	crash_idle();
}

/* The message itself is at fault. */
static void
cannot(struct flight *f, const struct err *e)
{
	struct result *r = new_result(f);

	settle_unsent(r, f->d, DELIVERY_DEAD, e->text);
	sign(r, f);
	metrics_add(METRIC_ATTEMPTS_TOTAL, VERDICT_BAD_MESSAGE - 1, 1);
	log_result(f, r);
	land(f);
}

/* It is our fault that it cannot go out: its attempt does not count. */
static void
not_now(struct flight *f, const struct err *e)
{
	struct result *r = new_result(f);

	settle_handed_back(r, f->d, e->text);
	sign(r, f);
	log_result(f, r);
	land(f);
}

static int
send(struct flight *f, const struct message *m, struct err *e)
{
	struct spooler *sp = f->claim->spooler;
	const struct provider_ops *ops = f->d->provider->ops;
	struct transfer_request rq = { .done = done, .arg = f };
	struct verdict v = { .class = VERDICT_NONE };
	int limit_ms = (int)sp->config->spooler_attempt_timeout;

	if (ops->deliver != NULL) {
		ops->deliver(f->a, f->d->provider, m, &v);
		judged(f, &v);
		return 0;
	}
	if (ops->build(f->a, f->d->provider, m, &rq, e) == -1)
		return -1;
	rq.done = done;
	rq.arg = f;
	if (rq.timeout_ms == 0 || rq.timeout_ms > limit_ms)
		rq.timeout_ms = limit_ms;
	return transfers_start(sp->transfers, &rq, &f->transfer, e);
}

static void
start(struct spooler *sp, struct claim *c, struct delivery *d,
    struct page *page)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct flight *f = arena_object(a, struct flight);
	struct message *m = arena_object(a, struct message);
	struct err e;

	f->a = a;
	f->claim = c;
	f->d = d;
	f->started_us = clock_mono_us();
	metrics_set(METRIC_IN_FLIGHT, 0, sp->in_flight);
	if (deliver_render(a, sp->config, page, d, m, &e) == 0 &&
	    send(f, m, &e) == 0)
		return;
	if (err_may_retry(e.kind))
		not_now(f, &e);
	else
		cannot(f, &e);
}

void
flight_start(struct spooler *sp, struct claim *c, struct delivery *d,
    struct page *page)
{
	crash_working_on(c->tenant, &d->notification->id, &d->id);
	start(sp, c, d, page);
	crash_idle();
}
