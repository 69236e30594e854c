/*
 * channel.c - channels, lanes and priorities
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/channel.h"

#include <stddef.h>
#include <string.h>

#include "base/ensure.h"

const char *const channel_names[] = {
#define X(number, NAME, name) name,
#include "model/channel.def"
#undef X
	NULL
};

const char *const priority_names[] = { "urgent", "normal", "bulk", NULL };

const char *
channel_name(int channel)
{
	ensure(channel >= LANE_ROUTE && channel < CHANNEL_COUNT);
	return channel == LANE_ROUTE ? "route" : channel_names[channel - 1];
}

enum channel
channel_parse(const char *name)
{
	int i;

	for (i = CHANNEL_NONE + 1; i < CHANNEL_COUNT; i++)
		if (strcmp(name, channel_names[i - 1]) == 0)
			return (enum channel)i;
	return CHANNEL_NONE;
}

int
priority_from_row(int64_t priority)
{
	return priority >= 0 && priority < PRIORITY_COUNT ? (int)priority
							  : PRIORITY_NORMAL;
}

const char *
priority_name(int priority)
{
	ensure(priority >= 0 && priority < PRIORITY_COUNT);
	return priority_names[priority];
}
