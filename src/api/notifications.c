/*
 * notifications.c - /services/notifications: send, and ask what became of it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/notifications.h"

#include <string.h>

#include "api/app.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "db/db.h"
#include "model/channel.h"
#include "model/known.h"
#include "model/template.h"
#include "notify/accept.h"
#include "notify/send_request.h"
#include "notify/state.h"
#include "provider/verdict.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { KEY_MAX = 255 };

/* ---- POST .../send --------------------------------------------------------------- */

/* The key with or without the quotes that the draft asks for: both are in use. */
static int
read_key(struct request *rq, const char **key_r, struct err *e)
{
	const char *key = request_param(rq, "HTTP_IDEMPOTENCY_KEY"), *p;
	size_t n;

	*key_r = NULL;
	if (key == NULL)
		return 0;
	n = strlen(key);
	if (n >= 2 && key[0] == '"' && key[n - 1] == '"') {
		key = arena_strndup(rq->a, key + 1, n - 2);
		n -= 2;
	}
	for (p = key; *p > ' ' && *p < 0x7f && *p != '"'; p++)
		;
	if (n == 0 || n > KEY_MAX || *p != '\0')
		return err_set(e, ERR_INVALID, "the header Idempotency-Key must "
		    "hold 1 to %d printable characters without blanks", KEY_MAX);
	*key_r = key;
	return 0;
}

static int
parse_head(struct arena *a, const char *text, size_t len, const void **record_r,
    struct err *e)
{
	struct template_head *head;

	if (template_head_from_text(a, text, len, &head, e) == -1)
		return -1;
	*record_r = head;
	return 0;
}

static const struct known_kind template_kind = {
	.name = "template",
	.add = template_head_add,
	.text = template_text,
	.parse = parse_head,
};

/* One of template and content, and the template must be published. */
static int
find_template(struct request *rq, const struct template_head **head_r,
    struct err *e)
{
	const struct send_request *body = rq->body;
	struct app *app = rq->app;
	const void *record;
	int rc;

	*head_r = NULL;
	if ((body->template != NULL) == (body->content != NULL))
		return request_refuse(rq, e,
		    body->template != NULL ? "/content" : "/template",
		    body->template != NULL ? FIELD_ERR_CONFLICTING
		                           : FIELD_ERR_MISSING,
		    "one of template and content must be given%s",
		    body->template != NULL ? ", not both" : "");
	if (body->content != NULL)
		return 0;
	rc = known_get(app->known, rq->a, &template_kind, rq->tenant,
	    body->template, &record, e);
	if (rc == -1)
		return -1;
	if (rc == 1)
		*head_r = record;
	if (rc == 0 || (*head_r)->version == 0)
		return request_refuse(rq, e, "/template", FIELD_ERR_NOT_FOUND,
		    rc == 0 ? "there is no template \"%s\""
		            : "the template \"%s\" has no published version",
		    body->template);
	return 0;
}

int
notifications_send(struct request *rq, struct response *rs, struct err *e)
{
	struct app *app = rq->app;
	struct accept_params p = {
		.config = rq->config,
		.db = app->db,
		.known = app->known,
		.tenant = rq->tenant,
		.account = rq->principal->account,
		.request = rq->body,
		.body = rq->json,
		.raw = rq->body_text,
		.raw_bytes = rq->body_bytes,
		.request_id = rq->id,
		.traceparent = rq->traceparent,
	};
	struct accept_result result;
	struct buf *out;

	if (read_key(rq, &p.idempotency_key, e) == -1 ||
	    find_template(rq, &p.template, e) == -1)
		return -1;
	if (accept_check(rq->a, &p, &rq->errors) == -1)
		return err_set(e, ERR_UNPROCESSABLE, "the request has errors");
	if (accept_notification(rq->a, &p, &result, e) == -1)
		return -1;
	out = response_body(rs, result.status, "application/json");
	buf_puts(out, result.body);
	response_header(rs, "Location", "%s", result.location);
	if (result.replayed)
		response_header(rs, "Idempotent-Replayed", "true");
	return 0;
}

/* ---- GET ----------------------------------------------------------------------------- */

static void
set_text(json_t *json, const char *name, const char *text)
{
	json_object_set_new(json, name,
	    text != NULL ? json_string(text) : json_null());
}

static void
set_time(json_t *json, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (ms != 0)
		clock_format(ms, text);
	set_text(json, name, ms != 0 ? text : NULL);
}

static void
set_uuid(json_t *json, const char *name, const struct db_rows *rows, int row,
    int column)
{
	set_text(json, name, db_text(rows, row, column));
}

static json_t *
parsed(struct arena *a, const char *text)
{
	json_t *json;
	struct err e;

	if (text == NULL || js_parse(a, text, strlen(text), 512, &json, &e) == -1)
		return json_null();
	return json_incref(json);
}

