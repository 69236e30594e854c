/*
 * claim.c - work is taken out of a queue
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Round trip 1: BEGIN, tenant, generation, claim.  Round trip 2, only when something is
 * not in the book or recipients are stored: load.  Round trip 3: what the rows become,
 * COMMIT.  So the usual claim is two round trips and one commit, after which deliveries
 * go straight to their providers.  Should we die on the way, the transaction is gone and
 * the rows are where they were.
 *
 * When the database refuses what becomes of the rows, one of them is damaged.  Then they
 * are claimed one by one; the one that is refused alone is condemned: at its next claim
 * it ends as dead, with nothing of what it holds.  So it is seen, and holds up nobody.
 */
#include "spooler/claim.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "notify/book.h"
#include "notify/choose.h"
#include "notify/deliver.h"
#include "notify/gate.h"
#include "notify/prefix_limit.h"
#include "notify/settle.h"
#include "spooler/crash.h"
#include "spooler/keys.h"
#include "spooler/share.h"
#include "spooler/spooler.h"
#include "web/js.h"

enum {
	CHUNK_BYTES = 16384,
	TEMPLATES_PER_LOAD = 12,
	PAUSE_MS = 500, /* of a key after trouble */
	SEVERAL_BYTES_MAX = 8 << 20, /* of recipients, in one write of several notifications */
	ALONE_BYTES_MAX = 30 << 20, /* of one; quoted, an array takes no more */
	SUSPECT_MS = 20, /* until the next look whether a suspect is over */
	LOW_WATER_MARGIN_MS = 2000 /* transactions may commit this late */
};

/* How old, and how far ahead of our clock, the notifications are that claims look for at
 * first: so PostgreSQL opens the partitions of these days and not those of all weeks.
 * What is deferred may be of any age. */
#define FRESH_MS (INT64_C(2) * 24 * 3600 * 1000)

/* ---- The end --------------------------------------------------------------- */

/* What it was promised is in flight now, or free for others. */
static void
keep_promise(struct claim *c)
{
	share_hold(c->spooler->shares, c->share, -c->promised);
	c->key->promised -= c->promised;
	c->promised = 0;
}

/* The transaction is over, well or not. */
static void
end(struct claim *c)
{
	bool nothing = c->stage == CLAIM_END && c->count == 0;

	if (c->gives_back)
		keys_lower_water(c->key, c->from_ms);
	keep_promise(c);
	c->spooler->claims--;
	c->key->claims--;
	keys_update(c->spooler->keys, c->key);
	metrics_observe_us(METRIC_CLAIM_SECONDS, nothing,
	    clock_mono_us() - c->started_us);
	claim_release(c);
}

/* ---- Writing what the rows become ----------------------------------------------- */

/* A delivery without a place of its account goes back to where it was.  A retry without
 * credit is put off. */
static bool
must_return(struct claim *c, struct delivery *d, bool shut)
{
	const struct retry_policy *policy = &c->spooler->policies[d->channel];

	if (shut || !door_take(c->spooler, d))
		return true;
	if (d->counted == 0 || gate_may_retry(d->place))
		return false;
	door_leave(c->spooler, d);
	d->put_off_ms = decide_put_off_ms(policy, randombytes_random());
	metrics_add(METRIC_RETRIES_PUT_OFF_TOTAL, 0, 1);
	return true;
}

/* Deliveries of a lane: an attempt starts for those that can, the others are leased
 * until it is written why not; those whose account has no room go back. */
static void
plan_lane(struct claim *c)
{
	struct choose_params p = {
		.page = c->page,
		.health = c->spooler->health,
		.gate = c->spooler->gate,
		.channel = (enum channel)c->key->lane,
		.now_ms = clock_agreed_ms(),
	};
	struct delivery_list *list = &c->deliveries;
	struct delivery *d;
	struct choice choice;
	size_t i, kept = 0;

	c->returned = arena_zalloc(c->job.a, list->count, sizeof(*d));
	for (i = 0; i < list->count; i++) {
		d = &list->list[i];
		p.delivery = d->id;
		p.test = d->notification->test;
		p.address = d->address;
		p.failovers = d->failovers;
		choice = choose_provider(&p);
		d->provider = choice.provider;
		d->others = choice.others;
		if (claim_start_of(c, d).reason != NULL) {
			d->attempt = 0;
			d->provider = NULL;
		} else if (must_return(c, d, choice.shut)) {
			c->returned[c->returned_count++] = *d;
			continue;
		}
		list->list[kept++] = *d;
	}
	list->count = kept;
}

