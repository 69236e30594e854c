/*
 * problem.c - an error as application/problem+json (RFC 9457)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/problem.h"

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "web/field.h"
#include "web/js.h"
#include "web/rate_limit.h"
#include "web/request.h"
#include "web/response.h"

static void
member(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, ",\"%s\":", key);
	js_write_text(b, value);
}

static void
write_errors(struct buf *b, const struct field_errors *errors)
{
	const struct field_error *fe;

	buf_puts(b, ",\"errors\":[");
	for (fe = errors->first; fe != NULL; fe = fe->next) {
		buf_printf(b, "%s{\"%s\":", fe == errors->first ? "" : ",",
		    fe->parameter != NULL ? "parameter" : "pointer");
		js_write_text(b,
		    fe->parameter != NULL ? fe->parameter : fe->pointer);
		member(b, "code", field_code_text(fe->code));
		member(b, "detail", fe->detail);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

/* What a client needs beyond the body to go on. */
static void
add_headers(struct response *rs, enum err_kind kind)
{
	if (err_http_status(kind) == 401)
		response_header(rs, "WWW-Authenticate", "Bearer");
	if (kind == ERR_QUEUE_FULL || kind == ERR_OVERLOADED)
		response_header(rs, "Retry-After", "10");
	else if (err_http_status(kind) == 503)
		response_header(rs, "Retry-After", "2");
}

void
problem_write(struct response *rs, const struct err *e,
    const struct request *rq)
{
	const struct field_errors *errors = &rq->errors;
	struct buf *b;

	response_clear(rs);
	b = response_body(rs, err_http_status(e->kind), PROBLEM_TYPE);
	buf_printf(b, "{\"type\":\"urn:belfry:error:%s\"", err_code(e->kind));
	member(b, "title", err_title(e->kind));
	buf_printf(b, ",\"status\":%d", rs->status);
	if (e->text[0] != '\0')
		member(b, "detail", e->text);
	member(b, "code", err_code(e->kind));
	member(b, "request_id", rq->id);
	if ((e->kind == ERR_UNPROCESSABLE || e->kind == ERR_LIMITED) &&
	    errors->first != NULL)
		write_errors(b, errors);
	if (e->kind == ERR_LIMITED)
		rate_limit_write_violated(b, rq->limits, rq->limits_count);
	buf_putc(b, '}');
	add_headers(rs, e->kind);
}
