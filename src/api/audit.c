/*
 * audit.c - /admin/audit: who changed what
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/audit.h"

#include "api/app.h"
#include "api/page.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/audit.h"
#include "model/person.h"
#include "web/request.h"
#include "web/response.h"

/* Begins as struct page_query does, which page_start() reads. */
struct audit_query {
	struct page_query page;
	const char *principal;
	const char *action;
	const char *object;
	const char *user_id;
	int64_t since;
	int64_t until;
};

static const struct field fields[] = {
	FIELD(struct audit_query, page.limit, INT, .as = "limit", .min = 1,
	    .max = 200, .def = 50, .flags = FIELD_DEFAULT,
	    .help = "How many entries a page holds."),
	FIELD(struct audit_query, page.cursor, TEXT, .as = "cursor", .max = 1024,
	    .help = "Where to go on: next_cursor of the page before."),
	FIELD(struct audit_query, principal, TEXT, .max = 1024,
	    .help = "Only what this one did, written as the entries have it."),
	FIELD(struct audit_query, action, TEXT, .max = 100,
	    .help = "Only this action.", .example = "\"provider.set\""),
	FIELD(struct audit_query, object, TEXT, .max = 300,
	    .help = "Only what was done to the object of this name."),
	FIELD(struct audit_query, user_id, TEXT, .max = 255,
	    .help = "Only what was done to this recipient, whom the entries name "
	            "by a keyed hash. Goes before object."),
	FIELD(struct audit_query, since, TIME,
	    .help = "Only from this time on."),
	FIELD(struct audit_query, until, TIME,
	    .help = "Only before this time."),
};

const struct field_table audit_query_table = {
	.name = "AuditQuery",
	.help = "Which entries.",
	.fields = fields,
	.count = NELEMS(fields),
	.struct_bytes = sizeof(struct audit_query),
	.mask_offset = offsetof(struct audit_query, page.mask),
};

static const char *
row_key(struct request *rq, const void *row)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&((const struct audit *)row)->id, id);
	return arena_strdup(rq->a, id);
}

static json_t *
text_or_null(const char *s)
{
	return s != NULL ? json_string(s) : json_null();
}

static json_t *
parsed_or_null(const char *s)
{
	json_t *json = s != NULL ? json_loads(s, JSON_DECODE_ANY, NULL) : NULL;

	return json != NULL ? json : json_null();
}

static json_t *
row_json(struct request *rq, const void *p)
{
	const struct audit *row = p;

	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
	    "id", row_key(rq, row), "at", row->at, "principal", row->principal,
	    "source", text_or_null(row->source), "action", row->action, "object",
	    row->object, "detail", parsed_or_null(row->detail), "changes",
	    parsed_or_null(row->changes), "request_id",
	    text_or_null(row->request_id), "seq",
	    row->seq > 0 ? json_integer((json_int_t)row->seq) : json_null(),
	    "hash", text_or_null(row->hash));
}

int
audit_show(struct request *rq, struct response *rs, struct err *e)
{
	const struct audit_query *q = rq->query;
	struct audit_filter filter = { .principal = q->principal,
		.action = q->action, .object = q->object, .since_ms = q->since,
		.until_ms = q->until };
	struct page_rows page = { .size_bytes = sizeof(struct audit),
		.row = row_json, .key = row_key };
	struct audit *list;
	struct uuid before;
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0)
		return -1;
	if (after[0] != '\0' && uuid_parse(after, &before) != 0)
		return request_refuse_parameter(rq, e, "cursor",
		    FIELD_ERR_MALFORMED, "is not a cursor of this list");
	if (q->user_id != NULL)
		filter.object = person_label(rq->a, app_of(rq)->ring, rq->tenant,
		    q->user_id);
	if (audit_list(rq->a, app_of(rq)->db, rq->tenant, &filter,
	        after[0] != '\0' ? &before : NULL, limit, &list, &page.count,
	        e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}
