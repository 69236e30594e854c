/*
 * error.c - errors that know their place in the source
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "template/hbs.h"

enum { SHOWN_BYTES = 160 }; /* of a long line, around the place */

/* True when a line ends with the byte at p. */
static bool
ends_line(const char *p, const char *end)
{
	return *p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'));
}

static bool
begins_character(char c)
{
	return ((unsigned char)c & 0xC0) != 0x80;
}

static void
find_place(struct hbs_error *e, const char *source, size_t at)
{
	const char *p;

	e->line = 1;
	e->column = 1;
	for (p = source; p < source + at; p++) {
		if (ends_line(p, source + at)) {
			e->line++;
			e->column = 1;
		} else if (begins_character(*p)) {
			e->column++;
		}
	}
}

int
error_at(struct hbs_error *e, const char *source, size_t at, const char *fmt,
    ...)
{
	va_list ap;

	memset(e, 0, sizeof(*e));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (source != NULL)
		find_place(e, source, at);
	return -1;
}

/* The byte of the line and the column, and the beginning of that line. */
static size_t
find_byte(const struct hbs_error *e, const char *source, size_t len,
    size_t *start_r)
{
	size_t at = 0;
	int line = 1, column = 1;

	for (; at < len && line < e->line; at++)
		line += ends_line(source + at, source + len);
	for (*start_r = at; at < len && column < e->column; at++)
		column += at + 1 == len || begins_character(source[at + 1]);
	return at;
}

/* The line and the caret.  Tabs and other controls become blanks so that the
 * caret stands where it should. */
static void
format_source(const struct hbs_error *e, const char *source, size_t len,
    struct buf *out)
{
	size_t start, i, at = find_byte(e, source, len, &start);
	int column = 0;

	if (at - start > SHOWN_BYTES / 2) {
		start = at - SHOWN_BYTES / 2;
		while (start < at && !begins_character(source[start]))
			start++;
	}
	buf_puts(out, "  ");
	for (i = start; i < len && i < start + SHOWN_BYTES; i++) {
		if (source[i] == '\n' || source[i] == '\r')
			break;
		buf_putc(out, (unsigned char)source[i] < ' ' ? ' ' : source[i]);
		column += i < at && begins_character(source[i]);
	}
	buf_printf(out, "\n  %*s^\n", column, "");
}

void
hbs_error_format(const struct hbs_error *e, const char *name,
    const char *source, size_t len, struct buf *out)
{
	buf_puts(out, name);
	if (e->partial[0] != '\0')
		buf_printf(out, ": partial %s", e->partial);
	if (e->line > 0)
		buf_printf(out, ":%d:%d", e->line, e->column);
	buf_printf(out, ": %s\n", e->text);
	if (e->line > 0 && e->partial[0] == '\0' && source != NULL)
		format_source(e, source, len, out);
}
