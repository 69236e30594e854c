/*
 * route.c - the second station: who is reached where
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who its recipients are is route_recipients.c, and what was planned is written by
 * route_write.c.
 */
#include "notify/route.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "db/db.h"
#include "model/suppression.h"
#include "model/template.h"
#include "notify/book.h"
#include "notify/choose.h"
#include "notify/decide.h"
#include "notify/fallback.h"
#include "notify/gate.h"
#include "notify/plan.h"
#include "notify/quiet.h"
#include "notify/trace.h"
#include "provider/provider.h"
#include "web/js.h"

enum { JSON_MAX = 64 << 20 };

/* The columns of claim_route and the first ones of claim_lane. */
enum column {
	ID,
	STATE,
	PRIORITY,
	TEMPLATE,
	TEMPLATE_VERSION,
	CATEGORY,
	LOCALE,
	CHANNELS,
	CONTENT,
	RECIPIENTS,
	DATA,
	EXPIRES,
	TRACEPARENT,
	CREATED,
	USER_IDS,
	DUE,
	FALLBACK,
	CRASHES,
	TEMPLATE_RELEASE,
	QUIET_EXEMPT,
	TEST,
	ATTACHES,
	TRACKING
};

void
notification_from_row(struct arena *a, const struct db_rows *rows, int row,
    struct notification *n_r)
{
	*n_r = (struct notification){
		.a = a,
		.id = { db_uuid(rows, row, ID) },
		.state = (enum notification_state)db_int(rows, row, STATE),
		.priority = priority_from_row(db_int(rows, row, PRIORITY)),
		.template_id = { db_uuid(rows, row, TEMPLATE) },
		.template_version = (int)db_int(rows, row, TEMPLATE_VERSION),
		.template_release = (int)db_int(rows, row, TEMPLATE_RELEASE),
		.category = db_text(rows, row, CATEGORY),
		.locale = db_text(rows, row, LOCALE),
		.channels = db_text(rows, row, CHANNELS),
		.content = db_text(rows, row, CONTENT),
		.recipients = db_text(rows, row, RECIPIENTS),
		.data = db_text(rows, row, DATA),
		.user_ids = db_text(rows, row, USER_IDS),
		.expires_ms = db_time_ms(rows, row, EXPIRES),
		.created_ms = db_time_ms(rows, row, CREATED),
		.traceparent = db_text(rows, row, TRACEPARENT),
		.fallback = db_text(rows, row, FALLBACK),
		.quiet_exempt = db_bool(rows, row, QUIET_EXEMPT),
		.test = db_bool(rows, row, TEST),
		.attaches = db_bool(rows, row, ATTACHES),
		.tracking = db_text(rows, row, TRACKING),
		.crashes = (int)db_int(rows, row, CRASHES),
	};
	if (n_r->state == 0)
		n_r->corrupt = "the notification itself is gone";
}

/* The address of a webhook or a chat is its account's: the receiver is told whom it is
 * about. */
static const char *
name_of(const json_t *to)
{
	static const char *const members[] = { "user_id", "email", "phone",
		"push_token" };
	const char *name = NULL;
	size_t i;

	for (i = 0; i < NELEMS(members) && name == NULL; i++)
		name = json_string_value(json_object_get(to, members[i]));
	return name;
}

static const char *
address_for(const json_t *to, enum channel channel)
{
	static const char *const members[CHANNEL_COUNT] = {
		[CHANNEL_EMAIL] = "email",
		[CHANNEL_SMS] = "phone",
		[CHANNEL_WHATSAPP] = "phone",
		[CHANNEL_INAPP] = "user_id",
		[CHANNEL_PUSH] = "push_token",
	};

	if (channel == CHANNEL_WEBHOOK || channel == CHANNEL_CHAT)
		return name_of(to);
	return members[channel] == NULL
	    ? NULL
	    : json_string_value(json_object_get(to, members[channel]));
}

/* ---- Plans ---------------------------------------------------------------------- */

static struct delivery *
add_delivery(struct arena *a, struct delivery_list *out)
{
	struct delivery *list;

	if (out->count == out->cap) {
		out->cap = out->cap > 0 ? out->cap * 2 : 64;
		list = arena_zalloc(a, out->cap, sizeof(*list));
		if (out->count > 0)
			memcpy(list, out->list, out->count * sizeof(*list));
		out->list = list;
	}
	return &out->list[out->count++];
}

