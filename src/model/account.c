/*
 * account.c - service accounts and their keys
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/account.h"

#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "db/db.h"
#include "model/edit.h"

/* ---- Authentication
 * ------------------------------------------------------- */

void
account_key_add(struct db_batch *b, struct tenant_id tenant, const char *key_id)
{
	db_add(b, Q_ACCOUNT_KEY);
	db_arg_int(b, tenant.n);
	db_arg_text(b, key_id);
}

const char *
account_key_text(const struct db_rows *rows)
{
	return db_count(rows) == 0 ? NULL : db_text(rows, 0, 0);
}

static void
defer_json(void *p)
{
	json_decref(p);
}

static void
list_scopes(struct arena *a, struct account_key *k, const json_t *scopes)
{
	const json_t *scope;
	size_t i;

	k->scopes = arena_zalloc(a, json_array_size(scopes) + 1,
	    sizeof(*k->scopes));
	json_array_foreach(scopes, i, scope)
		if (json_is_string(scope))
			k->scopes[k->scopes_count++] = json_string_value(scope);
}

int
account_key_from_text(struct arena *a, const char *text, size_t len,
    struct account_key **key_r, struct err *e)
{
	struct account_key *k = arena_object(a, struct account_key);
	json_t *json = json_loadb(text, len, 0, NULL);
	json_int_t expires, generation, used;
	const char *hash, *account;
	json_t *scopes;
	int revoked, suspended;

	arena_defer(a, defer_json, json);
	if (json_unpack(json,
		"{s:s, s:s, s:I, s:I, s:s, s:b, s:s, s:s, s:o, s:s, s:b, s:s, s:s, "
		"s:I}",
		"key", &k->key_id, "hash", &hash, "expires", &expires,
		"used", &used, "networks", &k->networks,
		"revoked", &revoked, "account", &account, "name", &k->name,
		"scopes", &scopes, "slug", &k->slug, "suspended", &suspended,
		"default_locale", &k->default_locale, "time_zone",
		&k->time_zone, "generation", &generation) == -1 ||
	    strlen(hash) != 2 * sizeof(k->hash) ||
	    text_hex_decode(hash, k->hash, sizeof(k->hash)) == -1 ||
	    uuid_parse(account, &k->account.u) == -1)
		return err_set(e, ERR_INTERNAL, "the stored key is broken");
	list_scopes(a, k, scopes);
	k->expires_ms = expires;
	k->used_ms = used;
	k->generation = generation;
	k->revoked = revoked != 0;
	k->suspended = suspended != 0;
	*key_r = k;
	return 0;
}

int
account_key_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key_id, struct account_key **key_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;
	const char *text;

	account_key_add(b, tenant, key_id);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	text = account_key_text(rows[0]);
	if (text == NULL)
		return 0;
	return account_key_from_text(a, text, strlen(text), key_r, e) == -1 ? -1
									    : 1;
}

/* ---- Accounts
 * --------------------------------------------------------------- */

static void
accounts_of(struct arena *a, const struct db_rows *r, struct account **list_r,
    size_t *count_r)
{
	int i, n = db_count(r);
	struct account *list = arena_zalloc(a, (size_t)n, sizeof(*list));

	for (i = 0; i < n; i++)
		list[i] = (struct account){
			.id = { db_uuid(r, i, 0) },
			.name = db_text(r, i, 1),
			.scopes = db_text(r, i, 2),
			.state = (enum account_state)db_int(r, i, 3),
			.version = (int)db_int(r, i, 4),
			.created_ms = db_time_ms(r, i, 5),
			.updated_ms = db_time_ms(r, i, 6),
			.networks = db_text(r, i, 7),
		};
	*list_r = list;
	*count_r = (size_t)n;
}

int
account_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct account **list_r, size_t *count_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_ACCOUNT_LIST);
	db_arg_int(b, tenant.n);
	db_arg_text(b, after);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	accounts_of(a, rows[0], list_r, count_r);
	return 0;
}

static int
one(struct arena *a, struct db *db, struct db_batch *b,
    struct account **account_r, struct err *e)
{
	struct db_rows **rows;
	struct account *list;
	size_t count;

	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	accounts_of(a, rows[0], &list, &count);
	if (count == 0)
		return 0;
	*account_r = list;
	return 1;
}

int
account_get(struct arena *a, struct db *db, struct tenant_id tenant,
    struct account_id id, struct account **account_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);

	db_add(b, Q_ACCOUNT_GET);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &id.u);
	return one(a, db, b, account_r, e);
}

int
account_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *name, struct account **account_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);

	db_add(b, Q_ACCOUNT_FIND);
	db_arg_int(b, tenant.n);
	db_arg_text(b, name);
	return one(a, db, b, account_r, e);
}

int
account_check_tenant(struct tenant_id tenant, struct err *e)
{
	if (!tenant_is_platform(tenant))
		return 0;
	return err_set(e, ERR_CONFLICT,
	    "the platform's own tenant has neither accounts nor keys: make them "
	    "in another one, with the scope \"platform\"");
}

