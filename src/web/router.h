/*
 * router.h - the route table and the tree made of it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One row is one endpoint.  The dispatcher runs from the table, authorisation runs
 * from it, and the OpenAPI document is made of it.
 */
#ifndef BELFRY_WEB_ROUTER_H
#define BELFRY_WEB_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "web/http.h"

struct arena;
struct err;
struct field_table;
struct request;
struct response;
struct router;
struct url_path;

enum route_flag {
	/* The body is a JSON merge patch (RFC 7396) of "body": it is parsed, not
	 * checked against the table, since absent means "as it is".  The handler
	 * merges and reads the whole by the table. */
	ROUTE_MERGE_PATCH = 1 << 0,
	/* Everything goes well without a body, too. */
	ROUTE_BODY_OPTIONAL = 1 << 1,
	/* Takes part in Idempotency-Key by itself; for the OpenAPI document. */
	ROUTE_IDEMPOTENT = 1 << 2,
	/* Sends and checks ETags; for the OpenAPI document. */
	ROUTE_ETAG = 1 << 3,
	/* The handler reads the body's bytes by itself, whatever their type: for
	 * signatures over them. */
	ROUTE_RAW_BODY = 1 << 4,
	/* It names the tenant in its path: who belongs to none needs no other one. */
	ROUTE_NO_TENANT = 1 << 5,
	/* Takes part in Idempotency-Key; the dispatcher's hook "once" sees to it. */
	ROUTE_ONCE = 1 << 6,
	/* 201 when it made something, 200 when that was there; for the OpenAPI
	 * document. */
	ROUTE_OR_MADE = 1 << 7
};

/* What a request counts as for rate limits. */
enum route_limit {
	ROUTE_BY_METHOD, /* GET reads, all others write; without a scope, nothing */
	ROUTE_SENDS,
	ROUTE_HOOK /* by the client's address */
};

/* A body that the handler reads by itself, or an answer that differs from the usual;
 * for the OpenAPI document. */
struct route_content {
	int status; /* of the answer; 0: a body that is taken, one row a type */
	const char *type; /* NULL: there is no content */
	const struct field_table *table; /* NULL: as the type says */
	const char *help; /* NULL ends the list */
};

struct route {
	enum http_method method;
	const char *pattern; /* "/api/v1/things/{id}" */
	const char *scope; /* NULL: for everybody */
	const struct field_table *query, *body, *answer; /* NULL: none */
	size_t body_max; /* bytes; 0: api.body_max of the configuration */
	int status; /* when all goes well */
	unsigned flags;
	enum route_limit limit;
	/* 0 when the response is filled, -1 with *e set. */
	int (*handler)(struct request *rq, struct response *rs, struct err *e);
	const char *summary; /* a line for the OpenAPI document */
	const char *tags; /* separated by blanks */
	const char *answer_type; /* NULL: application/json */
	const struct route_content *contents; /* NULL: nothing but the usual */
};

struct route_match {
	const struct route *route; /* NULL: none for this method */
	unsigned allowed; /* one bit for each method that the path has */
};

/* Makes the tree.  Panics when rows contradict each other. */
struct router *router_new(struct arena *a, const struct route *routes,
    size_t count) MUST_CHECK;

/* Finds the route of a path; args_r gets the segments that stand for {...}.  A fixed
 * segment goes before {...}.  GET routes answer HEAD too. */
struct route_match router_match(const struct router *r, enum http_method method,
    const struct url_path *path, const char **args_r);

/* "GET, HEAD, OPTIONS" for the header Allow. */
const char *router_allow(struct arena *a, unsigned allowed) MUST_CHECK;

#endif
