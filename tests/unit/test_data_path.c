/*
 * test_data_path.c - places in the data of a template
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
#include "base/compiler.h"
#include "model/data_path.h"

static const char data_text[] =
    "{\"order\": {\"id\": 7, \"none\": null}, \"l\": [{\"n\": 1}, {}, "
    "{\"n\": {\"x\": 2}}], \"empty\": [], \"a/b\": {\"c~d\": 1}, \"s\": \"t\"}";

static void
list(void *arg, const char *pointer, const json_t *value)
{
	buf_printf(arg, "%s%s ", value == NULL ? "!" : "", pointer);
}

static void
places_are_visited(void **state)
{
	static const struct {
		const char *path, *want;
		bool given;
	} cases[] = {
		{ "order", "/d/order ", true },
		{ "order.id", "/d/order/id ", true },
		{ "order.none", "!/d/order/none ", false },
		{ "order.id.x", "!/d/order/id/x ", false },
		{ "nobody.here", "!/d/nobody/here ", false },
		{ "nobody[].here", "!/d/nobody ", false },
		{ "l", "/d/l ", true },
		{ "l[]", "/d/l/0 /d/l/1 /d/l/2 ", true },
		{ "l[].n", "/d/l/0/n !/d/l/1/n /d/l/2/n ", false },
		{ "l[].n.x", "!/d/l/0/n/x !/d/l/1/n/x /d/l/2/n/x ", false },
		{ "empty[].n", "", true },
		{ "s[].n", "!/d/s ", false },
		{ "a/b.c~d", "/d/a~1b/c~0d ", true },
	};
	struct arena *a = arena_new(4096);
	json_t *data = json_loads(data_text, 0, NULL);
	struct buf *out;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		out = buf_new(a, 4096);
		data_path_visit(a, data, cases[i].path, "/d", list, out);
		assert_string_equal(out->data, cases[i].want);
		assert_int_equal(data_path_given(a, data, cases[i].path),
		    cases[i].given);
	}
	out = buf_new(a, 4096);
	data_path_visit(a, NULL, "a.b", "/to/0/data", list, out);
	assert_string_equal(out->data, "!/to/0/data/a/b ");
	json_decref(data);
	arena_free(&a);
}

static void
what_is_no_path_is_refused(void **state)
{
	static const char *const good[] = { "a", "a.b", "a[]", "a[].b", "a b",
		"\u00e4.b[].c" };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "[]", "a[",
		"a]", "a[0]", "a[]b", "a[][]", "a[].", "[].a",
		"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q" };
	size_t i;

	for (i = 0; i < NELEMS(good); i++)
		assert_true(data_path_is_valid(good[i]));
	for (i = 0; i < NELEMS(bad); i++)
		if (data_path_is_valid(bad[i]))
			fail_msg("\"%s\" is taken", bad[i]);
}

static void
paths_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool want;
	} cases[] = {
		{ "a", "a", true }, { "a", "a.b", true }, { "a", "a[].b", true },
		{ "a.b", "a", true }, { "a", "ab", false }, { "ab", "a", false },
		{ "a.b", "a.c", false }, { "a[]", "a", true },
		{ "a.b", "a.bc", false },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		assert_int_equal(data_path_overlaps(cases[i].a, cases[i].b),
		    cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_visited),
		cmocka_unit_test(what_is_no_path_is_refused),
		cmocka_unit_test(paths_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
