/*
 * uuid.h - UUIDv7 (RFC 9562), made here
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first 48 bits are milliseconds of the wall clock.  Ids made by one
 * process strictly ascend: within a millisecond the 12 bits of rand_a count up
 * from a random start, and when they run over the time part moves ahead by one.
 */
#ifndef BELFRY_BASE_UUID_H
#define BELFRY_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum { UUID_TEXT_BYTES = 37 };

struct uuid {
	uint8_t b[16];
};

/* A new UUIDv7.  A forked child does not repeat its parent's. */
struct uuid uuid_make(void);

/* Lower-case text with dashes and NUL. */
void uuid_format(const struct uuid *u, char text[static UUID_TEXT_BYTES]);

/* Reads the 36-character form in either case.  Any version is taken.
 * Returns 0, or -1 for anything else. */
int uuid_parse(const char *text, struct uuid *u_r) MUST_CHECK;

/* memcmp() order, which for UUIDv7 is the order of their time. */
int uuid_cmp(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *u);

/* The last millisecond that a UUIDv7 can hold. */
#define UUID_LAST_MS ((INT64_C(1) << 48) - 1)

/* The first of all ids of a millisecond since 1970. */
struct uuid uuid_floor(int64_t ms);

/* The milliseconds since 1970 in a UUIDv7. */
int64_t uuid_time_ms(const struct uuid *u);

#endif
