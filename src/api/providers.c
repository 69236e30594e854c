/*
 * providers.c - /admin/providers: accounts at providers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/providers.h"

#include <string.h>

#include "api/app.h"
#include "api/page.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/channel.h"
#include "model/edit.h"
#include "model/provider_account.h"
#include "model/provider_share.h"
#include "notify/health_report.h"
#include "provider/limits.h"
#include "provider/maildir.h"
#include "provider/provider.h"
#include "provider/settings.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { SETTINGS_DEPTH_MAX = 64 };

struct provider_body {
	struct field_mask mask;
	struct uuid id;
	const char *name;
	const char *kind;
	int channel;
	int state;
	int64_t priority;
	int64_t weight;
	json_t *settings;
	const struct account_limits *limits;
	bool shared;
	const char **allowed;
	size_t allowed_count;
	int64_t created_at;
	int64_t updated_at;
};

/* In the order of enum provider_state, which counts from 1. */
static const char *const states[] = { "enabled", "disabled", "parked", NULL };

static const struct field provider_fields[] = {
	FIELD(struct provider_body, id, UUID, .flags = FIELD_READ_ONLY,
	    .help = "Belfry's name for the account."),
	FIELD(struct provider_body, name, SLUG, .flags = FIELD_REQUIRED,
	    .help = "A name that no other account of the tenant has.",
	    .example = "\"mail-relay\""),
	FIELD(struct provider_body, kind, SLUG, .flags = FIELD_REQUIRED,
	    .help = "The kind of provider; it cannot be changed.",
	    .example = "\"smtp\""),
	FIELD(struct provider_body, channel, ENUM, .words = channel_names,
	    .flags = FIELD_READ_ONLY, .help = "What it delivers by."),
	FIELD(struct provider_body, state, ENUM, .words = states,
	    .flags = FIELD_DEFAULT, .def = PROVIDER_ENABLED - 1,
	    .help = "Belfry parks an account whose credentials are refused."),
	FIELD(struct provider_body, priority, INT, .min = 0, .max = 1000,
	    .flags = FIELD_DEFAULT, .def = 10,
	    .help = "The account with the lowest goes first."),
	FIELD(struct provider_body, weight, INT, .min = 1, .max = 1000,
	    .flags = FIELD_DEFAULT, .def = 1,
	    .help = "Of accounts of the same priority one with twice the weight "
	            "gets twice as much."),
	FIELD(struct provider_body, settings, JSON, .flags = FIELD_REQUIRED,
	    .help = "What the kind asks for; secrets are taken, never shown."),
	FIELD_SUB(struct provider_body, limits, &account_limits_table,
	    .help = "How much it is given at once, a second and a day."),
	FIELD(struct provider_body, shared, BOOL, .flags = FIELD_READ_ONLY,
	    .help = "It is an account of the platform, of which the tenant has but "
	            "state, priority, weight and, in settings, the sender."),
	FIELD_LIST(struct provider_body, allowed, TEXT, .flags = FIELD_READ_ONLY,
	    .max = PROVIDER_ALLOWED_MAX, .item_max = PROVIDER_ALLOWED_CHARS,
	    .help = "Of such an account: the domains and addresses that the tenant "
	            "may send as."),
	FIELD(struct provider_body, created_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was made."),
	FIELD(struct provider_body, updated_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was changed last."),
};

const struct field_table provider_body_table = FIELD_TABLE("Provider",
    struct provider_body, provider_fields, "An account at a provider.");

static void
set_allowed(struct arena *a, const struct provider_account *p,
    struct provider_body *body)
{
	json_t *list, *one;
	struct err e;
	size_t i;

	if (p->allowed == NULL || js_parse(a, p->allowed, strlen(p->allowed),
	                              SETTINGS_DEPTH_MAX, &list, &e) == -1)
		return;
	body->allowed = arena_zalloc(a, json_array_size(list),
	    sizeof(*body->allowed));
	json_array_foreach(list, i, one)
		body->allowed[body->allowed_count++] = json_string_value(one);
}

/* The account as the API shows it: without secrets, since they lie elsewhere. */
static json_t *
account_json(struct request *rq, const struct provider_account *p)
{
	struct provider_body body = {
		.id = p->id.u,
		.name = p->name,
		.kind = p->kind,
		.channel = (int)p->channel - 1,
		.state = (int)p->state - 1,
		.priority = p->priority,
		.weight = p->weight,
		.limits = provider_account_is_shared(p) ? NULL
		                                        : limits_of(rq->a, p),
		.shared = provider_account_is_shared(p),
		.created_at = p->created_ms,
		.updated_at = p->updated_ms,
	};
	struct err e;

	if (js_parse(rq->a, p->settings, strlen(p->settings),
	        SETTINGS_DEPTH_MAX, &body.settings, &e) != 0)
		body.settings = js_keep(rq->a, json_object());
	set_allowed(rq->a, p, &body);
	return fields_write(rq->a, &provider_body_table, &body);
}

static json_t *
row_json(struct request *rq, const void *row)
{
	return json_incref(account_json(rq, row));
}

static const char *
row_key(struct request *rq, const void *row)
{
	return ((const struct provider_account *)row)->name;
}

static int
no_provider(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such provider");
}

/* The account of {id}: 0, or -1. */
static int
find(struct request *rq, struct provider_account **p_r, struct err *e)
{
	struct provider_id id;
	int rc;

	if (request_arg_uuid(rq, 0, &id.u, e) != 0)
		return -1;
	rc = provider_account_get(rq->a, app_of(rq)->db, rq->tenant, id, p_r,
	    e);
	return rc == 0 ? no_provider(e) : rc == 1 ? 0 : -1;
}

/* Writes what is stored now. */
static int
show(struct request *rq, struct response *rs, int status,
    struct provider_id id, struct err *e)
{
	struct provider_account *p;
	int rc;

	rc = provider_account_get(rq->a, app_of(rq)->db, rq->tenant, id, &p, e);
	if (rc != 1)
		return rc == 0 ? no_provider(e) : -1;
	response_etag(rs, p->version);
	return response_json(rs, status, account_json(rq, p));
}

int
providers_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct provider_account),
		.row = row_json, .key = row_key };
	struct provider_account *list;
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    provider_account_list(rq->a, app_of(rq)->db, rq->tenant, after,
	        limit, &list, &page.count, e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

static int
take_limits(struct request *rq, const struct provider_body *body,
    struct provider_account *p, struct err *e)
{
	size_t before = rq->errors.count;
	json_t *json = NULL;

	if (body->limits != NULL)
		json = fields_write(rq->a, &account_limits_table, body->limits);
	if (limits_set(rq->a, json, p, &rq->errors, e) == 0)
		return 0;
	field_errors_prefix(&rq->errors, before, "/limits");
	return request_faulty(rq, e);
}

/* The setting of that name of settings as they are stored, or NULL. */
static const char *
directory_of(struct arena *a, const char *settings)
{
	json_t *json;
	struct err e;

	if (settings == NULL || js_parse(a, settings, strlen(settings),
	                            SETTINGS_DEPTH_MAX, &json, &e) == -1)
		return NULL;
	return json_string_value(json_object_get(json, "directory"));
}

/* What belongs to the platform stays as it is. */
static int
check_shared(struct request *rq, const struct provider_body *body,
    const struct provider_account *p, struct err *e)
{
	if (strcmp(body->name, p->name) != 0)
		return request_refuse(rq, e, "/name", FIELD_ERR_NOT_ALLOWED,
		    "the platform named it");
	if (body->limits != NULL && body->limits->mask.given != 0)
		return request_refuse(rq, e, "/limits", FIELD_ERR_NOT_ALLOWED,
		    "the platform limits it");
	return 0;
}

/* A tenant's Maildirs are in a directory of its own, or where the operator put them
 * by belfryctl: others' mail lies beside it. */
static int
check_maildir(struct request *rq, const char *before,
    const struct provider_account *p, struct err *e)
{
	const char *directory = directory_of(rq->a, p->settings);
	const char *old = directory_of(rq->a, before);

	if (strcmp(p->kind, maildir_ops.kind) != 0 || directory == NULL ||
	    principal_may(rq->principal, SCOPE_PLATFORM) ||
	    (old != NULL && strcmp(directory, old) == 0) ||
	    maildir_is_of(directory, rq->principal->tenant_slug))
		return 0;
	return request_refuse(rq, e, "/settings/directory",
	    FIELD_ERR_NOT_ALLOWED, "must be \"%s/%s\" or below it",
	    rq->config->maildir_base, rq->principal->tenant_slug);
}

/* Checks and seals the settings of a body into the account; faults point into the
 * body. */
static int
take_body(struct request *rq, const struct provider_body *body,
    json_t *settings, struct provider_account *p, struct err *e)
{
	size_t before = rq->errors.count;
	const char *stored = p->settings;

	if (provider_account_is_shared(p) && check_shared(rq, body, p, e) != 0)
		return -1;
	p->name = body->name;
	p->priority = (int)body->priority;
	p->weight = (int)body->weight;
	if (body->state + 1 == PROVIDER_PARKED && p->state != PROVIDER_PARKED)
		return request_refuse(rq, e, "/state", FIELD_ERR_NOT_ALLOWED,
		    "an account is parked by Belfry alone");
	p->state = (enum provider_state)(body->state + 1);
	if (take_limits(rq, body, p, e) != 0)
		return -1;
	if (provider_ops_find(p->kind) == NULL)
		return request_refuse(rq, e, "/kind", FIELD_ERR_NOT_FOUND,
		    "there is no such kind of provider");
	if (settings_seal(rq->a, app_of(rq)->ring, settings, p, &rq->errors,
	        e) == 0)
		return check_maildir(rq, stored, p, e);
	field_errors_prefix(&rq->errors, before, "/settings");
	if (e->kind == ERR_UNPROCESSABLE && rq->errors.count == before)
		return request_refuse(rq, e, "/settings", FIELD_ERR_CONFLICTING,
		    "%s", arena_strdup(rq->a, e->text));
	return e->kind == ERR_UNPROCESSABLE ? request_faulty(rq, e) : -1;
}

static int
name_taken(struct err *e)
{
	if (e->kind == ERR_CONFLICT)
		err_set(e, ERR_CONFLICT,
		    "another provider has this name already");
	return -1;
}

int
providers_create(struct request *rq, struct response *rs, struct err *e)
{
	const struct provider_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct provider_account p = { .tenant = rq->tenant,
		.id = { uuid_make() }, .kind = body->kind };
	char id[UUID_TEXT_BYTES];

	if (take_body(rq, body, body->settings, &p, e) != 0)
		return -1;
	if (provider_account_create(&ed, &p, e) != 0)
		return name_taken(e);
	uuid_format(&p.id.u, id);
	response_header(rs, "Location", "%s/api/v1/admin/providers/%s",
	    rq->config->api_url_prefix, id);
	return show(rq, rs, 201, p.id, e);
}

int
providers_get(struct request *rq, struct response *rs, struct err *e)
{
	struct provider_account *p;

	if (find(rq, &p, e) != 0)
		return -1;
	response_etag(rs, p->version);
	return response_json(rs, 200, account_json(rq, p));
}

/* Stores a body in place of what the account is.  If-Match goes before the version
 * that p->version expects. */
static int
replace(struct request *rq, struct provider_account *p,
    const struct provider_body *body, json_t *settings, struct err *e)
{
	struct editor ed = app_editor(rq);
	int expected;

	if (request_expected_version(rq, &expected, e) != 0)
		return -1;
	if (strcmp(body->kind, p->kind) != 0)
		return request_refuse(rq, e, "/kind", FIELD_ERR_NOT_ALLOWED,
		    "the kind of an account cannot be changed");
	if (take_body(rq, body, settings, p, e) != 0)
		return -1;
	if (expected != 0)
		p->version = expected;
	if (provider_account_update(&ed, p, e) != 0)
		return name_taken(e);
	return 0;
}

int
providers_put(struct request *rq, struct response *rs, struct err *e)
{
	const struct provider_body *body = rq->body;
	struct provider_account *p;

	if (find(rq, &p, e) != 0)
		return -1;
	/* What the tenant may set of the platform's account was read with it. */
	if (!provider_account_is_shared(p))
		p->version = 0;
	if (replace(rq, p, body, body->settings, e) != 0)
		return -1;
	return show(rq, rs, 200, p->id, e);
}

int
providers_patch(struct request *rq, struct response *rs, struct err *e)
{
	struct provider_account *p;
	struct provider_body body;
	json_t *whole, *now;

	if (find(rq, &p, e) != 0 ||
	    settings_whole(rq->a, app_of(rq)->ring, p, &whole, e) != 0)
		return -1;
	now = account_json(rq, p);
	json_object_set(now, "settings", whole);
	if (fields_read(rq->a, js_merge_patch(rq->a, now, rq->json),
	        &provider_body_table, &body, &rq->errors) != 0)
		return request_faulty(rq, e);
	if (replace(rq, p, &body, body.settings, e) != 0)
		return -1;
	return show(rq, rs, 200, p->id, e);
}

int
providers_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct provider_account *p;
	int expected;

	if (find(rq, &p, e) != 0 ||
	    request_expected_version(rq, &expected, e) != 0)
		return -1;
	if (provider_account_is_shared(p))
		return err_set(e, ERR_FORBIDDEN,
		    "the platform gave it, and only the platform takes it away");
	if (provider_account_remove(&ed, p->id, expected, e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}

static int
set_state(struct request *rq, struct response *rs, enum provider_state state,
    struct err *e)
{
	struct editor ed = app_editor(rq);
	struct provider_id id;
	int expected;

	if (request_arg_uuid(rq, 0, &id.u, e) != 0 ||
	    request_expected_version(rq, &expected, e) != 0 ||
	    provider_account_set_state(&ed, id, expected, state, e) != 0)
		return -1;
	return show(rq, rs, 200, id, e);
}

int
providers_health(struct request *rq, struct response *rs, struct err *e)
{
	struct health_question q = { .recovery_ms = rq->config->retry_recovery };
	struct provider_account *p;
	json_t *report;

	if (find(rq, &p, e) != 0)
		return -1;
	q.account = p;
	if (health_report(rq->a, app_of(rq)->db, &q, &report, e) != 0)
		return -1;
	return response_json(rs, 200, report);
}

int
providers_enable(struct request *rq, struct response *rs, struct err *e)
{
	return set_state(rq, rs, PROVIDER_ENABLED, e);
}

int
providers_disable(struct request *rq, struct response *rs, struct err *e)
{
	return set_state(rq, rs, PROVIDER_DISABLED, e);
}

int
provider_kinds(struct request *rq, struct response *rs, struct err *e)
{
	const struct provider_ops *const *kinds;
	json_t *answer = js_keep(rq->a, json_object()), *data = json_array();
	json_t *schemas = json_object(), *kind;
	size_t i, count;

	kinds = provider_ops_all(&count);
	for (i = 0; i < count; i++) {
		if (kinds[i] == NULL)
			continue;
		kind = json_object();
		json_object_set_new(kind, "kind", json_string(kinds[i]->kind));
		json_object_set_new(kind, "channel",
		    json_string(channel_name((int)kinds[i]->channel)));
		json_object_set_new(kind, "summary",
		    json_string(kinds[i]->summary));
		json_decref(fields_schema(kinds[i]->settings, schemas));
		json_object_set(kind, "settings",
		    json_object_get(schemas, kinds[i]->settings->name));
		json_array_append_new(data, kind);
	}
	json_decref(schemas);
	json_object_set_new(answer, "data", data);
	return response_json(rs, 200, answer);
}
