/*
 * crash_point.h - places at which a test lets the process die
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Only in builds for tests (configure --enable-crash-points, which --enable-sanitizers
 * brings along); in others all of this is nothing.
 *
 * BELFRY_CRASH_AT says where: "last-body-byte" or "last-body-byte:3" (at the third time),
 * or "@FILE" with the name of a file that says so.  The file is looked at each time and
 * goes away when its place has been found, so one running Belfry can be killed again and
 * again, and each time once.
 */
#ifndef BELFRY_BASE_CRASH_POINT_H
#define BELFRY_BASE_CRASH_POINT_H

#include <stdbool.h>

enum crash_point {
#define X(NAME, name) CRASH_##NAME,
#include "base/crash_point.def"
#undef X
	CRASH_POINT_COUNT
};

#ifdef BELFRY_CRASH_POINTS

/* Ends the process with SIGKILL when this is the place. */
void crash_point(enum crash_point at);

/* True when this is the place, at whatever time: for code that must take a smaller step
 * so that the place exists. */
bool crash_point_is_set(enum crash_point at);

#else

static inline void
crash_point(enum crash_point at)
{
	(void)at;
}

static inline bool
crash_point_is_set(enum crash_point at)
{
	(void)at;
	return false;
}

#endif
#endif
