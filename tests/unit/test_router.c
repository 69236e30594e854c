/*
 * test_router.c - the route table as a tree
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "web/request.h"
#include "web/router.h"

static int
handle(struct request *rq, struct response *rs, struct err *e)
{
	return 0;
}

#define R(m, p) { .method = HTTP_##m, .pattern = (p), .handler = handle, .summary = "s" }

static const struct route routes[] = {
	R(GET, "/"),
	R(GET, "/things"),
	R(POST, "/things"),
	R(GET, "/things/{id}"),
	R(DELETE, "/things/{id}"),
	R(POST, "/things/read-all"),
	R(PATCH, "/things/{id}/read"),
	R(GET, "/things/{id}/parts/{part}"),
	R(GET, "/things/special/parts"),
	R(GET, "/health/live"),
};

static const struct {
	enum http_method method;
	const char *path;
	const char *want; /* pattern; NULL: no route */
	const char *args;
	const char *allow; /* "" : no such path */
} cases[] = {
	{ HTTP_GET, "/", "/", "", "GET, HEAD, OPTIONS" },
	{ HTTP_GET, "/things", "/things", "", "GET, HEAD, POST, OPTIONS" },
	{ HTTP_HEAD, "/things", "/things", "", "GET, HEAD, POST, OPTIONS" },
	{ HTTP_POST, "/things", "/things", "", "GET, HEAD, POST, OPTIONS" },
	{ HTTP_PUT, "/things", NULL, "", "GET, HEAD, POST, OPTIONS" },
	{ HTTP_OPTIONS, "/things", NULL, "", "GET, HEAD, POST, OPTIONS" },
	{ HTTP_OTHER, "/things", NULL, "", "GET, HEAD, POST, OPTIONS" },
	{ HTTP_GET, "/things/", NULL, "", "" },
	{ HTTP_GET, "/thing", NULL, "", "" },
	{ HTTP_GET, "/thingsx", NULL, "", "" },
	{ HTTP_GET, "/Things", NULL, "", "" },
	{ HTTP_GET, "/things/7", "/things/{id}", "7",
	    "GET, HEAD, DELETE, OPTIONS" },
	{ HTTP_GET, "/things/a%2Fb", "/things/{id}", "a/b",
	    "GET, HEAD, DELETE, OPTIONS" },
	{ HTTP_POST, "/things/read-all", "/things/read-all", "",
	    "POST, OPTIONS" },
	{ HTTP_PATCH, "/things/7/read", "/things/{id}/read", "7",
	    "PATCH, OPTIONS" },
	{ HTTP_PATCH, "/things/read-all/read", "/things/{id}/read", "read-all",
	    "PATCH, OPTIONS" },
	{ HTTP_GET, "/things/7/parts/8", "/things/{id}/parts/{part}", "7|8",
	    "GET, HEAD, OPTIONS" },
	{ HTTP_GET, "/things/special/parts", "/things/special/parts", "",
	    "GET, HEAD, OPTIONS" },
	{ HTTP_GET, "/things/special/parts/8", "/things/{id}/parts/{part}",
	    "special|8", "GET, HEAD, OPTIONS" },
	{ HTTP_GET, "/things/7/parts", NULL, "", "" },
	{ HTTP_GET, "/health", NULL, "", "" },
	{ HTTP_GET, "/health/live/x", NULL, "", "" },
};

static void
paths_find_their_routes(void **state)
{
	struct arena *a = arena_new(1024);
	struct router *r = router_new(a, routes, NELEMS(routes));
	const char *args[REQUEST_ARGS_MAX];
	struct route_match m;
	struct url_path path;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		memset(args, 0, sizeof(args));
		assert_int_equal(url_path_parse(a, cases[i].path, &path, &e),
		    0);
		m = router_match(r, cases[i].method, &path, args);
		assert_string_equal(router_allow(a, m.allowed), cases[i].allow);
		if (cases[i].want == NULL) {
			assert_null(m.route);
			continue;
		}
		if (m.route == NULL)
			fail_msg("%s was not found", cases[i].path);
		assert_string_equal(m.route->pattern, cases[i].want);
		assert_int_equal(m.route->method == cases[i].method,
		    cases[i].method != HTTP_HEAD);
		if (*cases[i].args == '\0')
			continue;
		assert_string_equal(args[1] != NULL
		        ? arena_printf(a, "%s|%s", args[0], args[1])
		        : args[0],
		    cases[i].args);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_find_their_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
