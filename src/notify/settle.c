/*
 * settle.c - the last station: outcomes are written, many at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/settle.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "db/db.h"
#include "db/week.h"
#include "model/suppression.h"
#include "notify/health.h"
#include "provider/provider.h"

static void
begin(struct result *r, const struct delivery *d)
{
	*r = (struct result){
		.a = r->a,
		.notification = d->notification->id,
		.delivery = d->id,
		.channel = d->channel,
		.later = LATER_NOT,
		.lease_no = d->lease_no,
		.attempt = d->attempt,
	};
}

/* Moves through the one table of legal moves; every leased delivery is sending. */
static void
end(struct result *r, enum delivery_state state)
{
	r->state = DELIVERY_SENDING;
	delivery_move(&r->state, state);
}

/* Where no receipts come, that it was sent is the best that can be known. */
static enum told
told_by(const struct provider *pr, const struct verdict *v,
    const struct outcome *o)
{
	if (o->state == DELIVERY_DELIVERED)
		return TOLD_DELIVERED;
	return o->state == DELIVERY_SENT && o->later == LATER_NOT &&
	        !pr->ops->reports && !v->reported
	    ? TOLD_DELIVERED
	    : TOLD_NOTHING;
}

/* What the delivery's trace gets of it: only what its attempts do not tell. */
static void
note_outcome(struct result *r, const struct delivery *d, const struct verdict *v,
    const struct outcome *o)
{
	const char *why = verdict_name(v->class);

	if (o->because != NULL)
		trace_note(r->note, "end", delivery_state_name((int)o->state),
		    o->because);
	else if (o->state == DELIVERY_READY && o->failover)
		trace_note(r->note, "failover", d->provider->name, why);
	else if (o->later == LATER_ACCOUNT)
		trace_note(r->note, "wait", "for an account", why);
	else if (o->later == LATER_HELD)
		trace_note(r->note, "wait", "for a receipt",
		    "it is not known whether it went out");
	else if (o->later == LATER_RECEIPT)
		trace_note(r->note, "wait", "for a receipt",
		    "or the next account sends it");
}

void
settle_attempt(struct result *r, const struct delivery *d,
    const struct verdict *v, const struct retry_policy *policy, uint32_t random)
{
	int64_t now_ms = clock_agreed_ms();
	struct decide_attempt attempt = {
		.verdict = v,
		.counted = d->counted,
		.age_ms = now_ms - d->aged_from_ms,
		.random = random,
		.others = d->others,
		.expires_in_ms = expires_in(d->notification->expires_ms, now_ms),
		.spared = d->spared,
	};
	struct outcome o = decide_outcome(policy, &attempt);
	size_t n;

	begin(r, d);
	end(r, o.state);
	r->told = told_by(d->provider, v, &o);
	note_outcome(r, d, v, &o);
	r->provider = d->provider->id;
	r->owner = d->provider->owner;
	r->account = d->provider->account;
	r->delay_ms = o.delay_ms;
	r->later = o.later;
	r->failover = o.failover;
	r->counted = o.counted;
	r->verdict = *v;
	if (v->entry != NULL)
		r->verdict.entry = arena_strdup(r->a, v->entry);
	n = strlen(r->verdict.text);
	if (o.because != NULL && n + strlen(o.because) + 3 <
	        sizeof(r->verdict.text)) {
		memcpy(r->verdict.text + n, n > 0 ? "; " : "", n > 0 ? 3 : 1);
		strncat(r->verdict.text, o.because,
		    sizeof(r->verdict.text) - n - 3);
	}
}

void
settle_unsent(struct result *r, const struct delivery *d,
    enum delivery_state state, const char *reason)
{
	begin(r, d);
	end(r, state);
	verdict_set(&r->verdict, VERDICT_NONE, "", reason);
	if (state == DELIVERY_WAITING)
		trace_note(r->note, "wait", delivery_state_name((int)state),
		    reason);
	if (d->attempt > 0 && state == DELIVERY_DEAD)
		r->verdict.class = VERDICT_BAD_MESSAGE;
}

void
settle_handed_back(struct result *r, const struct delivery *d,
    const char *reason)
{
	begin(r, d);
	end(r, DELIVERY_READY);
	verdict_set(&r->verdict, VERDICT_NONE, "", reason);
}

