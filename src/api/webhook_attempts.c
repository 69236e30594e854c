/*
 * webhook_attempts.c - /admin/webhooks/{id}/attempts: what was posted, and posting it again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/webhook_attempts.h"

#include "api/app.h"
#include "api/page.h"
#include "api/webhooks.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/webhook_attempt.h"
#include "model/webhook_endpoint.h"
#include "notify/webhook_event.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

/* Begins as struct page_query does, which page_start() reads. */
struct attempt_query {
	struct page_query page;
	const char *message;
	int *type, *result; /* one or none */
	size_t type_count, result_count;
	int64_t since;
	int64_t until;
};

static const char *const results[] = { "succeeded", "failed", NULL };

static const struct field query_fields[] = {
	FIELD(struct attempt_query, page.limit, INT, .as = "limit", .min = 1,
	    .max = 200, .def = 50, .flags = FIELD_DEFAULT,
	    .help = "How many entries a page holds."),
	FIELD(struct attempt_query, page.cursor, TEXT, .as = "cursor",
	    .max = 1024,
	    .help = "Where to go on: next_cursor of the page before."),
	FIELD(struct attempt_query, message, TEXT, .max = 64,
	    .help = "Only those of this message, as in webhook-id."),
	FIELD_LIST(struct attempt_query, type, ENUM,
	    .words = webhook_event_names, .max = 1,
	    .flags = FIELD_ONE_OR_MANY,
	    .help = "Only those of messages of this type."),
	FIELD_LIST(struct attempt_query, result, ENUM, .words = results,
	    .max = 1, .flags = FIELD_ONE_OR_MANY,
	    .help = "Only those that ended so."),
	FIELD(struct attempt_query, since, TIME,
	    .help = "Only those that began at this time or later."),
	FIELD(struct attempt_query, until, TIME,
	    .help = "Only those that began before this time."),
};

const struct field_table webhook_attempt_query_table = {
	.name = "WebhookAttemptQuery",
	.help = "Which attempts.",
	.fields = query_fields,
	.count = NELEMS(query_fields),
	.struct_bytes = sizeof(struct attempt_query),
	.mask_offset = offsetof(struct attempt_query, page.mask),
};

struct attempt_answer {
	struct field_mask mask;
	struct uuid id;
	const char *message;
	const char *type;
	int64_t attempt;
	int64_t started_at;
	int64_t finished_at;
	const char *result;
	int64_t status;
	const char *error;
	int64_t took_ms;
	int64_t next_attempt_at;
	const char *request;
	const char *response;
};

static const struct field answer_fields[] = {
	FIELD(struct attempt_answer, id, UUID, .help = "Names the attempt."),
	FIELD(struct attempt_answer, message, TEXT,
	    .help = "The message, as in webhook-id."),
	FIELD(struct attempt_answer, type, TEXT, .help = "The message's type."),
	FIELD(struct attempt_answer, attempt, INT,
	    .help = "Which attempt of the message it was."),
	FIELD(struct attempt_answer, started_at, TIME,
	    .help = "When it began."),
	FIELD(struct attempt_answer, finished_at, TIME,
	    .help = "When it ended; absent: it is on its way."),
	FIELD(struct attempt_answer, result, TEXT,
	    .help = "succeeded, failed or pending."),
	FIELD(struct attempt_answer, status, INT,
	    .help = "The status of the answer; 0: there was none."),
	FIELD(struct attempt_answer, error, TEXT,
	    .help = "Why there was no answer."),
	FIELD(struct attempt_answer, took_ms, INT,
	    .help = "How long it took, in milliseconds."),
	FIELD(struct attempt_answer, next_attempt_at, TIME,
	    .help = "When the next one follows."),
	FIELD(struct attempt_answer, request, TEXT,
	    .help = "The first 4 kB of what was posted; not in lists."),
	FIELD(struct attempt_answer, response, TEXT,
	    .help = "The first 4 kB of the answer; not in lists."),
};

const struct field_table webhook_attempt_table = FIELD_TABLE("WebhookAttempt",
    struct attempt_answer, answer_fields, "An attempt to tell an endpoint.");

static const char *const choices[] = { "failed", "all", NULL };

struct redeliver_body {
	struct field_mask mask;
	int64_t since;
	int which;
	const char *cursor;
};

static const struct field redeliver_fields[] = {
	FIELD(struct redeliver_body, since, TIME, .flags = FIELD_REQUIRED,
	    .help = "Messages written at this time or later."),
	FIELD(struct redeliver_body, which, ENUM, .words = choices,
	    .flags = FIELD_DEFAULT, .def = 0,
	    .help = "Those that never got through, or all."),
	FIELD(struct redeliver_body, cursor, TEXT, .max = 64,
	    .help = "Where to go on: next_cursor of the answer before."),
};

const struct field_table webhook_redeliver_table = FIELD_TABLE(
    "WebhookRedelivery", struct redeliver_body, redeliver_fields,
    "Which messages are posted again.");

struct redelivered {
	struct field_mask mask;
	int64_t count;
	const char *next_cursor;
};

static const struct field redelivered_fields[] = {
	FIELD(struct redelivered, count, INT,
	    .help = "How many messages are due now."),
	FIELD(struct redelivered, next_cursor, TEXT, .flags = FIELD_NULLABLE,
	    .help = "There may be more: ask again with this. null: there are "
	            "not."),
};

