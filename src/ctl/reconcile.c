/*
 * reconcile.c - belfryctl reconcile
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/reconcile.h"

#include <stdbool.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "db/db.h"
#include "model/tenant.h"

enum { CHUNK_BYTES = 65536 };

static const struct out_column columns[] = {
	{ "kind", "KIND" },
	{ "found", "FOUND" },
	{ NULL, NULL },
};

/* Runs a batch again as long as there may be more. */
static int
repeat_queue(struct ctl *c, struct arena *a, struct reconcile *rc,
    struct tenant_id tenant, struct err *e)
{
	struct db_rows **rows;

	do {
		if (db_run(c->db, a, reconcile_queue(a, rc, tenant), &rows, e) ==
		    -1)
			return -1;
	} while (reconcile_queue_read(rc, rows));
	return 0;
}

static int
repeat_history(struct ctl *c, struct arena *a, struct reconcile *rc,
    struct tenant_id tenant, const struct uuid *after, const struct uuid *until,
    struct err *e)
{
	struct db_rows **rows;

	do {
		if (db_run(c->db, a,
		        reconcile_history(a, rc, tenant, after, until), &rows,
		        e) == -1)
			return -1;
	} while (reconcile_history_read(rc, rows));
	return 0;
}

static int
slices(struct ctl *c, struct reconcile *rc, struct tenant_id tenant,
    struct err *e)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct uuid after = { 0 }, until;
	struct db_rows **rows;
	bool more = true;
	int result = 0;

	while (more && result == 0) {
		arena_reset(a);
		result = db_run(c->db, a, reconcile_slice(a, rc, tenant, &after),
		    &rows, e);
		if (result == -1 || !reconcile_slice_read(rows, &until, &more))
			break;
		result = repeat_history(c, a, rc, tenant, &after, &until, e);
		after = until;
	}
	arena_free(&a);
	return result;
}

static int
tenant(struct ctl *c, struct reconcile *rc, struct tenant_id id, struct err *e)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	int result = repeat_queue(c, a, rc, id, e);

	arena_free(&a);
	return result == -1 ? -1 : slices(c, rc, id, e);
}

/* An entry for what was repaired, in the audit of the tenant or of the installation. */
static int
record(struct ctl *c, const struct reconcile *rc, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct db_batch *b = db_batch_new(c->a, ed.tenant, DB_ONE);
	json_t *detail = json_object();
	struct db_rows **rows;
	int i;

	for (i = 0; i < RECONCILE_KINDS; i++)
		if (rc->found[i] > 0)
			json_object_set_new(detail,
			    reconcile_kind_name((enum reconcile_kind)i),
			    json_integer((json_int_t)rc->found[i]));
	if (rc->dry || json_object_size(detail) == 0) {
		json_decref(detail);
		return 0;
	}
	edit_record(&ed, b, "queue.reconcile",
	    c->tenant != NULL ? c->tenant->slug : "installation", detail);
	return db_run(c->db, c->a, b, &rows, e);
}

static void
print(const struct ctl *c, const struct reconcile *rc)
{
	json_t *rows = json_array();
	int i;

	for (i = 0; i < RECONCILE_KINDS; i++)
		if (c->json || rc->found[i] > 0)
			json_array_append_new(rows,
			    json_pack("{s:s, s:I}", "kind",
			        reconcile_kind_name((enum reconcile_kind)i),
			        "found", (json_int_t)rc->found[i]));
	out_table(c, rows, columns, "nothing was found");
}

int
command_reconcile(struct ctl *c, struct err *e)
{
	struct reconcile rc = { .config = c->config, .by = "belfryctl",
		.dry = ctl_has(c, "dry-run") };
	struct db_batch *b;
	struct db_rows **rows;
	int i;

	if (ctl_value(c, "tenant") != NULL) {
		if (ctl_open_tenant(c, e) == -1 ||
		    tenant(c, &rc, c->tenant->id, e) == -1 ||
		    record(c, &rc, e) == -1)
			return -1;
		print(c, &rc);
		return 0;
	}
	b = db_batch_new(c->a, (struct tenant_id){ 0 }, DB_PLAIN);
	db_add(b, Q_RECONCILE_TENANTS);
	if (db_run(c->db, c->a, b, &rows, e) == -1)
		return -1;
	for (i = 0; i < db_count(rows[0]); i++)
		if (tenant(c, &rc,
		        (struct tenant_id){ db_int(rows[0], i, 0) }, e) == -1)
			return -1;
	if (record(c, &rc, e) == -1)
		return -1;
	print(c, &rc);
	return 0;
}
