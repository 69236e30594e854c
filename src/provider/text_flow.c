/*
 * text_flow.c - words that flow into lines
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/text_flow.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 76, INDENT_MAX = 40 };

void
flow_init(struct flow *f, struct buf *out)
{
	*f = (struct flow){ .out = out };
	buf_init(&f->word, out->max);
}

static void
start_line(struct flow *f)
{
	size_t width = strlen(f->bullet);
	size_t indent = f->indent < INDENT_MAX ? f->indent : INDENT_MAX;

	if (width > 0) {
		buf_printf(f->out, "%*s%s",
		    (int)(indent > width ? indent - width : 0), "", f->bullet);
		f->col = indent > width ? indent : width;
		f->bullet[0] = '\0';
	} else {
		buf_printf(f->out, "%*s", (int)indent, "");
		f->col = indent;
	}
}

/* Writes what stands between the last word and the next. */
static void
write_distance(struct flow *f)
{
	if (!f->started) {
		start_line(f);
	} else if (f->newlines_due > 0) {
		buf_add(f->out, "\n\n", f->newlines_due);
		start_line(f);
	} else if (f->spaces_due > 0) {
		if (f->col + f->spaces_due + f->word_chars > WIDTH) {
			buf_putc(f->out, '\n');
			start_line(f);
		} else {
			buf_add(f->out, "  ", f->spaces_due);
			f->col += f->spaces_due;
		}
	}
	f->newlines_due = 0;
	f->spaces_due = 0;
	f->started = true;
}

static void
end_word(struct flow *f)
{
	if (f->word_visible) {
		write_distance(f);
		buf_add(f->out, f->word.data, f->word.len);
		f->col += f->word_chars;
	} else if (f->word.len > 0 && f->spaces_due == 0) {
		f->spaces_due = 1;
	}
	buf_reset(&f->word);
	f->word_chars = 0;
	f->word_visible = false;
}

void
flow_done(struct flow *f)
{
	end_word(f);
	if (f->started)
		buf_putc(f->out, '\n');
	buf_done(&f->word);
}

void
flow_char(struct flow *f, const char *bytes, size_t n)
{
	buf_add(&f->word, bytes, n);
	f->word_chars += ((unsigned char)bytes[0] & 0xc0) != 0x80;
	f->word_visible = true;
}

void
flow_fixed_space(struct flow *f)
{
	buf_putc(&f->word, ' ');
	f->word_chars++;
}

void
flow_space(struct flow *f)
{
	end_word(f);
	if (f->spaces_due == 0)
		f->spaces_due = 1;
}

void
flow_gap(struct flow *f)
{
	end_word(f);
	f->spaces_due = 2;
}

void
flow_break(struct flow *f, unsigned int newlines)
{
	end_word(f);
	if (f->newlines_due < newlines)
		f->newlines_due = newlines;
}

void
flow_newline(struct flow *f)
{
	end_word(f);
	if (f->newlines_due < 2)
		f->newlines_due++;
}

void
flow_bullet(struct flow *f, const char *bullet)
{
	snprintf(f->bullet, sizeof(f->bullet), "%s", bullet);
}
