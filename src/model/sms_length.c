/*
 * sms_length.c - how long a short message is on the air
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/sms_length.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* What a segment holds: alone, and as one of several. */
static const struct {
	const char *name;
	size_t alone, among;
} encodings[] = {
	[SMS_GSM7] = { "gsm-7", 160, 153 },
	[SMS_UCS2] = { "ucs-2", 70, 67 },
};

/* Each alphabet as UTF-8. */
static const char basic[] =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
static const char extension[] = "\f^{}\\[~]|€";

const char *
sms_encoding_name(enum sms_encoding encoding)
{
	return encodings[encoding].name;
}

/* The character of n bytes is one of the alphabet's: since both are UTF-8, its bytes
 * stand nowhere but where it does. */
static bool
is_in(const char *alphabet, size_t bytes, const char *p, size_t n)
{
	return memmem(alphabet, bytes, p, n) != NULL;
}

/* Septets of a character; 0 when it is in neither table. */
static size_t
septets(const char *p, size_t n)
{
	if (is_in(basic, sizeof(basic) - 1, p, n))
		return 1;
	return is_in(extension, sizeof(extension) - 1, p, n) ? 2 : 0;
}

static size_t
units_of(enum sms_encoding encoding, const char *p, size_t n)
{
	if (encoding == SMS_GSM7)
		return septets(p, n);
	return n == 4 ? 2 : 1;
}

/* The bytes of the next character; one for a byte that is none. */
static size_t
step(const char *p, const char *end)
{
	size_t n = text_utf8_len(p, (size_t)(end - p));

	return n > 0 ? n : 1;
}

static uint32_t
code_point(const char *p, size_t n)
{
	static const uint8_t first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (uint8_t)p[0] & first[n];
	size_t i;

	for (i = 1; i < n; i++)
		c = c << 6 | ((uint8_t)p[i] & 0x3f);
	return c;
}

static size_t
count_segments(const char *text, const char *end, enum sms_encoding encoding)
{
	size_t segments = 1, used = 0, units, n;
	const char *p;

	for (p = text; p < end; p += n) {
		n = step(p, end);
		units = units_of(encoding, p, n);
		if (used + units > encodings[encoding].among) {
			segments++;
			used = 0;
		}
		used += units;
	}
	return segments;
}

struct sms_length
sms_length(const char *text)
{
	const char *end = text + strlen(text), *p;
	struct sms_length l = { .encoding = SMS_GSM7 };
	size_t n;

	for (p = text; p < end; p += n) {
		n = step(p, end);
		l.characters++;
		if (l.encoding == SMS_GSM7 && septets(p, n) == 0) {
			l.encoding = SMS_UCS2;
			l.first_other = code_point(p, n);
		}
	}
	for (p = text; p < end; p += n) {
		n = step(p, end);
		l.units += units_of(l.encoding, p, n);
	}
	if (l.units == 0)
		return l;
	l.segments = l.units <= encodings[l.encoding].alone
	    ? 1
	    : count_segments(text, end, l.encoding);
	return l;
}
