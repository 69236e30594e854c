/*
 * response.c - one answer, sent whole
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <fcgiapp.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "web/field.h"
#include "web/http.h"
#include "web/js.h"

#define JSON_TYPE "application/json"

/* What a browser must not make of an answer. */
#define SECURITY_HEADERS                                                       \
	"X-Content-Type-Options: nosniff\r\n"                                  \
	"X-Frame-Options: DENY\r\n"                                            \
	"Referrer-Policy: no-referrer\r\n"                                     \
	"Content-Security-Policy: default-src 'none'; "                        \
	"frame-ancestors 'none'\r\n"

void
response_init(struct response *rs, struct arena *a, struct buf *head,
    struct buf *body)
{
	*rs = (struct response){ .a = a, .head = head, .body = body };
	response_clear(rs);
}

void
response_clear(struct response *rs)
{
	rs->status = 0;
	rs->type = NULL;
	rs->cache = "no-store";
	buf_reset(rs->head);
	buf_reset(rs->body);
}

void
response_empty(struct response *rs, int status)
{
	rs->status = status;
	rs->type = NULL;
	buf_reset(rs->body);
}

struct buf *
response_body(struct response *rs, int status, const char *type)
{
	rs->status = status;
	rs->type = type;
	buf_reset(rs->body);
	return rs->body;
}

int
response_json(struct response *rs, int status, const json_t *json)
{
	js_write(response_body(rs, status, JSON_TYPE), json);
	return 0;
}

int
response_record(struct response *rs, int status, const struct field_table *t,
    const void *record)
{
	return response_json(rs, status, fields_write(rs->a, t, record));
}

void
response_header(struct response *rs, const char *name, const char *fmt, ...)
{
	size_t i, from;
	va_list ap;

	buf_printf(rs->head, "%s: ", name);
	from = rs->head->len;
	va_start(ap, fmt);
	buf_vprintf(rs->head, fmt, ap);
	va_end(ap);
	for (i = from; i < rs->head->len; i++)
		if ((unsigned char)rs->head->data[i] < ' ' ||
		    rs->head->data[i] == 0x7f)
			rs->head->data[i] = ' ';
	buf_puts(rs->head, "\r\n");
}

void
etag_format(int64_t version, char etag[static ETAG_BYTES])
{
	snprintf(etag, ETAG_BYTES, "\"v%lld\"", (long long)version);
}

void
response_etag(struct response *rs, int64_t version)
{
	char etag[ETAG_BYTES];

	etag_format(version, etag);
	response_header(rs, "ETag", "%s", etag);
}

static void
put(FCGX_Stream *out, const char *s, size_t n)
{
	(void)FCGX_PutStr(s, (int)n, out);
}

void
response_send(const struct response *rs, FCGX_Stream *out, bool head_only)
{
	char *head;

	ensure(rs->status >= 200 && rs->status < 600);
	head = arena_printf(rs->a,
	    "Status: %d %s\r\n"
	    "%s%s%s"
	    "Cache-Control: %s\r\n" SECURITY_HEADERS,
	    rs->status, http_phrase(rs->status),
	    rs->type != NULL ? "Content-Type: " : "",
	    rs->type != NULL ? rs->type : "", rs->type != NULL ? "\r\n" : "",
	    rs->cache);
	put(out, head, strlen(head));
	put(out, rs->head->data, rs->head->len);
	if (rs->type != NULL) {
		head = arena_printf(rs->a, "Content-Length: %zu\r\n",
		    rs->body->len);
		put(out, head, strlen(head));
	}
	put(out, "\r\n", 2);
	if (rs->type != NULL && !head_only)
		put(out, rs->body->data, rs->body->len);
}
