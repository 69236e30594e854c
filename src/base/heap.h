/*
 * heap.h - what comes first, of many
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A binary heap of nodes that are embedded in what they stand for.  The node with the
 * least "order" is first.  Each operation takes logarithmic time.
 */
#ifndef BELFRY_BASE_HEAP_H
#define BELFRY_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;

/* All zero: it is in no heap. */
struct heap_node {
	int64_t order;
	size_t place; /* from 1 on; 0: in no heap */
};

struct heap {
	struct heap_node **nodes; /* from 1 on */
	size_t count, size;
};

/* The heap lives in "a", and its memory as long. */
struct heap *heap_new(struct arena *a) MUST_CHECK;

/* Puts a node in, or moves it when it is in already. */
void heap_put(struct heap *h, struct heap_node *node, int64_t order);

/* Takes a node out; nothing happens when it is in no heap. */
void heap_remove(struct heap *h, struct heap_node *node);

/* The node with the least order, or NULL. */
struct heap_node *heap_first(const struct heap *h);

#endif
