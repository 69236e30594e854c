/*
 * express.c - work that belfry-api leased to this spooler
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A parcel is a claim whose rows came by doorbell: its deliveries, their leases and
 * their first attempts were committed before it was sent, so they go on their way at
 * once.  What cannot be started goes back to the queue, where the usual rules say what
 * becomes of it.
 *
 * A parcel may be lost on the way; then there is a lease of ours that we know nothing of.
 * There may be one, too, when the answer to the COMMIT of a claim was lost: what was
 * handed back before it was there stayed.  So from time to time we look at our leases.
 * What we do not know at two looks is handed back: between them lies more time than a
 * parcel may be on its way, and one that comes later is not started.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "db/pool.h"
#include "net/tickets.h"
#include "notify/book.h"
#include "notify/health.h"
#include "notify/parcel.h"
#include "notify/settle.h"
#include "provider/provider.h"
#include "spooler/claim.h"
#include "spooler/keys.h"
#include "spooler/spooler.h"

enum {
	CHUNK_BYTES = 8192,
	OFFER_MS = 500, /* an offer is renewed at least twice in this time */
	LOOK_MS = 2 * TICKET_GOOD_MS,
	LOOK_PART = 20, /* of the time, at most, goes to looking: the leases of all may be
	                 * many, or dead rows that cannot be vacuumed */
	LOOKS_MS = 10 * LOOK_MS, /* looking goes on for this long after an offer */
	LAST_LOOKS_MS = 20, /* between two of a spooler that stops */
	LINGER_MS = 2 * TICKET_GOOD_MS /* longer than an accepting transaction takes, as a
	                                * rule; one that dies leaves its ticket taken */
};

/* The labels of METRIC_PARCELS_TOTAL. */
enum { STARTED, HANDED_BACK, BROKEN };

struct suspect {
	struct uuid delivery;
	int lease_no;
};

struct express {
	struct tickets *tickets;
	int64_t offered_ms; /* when there were tickets last; 0: never */
	int64_t next_look_ms;
	int64_t doubt_until_ms; /* there may be leases of claims that are over */
	bool looking;
	bool stopping; /* for a turn of the loop at least */
	bool all_in; /* no ticket was under way before the doorbell was last heard */
	bool none_left; /* and no lease since: our successor handed back what it heard */
	struct arena *a; /* of the suspects */
	struct suspect *suspects; /* leases that the last look did not know */
	size_t suspect_count;
};

static void
defer_suspects(void *p)
{
	struct express *x = p;

	arena_free(&x->a);
}

int
express_new(struct spooler *sp, int slot, struct err *e)
{
	struct express *x = arena_object(sp->a, struct express);

	sp->express = x;
	x->a = arena_new(CHUNK_BYTES);
	arena_defer(sp->a, defer_suspects, x);
	return tickets_open(sp->a, sp->config->spooler_doorbell, slot,
	    &x->tickets, e);
}

/* ---- Parcels --------------------------------------------------------------------- */

/* Why a delivery cannot be started, or NULL.  What it is good for is decided when it is
 * claimed from the queue. */
static const char *
hindrance(const struct claim *c, const struct delivery *d)
{
	const struct notification *n = d->notification;
	const struct account_health *ah;

	if (n->corrupt != NULL)
		return n->corrupt;
	if (c->spooler->holding)
		return "nothing is sent: the installation is on hold";
	if (d->provider == NULL)
		return "its provider is not enabled any more";
	ah = health_find(c->spooler->health, d->provider->account);
	if (ah != NULL && ah->refusals >= c->spooler->config->retry_park_after)
		return "its provider is parked";
	if (clock_mono_ms() >= c->parcel->good_until_ms)
		return "it came too late";
	if (n->expires_ms != 0 && n->expires_ms <= clock_agreed_ms())
		return "it expired";
	return NULL;
}

