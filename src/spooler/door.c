/*
 * door.c - deliveries wait here until their account has room
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Claims ask how much there is room for (door_room); a queue of which nothing could start
 * is gated: it is not claimed again before something changes.  What was claimed has a place
 * of its account, and waits here for the wire, in order, for the moment that the places
 * in front of it take (notify/gate.h).
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "db/pool.h"
#include "notify/book.h"
#include "notify/choose.h"
#include "notify/gate.h"
#include "provider/provider.h"
#include "spooler/claim.h"
#include "spooler/keys.h"
#include "spooler/spooler.h"

enum {
	CHUNK_BYTES = 2048,
	LINE_MS = 3000, /* whoever waits longer goes back to the queue */
	CHECK_MS = 2000, /* between two looks for a newer page */
	GATED_MS = 250 /* when nobody knows what a queue waits for */
};

struct waiter {
	struct waiter *next;
	struct claim *claim;
	struct delivery *d;
	int64_t since_ms;
};

/* Whether a tenant's page is up to date. */
struct check {
	struct pool_job job;
	struct spooler *sp;
	struct tenant_id tenant;
	int lane;
};

/* Those who wait for the wire of one account. */
struct line {
	struct line *next; /* of those that are not empty */
	struct place *place;
	struct waiter *first, **last;
};

struct door {
	struct line *lines;
};

void
door_new(struct spooler *sp)
{
	const struct config *config = sp->config;
	struct gate_params params = {
		.health = sp->health,
		.concurrency = (int)config->spooler_account_concurrency,
		.failures = { (int)config->breaker_failures,
		    config->breaker_span },
		.try_every_ms = config->breaker_probe,
		.block_max_ms = config->retry_delay_max,
	};

	sp->door = arena_object(sp->a, struct door);
	sp->gate = gate_new(sp->a, &params);
}

/* ---- The database ------------------------------------------------------------------- */

struct word {
	struct pool_job job;
	struct spooler *sp;
	struct place *place;
	enum gate_news news;
};

static struct word *
word_new(struct spooler *sp, struct place *place,
    void (*step)(struct pool_job *, struct db_rows **, const struct err *))
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct word *w = arena_object(a, struct word);

	w->job.a = a;
	w->job.step = step;
	w->sp = sp;
	w->place = place;
	return w;
}

/* Queues that wait for a place may be claimed again; whose turn it is, the tenants' shares
 * decide. */
static void
ungate(struct spooler *sp, struct place *place)
{
	struct guest *guest;
	int channel;

	while ((guest = gate_awaiting(place)) != NULL)
		keys_ungate(sp->keys, guest->tenant, (int)place->channel);
	if (!gate_is_whole(place))
		return;
	for (channel = CHANNEL_NONE + 1; channel < CHANNEL_COUNT; channel++)
		keys_ungate(sp->keys, place->tenant, channel);
}

static void
answered(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct word *w = (struct word *)job;

	if (e != NULL)
		spooler_trouble(w->sp, "asking for a share of a provider failed",
		    e);
	gate_ask_read(w->sp->gate, w->place, rows);
	ungate(w->sp, w->place);
	arena_free(&job->a);
}

static void
ask(struct spooler *sp, struct place *place)
{
	struct word *w;
	struct db_batch *b;

	if (!gate_must_ask(sp->gate, place) || !pool_is_up(sp->pool))
		return;
	w = word_new(sp, place, answered);
	b = db_batch_new(w->job.a, place->tenant, DB_ONE);
	gate_ask_add(sp->gate, place, b);
	pool_submit(sp->pool, &w->job, b);
}

/* For all that stands between it and the wire. */
static void
ask_for(struct spooler *sp, struct guest *guest)
{
	if (guest->whole != NULL)
		ask(sp, guest->whole);
	ask(sp, guest->place);
}

/* The one line of a breaker that opens or closes. */
static void
log_news(const struct word *w, const char *name)
{
	if (w->news == GATE_OPENED)
		log_warn(NULL, "provider account is left alone: nothing but failures",
		    LF_INT("tenant_id", w->place->tenant.n),
		    LF_STR("provider", name));
	else
		log_info(NULL, "provider account works again",
		    LF_INT("tenant_id", w->place->tenant.n),
		    LF_STR("provider", name));
	metrics_add(METRIC_BREAKERS_TOTAL, w->news == GATE_OPENED ? 0 : 1, 1);
}

static void
told(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct word *w = (struct word *)job;

	gate_told(w->place);
	if (e != NULL)
		spooler_trouble(w->sp, "telling of a provider failed", e);
	else if (db_count(rows[1]) > 0)
		log_news(w, db_text(rows[1], 0, 0));
	arena_free(&job->a);
}

