/*
 * templates.c - /admin/templates: templates with their latest sources
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/templates.h"

#include <string.h>

#include "api/app.h"
#include "api/page.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "model/edit.h"
#include "model/template_draft.h"
#include "model/template_store.h"
#include "notify/fallback.h"
#include "notify/send_request.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

struct template_body {
	struct field_mask mask;
	const char *key;
	const char *name;
	const char *description;
	const char *category;
	const char *default_locale;
	const char *layout;
	const char *from;
	bool unsubscribe;
	json_t *tracking;
	struct send_step *fallback;
	size_t fallback_count;
	bool quiet_exempt;
	json_t *variables;
	json_t *sample;
	json_t *parts;
	bool publish;
	int64_t published_version;
	int64_t latest_version;
	int64_t created_at;
	int64_t updated_at;
};

static const struct field template_fields[] = {
	FIELD(struct template_body, key, TEXT, .flags = FIELD_REQUIRED,
	    .min = 1, .max = 80,
	    .help = "What requests name it by; \"layout:NAME\" is a layout, "
		    "\"partial:NAME\" a partial.",
	    .example = "\"order-shipped\""),
	FIELD(struct template_body, name, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1,
	    .max = TEMPLATE_NAME_MAX, .help = "What people call it.",
	    .example = "\"Order shipped\""),
	FIELD(struct template_body, description, TEXT, .max = 2000,
	    .def_text = "", .flags = FIELD_DEFAULT,
	    .help = "What it is for."),
	FIELD(struct template_body, category, TEXT, .max = TEMPLATE_NAME_MAX,
	    .def_text = "", .flags = FIELD_DEFAULT | FIELD_ONE_LINE,
	    .help = "The category of its notifications.",
	    .example = "\"orders\""),
	FIELD(struct template_body, default_locale, LOCALE, .def_text = "en",
	    .flags = FIELD_DEFAULT,
	    .help = "The language for people whose own is not there."),
	FIELD(struct template_body, layout, SLUG,
	    .help = "The layout that its parts stand in.",
	    .example = "\"default\""),
	FIELD(struct template_body, from, EMAIL, .flags = FIELD_ONE_LINE,
	    .help = "The sender of its mails: one of the addresses that the "
		    "account may send as. Absent: the account's first.",
	    .example = "\"news@example.org\""),
	FIELD(struct template_body, unsubscribe, BOOL,
	    .help = "Whether its messages carry a link that ends those of "
		    "the category (RFC 8058 in mails); there must be one."),
	FIELD(struct template_body, tracking, JSON,
	    .help = "Whether it is to be known that its mails are opened and links "
		    "followed; what is absent the tenant's setting says.",
	    .example = "{\"opens\":false,\"clicks\":false}"),
	FIELD_SUBS(struct template_body, fallback, &send_step_table, .min = 2,
	    .max = FALLBACK_STEPS_MAX, .flags = FIELD_NULLABLE,
	    .help = "The channels of requests that have neither channels nor a "
		    "fallback of their own, one after the other. When it is "
		    "replaced, absent leaves the order as it is, and null takes "
		    "it away.",
	    .example = "[{\"channel\":\"push\"},{\"channel\":\"sms\","
		       "\"after\":\"5m\",\"unless\":\"read\"}]"),
	FIELD(struct template_body, quiet_exempt, BOOL, .flags = FIELD_NULLABLE,
	    .help = "Whether its messages go out in quiet hours too. When it is "
		    "replaced, absent leaves that as it is, and null is false."),
	FIELD(struct template_body, variables, JSON,
	    .help = "The data that it uses: {NAME: {\"required\", "
		    "\"description\", \"example\"}}."),
	FIELD(struct template_body, sample, JSON,
	    .help = "Data for previews: {LOCALE: {...}}."),
	FIELD(struct template_body, parts, JSON, .flags = FIELD_REQUIRED,
	    .help = "The sources: {LOCALE: {PART: SOURCE}}.",
	    .example = "{\"en\":{\"email.subject\":\"Order {{order}}\","
		       "\"email.text\":\"It is on its way.\"}}"),
	FIELD(struct template_body, publish, BOOL, .def = 1,
	    .flags = FIELD_DEFAULT | FIELD_WRITE_ONLY,
	    .help = "Whether to put this version into use at once."),
	FIELD(struct template_body, published_version, INT,
	    .flags = FIELD_READ_ONLY,
	    .help = "The version in use; 0 when there is none."),
	FIELD(struct template_body, latest_version, INT,
	    .flags = FIELD_READ_ONLY,
	    .help = "The version that the sources are of."),
	FIELD(struct template_body, created_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was made."),
	FIELD(struct template_body, updated_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was changed last."),
};

const struct field_table template_body_table = FIELD_TABLE("Template",
    struct template_body, template_fields, "A template and its sources.");

int
templates_find(struct request *rq, const char *key,
    struct template_row **row_r, struct err *e)
{
	int rc = template_find(rq->a, app_of(rq)->db, rq->tenant, key, row_r, e);

	return rc == 0 ? err_set(e, ERR_NOT_FOUND, "there is no such template")
	     : rc == 1 ? 0
		       : -1;
}

static struct template_body
body_of_row(const struct template_row *row)
{
	return (struct template_body){
		.key = row->key,
		.name = row->name,
		.description = row->description,
		.category = row->category,
		.default_locale = row->default_locale,
		.quiet_exempt = row->quiet_exempt,
		.published_version = row->published,
		.latest_version = row->latest,
		.created_at = row->created_ms,
		.updated_at = row->updated_ms,
	};
}

/* The body as it is shown; the order stands there as it was given. */
static json_t *
body_json(struct request *rq, const struct template_body *body,
    const struct template_row *row)
{
	json_t *json = fields_write(rq->a, &template_body_table, body);

	if (row->fallback != NULL)
		json_object_set_new(json, "fallback",
		    json_loads(row->fallback, 0, NULL));
	return json;
}

