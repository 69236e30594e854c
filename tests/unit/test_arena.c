/*
 * test_arena.c - memory that is given back all at once
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

static char order[8];

static void
note(void *p)
{
	strncat(order, p, 1);
}

static void
deferred_run_last_first_and_once(void **state)
{
	struct arena *a = arena_new(256);
	char first[] = "a", second[] = "b";

	order[0] = '\0';
	arena_defer(a, note, first);
	arena_defer(a, note, second);
	arena_reset(a);
	assert_string_equal(order, "ba");
	arena_free(&a);
	assert_string_equal(order, "ba");
	assert_null(a);
	arena_free(&a);
}

static void
memory_is_aligned_and_apart(void **state)
{
	struct arena *a = arena_new(128);
	char *p[64];
	size_t i;

	for (i = 0; i < 64; i++) {
		p[i] = arena_alloc(a, i * 7);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, i * 7);
	}
	for (i = 1; i < 64; i++) {
		assert_int_equal(p[i][0], i);
		assert_int_equal(p[i][i * 7 - 1], i);
	}
	arena_free(&a);
}

static void
a_reset_arena_reuses_its_chunk(void **state)
{
	struct arena *a = arena_new(4096);
	void *first = arena_alloc(a, 100);

	arena_reset(a);
	assert_int_equal(arena_used_bytes(a), 0);
	assert_ptr_equal(arena_alloc(a, 100), first);
	arena_free(&a);
}

static void
text_is_copied_and_formatted(void **state)
{
	struct arena *a = arena_new(64);
	int *zero = arena_zalloc(a, 10, sizeof(int));

	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(arena_strdup(a, ""), "");
	assert_string_equal(arena_printf(a, "%d-%s", 7, "x"), "7-x");
	assert_memory_equal(arena_memdup(a, "xyz", 3), "xyz", 3);
	assert_int_equal(zero[9], 0);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deferred_run_last_first_and_once),
		cmocka_unit_test(memory_is_aligned_and_apart),
		cmocka_unit_test(a_reset_arena_reuses_its_chunk),
		cmocka_unit_test(text_is_copied_and_formatted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
