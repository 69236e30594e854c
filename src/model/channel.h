/*
 * channel.h - channels, lanes and priorities
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The numbers stand in the database.  A lane is a channel's queue; lane 0 holds the
 * notifications that wait to be routed.
 */
#ifndef BELFRY_MODEL_CHANNEL_H
#define BELFRY_MODEL_CHANNEL_H

#include <stdint.h>

enum channel {
	CHANNEL_NONE,
#define X(number, NAME, name) CHANNEL_##NAME = (number),
#include "model/channel.def"
#undef X
	CHANNEL_COUNT
};

/* LANE_HOOKS is no queue of deliveries: what providers report waits there
 * (spooler/hooks.c). */
enum { LANE_ROUTE = 0, LANE_HOOKS = 200 };

enum priority { PRIORITY_URGENT, PRIORITY_NORMAL, PRIORITY_BULK, PRIORITY_COUNT };

/* A lane has a queue for each priority of what is fresh, and behind them, at priority +
 * PRIORITY_COUNT, one for each of what was deferred and is due now.  A lane and such a
 * number in one, as the doorbell carries them: */
#define QUEUE(lane, prio) ((lane) | (prio) << 8)
#define QUEUE_LANE(queue) ((queue) & 0xff)
#define QUEUE_PRIO(queue) ((queue) >> 8 & 0xff)

/* "email", or "route" for lane 0. */
const char *channel_name(int channel);

/* CHANNEL_NONE for any other text. */
enum channel channel_parse(const char *name);

const char *priority_name(int priority);

/* What the database says; a damaged row is PRIORITY_NORMAL. */
int priority_from_row(int64_t priority);

/* The names for field tables, each list ended by NULL: channels from CHANNEL_EMAIL
 * on, priorities from PRIORITY_URGENT on. */
extern const char *const channel_names[];
extern const char *const priority_names[];

#endif
