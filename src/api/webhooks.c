/*
 * webhooks.c - /admin/webhooks: URLs that are told what happens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A secret is in the answer that follows its making, and never again.
 */
#include "api/webhooks.h"

#include <string.h>

#include "api/app.h"
#include "api/page.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/edit.h"
#include "model/tenant.h"
#include "model/webhook_endpoint.h"
#include "notify/tenant_settings.h"
#include "notify/webhook_event.h"
#include "notify/webhook_url.h"
#include "provider/webhook.h"
#include "provider/webhook_sign.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { EVENTS_MAX = 64, HEADERS_MAX = 20, RATE_MAX = 100000, ORDERED_MAX = 200,
	EVENTS_BYTES = 4096 };

static const int64_t overlap_default_ms = INT64_C(24) * 3600 * 1000;
static const int64_t overlap_max_ms = INT64_C(30) * 24 * 3600 * 1000;

struct webhook_body {
	struct field_mask mask;
	struct uuid id;
	const char *url;
	const char *description;
	int *events;
	size_t events_count;
	int signature;
	int64_t rate;
	const char *ordered;
	json_t *headers;
	int state;
	const char *reason;
	const char *secret;
	const char *public_key;
	int64_t previous_secret_until;
	int64_t failing_since;
	int64_t paused_until;
	int64_t created_at;
	int64_t updated_at;
};

/* In the order of the enums of model/webhook_endpoint.h, which count from 1. */
static const char *const states[] = { "active", "disabled", NULL };