static struct choice
choose(const struct plan *pl, enum channel channel, const char *address,
    struct delivery_id id)
{
	struct choose_params p = {
		.page = pl->params->page,
		.health = pl->params->health,
		.gate = pl->params->gate,
		.test = pl->n->test,
		.channel = channel,
		.address = address,
		.delivery = id,
		.now_ms = pl->params->now_ms,
	};

	return choose_provider(&p);
}

/* As after an attempt: it goes on when there is an account, or looks for one. */
static void
wait_for_account(const struct plan *pl, struct delivery *d)
{
	int64_t expires_ms = pl->n->expires_ms;

	d->due_ms = pl->params->now_ms + pl->params->account_delay_ms;
	if (expires_ms != 0 && d->due_ms > expires_ms)
		d->due_ms = expires_ms;
}

/* What was deferred before it was routed stays behind what is fresh. */
static int
queue_prio(const struct route_params *p, const struct notification *n)
{
	return n->priority + (p->deferred ? PRIORITY_COUNT : 0);
}

static bool
is_forbidden(const struct plan *pl, enum channel channel)
{
	return (pl->params->page->rules.forbidden & 1u << channel) != 0;
}

/* What hinders it, and what does not. */
static struct route_outcome
ask(struct plan *pl, struct delivery *d, const struct choice *choice)
{
	const struct notification *n = pl->n;
	int64_t now_ms = pl->params->now_ms;
	struct quiet quiet = quiet_now(pl->params->page, n, d->channel, pl->to,
	    now_ms);
	enum suppression_reason why = plan_suppressed(pl, d);
	struct decide_route question = {
		.channel = channel_name((int)d->channel),
		.expired = n->expires_ms != 0 && n->expires_ms <= now_ms,
		.is_forbidden = is_forbidden(pl, d->channel),
		.has_address = d->address != NULL,
		.has_part = (n->template->channels & 1u << d->channel) != 0,
		.has_provider = d->provider != NULL,
		.is_suppressed = why != SUPPRESSION_NONE,
		.has_room = pl->out->count <= pl->params->room,
		.quiet_ms = quiet.until_ms != 0 ? quiet.until_ms - now_ms : 0,
		.expires_in_ms = expires_in(n->expires_ms, now_ms),
	};
	struct route_outcome o = decide_route(&question);

	if (o.state != DELIVERY_SKIPPED && o.state != DELIVERY_EXPIRED &&
	    plan_is_too_many(pl, d->channel)) {
		question.is_too_many = true;
		o = decide_route(&question);
	}
	if (o.reason != NULL)
		d->reason = arena_printf(pl->a, o.reason, question.channel);
	if (why != SUPPRESSION_NONE && o.state == DELIVERY_SKIPPED)
		d->reason = arena_printf(pl->a, "%s: %s", d->reason,
		    suppression_reason_name((int)why));
	d->due_ms = quiet.until_ms;
	plan_trace_quiet(pl, &quiet);
	plan_trace_choice(pl, choice);
	return o;
}

static void
settle_plan(struct plan *pl, struct delivery *d, const struct route_outcome *o)
{
	d->state = o->state;
	d->later = o->later;
	if (o->state == DELIVERY_SENDING) {
		d->attempt = 1;
		d->lease_no = 1;
	}
	if (o->state != DELIVERY_WAITING)
		d->due_ms = 0;
	else if (o->later == LATER_ACCOUNT)
		wait_for_account(pl, d);
	if (o->reason != NULL)
		trace_add(&pl->trace, "state", delivery_state_name((int)o->state),
		    "%s", d->reason);
	d->trace = trace_text(&pl->trace);
}

/* It may start only with a place of its account. */
static bool
take_place(const struct plan *pl, struct delivery *d)
{
	struct gate *gate = pl->params->gate;
	struct guest *guest;

	if (gate == NULL)
		return true;
	guest = gate_guest(gate, d->provider);
	if (!gate_take(gate, guest, &d->from_us))
		return false;
	d->place = guest->place;
	return true;
}

