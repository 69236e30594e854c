/*
 * test_wipe.c - memory tells nothing after it was given back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What was given back is read as the kernel has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/wipe.h"

enum { BYTES = 200 };

static int mem;

/* How many bytes from "at" on are the letter. */
static int
letters(uintptr_t at, char letter)
{
	char bytes[BYTES];
	int i, count = 0;

	assert_int_equal(pread(mem, bytes, sizeof(bytes), (off_t)at),
	    sizeof(bytes));
	for (i = 0; i < BYTES; i++)
		count += bytes[i] == letter;
	return count;
}

static uintptr_t
fill(void *p)
{
	memset(p, 'S', BYTES);
	assert_int_equal(letters((uintptr_t)p, 'S'), BYTES);
	return (uintptr_t)p;
}

static void
test_given_back(void **state)
{
	char *p = malloc(BYTES);
	uintptr_t at = fill(p);

	free(p);
	assert_int_equal(letters(at, 'S'), 0);
}

static void
test_moved(void **state)
{
	char *p = malloc(BYTES), *grown, *shrunk;
	uintptr_t at = fill(p);

	grown = realloc(p, 100 * BYTES);
	assert_int_equal(letters((uintptr_t)grown, 'S'), BYTES);
	if ((uintptr_t)grown != at)
		assert_int_equal(letters(at, 'S'), 0);
	fill(grown + 50 * BYTES);
	at = (uintptr_t)grown;
	shrunk = realloc(grown, BYTES);
	assert_int_equal(letters((uintptr_t)shrunk, 'S'), BYTES);
	if ((uintptr_t)shrunk != at)
		assert_int_equal(letters(at + 50 * BYTES, 'S'), 0);
	assert_null(realloc(shrunk, 0));
	p = realloc(NULL, BYTES);
	assert_non_null(p);
	free(p);
}

static void
test_an_arena_that_is_kept(void **state)
{
	struct arena *a = arena_new(4096);
	uintptr_t at = fill(arena_alloc(a, BYTES));

	arena_reset(a);
	assert_int_equal(letters(at, 'S'), 0);
	arena_free(&a);
}

static void
test_a_buffer_that_is_kept(void **state)
{
	struct buf b;
	uintptr_t at;

	buf_init(&b, 4096);
	assert_true(buf_reserve(&b, 2 * BYTES));
	at = fill(b.data);
	buf_grown(&b, BYTES);
	buf_truncate(&b, 10);
	assert_int_equal(letters(at, 'S'), 10);
	buf_reset(&b);
	assert_int_equal(letters(at, 'S'), 0);
	buf_done(&b);
}

static int
set_up(void **state)
{
	wipe_begin();
	mem = open("/proc/self/mem", O_RDONLY);
	return mem < 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_given_back),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_an_arena_that_is_kept),
		cmocka_unit_test(test_a_buffer_that_is_kept),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