static void
tell(struct spooler *sp, struct place *place, enum gate_news news,
    int64_t block_ms, struct notification_id notification)
{
	struct word *w = word_new(sp, place, told);
	struct db_batch *b = db_batch_new(w->job.a, place->tenant, DB_ONE);
	struct gate_tell t = { news, block_ms, sp->id, notification };

	w->news = news;
	gate_tell_add(sp->gate, place, b, &t);
	pool_submit(sp->pool, &w->job, b);
}

/* ---- Queues ------------------------------------------------------------------------- */

static void
shorten(int64_t *wait_ms, const struct place *place)
{
	int64_t ms = gate_wait_ms(place);

	if (ms < *wait_ms)
		*wait_ms = ms;
}

/* How much of the accounts of a page there is room for; INT_MAX when there is no
 * account, so that what waits learns of it. */
static int
page_room(struct spooler *sp, const struct page *page, enum channel channel,
    int64_t *wait_ms_r)
{
	struct guest *guest = NULL;
	int room = 0, accounts = 0;
	size_t i;

	for (i = 0; i < page->provider_count; i++) {
		if (!choose_may_use(page, page->providers[i], false) ||
		    page->providers[i]->ops->channel != channel)
			continue;
		accounts++;
		guest = gate_guest(sp->gate, page->providers[i]);
		ask_for(sp, guest);
		room += gate_room_worth(sp->gate, guest);
		gate_await(guest);
		shorten(wait_ms_r, guest->place);
	}
	if (guest != NULL && guest->whole != NULL) {
		shorten(wait_ms_r, guest->whole);
		if (room > gate_whole_room(guest))
			room = gate_whole_room(guest);
	}
	return accounts > 0 ? room : INT32_MAX;
}

/* Nothing is claimed of a gated queue, so nothing tells that its tenant's accounts have
 * been changed: we ask now and then.  A page that is out of date leaves the book, and
 * the next claim brings another one. */
static void
page_checked(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct check *ck = (struct check *)job;
	struct page *page;

	if (e == NULL && db_count(rows[0]) > 0) {
		page = book_page(ck->sp->book, ck->tenant,
		    db_int(rows[0], 0, 0));
		if (page != NULL)
			book_page_release(page);
		else
			keys_ungate(ck->sp->keys, ck->tenant, ck->lane);
	}
	arena_free(&job->a);
}

static void
check_page(struct spooler *sp, struct key *key)
{
	int64_t now = clock_mono_ms();
	struct arena *a;
	struct check *ck;
	struct db_batch *b;

	if (now < key->check_page_ms || !pool_is_up(sp->pool))
		return;
	key->check_page_ms = now + CHECK_MS;
	a = arena_new(CHUNK_BYTES);
	ck = arena_object(a, struct check);
	ck->job.a = a;
	ck->job.step = page_checked;
	ck->sp = sp;
	ck->tenant = key->tenant;
	ck->lane = key->lane;
	b = db_batch_new(a, key->tenant, DB_ONE);
	db_add(b, Q_GENERATION_GET);
	db_arg_int(b, key->tenant.n);
	pool_submit(sp->pool, &ck->job, b);
}

int
door_room(struct spooler *sp, struct key *key)
{
	struct page *page = book_page_since(sp->book, key->tenant, 0);
	int64_t wait_ms = INT32_MAX;
	int room;

	if (page == NULL)
		return WINDOW_FIRST;
	room = page_room(sp, page, (enum channel)key->lane, &wait_ms);
	book_page_release(page);
	room -= keys_promised(sp->keys, key->tenant, key->lane);
	if (room > 0)
		return room;
	check_page(sp, key);
	key->gated = true;
	key->pause_until_ms = clock_mono_ms() + wait_ms;
	keys_update(sp->keys, key);
	return 0;
}

void
door_gate(struct spooler *sp, struct key *key)
{
	key->marked = true;
	key->full = false;
	key->gated = true;
	key->pause_until_ms = clock_mono_ms() + GATED_MS;
	keys_update(sp->keys, key);
}

/* A place became free. */
static void
let_in(struct spooler *sp, struct place *place)
{
	struct guest *guest = place->awaiting;

	/* While there was none, no share of the budget was asked for. */
	if (guest != NULL)
		ask(sp, place);
	while (guest != NULL && gate_room_worth(sp->gate, guest) == 0)
		guest = guest->next_awaiting;
	if (guest != NULL)
		ungate(sp, place);
}

