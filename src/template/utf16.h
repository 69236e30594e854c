/*
 * utf16.h - UTF-8 text counted as JavaScript counts it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * {{name.length}} and {{name.0}} speak of UTF-16 units: a character beyond
 * U+FFFF, four bytes in UTF-8, counts as two.
 */
#ifndef BELFRY_TEMPLATE_UTF16_H
#define BELFRY_TEMPLATE_UTF16_H

#include <stdbool.h>
#include <stddef.h>

/* The units of len bytes of UTF-8. */
size_t utf16_length(const char *text, size_t len);

/* The character of unit "index", as it stands in the text.  Half a character
 * is U+FFFD.  False when the text is shorter. */
bool utf16_at(const char *text, size_t len, size_t index, const char **text_r,
    size_t *len_r);

#endif
