/*
 * provider_share.c - tenants are given leave to use accounts of the platform
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/provider_share.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/edit.h"
#include "model/provider_account.h"

enum { ALLOWED_BYTES = 1 << 16 };

int
provider_share_list(struct arena *a, struct db *db, struct provider_id account,
    struct provider_share **list_r, size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, TENANT_PLATFORM, DB_ONE);
	struct provider_share *list;
	struct db_rows **rows;
	int i;

	db_add(b, Q_SHARED_LIST);
	db_arg_uuid(b, &account.u);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	list = arena_zalloc(a, (size_t)db_count(rows[0]), sizeof(*list));
	for (i = 0; i < db_count(rows[0]); i++)
		list[i] = (struct provider_share){
			.tenant = { db_int(rows[0], i, 0) },
			.slug = db_text(rows[0], i, 1),
			.id = { db_uuid(rows[0], i, 2) },
		};
	*list_r = list;
	*count_r = (size_t)db_count(rows[0]);
	return 0;
}

int
provider_share_find(struct arena *a, struct db *db, struct tenant_id tenant,
    struct provider_id account, struct provider_account **row_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_SHARED_FIND);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &account.u);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	return provider_account_get(a, db, tenant,
	    (struct provider_id){ db_uuid(rows[0], 0, 0) }, row_r, e);
}

int
provider_share_give(const struct editor *ed,
    const struct provider_account *account, const char *name,
    const char *allowed, struct err *e)
{
	const struct provider_account row = {
		.tenant = ed->tenant,
		.id = { uuid_make() },
		.name = name,
		.kind = account->kind,
		.channel = account->channel,
		.state = PROVIDER_ENABLED,
		.priority = account->priority,
		.weight = account->weight,
		.settings = "{}",
		.shared_id = account->id,
		.allowed = allowed,
	};

	return provider_account_create(ed, &row, e);
}

int
provider_share_allow(const struct editor *ed, struct provider_id account,
    const char *name, const char *allowed, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_SHARED_ALLOW);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &account.u);
	db_arg_text(b, allowed);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return edit_abort(ed);
	b = edit_commit(ed, allowed != NULL ? "provider.share" :
	        "provider.unshare", name, NULL);
	return db_run(ed->db, ed->a, b, &rows, e);
}

const char *
provider_share_allowed(struct arena *a, const char *allowed, const char *slug)
{
	static const char mark[] = "{tenant}";
	struct buf *out = buf_new(a, ALLOWED_BYTES);
	const char *at;

	while ((at = strstr(allowed, mark)) != NULL) {
		buf_add(out, allowed, (size_t)(at - allowed));
		buf_puts(out, slug);
		allowed = at + strlen(mark);
	}
	buf_puts(out, allowed);
	return out->data;
}

void
provider_share_everyone_add(struct db_batch *b)
{
	db_add(b, Q_PLATFORM_ENTER);
	db_add(b, Q_SHARED_EVERYONE);
	db_arg_int(b, TENANT_PLATFORM.n);
	db_add(b, Q_PLATFORM_LEAVE);
}

void
provider_share_welcome_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const char *slug, const struct db_rows *rows)
{
	enum { COLUMNS = 8 };
	struct db_array *v[COLUMNS];
	struct uuid id;
	int i;

	if (db_count(rows) == 0)
		return;
	for (i = 0; i < COLUMNS; i++)
		v[i] = db_array_new(a);
	for (i = 0; i < db_count(rows); i++) {
		id = uuid_make();
		db_array_uuid(v[0], &id);
		id = db_uuid(rows, i, 0);
		db_array_uuid(v[1], &id);
		db_array_text(v[2], db_text(rows, i, 1));
		db_array_text(v[3], db_text(rows, i, 2));
		db_array_int(v[4], db_int(rows, i, 3));
		db_array_int(v[5], db_int(rows, i, 4));
		db_array_int(v[6], db_int(rows, i, 5));
		db_array_text(v[7],
		    provider_share_allowed(a, db_text(rows, i, 6), slug));
	}
	db_add(b, Q_SHARED_WELCOME);
	db_arg_int(b, tenant.n);
	for (i = 0; i < COLUMNS; i++)
		db_arg_array(b, v[i]);
}
