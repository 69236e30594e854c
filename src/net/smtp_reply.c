/*
 * smtp_reply.c - what an SMTP server answers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "net/smtp_reply.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of an enhanced status code (RFC 3463) that agrees with the reply's
 * first digit and is followed by a space or the end; 0 when there is none. */
static size_t
enhanced_len(const char *s, size_t len, int code)
{
	size_t i = 1, digits, part;

	if (len < 5 || s[0] - '0' != code / 100 || s[0] == '3')
		return 0;
	for (part = 0; part < 2; part++) {
		if (i >= len || s[i++] != '.')
			return 0;
		for (digits = 0; i < len && is_digit(s[i]); digits++)
			i++;
		if (digits < 1 || digits > 3)
			return 0;
	}
	return i == len || s[i] == ' ' ? i : 0;
}

/* Adds text, a blank between lines, nothing that is not printable. */
static void
add_text(struct smtp_reply *r, const char *s, size_t len)
{
	size_t i;

	if (r->len > 0 && len > 0 && r->len + 1 < sizeof(r->text))
		r->text[r->len++] = ' ';
	for (i = 0; i < len && r->len + 1 < sizeof(r->text); i++)
		r->text[r->len++] =
		    (unsigned char)s[i] < ' ' || s[i] == 0x7f ? ' ' : s[i];
	/* Cut in front of a whole character. */
	while (i > 0 && i < len && ((unsigned char)s[i] & 0xc0) == 0x80) {
		r->len--;
		i--;
	}
	r->text[r->len] = '\0';
}

/* Replaces what is not ASCII in a text that is not UTF-8. */
static void
make_utf8(struct smtp_reply *r)
{
	size_t i;

	if (text_is_utf8(r->text, r->len))
		return;
	for (i = 0; i < r->len; i++) {
		if ((unsigned char)r->text[i] >= 0x80)
			r->text[i] = '?';
	}
}

int
smtp_reply_line(struct smtp_reply *r, const char *line, size_t len)
{
	int code;
	size_t n;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) ||
	    !is_digit(line[2]))
		return -1;
	if (len > 3 && line[3] != ' ' && line[3] != '-')
		return -1;
	code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
	if (r->open && code != r->code)
		return -1;
	if (!r->open)
		*r = (struct smtp_reply){ .code = code };
	r->open = len > 3 && line[3] == '-';
	line += len > 3 ? 4 : 3;
	len -= len > 3 ? 4 : 3;
	n = enhanced_len(line, len, code);
	if (n > 0) {
		snprintf(
		    r->enhanced, sizeof(r->enhanced), "%.*s", (int)n, line);
		n += n < len;
	}
	add_text(r, line + n, len - n);
	if (r->open)
		return 0;
	make_utf8(r);
	return 1;
}
