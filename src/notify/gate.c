/*
 * gate.c - how much of what waits may start, account by account
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Retries.  An account's credit grows by one with each delivery that it serves; a retry
 * costs RETRY_COST of it and gives that back when it is served.  While all is well
 * retries cost nothing.  When half of everything fails, a retry costs more than it
 * brings, and so they can be no more than about a seventh of what is new.
 */
#include "notify/gate.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "db/db.h"
#include "net/transfer.h"
#include "notify/health.h"
#include "provider/limits.h"
#include "provider/provider.h"
#include "provider/verdict.h"

enum {
	BUCKETS = 1024,
	TICK_MS = 200,
	AHEAD_MAX = 512, /* places beyond the window */
	AHEAD_US = 300000, /* so long before its time a delivery is granted */
	BLOCK_US = 75000, /* grants are taken for so much time at once */
	GRANT_GOOD_US = 500000, /* a grant is good for so long after its time */
	ASK_AGAIN_MS = 200, /* after the database failed */
	ASK_LEAST_MS = 2, /* between two questions */
	WAIT_MAX_MS = 1000,
	RETRY_COST = 8,
	CREDIT_MAX = 200,
	CREDIT_EVERY_MS = 1000 /* one by itself, so that a stop is not for ever */
};

struct gate {
	struct arena *a;
	struct gate_params params;
	struct place *buckets[BUCKETS];
	struct guest *guests[BUCKETS];
};

struct gate *
gate_new(struct arena *a, const struct gate_params *params)
{
	struct gate *g = arena_object(a, struct gate);

	g->a = a;
	g->params = *params;
	return g;
}

/* ---- Places ------------------------------------------------------------------------ */

static unsigned
bucket_of(struct tenant_id tenant, struct provider_id id)
{
	unsigned h = (unsigned)id.u.b[15] << 8 | id.u.b[14];

	return (h + (unsigned)tenant.n) % BUCKETS;
}

static struct place *
find(struct gate *g, struct tenant_id tenant, struct provider_id id)
{
	struct place **bucket = &g->buckets[bucket_of(tenant, id)], *p;

	for (p = *bucket; p != NULL; p = p->next)
		if (p->tenant.n == tenant.n && uuid_cmp(&p->id.u, &id.u) == 0)
			return p;
	p = arena_object(g->a, struct place);
	p->id = id;
	p->tenant = tenant;
	p->credit = CREDIT_MAX;
	p->credit_at_ms = clock_mono_ms();
	window_init(&p->window, g->params.concurrency);
	p->next = *bucket;
	*bucket = p;
	return p;
}

static bool
is_same_pace(const struct pace *a, const struct pace *b)
{
	return a->every_us == b->every_us && a->per_day == b->per_day &&
	    a->warmup_start == b->warmup_start &&
	    a->warmup_days == b->warmup_days;
}

static void
set_pace(struct place *p, const struct pace *pace)
{
	if (is_same_pace(pace, &p->pace))
		return;
	p->pace = *pace;
	p->ask_from_ms = 0;
	memset(p->grants, 0, sizeof(p->grants));
}

/* Microseconds between two of them. */
static int64_t
every_us(int64_t rate, int64_t per_ms)
{
	if (rate == 0)
		return 0;
	return per_ms * 1000 >= rate ? per_ms * 1000 / rate : 1;
}

static void
set_limits(const struct gate *g, struct place *p,
    const struct provider_ops *ops, const struct account_limits *l)
{
	struct pace pace;
	int concurrency = ops->concurrency > 0 ? ops->concurrency
					       : g->params.concurrency;

	if (l != NULL && l->concurrency > 0)
		concurrency = (int)l->concurrency;
	if (p->window.limit != concurrency)
		window_set_limit(&p->window, concurrency);
	if (l == NULL)
		return;
	pace = (struct pace){
		.every_us = every_us(l->rate, l->rate_per),
		.per_day = (int)l->per_day,
		.warmup_start = (int)l->warmup_start,
		.warmup_days = l->warmup_start > 0 ? (int)l->warmup_days : 0,
	};
	set_pace(p, &pace);
}

/* What the tenant is given by all its accounts together. */
static void
set_whole(struct gate *g, struct guest *gu, int rate)
{
	static const struct provider_id nil;
	struct pace pace = { .every_us = every_us(rate, 1000) };

	if (rate == 0) {
		gu->whole = NULL;
		return;
	}
	if (gu->whole == NULL)
		gu->whole = find(g, gu->tenant, nil);
	set_pace(gu->whole, &pace);
}

