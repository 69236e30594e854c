/*
 * service_accounts.c - /admin/service-accounts
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/service_accounts.h"

#include <string.h>

#include "api/app.h"
#include "api/page.h"
#include "auth/apikey.h"
#include "auth/scope.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/network.h"
#include "model/account.h"
#include "model/edit.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { WORDS_BYTES_MAX = 8192 };

#define DAY_MS INT64_C(86400000)

struct key_view {
	struct field_mask mask;
	const char *id;
	bool test;
	int64_t created_at;
	int64_t expires_at;
	int64_t last_used_at;
	int64_t revoked_at;
};

static const struct field key_fields[] = {
	FIELD(struct key_view, id, TEXT, .help = "Its public part."),
	FIELD(struct key_view, test, BOOL,
	    .help = "Whether what it sends goes to simulators alone."),
	FIELD(struct key_view, created_at, TIME, .help = "When it was made."),
	FIELD(struct key_view, expires_at, TIME, .flags = FIELD_NULLABLE,
	    .help = "Until when it works; null: for ever."),
	FIELD(struct key_view, last_used_at, TIME, .flags = FIELD_NULLABLE,
	    .help = "When it was used last, to the hour."),
	FIELD(struct key_view, revoked_at, TIME, .flags = FIELD_NULLABLE,
	    .help = "When it was taken out of service."),
};

static const struct field_table key_table = FIELD_TABLE("ApiKey",
    struct key_view, key_fields, "A key of a service account.");

static const char *const states[] = { "active", "revoked", NULL };

struct account_body {
	struct field_mask mask;
	struct uuid id;
	const char *name;
	int *scopes;
	size_t scopes_count;
	int state;
	const char **networks;
	size_t networks_count;
	int64_t expires_in;
	bool test;
	const char *key;
	struct key_view *keys;
	size_t keys_count;
	int64_t created_at;
	int64_t updated_at;
};

static const struct field account_fields[] = {
	FIELD(struct account_body, id, UUID, .flags = FIELD_READ_ONLY,
	    .help = "Names the account."),
	FIELD(struct account_body, name, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1, .max = 200,
	    .help = "What people call it; unique in the tenant.",
	    .example = "\"shop\""),
	FIELD_LIST(struct account_body, scopes, ENUM, .words = scope_names,
	    .flags = FIELD_REQUIRED | FIELD_UNIQUE, .min = 1, .max = 64,
	    .help = "What it may do.", .example = "[\"notifications:send\"]"),
	FIELD(struct account_body, state, ENUM, .words = states,
	    .help = "A revoked account's keys do not work. Absent: as it is; a "
	            "new one is active."),
	FIELD_LIST(struct account_body, networks, TEXT, .max = 64,
	    .item_min = 2, .item_max = 64,
	    .help = "From where it may come: addresses and networks. Empty: "
	            "anywhere.",
	    .example = "[\"192.0.2.0/24\"]"),
	FIELD(struct account_body, expires_in, DURATION,
	    .flags = FIELD_WRITE_ONLY, .min = 1000, .max = 3650 * DAY_MS,
	    .help = "How long the first key works. Absent: for ever."),
	FIELD(struct account_body, test, BOOL, .flags = FIELD_WRITE_ONLY,
	    .help = "Makes the first key a test key: what it sends goes to "
	            "simulators alone."),
	FIELD(struct account_body, key, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "The new key: shown once, when it was made."),
	FIELD_SUBS(struct account_body, keys, &key_table,
	    .flags = FIELD_READ_ONLY, .max = 1000,
	    .help = "Its keys, the newest first."),
	FIELD(struct account_body, created_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was made."),
	FIELD(struct account_body, updated_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was changed last."),
};

const struct field_table service_account_table = FIELD_TABLE("ServiceAccount",
    struct account_body, account_fields, "A program that uses the API.");

struct rotate_body {
	struct field_mask mask;
	int64_t overlap;
	int64_t expires_in;
	bool test;
};

static const struct field rotate_fields[] = {
	FIELD(struct rotate_body, overlap, DURATION, .flags = FIELD_DEFAULT,
	    .def = DAY_MS, .min = 0, .max = 365 * DAY_MS,
	    .help = "How long the other keys go on working."),
	FIELD(struct rotate_body, expires_in, DURATION, .min = 1000,
	    .max = 3650 * DAY_MS,
	    .help = "How long the new key works. Absent: for ever."),
	FIELD(struct rotate_body, test, BOOL,
	    .help = "Whether it is a test key: what it sends goes to simulators "
	            "alone, and the other keys stay as they are."),
};

const struct field_table rotate_table = FIELD_TABLE("KeyRotation",
    struct rotate_body, rotate_fields, "How keys take turns.");

/* ---- Showing --------------------------------------------------------------------- */

