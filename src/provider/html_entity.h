/*
 * html_entity.h - character references of HTML
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_HTML_ENTITY_H
#define BELFRY_PROVIDER_HTML_ENTITY_H

#include <stddef.h>
#include <stdint.h>

/* Reads the reference at s, which begins with "&".  Returns how many bytes it
 * has and sets *code_r, or 0 when it is none that is known.  A number that is
 * no character gives U+FFFD. */
size_t html_entity_read(const char *s, size_t len, uint32_t *code_r);

/* Writes a character as UTF-8 and returns its length, 1 to 4. */
size_t html_entity_utf8(uint32_t code, char bytes[static 4]);

#endif
