/*
 * issuer_store.c - a tenant's own issuers of access tokens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/issuer_store.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/edit.h"

static void
rows_of(struct arena *a, const struct db_rows *r, struct issuer_row **list_r,
    size_t *count_r)
{
	int i, n = db_count(r);
	struct issuer_row *list = arena_zalloc(a, (size_t)n, sizeof(*list));

	for (i = 0; i < n; i++)
		list[i] = (struct issuer_row){
			.id = db_uuid(r, i, 0),
			.name = db_text(r, i, 1),
			.settings = db_text(r, i, 2),
			.version = (int)db_int(r, i, 3),
			.created_ms = db_time_ms(r, i, 4),
			.updated_ms = db_time_ms(r, i, 5),
		};
	*list_r = list;
	*count_r = (size_t)n;
}

int
issuer_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct issuer_row **list_r, size_t *count_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_ISSUER_LIST);
	db_arg_int(b, tenant.n);
	db_arg_text(b, after);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	rows_of(a, rows[0], list_r, count_r);
	return 0;
}

int
issuer_get(struct arena *a, struct db *db, struct tenant_id tenant,
    struct uuid id, struct issuer_row **row_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct issuer_row *list;
	struct db_rows **rows;
	size_t count;

	db_add(b, Q_ISSUER_GET);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &id);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	rows_of(a, rows[0], &list, &count);
	if (count == 0)
		return 0;
	*row_r = list;
	return 1;
}

static int
say_taken(const struct editor *ed, const char *name, struct err *e)
{
	if (db_violates(e, "issuer_tenant_id_name_key"))
		err_set(e, ERR_CONFLICT, "there is an issuer \"%s\" already",
		    name);
	return edit_abort(ed);
}

int
issuer_create(const struct editor *ed, struct issuer_row *row, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	row->id = uuid_make();
	db_add(b, Q_ISSUER_COUNT);
	db_arg_int(b, ed->tenant.n);
	db_add(b, Q_ISSUER_INSERT);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &row->id);
	db_arg_text(b, row->name);
	db_arg_text(b, row->settings);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return say_taken(ed, row->name, e);
	if (db_int(rows[1], 0, 0) >= ISSUERS_PER_TENANT_MAX) {
		err_set(e, ERR_CONFLICT, "there are %d issuers already",
		    ISSUERS_PER_TENANT_MAX);
		return edit_abort(ed);
	}
	b = edit_commit(ed, "issuer.add", row->name, NULL);
	return db_run(ed->db, ed->a, b, &rows, e);
}

static int
lock(const struct editor *ed, struct uuid id, int expected, const char **name_r,
    struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_ISSUER_LOCK);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1 ||
	    edit_expect(ed, rows[1], expected, "issuer", e) == -1)
		return -1;
	*name_r = db_text(rows[1], 0, 1);
	return 0;
}

int
issuer_update(const struct editor *ed, struct issuer_row *row, struct err *e)
{
	const char *old_name;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(ed, row->id, row->version, &old_name, e) == -1)
		return -1;
	b = edit_commit(ed, "issuer.set", old_name, NULL);
	db_add(b, Q_ISSUER_UPDATE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &row->id);
	db_arg_text(b, row->name);
	db_arg_text(b, row->settings);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return say_taken(ed, row->name, e);
	row->version = (int)db_int(rows[1], 0, 0);
	return 0;
}

int
issuer_remove(const struct editor *ed, struct uuid id, int expected_version,
    struct err *e)
{
	const char *name;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(ed, id, expected_version, &name, e) == -1)
		return -1;
	b = edit_commit(ed, "issuer.remove", name, NULL);
	db_add(b, Q_ISSUER_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id);
	return db_run(ed->db, ed->a, b, &rows, e);
}