static const struct field body_fields[] = {
	FIELD(struct webhook_body, id, UUID, .flags = FIELD_READ_ONLY,
	    .help = "Names the endpoint."),
	FIELD(struct webhook_body, url, URL,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .max = 2000,
	    .help = "Where messages are posted: https, in the open Internet.",
	    .example = "\"https://example.org/hooks/belfry\""),
	FIELD(struct webhook_body, description, TEXT, .max = 500,
	    .help = "What it is for."),
	FIELD_LIST(struct webhook_body, events, ENUM,
	    .words = webhook_event_names, .max = EVENTS_MAX,
	    .flags = FIELD_UNIQUE,
	    .help = "What it is told of; empty: of everything.",
	    .example = "[\"delivery.failed\", \"delivery.dead\"]"),
	FIELD(struct webhook_body, signature, ENUM,
	    .words = webhook_signatures,
	    .help = "How messages are signed, by a shared secret (v1) or a key "
	            "pair (v1a). It cannot be changed. Absent: as the tenant's "
	            "settings have it, else v1."),
	FIELD(struct webhook_body, rate, INT, .min = 1, .max = RATE_MAX,
	    .flags = FIELD_NULLABLE,
	    .help = "How many messages a second it gets at most; null: as many "
	            "as it takes."),
	FIELD(struct webhook_body, ordered, TEXT, .max = ORDERED_MAX,
	    .flags = FIELD_NULLABLE | FIELD_ONE_LINE,
	    .help = "What it gets one after the other, each when the one before "
	            "was taken or given up: \"notification\": what is about the "
	            "same one; \"metadata.KEY\": what has the same value of the "
	            "metadata KEY.",
	    .example = "\"notification\""),
	FIELD(struct webhook_body, headers, JSON,
	    .flags = FIELD_WRITE_ONLY, .max = HEADERS_MAX,
	    .help = "Further headers of the requests, texts by their names. "
	            "They are never shown; absent leaves them as they are.",
	    .example = "{\"Authorization\": \"Bearer t0ken\"}"),
	FIELD(struct webhook_body, state, ENUM, .words = states,
	    .flags = FIELD_READ_ONLY, .help = "Whether it is told of anything."),
	FIELD(struct webhook_body, reason, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "Why it is disabled."),
	FIELD(struct webhook_body, secret, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "What v1 signs by; only in the answer that follows its "
	            "making."),
	FIELD(struct webhook_body, public_key, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "What signatures of v1a are verified by."),
	FIELD(struct webhook_body, previous_secret_until, TIME,
	    .flags = FIELD_READ_ONLY,
	    .help = "So long messages are signed by the secret before, too."),
	FIELD(struct webhook_body, failing_since, TIME,
	    .flags = FIELD_READ_ONLY,
	    .help = "Nothing has got through since."),
	FIELD(struct webhook_body, paused_until, TIME, .flags = FIELD_READ_ONLY,
	    .help = "It asked to be let alone so long."),
	FIELD(struct webhook_body, created_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was made."),
	FIELD(struct webhook_body, updated_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was changed last."),
};

const struct field_table webhook_body_table = FIELD_TABLE("WebhookEndpoint",
    struct webhook_body, body_fields, "A URL that is told what happens.");

struct rotate_body {
	struct field_mask mask;
	int64_t overlap;
};

static const struct field rotate_fields[] = {
	FIELD(struct rotate_body, overlap, DURATION, .flags = FIELD_DEFAULT,
	    .def = overlap_default_ms, .min = 0, .max = overlap_max_ms,
	    .help = "How long messages are signed by the old secret, too.",
	    .example = "\"24h\""),
};

const struct field_table webhook_rotate_table = FIELD_TABLE("WebhookRotation",
    struct rotate_body, rotate_fields, "How a secret is replaced.");

struct ping_answer {
	struct field_mask mask;
	const char *message;
};

static const struct field ping_fields[] = {
	FIELD(struct ping_answer, message, TEXT,
	    .help = "The message that was written, as in webhook-id; its "
	            "attempts tell what came of it."),
};

const struct field_table webhook_ping_table = FIELD_TABLE("WebhookMessage",
    struct ping_answer, ping_fields, "A message to an endpoint.");

/* ---- Showing -------------------------------------------------------------------- */

static size_t
read_events(struct request *rq, const char *text, int **events_r)
{
	int *list = arena_zalloc(rq->a, EVENTS_MAX, sizeof(*list));
	size_t count = 0, len;
	int i;

	for (; *text != '\0'; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		for (i = 0; webhook_event_names[i] != NULL; i++)
			if (strlen(webhook_event_names[i]) == len &&
			    memcmp(webhook_event_names[i], text, len) == 0 &&
			    count < EVENTS_MAX)
				list[count++] = i;
	}
	*events_r = list;
	return count;
}

static struct webhook_body
body_of(struct request *rq, const struct webhook_endpoint *ep)
{
	struct webhook_body body = {
		.id = ep->id,
		.url = ep->url,
		.description = ep->description,
		.signature = (int)ep->signature - 1,
		.rate = ep->rate,
		.ordered = ep->ordered,
		.state = (int)ep->state - 1,
		.reason = ep->reason,
		.public_key = ep->public_key,
		.previous_secret_until = ep->previous_until_ms,
		.failing_since = ep->failing_since_ms,
		.paused_until = ep->paused_until_ms,
		.created_at = ep->created_ms,
		.updated_at = ep->updated_ms,
	};

	body.events_count = read_events(rq, ep->events, &body.events);
	return body;
}

static json_t *
body_json(struct request *rq, const struct webhook_body *body)
{
	json_t *json = fields_write(rq->a, &webhook_body_table, body);

	if (body->rate == 0)
		json_object_set_new(json, "rate", json_null());
	return json;
}

static json_t *
row_json(struct request *rq, const void *row)
{
	struct webhook_body body = body_of(rq, row);

	return json_incref(body_json(rq, &body));
}

static const char *
row_key(struct request *rq, const void *row)
{
	const struct webhook_endpoint *ep = row;
	char text[UUID_TEXT_BYTES];

	uuid_format(&ep->id, text);
	return arena_strdup(rq->a, text);
}

/* "secret" is what was made just now, or NULL. */
static int
show(struct request *rq, struct response *rs, int status, struct uuid id,
    const char *secret, struct err *e)
{
	struct webhook_endpoint *ep;
	struct webhook_body body;
	int rc = webhook_endpoint_get(rq->a, app_of(rq)->db, rq->tenant, id, &ep,
	    e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such webhook endpoint");
	if (rc == -1)
		return -1;
	body = body_of(rq, ep);
	if (ep->signature == WEBHOOK_V1)
		body.secret = secret;
	response_secret(rs, "secret");
	response_etag(rs, ep->version);
	return response_json(rs, status, body_json(rq, &body));
}

int
webhooks_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct webhook_endpoint),
		.row = row_json, .key = row_key };
	struct webhook_endpoint *list;
	struct uuid from = { { 0 } };
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0)
		return -1;
	if (after[0] != '\0' && uuid_parse(after, &from) != 0)
		return request_refuse_parameter(rq, e, "cursor",
		    FIELD_ERR_MALFORMED, "is not a cursor of this list");
	if (webhook_endpoint_list(rq->a, app_of(rq)->db, rq->tenant, from, limit,
	        &list, &page.count, e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

int
webhooks_get(struct request *rq, struct response *rs, struct err *e)
{
	struct uuid id;

	if (request_arg_uuid(rq, 0, &id, e) != 0)
		return -1;
	return show(rq, rs, 200, id, NULL, e);
}

/* ---- Changing -------------------------------------------------------------------- */

static struct webhook_editor
editor_of(struct request *rq, const struct editor *ed)
{
	return (struct webhook_editor){ .ed = ed,
		.ring = app_of(rq)->ring,
		.endpoints_max = rq->config->webhook_endpoints_max };
}

static int
check_headers(struct request *rq, const json_t *headers, struct err *e)
{
	const char *name;
	json_t *value;
	struct err wrong;

	json_object_foreach((json_t *)(uintptr_t)headers, name, value)
	{
		if (webhook_header_check(name, value, &wrong) == 0)
			continue;
		return request_refuse(rq, e, "/headers", FIELD_ERR_NOT_ALLOWED,
		    "%s", wrong.text);
	}
	return 0;
}

static int
take_body(struct request *rq, const struct webhook_body *body,
    struct webhook_endpoint *ep, struct err *e)
{
	struct buf *events = buf_new(rq->a, EVENTS_BYTES);
	struct err wrong;
	size_t i;

	if (webhook_url_check(rq->config, body->url, &wrong) != 0)
		return request_refuse(rq, e, "/url", FIELD_ERR_NOT_ALLOWED, "%s",
		    wrong.text);
	if (check_headers(rq, body->headers, e) != 0)
		return -1;
	if (body->ordered != NULL && !webhook_ordered_is_known(body->ordered))
		return request_refuse(rq, e, "/ordered", FIELD_ERR_MALFORMED,
		    "must be \"notification\" or \"metadata.KEY\"");
	for (i = 0; i < body->events_count; i++)
		buf_printf(events, "%s%s", i > 0 ? "," : "",
		    webhook_event_names[body->events[i]]);
	ep->url = body->url;
	ep->description = body->description != NULL ? body->description : "";
	ep->events = events->len > 0 ? events->data : "";
	ep->signature = (enum webhook_signature)(body->signature + 1);
	ep->rate = body->rate;
	ep->ordered = body->ordered;
	return 0;
}

/* What was not asked for is as the tenant has it. */
static int
choose_signature(struct request *rq, const struct webhook_body *body,
    struct webhook_endpoint *ep, struct err *e)
{
	struct tenant *tenant;
	int rc;

	if (fields_given(&webhook_body_table, body, &body->signature))
		return 0;
	rc = tenant_get(rq->a, app_of(rq)->db, rq->tenant, &tenant, e);
	if (rc == 1)
		ep->signature = tenant_webhook_signature(rq->a, tenant);
	return rc == -1 ? -1 : 0;
}

int
webhooks_create(struct request *rq, struct response *rs, struct err *e)
{
	const struct webhook_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct webhook_editor we = editor_of(rq, &ed);
	struct webhook_endpoint ep = { .version = 0 };
	struct webhook_secrets secrets = { .headers = body->headers };
	char id[UUID_TEXT_BYTES];

	if (take_body(rq, body, &ep, e) != 0 ||
	    choose_signature(rq, body, &ep, e) != 0)
		return -1;
	secrets.secret = webhook_secret_make(rq->a,
	    ep.signature == WEBHOOK_V1A, &ep.public_key);
	if (webhook_endpoint_create(&we, &ep, &secrets, e) != 0)
		return -1;
	uuid_format(&ep.id, id);
	response_header(rs, "Location", "%s/api/v1/admin/webhooks/%s",
	    rq->config->api_url_prefix, id);
	return show(rq, rs, 201, ep.id, secrets.secret, e);
}

/* What cannot be changed stays: the endpoint as it is, or -1. */
static int
find(struct request *rq, struct uuid id, struct webhook_endpoint **ep_r,
    struct err *e)
{
	int rc = webhook_endpoint_get(rq->a, app_of(rq)->db, rq->tenant, id,
	    ep_r, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such webhook endpoint");
	return rc == 1 ? 0 : -1;
}

/* Stores a body in place of what the endpoint is.  If-Match goes before "version". */
static int
replace(struct request *rq, struct response *rs,
    const struct webhook_endpoint *now, const struct webhook_body *body,
    int version, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct webhook_editor we = editor_of(rq, &ed);
	struct webhook_endpoint ep = { .id = now->id };

	if (request_expected_version(rq, &ep.version, e) != 0 ||
	    take_body(rq, body, &ep, e) != 0)
		return -1;
	if (ep.signature != now->signature &&
	    fields_given(&webhook_body_table, body, &body->signature))
		return request_refuse(rq, e, "/signature",
		    FIELD_ERR_NOT_ALLOWED, "cannot be changed");
	if (ep.version == 0)
		ep.version = version;
	if (webhook_endpoint_update(&we, &ep, body->headers, e) != 0)
		return -1;
	return show(rq, rs, 200, ep.id, NULL, e);
}

int
webhooks_put(struct request *rq, struct response *rs, struct err *e)
{
	struct webhook_endpoint *now;
	struct uuid id;

	if (request_arg_uuid(rq, 0, &id, e) != 0 || find(rq, id, &now, e) != 0)
		return -1;
	return replace(rq, rs, now, rq->body, 0, e);
}

/* Headers are merged with those that are kept, which nobody is shown. */
int
webhooks_patch(struct request *rq, struct response *rs, struct err *e)
{
	struct webhook_secrets secrets;
	struct webhook_endpoint *now;
	struct webhook_body body;
	struct uuid id;
	json_t *json;

	if (request_arg_uuid(rq, 0, &id, e) != 0 ||
	    find(rq, id, &now, e) != 0 ||
	    webhook_secrets_open(rq->a, app_of(rq)->ring, rq->tenant, id,
	        now->sealed, now->sealed_bytes, &secrets, e) != 0)
		return -1;
	body = body_of(rq, now);
	json = body_json(rq, &body);
	json_object_set(json, "headers", secrets.headers);
	if (fields_read(rq->a, js_merge_patch(rq->a, json, rq->json),
	        &webhook_body_table, &body, &rq->errors) != 0)
		return request_faulty(rq, e);
	if (body.headers == NULL)
		body.headers = js_keep(rq->a, json_object());
	return replace(rq, rs, now, &body, now->version, e);
}

int
webhooks_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct webhook_editor we = editor_of(rq, &ed);
	struct uuid id;
	int expected;

	if (request_arg_uuid(rq, 0, &id, e) != 0 ||
	    request_expected_version(rq, &expected, e) != 0 ||
	    webhook_endpoint_remove(&we, id, expected, e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}

static int
set_state(struct request *rq, struct response *rs, enum webhook_state state,
    struct err *e)
{
	struct editor ed = app_editor(rq);
	struct webhook_editor we = editor_of(rq, &ed);
	struct uuid id;
	int expected;

	if (request_arg_uuid(rq, 0, &id, e) != 0 ||
	    request_expected_version(rq, &expected, e) != 0 ||
	    webhook_endpoint_set_state(&we, id, expected, state,
	        "an administrator disabled it", e) != 0)
		return -1;
	return show(rq, rs, 200, id, NULL, e);
}

int
webhooks_enable(struct request *rq, struct response *rs, struct err *e)
{
	return set_state(rq, rs, WEBHOOK_ACTIVE, e);
}

int
webhooks_disable(struct request *rq, struct response *rs, struct err *e)
{
	return set_state(rq, rs, WEBHOOK_DISABLED, e);
}

int
webhooks_rotate(struct request *rq, struct response *rs, struct err *e)
{
	const struct rotate_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct webhook_editor we = editor_of(rq, &ed);
	struct webhook_endpoint *ep;
	const char *secret;
	struct uuid id;
	int expected;

	if (request_arg_uuid(rq, 0, &id, e) != 0 ||
	    request_expected_version(rq, &expected, e) != 0 ||
	    find(rq, id, &ep, e) != 0)
		return -1;
	secret = webhook_secret_make(rq->a, ep->signature == WEBHOOK_V1A,
	    &ep->public_key);
	ep->version = expected;
	if (webhook_endpoint_rotate(&we, ep, secret,
	        body != NULL ? body->overlap : overlap_default_ms, e) != 0)
		return -1;
	return show(rq, rs, 200, id, secret, e);
}

int
webhooks_ping(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct webhook_editor we = editor_of(rq, &ed);
	struct ping_answer answer = { .message = NULL };
	struct uuid id, message;

	if (request_arg_uuid(rq, 0, &id, e) != 0 ||
	    webhook_endpoint_ping(&we, id, &message, e) != 0)
		return -1;
	answer.message = webhook_id(rq->a, &message);
	return response_record(rs, 202, &webhook_ping_table, &answer);
}

int
webhooks_event_types(struct request *rq, struct response *rs, struct err *e)
{
	json_t *answer = js_keep(rq->a, json_object());

	json_object_set_new(answer, "data", webhook_event_catalogue());
	return response_json(rs, 200, answer);
}
