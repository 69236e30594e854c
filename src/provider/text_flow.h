/*
 * text_flow.h - words that flow into lines
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Characters make words, words make lines of at most 76 characters (a longer
 * word gets a line of its own).  Breaks and spaces are remembered and written
 * with the word that follows, so there are none at the beginning, at the end of
 * a line, or at the end of the text.
 */
#ifndef BELFRY_PROVIDER_TEXT_FLOW_H
#define BELFRY_PROVIDER_TEXT_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { FLOW_BULLET_BYTES = 16 };

struct flow {
	struct buf *out;
	struct buf word; /* not written yet */
	size_t word_chars;
	bool word_visible; /* it holds something besides fixed spaces */
	size_t col; /* characters in the line */
	size_t indent; /* of the lines to come */
	unsigned int newlines_due; /* before the next word, 0 to 2 */
	unsigned int spaces_due; /* before the next word in its line, 0 to 2 */
	bool started; /* something was written */
	char bullet[FLOW_BULLET_BYTES]; /* before the next line, "" for none */
};

void flow_init(struct flow *f, struct buf *out);

/* Writes the last word and its line end, and gives the memory back. */
void flow_done(struct flow *f);

/* Adds a character, n bytes of UTF-8, to the word. */
void flow_char(struct flow *f, const char *bytes, size_t n);

/* Adds a space that neither ends the word nor is collapsed. */
void flow_fixed_space(struct flow *f);

/* Ends the word.  At least one or two spaces follow it in its line. */
void flow_space(struct flow *f);
void flow_gap(struct flow *f);

/* Ends the word; what follows stands on a new line, or behind an empty line when
 * "newlines" is 2. */
void flow_break(struct flow *f, unsigned int newlines);

/* Ends the word and the line: twice makes an empty line. */
void flow_newline(struct flow *f);

/* Puts "bullet" before the next line. */
void flow_bullet(struct flow *f, const char *bullet);

#endif