/* ---- Deliveries --------------------------------------------------------------------- */

bool
door_take(struct spooler *sp, struct delivery *d)
{
	struct guest *guest = gate_guest(sp->gate, d->provider);

	ask_for(sp, guest);
	if (!gate_take(sp->gate, guest, &d->from_us)) {
		gate_await(guest);
		return false;
	}
	d->place = guest->place;
	return true;
}

/* Does somebody's work wait in the queue for the guest's place?  Who awaited it may have
 * found another one since. */
static bool
is_awaited(const struct spooler *sp, const struct guest *guest)
{
	const struct place *place = guest->place;
	const struct guest *other = place->awaiting;

	while (other != NULL &&
	    !keys_are_gated(sp->keys, other->tenant, (int)place->channel))
		other = other->next_awaiting;
	return other != NULL ||
	    keys_are_gated(sp->keys, guest->tenant, (int)place->channel);
}

/* Nobody passes by those who wait in the queue, of whatever tenant. */
bool
door_join(struct spooler *sp, struct delivery *d)
{
	struct guest *guest = gate_guest(sp->gate, d->provider);

	if (is_awaited(sp, guest) || !gate_join(sp->gate, guest, &d->from_us))
		return false;
	d->place = guest->place;
	return true;
}

void
door_leave(struct spooler *sp, struct delivery *d)
{
	struct place *place = d->place;

	if (place == NULL)
		return;
	d->place = NULL;
	gate_leave(place);
	let_in(sp, place);
}

void
door_ended(struct spooler *sp, struct delivery *d,
    const struct gate_ended *ended)
{
	static const struct notification_id nobodys;
	struct place *place = d->place;
	enum gate_news news;

	d->place = NULL;
	news = gate_end(sp->gate, place, ended);
	if (news != GATE_NO_NEWS)
		tell(sp, place, news, ended->block_ms,
		    place->tenant.n == d->provider->tenant.n
		        ? d->notification->id
		        : nobodys);
	let_in(sp, place);
}

static struct line *
line_of(struct spooler *sp, struct place *place)
{
	struct line *l = place->line;

	if (l != NULL)
		return l;
	l = arena_object(sp->a, struct line);
	l->place = place;
	l->last = &l->first;
	place->line = l;
	return l;
}

static bool
may_start(const struct delivery *d)
{
	return gate_may_start(d->place) && d->from_us <= clock_mono_us();
}

void
door_pass(struct spooler *sp, struct claim *c, struct delivery *d)
{
	struct line *l = line_of(sp, d->place);
	struct waiter *w;

	if (l->first == NULL && may_start(d)) {
		flight_start(sp, c, d, c->page);
		return;
	}
	w = arena_object(c->job.a, struct waiter);
	w->claim = c;
	w->d = d;
	w->since_ms = clock_mono_ms();
	if (l->first == NULL) {
		l->next = sp->door->lines;
		sp->door->lines = l;
	}
	*l->last = w;
	l->last = &w->next;
}

/* Why those in a line cannot wait any longer, or NULL. */
static const char *
turned_away(const struct line *l)
{
	const struct waiter *w = l->first;

	if (!claim_may_send(w->claim))
		return "it was handed back before it was sent";
	if (gate_is_shut(l->place) && !l->place->trying)
		return "its provider is left alone for now";
	if (clock_mono_ms() - w->since_ms > LINE_MS)
		return "its provider has become slow";
	return NULL;
}

static void
serve(struct spooler *sp, struct line *l)
{
	struct waiter *w;
	const char *reason;

	while ((w = l->first) != NULL) {
		reason = turned_away(l);
		if (reason == NULL && !may_start(w->d))
			return;
		l->first = w->next;
		if (l->first == NULL)
			l->last = &l->first;
		if (reason == NULL)
			flight_start(sp, w->claim, w->d, w->claim->page);
		else
			claim_hand_back(w->claim, w->d, reason);
	}
}

int
door_timeout_ms(const struct spooler *sp)
{
	int64_t now_us = clock_mono_us(), least = -1, us;
	const struct line *l;

	for (l = sp->door->lines; l != NULL; l = l->next) {
		us = l->first->d->from_us - now_us;
		if (us > 0 && (least == -1 || us < least))
			least = us;
	}
	return least == -1 ? -1 : (int)(least / 1000) + 1;
}

void
door_service(struct spooler *sp)
{
	struct line **at = &sp->door->lines, *l;

	while ((l = *at) != NULL) {
		serve(sp, l);
		if (l->first == NULL)
			*at = l->next;
		else
			at = &l->next;
	}
}