void
settle_least(struct result *r)
{
	enum verdict_class class = r->verdict.class;

	if (!delivery_state_is_final((int)r->state)) {
		r->state = DELIVERY_DEAD;
		if (class == VERDICT_NONE && r->attempt > 0)
			class = VERDICT_BAD_MESSAGE;
	}
	r->later = LATER_NOT;
	r->delay_ms = 0;
	r->failover = false;
	r->told = TOLD_NOTHING;
	r->counted = 0;
	r->note[0] = '\0';
	verdict_set(&r->verdict, class, "",
	    "the database refused what came of it");
}

/* The columns of query "settle", in its order. */
enum column {
	SPOOLER,
	NOTIFICATION,
	DELIVERY,
	LEASE_NO,
	ATTEMPT,
	CLASS,
	STATE,
	DELAY_MS,
	CODE,
	TEXT,
	PROVIDER_REF,
	COUNTED,
	EVENT,
	LATER,
	FAILOVER,
	TOLD,
	NOTE,
	COLUMNS
};

static void
text_or_null(struct db_array *v, const char *s)
{
	db_array_text(v, s[0] != '\0' ? s : NULL);
}

static void
add_result(struct db_array *v[COLUMNS], const struct result *r)
{
	struct uuid event;

	db_array_uuid(v[SPOOLER], &r->spooler);
	db_array_uuid(v[NOTIFICATION], &r->notification.u);
	db_array_uuid(v[DELIVERY], &r->delivery.u);
	db_array_int(v[LEASE_NO], r->lease_no);
	db_array_int(v[ATTEMPT], r->attempt);
	if (r->verdict.class == VERDICT_NONE)
		db_array_null(v[CLASS]);
	else
		db_array_int(v[CLASS], r->verdict.class);
	db_array_int(v[STATE], r->state);
	db_array_int(v[DELAY_MS], r->delay_ms);
	text_or_null(v[CODE], r->verdict.code);
	text_or_null(v[TEXT], r->verdict.text);
	text_or_null(v[PROVIDER_REF], r->verdict.provider_ref);
	db_array_int(v[COUNTED], r->counted);
	db_array_int(v[LATER], r->later);
	db_array_int(v[FAILOVER], r->failover);
	db_array_int(v[TOLD], r->told);
	text_or_null(v[NOTE], r->note);
	if (r->attempt == 0) {
		event = uuid_make();
		db_array_uuid(v[EVENT], &event);
	} else {
		db_array_null(v[EVENT]);
	}
}

/* What the answers say of addresses. */
static void
add_suppressed(struct arena *a, struct db_batch *b, const struct result *first)
{
	struct suppression_notes *notes = suppression_notes_new(a);
	struct suppression_note note;
	const struct result *r;

	for (r = first; r != NULL; r = r->next) {
		if (r->verdict.suppress == SUPPRESSION_NONE)
			continue;
		note = (struct suppression_note){
			.notification = r->notification,
			.delivery = r->delivery,
			.reason = r->verdict.suppress,
			.source = "provider",
			.code = r->verdict.code,
		};
		if (r->verdict.for_sender)
			note.provider = r->provider;
		suppression_notes_take(notes, &note);
	}
	suppression_notes_add(b, first->tenant, notes);
}

/* Entries of the inbox go before their leases. */
static void
add_entries(struct arena *a, struct db_batch *b, const struct result *first)
{
	struct db_array *v[5];
	const struct result *r;
	size_t i, count = 0;

	for (r = first; r != NULL; r = r->next)
		count += r->verdict.entry != NULL;
	if (count == 0)
		return;
	for (i = 0; i < NELEMS(v); i++)
		v[i] = db_array_new(a);
	for (r = first; r != NULL; r = r->next) {
		if (r->verdict.entry == NULL)
			continue;
		db_array_uuid(v[0], &r->spooler);
		db_array_uuid(v[1], &r->notification.u);
		db_array_uuid(v[2], &r->delivery.u);
		db_array_int(v[3], r->lease_no);
		db_array_text(v[4], r->verdict.entry);
	}
	db_add(b, Q_INBOX_ADD);
	db_arg_int(b, first->tenant.n);
	for (i = 0; i < NELEMS(v); i++)
		db_arg_array(b, v[i]);
}

