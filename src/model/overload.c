/*
 * overload.c - when more is accepted than can be sent
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/overload.h"

#include "base/config.h"
#include "base/err.h"
#include "base/metrics.h"
#include "db/db.h"
#include "model/channel.h"

enum { STALE_MS = 30000 };

/* The labels of METRIC_REFUSED_TOTAL. */
enum { OF_TENANT, OF_ALL };

/* From this level on a priority is refused. */
static const int refused_from[PRIORITY_COUNT] = {
	[PRIORITY_BULK] = 1,
	[PRIORITY_NORMAL] = 2,
	[PRIORITY_URGENT] = 3,
};

void
overload_mark_add(
    struct db_batch *b, const struct config *config, int age_ms)
{
	db_add(b, Q_OVERLOAD_MARK);
	db_arg_int(b, config->queue_tenant_max);
	db_arg_int(b, config->queue_total_max);
	db_arg_int(b, age_ms);
	db_arg_int(b, config->spooler_dead_after);
}

struct overload
overload_from_row(const struct db_rows *rows)
{
	return (struct overload){
		.tenant = (int)db_int(rows, 0, 2),
		.total = (int)db_int(rows, 0, 3),
	};
}

int
overload_measure(struct arena *a, struct db *db, const struct config *config,
    struct err *e)
{
	struct db_batch *b = db_batch_new(a, (struct tenant_id){ 0 }, DB_ONE);

	overload_mark_add(b, config, STALE_MS);
	return db_run(db, a, b, NULL, e);
}

int
overload_check(struct overload o, int priority, struct err *e)
{
	int from = refused_from[priority];

	if (o.total >= from) {
		metrics_add(METRIC_REFUSED_TOTAL, OF_ALL, 1);
		return err_set(e, ERR_OVERLOADED,
		    "too much waits to be sent: send it again later");
	}
	if (o.tenant >= from) {
		metrics_add(METRIC_REFUSED_TOTAL, OF_TENANT, 1);
		return err_set(e, ERR_QUEUE_FULL, "too much of this tenant "
		    "waits to be sent: send it again later");
	}
	return 0;
}
