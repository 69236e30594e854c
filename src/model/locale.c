/*
 * locale.c - languages and their regions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/locale.h"

#include <string.h>
#include <strings.h>

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the subtag that "s" begins with. */
static size_t
subtag(const char *s, bool digits)
{
	size_t n = 0;

	while (is_letter(s[n]) || (digits && is_digit(s[n])))
		n++;
	return n;
}

bool
locale_is_valid(const char *s)
{
	size_t n = subtag(s, false);
	const char *p = s + n;

	if (n < 2 || n > 8 ||
	    strnlen(s, LOCALE_BYTES_MAX + 1) > LOCALE_BYTES_MAX)
		return false;
	while (*p == '-') {
		n = subtag(p + 1, true);
		if (n < 1 || n > 8)
			return false;
		p += 1 + n;
	}
	return *p == '\0';
}

size_t
locale_parent(const char *s, size_t len)
{
	while (len > 0 && s[len - 1] != '-')
		len--;
	return len > 0 ? len - 1 : 0;
}

bool
locale_is(const char *s, size_t len, const char *other)
{
	return strncasecmp(s, other, len) == 0 && other[len] == '\0';
}