static void
start(struct claim *c)
{
	const struct parcel *p = c->parcel;
	struct delivery *d;
	const char *reason;
	size_t i;

	if (c->page != NULL && c->page->webhooks)
		webhooks_wake(c->spooler->webhooks);
	for (i = 0; i < c->deliveries.count; i++) {
		d = &c->deliveries.list[i];
		if (c->page != NULL)
			d->provider =
			    page_provider_by_id(c->page, p->providers[i]);
		reason = hindrance(c, d);
		if (reason == NULL && !door_join(c->spooler, d))
			reason = "its provider has no room now";
		metrics_add(METRIC_PARCELS_TOTAL,
		    reason == NULL ? STARTED : HANDED_BACK, 1);
		if (reason == NULL)
			claim_go(c, d);
		else
			claim_hand_back(c, d, reason);
	}
	claim_release(c);
}

static void
loaded(struct claim *c, struct db_rows **rows)
{
	struct book *bk = c->spooler->book;

	if (c->load_page) {
		c->page = book_page_read(bk, c->tenant,
		    db_count(rows[0]) > 0 ? db_int(rows[0], 0, 0) : 0, rows + 1);
		rows += 1 + BOOK_PAGE_QUERIES;
	}
	if (c->load_templates_count > 0 &&
	    book_template_read(bk, c->tenant, c->n, rows[0]) == 0 &&
	    book_template(bk, c->tenant, c->n) != 1 && c->n->corrupt == NULL)
		c->n->corrupt = "its template could not be loaded";
}

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct claim *c = (struct claim *)job;

	if (e != NULL) {
		spooler_trouble(c->spooler, "loading for a parcel failed", e);
		c->n->corrupt = "what it needs could not be loaded";
	} else {
		loaded(c, rows);
	}
	start(c);
}

/* Loads what the book does not have; false when it has all. */
static bool
load(struct claim *c)
{
	struct db_batch *b = db_batch_new(c->job.a, c->tenant, DB_ONE);
	struct book *bk = c->spooler->book;

	c->page = book_page_since(bk, c->tenant, c->parcel->generation);
	c->load_page = c->page == NULL;
	c->load_templates_count = book_template(bk, c->tenant, c->n) == 0;
	if (c->load_page) {
		db_add(b, Q_GENERATION_GET);
		db_arg_int(b, c->tenant.n);
		book_page_add(b, c->tenant);
	}
	if (c->load_templates_count > 0)
		book_template_add(b, c->tenant, c->n);
	if (db_batch_size(b) == 0)
		return false;
	c->job.step = step;
	pool_submit(c->spooler->pool, &c->job, b);
	return true;
}

void
express_arrived(struct spooler *sp, const void *bytes, size_t n)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct claim *c = arena_object(a, struct claim);
	struct parcel *p = arena_object(a, struct parcel);
	size_t i;

	if (parcel_read(a, bytes, n, p) == -1) {
		metrics_add(METRIC_PARCELS_TOTAL, BROKEN, 1);
		arena_free(&a);
		return;
	}
	c->job.a = a;
	claim_enter(c, sp, p->tenant);
	c->id = p->spooler;
	c->parcel = p;
	c->n = &p->n;
	c->count = 1;
	c->deliveries.list = p->deliveries;
	c->deliveries.count = p->count;
	c->holds += (int)p->count;
	claim_count(c, (int)p->count);
	for (i = 0; i < p->count; i++)
		p->deliveries[i].notification = c->n;
	if (!load(c))
		start(c);
}

/* ---- Leases that nobody works on -------------------------------------------------- */

struct look {
	struct pool_job job;
	struct spooler *sp;
	struct uuid id;
	int64_t began_ms;
	bool last; /* nothing can come any more */
};

static bool
is_known(const struct spooler *sp, const struct uuid *delivery)
{
	const struct claim *c;
	size_t i;

	for (c = sp->claim_list; c != NULL; c = c->next)
		for (i = 0; i < c->deliveries.count; i++)
			if (uuid_cmp(&c->deliveries.list[i].id.u, delivery) == 0)
				return true;
	return settler_has(sp->settler, delivery);
}

/* What is_known() knows, in order: a look may find as many leases. */
struct known_list {
	struct uuid *ids;
	size_t count;
};

static int
compare_ids(const void *a, const void *b)
{
	return uuid_cmp(a, b);
}

