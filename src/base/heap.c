/*
 * heap.c - what comes first, of many
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/heap.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/ensure.h"

enum { FIRST_SIZE = 64 };

static void
defer_nodes(void *p)
{
	struct heap *h = p;

	free(h->nodes);
}

struct heap *
heap_new(struct arena *a)
{
	struct heap *h = arena_object(a, struct heap);

	arena_defer(a, defer_nodes, h);
	return h;
}

static void
set(struct heap *h, size_t place, struct heap_node *node)
{
	h->nodes[place] = node;
	node->place = place;
}

/* Lets the node at "place" rise or sink to where it belongs. */
static void
settle(struct heap *h, size_t place)
{
	struct heap_node *node = h->nodes[place];
	size_t child;

	while (place > 1 && h->nodes[place / 2]->order > node->order) {
		set(h, place, h->nodes[place / 2]);
		place /= 2;
	}
	while ((child = 2 * place) <= h->count) {
		if (child < h->count &&
		    h->nodes[child + 1]->order < h->nodes[child]->order)
			child++;
		if (h->nodes[child]->order >= node->order)
			break;
		set(h, place, h->nodes[child]);
		place = child;
	}
	set(h, place, node);
}

void
heap_put(struct heap *h, struct heap_node *node, int64_t order)
{
	node->order = order;
	if (node->place == 0) {
		if (h->count + 1 >= h->size) {
			h->size = h->size == 0 ? FIRST_SIZE : 2 * h->size;
			h->nodes = realloc(h->nodes,
			    h->size * sizeof(struct heap_node *));
			ensure(h->nodes != NULL);
		}
		set(h, ++h->count, node);
	}
	settle(h, node->place);
}

void
heap_remove(struct heap *h, struct heap_node *node)
{
	size_t place = node->place;
	struct heap_node *last;

	if (place == 0)
		return;
	ensure(h->nodes[place] == node);
	last = h->nodes[h->count--];
	if (last != node) {
		set(h, place, last);
		settle(h, place);
	}
	node->place = 0;
}

struct heap_node *
heap_first(const struct heap *h)
{
	return h->count > 0 ? h->nodes[1] : NULL;
}
