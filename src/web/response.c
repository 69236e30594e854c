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
	"Vary: Origin\r\n"

#define POLICY "default-src 'none'; frame-ancestors 'none'"

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
	rs->policy = POLICY;
	rs->secret = NULL;
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

const char *
response_find(const struct response *rs, const char *name)
{
	const char *line = rs->head->len > 0 ? rs->head->data : "", *value;
	size_t n = strlen(name);

	for (; *line != '\0'; line = strstr(line, "\r\n") + 2) {
		if (strncmp(line, name, n) != 0 || line[n] != ':')
			continue;
		value = line + n + 2;
		return arena_strndup(rs->a, value, strcspn(value, "\r"));
	}
	return NULL;
}

void
response_secret(struct response *rs, const char *member)
{
	rs->secret = member;
}

void
response_policy(struct response *rs, const char *policy)
{
	rs->policy = policy;
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

static void
put_text(FCGX_Stream *out, const char *s)
{
	put(out, s, strlen(s));
}

/* libfcgi gathers what is put in a buffer of its own, so there is one write for an
 * answer of usual size. */
void
response_send(const struct response *rs, FCGX_Stream *out, bool head_only)
{
	char number[24];

	ensure(rs->status >= 200 && rs->status < 600);
	snprintf(number, sizeof(number), "%d ", rs->status);
	put_text(out, "Status: ");
	put_text(out, number);
	put_text(out, http_phrase(rs->status));
	if (rs->type != NULL) {
		put_text(out, "\r\nContent-Type: ");
		put_text(out, rs->type);
		snprintf(number, sizeof(number), "%zu", rs->body->len);
		put_text(out, "\r\nContent-Length: ");
		put_text(out, number);
	}
	put_text(out, "\r\nCache-Control: ");
	put_text(out, rs->cache);
	put_text(out, "\r\n" SECURITY_HEADERS "Content-Security-Policy: ");
	put_text(out, rs->policy);
	put_text(out, "\r\n");
	put(out, rs->head->data, rs->head->len);
	put_text(out, "\r\n");
	if (rs->type != NULL && !head_only)
		put(out, rs->body->data, rs->body->len);
}
