/*
 * dead_letters.c - /admin/dead-letters: deliveries that were given up
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/dead_letters.h"

#include "api/app.h"
#include "api/page.h"
#include "base/err.h"
#include "model/channel.h"
#include "notify/dead_letter.h"
#include "web/request.h"
#include "web/response.h"

/* Begins as struct page_query does, which page_start() reads. */
struct dead_query {
	struct page_query page;
	int *channel, *class; /* one or none */
	size_t channel_count, class_count;
	const char *provider;
	const char *template;
	int64_t since;
	int64_t until;
};

struct dead_body {
	struct field_mask mask;
	struct uuid *ids;
	size_t ids_count;
	bool all;
	int *channel, *class;
	size_t channel_count, class_count;
	const char *provider;
	const char *template;
	int64_t since;
	int64_t until;
};

struct dead_answer {
	struct field_mask mask;
	int64_t count;
	bool more;
};

/* An empty list would leave out nothing. */
#define FILTER(s)                                                              \
	FIELD_LIST(s, channel, ENUM, .words = channel_names, .min = 1,         \
	    .max = 1,                                                          \
	    .flags = FIELD_ONE_OR_MANY, .help = "Only this channel.",          \
	    .example = "\"email\""),                                           \
	FIELD_LIST(s, class, ENUM, .words = verdict_names, .min = 1, .max = 1, \
	    .flags = FIELD_ONE_OR_MANY,                                        \
	    .help = "Only those whose last attempt had this class.",           \
	    .example = "\"retry\""),                                           \
	FIELD(s, provider, SLUG,                                               \
	    .help = "Only those that this account tried last."),               \
	FIELD(s, template, SLUG, .help = "Only those of this template."),      \
	FIELD(s, since, TIME,                                                  \
	    .help = "Only those that died at this time or later."),            \
	FIELD(s, until, TIME, .help = "Only those that died before this time.")

static const struct field query_fields[] = {
	FIELD(struct dead_query, page.limit, INT, .as = "limit", .min = 1,
	    .max = 200, .def = 50, .flags = FIELD_DEFAULT,
	    .help = "How many entries a page holds."),
	FIELD(struct dead_query, page.cursor, TEXT, .as = "cursor", .max = 1024,
	    .help = "Where to go on: next_cursor of the page before."),
	FILTER(struct dead_query),
};

const struct field_table dead_query_table = {
	.name = "DeadLetterQuery",
	.help = "Which dead letters.",
	.fields = query_fields,
	.count = NELEMS(query_fields),
	.struct_bytes = sizeof(struct dead_query),
	.mask_offset = offsetof(struct dead_query, page.mask),
};

static const struct field body_fields[] = {
	FIELD_LIST(struct dead_body, ids, UUID, .min = 1, .max = DEAD_SLICE,
	    .help = "The deliveries."),
	FIELD(struct dead_body, all, BOOL,
	    .help = "All of them. Without it, ids or a filter must be given."),
	FILTER(struct dead_body),
};

const struct field_table dead_body_table = FIELD_TABLE("DeadLetterChoice",
    struct dead_body, body_fields, "Which dead letters: those that fit everything given.");

static const struct field answer_fields[] = {
	FIELD(struct dead_answer, count, INT, .help = "How many it were."),
	FIELD(struct dead_answer, more, BOOL,
	    .help = "There may be more: ask again."),
};

const struct field_table dead_answer_table = FIELD_TABLE("DeadLetterAct",
    struct dead_answer, answer_fields, "What was done.");

/* Copies the filter of a query or a body. */
#define FILTER_OF(q)                                                           \
	{                                                                      \
		.channel = (q)->channel_count > 0                              \
		    ? (enum channel)((q)->channel[0] + 1)                      \
		    : CHANNEL_NONE,                                            \
		.provider = (q)->provider,                                     \
		.class = (q)->class_count > 0                                  \
		    ? (enum verdict_class)((q)->class[0] + 1)                  \
		    : VERDICT_NONE,                                            \
		.template = (q)->template, .since_ms = (q)->since,             \
		.until_ms = (q)->until                                         \
	}

static json_t *
row_json_of(struct request *rq, const void *row)
{
	return ((const struct dead_letter *)row)->json;
}

static const char *
row_key(struct request *rq, const void *row)
{
	return ((const struct dead_letter *)row)->key;
}

int
dead_letters_list(struct request *rq, struct response *rs, struct err *e)
{
	const struct dead_query *q = rq->query;
	const struct dead_filter filter = FILTER_OF(q);
	struct page_rows page = { .size_bytes = sizeof(struct dead_letter),
		.row = row_json_of, .key = row_key };
	struct editor ed = app_editor(rq);
	struct dead_letter *list;
	const char *after;
	int limit;

	if (page_start(rq, &after, &limit, e) != 0 ||
	    dead_list(&ed, &filter, after, limit, &list, &page.count, e) != 0)
		return -1;
	page.rows = list;
	if (page.count == (size_t)limit) /* the one that is not shown */
		json_decref(list[page.count - 1].json);
	return page_write(rq, rs, &page);
}

/* What stands there counts, not that it stands there: {"all": false} chooses nothing. */
static bool
chooses(const struct dead_body *b)
{
	return b->all || b->ids_count > 0 || b->channel_count > 0 ||
	    b->class_count > 0 || b->provider != NULL || b->template != NULL ||
	    b->since != 0 || b->until != 0;
}

static int
act(struct request *rq, struct response *rs, enum dead_act what, struct err *e)
{
	const struct dead_body *body = rq->body;
	const struct dead_filter filter = FILTER_OF(body);
	struct editor ed = app_editor(rq);
	struct dead_answer answer = { .count = 0 };
	int count;

	if (!chooses(body))
		return request_refuse(rq, e, "", FIELD_ERR_MISSING,
		    "one of ids, all and a filter must be given");
	if (dead_act(&ed, what, &filter, body->ids_count > 0 ? body->ids : NULL,
	        body->ids_count, &count, &answer.more, e) != 0)
		return -1;
	answer.count = count;
	return response_json(rs, 200,
	    fields_write(rq->a, &dead_answer_table, &answer));
}

int
dead_letters_replay(struct request *rq, struct response *rs, struct err *e)
{
	return act(rq, rs, DEAD_REPLAY, e);
}

int
dead_letters_discard(struct request *rq, struct response *rs, struct err *e)
{
	return act(rq, rs, DEAD_DISCARD, e);
}
