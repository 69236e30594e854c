/*
 * reconcile.c - what cannot happen, found and repaired
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/reconcile.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/metrics.h"
#include "base/uuid.h"
#include "db/db.h"

enum { AT_ONCE = 100 }; /* repairs of a kind in one transaction */

const char *
reconcile_kind_name(enum reconcile_kind kind)
{
	static const char *const names[RECONCILE_KINDS] = {
		[RECONCILE_LEASE] = "lease",
		[RECONCILE_DELIVERY_LOST] = "delivery_lost",
		[RECONCILE_ROW_STRAY] = "row_stray",
		[RECONCILE_NOTIFICATION_LOST] = "notification_lost",
		[RECONCILE_COUNT] = "count",
		[RECONCILE_DONE] = "done",
		[RECONCILE_KEY] = "key",
		[RECONCILE_DEAD_LETTER] = "dead_letter",
	};

	return names[kind];
}

static int64_t
grace_ms(const struct reconcile *rc)
{
	return 2 * rc->config->spooler_dead_after;
}

/* Everybody else waits until the transaction is over. */
static struct db_batch *
enter(struct arena *a, struct tenant_id tenant)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);

	db_add(b, Q_RECONCILE_ENTER);
	db_arg_int(b, tenant.n);
	return b;
}

/* The arguments that end each query which repairs. */
static void
add_how(struct arena *a, struct db_batch *b, const struct reconcile *rc)
{
	struct db_array *events = db_array_new(a);
	struct uuid id;
	int i;

	for (i = 0; i < AT_ONCE; i++) {
		id = uuid_make();
		db_array_uuid(events, &id);
	}
	db_arg_bool(b, rc->dry);
	db_arg_text(b, rc->by);
	db_arg_array(b, events);
}

/* Counts; true when it was as much as fits, so that there may be more. */
static bool
count(struct reconcile *rc, enum reconcile_kind kind, const struct db_rows *rows,
    int column)
{
	int64_t n = db_int(rows, 0, column);

	rc->found[kind] += n;
	if (n > 0 && !rc->dry)
		metrics_add(METRIC_RECONCILED_TOTAL, (int)kind, n);
	return n >= AT_ONCE && !rc->dry;
}

int64_t
reconcile_total(const struct reconcile *rc)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i < RECONCILE_KINDS; i++)
		sum += rc->found[i];
	return sum;
}

/* ---- The queue ------------------------------------------------------------------ */

struct db_batch *
reconcile_queue(struct arena *a, const struct reconcile *rc,
    struct tenant_id tenant)
{
	static const enum query queries[] = { Q_RECONCILE_LEASES,
		Q_RECONCILE_STRAYS };
	struct db_batch *b = enter(a, tenant);
	size_t i;

	for (i = 0; i < NELEMS(queries); i++) {
		db_add(b, queries[i]);
		db_arg_int(b, tenant.n);
		db_arg_int(b, grace_ms(rc));
		add_how(a, b, rc);
	}
	db_add(b, Q_RECONCILE_KEYS);
	db_arg_int(b, tenant.n);
	db_arg_int(b, grace_ms(rc));
	db_arg_bool(b, rc->dry);
	return b;
}

bool
reconcile_queue_read(struct reconcile *rc, struct db_rows *const *rows)
{
	bool more = count(rc, RECONCILE_LEASE, rows[1], 0);

	more |= count(rc, RECONCILE_ROW_STRAY, rows[2], 0);
	more |= count(rc, RECONCILE_KEY, rows[3], 0);
	return more;
}

/* ---- The history ------------------------------------------------------------------ */

struct db_batch *
reconcile_position(struct arena *a, struct tenant_id tenant)
{
	return enter(a, tenant);
}

struct db_batch *
reconcile_keep(
    struct arena *a, struct tenant_id tenant, const struct uuid *position)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);

	db_add(b, Q_RECONCILE_LEAVE);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, position);
	return b;
}

struct db_batch *
reconcile_slice(struct arena *a, const struct reconcile *rc,
    struct tenant_id tenant, const struct uuid *after)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);

	db_add(b, Q_RECONCILE_SLICE);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, after);
	db_arg_int(b, RECONCILE_SLICE);
	db_arg_int(b, grace_ms(rc));
	return b;
}

bool
reconcile_slice_read(struct db_rows *const *rows, struct uuid *until_r,
    bool *more_r)
{
	if (db_is_null(rows[0], 0, 0))
		return false;
	*until_r = db_uuid(rows[0], 0, 0);
	*more_r = db_int(rows[0], 0, 1) >= RECONCILE_SLICE;
	return true;
}

struct db_batch *
reconcile_history(struct arena *a, const struct reconcile *rc,
    struct tenant_id tenant, const struct uuid *after, const struct uuid *until)
{
	static const enum query queries[] = { Q_RECONCILE_LOST,
		Q_RECONCILE_UNROUTED, Q_RECONCILE_COUNTS, Q_RECONCILE_DEAD };
	struct db_batch *b = enter(a, tenant);
	size_t i;

	for (i = 0; i < NELEMS(queries); i++) {
		db_add(b, queries[i]);
		db_arg_int(b, tenant.n);
		db_arg_uuid(b, after);
		db_arg_uuid(b, until);
		add_how(a, b, rc);
	}
	return b;
}

bool
reconcile_history_read(struct reconcile *rc, struct db_rows *const *rows)
{
	bool more = count(rc, RECONCILE_DELIVERY_LOST, rows[1], 0);

	more |= count(rc, RECONCILE_NOTIFICATION_LOST, rows[2], 0);
	more |= count(rc, RECONCILE_COUNT, rows[3], 0);
	more |= count(rc, RECONCILE_DONE, rows[3], 1);
	more |= count(rc, RECONCILE_DEAD_LETTER, rows[4], 0);
	return more;
}
