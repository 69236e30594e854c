/*
 * request.c - one request, checked before any handler sees it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <fcgiapp.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/network.h"

/* With what the web server adds.  Each is compared with all others. */
enum { HEADERS_MAX = 400 };

const char *
request_param(const struct request *rq, const char *name)
{
	size_t len = strlen(name);
	char *const *p;

	for (p = rq->envp; *p != NULL; p++)
		if (strncmp(*p, name, len) == 0 && (*p)[len] == '=')
			return *p + len + 1;
	return NULL;
}

/* A caller's id is taken when it can go into logs and headers as it is. */
static void
set_id(struct request *rq)
{
	const char *id = request_param(rq, "HTTP_X_REQUEST_ID");
	size_t n = id != NULL ? strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "abcdefghijklmnopqrstuvwxyz"
					   "0123456789._-")
			      : 0;
	struct uuid u;

	if (n >= 8 && n < sizeof(rq->id) && id[n] == '\0') {
		memcpy(rq->id, id, n + 1);
		return;
	}
	u = uuid_make();
	uuid_format(&u, rq->id);
}

static bool
is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

static bool
is_zero(const char *s, size_t n)
{
	return strspn(s, "0") >= n;
}

/* https://www.w3.org/TR/trace-context: 00-<32 hex>-<16 hex>-<2 hex>.  A later version
 * may go on after that and is read as version 00. */
static const char *
traceparent_of(struct request *rq)
{
	const char *s = request_param(rq, "HTTP_TRACEPARENT");
	char *own;

	if (s == NULL || strlen(s) < 55 || strncmp(s, "ff", 2) == 0)
		return NULL;
	if (!is_hex(s, 2) || s[2] != '-' || !is_hex(s + 3, 32) ||
	    s[35] != '-' || !is_hex(s + 36, 16) || s[52] != '-' ||
	    !is_hex(s + 53, 2))
		return NULL;
	if (is_zero(s + 3, 32) || is_zero(s + 36, 16))
		return NULL;
	if (s[55] != '\0' && (strncmp(s, "00", 2) == 0 || s[55] != '-'))
		return NULL;
	own = arena_strndup(rq->a, s, 55);
	own[0] = own[1] = '0';
	return own;
}

/* Leaves out the prefix that the installation is mounted at.  A request beside it
 * keeps a path that no route has. */
static void
cut_prefix(struct request *rq, const char *prefix)
{
	struct url_path *path = &rq->path;
	size_t n, i = 0;

	while (*prefix != '\0') {
		prefix += strspn(prefix, "/");
		n = strcspn(prefix, "/");
		if (n == 0)
			break;
		if (i == path->n || strncmp(path->v[i], prefix, n) != 0 ||
		    path->v[i][n] != '\0') {
			path->n = 1;
			path->v[0] = "";
			return;
		}
		prefix += n;
		i++;
	}
	path->n -= i;
	memmove(path->v, path->v + i, path->n * sizeof(path->v[0]));
}

static bool
is_header(const char *param)
{
	return strncmp(param, "HTTP_", 5) == 0 ||
	    strncmp(param, "CONTENT_", 8) == 0;
}

/* Some web servers pass X_Foo on beside X-Foo, and FastCGI has one name for both: which
 * one is meant, nobody can tell.  The method is the request's own. */
static int
check_headers(const struct request *rq, struct err *e)
{
	static const char *const overrides[] = { "HTTP_X_HTTP_METHOD_OVERRIDE",
		"HTTP_X_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD" };
	char *const *p, *const *q;
	size_t i, len;

	for (p = rq->envp; *p != NULL; p++)
		if (p - rq->envp >= HEADERS_MAX)
			return err_set(e, ERR_INVALID,
			    "the request has too many headers");
	for (p = rq->envp; *p != NULL; p++) {
		len = strcspn(*p, "=") + 1;
		for (q = p + 1; is_header(*p) && *q != NULL; q++)
			if (strncmp(*p, *q, len) == 0)
				return err_set(e, ERR_INVALID,
				    "a header stands twice in the request");
	}
	for (i = 0; i < NELEMS(overrides); i++)
		if (request_param(rq, overrides[i]) != NULL)
			return err_set(e, ERR_INVALID,
			    "a header cannot change the method");
	return 0;
}

/* Where the client is: what the web server sees, and behind proxies that are trusted what
 * they say, from the last one on. */
