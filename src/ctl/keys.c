/*
 * keys.c - belfryctl keys status, new, use, rotate
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is sealed names its key, so what is left to do is what another key than the
 * current one seals: rotating needs no memory of its own, may be killed at any row, and run
 * by several at once.  A row is written only when it still holds what was read, and
 * raises its tenant's generation, so that nobody goes on with what a cache holds.
 */
#include <string.h>

#include <jansson.h>

#include "auth/signing.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/seal.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "db/db.h"
#include "model/edit.h"
#include "web/js.h"

enum { AT_ONCE = 20, CHUNK_BYTES = 65536 };

/* Every table with a column "sealed"; a test compares them with the catalogue. */
static const struct sealed {
	const char *table;
	bool of_tenant;
	enum query count, list, put;
} tables[] = {
	{ "provider", true, Q_SEALED_PROVIDER_COUNT, Q_SEALED_PROVIDER_LIST,
	    Q_SEALED_PROVIDER_PUT },
	{ "webhook_endpoint", true, Q_SEALED_WEBHOOK_ENDPOINT_COUNT,
	    Q_SEALED_WEBHOOK_ENDPOINT_LIST, Q_SEALED_WEBHOOK_ENDPOINT_PUT },
	{ "tenant", true, Q_SEALED_TENANT_COUNT, Q_SEALED_TENANT_LIST,
	    Q_SEALED_TENANT_PUT },
	{ "signing_key", false, Q_SEALED_SIGNING_KEY_COUNT,
	    Q_SEALED_SIGNING_KEY_LIST, Q_SEALED_SIGNING_KEY_PUT },
};

/* Calls a function for every table and tenant that has it; "a" is emptied before each
 * call.  0, or -1 as soon as one call fails. */
static int
for_each(struct ctl *c,
    int (*f)(struct ctl *c, struct arena *a, const struct sealed *s,
        struct tenant_id tenant, void *arg, struct err *e),
    void *arg, struct err *e)
{
	struct db_batch *b = db_batch_new(c->a, (struct tenant_id){ 0 },
	    DB_PLAIN);
	struct arena *a = arena_new(CHUNK_BYTES);
	struct db_rows **rows;
	int i, n, rc = 0;
	size_t t;

	db_add(b, Q_RECONCILE_TENANTS);
	rc = db_run(c->db, c->a, b, &rows, e);
	n = rc == 0 ? db_count(rows[0]) : 0;
	for (t = 0; rc == 0 && t < NELEMS(tables); t++)
		for (i = 0; rc == 0 && i < (tables[t].of_tenant ? n : 1); i++) {
			arena_reset(a);
			rc = f(c, a, &tables[t],
			    (struct tenant_id){ tables[t].of_tenant ?
			            db_int(rows[0], i, 0) :
			            0 },
			    arg, e);
		}
	arena_free(&a);
	return rc;
}

/* ---- Resealing ------------------------------------------------------------------ */

struct rotation {
	const struct keyring *ring;
	const char *key; /* the current one */
	json_int_t done;
};

static struct db_rows *
run_list(struct ctl *c, struct arena *a, const struct sealed *s,
    struct tenant_id tenant, const char *key, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, s->list);
	db_arg_int(b, tenant.n);
	db_arg_text(b, key);
	db_arg_int(b, AT_ONCE);
	return db_run(c->db, a, b, &rows, e) == 0 ? rows[0] : NULL;
}

