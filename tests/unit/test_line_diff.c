/*
 * test_line_diff.c - what differs between two texts
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "model/line_diff.h"

static void
the_smallest_difference_is_told(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} cases[] = {
		{ "", "", "" },
		{ "a\nb\n", "a\nb\n", "" },
		{ "", "a\n", "@@ -0,0 +1 @@\n+a\n" },
		{ "a\n", "", "@@ -1 +0,0 @@\n-a\n" },
		{ "a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n" },
		{ "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
		{ "a", "a\n",
		    "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n" },
		{ "a\nb", "b",
		    "@@ -1,2 +1 @@\n-a\n b\n\\ No newline at end of file\n" },
		{ "a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n",
		    "@@ -1,7 +1,6 @@\n-a\n-b\n c\n+b\n a\n b\n-b\n a\n+c\n" },
		/* What lies closer than two contexts is one hunk. */
		{ "1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\ny\n",
		    "@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
		    "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"
		    "@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n" },
	};
	struct arena *a = arena_new(4096);
	struct buf *out;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		out = buf_new(a, 65536);
		line_diff(a, cases[i].from, cases[i].to, out);
		assert_string_equal(out->data, cases[i].want);
	}
	arena_free(&a);
}

/* Follows a diff by hand: what it makes of "from". */
static void
apply(const char *from, const char *diff, struct buf *out)
{
	int line = 1, start;
	const char *end;

	while (*diff != '\0') {
		end = strchr(diff, '\n') + 1;
		if (*diff == '@') {
			start = atoi(strchr(diff, '-') + 1);
			if (strstr(diff, ",0 +") != NULL &&
			    strstr(diff, ",0 +") < end)
				start++;
			for (; line < start; line++) {
				const char *next = strchr(from, '\n') + 1;

				buf_add(out, from, (size_t)(next - from));
				from = next;
			}
		} else {
			if (*diff != '-')
				buf_add(out, diff + 1, (size_t)(end - diff) - 1);
			if (*diff != '+') {
				from = strchr(from, '\n') + 1;
				line++;
			}
		}
		diff = end;
	}
	buf_puts(out, from);
}

static void
a_diff_leads_from_one_to_the_other(void **state)
{
	unsigned seed = 4711;
	int round, i;

	for (round = 0; round < 2000; round++) {
		struct arena *a = arena_new(4096);
		struct buf *from = buf_new(a, 65536), *to = buf_new(a, 65536);
		struct buf *out = buf_new(a, 65536), *made = buf_new(a, 65536);
		struct line_diff sum;
		size_t lines[2] = { 0, 0 };
		const char *p;

		for (i = rand_r(&seed) % 30; i > 0; i--)
			buf_printf(from, "%d\n", rand_r(&seed) % 4);
		for (i = rand_r(&seed) % 30; i > 0; i--)
			buf_printf(to, "%d\n", rand_r(&seed) % 4);
		sum = line_diff(a, from->data, to->data, out);
		apply(from->data, out->data, made);
		assert_string_equal(made->data, to->data);
		for (p = from->data; *p != '\0'; p++)
			lines[0] += *p == '\n';
		for (p = to->data; *p != '\0'; p++)
			lines[1] += *p == '\n';
		assert_int_equal(lines[0] + sum.added, lines[1] + sum.removed);
		arena_free(&a);
	}
}

/* Texts that have nothing in common end in bounded time, and are told whole. */
static void
large_differences_are_told_whole(void **state)
{
	struct arena *a = arena_new(4096);
	struct buf *from = buf_new(a, 1 << 20), *to = buf_new(a, 1 << 20);
	struct buf *out = buf_new(a, 4 << 20);
	struct line_diff sum;
	int i;

	for (i = 0; i < 20000; i++) {
		buf_printf(from, "a%d\n", i);
		buf_printf(to, "b%d\n", i);
	}
	sum = line_diff(a, from->data, to->data, out);
	assert_int_equal(sum.added, 20000);
	assert_int_equal(sum.removed, 20000);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_difference_is_told),
		cmocka_unit_test(a_diff_leads_from_one_to_the_other),
		cmocka_unit_test(large_differences_are_told_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