static struct guest *
find_guest(struct gate *g, const struct provider *pr)
{
	struct guest **bucket = &g->guests[bucket_of(pr->tenant, pr->id)], *gu;

	for (gu = *bucket; gu != NULL; gu = gu->next)
		if (gu->tenant.n == pr->tenant.n &&
		    uuid_cmp(&gu->id.u, &pr->id.u) == 0)
			return gu;
	gu = arena_object(g->a, struct guest);
	gu->id = pr->id;
	gu->tenant = pr->tenant;
	gu->place = find(g, pr->owner, pr->account);
	gu->next = *bucket;
	*bucket = gu;
	return gu;
}

struct guest *
gate_guest(struct gate *g, const struct provider *pr)
{
	struct guest *gu = find_guest(g, pr);
	struct place *p = gu->place;

	p->channel = pr->ops->channel;
	if (p->health == NULL &&
	    health_find(g->params.health, p->id) != NULL)
		p->health = health_of(g->params.health, p->id);
	set_limits(g, p, pr->ops, pr->limits);
	set_whole(g, gu, pr->tenant_rate);
	return gu;
}

void
gate_await(struct guest *gu)
{
	if (gu->awaits)
		return;
	gu->awaits = true;
	gu->next_awaiting = gu->place->awaiting;
	gu->place->awaiting = gu;
}

struct guest *
gate_awaiting(struct place *p)
{
	struct guest *gu = p->awaiting;

	if (gu == NULL)
		return NULL;
	p->awaiting = gu->next_awaiting;
	gu->awaits = false;
	return gu;
}

bool
gate_is_whole(const struct place *p)
{
	return uuid_is_nil(&p->id.u);
}

bool
gate_is_open(const struct place *p)
{
	return p->health != NULL && p->health->state != BREAKER_CLOSED;
}

static bool
is_blocked(const struct place *p)
{
	return p->health != NULL &&
	    p->health->blocked_until_ms > clock_agreed_ms();
}

static bool
may_try(const struct place *p)
{
	return p->try_until_ms > clock_mono_ms();
}

bool
gate_is_shut(const struct place *p)
{
	return is_blocked(p) || (gate_is_open(p) && !may_try(p));
}

static bool
paces(const struct pace *pace)
{
	return pace->every_us > 0 || pace->per_day > 0;
}

static bool
is_paced(const struct place *p)
{
	return paces(&p->pace);
}

/* The first grant is used up: the others move up. */
static void
next_grant(struct place *p)
{
	memmove(p->grants, p->grants + 1,
	    (GATE_GRANTS - 1) * sizeof(p->grants[0]));
	p->grants[GATE_GRANTS - 1] = (struct grant){ 0 };
}

/* One of the granted deliveries: its time. */
static int64_t
use_grant(struct place *p)
{
	struct grant *first = &p->grants[0];
	int64_t from_us = first->from_us;

	first->from_us += p->pace.every_us;
	if (--first->count == 0)
		next_grant(p);
	return from_us;
}

static int
granted(struct place *p)
{
	int64_t now_us = clock_mono_us();
	int i, count = 0;

	while (p->grants[0].count > 0 &&
	    p->grants[0].from_us + GRANT_GOOD_US < now_us) {
		use_grant(p);
		p->unused++;
	}
	for (i = 0; i < GATE_GRANTS; i++)
		count += p->grants[i].count;
	return count;
}

/* Those that it will have served before long, going by the last fifth of a second. */
static int
ahead(const struct place *p, int64_t now_ms)
{
	int64_t tick = now_ms / TICK_MS;
	int n = 0;

	if (tick == p->tick)
		n = p->served_before;
	else if (tick == p->tick + 1)
		n = p->served_now;
	n /= 2;
	return n < AHEAD_MAX ? n : AHEAD_MAX;
}

static int
places(const struct place *p)
{
	int64_t now_ms = clock_mono_ms();

	if (gate_is_whole(p))
		return INT32_MAX;
	return window_size(&p->window, now_ms) + ahead(p, now_ms);
}

int
gate_whole_room(struct guest *gu)
{
	return gu->whole != NULL ? granted(gu->whole) : INT32_MAX;
}

