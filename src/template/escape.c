/*
 * escape.c - text made harmless for the part it is written into
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One table says for each byte which kinds of part cannot take it as it is.
 * What they can take is copied a span at a time.
 */
#include "template/escape.h"

#include <string.h>

#include "base/buf.h"
#include "base/ensure.h"

#define HTML (1 << HBS_ESCAPE_HTML)
#define JSON (1 << HBS_ESCAPE_JSON)
#define URL (1 << HBS_ESCAPE_URL)
#define HEADER (1 << HBS_ESCAPE_HEADER)
#define CONTROL (JSON | URL | HEADER)

static const unsigned char special[256] = {
	[0x00 ... 0x1F] = CONTROL,
	[' '] = URL,
	['!'] = URL,
	['"'] = HTML | JSON | URL,
	['#' ... '%'] = URL,
	['&'] = HTML | URL,
	['\''] = HTML | URL,
	['(' ... ','] = URL,
	['/'] = URL,
	[':'] = URL,
	[';'] = URL,
	['<'] = HTML | URL,
	['='] = HTML | URL,
	['>'] = HTML | URL,
	['?'] = URL,
	['@'] = URL,
	['['] = URL,
	['\\'] = JSON | URL,
	[']'] = URL,
	['^'] = URL,
	['`'] = HTML | URL,
	['{' ... '}'] = URL,
	[0x7F] = URL | HEADER,
	[0x80 ... 0xFF] = URL,
};

static void
escape_html(struct buf *out, char c)
{
	switch (c) {
	case '&':
		buf_add(out, "&amp;", 5);
		return;
	case '<':
		buf_add(out, "&lt;", 4);
		return;
	case '>':
		buf_add(out, "&gt;", 4);
		return;
	case '"':
		buf_add(out, "&quot;", 6);
		return;
	case '\'':
		buf_add(out, "&#x27;", 6);
		return;
	case '`':
		buf_add(out, "&#x60;", 6);
		return;
	default:
		buf_add(out, "&#x3D;", 6);
		return;
	}
}

static void
escape_json(struct buf *out, char c)
{
	static const char names[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *p;

	for (p = names; *p != '\0'; p += 2) {
		if (*p == c) {
			buf_putc(out, '\\');
			buf_putc(out, p[1]);
			return;
		}
	}
	buf_printf(out, "\\u%04x", (unsigned char)c);
}

/* One of the bytes that cannot stay.  "first" is false within a run of them. */
static void
escape_byte(struct buf *out, enum hbs_escape escape, char c, bool first)
{
	switch (escape) {
	case HBS_ESCAPE_HTML:
		escape_html(out, c);
		return;
	case HBS_ESCAPE_JSON:
		escape_json(out, c);
		return;
	case HBS_ESCAPE_URL:
		buf_printf(out, "%%%02X", (unsigned char)c);
		return;
	case HBS_ESCAPE_HEADER:
		if (first)
			buf_putc(out, ' ');
		return;
	case HBS_ESCAPE_NONE:
		break;
	}
	panic("nothing to escape");
}

void
escape_text(struct buf *out, enum hbs_escape escape, const char *text,
    size_t len)
{
	const unsigned char mask = (unsigned char)(escape == HBS_ESCAPE_NONE ?
	    0 : 1 << escape);
	size_t i, start = 0;

	for (i = 0; i < len; i++) {
		if ((special[(unsigned char)text[i]] & mask) == 0)
			continue;
		buf_add(out, text + start, i - start);
		escape_byte(out, escape, text[i], i == 0 || i > start);
		start = i + 1;
	}
	buf_add(out, text + start, len - start);
}
