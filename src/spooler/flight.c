/*
 * flight.c - a delivery on the wire
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * By the time we get here the attempt's row has been committed.  A message that cannot
 * be rendered or built is dead with the reason; one that was let go because our leases
 * are no longer sure leaves no result, as if we had died: whoever rescues it says so.
 * One that was let go because we stop is handed back.  The credentials of its account
 * are open as long as a flight holds them.
 */
#include <stddef.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/crash_point.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "db/pool.h"
#include "net/transfer.h"
#include "notify/choose.h"
#include "notify/deliver.h"
#include "notify/gate.h"
#include "notify/settle.h"
#include "provider/provider.h"
#include "provider/settings.h"
#include "spooler/claim.h"
#include "spooler/crash.h"
#include "spooler/keys.h"
#include "spooler/pack.h"
#include "spooler/spooler.h"
#include "spooler/tokens.h"
#include "spooler/upload.h"

enum {
	CHUNK_BYTES = 8192,
	ALARM_MS = 1000,
	SESSION_MS = 24 * 3600 * 1000 - 60 * 1000 /* a minute less than a day */
};

struct flight {
	struct token_waiter waiter; /* first: it is the flight that waits */
	struct arena *a; /* the message, and this struct */
	struct claim *claim;
	struct delivery *d;
	const struct provider *provider; /* that of the delivery, open and held; or NULL */
	struct message *m;
	struct transfer *transfer;
	struct pack_waiter pack_waiter;
	struct pack *pack; /* its attachments, held; NULL: none */
	struct upload_waiter upload_waiter;
	bool renewed; /* its access token was refused once */
	int64_t started_us;
	struct gate_ended ended; /* what it tells of its account */
};

