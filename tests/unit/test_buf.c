/*
 * test_buf.c - growable bytes with a maximum
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

static void
grows_up_to_its_maximum_and_not_past(void **state)
{
	struct buf b;
	int i;

	buf_init(&b, 100);
	assert_string_equal(b.data, "");
	for (i = 0; i < 100; i++)
		buf_putc(&b, 'x');
	assert_false(buf_overflowed(&b));
	buf_putc(&b, 'y');
	assert_true(buf_overflowed(&b));
	assert_int_equal(b.len, 100);
	assert_int_equal(strlen(b.data), 100);
	buf_reset(&b);
	assert_false(buf_overflowed(&b));
	assert_string_equal(b.data, "");
	buf_done(&b);
}

static void
what_does_not_fit_is_left_out_whole(void **state)
{
	struct buf b;

	buf_init(&b, 5);
	buf_puts(&b, "abc");
	buf_printf(&b, "%s", "defg");
	assert_string_equal(b.data, "abc");
	assert_true(buf_overflowed(&b));
	buf_done(&b);
}

static void
lives_in_an_arena(void **state)
{
	struct arena *a = arena_new(64);
	struct buf *b = buf_new(a, 1 << 20);

	buf_printf(b, "%05d", 42);
	buf_add(b, "\0z", 2);
	assert_int_equal(b->len, 7);
	assert_memory_equal(b->data, "00042\0z", 8);
	buf_truncate(b, 2);
	assert_string_equal(b->data, "00");
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_up_to_its_maximum_and_not_past),
		cmocka_unit_test(what_does_not_fit_is_left_out_whole),
		cmocka_unit_test(lives_in_an_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
