/*
 * issuers.c - /admin/issuers: whom a tenant believes access tokens from
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/issuers.h"

#include <string.h>

#include "api/app.h"
#include "api/authenticate.h"
#include "api/page.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "model/edit.h"
#include "model/issuer_store.h"
#include "net/fetch.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { SETTINGS_DEPTH = 8, WORD_MAX = 255, WORDS_MAX = 16 };

struct issuer_body {
	struct field_mask mask;
	struct uuid id;
	const char *name;
	const char *issuer;
	const char **audience;
	size_t audience_count;
	const char *jwks;
	const char **parties;
	size_t parties_count;
	const char *user_claim;
	const char **roles_claim;
	size_t roles_claim_count;
	const char **scopes_claim;
	size_t scopes_claim_count;
	const char **services;
	size_t services_count;
	const char *admin_role;
	const char *author_role;
	const char *auditor_role;
	int64_t created_at;
	int64_t updated_at;
};

#define WORDS .max = WORDS_MAX, .item_min = 1, .item_max = WORD_MAX
#define WORD .flags = FIELD_ONE_LINE, .max = WORD_MAX

static const struct field issuer_fields[] = {
	FIELD(struct issuer_body, id, UUID, .flags = FIELD_READ_ONLY,
	    .help = "Names the issuer."),
	FIELD(struct issuer_body, name, SLUG, .flags = FIELD_REQUIRED,
	    .help = "What it is called here.", .example = "\"sso\""),
	FIELD(struct issuer_body, issuer, URL, .flags = FIELD_REQUIRED,
	    .max = 1000,
	    .help = "Who signs the tokens: their claim iss, to the letter.",
	    .example = "\"https://sso.example.org/realms/shop\""),
	FIELD_LIST(struct issuer_body, audience, TEXT,
	    .flags = FIELD_REQUIRED, .min = 1, WORDS,
	    .help = "Whom the tokens must be for: one must stand in aud.",
	    .example = "[\"belfry:shop\"]"),
	FIELD(struct issuer_body, jwks, URL, .max = 1000,
	    .help = "Where the public keys are; absent: where the discovery "
	            "document of the issuer says. https only."),
	FIELD_LIST(struct issuer_body, parties, TEXT, WORDS,
	    .help = "The clients whose tokens are taken, by azp or client_id. "
	            "Empty: all."),
	FIELD(struct issuer_body, user_claim, TEXT, WORD,
	    .help = "The claim that is the person's user_id. Absent: sub."),
	FIELD_LIST(struct issuer_body, roles_claim, TEXT, WORDS,
	    .help = "The claims that hold roles, as paths.",
	    .example = "[\"realm_access.roles\"]"),
	FIELD_LIST(struct issuer_body, scopes_claim, TEXT, WORDS,
	    .help = "The claims that hold the scopes of services, as paths.",
	    .example = "[\"scope\"]"),
	FIELD_LIST(struct issuer_body, services, TEXT, WORDS,
	    .help = "The clients that are services, by azp or client_id."),
	FIELD(struct issuer_body, admin_role, TEXT, WORD,
	    .help = "What administrators are called. Absent: there are none."),
	FIELD(struct issuer_body, author_role, TEXT, WORD,
	    .help = "What authors of templates are called."),
	FIELD(struct issuer_body, auditor_role, TEXT, WORD,
	    .help = "What those are called who look at everything."),
	FIELD(struct issuer_body, created_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was made."),
	FIELD(struct issuer_body, updated_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was changed last."),
};

const struct field_table issuer_table = FIELD_TABLE("Issuer",
    struct issuer_body, issuer_fields,
    "Whom a tenant believes access tokens from.");

/* The settings as they are stored, and what stands beside them. */
static json_t *
issuer_json(struct request *rq, const struct issuer_row *row)
{
	struct issuer_body beside = {
		.id = row->id,
		.name = row->name,
		.created_at = row->created_ms,
		.updated_at = row->updated_ms,
	};
	json_t *json = fields_write(rq->a, &issuer_table, &beside), *settings;
	struct err e;

	if (js_parse(rq->a, row->settings, strlen(row->settings),
	        SETTINGS_DEPTH, &settings, &e) == 0)
		json_object_update(json, settings);
	return json;
}

static json_t *
row_json(struct request *rq, const void *row)
{
	return json_incref(issuer_json(rq, row));
}

static const char *
row_key(struct request *rq, const void *row)
{
	return ((const struct issuer_row *)row)->name;
}

static int
show(struct request *rq, struct response *rs, int status, struct uuid id,
    struct err *e)
{
	struct issuer_row *row;
	int rc = issuer_get(rq->a, app_of(rq)->db, rq->tenant, id, &row, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such issuer");
	if (rc == -1)
		return -1;
	response_etag(rs, row->version);
	return response_json(rs, status, issuer_json(rq, row));
}

int
issuers_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct issuer_row),
		.row = row_json, .key = row_key };
	struct issuer_row *list;
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    issuer_list(rq->a, app_of(rq)->db, rq->tenant, after, limit, &list,
	        &page.count, e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

int
issuers_get(struct request *rq, struct response *rs, struct err *e)
{
	struct uuid id;

	if (request_arg_uuid(rq, 0, &id, e) != 0)
		return -1;
	return show(rq, rs, 200, id, e);
}

/* What is stored: the body but for what has a column of its own. */
static int
take_body(struct request *rq, struct issuer_row *row, struct err *e)
{
	static const char *const columns[] = { "id", "name", "created_at",
		"updated_at" };
	const struct issuer_body *body = rq->body;
	json_t *settings;
	size_t i;

	if (authenticate_is_operators(rq->config, body->issuer))
		return request_refuse(rq, e, "/issuer", FIELD_ERR_NOT_ALLOWED,
		    "the operator says who this issuer is");
	if (!fetch_url_is_good(body->jwks != NULL ? body->jwks : body->issuer,
	        rq->config->network_allowed))
		return request_refuse(rq, e,
		    body->jwks != NULL ? "/jwks" : "/issuer",
		    FIELD_ERR_NOT_ALLOWED, "must be an https address of the open Internet, or of "
		    "network.allowed");
	settings = fields_write(rq->a, &issuer_table, body);
	for (i = 0; i < NELEMS(columns); i++)
		json_object_del(settings, columns[i]);
	row->name = body->name;
	row->settings = edit_json(rq->a, settings);
	return 0;
}

int
issuers_create(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	char id[UUID_TEXT_BYTES];
	struct issuer_row row;

	if (take_body(rq, &row, e) != 0 || issuer_create(&ed, &row, e) != 0)
		return -1;
	uuid_format(&row.id, id);
	response_header(rs, "Location", "%s/api/v1/admin/issuers/%s",
	    rq->config->api_url_prefix, id);
	return show(rq, rs, 201, row.id, e);
}

int
issuers_put(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct issuer_row row;

	if (request_arg_uuid(rq, 0, &row.id, e) != 0 ||
	    request_expected_version(rq, &row.version, e) != 0 ||
	    take_body(rq, &row, e) != 0 || issuer_update(&ed, &row, e) != 0)
		return -1;
	return show(rq, rs, 200, row.id, e);
}

int
issuers_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct uuid id;
	int expected;

	if (request_arg_uuid(rq, 0, &id, e) != 0 ||
	    request_expected_version(rq, &expected, e) != 0 ||
	    issuer_remove(&ed, id, expected, e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}
