/*
 * test_url.c - paths and queries, taken apart strictly
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
#include "base/buf.h"
#include "base/err.h"
#include "web/field.h"
#include "web/url.h"

/* Segments joined by "|"; NULL: refused. */
static const struct {
	const char *target, *want;
} paths[] = {
	{ "/", "" },
	{ "/a", "a" },
	{ "/a/b/c", "a|b|c" },
	{ "/a/b?c=/d//../", "a|b" },
	{ "/?x", "" },
	{ "/a/", "a|" },
	{ "/a%2Fb/%C3%A9", "a/b|\xc3\xa9" },
	{ "/a+b", "a+b" },
	{ "/a%20b", "a b" },
	{ "/%41", "A" },
	{ "/...", "..." },
	{ "/a..b", "a..b" },
	{ "/%252e%252e", "%2e%2e" },
	{ "", NULL },
	{ "a", NULL },
	{ "*", NULL },
	{ "http://host/a", NULL },
	{ "//", NULL },
	{ "//a", NULL },
	{ "/a//b", NULL },
	{ "/a//", NULL },
	{ "/.", NULL },
	{ "/..", NULL },
	{ "/a/../b", NULL },
	{ "/a/..", NULL },
	{ "/a/%2e%2E/b", NULL },
	{ "/a/.%2e", NULL },
	{ "/a/%2e", NULL },
	{ "/a%00b", NULL },
	{ "/a%0ab", NULL },
	{ "/a%7fb", NULL },
	{ "/a%c2%85b", NULL },
	{ "/a%", NULL },
	{ "/a%4", NULL },
	{ "/a%4g", NULL },
	{ "/a%/b", NULL },
	{ "/a%4/1", NULL },
	{ "/%ff", NULL },
	{ "/\xff", NULL },
	{ "/%c0%af", NULL },
	{ "/%ed%a0%80", NULL },
	{ "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
	    "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16" },
	{ "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", NULL },
	{ "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/", NULL },
};

static void
paths_become_segments(void **state)
{
	struct arena *a = arena_new(1024);
	struct buf *b = buf_new(a, 1024);
	struct url_path path;
	struct err e;
	size_t i, k;
	int rc;

	for (i = 0; i < NELEMS(paths); i++) {
		err_clear(&e);
		rc = url_path_parse(a, paths[i].target, &path, &e);
		if ((rc == 0) != (paths[i].want != NULL))
			fail_msg("%s: %d %s", paths[i].target, rc, e.text);
		if (rc != 0) {
			assert_int_equal(e.kind, ERR_INVALID);
			continue;
		}
		buf_reset(b);
		for (k = 0; k < path.n; k++)
			buf_printf(b, "%s%s", k > 0 ? "|" : "", path.v[k]);
		assert_string_equal(b->data, paths[i].want);
	}
	arena_free(&a);
}

static const struct {
	const char *query, *want;
} queries[] = {
	{ "", "" },
	{ "a=1", "a=1;" },
	{ "a=1&b=2", "a=1;b=2;" },
	{ "a", "a=;" },
	{ "a=", "a=;" },
	{ "=a", "=a;" },
	{ "&&a=1&", "a=1;" },
	{ "a=x+y%2B%26%3D", "a=x y+&=;" },
	{ "a=b=c", "a=b=c;" },
	{ "%C3%A9=%E2%82%AC", "\xc3\xa9=\xe2\x82\xac;" },
	{ "a=%00", NULL },
	{ "a=%", NULL },
	{ "a=%zz", NULL },
	{ "a=%0d%0a", NULL },
	{ "a=%ff", NULL },
	{ "%f=1", NULL },
};

static void
queries_become_parameters(void **state)
{
	struct arena *a = arena_new(1024);
	struct buf *b = buf_new(a, 1024);
	struct field_param *params;
	size_t i, k, count;
	struct err e;
	int rc;

	for (i = 0; i < NELEMS(queries); i++) {
		rc = url_query_parse(a, queries[i].query, &params, &count, &e);
		if ((rc == 0) != (queries[i].want != NULL))
			fail_msg("%s: %d", queries[i].query, rc);
		if (rc != 0)
			continue;
		buf_reset(b);
		for (k = 0; k < count; k++)
			buf_printf(b, "%s=%s;", params[k].name,
			    params[k].value);
		assert_string_equal(b->data, queries[i].want);
	}
	buf_reset(b);
	for (i = 0; i <= URL_PARAMS_MAX; i++)
		buf_puts(b, "a=1&");
	assert_int_equal(url_query_parse(a, b->data, &params, &count, &e), -1);
	arena_free(&a);
}

static void
arguments_are_encoded(void **state)
{
	struct arena *a = arena_new(1024);
	struct buf *b = buf_new(a, 1024);

	url_arg(b, "a/b c~\xc3\xa9&");
	assert_string_equal(b->data, "a%2Fb%20c~%C3%A9%26");
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_become_segments),
		cmocka_unit_test(queries_become_parameters),
		cmocka_unit_test(arguments_are_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
