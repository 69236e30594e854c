/*
 * clock.h - the time, from one place
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing else in Belfry asks the system for the time, so tests can set it.
 * Wall time is for what people see and for ids.  Deadlines inside a process use
 * the monotonic clock, which goes on while the machine sleeps.  What several
 * hosts must agree on is decided by the database's now(), which clock_agreed_ms() follows.
 */
#ifndef BELFRY_BASE_CLOCK_H
#define BELFRY_BASE_CLOCK_H

#include <stdint.h>

#include "base/compiler.h"

/* "2026-12-01T08:00:00.123Z" and its NUL. */
enum { CLOCK_TEXT_BYTES = 32 };

/* The first and the last millisecond that RFC 3339 can write. */
#define CLOCK_FIRST_MS INT64_C(-62167219200000)
#define CLOCK_LAST_MS INT64_C(253402300799999)

/* Milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);

/* The wall clock of whom all agree with, as clock_agree() was told, carried on by the
 * monotonic clock: it does not jump when this host's clock does.  Until it was told,
 * clock_wall_ms(). */
int64_t clock_agreed_ms(void);
void clock_agree(int64_t wall_ms);

/* Milliseconds and microseconds of CLOCK_BOOTTIME. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* Milliseconds of seconds that somebody else told: a time of theirs, or how long.  What
 * lies before CLOCK_FIRST_MS or after CLOCK_LAST_MS becomes these. */
int64_t clock_ms_of_s(int64_t s);

/* Writes RFC 3339 in UTC with milliseconds.  Years 0000 to 9999; what lies
 * outside becomes the first or the last moment of them. */
void clock_format(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES]);

/* Reads RFC 3339 with any offset and 0 to 9 digits of fraction (cut to ms); the
 * date must exist.  A leap second is the midnight after it.  Returns 0, or -1
 * when "text" is anything else or lies outside the years 0000 to 9999 in
 * UTC. */
int clock_parse(const char *text, int64_t *wall_ms_r) MUST_CHECK;

/* For tests: moves the wall clock and the monotonic clock; calls add up. */
void clock_shift_for_test(int64_t wall_offset_ms, int64_t mono_offset_ms);

#endif
