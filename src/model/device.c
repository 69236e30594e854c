/*
 * device.c - where push messages of users go
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/device.h"

#include "base/arena.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/edit.h"

const char *const device_platform_names[] = { "android", "ios", "web", "other",
	NULL };

int
device_put(const struct editor *ed, const char *user_id, struct device *d,
    struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct uuid id = uuid_make();
	struct db_rows **rows;

	db_add(b, Q_DEVICE_PUT);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, user_id);
	db_arg_uuid(b, &id);
	db_arg_text(b, d->token);
	db_arg_int(b, d->platform);
	db_arg_text(b, d->app);
	edit_record_change(ed, b, "device.put", edit_person(ed, user_id));
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	d->id = db_uuid(rows[0], 0, 0);
	return 0;
}

int
device_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *user_id, struct device **list_r, size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;
	struct device *list;
	int i, n;

	db_add(b, Q_DEVICE_LIST);
	db_arg_int(b, tenant.n);
	db_arg_text(b, user_id);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	list = arena_zalloc(a, (size_t)n, sizeof(*list));
	for (i = 0; i < n; i++)
		list[i] = (struct device){
			.id = db_uuid(rows[0], i, 0),
			.token = db_text(rows[0], i, 1),
			.platform =
			    (enum device_platform)db_int(rows[0], i, 2),
			.app = db_text(rows[0], i, 3),
			.created_ms = db_time_ms(rows[0], i, 4),
			.updated_ms = db_time_ms(rows[0], i, 5),
		};
	*list_r = list;
	*count_r = (size_t)n;
	return 0;
}

int
device_delete(const struct editor *ed, const char *user_id,
    const struct uuid *id, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_DEVICE_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, user_id);
	db_arg_uuid(b, id);
	edit_record_change(ed, b, "device.remove", edit_person(ed, user_id));
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	return (int)db_affected(rows[0]);
}