static void
add_key(const struct editor *ed, struct db_batch *b, const struct api_key *key)
{
	db_add(b, Q_API_KEY_INSERT);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, key->id);
	db_arg_uuid(b, &key->account.u);
	db_arg_bytes(b, key->hash, sizeof(key->hash));
	db_arg_time_ms(b, key->expires_ms);
	db_arg_bool(b, key->test);
}

static int
say_taken(const struct editor *ed, const char *name, struct err *e)
{
	if (db_violates(e, "service_account_tenant_id_name_key"))
		err_set(e, ERR_CONFLICT,
		    "there is a service account \"%s\" already", name);
	return edit_abort(ed);
}

int
account_create(const struct editor *ed, struct account *account,
    struct api_key *key, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	account->id.u = uuid_make();
	db_add(b, Q_ACCOUNT_INSERT);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &account->id.u);
	db_arg_text(b, account->name);
	db_arg_text(b, account->scopes);
	db_arg_text(b, account->networks);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return say_taken(ed, account->name, e);
	b = edit_commit(ed, "account.add", account->name,
	    json_pack("{s:s, s:s*}", "scopes", account->scopes, "key",
	        key != NULL ? key->id : NULL));
	if (key != NULL) {
		key->account = account->id;
		add_key(ed, b, key);
	}
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	account->state = ACCOUNT_ACTIVE;
	account->version = 1;
	return 0;
}

static int
lock(const struct editor *ed, struct account_id id, int expected,
    const char **name_r, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_ACCOUNT_LOCK);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id.u);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1 ||
	    edit_expect(ed, rows[1], expected, "service account", e) == -1)
		return -1;
	*name_r = db_text(rows[1], 0, 1);
	return 0;
}

int
account_update(const struct editor *ed, struct account *account, struct err *e)
{
	const char *old_name;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(ed, account->id, account->version, &old_name, e) == -1)
		return -1;
	b = edit_commit(ed, "account.set", old_name,
	    json_pack("{s:s, s:s, s:s, s:b}", "name", account->name, "scopes",
	        account->scopes, "networks", account->networks, "revoked",
	        account->state == ACCOUNT_REVOKED));
	db_add(b, Q_ACCOUNT_UPDATE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &account->id.u);
	db_arg_text(b, account->name);
	db_arg_text(b, account->scopes);
	db_arg_int(b, account->state);
	db_arg_text(b, account->networks);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return say_taken(ed, account->name, e);
	account->version = (int)db_int(rows[1], 0, 0);
	return 0;
}

int
account_remove(const struct editor *ed, struct account_id id,
    int expected_version, struct err *e)
{
	const char *name;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(ed, id, expected_version, &name, e) == -1)
		return -1;
	b = edit_commit(ed, "account.remove", name, NULL);
	db_add(b, Q_ACCOUNT_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id.u);
	return db_run(ed->db, ed->a, b, &rows, e);
}

/* ---- Keys
 * -------------------------------------------------------------------- */

int
api_key_list(struct arena *a, struct db *db, struct tenant_id tenant,
    struct account_id account, struct api_key **list_r, size_t *count_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;
	struct api_key *list;
	int i, n;

	db_add(b, Q_API_KEY_LIST);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &account.u);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	list = arena_zalloc(a, (size_t)n, sizeof(*list));
	for (i = 0; i < n; i++)
		list[i] = (struct api_key){
			.id = db_text(rows[0], i, 0),
			.account = { db_uuid(rows[0], i, 1) },
			.created_ms = db_time_ms(rows[0], i, 2),
			.expires_ms = db_time_ms(rows[0], i, 3),
			.revoked_ms = db_time_ms(rows[0], i, 4),
			.used_ms = db_time_ms(rows[0], i, 5),
			.test = db_bool(rows[0], i, 6),
		};
	*list_r = list;
	*count_r = (size_t)n;
	return 0;
}

int
api_key_add(const struct editor *ed, const struct api_key *key,
    int64_t overlap_ms, struct err *e)
{
	const char *name;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(ed, key->account, 0, &name, e) == -1)
		return -1;
	b = edit_commit(ed, overlap_ms < 0 ? "key.add" : "key.rotate", key->id,
	    json_pack("{s:s}", "account", name));
	add_key(ed, b, key);
	if (overlap_ms >= 0) {
		db_add(b, Q_API_KEY_RETIRE);
		db_arg_int(b, ed->tenant.n);
		db_arg_uuid(b, &key->account.u);
		db_arg_text(b, key->id);
		db_arg_int(b, overlap_ms);
	}
	return db_run(ed->db, ed->a, b, &rows, e);
}

int
api_key_touch(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key_id, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_API_KEY_TOUCH);
	db_arg_int(b, tenant.n);
	db_arg_text(b, key_id);
	return db_run(db, a, b, &rows, e);
}

int
api_key_revoke(const struct editor *ed, const char *key_id, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_API_KEY_REVOKE);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, key_id);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[1]) == 0) {
		err_set(e, ERR_NOT_FOUND,
		    "there is no key \"%.80s\" that works", key_id);
		return edit_abort(ed);
	}
	b = edit_commit(ed, "key.revoke", key_id, NULL);
	return db_run(ed->db, ed->a, b, &rows, e);
}
