/*
 * escape.c - text made harmless for the part it is written into
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One table says for each byte which kinds of part cannot take it as it is.
 * Text goes through in pieces for which the output has room even if every byte
 * grows, so that nothing has to be checked within a piece.
 */
#include "template/escape.h"

#include <stdbool.h>
#include <string.h>

#include "base/ensure.h"
#include "template/emit.h"

#define HTML (1 << HBS_ESCAPE_HTML)
#define JSON (1 << HBS_ESCAPE_JSON)
#define URL (1 << HBS_ESCAPE_URL)
#define HEADER (1 << HBS_ESCAPE_HEADER)
#define MARKDOWN (1 << HBS_ESCAPE_MARKDOWN)
#define CONTROL (JSON | URL | HEADER | MARKDOWN)
#define SIGN (URL | MARKDOWN)

enum {
	PIECE_BYTES = 256,
	GROWTH_MAX = 6, /* "&quot;" */
	STEP_BYTES = 8, /* looked at together */
};

static const unsigned char special[256] = {
	[0x00 ... 0x1F] = CONTROL,
	[' '] = URL,
	['!'] = SIGN,
	['"'] = HTML | JSON | SIGN,
	['#' ... '%'] = SIGN,
	['&'] = HTML | SIGN,
	['\''] = HTML | SIGN,
	['(' ... ','] = SIGN,
	['-' ... '.'] = MARKDOWN,
	['/'] = SIGN,
	[':'] = SIGN,
	[';'] = SIGN,
	['<'] = HTML | SIGN,
	['='] = HTML | SIGN,
	['>'] = HTML | SIGN,
	['?'] = SIGN,
	['@'] = SIGN,
	['['] = SIGN,
	['\\'] = JSON | SIGN,
	[']'] = SIGN,
	['^'] = SIGN,
	['_'] = MARKDOWN,
	['`'] = HTML | SIGN,
	['{' ... '}'] = SIGN,
	['~'] = MARKDOWN,
	[0x7F] = URL | HEADER,
	[0x80 ... 0xFF] = URL,
};

static char *
put(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

static char *
put_html(char *to, char c)
{
	switch (c) {
	case '&':
		return put(to, "&amp;", 5);
	case '<':
		return put(to, "&lt;", 4);
	case '>':
		return put(to, "&gt;", 4);
	case '"':
		return put(to, "&quot;", 6);
	case '\'':
		return put(to, "&#x27;", 6);
	case '`':
		return put(to, "&#x60;", 6);
	default:
		return put(to, "&#x3D;", 6);
	}
}

static char *
put_hex(char *to, char c)
{
	static const char digits[] = "0123456789ABCDEF";

	*to++ = digits[(unsigned char)c >> 4];
	*to++ = digits[(unsigned char)c & 15];
	return to;
}

static char *
put_json(char *to, char c)
{
	static const char names[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *p;

	for (p = names; *p != '\0'; p += 2) {
		if (*p != c)
			continue;
		*to++ = '\\';
		*to++ = p[1];
		return to;
	}
	return put_hex(put(to, "\\u00", 4), c);
}

/* One of the bytes that cannot stay. */
static char *
put_special(char *to, enum hbs_escape escape, char c)
{
	switch (escape) {
	case HBS_ESCAPE_HTML:
		return put_html(to, c);
	case HBS_ESCAPE_JSON:
		return put_json(to, c);
	case HBS_ESCAPE_URL:
		*to++ = '%';
		return put_hex(to, c);
	case HBS_ESCAPE_MARKDOWN:
		if ((unsigned char)c >= ' ')
			*to++ = '\\';
		*to++ = (unsigned char)c >= ' ' ? c : ' ';
		return to;
	case HBS_ESCAPE_HEADER:
	case HBS_ESCAPE_NONE:
		break;
	}
	panic("nothing to escape");
}

static bool
all_plain(const char *text, unsigned mask)
{
	const unsigned char *p = (const unsigned char *)text;

	return ((special[p[0]] | special[p[1]] | special[p[2]] |
	    special[p[3]] | special[p[4]] | special[p[5]] | special[p[6]] |
	    special[p[7]]) & mask) == 0;
}

/* Writes the piece, which may grow GROWTH_MAX times.  Returns where it ends. */
static char *
put_piece(char *to, enum hbs_escape escape, const char *p, const char *end)
{
	const unsigned mask = 1U << escape;
	const char *stop;

	while (p < end) {
		stop = end - p < STEP_BYTES ? end : p + STEP_BYTES;
		if (stop == p + STEP_BYTES && all_plain(p, mask)) {
			to = put(to, p, STEP_BYTES);
			p = stop;
			continue;
		}
		for (; p < stop; p++) {
			if ((special[(unsigned char)*p] & mask) == 0)
				*to++ = *p;
			else
				to = put_special(to, escape, *p);
		}
	}
	return to;
}

static void
escape_piece(struct buf *out, enum hbs_escape escape, const char *text,
    size_t len)
{
	char room[PIECE_BYTES * GROWTH_MAX];
	char *to;

	if (out->cap - out->len > len * GROWTH_MAX ||
	    (out->max - out->len >= len * GROWTH_MAX &&
	    buf_reserve(out, len * GROWTH_MAX))) {
		to = out->data + out->len;
		to = put_piece(to, escape, text, text + len);
		out->len = (size_t)(to - out->data);
		*to = '\0';
		return;
	}
	to = put_piece(room, escape, text, text + len);
	buf_add(out, room, (size_t)(to - room));
}

/* A run of control characters becomes one space. */
static void
escape_header(struct buf *out, const char *text, size_t len)
{
	size_t i, start = 0;

	for (i = 0; i < len; i++) {
		if ((special[(unsigned char)text[i]] & HEADER) == 0)
			continue;
		emit(out, text + start, i - start);
		if (i == 0 || i > start)
			buf_putc(out, ' ');
		start = i + 1;
	}
	emit(out, text + start, len - start);
}

void
escape_text(struct buf *out, enum hbs_escape escape, const char *text,
    size_t len)
{
	size_t n;

	if (escape == HBS_ESCAPE_NONE) {
		emit(out, text, len);
		return;
	}
	if (escape == HBS_ESCAPE_HEADER) {
		escape_header(out, text, len);
		return;
	}
	for (; len > 0; text += n, len -= n) {
		n = len < PIECE_BYTES ? len : PIECE_BYTES;
		escape_piece(out, escape, text, n);
	}
}
