/*
 * space.c - white space as JavaScript's \s knows it, in UTF-8
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/space.h"

#include <stdbool.h>
#include <string.h>

static bool
is_ascii_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000, U+FEFF. */
static bool
is_wide_space(const unsigned char *p)
{
	if (p[0] == 0xE2 && p[1] == 0x80)
		return p[2] <= 0x8A || p[2] == 0xA8 || p[2] == 0xA9 ||
		    p[2] == 0xAF;
	return memcmp(p, "\xE1\x9A\x80", 3) == 0 ||
	    memcmp(p, "\xE2\x81\x9F", 3) == 0 ||
	    memcmp(p, "\xE3\x80\x80", 3) == 0 ||
	    memcmp(p, "\xEF\xBB\xBF", 3) == 0;
}

size_t
space_at(const char *p, const char *end)
{
	if (p == end)
		return 0;
	if (is_ascii_space(*p))
		return 1;
	if ((unsigned char)*p < 0xC2)
		return 0;
	if (end - p >= 2 && memcmp(p, "\xC2\xA0", 2) == 0)
		return 2;
	if (end - p >= 3 && is_wide_space((const unsigned char *)p))
		return 3;
	return 0;
}

size_t
space_before(const char *start, const char *p)
{
	if (p == start)
		return 0;
	if (is_ascii_space(p[-1]))
		return 1;
	if (((unsigned char)p[-1] & 0xC0) != 0x80)
		return 0;
	if (p - start >= 2 && memcmp(p - 2, "\xC2\xA0", 2) == 0)
		return 2;
	if (p - start >= 3 && is_wide_space((const unsigned char *)p - 3))
		return 3;
	return 0;
}

const char *
space_skip(const char *p, const char *end)
{
	size_t n;

	while ((n = space_at(p, end)) > 0)
		p += n;
	return p;
}

const char *
space_skip_back(const char *start, const char *p)
{
	size_t n;

	while ((n = space_before(start, p)) > 0)
		p -= n;
	return p;
}
