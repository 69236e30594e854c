/*
 * tenant_deletion.c - a tenant that is deleted
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/tenant_deletion.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "db/db.h"
#include "model/edit.h"
#include "model/tenant.h"

enum { ROWS_PER_STEP = 2000, REQUEST_MS = 1000 };

int
tenant_delete(const struct editor *ed, const struct tenant *t, struct err *e)
{
	struct editor inside = *ed;
	struct db_rows **rows;
	struct db_batch *b;

	inside.tenant = t->id;
	b = edit_begin(&inside);
	db_add(b, Q_TENANT_VERSION);
	db_arg_int(b, t->id.n);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1 ||
	    edit_expect(&inside, rows[1], t->version, "tenant", e) == -1)
		return -1;
	b = edit_commit(&inside, "tenant.delete", t->slug, NULL);
	db_add(b, Q_TENANT_SET_STATE);
	db_arg_int(b, t->id.n);
	db_arg_int(b, TENANT_DELETING);
	db_add(b, Q_TENANT_DELETION_INSERT);
	db_arg_int(b, t->id.n);
	db_arg_text(b, t->slug);
	db_arg_text(b, ed->principal);
	if (db_run(ed->db, ed->a, b, &rows, e) == 0)
		return 0;
	if (db_violates(e, "legal_hold"))
		err_set(e, ERR_CONFLICT, "the tenant \"%s\" is on legal hold, or "
		    "somebody in it is", t->slug);
	return tenant_say_stays(e);
}

int
tenant_deletion_find(struct arena *a, struct db *db, const char *slug,
    struct tenant_deletion **d_r, struct err *e)
{
	struct db_batch *b =
	    db_batch_new(a, (struct tenant_id){ 0 }, DB_PLAIN);
	struct tenant_deletion *d = arena_object(a, struct tenant_deletion);
	struct db_rows **rows;

	db_add(b, Q_TENANT_DELETION_FIND);
	db_arg_text(b, slug);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	*d = (struct tenant_deletion){
		.requested_by = db_text(rows[0], 0, 0),
		.requested_ms = db_time_ms(rows[0], 0, 1),
		.removed = db_int(rows[0], 0, 2),
		.tables = db_text(rows[0], 0, 3),
		.finished_ms = db_time_ms(rows[0], 0, 4),
	};
	*d_r = d;
	return 1;
}

/* Until then everybody has asked for the tenant's generation, ended what was begun before
 * and told of what was on the wire. */
void
tenant_erase_add(struct db_batch *b, const struct config *config)
{
	db_add(b, Q_TENANT_ERASE);
	db_arg_int(b, ROWS_PER_STEP);
	db_arg_int(b, 2 * config->api_cache_check +
	        2 * config->spooler_heartbeat_interval + REQUEST_MS);
}
