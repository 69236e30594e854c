/*
 * mime_body.c - text and bytes as lines that survive every mail server
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/mime_body.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"

enum {
	PLAIN_LINE_MAX = 78,
	QUOTED_LINE_MAX = 76, /* RFC 2045, with the "=" of a soft break */
	BASE64_LINE_BYTES = 57 /* become 76 characters */
};

/* The length of the line that starts at text; *eol_r gets the length of its
 * line end: 2 for CRLF, 1 for CR or LF alone, 0 at the end of the text. */
static size_t
line_len(const char *text, size_t len, size_t *eol_r)
{
	size_t n = 0;

	while (n < len && text[n] != '\n' && text[n] != '\r')
		n++;
	if (n == len)
		*eol_r = 0;
	else if (text[n] == '\r' && n + 1 < len && text[n + 1] == '\n')
		*eol_r = 2;
	else
		*eol_r = 1;
	return n;
}

static bool
line_is_plain(const char *line, size_t len)
{
	size_t i;

	if (len == 0)
		return true;
	if (len > PLAIN_LINE_MAX || line[0] == '.' || line[len - 1] == ' ' ||
	    line[len - 1] == '\t')
		return false;
	if (len >= 2 && line[0] == '-' && line[1] == '-')
		return false;
	if (len >= 5 && memcmp(line, "From ", 5) == 0)
		return false;
	for (i = 0; i < len; i++) {
		if ((line[i] < 0x20 && line[i] != '\t') || line[i] >= 0x7f)
			return false;
	}
	return true;
}

bool
mime_body_is_plain(const char *text, size_t len)
{
	size_t n, eol;

	while (len > 0) {
		n = line_len(text, len, &eol);
		if (!line_is_plain(text, n))
			return false;
		text += n + eol;
		len -= n + eol;
	}
	return true;
}

void
mime_body_plain(struct buf *out, const char *text, size_t len)
{
	size_t n, eol;

	while (len > 0) {
		n = line_len(text, len, &eol);
		buf_add(out, text, n);
		buf_add(out, "\r\n", 2);
		text += n + eol;
		len -= n + eol;
	}
}

/* Whether a byte stands for itself.  "rest" counts the bytes of its line from
 * this one on, "col" is where it would stand in the line written. */
static bool
stands_for_itself(const char *p, size_t rest, size_t col)
{
	unsigned char c = (unsigned char)*p;

	if (c == ' ' || c == '\t')
		return rest > 1;
	if (c <= 0x20 || c >= 0x7f || c == '=')
		return false;
	if (col > 0)
		return true;
	return c != '.' &&
	    !(c == 'F' && rest >= 5 && memcmp(p, "From ", 5) == 0);
}

/* One line of text as quoted-printable, with soft breaks. */
static void
quoted_line(struct buf *out, const char *line, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	char text[QUOTED_LINE_MAX + 4];
	size_t i, col = 0;
	bool itself;

	for (i = 0; i < len; i++) {
		itself = stands_for_itself(line + i, len - i, col);
		/* One place is kept for the "=" of a soft break, which the
		 * last character of the line does not need. */
		if (col + (itself ? 1 : 3) >
		    QUOTED_LINE_MAX - (size_t)(i + 1 < len)) {
			memcpy(text + col, "=\r\n", 3);
			buf_add(out, text, col + 3);
			col = 0;
			itself = stands_for_itself(line + i, len - i, col);
		}
		if (itself) {
			text[col++] = line[i];
		} else {
			text[col++] = '=';
			text[col++] = hex[(unsigned char)line[i] >> 4];
			text[col++] = hex[line[i] & 15];
		}
	}
	memcpy(text + col, "\r\n", 2);
	buf_add(out, text, col + 2);
}

void
mime_body_quoted(struct buf *out, const char *text, size_t len)
{
	size_t n, eol;

	while (len > 0) {
		n = line_len(text, len, &eol);
		quoted_line(out, text, n);
		text += n + eol;
		len -= n + eol;
	}
}

void
mime_body_base64(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	unsigned char line[80];
	size_t n;
	int chars;

	while (len > 0) {
		n = len < BASE64_LINE_BYTES ? len : BASE64_LINE_BYTES;
		chars = EVP_EncodeBlock(line, p, (int)n);
		memcpy(line + chars, "\r\n", 2);
		buf_add(out, line, (size_t)chars + 2);
		p += n;
		len -= n;
	}
}
