/*
 * suppressions.c - /admin/suppressions: addresses that are not to be written to
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/suppressions.h"

#include "api/app.h"
#include "api/page.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/edit.h"
#include "model/provider_account.h"
#include "model/suppression.h"
#include "web/field.h"
#include "web/field_form.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { ADDRESS_MAX = 255 };

/* Begins as struct page_query does, which page_start() reads. */
struct suppression_query {
	struct page_query page;
	int *channel, *reason; /* one or none */
	size_t channel_count, reason_count;
};

struct suppression_body {
	struct field_mask mask;
	const char *address;
	int channel;
	int reason;
	const char *provider;
	const char *category;
	const char *source;
	const char *code;
	struct uuid notification;
	int64_t created_at;
};

static const struct field query_fields[] = {
	FIELD(struct suppression_query, page.limit, INT, .as = "limit",
	    .min = 1, .max = 200, .def = 50, .flags = FIELD_DEFAULT,
	    .help = "How many entries a page holds."),
	FIELD(struct suppression_query, page.cursor, TEXT, .as = "cursor",
	    .max = 1024,
	    .help = "Where to go on: next_cursor of the page before."),
	FIELD_LIST(struct suppression_query, channel, ENUM,
	    .words = channel_names, .max = 1, .flags = FIELD_ONE_OR_MANY,
	    .help = "Only this channel.", .example = "\"email\""),
	FIELD_LIST(struct suppression_query, reason, ENUM,
	    .words = suppression_reason_names, .max = 1,
	    .flags = FIELD_ONE_OR_MANY, .help = "Only this reason.",
	    .example = "\"hard_bounce\""),
};

const struct field_table suppression_query_table = {
	.name = "SuppressionQuery",
	.help = "Which suppressions.",
	.fields = query_fields,
	.count = NELEMS(query_fields),
	.struct_bytes = sizeof(struct suppression_query),
	.mask_offset = offsetof(struct suppression_query, page.mask),
};

static const struct field body_fields[] = {
	FIELD(struct suppression_body, address, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1,
	    .max = ADDRESS_MAX,
	    .help = "The address; upper and lower case are the same.",
	    .example = "\"ann@example.org\""),
	FIELD(struct suppression_body, channel, ENUM, .words = channel_names,
	    .flags = FIELD_REQUIRED, .help = "The channel it is for.",
	    .example = "\"email\""),
	FIELD(struct suppression_body, reason, ENUM,
	    .words = suppression_reason_names, .flags = FIELD_DEFAULT,
	    .def = SUPPRESSION_MANUAL - 1, .help = "Why.",
	    .example = "\"manual\""),
	FIELD(struct suppression_body, provider, SLUG,
	    .help = "Only for what this account sends; for all of them when it "
	            "is absent."),
	FIELD(struct suppression_body, category, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 63,
	    .help = "Only for this category of notifications; for all of them "
	            "when it is absent."),
	FIELD(struct suppression_body, source, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "Who said so."),
	FIELD(struct suppression_body, code, TEXT, .flags = FIELD_READ_ONLY,
	    .help = "In the words of the provider."),
	FIELD(struct suppression_body, notification, UUID,
	    .flags = FIELD_READ_ONLY, .help = "What it came of."),
	FIELD(struct suppression_body, created_at, TIME,
	    .flags = FIELD_READ_ONLY, .help = "Since when."),
};

const struct field_table suppression_body_table = FIELD_TABLE("Suppression",
    struct suppression_body, body_fields,
    "An address that is not to be written to.");

static json_t *
suppression_json(struct request *rq, const struct suppression *s)
{
	struct suppression_body body = {
		.address = s->address,
		.channel = (int)s->channel - 1,
		.reason = (int)s->reason - 1,
		.provider = s->provider_name,
		.category = s->category[0] != '\0' ? s->category : NULL,
		.source = s->source,
		.code = s->code,
		.notification = s->notification.u,
		.created_at = s->created_ms,
	};

	return fields_write(rq->a, &suppression_body_table, &body);
}

static json_t *
row_json(struct request *rq, const void *row)
{
	return json_incref(suppression_json(rq, row));
}