int
gate_room(struct gate *g, struct guest *gu)
{
	struct place *p = gu->place;
	int room;

	if (gate_is_shut(p))
		return 0;
	if (gate_is_open(p))
		room = 1;
	else
		room = places(p) - p->taken;
	if (is_paced(p) && room > granted(p))
		room = granted(p);
	if (room > gate_whole_room(gu))
		room = gate_whole_room(gu);
	return room > 0 ? room : 0;
}

int
gate_room_worth(struct gate *g, struct guest *gu)
{
	const struct place *p = gu->place;
	int room = gate_room(g, gu);

	if (p->taken == 0 || is_paced(p) || gu->whole != NULL ||
	    4 * room >= places(p))
		return room;
	return 0;
}

bool
gate_take(struct gate *g, struct guest *gu, int64_t *from_us_r)
{
	struct place *p = gu->place;
	int64_t from_us;

	if (gate_room(g, gu) == 0)
		return false;
	*from_us_r = 0;
	if (gate_is_open(p)) {
		p->try_until_ms = 0;
		p->trying = true;
	}
	if (is_paced(p))
		*from_us_r = use_grant(p);
	if (gu->whole != NULL) {
		from_us = use_grant(gu->whole);
		if (from_us > *from_us_r)
			*from_us_r = from_us;
	}
	p->taken++;
	return true;
}

bool
gate_join(struct gate *g, struct guest *gu, int64_t *from_us_r)
{
	struct place *p = gu->place;

	if (gate_is_open(p) || is_blocked(p) || is_paced(p) ||
	    gu->whole != NULL)
		return gate_take(g, gu, from_us_r);
	*from_us_r = 0;
	p->taken++;
	return true;
}

void
gate_leave(struct place *p)
{
	p->taken--;
	if (p->taken == 0)
		p->trying = false;
}

bool
gate_may_start(const struct place *p)
{
	if (gate_is_open(p))
		return p->trying && p->running == 0;
	return p->running < window_size(&p->window, clock_mono_ms());
}

int
gate_start(struct place *p)
{
	return ++p->running;
}

bool
gate_may_retry(struct place *p)
{
	int64_t now = clock_mono_ms();

	p->credit += (double)(now - p->credit_at_ms) / CREDIT_EVERY_MS;
	p->credit_at_ms = now;
	if (p->credit > CREDIT_MAX)
		p->credit = CREDIT_MAX;
	if (p->credit < RETRY_COST)
		return false;
	p->credit -= RETRY_COST;
	return true;
}

/* ---- Answers ----------------------------------------------------------------------- */

/* Was it the account, and not this message or recipient? */
static enum gate_answer
judge_transfer(const struct transfer_result *res)
{
	switch (res->outcome) {
	case TRANSFER_ABORTED:
	case TRANSFER_LOGIN_REFUSED:
	case TRANSFER_NO_SMTPUTF8:
		return GATE_NEITHER;
	case TRANSFER_NOT_CONNECTED:
	case TRANSFER_TLS_FAILED:
	case TRANSFER_TIMED_OUT:
		return GATE_REFUSED;
	case TRANSFER_BROKEN:
		return GATE_FAILED;
	case TRANSFER_ANSWERED:
		break;
	}
	/* SMTP.  Behind the greeting 4yz is about one message, but for 421. */
	if (res->reply[0] != '\0') {
		if (res->status == 421)
			return GATE_REFUSED;
		return res->stage <= TRANSFER_AT_LOGIN ? GATE_FAILED
						       : GATE_NEITHER;
	}
	return res->status >= 500 ? GATE_FAILED : GATE_NEITHER;
}

enum gate_answer
gate_judge(const struct transfer_result *res, const struct verdict *v)
{
	switch (v->class) {
	case VERDICT_ACCEPTED:
	case VERDICT_BAD_RECIPIENT:
	case VERDICT_BAD_MESSAGE:
		return GATE_SERVED;
	case VERDICT_THROTTLED:
		return GATE_REFUSED;
	case VERDICT_RETRY:
	case VERDICT_UNKNOWN:
		return res != NULL ? judge_transfer(res) : GATE_FAILED;
	case VERDICT_BAD_CREDENTIAL:
	case VERDICT_PROVIDER_BLOCKED:
	case VERDICT_NONE:
	case VERDICT_COUNT:
	default:
		return GATE_NEITHER;
	}
}