static void
plan_address(struct plan *pl, enum channel channel, const char *address)
{
	struct notification *n = pl->n;
	struct delivery *d = add_delivery(pl->a, pl->out);
	const char *locale =
	    json_string_value(json_object_get(pl->to, "locale"));
	struct delivery_id id = { uuid_make() };
	struct choice choice = choose(pl, channel, address, id);
	struct route_outcome o;

	*d = (struct delivery){
		.notification = n,
		.id = id,
		.recipient_no = pl->recipient_no,
		.channel = channel,
		.prio = queue_prio(pl->params, n),
		.user_id = json_string_value(json_object_get(pl->to, "user_id")),
		.address = address,
		.recipient = pl->text,
		.locale = locale != NULL ? locale : n->locale,
		.created_ms = pl->params->now_ms,
		.aged_from_ms = pl->params->now_ms,
		.provider = choice.provider,
		.others = choice.others,
	};
	plan_trace_begin(pl, channel, choice.provider, pl->because);
	o = ask(pl, d, &choice);
	if (o.state == DELIVERY_SENDING && (pl->follows || !take_place(pl, d)))
		o.state = DELIVERY_READY;
	settle_plan(pl, d, &o);
}

/* The next one of a user's devices that a push goes to, from "at" on; -1 when there is
 * none: a token that was given stands for all.  What the tenant's service knows is counted
 * behind the rows of what is registered here. */
static int
next_device(const struct plan *pl, int at)
{
	const char *id = json_string_value(json_object_get(pl->to, "user_id"));
	const struct db_rows *rows = pl->params->devices;
	int count = rows != NULL ? db_count(rows) : 0;

	if (id == NULL || json_object_get(pl->to, "push_token") != NULL)
		return -1;
	for (; at < count; at++)
		if (strcmp(db_text(rows, at, 0), id) == 0)
			return at;
	return at < count + (int)json_array_size(pl->tokens) ? at : -1;
}

static const char *
device_token(const struct plan *pl, int at)
{
	const struct db_rows *rows = pl->params->devices;
	int count = rows != NULL ? db_count(rows) : 0;

	if (at < count)
		return db_text(rows, at, 1);
	return json_string_value(json_array_get(pl->tokens,
	    (size_t)(at - count)));
}

static bool
can_reach(const struct plan *pl, enum channel channel, const char *address)
{
	struct delivery_id any = { uuid_make() };

	return address != NULL &&
	    choose(pl, channel, address, any).provider != NULL;
}

/* Somebody to reach, and an account that can. */
static bool
is_possible(const struct plan *pl, enum channel channel)
{
	int row = channel == CHANNEL_PUSH ? next_device(pl, 0) : -1;

	if (row == -1)
		return can_reach(pl, channel, address_for(pl->to, channel));
	for (; row != -1; row = next_device(pl, row + 1))
		if (can_reach(pl, channel, device_token(pl, row)))
			return true;
	return false;
}

/* One delivery, or one for each device; devices of a sort that no account is for are
 * passed over when there are others. */
void
plan_channel(struct plan *pl, enum channel channel)
{
	int row = channel == CHANNEL_PUSH ? next_device(pl, 0) : -1;
	bool choosy = row != -1 && is_possible(pl, channel);
	const char *address;

	if (row == -1)
		plan_address(pl, channel, address_for(pl->to, channel));
	for (; row != -1; row = next_device(pl, row + 1)) {
		address = device_token(pl, row);
		if (!choosy || can_reach(pl, channel, address))
			plan_address(pl, channel, address);
	}
}

/* The channels that were asked for, each with its delivery whatever becomes of it. */
static void
plan_asked(struct plan *pl)
{
	const char *name = pl->n->channels;
	size_t len;

	pl->because = "asked for";
	for (; *name != '\0'; name += len + (name[len] == ',')) {
		len = strcspn(name, ",");
		plan_channel(pl,
		    channel_parse(arena_strndup(pl->a, name, len)));
	}
}

/* Why a channel is left out that nobody asked for by name; NULL: it is not. */
static const char *
left_out(const struct plan *pl, enum channel channel)
{
	if (is_forbidden(pl, channel))
		return "not allowed";
	if (is_possible(pl, channel))
		return NULL;
	return address_for(pl->to, channel) == NULL &&
	        (channel != CHANNEL_PUSH || next_device(pl, 0) == -1)
	    ? "no address"
	    : "no account";
}

