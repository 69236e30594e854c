/*
 * tenants.c - /admin/tenants: tenants and their settings
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A tenant and its settings are one row with one version, so they share their ETag.
 */
#include "api/tenants.h"

#include <string.h>

#include "api/app.h"
#include "api/page.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "model/edit.h"
#include "model/tenant.h"
#include "model/tenant_deletion.h"
#include "notify/tenant_settings.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

struct tenant_body {
	struct field_mask mask;
	const char *slug;
	const char *name;
	int state;
	bool test;
	int64_t weight;
	const char *default_locale;
	const char *time_zone;
	int64_t created_at;
	int64_t updated_at;
};

static const struct field tenant_fields[] = {
	FIELD(struct tenant_body, slug, SLUG, .flags = FIELD_REQUIRED,
	    .help = "The tenant's name in paths and tokens; it cannot be "
	            "changed.",
	    .example = "\"shop\""),
	FIELD(struct tenant_body, name, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1, .max = 200,
	    .help = "What people call it.", .example = "\"The Shop\""),
	FIELD(struct tenant_body, state, ENUM, .words = tenant_state_names,
	    .flags = FIELD_READ_ONLY,
	    .help = "Of a suspended one keys are refused and deliveries wait."),
	FIELD(struct tenant_body, test, BOOL,
	    .help = "Nothing but simulators ever sends for it. Platform "
	            "administrators set it."),
	FIELD(struct tenant_body, weight, INT, .min = 1, .max = 1000,
	    .flags = FIELD_DEFAULT, .def = 1,
	    .help = "Its share when there is more work than can be done. "
	            "Platform administrators set it."),
	FIELD(struct tenant_body, default_locale, LOCALE, .flags = FIELD_DEFAULT,
	    .def_text = "en",
	    .help = "The locale of recipients who have none."),
	FIELD(struct tenant_body, time_zone, ZONE, .flags = FIELD_DEFAULT,
	    .def_text = "UTC",
	    .help = "The time zone of recipients who have none.",
	    .example = "\"Europe/Vienna\""),
	FIELD(struct tenant_body, created_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was made."),
	FIELD(struct tenant_body, updated_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was changed last."),
};

const struct field_table tenant_table = FIELD_TABLE("Tenant",
    struct tenant_body, tenant_fields, "A tenant.");

/* ---- What is there ---------------------------------------------------------------- */

static int
no_tenant(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such tenant");
}

static bool
is_platform(const struct request *rq)
{
	return principal_may(rq->principal, SCOPE_PLATFORM);
}

static int
find(struct request *rq, const char *slug, struct tenant **t_r, struct err *e)
{
	int rc = tenant_find(rq->a, app_of(rq)->db, slug, t_r, e);

	return rc == 0 ? no_tenant(e) : rc == 1 ? 0 : -1;
}

int
tenants_find(struct request *rq, struct tenant **t_r, struct err *e)
{
	const char *own = rq->principal->tenant_slug;

	if (!is_platform(rq) && (own == NULL || strcmp(rq->args[0], own) != 0))
		return no_tenant(e);
	return find(rq, rq->args[0], t_r, e);
}

static json_t *
tenant_json(struct request *rq, const struct tenant *t)
{
	struct tenant_body body = {
		.slug = t->slug,
		.name = t->name,
		.state = (int)t->state - 1,
		.test = t->test,
		.weight = t->weight,
		.default_locale = t->default_locale,
		.time_zone = t->time_zone,
		.created_at = t->created_ms,
		.updated_at = t->updated_ms,
	};

	return fields_write(rq->a, &tenant_table, &body);
}

static json_t *
row_json(struct request *rq, const void *row)
{
	return json_incref(tenant_json(rq, row));
}

static const char *
row_key(struct request *rq, const void *row)
{
	(void)rq;
	return ((const struct tenant *)row)->slug;
}

int
tenants_show(struct request *rq, struct response *rs, int status,
    const char *slug, struct err *e)
{
	struct tenant *t;

	if (find(rq, slug, &t, e) != 0)
		return -1;
	response_etag(rs, t->version);
	return response_json(rs, status, tenant_json(rq, t));
}

int
tenants_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct tenant),
		.row = row_json, .key = row_key };
	struct tenant *list;
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    tenant_list(rq->a, app_of(rq)->db, after, limit, &list,
	        &page.count, e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

int
tenants_get(struct request *rq, struct response *rs, struct err *e)
{
	struct tenant *t;

	if (tenants_find(rq, &t, e) != 0)
		return -1;
	response_etag(rs, t->version);
	return response_json(rs, 200, tenant_json(rq, t));
}

/* ---- Changes ------------------------------------------------------------------------ */

int
tenants_create(struct request *rq, struct response *rs, struct err *e)
{
	const struct tenant_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct tenant t = {
		.slug = body->slug,
		.name = body->name,
		.test = body->test,
		.weight = (int)body->weight,
		.default_locale = body->default_locale,
		.time_zone = body->time_zone,
	};

	if (tenant_create(&ed, &t, e) != 0)
		return -1;
	response_header(rs, "Location", "%s/api/v1/admin/tenants/%s",
	    rq->config->api_url_prefix, t.slug);
	return tenants_show(rq, rs, 201, t.slug, e);
}

/* Writes what became of the tenant, which was read in the version t->version. */
static int
store(struct request *rq, struct tenant *t, json_t *changed, struct err *e)
{
	struct editor ed = app_editor(rq);
	int expected;

	if (request_expected_version(rq, &expected, e) != 0) {
		json_decref(changed);
		return -1;
	}
	if (expected != 0)
		t->version = expected;
	return tenant_update(&ed, t, changed, e);
}

/* The names of the members in which two objects differ. */
static json_t *
changed_in(const char *what, json_t *before, json_t *after)
{
	json_t *names = json_array(), *value;
	const char *name;

	json_object_foreach(after, name, value)
		if (!json_equal(value, json_object_get(before, name)))
			json_array_append_new(names, json_string(name));
	json_object_foreach(before, name, value)
		if (json_object_get(after, name) == NULL)
			json_array_append_new(names, json_string(name));
	return json_pack("{s:o}", what, names);
}

/* What its own administrators may not change: a share of what belongs to all, and
 * whether anything goes out. */
static int
check_body(struct request *rq, const struct tenant *t,
    const struct tenant_body *body, struct err *e)
{
	static const char no[] = "platform administrators alone change it";

	if (strcmp(body->slug, t->slug) != 0)
		return request_refuse(rq, e, "/slug", FIELD_ERR_NOT_ALLOWED,
		    "it cannot be changed");
	if (is_platform(rq))
		return 0;
	if (body->test != t->test)
		return request_refuse(rq, e, "/test", FIELD_ERR_NOT_ALLOWED, no);
	if (body->weight != t->weight)
		return request_refuse(rq, e, "/weight", FIELD_ERR_NOT_ALLOWED,
		    no);
	return 0;
}

static int
replace(struct request *rq, struct response *rs, struct tenant *t,
    const struct tenant_body *body, struct err *e)
{
	json_t *before = tenant_json(rq, t);

	if (check_body(rq, t, body, e) != 0)
		return -1;
	t->name = body->name;
	t->test = body->test;
	t->weight = (int)body->weight;
	t->default_locale = body->default_locale;
	t->time_zone = body->time_zone;
	if (store(rq, t, changed_in("tenant", before, tenant_json(rq, t)),
	        e) != 0)
		return -1;
	return tenants_show(rq, rs, 200, t->slug, e);
}

int
tenants_put(struct request *rq, struct response *rs, struct err *e)
{
	struct tenant *t;

	if (tenants_find(rq, &t, e) != 0)
		return -1;
	return replace(rq, rs, t, rq->body, e);
}

int
tenants_patch(struct request *rq, struct response *rs, struct err *e)
{
	struct tenant_body body;
	struct tenant *t;
	json_t *whole;

	if (tenants_find(rq, &t, e) != 0)
		return -1;
	whole = js_merge_patch(rq->a, tenant_json(rq, t), rq->json);
	if (fields_read(rq->a, whole, &tenant_table, &body, &rq->errors) != 0)
		return request_faulty(rq, e);
	return replace(rq, rs, t, &body, e);
}

static int
set_state(struct request *rq, struct response *rs, enum tenant_state state,
    struct err *e)
{
	struct editor ed = app_editor(rq);
	struct tenant *t;

	if (tenants_find(rq, &t, e) != 0)
		return -1;
	ed.tenant = t->id;
	if (t->state != state && tenant_set_state(&ed, state, e) != 0)
		return -1;
	return tenants_show(rq, rs, 200, t->slug, e);
}

int
tenants_suspend(struct request *rq, struct response *rs, struct err *e)
{
	return set_state(rq, rs, TENANT_SUSPENDED, e);
}

int
tenants_resume(struct request *rq, struct response *rs, struct err *e)
{
	return set_state(rq, rs, TENANT_ACTIVE, e);
}

/* ---- Settings ------------------------------------------------------------------------ */

static int
settings_show(struct request *rq, struct response *rs, const struct tenant *t)
{
	response_etag(rs, t->version);
	return response_json(rs, 200, tenant_settings_read(rq->a, t));
}

int
tenants_settings_get(struct request *rq, struct response *rs, struct err *e)
{
	struct tenant *t;

	if (tenants_find(rq, &t, e) != 0)
		return -1;
	return settings_show(rq, rs, t);
}

static int
settings_store(struct request *rq, struct response *rs, struct tenant *t,
    json_t *before, json_t *after, struct err *e)
{
	const char *limit = tenant_settings_limit(before, after);

	if (limit != NULL && !is_platform(rq))
		return request_refuse(rq, e, arena_printf(rq->a, "/%s", limit),
		    FIELD_ERR_NOT_ALLOWED,
		    "platform administrators alone change it");
	if (tenant_settings_check(rq->a, after, &rq->errors) != 0)
		return request_faulty(rq, e);
	if (tenant_settings_seal(rq->a, app_of(rq)->ring, after, t, e) != 0 ||
	    store(rq, t, changed_in("settings", before, after), e) != 0 ||
	    find(rq, t->slug, &t, e) != 0)
		return -1;
	return settings_show(rq, rs, t);
}

int
tenants_settings_put(struct request *rq, struct response *rs, struct err *e)
{
	struct tenant *t;
	json_t *before;

	if (tenants_find(rq, &t, e) != 0 ||
	    tenant_settings_whole(rq->a, app_of(rq)->ring, t, &before, e) != 0)
		return -1;
	return settings_store(rq, rs, t, before, rq->json, e);
}

int
tenants_settings_patch(struct request *rq, struct response *rs, struct err *e)
{
	struct tenant *t;
	json_t *before;

	if (tenants_find(rq, &t, e) != 0 ||
	    tenant_settings_whole(rq->a, app_of(rq)->ring, t, &before, e) != 0)
		return -1;
	return settings_store(rq, rs, t, before,
	    js_merge_patch(rq->a, before, rq->json), e);
}

/* ---- Deletion ------------------------------------------------------------------------ */

static const char *const deletion_states[] = { "deleting", "deleted", NULL };

struct deletion_body {
	struct field_mask mask;
	const char *slug;
	int state;
	const char *requested_by;
	int64_t requested_at;
	int64_t removed;
	json_t *tables;
	int64_t finished_at;
};

static const struct field deletion_fields[] = {
	FIELD(struct deletion_body, slug, SLUG, .help = "The tenant's."),
	FIELD(struct deletion_body, state, ENUM, .words = deletion_states,
	    .help = "Once it is deleted, the slug is free."),
	FIELD(struct deletion_body, requested_by, TEXT,
	    .help = "Who asked for it."),
	FIELD(struct deletion_body, requested_at, TIME,
	    .help = "When that was."),
	FIELD(struct deletion_body, removed, INT,
	    .help = "How many rows went so far."),
	FIELD(struct deletion_body, tables, JSON,
	    .help = "How many from each table of those that have tenants; "
	            "when it is deleted, all of them were found empty.",
	    .example = "{\"notification\": 12, \"template\": 3}"),
	FIELD(struct deletion_body, finished_at, TIME,
	    .help = "When nothing was left."),
};

const struct field_table deletion_table = FIELD_TABLE("TenantDeletion",
    struct deletion_body, deletion_fields,
    "How far the deletion of a tenant came, and its receipt.");

static int
show_deletion(struct request *rq, struct response *rs, int status,
    struct err *e)
{
	struct deletion_body body = { .slug = rq->args[0] };
	struct tenant_deletion *d;
	int rc = tenant_deletion_find(rq->a, app_of(rq)->db, body.slug, &d, e);

	if (rc != 1)
		return rc == 0 ? no_tenant(e) : -1;
	body.state = d->finished_ms != 0;
	body.requested_by = d->requested_by;
	body.requested_at = d->requested_ms;
	body.removed = d->removed;
	body.finished_at = d->finished_ms;
	if (js_parse(rq->a, d->tables, strlen(d->tables), 2, &body.tables, e) ==
	    -1)
		return -1;
	return response_record(rs, status, &deletion_table, &body);
}

int
tenants_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct tenant *t;

	if (tenants_find(rq, &t, e) != 0 ||
	    request_expected_version(rq, &t->version, e) != 0)
		return -1;
	if (t->state != TENANT_DELETING && tenant_delete(&ed, t, e) != 0)
		return -1;
	response_header(rs, "Location", "%s/api/v1/admin/tenants/%s/deletion",
	    rq->config->api_url_prefix, t->slug);
	return show_deletion(rq, rs, 202, e);
}

int
tenants_deletion(struct request *rq, struct response *rs, struct err *e)
{
	return show_deletion(rq, rs, 200, e);
}