const struct field_table webhook_redelivered_table = FIELD_TABLE(
    "WebhookRedelivered", struct redelivered, redelivered_fields,
    "What was done.");

/* ---- Attempts ------------------------------------------------------------------- */

static struct attempt_answer
answer_of(struct request *rq, const struct webhook_attempt *at)
{
	return (struct attempt_answer){
		.id = at->id,
		.message = webhook_id(rq->a, &at->message),
		.type = at->type,
		.attempt = at->n,
		.started_at = at->started_ms,
		.finished_at = at->finished_ms,
		.result = at->finished_ms == 0 ? "pending"
		    : at->ok                   ? "succeeded"
		                               : "failed",
		.status = at->status,
		.error = at->error,
		.took_ms = at->took_ms,
		.next_attempt_at = at->next_ms,
		.request = at->request,
		.response = at->response,
	};
}

static json_t *
row_json(struct request *rq, const void *row)
{
	struct attempt_answer answer = answer_of(rq, row);

	return json_incref(
	    fields_write(rq->a, &webhook_attempt_table, &answer));
}

static const char *
id_text(struct request *rq, const struct uuid *id)
{
	char text[UUID_TEXT_BYTES];

	uuid_format(id, text);
	return arena_strdup(rq->a, text);
}

static const char *
row_key(struct request *rq, const void *row)
{
	return id_text(rq, &((const struct webhook_attempt *)row)->id);
}

/* The endpoint of the path must be there. */
static int
read_endpoint(struct request *rq, struct uuid *id_r, struct err *e)
{
	struct webhook_endpoint *ep;
	int rc;

	if (request_arg_uuid(rq, 0, id_r, e) != 0)
		return -1;
	rc = webhook_endpoint_get(rq->a, app_of(rq)->db, rq->tenant, *id_r, &ep,
	    e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such webhook endpoint");
	return rc == 1 ? 0 : -1;
}

static int
read_filter(struct request *rq, struct webhook_attempt_filter *f, struct err *e)
{
	const struct attempt_query *q = rq->query;

	*f = (struct webhook_attempt_filter){ .since_ms = q->since,
		.until_ms = q->until };
	if (q->type_count > 0)
		f->type = webhook_event_names[q->type[0]];
	if (q->result_count > 0)
		f->result = q->result[0] == 0 ? WEBHOOK_OK : WEBHOOK_FAILED;
	if (q->message != NULL && webhook_id_parse(q->message, &f->message) != 0)
		return request_refuse_parameter(rq, e, "message",
		    FIELD_ERR_MALFORMED, "is not the id of a message");
	return 0;
}

int
webhook_attempts_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct webhook_attempt),
		.row = row_json, .key = row_key };
	struct editor ed = app_editor(rq);
	struct webhook_attempt_filter filter;
	struct webhook_attempt *list;
	struct uuid endpoint, before = { { 0 } };
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    read_filter(rq, &filter, e) != 0 ||
	    read_endpoint(rq, &endpoint, e) != 0)
		return -1;
	if (after[0] != '\0' && uuid_parse(after, &before) != 0)
		return request_refuse_parameter(rq, e, "cursor",
		    FIELD_ERR_MALFORMED, "is not a cursor of this list");
	if (webhook_attempt_list(&ed, endpoint, &filter, before, limit, &list,
	        &page.count, e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

int
webhook_attempts_get(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct webhook_attempt *at;
	struct attempt_answer answer;
	struct uuid endpoint, id;
	int rc;

	if (request_arg_uuid(rq, 0, &endpoint, e) != 0 ||
	    request_arg_uuid(rq, 1, &id, e) != 0)
		return -1;
	rc = webhook_attempt_get(&ed, endpoint, id, &at, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such attempt");
	if (rc == -1)
		return -1;
	answer = answer_of(rq, at);
	return response_record(rs, 200, &webhook_attempt_table, &answer);
}

/* ---- Again ------------------------------------------------------------------------ */

int
webhook_attempts_redeliver(struct request *rq, struct response *rs,
    struct err *e)
{
	struct editor ed = app_editor(rq);
	struct uuid endpoint, id, message;

	if (request_arg_uuid(rq, 0, &endpoint, e) != 0 ||
	    request_arg_uuid(rq, 1, &id, e) != 0 ||
	    webhook_redeliver_attempt(&ed, endpoint, id, &message, e) != 0)
		return -1;
	return response_json(rs, 202,
	    js_keep(rq->a,
	        json_pack("{s:s}", "message", webhook_id(rq->a, &message))));
}

int
webhooks_redeliver(struct request *rq, struct response *rs, struct err *e)
{
	const struct redeliver_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct webhook_redelivery rd = { .since_ms = body->since,
		.failed = body->which == 0 };
	struct redelivered answer = { .count = 0 };
	struct uuid endpoint;

	if (body->cursor != NULL && uuid_parse(body->cursor, &rd.after) != 0)
		return request_refuse(rq, e, "/cursor", FIELD_ERR_MALFORMED,
		    "is not a cursor of this");
	if (request_arg_uuid(rq, 0, &endpoint, e) != 0 ||
	    webhook_redeliver(&ed, endpoint, &rd, e) != 0)
		return -1;
	answer.count = rd.count;
	if (rd.more)
		answer.next_cursor = id_text(rq, &rd.after);
	return response_record(rs, 202, &webhook_redelivered_table, &answer);
}