/* Adds the query that puts one row under the current key. */
static int
add_row(struct arena *a, struct db_batch *b, const struct sealed *s,
    struct tenant_id tenant, const struct rotation *r,
    const struct db_rows *rows, int i, struct err *e)
{
	struct uuid *id = arena_object(a, struct uuid);
	struct seal_place place = { .tenant = tenant, .table = s->table,
		.column = "sealed" };
	const void *old;
	void *plain, *new;
	size_t old_bytes, plain_bytes, new_bytes;

	*id = place.row = db_uuid(rows, i, 0);
	old = db_bytes(a, rows, i, 1, &old_bytes);
	if (unseal(a, r->ring, &place, old, old_bytes, &plain, &plain_bytes,
	        e) != 0 ||
	    seal(a, r->ring, &place, plain, plain_bytes, &new, &new_bytes,
	        e) != 0)
		return -1;
	db_add(b, s->put);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, id);
	db_arg_bytes(b, old, old_bytes);
	db_arg_bytes(b, new, new_bytes);
	return 0;
}

/* One transaction: some rows of a table. */
static int
reseal_rows(struct ctl *c, struct arena *a, const struct sealed *s,
    struct tenant_id tenant, const struct rotation *r,
    const struct db_rows *rows, struct err *e)
{
	struct editor ed = ctl_editor(c);
	json_t *detail = json_pack("{s:s, s:i}", "key", r->key, "rows",
	    db_count(rows));
	struct db_batch *b;
	int i;

	ed.a = a;
	ed.tenant = tenant;
	b = s->of_tenant ? edit_begin(&ed) : db_batch_new(a, tenant, DB_ONE);
	for (i = 0; i < db_count(rows); i++)
		if (add_row(a, b, s, tenant, r, rows, i, e) != 0) {
			json_decref(detail);
			return -1;
		}
	if (!s->of_tenant) {
		edit_record(&ed, b, "keys.reseal", s->table, detail);
		return db_run(c->db, a, b, NULL, e);
	}
	if (db_run(c->db, a, b, NULL, e) != 0) {
		json_decref(detail);
		return edit_abort(&ed);
	}
	return db_run(c->db, a,
	    edit_commit(&ed, "keys.reseal", s->table, detail), NULL, e);
}

static int
reseal(struct ctl *c, struct arena *a, const struct sealed *s,
    struct tenant_id tenant, void *arg, struct err *e)
{
	struct rotation *r = arg;
	struct db_rows *rows;

	for (;;) {
		rows = run_list(c, a, s, tenant, r->key, e);
		if (rows == NULL)
			return -1;
		if (db_count(rows) == 0)
			return 0;
		if (reseal_rows(c, a, s, tenant, r, rows, e) != 0)
			return -1;
		r->done += db_count(rows);
		arena_reset(a);
	}
}

static int
rotate_signing(struct ctl *c, const struct keyring *ring, struct err *e)
{
	const char *alg = ctl_value(c, "alg");
	struct editor ed = ctl_editor(c);
	struct db_batch *b;

	if (alg == NULL)
		alg = "EdDSA";
	if (strcmp(alg, "EdDSA") != 0 && strcmp(alg, "RS256") != 0)
		return err_set(e, ERR_INVALID,
		    "\"%.20s\" is neither EdDSA nor RS256", alg);
	if (signing_rotate(c->a, c->db, ring, alg, ctl_has(c, "now"), e) != 0)
		return -1;
	b = db_batch_new(c->a, ed.tenant, DB_ONE);
	edit_record(&ed, b, "keys.rotate", "signing",
	    json_pack("{s:s}", "alg", alg));
	if (db_run(c->db, c->a, b, NULL, e) != 0)
		return -1;
	out_said(c, json_pack("{s:s}", "alg", alg),
	    "the next key signs from now on, and one of %s comes after it", alg);
	return 0;
}

int
command_keys_rotate(struct ctl *c, struct err *e)
{
	struct rotation r = { .done = 0 };
	struct keyring *ring;

	if (ctl_keyring(c, &ring, e) != 0)
		return -1;
	if (ctl_has(c, "signing"))
		return rotate_signing(c, ring, e);
	r.ring = ring;
	r.key = keyring_current(ring);
	if (for_each(c, reseal, &r, e) != 0)
		return -1;
	out_said(c, json_pack("{s:s, s:I}", "key", r.key, "rows", r.done),
	    "%lld rows sealed anew with \"%s\"", (long long)r.done, r.key);
	return 0;
}