static const char *
row_key(struct request *rq, const void *row)
{
	return suppression_key(rq->a, row);
}

int
suppressions_list(struct request *rq, struct response *rs, struct err *e)
{
	const struct suppression_query *q = rq->query;
	struct page_rows page = { .size_bytes = sizeof(struct suppression),
		.row = row_json, .key = row_key };
	struct suppression_filter filter = { .channel = CHANNEL_NONE };
	struct editor ed = app_editor(rq);
	struct suppression *list;
	const char *after;
	int limit;

	if (q->channel_count > 0)
		filter.channel = (enum channel)(q->channel[0] + 1);
	if (q->reason_count > 0)
		filter.reason = (enum suppression_reason)(q->reason[0] + 1);
	if (page_start(rq, &after, &limit, e) != 0 ||
	    suppression_list(&ed, &filter, after, limit, &list, &page.count,
	        e) != 0)
		return -1;
	page.rows = list;
	return page_write(rq, rs, &page);
}

/* The account that "provider" names. */
static int
find_provider(struct request *rq, const char *name, struct provider_id *id_r,
    struct err *e)
{
	struct provider_account *p;
	int rc;

	if (name == NULL)
		return 0;
	rc = provider_account_find(rq->a, app_of(rq)->db, rq->tenant, name, &p,
	    e);
	if (rc == 0)
		return request_refuse(rq, e, "/provider", FIELD_ERR_NOT_FOUND,
		    "there is no such provider");
	if (rc == 1)
		*id_r = p->id;
	return rc == 1 ? 0 : -1;
}

/* One that no message could go to would suppress nothing. */
static int
check_address(struct request *rq, const struct suppression *s, struct err *e)
{
	if (s->channel == CHANNEL_EMAIL && !form_is_email(s->address))
		return request_refuse(rq, e, "/address", FIELD_ERR_MALFORMED,
		    "must be an e-mail address");
	if ((s->channel == CHANNEL_SMS || s->channel == CHANNEL_WHATSAPP) &&
	    !form_is_phone(s->address))
		return request_refuse(rq, e, "/address", FIELD_ERR_MALFORMED,
		    "must be a phone number with country code, such as "
		    "+43660123456");
	return 0;
}

int
suppressions_create(struct request *rq, struct response *rs, struct err *e)
{
	const struct suppression_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct suppression s = {
		.address = suppression_address(rq->a, body->address),
		.channel = (enum channel)(body->channel + 1),
		.reason = (enum suppression_reason)(body->reason + 1),
		.category = body->category != NULL ? body->category : "",
		.provider_name = body->provider,
		.source = ed.principal,
	};
	bool is_new;

	if (s.address[0] == '\0')
		return request_refuse(rq, e, "/address", FIELD_ERR_TOO_SHORT,
		    "it is blank");
	if (check_address(rq, &s, e) != 0 ||
	    find_provider(rq, body->provider, &s.provider, e) != 0 ||
	    suppression_add(&ed, &s, &is_new, e) != 0)
		return -1;
	return response_json(rs, is_new ? 201 : 200, suppression_json(rq, &s));
}

/* The channel of the path: 0, or -1 as for an address that is not there. */
static int
read_channel(struct request *rq, enum channel *channel_r, struct err *e)
{
	*channel_r = channel_parse(rq->args[0]);
	if (*channel_r == CHANNEL_NONE)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such suppression");
	return 0;
}

int
suppressions_get(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	json_t *answer = js_keep(rq->a, json_object()), *data = json_array();
	struct suppression *list;
	enum channel channel;
	size_t i, count = 0;

	json_object_set_new(answer, "data", data);
	if (read_channel(rq, &channel, e) != 0 ||
	    suppression_get(&ed, channel, rq->args[1], &list, &count, e) != 0)
		return -1;
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such suppression");
	for (i = 0; i < count; i++)
		json_array_append(data, suppression_json(rq, &list[i]));
	return response_json(rs, 200, answer);
}

int
suppressions_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	enum channel channel;

	if (read_channel(rq, &channel, e) != 0 ||
	    suppression_remove(&ed, channel, rq->args[1], e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}
