/*
 * template_preview.c - what a template would look like
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/template_preview.h"

#include "api/app.h"
#include "api/templates.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/template.h"
#include "model/template_store.h"
#include "model/tenant.h"
#include "notify/preview.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

struct preview_body {
	struct field_mask mask;
	int64_t version;
	const char *locale;
	const char *time_zone;
	json_t *data;
	json_t *recipient;
};

static const struct field preview_fields[] = {
	FIELD(struct preview_body, version, INT, .min = 1, .max = INT32_MAX,
	    .help = "A version, also a draft; absent: the one in use, or the "
		    "latest when none is."),
	FIELD(struct preview_body, locale, LOCALE,
	    .help = "The recipient's locale.", .example = "\"de-AT\""),
	FIELD(struct preview_body, time_zone, ZONE,
	    .help = "The recipient's time zone; absent: the tenant's.",
	    .example = "\"Europe/Vienna\""),
	FIELD(struct preview_body, data, JSON,
	    .help = "What the notification's data would be; absent: the "
		    "sample for the locale.",
	    .example = "{\"order\":\"42\"}"),
	FIELD(struct preview_body, recipient, JSON,
	    .help = "What the template sees as \"recipient\"; its \"data\" "
		    "go before those of the notification.",
	    .example = "{\"name\":\"Ann\"}"),
};

const struct field_table preview_body_table = FIELD_TABLE("TemplatePreview",
    struct preview_body, preview_fields, "What to render a template with.");

static void
defer_template(void *p)
{
	struct template *tpl = p;

	template_free(&tpl);
}

/* The version as it would be sent now, and as its author wrote it. */
static int
load(struct request *rq, int number, const struct template **tpl_r,
    struct template_draft **draft_r, struct err *e)
{
	struct db *db = app_of(rq)->db;
	struct template_version version;
	struct template_row *row;
	struct template *tpl;
	int rc;

	if (templates_find(rq, rq->args[0], &row, e) != 0)
		return -1;
	rc = template_draft_load(rq->a, db, rq->tenant, row->key, number,
	    draft_r, &version, e);
	if (rc == 1)
		rc = template_load(rq->a, db, rq->tenant, row->id,
		    version.number, TEMPLATE_RELEASE_NOW, &tpl, e);
	if (rc == 0)
		return request_refuse(rq, e, "/version", FIELD_ERR_NOT_FOUND,
		    "there is no such version");
	if (rc == -1)
		return -1;
	arena_defer(rq->a, defer_template, tpl);
	*tpl_r = tpl;
	return 0;
}

static int
check_objects(struct request *rq, const struct preview_body *body,
    struct err *e)
{
	if (body == NULL)
		return 0;
	if (body->data != NULL && !json_is_object(body->data))
		return request_refuse(rq, e, "/data", FIELD_ERR_WRONG_TYPE,
		    "it is not an object");
	if (body->recipient != NULL && !json_is_object(body->recipient))
		return request_refuse(rq, e, "/recipient", FIELD_ERR_WRONG_TYPE,
		    "it is not an object");
	return 0;
}

int
templates_preview(struct request *rq, struct response *rs, struct err *e)
{
	static const struct preview_body nothing;
	const struct preview_body *body =
	    rq->body != NULL ? rq->body : &nothing;
	struct preview_params p = { .config = rq->config,
		.wish = { .locale = body->locale },
		.time_zone = body->time_zone };
	struct template_draft *draft;
	struct tenant *tenant;
	json_t *answer;
	int rc;

	if (check_objects(rq, body, e) != 0 ||
	    load(rq, (int)body->version, &p.tpl, &draft, e) != 0)
		return -1;
	rc = tenant_get(rq->a, app_of(rq)->db, rq->tenant, &tenant, e);
	if (rc != 1)
		return rc == 0
		    ? err_set(e, ERR_NOT_FOUND, "there is no such tenant")
		    : -1;
	p.wish.fallback = tenant->default_locale;
	if (p.time_zone == NULL)
		p.time_zone = tenant->time_zone;
	p.data = preview_data(rq->a, draft, &p.wish, body->data,
	    body->recipient, preview_tenant(rq->a, tenant));
	answer = js_keep(rq->a, json_pack("{s:s, s:i, s:s?}", "key",
	                            p.tpl->key, "version", p.tpl->version,
	                            "locale", body->locale));
	json_object_update(answer, preview_render(rq->a, &p));
	return response_json(rs, 200, answer);
}