/* Devices whose provider says that they are gone. */
static void
add_gone(struct arena *a, struct db_batch *b, const struct result *first)
{
	struct db_array *v[3] = { NULL };
	const struct result *r;
	size_t i;

	for (r = first; r != NULL; r = r->next) {
		if (!r->verdict.gone || r->channel != CHANNEL_PUSH)
			continue;
		for (i = 0; i < NELEMS(v) && v[i] == NULL; i++)
			v[i] = db_array_new(a);
		db_array_uuid(v[0], &r->notification.u);
		db_array_uuid(v[1], &r->delivery.u);
		db_array_int(v[2], r->attempt);
	}
	if (v[0] == NULL)
		return;
	db_add(b, Q_DEVICE_GONE);
	db_arg_int(b, first->tenant.n);
	for (i = 0; i < NELEMS(v); i++)
		db_arg_array(b, v[i]);
}

/* Of those that nobody knows about somebody may have known already. */
static void
add_held(struct arena *a, struct db_batch *b, const struct result *first,
    int week)
{
	struct db_array *v[2] = { NULL };
	const struct result *r;
	size_t i;

	for (r = first; r != NULL; r = r->next) {
		if (r->state != DELIVERY_HELD)
			continue;
		for (i = 0; i < NELEMS(v) && v[i] == NULL; i++)
			v[i] = db_array_new(a);
		db_array_uuid(v[0], &r->notification.u);
		db_array_uuid(v[1], &r->delivery.u);
	}
	if (v[0] == NULL)
		return;
	db_add_weekly(b, Q_SETTLE_HELD, week);
	db_arg_int(b, first->tenant.n);
	for (i = 0; i < NELEMS(v); i++)
		db_arg_array(b, v[i]);
}

struct db_batch *
settle_batch(struct arena *a, const struct settle_params *p,
    const struct result *first, size_t *took_r, struct health_notes *notes_r)
{
	struct db_batch *b = db_batch_new(a, first->tenant, DB_ONE);
	struct db_array *v[COLUMNS];
	const struct result *r;
	int i, week = week_of(&first->notification.u);

	if (p->untold)
		db_batch_untold(b);
	for (i = 0; i < COLUMNS; i++)
		v[i] = db_array_new(a);
	for (r = first; r != NULL; r = r->next) {
		week = week_same(week, &r->notification.u);
		add_result(v, r);
	}
	add_entries(a, b, first);
	*took_r = db_batch_size(b);
	db_add_weekly(b, Q_SETTLE, week);
	db_arg_int(b, first->tenant.n);
	for (i = 0; i < COLUMNS; i++)
		db_arg_array(b, v[i]);
	add_held(a, b, first, week);
	notes_r->count = 0;
	if (p->bare)
		return b;
	add_suppressed(a, b, first);
	add_gone(a, b, first);
	health_note_add(p->health, a, b, first, p->park_after, notes_r);
	return b;
}

static bool
took(const struct db_rows *rows, const struct result *r)
{
	struct uuid id;
	int i;

	for (i = 0; i < db_count(rows); i++) {
		id = db_uuid(rows, i, 0);
		if (uuid_cmp(&id, &r->delivery.u) == 0)
			return true;
	}
	return false;
}

static void
add_late(struct db_array *v[9], const struct result *r)
{
	struct uuid event = uuid_make();

	db_array_uuid(v[0], &r->spooler);
	db_array_uuid(v[1], &r->notification.u);
	db_array_uuid(v[2], &r->delivery.u);
	db_array_uuid(v[3], &event);
	db_array_int(v[4], r->channel);
	db_array_int(v[5], r->attempt);
	if (r->verdict.class == VERDICT_NONE)
		db_array_null(v[6]);
	else
		db_array_int(v[6], r->verdict.class);
	text_or_null(v[7], r->verdict.code);
	text_or_null(v[8], r->verdict.text);
}

size_t
settle_late(struct arena *a, struct result *first,
    const struct db_rows *took_effect, struct db_batch **late_r)
{
	struct result *r;
	struct db_array *v[9];
	struct db_batch *b;
	size_t all = 0, late = 0;
	int i;

	for (r = first; r != NULL; r = r->next)
		all++;
	if (all == (size_t)db_count(took_effect))
		return 0;
	for (i = 0; i < 9; i++)
		v[i] = db_array_new(a);
	for (r = first; r != NULL; r = r->next) {
		r->doubtful |= took(took_effect, r);
		if (r->doubtful)
			continue;
		add_late(v, r);
		late++;
	}
	if (late == 0)
		return 0;
	b = db_batch_new(a, first->tenant, DB_ONE);
	db_add(b, Q_LATE_RESULTS);
	db_arg_int(b, first->tenant.n);
	for (i = 0; i < 9; i++)
		db_arg_array(b, v[i]);
	*late_r = b;
	return late;
}
