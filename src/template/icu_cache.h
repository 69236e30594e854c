/*
 * icu_cache.h - formatters of ICU, opened once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening one costs from twenty microseconds to milliseconds, using it one.  Each thread keeps
 * those it used last, a bounded number.
 */
#ifndef BELFRY_TEMPLATE_ICU_CACHE_H
#define BELFRY_TEMPLATE_ICU_CACHE_H

#include <stddef.h>

#include "base/compiler.h"

enum icu_kind {
	ICU_NUMBER, /* UNumberFormat */
	ICU_DATE, /* UDateFormat */
	ICU_PATTERNS, /* UDateTimePatternGenerator */
	ICU_CALENDAR, /* UCalendar */
	ICU_PLURAL, /* UPluralRules */
	ICU_CASES, /* UCaseMap */
	ICU_CHARACTERS, /* UBreakIterator */
	ICU_LIST, /* UListFormatter */
	ICU_KINDS
};

enum {
	ICU_CACHE_MAX = 128, /* formatters that a thread keeps */
	ICU_LOCALE_BYTES = 64,
	ICU_KEY_BYTES = 200,
};

/* What a formatter is opened from.  Texts are never NULL. */
struct icu_key {
	enum icu_kind kind;
	int style;
	int digits; /* of the fraction; -1: as usual */
	const char *locale; /* BCP 47 */
	const char *zone; /* IANA */
	const char *text; /* a pattern, a currency */
};

/* The formatter, opened by "open" when it is not there, which is handed the
 * locale in the way of ICU.  NULL when "open" returned NULL or the texts are
 * too long.  It belongs to the cache and lasts until the next call. */
void *icu_cache_get(const struct icu_key *key,
    void *(*open)(const struct icu_key *key, const char *icu_locale)) MUST_CHECK;

/* How many formatters were opened so far, for tests and measurements. */
unsigned long icu_cache_opened(void);

/* Closes all that this thread keeps. */
void icu_cache_clear(void);

#endif