static void
write_lane(struct claim *c, struct db_batch *b)
{
	plan_lane(c);
	if (c->deliveries.count > 0)
		deliver_write_add(c->job.a, b, c->tenant, &c->id,
		    c->deliveries.list, c->deliveries.count);
	if (c->returned_count > 0)
		deliver_return_add(c->job.a, b, c->tenant, c->returned,
		    c->returned_count);
}

/* What the deliveries from "first" on write of their recipients, once for each. */
static size_t
recipient_bytes(const struct delivery_list *list, size_t first)
{
	size_t bytes = 0;

	for (; first < list->count; first++)
		if (list->list[first].recipient != NULL)
			bytes += strlen(list->list[first].recipient);
	return bytes;
}

static void
unplan(struct claim *c)
{
	size_t i;

	for (i = 0; i < c->deliveries.count; i++)
		door_leave(c->spooler, &c->deliveries.list[i]);
	c->deliveries.count = 0;
}

/* Plans all notifications of the claim.  False when they are too much for one write: they
 * are to be claimed one by one.  One that is too much alone is dead. */
static bool
plan_route(struct claim *c, const struct route_params *params)
{
	size_t i, first, bytes = 0;

	for (i = 0; i < c->count; i++) {
		if (c->n[i].state != NOTIFICATION_ACCEPTED)
			continue;
		if (claim_parks(c, &c->n[i], params->users))
			continue;
		first = c->deliveries.count;
		crash_working_on(c->tenant, &c->n[i].id, NULL);
		route_plan(c->job.a, params, &c->n[i], &c->deliveries);
		bytes += recipient_bytes(&c->deliveries, first);
		if (bytes > SEVERAL_BYTES_MAX && c->count > 1)
			return false;
		if (bytes > ALONE_BYTES_MAX) {
			unplan(c);
			c->n[i].corrupt = "what is known of its recipients is "
			                  "more than 30 MB, once for each delivery";
			route_plan(c->job.a, params, &c->n[i], &c->deliveries);
		}
	}
	return true;
}

static bool
write_route(struct claim *c, struct db_batch *b)
{
	struct prefix_limit prefixes = prefix_limit_of(c->spooler->config,
	    c->spooler->limits, c->tenant, &c->page->rules);
	struct route_params params = {
		.tenant = c->tenant,
		.prefixes = &prefixes,
		.page = c->page,
		.recipients = c->recipients,
		.suppressed = c->suppressed,
		.devices = c->devices,
		.room = (size_t)(c->promised +
		    share_room(c->spooler->shares, c->share)),
		.deferred = c->key->prio >= PRIORITY_COUNT,
		.health = c->spooler->health,
		.gate = c->spooler->gate,
		.account_delay_ms = c->spooler->config->retry_account_delay,
		.now_ms = clock_agreed_ms(),
	};
	bool fits;

	params.users = js_keep(c->job.a, json_object());
	c->returned = arena_zalloc(c->job.a, c->count, sizeof(*c->returned));
	fits = plan_route(c, &params);
	crash_idle();
	if (!fits) {
		unplan(c);
		c->returned_count = 0;
		c->key->careful = (int)c->count;
		c->key->marked = true;
		return false;
	}
	if (c->returned_count > 0)
		deliver_return_add(c->job.a, b, c->tenant, c->returned,
		    c->returned_count);
	route_write_add(c->job.a, b, c->tenant, &c->id, &c->deliveries);
	route_routed_add(c->job.a, b, c->tenant, c->n, c->count,
	    &c->deliveries);
	return true;
}

/* Lets the rows be: as if they had not been claimed. */
static void
let_be(struct claim *c)
{
	c->stage = CLAIM_END;
	c->gives_back = c->gives_back || c->count > 0;
	pool_continue(c->spooler->pool, &c->job,
	    db_batch_new(c->job.a, c->tenant, DB_ROLLBACK));
}

