/*
 * utf16.c - UTF-8 text counted as JavaScript counts it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/utf16.h"

/* Bytes of the character that begins with this one. */
static size_t
bytes_of(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0xC0 ? 1 : u < 0xE0 ? 2 : u < 0xF0 ? 3 : 4;
}

size_t
utf16_length(const char *text, size_t len)
{
	size_t i, n, units = 0;

	for (i = 0; i < len; i += n) {
		n = bytes_of(text[i]);
		units += n == 4 ? 2 : 1;
	}
	return units;
}

bool
utf16_at(const char *text, size_t len, size_t index, const char **text_r,
    size_t *len_r)
{
	size_t i, n, units = 0;

	for (i = 0; i < len; i += n) {
		n = bytes_of(text[i]);
		if (n > len - i)
			return false;
		units += n == 4 ? 2 : 1;
		if (units <= index)
			continue;
		*text_r = n == 4 ? "\xEF\xBF\xBD" : text + i;
		*len_r = n == 4 ? 3 : n;
		return true;
	}
	return false;
}
