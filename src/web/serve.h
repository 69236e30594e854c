/*
 * serve.h - the dispatcher: from a FastCGI request to a handler and back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For each request: read and check its head, find the route, authenticate, check
 * the scope and the rate limits, read and check the body, call the handler, answer (an error becomes a
 * problem), write one line to the log, count.
 */
#ifndef BELFRY_WEB_SERVE_H
#define BELFRY_WEB_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct config;
struct err;
struct request;
struct response;
struct route;
struct web;
struct FCGX_Request;

struct web_params {
	const struct config *config;
	const struct route *routes;
	size_t count;
	void *app; /* for the handlers: rq->app */

	/* Fills principal, tenant and scopes of a request, for routes with a scope.
	 * Returns 0, or -1 with *e set (ERR_UNAUTHENTICATED ...). */
	int (*authenticate)(struct request *rq, struct err *e);

	/* Takes the request out of the limits that hold for it, when it may go on so
	 * far; NULL: there are none.  0, or -1 with *e set (ERR_LIMITED). */
	int (*admit)(struct request *rq, struct err *e);

	/* Calls the handler of a route with ROUTE_ONCE, in its own way; NULL: as any
	 * other one. */
	int (*once)(struct request *rq, struct response *rs, struct err *e);

	/* Whether pages of an origin may read the answer; NULL: no one's. */
	bool (*origin_may)(const struct request *rq, const char *origin);

	/* The bit of a scope in rq->scopes; 0 when there is no such scope. */
	uint64_t (*scope_bit)(const char *scope);
};

/* Makes a dispatcher in an arena of the process.  Panics when the route table is at
 * odds with itself. */
struct web *web_new(struct arena *a, const struct web_params *p) MUST_CHECK;

/* Serves an accepted request up to, but not including, FCGX_Finish_r(). */
void web_serve(struct web *w, struct FCGX_Request *q);

/* The same without a connection: the streams alone.  For tests. */
struct FCGX_Stream;
void web_serve_streams(struct web *w, char *const *envp, struct FCGX_Stream *in,
    struct FCGX_Stream *out, int fd);

#endif