/* "possible; not sms (no address), push (no account)" */
static const char *
because_possible(const struct plan *pl)
{
	struct buf *text = buf_new(pl->a, 1024);
	unsigned has = pl->n->template->channels;
	const char *why, *before = "; not ";
	int channel;

	buf_puts(text, "possible");
	for (channel = CHANNEL_NONE + 1; channel < CHANNEL_COUNT; channel++) {
		if ((has & 1u << channel) == 0)
			continue;
		why = left_out(pl, (enum channel)channel);
		if (why == NULL)
			continue;
		buf_printf(text, "%s%s (%s)", before, channel_name(channel), why);
		before = ", ";
	}
	return text->data;
}

/* Every channel that is possible; when there is none, the first one says why. */
static void
plan_possible(struct plan *pl)
{
	unsigned has = pl->n->template->channels;
	int channel, first = CHANNEL_NONE, planned = 0;

	pl->because = because_possible(pl);
	for (channel = CHANNEL_NONE + 1; channel < CHANNEL_COUNT; channel++) {
		if ((has & 1u << channel) == 0)
			continue;
		if (first == CHANNEL_NONE)
			first = channel;
		if (left_out(pl, (enum channel)channel) != NULL)
			continue;
		plan_channel(pl, (enum channel)channel);
		planned++;
	}
	if (planned > 0)
		return;
	pl->because = "none is possible";
	plan_channel(pl, first != CHANNEL_NONE ? (enum channel)first
	                                       : CHANNEL_EMAIL);
}

/* A notification that cannot be worked on still shows what became of it. */
static void
plan_corrupt(struct arena *a, struct notification *n, struct delivery_list *out,
    int64_t now_ms)
{
	struct delivery *d = add_delivery(a, out);

	*d = (struct delivery){
		.notification = n,
		.id = { uuid_make() },
		.channel = CHANNEL_EMAIL,
		.state = DELIVERY_DEAD,
		.prio = n->priority,
		.recipient = "{}",
		.reason = n->corrupt,
		.created_ms = now_ms,
	};
}

/* What is wrong with a row that should have been checked before it was written. */
static const char *
fault_of(struct arena *a, const struct notification *n,
    const json_t *recipients, struct fallback *fallback_r)
{
	const char *name = n->channels;
	struct err e;
	size_t len;

	if (!json_is_array(recipients) || json_array_size(recipients) == 0)
		return "its recipients cannot be read";
	if (n->fallback != NULL &&
	    fallback_read(a, plan_parse(a, n->fallback), fallback_r, &e) == -1)
		return "its fallback order cannot be read";
	if (name == NULL)
		return NULL;
	for (;; name += len + 1) {
		len = strcspn(name, ",");
		if (channel_parse(arena_strndup(a, name, len)) == CHANNEL_NONE)
			return "its channels cannot be read";
		if (name[len] == '\0')
			return NULL;
	}
}

void
route_plan(struct arena *a, const struct route_params *p,
    struct notification *n, struct delivery_list *out)
{
	struct plan pl = { .a = a, .params = p, .n = n, .out = out };
	json_t *recipients = plan_parse(a, n->recipients), *tokens;
	const json_t *given;
	struct buf *text;
	struct fallback fallback = { .count = 0 };
	size_t i;

	if (n->corrupt == NULL)
		n->corrupt = fault_of(a, n, recipients, &fallback);
	if (n->corrupt != NULL) {
		plan_corrupt(a, n, out, p->now_ms);
		return;
	}
	for (i = 0; i < json_array_size(recipients); i++) {
		pl.recipient_no = (int)i;
		pl.to = json_array_get(recipients, i);
		pl.tokens = NULL;
		given = json_object_get(pl.to, "phone");
		tokens = plan_fill(a, pl.to, p);
		pl.number = given == NULL && p->prefixes != NULL
		    ? address_for(pl.to, CHANNEL_SMS)
		    : NULL;
		pl.is_counted = false;
		if (next_device(&pl, 0) == -1)
			pl.tokens = tokens;
		text = buf_new(a, JSON_MAX);
		js_write(text, pl.to);
		pl.text = text->data;
		if (fallback.count > 0)
			plan_steps(&pl, &fallback);
		else if (n->channels != NULL)
			plan_asked(&pl);
		else
			plan_possible(&pl);
	}
}