static struct known_list
known_list(const struct spooler *sp, struct arena *a)
{
	struct known_list k = { .count = 0 };
	size_t i, max = settler_ids(sp->settler, NULL);
	const struct claim *c;

	for (c = sp->claim_list; c != NULL; c = c->next)
		max += c->deliveries.count;
	k.ids = arena_zalloc(a, max, sizeof(*k.ids));
	for (c = sp->claim_list; c != NULL; c = c->next)
		for (i = 0; i < c->deliveries.count; i++)
			k.ids[k.count++] = c->deliveries.list[i].id.u;
	k.count += settler_ids(sp->settler, k.ids + k.count);
	qsort(k.ids, k.count, sizeof(*k.ids), compare_ids);
	return k;
}

static bool
is_listed(const struct known_list *k, const struct uuid *delivery)
{
	return bsearch(delivery, k->ids, k->count, sizeof(*k->ids),
	           compare_ids) != NULL;
}

static bool
is_suspect(const struct express *x, const struct suspect *s)
{
	size_t i;

	for (i = 0; i < x->suspect_count; i++)
		if (uuid_cmp(&x->suspects[i].delivery, &s->delivery) == 0 &&
		    x->suspects[i].lease_no == s->lease_no)
			return true;
	return false;
}

/* A lease that is handed back when it is known which attempt it began. */
struct stray {
	struct pool_job job;
	struct spooler *sp;
	struct uuid id;
	struct tenant_id tenant;
	struct notification n;
	struct delivery d;
};

static void
give_back(struct stray *s)
{
	struct result *r = settler_result(s->sp->settler, s->tenant);

	settle_handed_back(r, &s->d, "it did not reach the spooler");
	r->tenant = s->tenant;
	r->spooler = s->id;
	r->doubtful = true;
}

static void
attempt_found(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct stray *s = (struct stray *)job;

	if (e != NULL) {
		spooler_trouble(s->sp, "looking at a lease failed", e);
	} else if (!is_known(s->sp, &s->d.id.u)) {
		s->d.attempt =
		    db_count(rows[0]) > 0 ? (int)db_int(rows[0], 0, 0) : 0;
		give_back(s);
	}
	arena_free(&job->a);
}

/* The first lease of a delivery is that of its first attempt; of others we ask. */
static void
hand_back(struct spooler *sp, const struct db_rows *rows, int row)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct stray *s = arena_object(a, struct stray);
	struct db_batch *b;

	s->job.a = a;
	s->job.step = attempt_found;
	s->sp = sp;
	s->id = sp->id;
	s->tenant = (struct tenant_id){ db_int(rows, row, 0) };
	s->n.id = (struct notification_id){ db_uuid(rows, row, 1) };
	s->d.notification = &s->n;
	s->d.id = (struct delivery_id){ db_uuid(rows, row, 2) };
	s->d.channel = (enum channel)db_int(rows, row, 3);
	s->d.lease_no = (int)db_int(rows, row, 4);
	if (s->d.lease_no == 1) {
		s->d.attempt = 1;
		give_back(s);
		arena_free(&a);
		return;
	}
	b = db_batch_new(a, s->tenant, DB_ONE);
	db_add(b, Q_LEASE_ATTEMPT);
	db_arg_int(b, s->tenant.n);
	db_arg_uuid(b, &s->n.id.u);
	db_arg_uuid(b, &s->d.id.u);
	db_arg_int(b, s->d.lease_no);
	pool_submit(sp->pool, &s->job, b);
}

static void
looked(struct spooler *sp, const struct db_rows *rows)
{
	struct express *x = sp->express;
	int i, count = db_count(rows), back = 0;
	struct arena *a = arena_new(CHUNK_BYTES);
	struct suspect *list = arena_zalloc(a, (size_t)count, sizeof(*list)), s;
	struct arena *step = arena_new(CHUNK_BYTES);
	struct known_list known = known_list(sp, step);
	size_t suspects = 0;

	for (i = 0; i < count; i++) {
		s.delivery = db_uuid(rows, i, 2);
		s.lease_no = (int)db_int(rows, i, 4);
		if (is_listed(&known, &s.delivery))
			continue;
		if (is_suspect(x, &s)) {
			hand_back(sp, rows, i);
			back++;
		} else {
			list[suspects++] = s;
		}
	}
	arena_free(&step);
	arena_free(&x->a);
	x->a = a;
	x->suspects = list;
	x->suspect_count = suspects;
	if (back == 0)
		return;
	metrics_add(METRIC_ASTRAY_TOTAL, 0, back);
	log_warn(NULL, "leases that nobody works on: handed back",
	    LF_INT("count", back));
}