static void
list_scopes(struct arena *a, const char *text, struct account_body *body)
{
	size_t i, len;

	body->scopes = arena_zalloc(a, SCOPE_COUNT, sizeof(*body->scopes));
	for (; *text != '\0'; text += len, text += strspn(text, " ")) {
		len = strcspn(text, " ");
		for (i = 0; i < SCOPE_COUNT; i++)
			if (strlen(scope_names[i]) == len &&
			    memcmp(scope_names[i], text, len) == 0 &&
			    body->scopes_count < SCOPE_COUNT)
				body->scopes[body->scopes_count++] = (int)i;
	}
}

static void
list_networks(struct arena *a, const char *text, struct account_body *body)
{
	size_t len;

	body->networks = arena_zalloc(a, strlen(text) / 2 + 1,
	    sizeof(*body->networks));
	for (; *text != '\0'; text += len, text += strspn(text, " ")) {
		len = strcspn(text, " ");
		body->networks[body->networks_count++] =
		    arena_strndup(a, text, len);
	}
}

static struct account_body
body_of(struct request *rq, const struct account *account)
{
	struct account_body body = {
		.id = account->id.u,
		.name = account->name,
		.state = (int)account->state - 1,
		.created_at = account->created_ms,
		.updated_at = account->updated_ms,
	};

	list_scopes(rq->a, account->scopes, &body);
	list_networks(rq->a, account->networks, &body);
	return body;
}

static json_t *
row_json(struct request *rq, const void *row)
{
	struct account_body body = body_of(rq, row);

	return json_incref(fields_write(rq->a, &service_account_table, &body));
}

static const char *
row_key(struct request *rq, const void *row)
{
	return ((const struct account *)row)->name;
}

/* The account of an id: 0, or -1. */
static int
get(struct request *rq, struct account_id id, struct account **account_r,
    struct err *e)
{
	int rc = account_get(rq->a, app_of(rq)->db, rq->tenant, id, account_r,
	    e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such service account");
	return rc == 1 ? 0 : -1;
}

static int
list_keys(struct request *rq, struct account_id id, struct account_body *body,
    struct err *e)
{
	struct api_key *keys;
	size_t i;

