/*
 * crew.c - the workers of one configuration
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/crew.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/ensure.h"

void
crew_init(struct crew *c, const struct config *config, struct arena *arena,
    int count)
{
	ensure(count > 0);
	*c = (struct crew){ .config = config, .arena = arena, .count = count };
	c->slots = calloc((size_t)count, sizeof(*c->slots));
	if (c->slots == NULL)
		panic("out of memory");
}

void
crew_done(struct crew *c)
{
	free(c->slots);
	arena_free(&c->arena);
	*c = (struct crew){ 0 };
}

struct slot *
crew_find(struct crew *c, pid_t pid)
{
	int i;

	for (i = 0; i < c->count; i++)
		if (c->slots[i].pid == pid)
			return &c->slots[i];
	return NULL;
}

bool
crew_is_ready(const struct crew *c)
{
	int i;

	for (i = 0; i < c->count; i++)
		if (!c->slots[i].ready)
			return false;
	return true;
}

int64_t
crew_next_start_ms(const struct crew *c)
{
	int64_t next = INT64_MAX;
	int i;

	for (i = 0; i < c->count; i++)
		if (c->slots[i].pid == 0 && c->slots[i].next_start_ms < next)
			next = c->slots[i].next_start_ms;
	return next;
}
