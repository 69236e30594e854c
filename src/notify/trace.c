/*
 * trace.c - why a delivery went the way it went
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/trace.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "web/js.h"

enum { WHY_BYTES = 200, ENTRY_BYTES = 2000 };

void
trace_begin(struct trace *t, struct arena *a)
{
	t->a = a;
	t->text = buf_new(a, TRACE_BYTES_MAX + ENTRY_BYTES);
	buf_putc(t->text, '[');
}

static void
add_member(struct buf *text, const char *name, const char *value)
{
	buf_printf(text, "%s\"%s\":",
	    text->data[text->len - 1] == '{' ? "" : ",", name);
	js_write_text(text, value);
}

void
trace_add(struct trace *t, const char *what, const char *result, const char *fmt,
    ...)
{
	char why[WHY_BYTES];
	size_t mark = t->text->len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	buf_puts(t->text, mark > 1 ? ",{" : "{");
	add_member(t->text, "what", what);
	if (result != NULL)
		add_member(t->text, "result", result);
	if (why[0] != '\0')
		add_member(t->text, "why", why);
	buf_putc(t->text, '}');
	if (buf_overflowed(t->text) || t->text->len >= TRACE_BYTES_MAX)
		buf_truncate(t->text, mark);
}

const char *
trace_text(struct trace *t)
{
	buf_putc(t->text, ']');
	return t->text->data;
}

void
trace_note(char note[static TRACE_NOTE_BYTES], const char *what,
    const char *result, const char *why)
{
	snprintf(note, TRACE_NOTE_BYTES,
	    "{\"what\":\"%s\",\"result\":\"%s\",\"why\":\"%.100s\"}", what, result,
	    why);
}