static json_t *
delivery_json(const struct db_rows *r, int i)
{
	json_t *d = json_object();

	set_uuid(d, "id", r, i, 0);
	json_object_set_new(d, "recipient", json_integer(db_int(r, i, 1)));
	set_text(d, "user_id", db_text(r, i, 6));
	set_text(d, "channel", channel_name((int)db_int(r, i, 3)));
	set_text(d, "address", db_text(r, i, 7));
	set_text(d, "state", delivery_state_name((int)db_int(r, i, 4)));
	json_object_set_new(d, "attempts", json_integer(db_int(r, i, 5)));
	set_text(d, "provider", db_text(r, i, 8));
	set_text(d, "provider_ref", db_text(r, i, 9));
	set_text(d, "class", db_is_null(r, i, 10)
	        ? NULL
	        : verdict_name((enum verdict_class)db_int(r, i, 10)));
	set_text(d, "reason", db_text(r, i, 11));
	set_time(d, "due", db_time_ms(r, i, 12));
	set_time(d, "created_at", db_time_ms(r, i, 13));
	set_time(d, "finished_at", db_time_ms(r, i, 14));
	return d;
}

static json_t *
notification_json(struct arena *a, const struct db_rows *n,
    const struct db_rows *deliveries)
{
	json_t *json = json_object(), *list = json_array();
	int i;

	set_uuid(json, "id", n, 0, 0);
	set_text(json, "state", notification_state_name((int)db_int(n, 0, 1)));
	set_text(json, "priority", priority_name(priority_from_row(db_int(n, 0, 2))));
	set_text(json, "category", db_text(n, 0, 3));
	set_text(json, "locale", db_text(n, 0, 4));
	set_text(json, "template", db_text(n, 0, 6));
	json_object_set_new(json, "template_version", db_is_null(n, 0, 7)
	        ? json_null()
	        : json_integer(db_int(n, 0, 7)));
	json_object_set_new(json, "metadata", parsed(a, db_text(n, 0, 9)));
	json_object_set_new(json, "recipients", json_integer(db_int(n, 0, 17)));
	set_time(json, "send_at", db_time_ms(n, 0, 10));
	set_time(json, "expires_at", db_time_ms(n, 0, 11));
	set_time(json, "created_at", db_time_ms(n, 0, 12));
	set_time(json, "routed_at", db_time_ms(n, 0, 13));
	set_time(json, "done_at", db_time_ms(n, 0, 14));
	for (i = 0; i < db_count(deliveries); i++)
		json_array_append_new(list, delivery_json(deliveries, i));
	json_object_set_new(json, "deliveries", list);
	return json;
}

/* Runs one or two queries about the notification in the path, the first of which has a
 * row when there is such a one. */
static int
ask(struct request *rq, enum query first, enum query second,
    struct db_rows ***rows_r, struct err *e)
{
	struct app *app = rq->app;
	struct db_batch *b = db_batch_new(rq->a, rq->tenant, DB_ONE);
	struct uuid id;

	if (request_arg_uuid(rq, 0, &id, e) == -1)
		return -1;
	db_add(b, first);
	db_arg_int(b, rq->tenant.n);
	db_arg_uuid(b, &id);
	db_add(b, second);
	db_arg_int(b, rq->tenant.n);
	db_arg_uuid(b, &id);
	if (db_run(app->db, rq->a, b, rows_r, e) == -1)
		return -1;
	if (db_count((*rows_r)[0]) == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such notification");
	return 0;
}

int
notifications_get(struct request *rq, struct response *rs, struct err *e)
{
	struct db_rows **rows;

	if (ask(rq, Q_NOTIFICATION_GET, Q_NOTIFICATION_DELIVERIES, &rows, e) ==
	    -1)
		return -1;
	return response_json(rs, 200,
	    js_keep(rq->a, notification_json(rq->a, rows[0], rows[1])));
}

/* ---- GET .../timeline ------------------------------------------------------------------ */

static json_t *
entry_json(const struct db_rows *r, int i)
{
	json_t *en = json_object();

	set_time(en, "at", db_time_ms(r, i, 0));
	set_text(en, "type", db_text(r, i, 2));
	set_uuid(en, "delivery", r, i, 3);
	set_text(en, "channel",
	    db_is_null(r, i, 4) ? NULL : channel_name((int)db_int(r, i, 4)));
	set_text(en, "provider", db_text(r, i, 5));
	json_object_set_new(en, "attempt", db_is_null(r, i, 6)
	        ? json_null()
	        : json_integer(db_int(r, i, 6)));
	set_text(en, "class", db_is_null(r, i, 7)
	        ? NULL
	        : verdict_name((enum verdict_class)db_int(r, i, 7)));
	set_text(en, "code", db_text(r, i, 8));
	set_text(en, "text", db_text(r, i, 9));
	set_text(en, "by", db_text(r, i, 10));
	set_time(en, "next_attempt_at", db_time_ms(r, i, 11));
	return en;
}

int
notifications_timeline(struct request *rq, struct response *rs, struct err *e)
{
	struct db_rows **rows;
	json_t *list = json_array();
	int i;

	if (ask(rq, Q_NOTIFICATION_EXISTS, Q_NOTIFICATION_TIMELINE, &rows, e) ==
	    -1) {
		json_decref(list);
		return -1;
	}
	for (i = 0; i < db_count(rows[1]); i++)
		json_array_append_new(list, entry_json(rows[1], i));
	return response_json(rs, 200, js_keep(rq->a, json_pack("{s:o}", "data",
	                                                 list)));
}
