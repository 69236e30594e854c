/*
 * page.c - lists in pages
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/page.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/text.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"
#include "web/router.h"
#include "web/url.h"

static const struct field page_query_fields[] = {
	FIELD(struct page_query, limit, INT, .min = 1, .max = 200, .def = 50,
	    .flags = FIELD_DEFAULT, .help = "How many entries a page holds."),
	FIELD(struct page_query, cursor, TEXT, .max = 1024,
	    .help = "Where to go on: next_cursor of the page before."),
};

const struct field_table page_query_table = FIELD_TABLE("PageQuery",
    struct page_query, page_query_fields, "Which page of a list.");

int
page_start(struct request *rq, const char **after_r, int *limit_r,
    struct err *e)
{
	const struct page_query *q = rq->query;
	void *key;
	size_t n;

	*after_r = "";
	*limit_r = (int)q->limit + 1;
	if (q->cursor == NULL)
		return 0;
	if (text_base64url_decode(rq->a, q->cursor, &key, &n) != 0 ||
	    !text_is_utf8(key, n) || memchr(key, '\0', n) != NULL)
		return request_refuse_parameter(rq, e, "cursor",
		    FIELD_ERR_MALFORMED, "is not a cursor of this list");
	*after_r = arena_strndup(rq->a, key, n);
	return 0;
}

/* The way to the next page, as the client has come here. */
static void
add_link(struct request *rq, struct response *rs, const char *cursor)
{
	const struct page_query *q = rq->query;
	struct buf *target = buf_new(rq->a, 16384);
	size_t i;

	buf_puts(target, rq->config->api_url_prefix);
	for (i = 0; i < rq->path.n; i++) {
		buf_putc(target, '/');
		url_arg(target, rq->path.v[i]);
	}
	buf_printf(target, "?limit=%d&cursor=%s", (int)q->limit, cursor);
	for (i = 0; i < rq->params_count; i++) {
		if (strcmp(rq->params[i].name, "limit") == 0 ||
		    strcmp(rq->params[i].name, "cursor") == 0)
			continue;
		buf_putc(target, '&');
		url_arg(target, rq->params[i].name);
		buf_putc(target, '=');
		url_arg(target, rq->params[i].value);
	}
	response_header(rs, "Link", "<%s>; rel=\"next\"", target->data);
}

int
page_write(struct request *rq, struct response *rs, const struct page_rows *p)
{
	const struct page_query *q = rq->query;
	size_t i, n = p->count;
	bool more = n > (size_t)q->limit;
	json_t *page = js_keep(rq->a, json_object()), *data = json_array();
	const char *key, *cursor;

	if (more)
		n = (size_t)q->limit;
	for (i = 0; i < n; i++)
		json_array_append_new(data,
		    p->row(rq, (const char *)p->rows + i * p->size_bytes));
	json_object_set_new(page, "data", data);
	if (!more) {
		json_object_set_new(page, "next_cursor", json_null());
		return response_json(rs, 200, page);
	}
	key = p->key(rq, (const char *)p->rows + (n - 1) * p->size_bytes);
	cursor = text_base64url(rq->a, key, strlen(key));
	json_object_set_new(page, "next_cursor", json_string(cursor));
	add_link(rq, rs, cursor);
	return response_json(rs, 200, page);
}
