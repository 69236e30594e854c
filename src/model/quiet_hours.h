/*
 * quiet_hours.h - hours in which nobody wants to be disturbed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *	{"from": "22:00", "to": "07:00", "days": ["mon", "tue"]}
 *
 * by the clock of a time zone.  They begin on the days that are named (all, when none
 * are given; never, when the list is empty) and end at the next "to".  A night in which
 * clocks change is as long as it is: an hour that is there twice belongs to it twice, and
 * a time that is skipped is the first one after it.
 */
#ifndef BELFRY_MODEL_QUIET_HOURS_H
#define BELFRY_MODEL_QUIET_HOURS_H

#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"

struct quiet_hours {
	int from_min, to_min; /* of the day, 0 to 1439; never the same */
	unsigned days; /* on which they begin: 1 << 0 is Monday */
};

/* Reads the object above.  0, or -1 with what is wrong with it in *fault_r. */
int quiet_hours_read(const json_t *json, struct quiet_hours *q_r,
    const char **fault_r) MUST_CHECK;

/* When they end, in Unix milliseconds, should it be quiet at "now_ms" in the zone (an
 * IANA name; unknown ones are UTC); 0 when it is not quiet. */
int64_t quiet_hours_end(const struct quiet_hours *q, const char *zone,
    int64_t now_ms);

#endif
