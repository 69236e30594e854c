/*
 * test_heap.c - what comes first, of many
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/heap.h"

enum { NODES = 500, STEPS = 20000 };

static struct heap_node nodes[NODES];

/* Against the slow way: the least of all that are in. */
static int64_t
least(size_t *count_r)
{
	int64_t order = INT64_MAX;
	size_t i;

	*count_r = 0;
	for (i = 0; i < NODES; i++) {
		if (nodes[i].place == 0)
			continue;
		++*count_r;
		if (nodes[i].order < order)
			order = nodes[i].order;
	}
	return order;
}

static void
test_the_least_is_first(void **state)
{
	struct arena *a = arena_new(4096);
	struct heap *h = heap_new(a);
	struct heap_node *first;
	uint32_t random = 1;
	size_t count;
	int i, n;

	assert_null(heap_first(h));
	for (i = 0; i < STEPS; i++) {
		random = random * 1664525 + 1013904223;
		n = (int)(random >> 8) % NODES;
		if (random >> 30 == 0)
			heap_remove(h, &nodes[n]);
		else
			heap_put(h, &nodes[n], (int64_t)(random >> 12) % 1000);
		first = heap_first(h);
		if (i % 50 == 0 && first != NULL) {
			assert_int_equal(first->order, least(&count));
			assert_int_equal(count, h->count);
		}
	}
	for (n = -1; (first = heap_first(h)) != NULL; n = (int)first->order) {
		assert_true(first->order >= n);
		heap_remove(h, first);
		assert_int_equal(first->place, 0);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_least_is_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