/* The delivery has come to its result, or to none: lets go of everything. */
static void
land(struct flight *f)
{
	struct spooler *sp = f->claim->spooler;
	struct claim *c = f->claim;
	struct arena *a = f->a;

	if (f->pack != NULL)
		pack_release(f->pack);
	settings_release(f->provider);
	door_ended(sp, f->d, &f->ended);
	claim_count(c, -1);
	tally_ended(sp->tally, c->tenant, (int)f->d->channel,
	    f->d->provider);
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

/* No table knows the answer: somebody should look at it. */
static void
alarm_of(const struct flight *f, const struct verdict *v)
{
	static int64_t told_ms;
	int64_t now_ms = clock_mono_ms();

	metrics_add(METRIC_UNRECOGNISED_ANSWERS_TOTAL, 0, 1);
	if (told_ms != 0 && now_ms - told_ms < ALARM_MS)
		return;
	told_ms = now_ms;
	log_warn(NULL, "an answer of a provider is not known",
	    LF_INT("tenant_id", f->claim->tenant.n),
	    LF_STR("provider", f->d->provider->name),
	    LF_STR("kind", f->d->provider->ops->kind), LF_STR("code", v->code),
	    LF_STR("text", v->text));
}

static void
settled(struct flight *f, const struct verdict *v, enum gate_answer answer)
{
	struct spooler *sp = f->claim->spooler;
	struct result *r = new_result(f);

	f->ended.answer = answer;
	f->ended.block_ms = v->retry_after_ms;
	f->d->spared = gate_is_open(f->d->place);
	if (v->unrecognised)
		alarm_of(f, v);
	if (v->class == VERDICT_ACCEPTED && f->d->provider->ops->foresee != NULL)
		hooks_foresee(sp->hooks, f->d->provider, f->m);
	settle_attempt(r, f->d, v, &sp->policies[f->d->channel],
	    randombytes_random());
	sign(r, f);
	metrics_add(METRIC_ATTEMPTS_TOTAL, (int)v->class - 1, 1);
	metrics_observe_us(METRIC_ATTEMPT_SECONDS, 0,
	    clock_mono_us() - f->started_us);
	log_result(f, r);
	land(f);
}

static void
judged(struct flight *f, const struct transfer_result *res,
    const struct verdict *v)
{
	settled(f, v, gate_judge(res, v));
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

static void
refuse(struct flight *f, const struct err *e)
{
	if (err_may_retry(e->kind))
		not_now(f, e);
	else
		cannot(f, e);
}

static void
let_go(struct flight *f)
{
	if (f->claim->spooler->stopping)
		hand_back(f);
	land(f);
}

static bool renew(struct flight *f);

static void
done(void *arg, const struct transfer_result *res)
{
	struct flight *f = arg;
	struct verdict v = { .class = VERDICT_NONE };

	if (res->outcome == TRANSFER_ABORTED) {
		let_go(f);
		return;
	}
	if (res->outcome == TRANSFER_ANSWERED)
		crash_point(CRASH_AFTER_ANSWER);
	crash_working_on(f->claim->tenant, &f->d->notification->id,
	    &f->d->id);
	f->provider->ops->judge(f->provider, res, &v);
	if (!v.stale_token || !renew(f))
		judged(f, res, &v);
	crash_idle();
}

static int
launch(struct flight *f, struct err *e)
{
	struct spooler *sp = f->claim->spooler;
	const struct provider *p = f->provider;
	struct transfer_request rq;
	int limit_ms = (int)sp->config->spooler_attempt_timeout;

	if (p->ops->build(f->a, p, f->m, &rq, e) == -1)
		return -1;
	rq.of_platform = provider_leads_for_platform(p);
	rq.done = done;
	rq.arg = f;
	if (rq.timeout_ms == 0 || rq.timeout_ms > limit_ms)
		rq.timeout_ms = limit_ms;
	return transfers_start(sp->transfers, &rq, &f->transfer, e);
}

/* The access token that it waited for has come, or will not come. */
static void
token_ready(struct token_waiter *w, const char *token, const struct verdict *v)
{
	struct flight *f = (struct flight *)w;
	struct err e;

	if (token == NULL && v == NULL) {
		let_go(f);
		return;
	}
	crash_working_on(f->claim->tenant, &f->d->notification->id,
	    &f->d->id);
	if (token == NULL) {
		judged(f, NULL, v);
	} else {
		f->m->token = arena_strdup(f->a, token);
		if (launch(f, &e) == -1)
			refuse(f, &e);
	}
	crash_idle();
}

/* Goes with the account's access token, at once or when there is one. */
static int
launch_with_token(struct flight *f, const char *refused, struct err *e)
{
	struct tokens *tokens = f->claim->spooler->tokens;
	struct token_source source = token_source_of(f->provider);
	const char *token;
	int rc;

	if (refused != NULL)
		tokens_refused(tokens, &source, refused);
	f->waiter.ready = token_ready;
	rc = tokens_ask(tokens, f->a, &source, &f->waiter, &token, e);
	if (rc < 1)
		return rc;
	f->m->token = token;
	return launch(f, e);
}

/* Its access token was refused, and so nothing was taken: once it goes with a new one,
 * in the same attempt. */
static bool
renew(struct flight *f)
{
	struct err e;

	if (f->renewed)
		return false;
	f->renewed = true;
	return launch_with_token(f, f->m->token, &e) == 0;
}

/* ---- Files and messages ------------------------------------------------------------ */

static int send(struct flight *f, struct err *e);

/* A file that it waited for was given to the provider, or was not. */
static void
uploaded(struct upload_waiter *w, bool known, const struct verdict *v)
{
	struct flight *f = CONTAINER_OF(w, struct flight, upload_waiter);
	struct err e;

	if ((!known && v == NULL) || !claim_may_send(f->claim)) {
		let_go(f);
		return;
	}
	crash_working_on(f->claim->tenant, &f->d->notification->id, &f->d->id);
	if (!known)
		judged(f, NULL, v);
	else if (send(f, &e) == -1)
		refuse(f, &e);
	crash_idle();
}

/* The references to the files that it names: 1 when they are all there, 0 when it waits
 * for one, -1 with *e. */
static int
refer(struct flight *f, struct err *e)
{
	const struct provider *p = f->provider;
	struct message *m = f->m;
	int n, rc;

	if (m->references == NULL)
		m->references = arena_zalloc(f->a, m->attachment_count,
		    sizeof(*m->references));
	f->upload_waiter.ready = uploaded;
	while ((n = p->ops->names(f->a, m)) != -1 &&
	    (size_t)n < m->attachment_count) {
		rc = upload_ask(f->claim->spooler, f->pack, p, m, (size_t)n,
		    &f->upload_waiter, &m->references[n], e);
		if (rc < 1)
			return rc;
	}
	return 1;
}

static int
send(struct flight *f, struct err *e)
{
	const struct provider *p = f->provider;
	struct verdict v = { .class = VERDICT_NONE };
	int rc = f->pack != NULL && p->ops->names != NULL ? refer(f, e) : 1;

	if (rc < 1)
		return rc;
	if (p->ops->deliver != NULL) {
		p->ops->deliver(f->a, p, f->m, &v);
		judged(f, NULL, &v);
		return 0;
	}
	if (p->ops->token_request != NULL)
		return launch_with_token(f, NULL, e);
	return launch(f, e);
}

/* Whatever changed between the choice and now: a test leaves the host in no case. */
static int
check(const struct page *page, const struct delivery *d, struct err *e)
{
	if (choose_may_use(page, d->provider, d->notification->test))
		return 0;
	return err_set(e, ERR_UNPROCESSABLE,
	    "it is a test: simulators alone may send it");
}

static void
attach(struct flight *f, struct pack *pack)
{
	f->pack = pack;
	f->m->attachments = pack_list(pack, &f->m->attachment_count);
}

/* The attachments that it waited for are there, or will not come; that says nothing of
 * the account. */
static void
pack_ready(struct pack_waiter *w, struct pack *pack, const struct verdict *v)
{
	struct flight *f = CONTAINER_OF(w, struct flight, pack_waiter);
	struct err e;

	if (pack != NULL)
		attach(f, pack);
	if ((pack == NULL && v == NULL) || !claim_may_send(f->claim)) {
		let_go(f);
		return;
	}
	crash_working_on(f->claim->tenant, &f->d->notification->id, &f->d->id);
	if (pack == NULL)
		settled(f, v, GATE_NEITHER);
	else if (send(f, &e) == -1)
		refuse(f, &e);
	crash_idle();
}

static bool
needs_pack(const struct flight *f)
{
	const struct provider_ops *ops = f->d->provider->ops;

	return f->d->notification->attaches &&
	    ops->carries != CARRIES_NOTHING &&
	    (ops->names == NULL || ops->names(f->a, f->m) != -1);
}

/* Goes when its attachments are there, if it has any. */
static int
pack_and_send(struct flight *f, struct err *e)
{
	struct pack *pack;

	if (!needs_pack(f))
		return send(f, e);
	f->pack_waiter.ready = pack_ready;
	pack = pack_ask(f->claim->spooler->packs, f->claim->tenant,
	    &f->d->notification->id, &f->pack_waiter);
	if (pack == NULL)
		return 0;
	attach(f, pack);
	return send(f, e);
}

/* ---- Sessions -------------------------------------------------------------------- */

/* Whether the recipient's session is open is asked for once, before it is sent. */
struct question {
	struct pool_job job;
	struct flight *f;
};

/* In doubt it goes as if the session were closed, which is always allowed. */
static void
session_known(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct flight *f = ((struct question *)job)->f;
	struct err fault;

	if (e != NULL)
		spooler_trouble(f->claim->spooler, "asking for a session failed",
		    e);
	else
		f->m->in_session = db_count(rows[0]) > 0;
	arena_free(&job->a);
	if (!claim_may_send(f->claim)) {
		let_go(f);
		return;
	}
	crash_working_on(f->claim->tenant, &f->d->notification->id, &f->d->id);
	if (pack_and_send(f, &fault) == -1)
		refuse(f, &fault);
	crash_idle();
}

static void
ask_for_session(struct flight *f)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct question *q = arena_object(a, struct question);
	struct db_batch *b = db_batch_new(a, f->claim->tenant, DB_ONE);

	q->job.a = a;
	q->job.step = session_known;
	q->f = f;
	db_add(b, Q_HEARD_FIND);
	db_arg_int(b, f->claim->tenant.n);
	db_arg_uuid(b, &f->d->provider->id.u);
	db_arg_text(b, f->m->address);
	db_arg_int(b, SESSION_MS);
	pool_submit(f->claim->spooler->pool, &q->job, b);
}

/* What the message is may depend on its session, and which files it names on that. */
static int
ask_and_send(struct flight *f, struct err *e)
{
	const struct provider_ops *ops = f->d->provider->ops;

	if (ops->has_session == NULL || !ops->has_session(f->a, f->m))
		return pack_and_send(f, e);
	ask_for_session(f);
	return 0;
}

static void
start(struct spooler *sp, struct claim *c, struct delivery *d,
    struct page *page)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct flight *f = arena_object(a, struct flight);
	struct err e;

	f->a = a;
	f->m = arena_object(a, struct message);
	f->claim = c;
	f->d = d;
	f->started_us = clock_mono_us();
	f->ended = (struct gate_ended){
		.at = gate_start(d->place),
		.retry = d->counted > 0,
		.answer = GATE_NEITHER,
	};
	tally_started(sp->tally, c->tenant, (int)d->channel, d->provider);
	metrics_set(METRIC_IN_FLIGHT, 0, sp->in_flight);
	if (check(page, d, &e) == -1 ||
	    settings_hold(d->provider, &f->provider, &e) == -1 ||
	    deliver_render(a, sp->config, page, d, f->m, &e) == -1 ||
	    ask_and_send(f, &e) == -1)
		refuse(f, &e);
}

void
flight_start(struct spooler *sp, struct claim *c, struct delivery *d,
    struct page *page)
{
	crash_working_on(c->tenant, &d->notification->id, &d->id);
	start(sp, c, d, page);
	crash_idle();
}
