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

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The bytes that stand for themselves: printable ones but "=", and blanks. */
static const bool is_printable[256] = {
	['\t'] = true,
	[' ' ... '<'] = true,
	['>' ... '~'] = true,
};

/* Whether a line ends before this byte of the text. */
static bool
ends_line(const char *text, size_t len, size_t i)
{
	return i == len || text[i] == '\n' || text[i] == '\r';
}

/* What may not stand at the start of a line. */
static bool
starts_badly(const char *p, size_t len)
{
	return *p == '.' || (*p == 'F' && len >= 5 && memcmp(p, "From ", 5) == 0);
}

/* Bytes that stand for themselves, at most "max", from text[i] on. */
static size_t
printable_run(const char *text, size_t len, size_t i, size_t max)
{
	size_t n = 0;

	if (max > len - i)
		max = len - i;
	while (n < max && is_printable[(unsigned char)text[i + n]])
		n++;
	if (n > 0 && is_blank(text[i + n - 1]) && ends_line(text, len, i + n))
		n--;
	return n;
}

/* The byte that ended a run: itself where it is the last of its line, else encoded.
 * Returns how many columns it takes in "line", 0 when there is no room for it. */
static size_t
quoted_byte(char *line, size_t col, const char *text, size_t len, size_t i)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char c = (unsigned char)text[i];
	bool last = ends_line(text, len, i + 1);
	bool itself = is_printable[c] && !(last && is_blank(text[i])) &&
	    !(col == 0 && starts_badly(text + i, len - i));
	size_t n = itself ? 1 : 3;

	/* One place is kept for the "=" of a soft break, which the last character of
	 * the line does not need. */
	if (col + n > QUOTED_LINE_MAX - (size_t)!last)
		return 0;
	line[col] = itself ? text[i] : '=';
	line[col + 1] = hex[c >> 4];
	line[col + 2] = hex[c & 15];
	return n;
}

static void
end_line(struct buf *out, char *line, size_t *col, const char *end)
{
	size_t n = strlen(end);

	memcpy(line + *col, end, n);
	buf_add(out, line, *col + n);
	*col = 0;
}

void
mime_body_quoted(struct buf *out, const char *text, size_t len)
{
	char line[QUOTED_LINE_MAX + 4];
	size_t i = 0, col = 0, n;

	while (i < len) {
		n = col == 0 && starts_badly(text + i, len - i)
		    ? 0
		    : printable_run(text, len, i, QUOTED_LINE_MAX - 1 - col);
		memcpy(line + col, text + i, n);
		i += n;
		col += n;
		if (ends_line(text, len, i)) {
			end_line(out, line, &col, "\r\n");
			i += i + 1 < len && text[i] == '\r' &&
			        text[i + 1] == '\n'
			    ? 2
			    : 1;
			continue;
		}
		n = quoted_byte(line, col, text, len, i);
		if (n == 0)
			end_line(out, line, &col, "=\r\n");
		i += n > 0;
		col += n;
	}
	/* Nothing ended the last line. */
	if (col > 0)
		end_line(out, line, &col, "\r\n");
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