static const char *
client_address(const struct request *rq)
{
	const char *seen = request_param(rq, "REMOTE_ADDR");
	const char *said = request_param(rq, "HTTP_X_FORWARDED_FOR"), *comma;
	struct network *trusted, address;
	char *list;
	size_t count;

	if (seen == NULL)
		return "";
	if (rq->config->api_trusted_proxies[0] == '\0' || said == NULL ||
	    network_list_parse(rq->a, rq->config->api_trusted_proxies, &trusted,
	        &count) != NULL)
		return seen;
	list = arena_strdup(rq->a, said);
	while (list != NULL && network_parse(seen, false, &address) == 0 &&
	    network_list_contains(trusted, count, &address)) {
		comma = strrchr(list, ',');
		said = comma != NULL ? comma + 1 : list;
		said += strspn(said, " \t");
		said = arena_strndup(rq->a, said, strcspn(said, " \t"));
		if (network_parse(said, false, &address) != 0)
			break;
		seen = said;
		if (comma != NULL)
			list[comma - list] = '\0';
		else
			list = NULL;
	}
	return seen;
}

int
request_init(struct request *rq, struct arena *a, const struct config *config,
    char *const *envp, struct err *e)
{
	const char *s;

	memset(rq, 0, sizeof(*rq));
	rq->a = a;
	rq->config = config;
	rq->envp = envp;
	rq->started_us = clock_mono_us();
	field_errors_init(&rq->errors, a);
	set_id(rq);
	log_scope_reset(&rq->scope);
	log_scope_add(&rq->scope,
	    (struct log_field)LF_STR("request_id", rq->id));
	rq->traceparent = traceparent_of(rq);
	if (rq->traceparent != NULL)
		log_scope_add(&rq->scope, (struct log_field)LF_STR("traceparent",
		                              rq->traceparent));
	s = request_param(rq, "REQUEST_METHOD");
	rq->method = http_method_parse(s != NULL ? s : "");
	rq->remote = client_address(rq);
	if (check_headers(rq, e) != 0)
		return -1;
	s = request_param(rq, "REQUEST_URI");
	if (url_path_parse(a, s != NULL ? s : "", &rq->path, e) != 0)
		return -1;
	cut_prefix(rq, config->api_url_prefix);
	s = request_param(rq, "QUERY_STRING");
	return url_query_parse(a, s != NULL ? s : "", &rq->params,
	    &rq->params_count, e);
}

/* Reads CONTENT_LENGTH, which is absent or empty when it is not known.  -1 when it is
 * no number. */
static int
content_length(const struct request *rq, int64_t *length_r)
{
	const char *s = request_param(rq, "CONTENT_LENGTH");
	int64_t n = 0;

	*length_r = -1;
	if (s == NULL || *s == '\0')
		return 0;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *s - '0', &n))
			return -1;
	*length_r = n;
	return *s == '\0' ? 0 : -1;
}

/* One read of a stream that libfcgi buffers: waits for at most one record, so that a
 * slow sender comes back here and meets the deadline.  Returns false at the end. */
static bool
read_some(FCGX_Stream *in, struct buf *body, size_t max_bytes)
{
	size_t n;
	int c;

	if (in->rdNext == in->stop) {
		c = FCGX_GetChar(in);
		if (c == EOF)
			return false;
		buf_putc(body, (char)c);
	}
	n = (size_t)(in->stop - in->rdNext);
	if (n > max_bytes + 1 - body->len)
		n = max_bytes + 1 - body->len;
	if (n > 0 && buf_reserve(body, n))
		buf_grown(body,
		    (size_t)FCGX_GetStr(body->data + body->len, (int)n, in));
	return true;
}

static int
read_all(struct request *rq, FCGX_Stream *in, struct buf *body,
    size_t max_bytes, struct err *e)
{
	int64_t timeout_ms = rq->config->api_body_timeout;
	int64_t deadline = clock_mono_ms() + timeout_ms;

	while (read_some(in, body, max_bytes)) {
		if (body->len > max_bytes || buf_overflowed(body))
			return err_set(e, ERR_TOO_LARGE,
			    "the body has more than %zu bytes", max_bytes);
		if (clock_mono_ms() > deadline)
			return err_set(e, ERR_INVALID,
			    "the body did not arrive within %lld ms",
			    (long long)timeout_ms);
	}
	switch (FCGX_GetError(in)) {
	case 0:
		return 0;
	case EAGAIN:
		return err_set(e, ERR_INVALID,
		    "the body did not arrive within %lld ms",
		    (long long)timeout_ms);
	default:
		return err_set(e, ERR_INVALID, "the body was cut off");
	}
}

