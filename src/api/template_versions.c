/*
 * template_versions.c - /admin/templates/{key}: versions, publish, rollback, diff
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/template_versions.h"

#include <stdlib.h>

#include "api/app.h"
#include "api/page.h"
#include "api/templates.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/edit.h"
#include "model/template_diff.h"
#include "model/template_draft.h"
#include "model/template_store.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

struct publish_body {
	struct field_mask mask;
	int64_t version;
};

static const struct field publish_fields[] = {
	FIELD(struct publish_body, version, INT, .min = 1, .max = INT32_MAX,
	    .help = "The version to put into use; absent: the latest."),
};

const struct field_table publish_body_table = FIELD_TABLE("TemplatePublish",
    struct publish_body, publish_fields, "Which version to put into use.");

static const struct field rollback_fields[] = {
	FIELD(struct publish_body, version, INT, .min = 1, .max = INT32_MAX,
	    .help = "A version that was in use before; absent: the newest of "
		    "those before the one in use."),
};

const struct field_table rollback_body_table = FIELD_TABLE("TemplateRollback",
    struct publish_body, rollback_fields, "Which version to go back to.");

struct diff_query {
	struct field_mask mask;
	int64_t from, to;
};

static const struct field diff_fields[] = {
	FIELD(struct diff_query, from, INT, .min = 1, .max = INT32_MAX,
	    .help = "A version; absent: the one in use."),
	FIELD(struct diff_query, to, INT, .min = 1, .max = INT32_MAX,
	    .help = "Another one; absent: the latest."),
};

const struct field_table diff_query_table = FIELD_TABLE("TemplateDiffQuery",
    struct diff_query, diff_fields, "Which versions to compare.");

/* ---- Versions -------------------------------------------------------------- */

static json_t *
time_json(int64_t ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (ms == 0)
		return json_null();
	clock_format(ms, text);
	return json_string(text);
}

static json_t *
version_json(const struct template_version *v, int in_use)
{
	const char *state = v->number == in_use ? "published"
	    : v->published_as != TEMPLATE_NEVER ? "retired"
						: "draft";

	return json_pack("{s:i, s:s, s:s, s:o, s:s?, s:s?, s:o}", "version",
	    v->number, "state", state, "created_by", v->created_by,
	    "created_at", time_json(v->created_ms), "published_as",
	    template_way_name(v->published_as), "published_by",
	    v->published_by, "published_at", time_json(v->published_ms));
}

/* An entry of the list with what it has to be told with. */
struct entry {
	struct template_version version;
	int in_use;
};

static json_t *
entry_json(struct request *rq, const void *row)
{
	const struct entry *en = row;

	return version_json(&en->version, en->in_use);
}

static const char *
entry_key(struct request *rq, const void *row)
{
	return arena_printf(rq->a, "%d",
	    ((const struct entry *)row)->version.number);
}

int
template_versions_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct entry),
		.row = entry_json, .key = entry_key };
	struct template_version *list;
	struct template_row *row;
	struct entry *entries;
	const char *after;
	size_t i;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    templates_find(rq, rq->args[0], &row, e) != 0 ||
	    template_versions(rq->a, app_of(rq)->db, rq->tenant, row->id,
	        (int)strtol(after, NULL, 10), limit, &list, &page.count,
	        e) != 0)
		return -1;
	entries = arena_zalloc(rq->a, page.count, sizeof(*entries));
	for (i = 0; i < page.count; i++)
		entries[i] = (struct entry){ list[i], row->published };
	page.rows = entries;
	return page_write(rq, rs, &page);
}

/* A version with its sources, or -1 with ERR_NOT_FOUND. */
static int
load(struct request *rq, int64_t number, struct template_draft **draft_r,
    struct template_version *v_r, struct err *e)
{
	int rc = 0;

	if (number > 0 && number <= INT32_MAX)
		rc = template_draft_load(rq->a, app_of(rq)->db, rq->tenant,
		    rq->args[0], (int)number, draft_r, v_r, e);
	return rc == 0 ? err_set(e, ERR_NOT_FOUND, "there is no such version")
	     : rc == 1 ? 0
		       : -1;
}

int
template_versions_get(struct request *rq, struct response *rs, struct err *e)
{
	struct template_version v;
	struct template_row *row;
	struct template_draft *d;
	json_t *json;
	char *end;
	long n = strtol(rq->args[1], &end, 10);

	if (templates_find(rq, rq->args[0], &row, e) != 0 ||
	    load(rq, *end == '\0' ? n : 0, &d, &v, e) != 0)
		return -1;
	json = js_keep(rq->a, version_json(&v, row->published));
	json_object_set_new(json, "layout",
	    d->layout != NULL ? json_string(d->layout) : json_null());
	json_object_set_new(json, "unsubscribe", json_boolean(d->unsubscribe));
	json_object_set_new(json, "from",
	    d->from != NULL ? json_string(d->from) : json_null());
	json_object_set(json, "tracking",
	    d->tracking != NULL ? d->tracking : json_null());
	json_object_set(json, "variables", d->variables);
	json_object_set(json, "sample", d->sample);
	json_object_set(json, "parts", d->parts);
	return response_json(rs, 200, json);
}

/* ---- Publish, rollback ------------------------------------------------------ */

static int
put_into_use(struct request *rq, struct response *rs, enum template_way way,
    struct err *e)
{
	const struct publish_body *body = rq->body;
	struct editor ed = app_editor(rq);
	int number = body != NULL ? (int)body->version : 0, expected;

	if (request_expected_version(rq, &expected, e) != 0 ||
	    template_publish(&ed, rq->args[0], number, way, expected, &number,
	        e) != 0)
		return -1;
	return templates_show(rq, rs, 200, rq->args[0], e);
}

int
templates_publish(struct request *rq, struct response *rs, struct err *e)
{
	return put_into_use(rq, rs, TEMPLATE_BY_PUBLISH, e);
}

int
templates_rollback(struct request *rq, struct response *rs, struct err *e)
{
	return put_into_use(rq, rs, TEMPLATE_BY_ROLLBACK, e);
}

/* ---- Diff ---------------------------------------------------------------------- */

int
templates_diff(struct request *rq, struct response *rs, struct err *e)
{
	const struct diff_query *q = rq->query;
	struct template_draft *from, *to;
	struct template_row *row;
	int64_t first, last;

	if (templates_find(rq, rq->args[0], &row, e) != 0)
		return -1;
	first = q->from != 0 ? q->from : row->published;
	last = q->to != 0 ? q->to : row->latest;
	if (first == 0)
		return request_refuse_parameter(rq, e, "from",
		    FIELD_ERR_MISSING, "no version is in use");
	if (load(rq, first, &from, NULL, e) != 0 ||
	    load(rq, last, &to, NULL, e) != 0)
		return -1;
	return response_json(rs, 200,
	    js_keep(rq->a, json_pack("{s:s, s:I, s:I, s:O}", "key", row->key,
	                       "from", first, "to", last, "changes",
	                       template_diff(rq->a, from, to))));
}
