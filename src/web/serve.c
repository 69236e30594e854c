/*
 * serve.c - the dispatcher: from a FastCGI request to a handler and back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One arena and three buffers serve all requests of a worker, one after the other:
 * a request that needs no more than the last one calls malloc for its JSON only.
 */
#include "web/serve.h"

#include <malloc.h>
#include <string.h>

#include <fcgiapp.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "web/cors.h"
#include "web/js.h"
#include "web/problem.h"
#include "web/rate_limit.h"
#include "web/request.h"
#include "web/response.h"
#include "web/router.h"

enum {
	CHUNK_BYTES = 32768,
	HEAD_BYTES_MAX = 16384,
	ANSWER_BYTES_MAX = 64 * 1024 * 1024,
	BUFFER_KEPT_BYTES = 256 * 1024,
	BODY_LARGE_BYTES = 64 * 1024
};

struct web {
	struct web_params p;
	struct router *router;
	uint64_t *scopes; /* of each route, in the order of the table */
	struct arena *a; /* of the request */
	struct buf head, answer, body;
};

/* What a dispatch hands from step to step. */
struct exchange {
	struct request rq;
	struct response rs;
	FCGX_Stream *in;
	int fd;
	unsigned allowed;
};

static void
web_free(void *p)
{
	struct web *w = p;

	arena_free(&w->a);
	buf_done(&w->head);
	buf_done(&w->answer);
	buf_done(&w->body);
}

static size_t
body_limit(const struct web *w, const struct route *r)
{
	return r->body_max != 0 ? r->body_max
				: (size_t)w->p.config->api_body_max;
}

struct web *
web_new(struct arena *a, const struct web_params *p)
{
	struct web *w = arena_object(a, struct web);
	size_t i, most = 0;

	w->p = *p;
	w->router = router_new(a, p->routes, p->count);
	w->scopes = arena_zalloc(a, p->count, sizeof(*w->scopes));
	for (i = 0; i < p->count; i++) {
		if (body_limit(w, &p->routes[i]) > most)
			most = body_limit(w, &p->routes[i]);
		if (p->routes[i].scope == NULL)
			continue;
		w->scopes[i] = p->scope_bit(p->routes[i].scope);
		if (w->scopes[i] == 0)
			panic("route \"%s\": there is no scope \"%s\"",
			    p->routes[i].pattern, p->routes[i].scope);
	}
	w->a = arena_new(CHUNK_BYTES);
	buf_init(&w->head, HEAD_BYTES_MAX);
	buf_init(&w->answer, ANSWER_BYTES_MAX);
	buf_init(&w->body, most + 1);
	arena_defer(a, web_free, w);
	return w;
}

