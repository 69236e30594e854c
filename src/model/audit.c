/*
 * audit.c - who changed what
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/audit.h"

#include "base/arena.h"
#include "db/db.h"

int
audit_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const struct uuid *before, int limit, struct audit **list_r,
    size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;
	struct audit *list;
	int i, n;

	db_add(b, Q_AUDIT_LIST);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, before);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	list = arena_zalloc(a, (size_t)n, sizeof(*list));
	for (i = 0; i < n; i++)
		list[i] = (struct audit){
			.id = db_uuid(rows[0], i, 0),
			.at_ms = db_time_ms(rows[0], i, 1),
			.principal = db_text(rows[0], i, 2),
			.action = db_text(rows[0], i, 3),
			.object = db_text(rows[0], i, 4),
			.detail = db_text(rows[0], i, 5),
			.request_id = db_text(rows[0], i, 6),
		};
	*list_r = list;
	*count_r = (size_t)n;
	return 0;
}
