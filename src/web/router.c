/*
 * router.c - the route table and the tree made of it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A node stands for a segment.  Its children with a fixed text are a list, looked
 * through by length and bytes; the one that stands for {...} is tried last.
 */
#include "web/router.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "web/field.h"
#include "web/request.h"
#include "web/url.h"

struct node {
	struct node *next; /* among its parent's fixed children */
	struct node *fixed; /* the first child with a text */
	struct node *arg; /* the child for {...} */
	const char *text;
	size_t len;
	unsigned allowed; /* one bit for each method of "routes" */
	const struct route *routes[HTTP_METHOD_COUNT];
};

struct router {
	struct node root;
};

static struct node *
node_fixed(const struct node *n, const char *text, size_t len)
{
	struct node *child;

	for (child = n->fixed; child != NULL; child = child->next)
		if (child->len == len && memcmp(child->text, text, len) == 0)
			return child;
	return NULL;
}

/* The child for a segment of a pattern, made when there is none. */
static struct node *
node_child(struct arena *a, struct node *n, const char *text, size_t len)
{
	struct node *child;

	if (text[0] == '{') {
		if (n->arg == NULL)
			n->arg = arena_object(a, struct node);
		return n->arg;
	}
	child = node_fixed(n, text, len);
	if (child == NULL) {
		child = arena_object(a, struct node);
		child->text = text;
		child->len = len;
		child->next = n->fixed;
		n->fixed = child;
	}
	return child;
}

static void
check_route(const struct route *r)
{
	if (r->pattern[0] != '/' || r->handler == NULL || r->summary == NULL)
		panic("route \"%s\" is not complete", r->pattern);
	if (r->method == HTTP_HEAD || r->method >= HTTP_OPTIONS)
		panic("route \"%s\": HEAD and OPTIONS are made, not listed",
		    r->pattern);
	if (r->body != NULL && (r->method == HTTP_GET))
		panic("route \"%s\": GET has no body", r->pattern);
	if (r->body != NULL)
		fields_check(r->body);
	if (r->query != NULL)
		fields_check(r->query);
	if (r->answer != NULL)
		fields_check(r->answer);
}

static void
add_route(struct arena *a, struct node *n, const struct route *r)
{
	const char *s = r->pattern;
	size_t len, args = 0;

	check_route(r);
	for (; *s == '/' && s[1] != '\0'; s += 1 + len) {
		len = strcspn(s + 1, "/");
		args += s[1] == '{';
		n = node_child(a, n, s + 1, len);
	}
	if (args > REQUEST_ARGS_MAX)
		panic("route \"%s\" has too many arguments", r->pattern);
	if (n->routes[r->method] != NULL)
		panic("route %s \"%s\" stands in the table twice",
		    http_method_name(r->method), r->pattern);
	n->routes[r->method] = r;
	n->allowed |= 1u << r->method;
}

struct router *
router_new(struct arena *a, const struct route *routes, size_t count)
{
	struct router *r = arena_object(a, struct router);
	size_t i;

	for (i = 0; i < count; i++)
		add_route(a, &r->root, &routes[i]);
	return r;
}

/* The node that the rest of the path ends at and that has a route, or NULL. */
static const struct node *
walk(const struct node *n, const struct url_path *path, size_t at,
    const char **args_r)
{
	const struct node *child, *found;

	if (at == path->n)
		return n->allowed != 0 ? n : NULL;
	child = node_fixed(n, path->v[at], strlen(path->v[at]));
	if (child != NULL) {
		found = walk(child, path, at + 1, args_r);
		if (found != NULL)
			return found;
	}
	if (n->arg == NULL || path->v[at][0] == '\0')
		return NULL;
	args_r[0] = path->v[at];
	return walk(n->arg, path, at + 1, args_r + 1);
}

struct route_match
router_match(const struct router *r, enum http_method method,
    const struct url_path *path, const char **args_r)
{
	const struct node *n = walk(&r->root, path, 0, args_r);
	struct route_match match = { .route = NULL };

	if (n == NULL)
		return match;
	match.allowed = n->allowed | 1u << HTTP_OPTIONS;
	if (n->routes[HTTP_GET] != NULL)
		match.allowed |= 1u << HTTP_HEAD;
	if (method == HTTP_HEAD)
		method = HTTP_GET;
	if (method < HTTP_METHOD_COUNT)
		match.route = n->routes[method];
	return match;
}

const char *
router_allow(struct arena *a, unsigned allowed)
{
	struct buf *b = buf_new(a, 256);
	int i;

	for (i = 0; i < HTTP_METHOD_COUNT; i++)
		if (allowed & 1u << i)
			buf_printf(b, "%s%s", b->len > 0 ? ", " : "",
			    http_method_name((enum http_method)i));
	return b->data;
}