static bool
is_put_off(const struct claim *c)
{
	size_t i;

	for (i = 0; i < c->returned_count; i++)
		if (c->returned[i].put_off_ms > 0)
			return true;
	return false;
}

/* The queue has them again, and does not pay for them. */
static void
give_back(struct claim *c)
{
	int count = (int)c->returned_count;

	door_gate(c->spooler, c->key);
	keys_charge(c->key, -count);
	if (c->key->prio >= PRIORITY_COUNT)
		shares_promoted(c->spooler->shares, c->tenant, count);
}

static void
write(struct claim *c)
{
	struct db_batch *b =
	    db_batch_new(c->job.a, c->tenant, DB_COMMIT);
	int leased = 0;
	size_t i;

	if (c->key->lane != LANE_ROUTE) {
		write_lane(c, b);
	} else if (!write_route(c, b)) {
		let_be(c);
		return;
	}
	c->gives_back = c->returned_count > 0;
	if (c->returned_count > 0 && c->key->lane != LANE_ROUTE)
		give_back(c);
	if (c->returned_count == c->count && c->returned_count > 0 &&
	    !is_put_off(c)) {
		let_be(c);
		return;
	}
	for (i = 0; i < c->deliveries.count; i++)
		leased += c->deliveries.list[i].lease_no > 0;
	if (leased > (int)c->count) /* one notification, many deliveries */
		keys_charge(c->key, leased - (int)c->count);
	keep_promise(c);
	claim_count(c, leased);
	c->stage = CLAIM_WRITE;
	pool_continue(c->spooler->pool, &c->job, b);
}

/* ---- After the commit -------------------------------------------------------------- */

static void
count_states(const struct claim *c)
{
	const struct delivery *d;
	size_t i;

	for (i = 0; i < c->deliveries.count; i++) {
		d = &c->deliveries.list[i];
		if (d->lease_no == 0 && d->state == DELIVERY_SKIPPED)
			metrics_add(METRIC_DELIVERIES_TOTAL, 3, 1);
		else if (d->lease_no == 0 && d->state == DELIVERY_DEAD)
			metrics_add(METRIC_DELIVERIES_TOTAL, 2, 1);
		else if (d->state == DELIVERY_READY)
			keys_mark(c->spooler->keys, c->tenant, d->channel,
			    d->prio);
	}
}

static void
committed(struct claim *c)
{
	size_t i, count = c->deliveries.count;

	metrics_add(METRIC_CLAIMS_TOTAL, c->key->lane,
	    (int64_t)(c->count - c->returned_count));
	metrics_add(METRIC_RETURNED_TOTAL, 0, (int64_t)c->returned_count);
	if (c->key->lane == LANE_ROUTE)
		count_states(c);
	if (c->page->webhooks)
		webhooks_wake(c->spooler->webhooks);
	for (i = 0; i < count; i++)
		c->holds += c->deliveries.list[i].lease_no > 0;
	for (i = 0; i < count; i++)
		if (c->deliveries.list[i].lease_no > 0)
			claim_go(c, &c->deliveries.list[i]);
}

/* ---- Reading and loading ---------------------------------------------------------- */

/* The row of the queue that was refused when it was claimed alone is given up. */
static void
condemn(const struct claim *c, const struct uuid *id, struct notification *n)
{
	if (uuid_cmp(&c->key->condemned, id) == 0)
		n->corrupt = "it is damaged: the database refused what was to "
		             "become of it";
}

static void
read_rows(struct claim *c, const struct db_rows *rows)
{
	size_t count = (size_t)db_count(rows), i;
	struct notification *n;
	struct delivery *d;

	c->n = arena_zalloc(c->job.a, count, sizeof(*c->n));
	c->count = count;
	for (i = 0; i < count; i++) {
		notification_from_row(c->job.a, rows, (int)i, &c->n[i]);
		if (c->key->lane != LANE_ROUTE)
			continue;
		condemn(c, &c->n[i].id.u, &c->n[i]);
		if (c->n[i].crashes >= c->spooler->config->spooler_crashes_max)
			c->n[i].corrupt = "quarantined: spoolers crashed while "
			                  "they routed it";
	}
	if (c->key->lane == LANE_ROUTE)
		return;
	c->deliveries.list = arena_zalloc(c->job.a, count, sizeof(*d));
	for (i = 0; i < count; i++) {
		n = &c->n[i];
		d = &c->deliveries.list[c->deliveries.count];
		delivery_from_row(rows, (int)i, n, d);
		condemn(c, &d->id.u, n);
		d->channel = (enum channel)c->key->lane;
		d->prio = c->key->prio;
		/* Cancelled or finished in the meantime: only its row goes. */
		if (d->state == 0 ||
		    delivery_move_is_legal((int)d->state, DELIVERY_SENDING))
			c->deliveries.count++;
	}
}