static json_t *
row_json(struct request *rq, const void *row)
{
	struct template_body body = body_of_row(row);

	return json_incref(body_json(rq, &body, row));
}

static const char *
row_key(struct request *rq, const void *row)
{
	return ((const struct template_row *)row)->key;
}

int
templates_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct template_row),
		.row = row_json, .key = row_key };
	struct template_row *list;
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    template_list(rq->a, app_of(rq)->db, rq->tenant, after, limit,
	        &list, &page.count, e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

/* A template with the sources of its latest version. */
static int
load(struct request *rq, const char *key, struct template_row **row_r,
    json_t **json_r, struct err *e)
{
	struct app *app = app_of(rq);
	struct template_draft *draft;
	struct template_body body;
	int rc;

	if (templates_find(rq, key, row_r, e) != 0)
		return -1;
	body = body_of_row(*row_r);
	rc = template_draft_load(rq->a, app->db, rq->tenant, key,
	    (*row_r)->latest, &draft, NULL, e);
	if (rc == -1)
		return -1;
	if (rc == 1) {
		body.layout = draft->layout;
		body.unsubscribe = draft->unsubscribe;
		body.from = draft->from;
		body.tracking = draft->tracking;
		body.variables = draft->variables;
		body.sample = draft->sample;
		body.parts = draft->parts;
	}
	*json_r = body_json(rq, &body, *row_r);
	return 0;
}

int
templates_show(struct request *rq, struct response *rs, int status,
    const char *key, struct err *e)
{
	struct template_row *row;
	json_t *json;

	if (load(rq, key, &row, &json, e) != 0)
		return -1;
	response_etag(rs, row->version);
	return response_json(rs, status, json);
}

int
templates_get(struct request *rq, struct response *rs, struct err *e)
{
	return templates_show(rq, rs, 200, rq->args[0], e);
}

/* Tells the faults of a draft as those of a body.  Names of locales and parts that can
 * be wrong are escaped as in any JSON pointer. */
static int
tell_faults(struct request *rq, const struct template_faults *faults,
    struct err *e)
{
	const struct template_fault *f;

	for (f = faults->first; f != NULL; f = f->next) {
		if (f->part == NULL)
			field_errors_add(&rq->errors,
			    arena_printf(rq->a, "/%s", f->member),
			    FIELD_ERR_MALFORMED, "%s", f->text);
		else if (f->line == 0)
			field_errors_add(&rq->errors,
			    arena_printf(rq->a, "/parts/%s/%s", f->locale,
			        f->part),
			    FIELD_ERR_MALFORMED, "%s", f->text);
		else
			field_errors_add(&rq->errors,
			    arena_printf(rq->a, "/parts/%s/%s", f->locale,
			        f->part),
			    FIELD_ERR_MALFORMED, "line %d, column %d: %s",
			    f->line, f->column, f->text);
	}
	return request_faulty(rq, e);
}

/* The layout that a version in use stands in has to be in use itself. */
static int
check_layout(struct request *rq, const struct template_body *body,
    struct err *e)
{
	struct template_row *row;
	int rc;

	if (body->layout == NULL || !body->publish)
		return 0;
	rc = template_find(rq->a, app_of(rq)->db, rq->tenant,
	    arena_printf(rq->a, TEMPLATE_LAYOUT "%s", body->layout), &row, e);
	if (rc == -1)
		return -1;
	if (rc == 1 && row->published != 0)
		return 0;
	return request_refuse(rq, e, "/layout", FIELD_ERR_NOT_FOUND,
	    "the layout \"%s\" is not in use", body->layout);
}

static json_t *
or_empty(struct request *rq, json_t *json)
{
	return json != NULL ? json : js_keep(rq->a, json_object());
}

/* What a body says of requests that do not say otherwise; null takes it away. */
static void
set_defaults(struct request *rq, const struct template_body *body, json_t *json,
    struct template_draft *draft)
{
	const struct field_table *t = &template_body_table;

	draft->says_fallback = fields_given(t, body, &body->fallback);
	draft->says_quiet_exempt = fields_given(t, body, &body->quiet_exempt);
	draft->quiet_exempt = body->quiet_exempt;
	if (body->fallback_count == 0)
		return;
	draft->fallback = json_object_get(json, "fallback");
	fallback_check_steps(rq->a, body->fallback, body->fallback_count,
	    &rq->errors);
}

/* Stores a body, which was read from "json".  If-Match goes before the version that
 * "mode" expects. */
static int
save(struct request *rq, const struct template_body *body, json_t *json,
    const struct template_save *mode, struct template_saved *saved_r,
    struct err *e)
{
	struct editor ed = app_editor(rq);
	struct template_draft draft = {
		.key = body->key,
		.name = body->name,
		.description = body->description,
		.category = body->category,
		.default_locale = body->default_locale,
		.layout = body->layout,
		.unsubscribe = body->unsubscribe,
		.from = body->from,
		.tracking = body->tracking,
		.variables = or_empty(rq, body->variables),
		.sample = or_empty(rq, body->sample),
		.parts = body->parts,
	};
	struct template_save how = *mode;
	struct template_faults faults;
	int expected;

	if (request_expected_version(rq, &expected, e) != 0)
		return -1;
	if (expected != 0)
		how.expected_version = expected;
	how.publish = body->publish;
	how.created_by = ed.principal;
	template_faults_init(&faults, rq->a);
	set_defaults(rq, body, json, &draft);
	if (template_check(&draft, &faults) != 0 || rq->errors.count > 0)
		return tell_faults(rq, &faults, e);
	if (check_layout(rq, body, e) != 0)
		return -1;
	return template_save(&ed, &draft, &how, saved_r, e);
}

int
templates_create(struct request *rq, struct response *rs, struct err *e)
{
	const struct template_body *body = rq->body;
	struct template_save how = { .mode = TEMPLATE_SAVE_NEW };
	struct template_saved saved;

	if (save(rq, body, rq->json, &how, &saved, e) != 0)
		return -1;
	response_header(rs, "Location", "%s/api/v1/admin/templates/%s",
	    rq->config->api_url_prefix, body->key);
	return templates_show(rq, rs, 201, body->key, e);
}

/* The key of a body is that of the path. */
static int
check_key(struct request *rq, const struct template_body *body, struct err *e)
{
	if (strcmp(body->key, rq->args[0]) == 0)
		return 0;
	return request_refuse(rq, e, "/key", FIELD_ERR_NOT_ALLOWED,
	    "the key of a template cannot be changed");
}

int
templates_put(struct request *rq, struct response *rs, struct err *e)
{
	const struct template_body *body = rq->body;
	struct template_save how = { .mode = TEMPLATE_SAVE };
	struct template_saved saved;

	if (check_key(rq, body, e) != 0 ||
	    save(rq, body, rq->json, &how, &saved, e) != 0)
		return -1;
	return templates_show(rq, rs, saved.outcome == TEMPLATE_CREATED ? 201 : 200,
	    body->key, e);
}

/* A patch that takes a member away leaves none behind. */
static void
set_absent_null(json_t *json, const char *member)
{
	if (json_object_get(json, member) == NULL)
		json_object_set_new(json, member, json_null());
}

int
templates_patch(struct request *rq, struct response *rs, struct err *e)
{
	struct template_save how = { .mode = TEMPLATE_SAVE_OLD };
	struct template_saved saved;
	struct template_body body;
	struct template_row *row;
	json_t *now;

	if (load(rq, rq->args[0], &row, &now, e) != 0)
		return -1;
	now = js_merge_patch(rq->a, now, rq->json);
	set_absent_null(now, "fallback");
	set_absent_null(now, "quiet_exempt");
	if (fields_read(rq->a, now, &template_body_table, &body, &rq->errors) != 0)
		return request_faulty(rq, e);
	how.expected_version = row->version;
	if (check_key(rq, &body, e) != 0 ||
	    save(rq, &body, now, &how, &saved, e) != 0)
		return -1;
	return templates_show(rq, rs, 200, body.key, e);
}

int
templates_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	int expected;

	if (request_expected_version(rq, &expected, e) != 0 ||
	    template_remove(&ed, rq->args[0], expected, e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}