int
request_read_body(struct request *rq, FCGX_Stream *in, int fd, struct buf *body,
    size_t max_bytes, struct err *e)
{
	struct timeval timeout = {
		.tv_sec = rq->config->api_body_timeout / 1000,
		.tv_usec = rq->config->api_body_timeout % 1000 * 1000,
	};
	int64_t length;

	if (content_length(rq, &length) != 0)
		return err_set(e, ERR_INVALID, "Content-Length is no number");
	if (length > 0 && (uint64_t)length > max_bytes)
		return err_set(e, ERR_TOO_LARGE,
		    "the body has %lld bytes, more than %zu", (long long)length,
		    max_bytes);
	if (length == 0)
		return 0;
	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		    sizeof(timeout));
	if (read_all(rq, in, body, max_bytes, e) != 0)
		return -1;
	if (length >= 0 && body->len != (size_t)length)
		return err_set(e, ERR_INVALID,
		    "the body has %zu bytes instead of %lld", body->len,
		    (long long)length);
	return 0;
}

/* What follows the media type: nothing, or that the text is UTF-8. */
static bool
is_utf8_parameter(const char *s)
{
	s += strspn(s, " \t");
	if (*s == '\0')
		return true;
	if (*s++ != ';')
		return false;
	s += strspn(s, " \t");
	return strcasecmp(s, "charset=utf-8") == 0 ||
	    strcasecmp(s, "charset=\"utf-8\"") == 0;
}

int
request_check_type(const struct request *rq, bool patch, struct err *e)
{
	static const char *const types[] = { "application/json",
		"application/merge-patch+json" };
	const char *type = request_param(rq, "CONTENT_TYPE");
	size_t i, n;

	for (i = 0; type != NULL && i < (patch ? 2u : 1u); i++) {
		n = strlen(types[i]);
		if (strncasecmp(type, types[i], n) == 0 &&
		    is_utf8_parameter(type + n))
			return 0;
	}
	return err_set(e, ERR_MEDIA_TYPE,
	    "the Content-Type must be application/json");
}

/* Looks for an ETag in a list of them. */
static bool
etag_listed(const char *list, const char *etag)
{
	size_t len = strlen(etag), n;

	for (;; list += n) {
		list += strspn(list, " \t,");
		if (*list == '\0')
			return false;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		n = strcspn(list, " \t,");
		if ((n == 1 && *list == '*') ||
		    (n == len && strncmp(list, etag, n) == 0))
			return true;
	}
}

int
request_check_match(const struct request *rq, const char *etag, struct err *e)
{
	const char *list = request_param(rq, "HTTP_IF_MATCH");

	if (list == NULL || etag_listed(list, etag))
		return 0;
	return err_set(e, ERR_PRECONDITION,
	    "it has changed: its ETag is now %s", etag);
}

int
request_expected_version(const struct request *rq, int *version_r,
    struct err *e)
{
	const char *tag = request_param(rq, "HTTP_IF_MATCH");
	unsigned long version;
	char *end;

	*version_r = 0;
	if (tag == NULL || strcmp(tag, "*") == 0)
		return 0;
	if (strncmp(tag, "\"v", 2) == 0 && tag[2] >= '1' && tag[2] <= '9') {
		version = strtoul(tag + 2, &end, 10);
		if (strcmp(end, "\"") == 0 && version <= INT32_MAX) {
			*version_r = (int)version;
			return 0;
		}
	}
	return err_set(e, ERR_PRECONDITION, "If-Match is no ETag of ours");
}

bool
request_none_match(const struct request *rq, const char *etag)
{
	const char *list = request_param(rq, "HTTP_IF_NONE_MATCH");

	return list != NULL && etag_listed(list, etag);
}

int
request_arg_uuid(const struct request *rq, size_t n, struct uuid *u_r,
    struct err *e)
{
	if (uuid_parse(rq->args[n], u_r) != 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such id");
	return 0;
}

int
request_faulty(const struct request *rq, struct err *e)
{
	return err_set(e, ERR_UNPROCESSABLE, "%zu %s wrong", rq->errors.count,
	    rq->errors.count == 1 ? "field is" : "fields are");
}

int
request_refuse(struct request *rq, struct err *e, const char *pointer,
    enum field_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	field_errors_add(&rq->errors, pointer, code, "%s",
	    arena_vprintf(rq->a, fmt, ap));
	va_end(ap);
	return request_faulty(rq, e);
}

int
request_refuse_parameter(struct request *rq, struct err *e,
    const char *parameter, enum field_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	field_errors_add(&rq->errors, "", code, "%s",
	    arena_vprintf(rq->a, fmt, ap));
	va_end(ap);
	rq->errors.last->pointer = NULL;
	rq->errors.last->parameter = parameter;
	return request_faulty(rq, e);
}
