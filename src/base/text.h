/*
 * text.h - bytes as text, and checks of text from outside
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_TEXT_H
#define BELFRY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;

/* base64url without padding (RFC 4648 section 5).  Decoding is strict: no
 * padding, no stray bits.  Results live in "a"; decode returns 0 or -1, and a
 * NUL that is not counted follows the bytes. */
char *text_base64url(struct arena *a, const void *p, size_t n) MUST_CHECK;
int text_base64url_decode(struct arena *a, const char *s, void **p_r,
    size_t *n_r) MUST_CHECK;

/* base64 with padding, in one line (RFC 4648 section 4).  Decoding is strict, too. */
char *text_base64(struct arena *a, const void *p, size_t n) MUST_CHECK;
int text_base64_decode(struct arena *a, const char *s, void **p_r, size_t *n_r)
    MUST_CHECK;

/* Lower-case Crockford base32 without padding, as strict: each value has one
 * text, so upper case and the look-alikes "o", "i" and "l" are refused. */
char *text_base32(struct arena *a, const void *p, size_t n) MUST_CHECK;
int text_base32_decode(struct arena *a, const char *s, void **p_r, size_t *n_r)
    MUST_CHECK;

/* Lower-case hexadecimal.  Decoding takes exactly 2 * n digits of either
 * case. */
char *text_hex(struct arena *a, const void *p, size_t n) MUST_CHECK;
int text_hex_decode(const char *s, void *p, size_t n) MUST_CHECK;

/* True when the n bytes are UTF-8 as RFC 3629 has it (no surrogates, no
 * overlong forms). */
bool text_is_utf8(const char *s, size_t n);

/* How many of the n bytes the first character takes (1 to 4), by the same
 * rules; 0 when they do not begin with one. */
size_t text_utf8_len(const char *s, size_t n) MUST_CHECK;

/* True for [a-z0-9] followed by up to 62 of [a-z0-9-]: slugs and keys. */
bool text_is_slug(const char *s);

/* True when the text holds a control character (U+0000 to U+001F, U+007F to U+009F) or
 * one that ends a line or paragraph (U+2028, U+2029). */
bool text_has_control(const char *s);

#endif