/* Holds the templates that the book has; notes those that it has not. */
static void
find_templates(struct claim *c)
{
	size_t i;

	c->load_templates_count = 0;
	for (i = 0; i < c->count; i++) {
		if (c->n[i].corrupt != NULL || c->n[i].template != NULL)
			continue;
		if (book_template(c->spooler->book, c->tenant, &c->n[i]) !=
		    0)
			continue;
		if (c->load_templates_count < TEMPLATES_PER_LOAD)
			c->load_templates[c->load_templates_count++] = i;
	}
}

/* Loads what is missing; false when nothing is. */
static bool
load(struct claim *c)
{
	struct db_batch *b =
	    db_batch_new(c->job.a, c->tenant, DB_CONTINUE);
	size_t i;

	find_templates(c);
	if (c->load_page)
		book_page_add(b, c->tenant);
	if (c->load_recipients)
		route_recipients_add(c->job.a, b, c->tenant, c->n,
		    c->count);
	if (c->load_suppressed)
		route_suppressed_add(c->job.a, b, c->tenant, c->n,
		    c->count);
	for (i = 0; i < c->load_templates_count; i++)
		book_template_add(b, c->tenant,
		    &c->n[c->load_templates[i]]);
	if (db_batch_size(b) == 0)
		return false;
	c->stage = CLAIM_LOAD;
	pool_continue(c->spooler->pool, &c->job, b);
	return true;
}

static void
loaded(struct claim *c, struct db_rows **rows)
{
	size_t i;

	if (c->load_page) {
		c->page = book_page_read(c->spooler->book, c->tenant,
		    c->generation, rows);
		c->load_page = false;
		rows += BOOK_PAGE_QUERIES;
	}
	if (c->load_recipients) {
		c->recipients = rows[0];
		c->devices = rows[1];
		rows += ROUTE_RECIPIENT_QUERIES;
		c->load_recipients = false;
	}
	if (c->load_suppressed) {
		c->suppressed = *rows++;
		c->load_suppressed = false;
	}
	for (i = 0; i < c->load_templates_count; i++)
		if (book_template_read(c->spooler->book, c->tenant,
		        &c->n[c->load_templates[i]], *rows++) == -1)
			log_error(NULL, "template cannot be used",
			    LF_INT("tenant_id", c->tenant.n),
			    LF_STR("reason",
			        c->n[c->load_templates[i]].corrupt));
}

/* How long work may gather until the next claim of a queue that is empty now: the more
 * this one brought, the longer. */
static int64_t
gather_ms(const struct claim *c)
{
	int64_t most = c->spooler->config->spooler_claim_spacing;

	return (int64_t)c->count < most ? (int64_t)c->count : most;
}

/* What a spooler has crashed with goes on its way alone, and nothing else that is
 * suspected with it: so the next crash tells which one it was.  False when the rows must
 * be claimed again for that, one by one, or when the suspect before is over. */
static bool
suspects_may_go(struct claim *c)
{
	struct spooler *sp = c->spooler;
	struct delivery *d;
	int suspects = 0;
	size_t i;

	for (i = 0; i < c->deliveries.count; i++) {
		d = &c->deliveries.list[i];
		suspects += d->crashes > 0;
	}
	if (suspects == 0)
		return true;
	c->key->marked = true;
	if (c->count > 1) {
		c->key->careful = (int)c->count;
		return false;
	}
	if (sp->suspects > 0) {
		c->key->careful++;
		c->key->pause_until_ms = clock_mono_ms() + SUSPECT_MS;
		return false;
	}
	d = &c->deliveries.list[0];
	crash_suspect(c->tenant, &d->notification->id, &d->id);
	sp->suspects++;
	c->suspect = true;
	return true;
}