static void
count_served(struct place *p, int64_t now_ms)
{
	int64_t tick = now_ms / TICK_MS;

	if (tick != p->tick) {
		p->served_before = tick == p->tick + 1 ? p->served_now : 0;
		p->served_now = 0;
		p->tick = tick;
	}
	p->served_now++;
}

static struct account_health *
health_to_change(const struct gate *g, struct place *p)
{
	if (p->health == NULL)
		p->health = health_of(g->params.health, p->id);
	p->health->telling = true;
	return p->health;
}

static enum gate_news
served(struct gate *g, struct place *p, const struct gate_ended *ended)
{
	int64_t now = clock_mono_ms();
	struct account_health *ah;

	failures_end(&p->failures);
	count_served(p, now);
	p->credit += 1 + (ended->retry ? RETRY_COST : 0);
	if (p->credit > CREDIT_MAX)
		p->credit = CREDIT_MAX;
	if (!gate_is_open(p)) {
		window_served(&p->window, ended->at, now);
		return GATE_NO_NEWS;
	}
	ah = health_to_change(g, p);
	ah->state = breaker_next(ah->state, BREAKER_SERVES);
	ah->blocked_until_ms = 0;
	window_restart(&p->window);
	return GATE_RECOVERED;
}

static enum gate_news
leave_alone(const struct gate *g, struct place *p, enum breaker_event event)
{
	struct account_health *ah = health_to_change(g, p);

	ah->state = breaker_next(ah->state, event);
	ah->opened_until_ms = clock_agreed_ms() + g->params.try_every_ms;
	failures_end(&p->failures);
	window_restart(&p->window);
	return event == BREAKER_TRIPS ? GATE_OPENED : GATE_TRY_FAILED;
}

static enum gate_news
failed(struct gate *g, struct place *p, const struct gate_ended *ended,
    bool tried)
{
	int64_t now = clock_mono_ms(), ms = ended->block_ms;
	struct account_health *ah;

	if (ended->answer == GATE_REFUSED)
		window_refused(&p->window, ended->at, now);
	if (gate_is_open(p))
		return tried ? leave_alone(g, p, BREAKER_FAILS) : GATE_NO_NEWS;
	if (ms > 0) {
		ah = health_to_change(g, p);
		if (ms > g->params.block_max_ms)
			ms = g->params.block_max_ms;
		ah->blocked_until_ms = clock_agreed_ms() + ms;
		window_restart(&p->window);
		return GATE_BLOCKED;
	}
	if (failures_add(&p->failures, &g->params.failures, now))
		return leave_alone(g, p, BREAKER_TRIPS);
	return GATE_NO_NEWS;
}

enum gate_news
gate_end(struct gate *g, struct place *p, const struct gate_ended *ended)
{
	bool tried = p->trying;

	p->running--;
	gate_leave(p);
	switch (ended->answer) {
	case GATE_SERVED:
		p->trying = false;
		return served(g, p, ended);
	case GATE_FAILED:
	case GATE_REFUSED:
		p->trying = false;
		return failed(g, p, ended, tried);
	case GATE_NEITHER:
	default:
		return GATE_NO_NEWS;
	}
}

/* ---- The database ------------------------------------------------------------------- */

static bool
must_try(const struct place *p)
{
	return gate_is_open(p) && !may_try(p) && !p->trying &&
	    p->health->opened_until_ms <= clock_agreed_ms();
}

/* How many deliveries are granted at once. */
static int
block(const struct place *p)
{
	if (gate_is_open(p))
		return 1;
	if (p->pace.every_us == 0)
		return AHEAD_MAX;
	return 1 + (int)(AHEAD_US / p->pace.every_us);
}

bool
gate_must_ask(struct gate *g, struct place *p)
{
	if (p->asking || clock_mono_ms() < p->ask_from_ms || is_blocked(p))
		return false;
	if (gate_is_open(p))
		return must_try(p);
	return is_paced(p) && p->grants[GATE_GRANTS - 1].count == 0 &&
	    2 * granted(p) <= block(p) && p->taken < places(p);
}

/* As many as there is room for, and no more than belong to a block. */
static int
want(const struct place *p)
{
	int room = places(p) - p->taken, most = block(p);

	if (room < 1)
		room = 1;
	return room < most ? room : most;
}

static void
arg_or_null(struct db_batch *b, int64_t n)
{
	if (n > 0)
		db_arg_int(b, n);
	else
		db_arg_null(b);
}

