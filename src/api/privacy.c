/*
 * privacy.c - what is stored of a person, told and erased; legal holds
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/privacy.h"

#include <string.h>

#include "api/app.h"
#include "auth/principal.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/person.h"
#include "notify/privacy.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

/* ---- A person ---------------------------------------------------------------------- */

struct erase_receipt {
	struct field_mask mask;
	const char *person;
	int64_t erased_at;
	int64_t cancelled;
	json_t *rows;
	const char *hash;
};

static const struct field receipt_fields[] = {
	FIELD(struct erase_receipt, person, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "A keyed hash in place of the person's id, as in the audit."),
	FIELD(struct erase_receipt, erased_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was done."),
	FIELD(struct erase_receipt, cancelled, INT, .flags = FIELD_READ_ONLY,
	    .help = "How many deliveries were queued and are cancelled."),
	FIELD(struct erase_receipt, rows, JSON, .flags = FIELD_READ_ONLY,
	    .help = "How many rows were erased or made nameless, by table."),
	FIELD(struct erase_receipt, hash, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "The SHA-256 of the members above, as compact JSON with sorted "
	            "keys; the audit has it too."),
};

const struct field_table erase_receipt_table = FIELD_TABLE("EraseReceipt",
    struct erase_receipt, receipt_fields, "What was erased of a person.");

/* An address has no place in a path, which logs keep. */
struct person_body {
	struct field_mask mask;
	const char *user_id;
	const char *address;
};

static const struct field person_fields[] = {
	FIELD(struct person_body, user_id, TEXT, .min = 1, .max = 255,
	    .help = "The recipient's id.", .example = "\"u1\""),
	FIELD(struct person_body, address, TEXT, .min = 1, .max = 1000,
	    .help = "An address that something was sent to, of any channel.",
	    .example = "\"ann@example.org\""),
};

const struct field_table person_body_table = FIELD_TABLE("Person",
    struct person_body, person_fields,
    "Who: a recipient's id, an address, or both of one person.");

/* Who the body names. */
static int
read_person(struct request *rq, struct person *who_r, struct err *e)
{
	const struct person_body *body = rq->body;

	*who_r = (struct person){ .user_id = body->user_id,
		.address = body->address };
	if (body->user_id == NULL && body->address == NULL)
		return request_refuse(rq, e, "/user_id", FIELD_ERR_MISSING,
		    "one of user_id and address must be given");
	return 0;
}

static int
tell(struct request *rq, struct response *rs, const struct editor *ed,
    struct person who, struct err *e)
{
	struct buf *out = buf_new(rq->a, (size_t)rq->config->privacy_export_max);
	struct buf *body;

	who.patience_ms = rq->config->privacy_timeout;
	if (privacy_export(ed, &who, out, e) == -1)
		return -1;
	body = response_body(rs, 200, "application/json");
	buf_add(body, out->data, out->len);
	return 0;
}

static int
erase(struct request *rq, struct response *rs, const struct editor *ed,
    struct person who, struct err *e)
{
	json_t *receipt;

	who.patience_ms = rq->config->privacy_timeout;
	if (privacy_erase(ed, &who, &receipt, e) == -1)
		return -1;
	return response_json(rs, 200, js_keep(rq->a, receipt));
}

int
privacy_export_show(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);

	return tell(rq, rs, &ed, (struct person){ .user_id = rq->args[0] }, e);
}

int
privacy_erase_do(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);

	return erase(rq, rs, &ed, (struct person){ .user_id = rq->args[0] }, e);
}

int
privacy_export_by(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct person who;

	if (read_person(rq, &who, e) != 0)
		return -1;
	return tell(rq, rs, &ed, who, e);
}

int
privacy_erase_by(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct person who;

	if (read_person(rq, &who, e) != 0)
		return -1;
	return erase(rq, rs, &ed, who, e);
}

/* A person who acts for itself is not named in the audit either. */
static int
myself(struct request *rq, struct editor *ed_r, struct person *who_r,
    struct err *e)
{
	const char *id = rq->principal->user_id;

	if (id == NULL)
		return err_set(e, ERR_FORBIDDEN, "the token is about no person");
	*who_r = (struct person){ .user_id = id };
	*ed_r = app_editor(rq);
	ed_r->principal = person_label(rq->a, ed_r->ring, rq->tenant, id);
	return 0;
}

int
privacy_me_export(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed;
	struct person who;

	if (myself(rq, &ed, &who, e) == -1)
		return -1;
	return tell(rq, rs, &ed, who, e);
}

int
privacy_me_erase(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed;
	struct person who;

	if (myself(rq, &ed, &who, e) == -1)
		return -1;
	return erase(rq, rs, &ed, who, e);
}

/* ---- Legal holds -------------------------------------------------------------------- */

struct hold_body {
	struct field_mask mask;
	struct uuid id;
	const char *person;
	const char *reason;
	const char *set_by;
	int64_t set_at;
};

static const struct field hold_fields[] = {
	FIELD(struct hold_body, id, UUID, .flags = FIELD_READ_ONLY,
	    .help = "Belfry's name for the hold."),
	FIELD(struct hold_body, person, TEXT, .flags = FIELD_ONE_LINE,
	    .min = 1, .max = 255, .example = "\"u1\"",
	    .help = "A user_id or an address. Absent: the whole tenant."),
	FIELD(struct hold_body, reason, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1, .max = 500,
	    .help = "Why.", .example = "\"case 4711\""),
	FIELD(struct hold_body, set_by, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "Who set it."),
	FIELD(struct hold_body, set_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was set."),
};

const struct field_table legal_hold_table = FIELD_TABLE("LegalHold",
    struct hold_body, hold_fields,
    "While it holds, nothing of the person or tenant is deleted or erased.");

static json_t *
hold_json(struct request *rq, const struct legal_hold *h)
{
	struct hold_body body = {
		.id = h->id,
		.person = h->person[0] != '\0' ? h->person : NULL,
		.reason = h->reason,
		.set_by = h->set_by,
		.set_at = h->set_ms,
	};

	return fields_write(rq->a, &legal_hold_table, &body);
}

int
legal_holds_list(struct request *rq, struct response *rs, struct err *e)
{
	json_t *answer = js_keep(rq->a, json_object()), *data = json_array();
	struct editor ed = app_editor(rq);
	struct legal_hold *list;
	size_t i, count;

	json_object_set_new(answer, "data", data);
	if (hold_list(&ed, &list, &count, e) == -1)
		return -1;
	for (i = 0; i < count; i++)
		json_array_append(data, hold_json(rq, &list[i]));
	return response_json(rs, 200, answer);
}

int
legal_holds_create(struct request *rq, struct response *rs, struct err *e)
{
	const struct hold_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct legal_hold h = {
		.person = body->person != NULL ? body->person : "",
		.reason = body->reason,
	};

	if (hold_set(&ed, &h, e) == -1)
		return -1;
	return response_json(rs, 201, hold_json(rq, &h));
}

int
legal_holds_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct uuid id;

	if (request_arg_uuid(rq, 0, &id, e) != 0 ||
	    hold_release(&ed, &id, e) == -1)
		return -1;
	response_empty(rs, 204);
	return 0;
}
