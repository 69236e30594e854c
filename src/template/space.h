/*
 * space.h - white space as JavaScript's \s knows it, in UTF-8
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Handlebars is defined by regular expressions of JavaScript, so a no-break
 * space or a byte order mark separates and is trimmed like a blank.
 */
#ifndef BELFRY_TEMPLATE_SPACE_H
#define BELFRY_TEMPLATE_SPACE_H

#include <stddef.h>

/* Bytes of the white space character that begins at p, 0 when none does. */
size_t space_at(const char *p, const char *end);

/* Bytes of the white space character that ends at p, 0 when none does. */
size_t space_before(const char *start, const char *p);

/* The end of the white space that begins at p. */
const char *space_skip(const char *p, const char *end);

/* The beginning of the white space that ends at p. */
const char *space_skip_back(const char *start, const char *p);

#endif
