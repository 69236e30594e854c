/*
 * route_write.c - what was planned, as rows
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/route.h"

#include "base/arena.h"
#include "db/db.h"
#include "db/week.h"
#include "notify/choose.h"
#include "notify/decide.h"
#include "notify/state.h"
#include "provider/provider.h"

/* The arrays of query "route_write", in its order. */
enum { WRITE_COLUMNS = 21 };

/* What only a step that follows another has. */
static void
write_follower(struct db_array *after, struct db_array *unless,
    const struct delivery *d)
{
	if (d->state != DELIVERY_WAITING || d->later != LATER_NOT) {
		db_array_null(after);
		db_array_null(unless);
		return;
	}
	if (d->after_ms < 0)
		db_array_null(after);
	else
		db_array_int(after, d->after_ms);
	db_array_int(unless, d->unless);
}

static int64_t
expiry_ms(const struct delivery *d)
{
	return d->notification->corrupt == NULL ? d->notification->expires_ms
	                                        : 0;
}

static const struct uuid *
provider_of(const struct delivery *d)
{
	return d->provider != NULL ? &d->provider->id.u : NULL;
}

static const struct uuid *
next_of(const struct delivery *d)
{
	return uuid_is_nil(&d->next.u) ? NULL : &d->next.u;
}

static void
write_row(struct db_array *v[WRITE_COLUMNS], const struct delivery *d)
{
	struct uuid event;
	int i = 0;

	db_array_uuid(v[i++], &d->notification->id.u);
	db_array_uuid(v[i++], &d->id.u);
	db_array_int(v[i++], d->recipient_no);
	db_array_int(v[i++], d->channel);
	db_array_int(v[i++], d->state);
	db_array_int(v[i++], d->prio);
	db_array_text(v[i++], d->user_id);
	db_array_text(v[i++], d->address);
	db_array_text(v[i++], d->recipient);
	db_array_text(v[i++], d->locale);
	db_array_uuid(v[i++], provider_of(d));
	db_array_text(v[i++], d->reason);
	db_array_time_ms(v[i++], expiry_ms(d));
	if (delivery_state_is_final((int)d->state) ||
	    d->state == DELIVERY_WAITING) {
		event = uuid_make();
		db_array_uuid(v[i++], &event);
	} else {
		db_array_null(v[i++]);
	}
	db_array_time_ms(v[i++],
	    d->state == DELIVERY_WAITING ? d->due_ms : 0);
	db_array_int(v[i++], d->later);
	db_array_int(v[i++], d->step);
	db_array_uuid(v[i++], next_of(d));
	write_follower(v[i], v[i + 1], d);
	db_array_text(v[i + 2], d->trace);
}

static void
write_one(struct db_batch *b, struct tenant_id tenant,
    const struct uuid *spooler, const struct delivery *d)
{
	db_add(b, Q_ROUTE_WRITE_ONE);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, spooler);
	db_arg_uuid(b, &d->notification->id.u);
	db_arg_uuid(b, &d->id.u);
	db_arg_int(b, d->recipient_no);
	db_arg_int(b, d->channel);
	db_arg_int(b, d->prio);
	db_arg_text(b, d->user_id);
	db_arg_text(b, d->address);
	db_arg_text(b, d->recipient);
	db_arg_text(b, d->locale);
	db_arg_uuid(b, provider_of(d));
	db_arg_time_ms(b, expiry_ms(d));
	db_arg_int(b, d->step);
	db_arg_uuid(b, next_of(d));
	db_arg_text(b, d->trace);
}

void
route_write_add(struct arena *a, struct db_batch *b, struct tenant_id tenant,
    const struct uuid *spooler, const struct delivery_list *deliveries)
{
	struct db_array *v[WRITE_COLUMNS];
	size_t i;

	if (deliveries->count == 1 &&
	    deliveries->list[0].state == DELIVERY_SENDING) {
		write_one(b, tenant, spooler, &deliveries->list[0]);
		return;
	}
	for (i = 0; i < WRITE_COLUMNS; i++)
		v[i] = db_array_new(a);
	for (i = 0; i < deliveries->count; i++)
		write_row(v, &deliveries->list[i]);
	db_add(b, Q_ROUTE_WRITE);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, spooler);
	for (i = 0; i < WRITE_COLUMNS; i++)
		db_arg_array(b, v[i]);
}

void
route_routed_add(struct arena *a, struct db_batch *b, struct tenant_id tenant,
    const struct notification *n, size_t count,
    const struct delivery_list *deliveries)
{
	struct db_array *ids = db_array_new(a), *open = db_array_new(a),
	                *total = db_array_new(a);
	const struct delivery *d = deliveries->list;
	const struct delivery *end = d + deliveries->count;
	int open_count, all_count, week = week_of(&n[0].id.u);
	size_t i;

	for (i = 0; i < count; i++) {
		open_count = all_count = 0;
		week = week_same(week, &n[i].id.u);
		/* Deliveries stand in the order of their notifications. */
		for (; d != end && d->notification == &n[i]; d++) {
			open_count += !delivery_state_is_final((int)d->state);
			all_count++;
		}
		if (all_count == 0)
			continue;
		db_array_uuid(ids, &n[i].id.u);
		db_array_int(open, open_count);
		db_array_int(total, all_count);
	}
	db_add_weekly(b, Q_NOTIFICATION_ROUTED, week);
	db_arg_int(b, tenant.n);
	db_arg_array(b, ids);
	db_arg_array(b, open);
	db_arg_array(b, total);
}