/* ---- Files ------------------------------------------------------------------------ */

int
command_keys_add(struct ctl *c, struct err *e)
{
	const char *name = ctl_argument(c, 0);

	if (keyring_add(c->config->keys_directory, name, e) != 0)
		return -1;
	out_said(c, json_pack("{s:s}", "key", name),
	    "%s/%s.key is made: copy it to all hosts, reload them, and then "
	    "\"belfryctl keys use %s\" there",
	    c->config->keys_directory, name, name);
	return 0;
}

int
command_keys_use(struct ctl *c, struct err *e)
{
	const char *name = ctl_argument(c, 0);

	if (keyring_use(c->config->keys_directory, name, e) != 0)
		return -1;
	out_said(c, json_pack("{s:s}", "key", name),
	    "\"%s\" seals from the next reload on", name);
	return 0;
}

/* ---- What there is ------------------------------------------------------------------ */

static int
count(struct ctl *c, struct arena *a, const struct sealed *s,
    struct tenant_id tenant, void *arg, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;
	json_t *keys = arg, *row;
	int i;

	db_add(b, s->count);
	db_arg_int(b, tenant.n);
	if (db_run(c->db, a, b, &rows, e) != 0)
		return -1;
	for (i = 0; i < db_count(rows[0]); i++) {
		row = json_object_get(keys, db_text(rows[0], i, 0));
		if (row == NULL) {
			row = json_object();
			json_object_set_new(keys, db_text(rows[0], i, 0), row);
		}
		json_object_set_new(row, s->table,
		    json_integer(json_integer_value(json_object_get(row,
		                     s->table)) +
		        db_int(rows[0], i, 1)));
	}
	return 0;
}

static json_t *
line(const char *use, const char *name, const char *state, const char *table,
    json_int_t rows)
{
	return json_pack("{s:s, s:s, s:s, s:s?, s:I}", "use", use, "key", name,
	    "state", state, "table", table, "rows", rows);
}

/* A line for each key and table; for a key of nothing, one. */
static void
add_sealing(json_t *list, const struct keyring *ring, const json_t *keys)
{
	const char *name, *table;
	json_t *row, *n;

	for (name = NULL; (name = keyring_next(ring, name)) != NULL;)
		if (json_object_get(keys, name) == NULL)
			json_array_append_new(list,
			    line("seal", name,
			        strcmp(name, keyring_current(ring)) == 0 ?
			            "current" : "unused", NULL, 0));
	json_object_foreach((json_t *)(uintptr_t)keys, name, row)
		json_object_foreach(row, table, n)
			json_array_append_new(list,
			    line("seal", name,
			        strcmp(name, keyring_current(ring)) == 0 ?
			            "current" :
			            keyring_has(ring, name) ? "old" : "missing",
			        table, json_integer_value(n)));
}

int
command_keys_status(struct ctl *c, struct err *e)
{
	static const struct out_column columns[] = {
		{ "use", "USE" },
		{ "key", "KEY" },
		{ "state", "STATE" },
		{ "table", "TABLE" },
		{ "rows", "ROWS" },
		{ NULL, NULL },
	};
	json_t *keys = js_keep(c->a, json_object());
	json_t *list = js_keep(c->a, json_array());
	struct signing_key *signing;
	struct keyring *ring;
	size_t i, n;

	if (ctl_keyring(c, &ring, e) != 0 ||
	    for_each(c, count, keys, e) != 0 ||
	    signing_list(c->a, c->db, &signing, &n, e) != 0)
		return -1;
	add_sealing(list, ring, keys);
	for (i = 0; i < n; i++)
		json_array_append_new(list,
		    line("sign", signing[i].kid,
		        signing_state_name(signing[i].state), NULL, 0));
	out_table(c, json_incref(list), columns, "there are no keys");
	return 0;
}
