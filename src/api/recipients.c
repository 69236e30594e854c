/*
 * recipients.c - /services/recipients: people, as a service keeps them here
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/recipients.h"

#include <string.h>

#include "api/app.h"
#include "api/page.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/edit.h"
#include "model/quiet_hours.h"
#include "model/recipient.h"
#include "web/field.h"
#include "web/field_form.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"
#include "web/url.h"

enum { USER_ID_MAX = 255, DATA_DEPTH_MAX = 512 };

struct recipient_body {
	struct field_mask mask;
	const char *user_id;
	const char *email;
	const char *phone;
	const char *name;
	const char *locale;
	const char *time_zone;
	json_t *data;
	json_t *quiet_hours;
	int64_t created_at;
	int64_t updated_at;
};

static const struct field recipient_fields[] = {
	FIELD(struct recipient_body, user_id, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "The service's own name for the person.",
	    .example = "\"u1\""),
	FIELD(struct recipient_body, email, EMAIL, .flags = FIELD_NULLABLE,
	    .help = "Where e-mail goes.", .example = "\"ann@example.org\""),
	FIELD(struct recipient_body, phone, PHONE, .flags = FIELD_NULLABLE,
	    .help = "Where SMS and WhatsApp go.",
	    .example = "\"+43660123456\""),
	FIELD(struct recipient_body, name, TEXT,
	    .flags = FIELD_NULLABLE | FIELD_ONE_LINE, .max = 200,
	    .help = "The person's name.", .example = "\"Ann\""),
	FIELD(struct recipient_body, locale, LOCALE, .flags = FIELD_NULLABLE,
	    .help = "The language of messages.", .example = "\"de-AT\""),
	FIELD(struct recipient_body, time_zone, ZONE, .flags = FIELD_NULLABLE,
	    .help = "The time zone of quiet hours.",
	    .example = "\"Europe/Vienna\""),
	FIELD(struct recipient_body, quiet_hours, JSON, .flags = FIELD_NULLABLE,
	    .max = 3, .example = "{\"from\": \"22:00\", \"to\": \"07:00\"}",
	    .help = "When nothing is to be sent, by the clock of the time zone; "
	            "\"days\" (mon to sun) names those on which it begins. Absent: "
	            "the tenant's."),
	FIELD(struct recipient_body, data, JSON, .flags = FIELD_NULLABLE,
	    .help = "Data for templates, as \"recipient.data\"."),
	FIELD(struct recipient_body, created_at, TIME,
	    .flags = FIELD_READ_ONLY, .help = "When it was stored first."),
	FIELD(struct recipient_body, updated_at, TIME,
	    .flags = FIELD_READ_ONLY, .help = "When it was changed last."),
};

const struct field_table recipient_body_table = FIELD_TABLE("Recipient",
    struct recipient_body, recipient_fields,
    "A person whom notifications name by user_id.");

static json_t *
stored_json(struct request *rq, const char *text)
{
	json_t *json;
	struct err e;

	return text != NULL && js_parse(rq->a, text, strlen(text),
	                           DATA_DEPTH_MAX, &json, &e) == 0
	    ? json
	    : NULL;
}

static json_t *
recipient_json(struct request *rq, const struct recipient *r)
{
	struct recipient_body body = {
		.user_id = r->user_id,
		.email = r->email,
		.phone = r->phone,
		.name = r->name,
		.locale = r->locale,
		.time_zone = r->time_zone,
		.created_at = r->created_ms,
		.updated_at = r->updated_ms,
	};

	body.data = stored_json(rq, r->data);
	body.quiet_hours = stored_json(rq, r->quiet_hours);
	return fields_write(rq->a, &recipient_body_table, &body);
}

static json_t *
row_json(struct request *rq, const void *row)
{
	return json_incref(recipient_json(rq, row));
}

static const char *
row_key(struct request *rq, const void *row)
{
	return ((const struct recipient *)row)->user_id;
}

static int
no_recipient(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such recipient");
}

int
recipients_list(struct request *rq, struct response *rs, struct err *e)
{
	struct page_rows page = { .size_bytes = sizeof(struct recipient),
		.row = row_json, .key = row_key };
	struct recipient *list;
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    recipient_list(rq->a, app_of(rq)->db, rq->tenant, after, limit,
	        &list, &page.count, e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

/* Writes what is stored now. */
static int
show(struct request *rq, struct response *rs, int status, struct err *e)
{
	struct recipient *r;
	int rc;

	rc = recipient_get(rq->a, app_of(rq)->db, rq->tenant, rq->args[0], &r,
	    e);
	if (rc != 1)
		return rc == 0 ? no_recipient(e) : -1;
	response_etag(rs, r->version);
	return response_json(rs, status, recipient_json(rq, r));
}

int
recipients_get(struct request *rq, struct response *rs, struct err *e)
{
	return show(rq, rs, 200, e);
}

int
recipients_put(struct request *rq, struct response *rs, struct err *e)
{
	const struct recipient_body *body = rq->body;
	struct recipient r = {
		.user_id = rq->args[0],
		.email = body->email,
		.phone = body->phone,
		.name = body->name,
		.locale = body->locale,
		.time_zone = body->time_zone,
		.data = edit_json(rq->a, body->data),
		.quiet_hours = edit_json(rq->a, body->quiet_hours),
	};
	struct editor ed = app_editor(rq);
	struct quiet_hours hours;
	const char *fault;
	bool created;

	if (form_length(rq->args[0]) > USER_ID_MAX)
		return err_set(e, ERR_INVALID,
		    "the user_id has more than %d characters", USER_ID_MAX);
	if (body->quiet_hours != NULL &&
	    quiet_hours_read(body->quiet_hours, &hours, &fault) == -1)
		return err_set(e, ERR_INVALID, "the quiet hours: %s", fault);
	if (request_expected_version(rq, &r.version, e) != 0 ||
	    recipient_put(&ed, &r, &created, e) != 0)
		return -1;
	return show(rq, rs, created ? 201 : 200, e);
}

int
recipients_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	int rc = recipient_delete(&ed, rq->args[0], e);

	if (rc != 1)
		return rc == 0 ? no_recipient(e) : -1;
	response_empty(rs, 204);
	return 0;
}
