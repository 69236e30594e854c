/*
 * request.h - one request, checked before any handler sees it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything in it lives in the request's arena and is gone when the next request
 * comes.  Handlers read it; only the dispatcher (web/serve.c) and the hook that
 * authenticates write to it.
 */
#ifndef BELFRY_WEB_REQUEST_H
#define BELFRY_WEB_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"
#include "base/log.h"
#include "web/field.h"
#include "web/http.h"
#include "web/rate_limit.h"
#include "web/url.h"

struct arena;
struct buf;
struct config;
struct err;
struct principal;
struct route;
struct FCGX_Stream;

enum { REQUEST_ARGS_MAX = 8, REQUEST_ID_BYTES = 65, REQUEST_LIMITS_MAX = 3 };

struct request {
	struct arena *a;
	const struct config *config;
	void *app; /* what the program gave to the dispatcher */
	char *const *envp; /* FastCGI parameters, "NAME=value" */

	int64_t started_us; /* monotonic */
	char id[REQUEST_ID_BYTES];
	const char *traceparent; /* W3C, checked; NULL when absent or broken */
	const char *remote; /* the client's address; api.trusted_proxies */
	struct log_scope scope;

	enum http_method method;
	struct url_path path;
	struct field_param *params; /* of the query */
	size_t params_count;
	const struct route *route; /* NULL until one is found */
	const char *args[REQUEST_ARGS_MAX]; /* {...} of the pattern, in order */

	/* Set by the hook that authenticates. */
	const struct principal *principal;
	struct tenant_id tenant;
	uint64_t scopes;

	/* The limits that it was judged by, set by the hook that admits. */
	struct rate_state limits[REQUEST_LIMITS_MAX];
	size_t limits_count;

	/* The body as it came, as JSON and as the route's struct; NULL when the route
	 * takes none. */
	const char *body_text;
	size_t body_bytes;
	json_t *json;
	void *body;
	void *query; /* the struct of the route's query table */

	/* A handler that returns ERR_UNPROCESSABLE tells here what is wrong. */
	struct field_errors errors;
};

/* Fills a request from its parameters.  Id, log scope and method are set even when
 * it fails.  Returns 0, or -1 with *e set when path or query are malformed. */
int request_init(struct request *rq, struct arena *a,
    const struct config *config, char *const *envp, struct err *e) MUST_CHECK;

/* A FastCGI parameter, NULL when absent: "REMOTE_ADDR", "HTTP_IF_MATCH". */
const char *request_param(const struct request *rq, const char *name);

/* Reads the body into "body", at most max_bytes, before the deadline api.body_timeout
 * is over.  "fd" is the connection, or -1.  Returns 0, or -1 with *e set: ERR_TOO_LARGE
 * (without reading when CONTENT_LENGTH says so), or ERR_INVALID when less came than
 * was announced or it took too long. */
int request_read_body(struct request *rq, struct FCGX_Stream *in, int fd,
    struct buf *body, size_t max_bytes, struct err *e) MUST_CHECK;

/* Checks that the body is JSON by its Content-Type; "patch" allows
 * application/merge-patch+json too.  -1 with ERR_MEDIA_TYPE. */
int request_check_type(const struct request *rq, bool patch, struct err *e)
    MUST_CHECK;

/* If-Match against the current ETag: -1 with ERR_PRECONDITION when the caller knows
 * another version.  Without the header, 0. */
int request_check_match(const struct request *rq, const char *etag,
    struct err *e) MUST_CHECK;

/* The version that If-Match asks for, for updates that compare it in the database: 0
 * without the header or for "*"; -1 with ERR_PRECONDITION when it is no ETag of
 * ours. */
int request_expected_version(const struct request *rq, int *version_r,
    struct err *e) MUST_CHECK;

/* True when If-None-Match holds the ETag. */
bool request_none_match(const struct request *rq, const char *etag);

/* The n-th {...} as a UUID: -1 with ERR_NOT_FOUND when it is none, since nothing has
 * such an id. */
int request_arg_uuid(const struct request *rq, size_t n, struct uuid *u_r,
    struct err *e) MUST_CHECK;

/* Adds a fault to the errors and makes *e ERR_UNPROCESSABLE.  Always returns -1. */
int request_refuse(struct request *rq, struct err *e, const char *pointer,
    enum field_code code, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The same with a parameter of the query in place of the pointer. */
int request_refuse_parameter(struct request *rq, struct err *e,
    const char *parameter, enum field_code code, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* Makes *e ERR_UNPROCESSABLE for the faults that rq->errors holds.  Always returns
 * -1. */
int request_faulty(const struct request *rq, struct err *e);

#endif
