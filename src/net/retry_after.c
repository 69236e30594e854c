/*
 * retry_after.c - what an HTTP server says about when to come back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "net/retry_after.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"

#define BLANKS " \t"
#define DIGITS "0123456789"

static int64_t
capped(int64_t s)
{
	if (s < 0)
		return 0;
	return s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S;
}

static int64_t
seconds(const char *digits, size_t n)
{
	int64_t s = 0;
	size_t i;

	for (i = 0; i < n; i++)
		s = capped(s * 10 + (digits[i] - '0'));
	return s;
}

static int64_t
date(const char *value, int64_t now_ms)
{
	static const char *const forms[] = {
		"%a, %d %b %Y %H:%M:%S GMT", /* of today */
		"%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
		"%a %b %d %H:%M:%S %Y", /* asctime() */
	};
	const char *end;
	struct tm tm;
	size_t i;

	for (i = 0; i < NELEMS(forms); i++) {
		tm = (struct tm){ .tm_mday = 1 };
		end = strptime(value, forms[i], &tm);
		if (end != NULL && end[strspn(end, BLANKS)] == '\0')
			return capped((int64_t)timegm(&tm) - now_ms / 1000);
	}
	return 0;
}

int64_t
retry_after_s(const char *value, int64_t now_ms)
{
	size_t n;

	if (value == NULL)
		return 0;
	value += strspn(value, BLANKS);
	n = strspn(value, DIGITS);
	if (n > 0 && value[n + strspn(value + n, BLANKS)] == '\0')
		return seconds(value, n);
	return date(value, now_ms);
}