static void
look_step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct look *lk = (struct look *)job;
	struct spooler *sp = lk->sp;
	int64_t now = clock_mono_ms(), spacing = LOOK_PART * (now - lk->began_ms);

	sp->express->looking = false;
	sp->express->next_look_ms = now + (spacing > LOOK_MS ? spacing : LOOK_MS);
	if (lk->last) {
		sp->express->next_look_ms = now + LAST_LOOKS_MS;
		sp->express->none_left = e == NULL && db_count(rows[0]) == 0;
	} else if (e != NULL)
		spooler_trouble(sp, "looking at the leases failed", e);
	else if (uuid_cmp(&lk->id, &sp->id) == 0)
		looked(sp, rows[0]);
	arena_free(&job->a);
}

static void
look(struct spooler *sp)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct look *lk = arena_object(a, struct look);
	struct db_batch *b =
	    db_batch_new(a, (struct tenant_id){ 0 }, DB_PLAIN);

	lk->job.a = a;
	lk->job.step = look_step;
	lk->sp = sp;
	lk->id = sp->id;
	lk->began_ms = clock_mono_ms();
	lk->last = sp->stopping && sp->express->all_in;
	sp->express->looking = true;
	db_add(b, Q_LEASES_OWN);
	db_arg_uuid(b, &sp->id);
	pool_submit(sp->pool, &lk->job, b);
}

/* ---- Tickets ------------------------------------------------------------------------ */

/* None while anything waits: what is handed over must not pass those by. */
static int
tickets_right_now(const struct spooler *sp)
{
	int count = (int)sp->config->spooler_express - sp->in_flight;

	if (count <= 0 || !spooler_takes(sp) || sp->claims > 0 ||
	    keys_are_marked(sp->keys))
		return 0;
	return count < spooler_room(sp) ? count : spooler_room(sp);
}

static bool
has_to_look(const struct spooler *sp, int64_t now_ms)
{
	const struct express *x = sp->express;

	if (sp->stopping)
		return sp->in_flight == 0 && sp->claims == 0 &&
		    settler_is_empty(sp->settler) && x->all_in &&
		    express_awaits(sp);
	return (x->offered_ms != 0 && now_ms < x->offered_ms + LOOKS_MS) ||
	    now_ms < x->doubt_until_ms || x->suspect_count > 0;
}

void
express_service(struct spooler *sp)
{
	struct express *x = sp->express;
	int64_t now = clock_mono_ms(), until = now + OFFER_MS;
	int count = tickets_right_now(sp);

	if (until > sp->trusted_until_ms)
		until = sp->trusted_until_ms;
	tickets_offer(x->tickets, &sp->id, count, until);
	if (count > 0)
		x->offered_ms = now;
	x->all_in = !tickets_are_under_way(x->tickets);
	if (sp->stopping && !x->stopping)
		x->next_look_ms = now;
	x->stopping = sp->stopping;
	if (!x->looking && now >= x->next_look_ms && lease_is_trusted(sp) &&
	    pool_is_up(sp->pool) && has_to_look(sp, now))
		look(sp);
}

void
express_doubt(struct spooler *sp)
{
	sp->express->doubt_until_ms = clock_mono_ms() + LOOKS_MS;
}

bool
express_awaits(const struct spooler *sp)
{
	const struct express *x = sp->express;

	return x->offered_ms != 0 && !(x->all_in && x->none_left) &&
	    pool_is_up(sp->pool) && lease_is_trusted(sp) &&
	    clock_mono_ms() < x->offered_ms + LINGER_MS;
}
