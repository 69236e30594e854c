/*
 * crew.h - the workers of one configuration
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A master has one crew; while it reloads it has two.
 */
#ifndef BELFRY_BASE_CREW_H
#define BELFRY_BASE_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct config;

/* A place for a worker. */
struct slot {
	pid_t pid; /* 0: none runs */
	int64_t next_start_ms; /* not before */
	bool ready; /* it has waited for work once */
};

struct crew {
	const struct config *config;
	struct arena *arena; /* holds config; NULL: the caller does */
	struct slot *slots; /* NULL: there is no crew */
	int count;
};

/* A crew of "count" empty slots, to be started at once. */
void crew_init(struct crew *c, const struct config *config,
    struct arena *arena, int count);

/* Gives back slots and configuration; forgets the workers. */
void crew_done(struct crew *c);

/* The slot of a worker, NULL when it has none here. */
struct slot *crew_find(struct crew *c, pid_t pid);

/* Is a worker ready in every slot? */
bool crew_is_ready(const struct crew *c);

/* When the next empty slot may be filled; INT64_MAX when none is empty. */
int64_t crew_next_start_ms(const struct crew *c);

#endif