/* Finds the route; 405 and 404 here, OPTIONS too. */
static int
find_route(struct web *w, struct exchange *x, struct err *e)
{
	struct request *rq = &x->rq;
	struct route_match m = router_match(w->router, rq->method, &rq->path,
	    rq->args);

	x->allowed = m.allowed;
	rq->route = m.route;
	if (m.route != NULL)
		return 0;
	if (m.allowed == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such path");
	if (rq->method == HTTP_OPTIONS)
		return 0;
	return err_set(e, ERR_METHOD, "this path takes %s",
	    router_allow(rq->a, m.allowed));
}

static int
authorise(struct web *w, struct request *rq, struct err *e)
{
	uint64_t scope = w->scopes[rq->route - w->p.routes];

	if (scope == 0)
		return 0;
	if (w->p.authenticate(rq, e) != 0)
		return -1;
	if ((rq->scopes & scope) == 0)
		return err_set(e, ERR_FORBIDDEN,
		    "the credentials lack the scope \"%s\"", rq->route->scope);
	return 0;
}

static int
admit(struct web *w, struct request *rq, struct err *e)
{
	return w->p.admit != NULL ? w->p.admit(rq, e) : 0;
}

static int
read_query(struct request *rq, struct err *e)
{
	const struct field_table *t = rq->route->query;

	if (t == NULL)
		return 0;
	rq->query = arena_alloc(rq->a, t->struct_bytes);
	if (fields_read_query(rq->a, rq->params, rq->params_count, t, rq->query,
	        &rq->errors) != 0)
		return request_faulty(rq, e);
	return 0;
}

static int
read_body(struct web *w, struct exchange *x, struct err *e)
{
	struct request *rq = &x->rq;
	const struct route *r = rq->route;
	bool patch = (r->flags & ROUTE_MERGE_PATCH) != 0;

	if (r->body == NULL && (r->flags & ROUTE_RAW_BODY) == 0)
		return 0;
	if (request_read_body(rq, x->in, x->fd, &w->body, body_limit(w, r),
	        e) != 0)
		return -1;
	rq->body_text = w->body.data;
	rq->body_bytes = w->body.len;
	if (r->flags & ROUTE_RAW_BODY)
		return 0;
	if (w->body.len == 0 && r->flags & ROUTE_BODY_OPTIONAL)
		return 0;
	if (request_check_type(rq, patch, e) != 0)
		return -1;
	if (js_parse(rq->a, w->body.data, w->body.len,
	        (int)rq->config->api_json_depth, &rq->json, e) != 0)
		return -1;
	if (patch)
		return 0;
	rq->body = arena_alloc(rq->a, r->body->struct_bytes);
	if (fields_read(rq->a, rq->json, r->body, rq->body, &rq->errors) != 0)
		return request_faulty(rq, e);
	return 0;
}

static int
handle(const struct web *w, struct request *rq, struct response *rs,
    struct err *e)
{
	if (rq->route->flags & ROUTE_ONCE && w->p.once != NULL)
		return w->p.once(rq, rs, e);
	return rq->route->handler(rq, rs, e);
}

static int
dispatch(struct web *w, struct exchange *x, char *const *envp, struct err *e)
{
	struct request *rq = &x->rq;

	if (request_init(rq, w->a, w->p.config, envp, e) != 0)
		return -1;
	rq->app = w->p.app;
	if (find_route(w, x, e) != 0)
		return -1;
	if (rq->route == NULL) {
		response_empty(&x->rs, 204);
		return 0;
	}
	if (authorise(w, rq, e) != 0 || admit(w, rq, e) != 0 ||
	    read_query(rq, e) != 0 || read_body(w, x, e) != 0)
		return -1;
	if (handle(w, rq, &x->rs, e) != 0)
		return -1;
	if (x->rs.status == 0 || buf_overflowed(&w->head) ||
	    buf_overflowed(&w->answer))
		return err_set(e, ERR_INTERNAL, "the answer is not complete");
	return 0;
}

static enum log_level
level_of(const struct err *e, int status, bool slow)
{
	if (e->kind == ERR_INTERNAL)
		return LOG_LEVEL_ERROR;
	if (status >= 500 || slow)
		return LOG_LEVEL_WARN;
	return status >= 400 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

/* The one line of a request.  The route's pattern stands for the path, which may
 * hold an address. */
static void
account(const struct request *rq, int status, const struct err *e)
{
	int64_t us = clock_mono_us() - rq->started_us;
	bool slow = us / 1000 >= rq->config->api_slow_request;
	const char *code = e->kind != ERR_NONE ? err_code(e->kind) : NULL;

	metrics_add(METRIC_HTTP_REQUESTS_TOTAL, status / 100 - 2, 1);
	metrics_observe_us(METRIC_HTTP_REQUEST_SECONDS, 0, us);
	log_at(level_of(e, status, slow), &rq->scope,
	    slow ? "slow request" : "request",
	    LF_STR("method", http_method_name(rq->method)),
	    LF_STR("route", rq->route != NULL ? rq->route->pattern : NULL),
	    LF_INT("status", status), LF_INT("us", us), LF_STR("code", code),
	    LF_STR("error", code != NULL ? e->text : NULL),
	    LF_STR("detail", code != NULL && e->detail[0] != '\0' ? e->detail
								  : NULL));
}

/* A buffer that one large request has blown up is given back. */
static void
shrink(struct buf *b)
{
	if (b->cap > BUFFER_KEPT_BYTES + 1)
		buf_done(b);
	else
		buf_reset(b);
}

/* Gives everything of the request back.  As JSON a large body takes many times its
 * size in small pieces, which would stay with this process for good. */
static void
forget(struct web *w)
{
	bool large = w->body.len >= BODY_LARGE_BYTES;

	shrink(&w->answer);
	shrink(&w->body);
	arena_reset(w->a);
	if (large)
		malloc_trim(0);
}

/* The methods of the path, for who asked for another one, and for pages of others. */
static void
tell_methods(struct web *w, struct exchange *x)
{
	const char *origin = request_param(&x->rq, "HTTP_ORIGIN");
	const char *allow;

	if (x->allowed == 0 || (origin == NULL && x->rq.route != NULL))
		return;
	allow = router_allow(w->a, x->allowed);
	if (x->rq.route == NULL)
		response_header(&x->rs, "Allow", "%s", allow);
	if (origin != NULL && w->p.origin_may != NULL &&
	    w->p.origin_may(&x->rq, origin))
		cors_headers(&x->rs, &x->rq, origin, allow);
}

void
web_serve_streams(struct web *w, char *const *envp, struct FCGX_Stream *in,
    struct FCGX_Stream *out, int fd)
{
	struct exchange x = { .in = in, .fd = fd };
	struct err e;

	err_clear(&e);
	response_init(&x.rs, w->a, &w->head, &w->answer);
	if (dispatch(w, &x, envp, &e) != 0)
		problem_write(&x.rs, &e, &x.rq);
	tell_methods(w, &x);
	rate_limit_headers(&x.rs, x.rq.limits, x.rq.limits_count);
	response_header(&x.rs, "X-Request-Id", "%s", x.rq.id);
	response_send(&x.rs, out, x.rq.method == HTTP_HEAD);
	account(&x.rq, x.rs.status, &e);
	forget(w);
}

void
web_serve(struct web *w, struct FCGX_Request *q)
{
	web_serve_streams(w, q->envp, q->in, q->out, q->ipcFd);
}
