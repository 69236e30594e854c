/*
 * locale.h - languages and their regions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A locale is BCP 47 as far as its form goes: "de", "de-AT",
 * "zh-Hant-TW".  What is not there for a locale is looked for in its parents:
 * "zh-Hant-TW", "zh-Hant", "zh".
 */
#ifndef BELFRY_MODEL_LOCALE_H
#define BELFRY_MODEL_LOCALE_H

#include <stdbool.h>
#include <stddef.h>

enum { LOCALE_BYTES_MAX = 35 };

/* 2 to 8 letters, then subtags of 1 to 8 letters or digits; 35 bytes in all. */
bool locale_is_valid(const char *s);

/* What somebody reads, and what they get when it is not there.  Either may be NULL. */
struct locale_wish {
	const char *locale;
	const char *fallback; /* the tenant's default */
};

/* The length of the parent of the first len bytes; 0 when there is none. */
size_t locale_parent(const char *s, size_t len);

/* True when the first len bytes of "s" name the same locale as "other" does
 * (case does not matter). */
bool locale_is(const char *s, size_t len, const char *other);

#endif