void
gate_ask_add(struct gate *g, struct place *p, struct db_batch *b)
{
	const struct pace *pace = &p->pace;

	p->asking = true;
	p->asked = *pace;
	if (is_paced(p)) {
		db_add(b, Q_BUDGET_MAKE);
		db_arg_int(b, p->tenant.n);
		db_arg_uuid(b, &p->id.u);
	}
	db_add(b, Q_GATE_ASK);
	db_arg_int(b, p->tenant.n);
	db_arg_uuid(b, &p->id.u);
	db_arg_int(b, is_paced(p) ? want(p) : 0);
	db_arg_int(b, p->unused);
	db_arg_int(b, must_try(p) ? g->params.try_every_ms : 0);
	arg_or_null(b, pace->every_us);
	db_arg_int(b, AHEAD_US);
	arg_or_null(b, pace->per_day);
	arg_or_null(b, pace->warmup_start);
	arg_or_null(b, pace->warmup_days);
}

static void
get_grant(struct place *p, const struct db_rows *r, int64_t now_ms)
{
	int64_t ms = db_int(r, 0, 3);
	int i = 0, count = (int)db_int(r, 0, 1);

	/* Many small ones are worth waiting for. */
	if (p->pace.every_us > 0 && p->pace.every_us < BLOCK_US)
		ms += BLOCK_US / 1000;
	p->ask_from_ms = now_ms + (ms > ASK_LEAST_MS ? ms : ASK_LEAST_MS);
	if (count == 0)
		return;
	while (p->grants[i].count > 0)
		i++;
	p->grants[i] =
	    (struct grant){ clock_mono_us() + db_int(r, 0, 2), count };
}

static void
get_try(const struct gate *g, struct place *p, int64_t now_ms)
{
	p->try_until_ms = now_ms + g->params.try_every_ms;
	p->health->state = breaker_next(p->health->state, BREAKER_TRIES);
	p->health->opened_until_ms = clock_agreed_ms() + g->params.try_every_ms;
}

void
gate_ask_read(struct gate *g, struct place *p, struct db_rows **rows)
{
	int64_t now = clock_mono_ms();
	const struct db_rows *r;

	p->asking = false;
	if (rows == NULL) {
		p->ask_from_ms = now + ASK_AGAIN_MS;
		return;
	}
	r = rows[paces(&p->asked) ? 1 : 0];
	p->unused = 0;
	if (gate_is_open(p)) {
		if (db_int(r, 0, 0) > 0)
			get_try(g, p, now);
		else
			p->ask_from_ms = now + ASK_AGAIN_MS;
	}
	if (is_paced(p) && is_same_pace(&p->asked, &p->pace))
		get_grant(p, r, now);
}

void
gate_tell_add(struct gate *g, struct place *p, struct db_batch *b,
    const struct gate_tell *t)
{
	int64_t ms = t->news == GATE_BLOCKED ? t->block_ms
	                                     : g->params.try_every_ms;
	struct uuid event = uuid_make(), audit = uuid_make();

	if (ms > g->params.block_max_ms && t->news == GATE_BLOCKED)
		ms = g->params.block_max_ms;
	db_add(b, Q_HEALTH_MAKE);
	db_arg_int(b, p->tenant.n);
	db_arg_uuid(b, &p->id.u);
	db_add(b, Q_GATE_TELL);
	db_arg_int(b, p->tenant.n);
	db_arg_uuid(b, &p->id.u);
	db_arg_int(b, t->news);
	db_arg_int(b, ms);
	db_arg_uuid(b, &t->spooler);
	db_arg_uuid(b, uuid_is_nil(&t->notification.u) ? NULL
	                                               : &t->notification.u);
	db_arg_uuid(b, &event);
	db_arg_uuid(b, &audit);
}

void
gate_told(struct place *p)
{
	if (p->health != NULL)
		p->health->telling = false;
}

int64_t
gate_wait_ms(const struct place *p)
{
	int64_t ms;

	if (is_blocked(p))
		ms = p->health->blocked_until_ms - clock_agreed_ms();
	else if (gate_is_open(p))
		ms = p->health->opened_until_ms - clock_agreed_ms();
	else
		ms = p->ask_from_ms - clock_mono_ms();
	/* What is over already is waited for by other means. */
	return ms > 0 && ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS;
}
