/*
 * recipient.c - people who are reached, as services keep them here
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/recipient.h"

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"
#include "model/edit.h"

int
recipient_put(const struct editor *ed, struct recipient *r, bool *created_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_RECIPIENT_PUT);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, r->user_id);
	db_arg_text(b, r->email);
	db_arg_text(b, r->phone);
	db_arg_text(b, r->name);
	db_arg_text(b, r->locale);
	db_arg_text(b, r->time_zone);
	db_arg_text(b, r->data);
	db_arg_int(b, r->version);
	db_arg_text(b, r->quiet_hours);
	edit_record_change(ed, b, "recipient.put", edit_person(ed, r->user_id));
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return err_set(e, ERR_PRECONDITION,
		    "the recipient was changed meanwhile or does not exist");
	r->version = (int)db_int(rows[0], 0, 0);
	if (created_r != NULL)
		*created_r = db_bool(rows[0], 0, 1);
	return 0;
}

void
recipient_find_add(struct db_batch *b, struct tenant_id tenant,
    const struct db_array *user_ids)
{
	db_add(b, Q_RECIPIENT_FIND);
	db_arg_int(b, tenant.n);
	db_arg_array(b, user_ids);
}

void
recipient_from_rows(struct arena *a, const struct db_rows *r,
    struct recipient **list_r, size_t *count_r)
{
	int i, n = db_count(r);
	struct recipient *list = arena_zalloc(a, (size_t)n, sizeof(*list));

	for (i = 0; i < n; i++)
		list[i] = (struct recipient){
			.user_id = db_text(r, i, 0),
			.email = db_text(r, i, 1),
			.phone = db_text(r, i, 2),
			.name = db_text(r, i, 3),
			.locale = db_text(r, i, 4),
			.time_zone = db_text(r, i, 5),
			.data = db_text(r, i, 6),
			.version = (int)db_int(r, i, 7),
			.created_ms = db_time_ms(r, i, 8),
			.updated_ms = db_time_ms(r, i, 9),
			.quiet_hours = db_text(r, i, 10),
		};
	*list_r = list;
	*count_r = (size_t)n;
}

int
recipient_get(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *user_id, struct recipient **r_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_array *ids = db_array_new(a);
	struct recipient *list;
	struct db_rows **rows;
	size_t count;

	db_array_text(ids, user_id);
	recipient_find_add(b, tenant, ids);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	recipient_from_rows(a, rows[0], &list, &count);
	if (count == 0)
		return 0;
	*r_r = list;
	return 1;
}

int
recipient_delete(const struct editor *ed, const char *user_id, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_RECIPIENT_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, user_id);
	edit_record_change(ed, b, "recipient.remove", edit_person(ed, user_id));
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	return db_affected(rows[0]) > 0;
}

int
recipient_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct recipient **list_r, size_t *count_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_RECIPIENT_LIST);
	db_arg_int(b, tenant.n);
	db_arg_text(b, after);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	recipient_from_rows(a, rows[0], list_r, count_r);
	return 0;
}
