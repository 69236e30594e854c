/*
 * generation.c - how caches learn of a change
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/generation.h"

#include "db/db.h"

void
generation_bump(struct db_batch *b, struct tenant_id tenant)
{
	db_add(b, Q_GENERATION_BUMP);
	db_arg_int(b, tenant.n);
}

int
generation_get(struct db *db, struct arena *a, struct tenant_id tenant,
    struct generation *generation_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_GENERATION_GET);
	db_arg_int(b, tenant.n);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	*generation_r = (struct generation){
		.n = db_int(rows[0], 0, 0),
		.overload = overload_from_row(rows[0]),
		.unmeasured = db_bool(rows[0], 0, 4),
		.webhooks = db_bool(rows[0], 0, 5),
	};
	return 1;
}
