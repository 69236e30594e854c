/*
 * text.c - bytes as text, and checks of text from outside
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * base64url and base32 are one algorithm with 6 and 5 bits a character; each
 * value has exactly one text, so what decodes encodes to the same text again.
 */
#include "base/text.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"

struct alphabet {
	unsigned bits;
	const char *chars;
};

static const struct alphabet base64url = { 6,
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" };
static const struct alphabet base32 = { 5,
	"0123456789abcdefghjkmnpqrstvwxyz" };

static char *
encode(struct arena *a, const struct alphabet *abc, const void *p, size_t n)
{
	const uint8_t *in = p;
	char *text = arena_alloc(a, n * 8 / abc->bits + 2), *out = text;
	unsigned held = 0, held_bits = 0;
	unsigned mask = (1U << abc->bits) - 1;
	size_t i;

	for (i = 0; i < n; i++) {
		held = (held << 8 | in[i]) & 0xffff;
		held_bits += 8;
		while (held_bits >= abc->bits) {
			held_bits -= abc->bits;
			*out++ = abc->chars[held >> held_bits & mask];
		}
	}
	if (held_bits > 0)
		*out++ = abc->chars[held << (abc->bits - held_bits) & mask];
	*out = '\0';
	return text;
}

static int
decode(struct arena *a, const struct alphabet *abc, const char *s, void **p_r,
    size_t *n_r)
{
	uint8_t *bytes = arena_alloc(a, strlen(s) * abc->bits / 8 + 1);
	uint8_t *out = bytes;
	unsigned held = 0, held_bits = 0;
	const char *at;

	for (; *s != '\0'; s++) {
		at = strchr(abc->chars, *s);
		if (at == NULL)
			return -1;
		held = held << abc->bits | (unsigned)(at - abc->chars);
		held_bits += abc->bits;
		if (held_bits >= 8) {
			held_bits -= 8;
			*out++ = (uint8_t)(held >> held_bits);
		}
		held &= (1U << held_bits) - 1;
	}
	/* A whole character too many, or bits that no byte came from. */
	if (held_bits >= abc->bits || held != 0)
		return -1;
	*out = '\0';
	*p_r = bytes;
	*n_r = (size_t)(out - bytes);
	return 0;
}

char *
text_base64url(struct arena *a, const void *p, size_t n)
{
	return encode(a, &base64url, p, n);
}

int
text_base64url_decode(struct arena *a, const char *s, void **p_r, size_t *n_r)
{
	return decode(a, &base64url, s, p_r, n_r);
}

char *
text_base64(struct arena *a, const void *p, size_t n)
{
	size_t chars = sodium_base64_encoded_len(n,
	    sodium_base64_VARIANT_ORIGINAL);

	return sodium_bin2base64(arena_alloc(a, chars), chars, p, n,
	    sodium_base64_VARIANT_ORIGINAL);
}

int
text_base64_decode(struct arena *a, const char *s, void **p_r, size_t *n_r)
{
	size_t max = strlen(s), n;
	unsigned char *p = arena_alloc(a, max + 1);

	if (sodium_base642bin(p, max, s, max, NULL, &n, NULL,
	        sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	p[n] = '\0';
	*p_r = p;
	*n_r = n;
	return 0;
}

char *
text_base32(struct arena *a, const void *p, size_t n)
{
	return encode(a, &base32, p, n);
}

int
text_base32_decode(struct arena *a, const char *s, void **p_r, size_t *n_r)
{
	return decode(a, &base32, s, p_r, n_r);
}

char *
text_hex(struct arena *a, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = p;
	char *text = arena_alloc(a, n * 2 + 1), *out = text;
	size_t i;

	for (i = 0; i < n; i++) {
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = '\0';
	return text;
}

static unsigned
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return (unsigned)((c | 0x20) - 'a' + 10);
}

int
text_hex_decode(const char *s, void *p, size_t n)
{
	uint8_t *out = p;
	size_t i;

	if (strspn(s, "0123456789abcdefABCDEF") != n * 2 || s[n * 2] != '\0')
		return -1;
	for (i = 0; i < n; i++)
		out[i] = (uint8_t)(hex_value(s[2 * i]) << 4 |
		    hex_value(s[2 * i + 1]));
	return 0;
}

/* The least and the largest second byte after each first byte (RFC 3629 section
 * 4); they rule out overlong forms, surrogates and what lies past U+10FFFF. */
static const struct {
	uint8_t first_min, first_max, second_min, second_max, len;
} sequences[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t
text_utf8_len(const char *s, size_t n)
{
	const uint8_t *u = (const uint8_t *)s;
	size_t row, i;

	if (n == 0)
		return 0;
	for (row = 0; row < NELEMS(sequences); row++)
		if (u[0] >= sequences[row].first_min &&
		    u[0] <= sequences[row].first_max)
			break;
	if (row == NELEMS(sequences) || n < sequences[row].len)
		return 0;
	if (sequences[row].len > 1 && (u[1] < sequences[row].second_min ||
	                                  u[1] > sequences[row].second_max))
		return 0;
	for (i = 2; i < sequences[row].len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return sequences[row].len;
}

bool
text_is_utf8(const char *s, size_t n)
{
	uint64_t eight;
	size_t i = 0, len;

	while (i < n) {
		if (n - i >= sizeof(eight)) {
			memcpy(&eight, s + i, sizeof(eight));
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		len = text_utf8_len(s + i, n - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

bool
text_is_slug(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return s[n] == '\0' && n >= 1 && n <= 63 && s[0] != '-';
}

/* U+0080 to U+009F, and the separators of lines and paragraphs U+2028 and U+2029: some
 * readers end a line there. */
static bool
is_wide_control(const char *s)
{
	return (s[0] == '\xc2' && (s[1] & 0xe0) == 0x80) ||
	    (s[0] == '\xe2' && s[1] == '\x80' &&
	        (s[2] == '\xa8' || s[2] == '\xa9'));
}

bool
text_has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((uint8_t)*s < 0x20 || *s == 0x7f || is_wide_control(s))
			return true;
	return false;
}