	if (api_key_list(rq->a, app_of(rq)->db, rq->tenant, id, &keys,
	        &body->keys_count, e) != 0)
		return -1;
	body->keys = arena_zalloc(rq->a, body->keys_count + 1,
	    sizeof(*body->keys));
	for (i = 0; i < body->keys_count; i++)
		body->keys[i] = (struct key_view){
			.id = keys[i].id,
			.created_at = keys[i].created_ms,
			.test = keys[i].test,
			.expires_at = keys[i].expires_ms,
			.last_used_at = keys[i].used_ms,
			.revoked_at = keys[i].revoked_ms,
		};
	return 0;
}

/* Writes what is stored now, with a key that was just made. */
static int
show(struct request *rq, struct response *rs, int status, struct account_id id,
    const char *key, struct err *e)
{
	struct account *account;
	struct account_body body;

	if (get(rq, id, &account, e) != 0)
		return -1;
	body = body_of(rq, account);
	body.key = key;
	if (list_keys(rq, id, &body, e) != 0)
		return -1;
	response_etag(rs, account->version);
	response_secret(rs, "key");
	return response_record(rs, status, &service_account_table, &body);
}

int
service_accounts_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct account),
		.row = row_json, .key = row_key };
	struct account *list;
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    account_list(rq->a, app_of(rq)->db, rq->tenant, after, limit, &list,
	        &page.count, e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

int
service_accounts_get(struct request *rq, struct response *rs, struct err *e)
{
	struct account_id id;

	if (request_arg_uuid(rq, 0, &id.u, e) != 0)
		return -1;
	return show(rq, rs, 200, id, NULL, e);
}

/* ---- Changing -------------------------------------------------------------------- */

static uint64_t
set_of(const struct account_body *body)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < body->scopes_count; i++)
		set |= scope_set(&scope_names[body->scopes[i]], 1);
	return set;
}

/* What is there already must not go beyond the caller either: its keys would open it. */
static int
check_reach(struct request *rq, const struct account *account, struct err *e)
{
	struct account_body body = body_of(rq, account);

	if ((set_of(&body) & ~rq->scopes) == 0)
		return 0;
	return err_set(e, ERR_FORBIDDEN,
	    "the account may do more than the credentials");
}

static const char *
words_of(struct request *rq, const char *const *words, size_t count)
{
	struct buf *text = buf_new(rq->a, WORDS_BYTES_MAX);
	size_t i;

	for (i = 0; i < count; i++)
		buf_printf(text, "%s%s", i > 0 ? " " : "", words[i]);
	return text->data;
}

static int
take_body(struct request *rq, const struct account_body *body,
    struct account *account, struct err *e)
{
	const char *words[SCOPE_COUNT];
	struct network n;
	size_t i;

	for (i = 0; i < body->scopes_count; i++) {
		words[i] = scope_names[body->scopes[i]];
		if (body->scopes[i] == SCOPE_ME ||
		    (scope_set(&words[i], 1) & ~rq->scopes) != 0)
			return request_refuse(rq, e,
			    arena_printf(rq->a, "/scopes/%zu", i),
			    FIELD_ERR_NOT_ALLOWED,
			    "is not yours to give away");
	}
	for (i = 0; i < body->networks_count; i++)
		if (network_parse(body->networks[i], true, &n) != 0)
			return request_refuse(rq, e,
			    arena_printf(rq->a, "/networks/%zu", i),
			    FIELD_ERR_MALFORMED,
			    "must be an address or a network");
	account->name = body->name;
	if (fields_given(&service_account_table, body, &body->state))
		account->state = (enum account_state)(body->state + 1);
	account->scopes = words_of(rq, words, body->scopes_count);
	account->networks = words_of(rq, body->networks,
	    body->networks_count);
	return 0;
}

/* Makes a key; its text is shown once and kept nowhere. */
static const char *
make_key(struct request *rq, int64_t expires_in_ms, bool test,
    struct api_key *key_r)
{
	struct apikey *made = arena_object(rq->a, struct apikey);
	const char *text = apikey_make(rq->a, app_of(rq)->ring, rq->tenant,
	    test, made);

	*key_r = (struct api_key){ .id = made->id, .test = test,
		.expires_ms = expires_in_ms != 0 ?
		    clock_wall_ms() + expires_in_ms :
		    0 };
	memcpy(key_r->hash, made->hash, sizeof(key_r->hash));
	return text;
}

