/*
 * instant.h - dates and times as data have them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_INSTANT_H
#define BELFRY_TEMPLATE_INSTANT_H

#include <stdbool.h>
#include <stddef.h>

enum instant_kind {
	INSTANT_EXACT, /* a moment: with an offset, or a number */
	INSTANT_LOCAL, /* a date and a time of wherever the reader is */
	INSTANT_DATE, /* a date alone */
};

struct instant {
	enum instant_kind kind;
	double ms; /* Unix time; as if in UTC when it is not exact */
};

/* Seconds of Unix time, or milliseconds when it is 10^11 or more.  False when
 * it is beyond the years 1 to 9999. */
bool instant_of_number(double number, struct instant *instant_r);

/* ISO 8601 as RFC 3339 has it: 2026-11-23, 2026-11-23T14:32, ...:05.5Z,
 * ...+01:00; or nine digits and more, as a number.  False for anything else. */
bool instant_of_text(const char *text, size_t len, struct instant *instant_r);

#endif