/* It pays for what it got. */
static void
charge(struct claim *c)
{
	int count = (int)c->count;

	keys_charge(c->key, count - c->asked);
	if (c->key->prio >= PRIORITY_COUNT &&
	    share_claimed_promoted(c->share, count, !c->key->full))
		c->spooler->next_promote_ms = 0;
}

/* Is the notification of a row not among the fresh ones? */
static bool
is_older(const struct claim *c, const struct db_rows *rows)
{
	int i, n = db_count(rows);

	for (i = 0; i < n && !c->old; i++)
		if (db_is_null(rows, i, 1))
			return true;
	return false;
}

/* The rows are claimed again, and from now on looked for everywhere. */
static void
claim_older(struct claim *c)
{
	c->key->old = true;
	keys_charge(c->key, -c->asked);
	c->gives_back = true;
	let_be(c);
}

static void
claimed(struct claim *c, struct db_rows **rows)
{
	struct key *key = c->key;
	size_t i;

	c->generation = db_count(rows[0]) > 0 ? db_int(rows[0], 0, 0) : 0;
	if (db_count(rows[1]) > 0)
		c->from_ms =
		    db_time_ms(rows[1], 0, 15) - LOW_WATER_MARGIN_MS;
	if (is_older(c, rows[1])) {
		claim_older(c);
		return;
	}
	read_rows(c, rows[1]);
	if (key->careful > 0)
		key->careful = c->count > 0 ? key->careful - 1 : 0;
	if ((int)c->count < c->asked && key->marks == c->marks)
		key->marked = false;
	key->full = (int)c->count == c->asked;
	if (!key->full)
		key->pause_until_ms = c->started_us / 1000 + gather_ms(c);
	charge(c);
	if (c->count == 0 || !suspects_may_go(c)) {
		let_be(c);
		return;
	}
	key->last_work_ms = clock_mono_ms();
	if (key->lowered == c->lowered)
		key->low_water_ms = c->from_ms;
	c->load_templates =
	    arena_zalloc(c->job.a, TEMPLATES_PER_LOAD, sizeof(size_t));
	c->page = book_page(c->spooler->book, key->tenant, c->generation);
	c->load_page = c->page == NULL;
	for (i = 0; i < c->count && key->lane == LANE_ROUTE; i++)
		c->load_recipients |= c->n[i].user_ids != NULL;
	c->load_suppressed = key->lane == LANE_ROUTE &&
	    db_bool(rows[0], 0, 1);
	if (!load(c))
		write(c);
}

/* The answer to COMMIT was lost: should the leases be there, they are handed back.  Should
 * they come yet, express.c finds them. */
static void
hand_back_doubtful(struct claim *c, const struct delivery *d)
{
	struct result *r =
	    settler_result(c->spooler->settler, c->tenant);

	settle_handed_back(r, d, "the connection to the database was lost");
	r->tenant = c->tenant;
	r->spooler = c->id;
	r->doubtful = true;
}

/* A value was refused, which no waiting will change.  Anything else that cannot be
 * repeated is a fault of ours and not of the rows. */
static bool
is_damaged(const struct claim *c, const struct err *e)
{
	return c->stage == CLAIM_WRITE && !db_violates(e, "legal_move") &&
	    (e->kind == ERR_UNPROCESSABLE || e->kind == ERR_CONFLICT);
}

static bool
is_condemned(const struct claim *c)
{
	const struct uuid *id = c->key->lane == LANE_ROUTE
	    ? &c->n[0].id.u
	    : &c->deliveries.list[0].id.u;

	return c->count == 1 && uuid_cmp(&c->key->condemned, id) == 0;
}

static void
isolate(struct claim *c, const struct err *e)
{
	struct key *key = c->key;
	char id[UUID_TEXT_BYTES];

	if (c->count > 1) {
		key->careful = (int)c->count;
		return;
	}
	uuid_format(&c->n[0].id.u, id);
	log_error(NULL, "row is damaged", LF_INT("tenant_id", key->tenant.n),
	    LF_STR("notification", id), LF_ERR(e));
	key->condemned = c->key->lane == LANE_ROUTE ? c->n[0].id.u
						    : c->deliveries.list[0].id.u;
	key->careful++;
}