int
service_accounts_create(struct request *rq, struct response *rs, struct err *e)
{
	const struct account_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct account account = { .name = NULL };
	char id[UUID_TEXT_BYTES];
	struct api_key key;
	const char *text;

	if (account_check_tenant(rq->tenant, e) != 0 ||
	    take_body(rq, body, &account, e) != 0)
		return -1;
	text = make_key(rq, body->expires_in, body->test, &key);
	if (account_create(&ed, &account, &key, e) != 0)
		return -1;
	uuid_format(&account.id.u, id);
	response_header(rs, "Location", "%s/api/v1/admin/service-accounts/%s",
	    rq->config->api_url_prefix, id);
	return show(rq, rs, 201, account.id, text, e);
}

/* Stores a body in place of what the account is. */
static int
replace(struct request *rq, struct response *rs, struct account *account,
    const struct account_body *body, int version, struct err *e)
{
	struct editor ed = app_editor(rq);
	int expected;

	if (request_expected_version(rq, &expected, e) != 0 ||
	    check_reach(rq, account, e) != 0 ||
	    take_body(rq, body, account, e) != 0)
		return -1;
	account->version = expected != 0 ? expected : version;
	if (account_update(&ed, account, e) != 0)
		return -1;
	return show(rq, rs, 200, account->id, NULL, e);
}

static int
find(struct request *rq, struct account **account_r, struct err *e)
{
	struct account_id id;

	if (request_arg_uuid(rq, 0, &id.u, e) != 0)
		return -1;
	return get(rq, id, account_r, e);
}

int
service_accounts_put(struct request *rq, struct response *rs, struct err *e)
{
	const struct account_body *body = rq->body;
	struct account *account;

	if (find(rq, &account, e) != 0)
		return -1;
	/* What the body is silent about was read with the version. */
	return replace(rq, rs, account, body,
	    fields_given(&service_account_table, body, &body->state) ?
	        0 :
	        account->version, e);
}

int
service_accounts_patch(struct request *rq, struct response *rs, struct err *e)
{
	struct account *account;
	struct account_body body;
	json_t *now;

	if (find(rq, &account, e) != 0)
		return -1;
	body = body_of(rq, account);
	now = fields_write(rq->a, &service_account_table, &body);
	if (fields_read(rq->a, js_merge_patch(rq->a, now, rq->json),
	        &service_account_table, &body, &rq->errors) != 0)
		return request_faulty(rq, e);
	return replace(rq, rs, account, &body, account->version, e);
}

int
service_accounts_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct account *account;
	int expected;

	if (request_expected_version(rq, &expected, e) != 0 ||
	    find(rq, &account, e) != 0 || check_reach(rq, account, e) != 0 ||
	    account_remove(&ed, account->id, expected, e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}

/* ---- Keys ------------------------------------------------------------------------ */

int
service_accounts_rotate(struct request *rq, struct response *rs, struct err *e)
{
	static const struct rotate_body nothing = { .overlap = DAY_MS };
	const struct rotate_body *body = rq->body != NULL ? rq->body : &nothing;
	struct editor ed = app_editor(rq);
	struct account *account;
	struct api_key key;
	const char *text;

	if (find(rq, &account, e) != 0 || check_reach(rq, account, e) != 0)
		return -1;
	text = make_key(rq, body->expires_in, body->test, &key);
	key.account = account->id;
	if (api_key_add(&ed, &key, body->test ? -1 : body->overlap, e) !=
	    0)
		return -1;
	return show(rq, rs, 200, account->id, text, e);
}

int
service_accounts_revoke(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct account *account;
	struct api_key *keys;
	size_t count, i;

	if (find(rq, &account, e) != 0 || check_reach(rq, account, e) != 0 ||
	    api_key_list(rq->a, app_of(rq)->db, rq->tenant, account->id, &keys,
	        &count, e) != 0)
		return -1;
	for (i = 0; i < count && strcmp(keys[i].id, rq->args[1]) != 0;)
		i++;
	if (i == count)
		return err_set(e, ERR_NOT_FOUND, "there is no such key");
	if (api_key_revoke(&ed, keys[i].id, e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}
