/*
 * notifications.c - /services/notifications: send, and ask what became of it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/notifications.h"

#include <string.h>

#include "api/app.h"
#include "api/once.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "db/db.h"
#include "model/known.h"
#include "model/template.h"
#include "notify/accept.h"
#include "notify/book.h"
#include "notify/explain.h"
#include "notify/express.h"
#include "notify/prefix_limit.h"
#include "notify/sender.h"
#include "notify/send_request.h"
#include "notify/timeline.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

/* ---- POST .../send --------------------------------------------------------------- */

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

/* What its tenant may not send by, and to how many. */
static int
find_rules(struct request *rq, unsigned *forbidden_r,
    struct prefix_limit *prefixes_r, struct err *e)
{
	const struct app *app = app_of(rq);
	const struct page *page;

	if (express_page(rq->a, app_of(rq)->known, rq->tenant, &page, e) == -1)
		return -1;
	*forbidden_r = page->rules.forbidden;
	*prefixes_r = prefix_limit_of(app->config, app->prefix_limits,
	    rq->tenant, &page->rules);
	return 0;
}

static struct accept_params
params_of(struct request *rq)
{
	struct app *app = rq->app;

	return (struct accept_params){
		.config = rq->config,
		.db = app->db,
		.known = app->known,
		.tenant = rq->tenant,
		.account = rq->principal->account,
		.test = rq->principal->test,
		.request = rq->body,
		.body = rq->json,
		.raw = rq->body_text,
		.raw_bytes = rq->body_bytes,
		.request_id = rq->id,
		.traceparent = rq->traceparent,
	};
}

/* Tells which recipient is one too many, and when there is room. */
static int
refuse_limited(struct request *rq, const struct accept_result *result,
    const struct err *e)
{
	if (e->kind != ERR_LIMITED)
		return -1;
	rq->limits[0] = result->limit;
	rq->limits_count = 1;
	field_errors_add(&rq->errors, result->pointer, FIELD_ERR_TOO_MANY,
	    "more numbers begin like this one's than may be sent to");
	return -1;
}

int
notifications_send(struct request *rq, struct response *rs, struct err *e)
{
	struct accept_params p = params_of(rq);
	struct accept_result result;
	struct prefix_limit prefixes;
	struct buf *out;

	if (once_key(rq, &p.idempotency_key, e) == -1 ||
	    find_rules(rq, &p.forbidden, &prefixes, e) == -1 ||
	    find_template(rq, &p.template, e) == -1)
		return -1;
	p.prefixes = &prefixes;
	if (accept_check(rq->a, &p, &rq->errors) == -1)
		return err_set(e, ERR_UNPROCESSABLE, "the request has errors");
	if (sender_check(rq->a, &p, &rq->errors, e) == -1)
		return -1;
	if (accept_notification(rq->a, &p, &result, e) == -1)
		return refuse_limited(rq, &result, e);
	out = response_body(rs, result.status, "application/json");
	buf_puts(out, result.body);
	response_header(rs, "Location", "%s", result.location);
	if (result.replayed)
		response_header(rs, "Idempotent-Replayed", "true");
	return 0;
}

/* ---- GET ----------------------------------------------------------------------------- */

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
	json_t *json;

	if (ask(rq, Q_NOTIFICATION_GET, Q_NOTIFICATION_DELIVERIES, &rows, e) ==
	    -1)
		return -1;
	json = js_keep(rq->a, notification_json(rows[0]));
	json_object_set_new(json, "deliveries", deliveries_json(rows[1]));
	return response_json(rs, 200, json);
}

/* ---- GET .../timeline ------------------------------------------------------------------ */

int
notifications_timeline(struct request *rq, struct response *rs, struct err *e)
{
	struct db_rows **rows;

	if (ask(rq, Q_NOTIFICATION_EXISTS, Q_NOTIFICATION_TIMELINE, &rows, e) ==
	    -1)
		return -1;
	return response_json(rs, 200,
	    js_keep(rq->a,
	        json_pack("{s:o}", "data", timeline_json(rows[1]))));
}

/* ---- .../explain ---------------------------------------------------------------------- */

int
notifications_explain(struct request *rq, struct response *rs, struct err *e)
{
	struct app *app = rq->app;
	struct explain_question q = {
		.tenant = rq->tenant,
		.dead_after_ms = app->config->spooler_dead_after,
	};
	json_t *json;
	int rc;

	if (request_arg_uuid(rq, 0, &q.notification.u, e) == -1)
		return -1;
	rc = explain_notification(rq->a, app->db, &q, &json, e);
	if (rc != 1)
		return rc == 0 ? err_set(e, ERR_NOT_FOUND,
		    "there is no such notification") : -1;
	return response_json(rs, 200, js_keep(rq->a, json));
}

int
notifications_explain_request(struct request *rq, struct response *rs,
    struct err *e)
{
	struct accept_params p = params_of(rq);
	struct prefix_limit prefixes; /* are not taken from */
	json_t *json;

	if (find_rules(rq, &p.forbidden, &prefixes, e) == -1 ||
	    find_template(rq, &p.template, e) == -1)
		return -1;
	if (accept_check(rq->a, &p, &rq->errors) == -1)
		return err_set(e, ERR_UNPROCESSABLE, "the request has errors");
	if (sender_check(rq->a, &p, &rq->errors, e) == -1)
		return -1;
	if (explain_request(rq->a, &p, &json, e) == -1)
		return -1;
	return response_json(rs, 200, js_keep(rq->a, json));
}