static void
failed(struct claim *c, const struct err *e)
{
	struct delivery *d;
	size_t i;

	c->key->marked = true;
	c->gives_back = true;
	if (db_violates(e, "legal_move"))
		log_info(NULL, "claim repeated: something was cancelled meanwhile",
		    LF_INT("tenant_id", c->tenant.n));
	else
		spooler_trouble(c->spooler, "claim failed", e);
	if (is_damaged(c, e) && !is_condemned(c))
		isolate(c, e);
	else
		c->key->pause_until_ms = clock_mono_ms() + PAUSE_MS;
	if (c->stage == CLAIM_WRITE && e->kind == ERR_UNCERTAIN)
		express_doubt(c->spooler);
	for (i = 0; c->stage == CLAIM_WRITE && i < c->deliveries.count; i++) {
		d = &c->deliveries.list[i];
		door_leave(c->spooler, d);
		if (d->lease_no == 0)
			continue;
		claim_count(c, -1);
		if (e->kind == ERR_UNCERTAIN)
			hand_back_doubtful(c, d);
	}
	end(c);
}

static void
step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct claim *c = (struct claim *)job;
	struct keys *keys = c->spooler->keys;
	struct key *key = c->key;

	if (e != NULL) {
		failed(c, e);
		return;
	}
	switch (c->stage) {
	case CLAIM_ROWS:
		claimed(c, rows); /* the connection may be lost, and the claim gone */
		keys_update(keys, key);
		return;
	case CLAIM_LOAD:
		loaded(c, rows);
		if (!load(c))
			write(c);
		return;
	case CLAIM_WRITE:
		committed(c);
		end(c);
		return;
	case CLAIM_END:
		end(c);
		return;
	}
}

/* The ids that a claim looks for, from the first to below the last. */
static void
add_span(struct claim *c, struct db_batch *b)
{
	struct uuid from = uuid_floor(0), to = uuid_floor(UUID_LAST_MS);
	int64_t now_ms = clock_agreed_ms();

	c->old = c->key->old || c->key->prio >= PRIORITY_COUNT;
	if (!c->old) {
		from = uuid_floor(now_ms - FRESH_MS);
		to = uuid_floor(now_ms + FRESH_MS);
	}
	db_arg_uuid(b, &from);
	db_arg_uuid(b, &to);
}

void
claim_start(struct spooler *sp, struct key *key, int rows)
{
	int most = key->lane == LANE_ROUTE ? rows : door_room(sp, key);
	struct arena *a;
	struct claim *c;
	struct db_batch *b;

	if (most == 0)
		return;
	if (rows > most)
		rows = most;
	a = arena_new(CHUNK_BYTES);
	c = arena_object(a, struct claim);
	b = db_batch_new(a, key->tenant, DB_BEGIN);
	c->job.a = a;
	c->job.step = step;
	claim_enter(c, sp, key->tenant);
	c->key = key;
	c->marks = key->marks;
	c->started_us = clock_mono_us();
	c->asked = key->careful > 0 ? 1 : rows;
	c->promised = c->asked;
	share_hold(sp->shares, c->share, c->promised);
	keys_charge(key, c->asked);
	key->promised += c->promised;
	db_add(b, Q_GENERATION_GET);
	db_arg_int(b, key->tenant.n);
	db_add(b, key->lane == LANE_ROUTE ? Q_CLAIM_ROUTE : Q_CLAIM_LANE);
	db_arg_int(b, key->tenant.n);
	if (key->lane != LANE_ROUTE)
		db_arg_int(b, key->lane);
	db_arg_int(b, key->prio);
	c->from_ms = keys_low_water_ms(sp->keys, key);
	c->lowered = key->lowered;
	db_arg_time_ms(b, c->from_ms);
	db_arg_int(b, c->asked);
	add_span(c, b);
	key->claims++;
	key->holds++;
	keys_update(sp->keys, key);
	sp->claims++;
	pool_submit(sp->pool, &c->job, b);
}
