/*
 * whitespace.c - what tags do to the white space around them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The rules are those of handlebars.js, in its order: a line counts as blank by
 * the text as it stood in the source, while the cutting is done on what is left
 * of it.  A text that was cut once for a tag of its own line is not cut again.
 */
#include "template/whitespace.h"

#include <string.h>

#include "base/ensure.h"
#include "template/space.h"
#include "template/tree.h"

/* What a node wants done around it. */
struct wish {
	struct strip strip; /* "~" outside of it */
	bool open_alone; /* its opening tag ends a line */
	bool close_alone; /* its closing tag begins a line */
	bool is_tag; /* it is a single tag: a comment or a partial */
};

static bool
is_text(const struct node *node)
{
	return node != NULL && node->kind == NODE_TEXT;
}

/* True when what precedes a node is the beginning of a line.  "prev" is NULL
 * at the start of a program, where only that of the template counts. */
static bool
line_begins(const struct node *prev, bool is_root)
{
	const char *start, *end, *blank;

	if (prev == NULL)
		return is_root;
	if (!is_text(prev))
		return false;
	start = prev->u.text.original;
	end = start + prev->u.text.original_len;
	blank = space_skip_back(start, end);
	if (memchr(blank, '\n', (size_t)(end - blank)) != NULL)
		return true;
	return blank == start && prev->prev == NULL && is_root;
}

/* The same for the end of a line and what follows. */
static bool
line_ends(const struct node *next, bool is_root)
{
	const char *start, *end, *blank;

	if (next == NULL)
		return is_root;
	if (!is_text(next))
		return false;
	start = next->u.text.original;
	end = start + next->u.text.original_len;
	blank = space_skip(start, end);
	if (memchr(start, '\n', (size_t)(blank - start)) != NULL)
		return true;
	return blank == end && next->next == NULL && is_root;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the beginning of the text: all white space, or the rest of a line. */
static void
cut_left(struct node *node, bool all)
{
	const char *start, *end, *p;

	if (!is_text(node) || (!all && node->u.text.right_stripped))
		return;
	start = node->u.text.text;
	end = start + node->u.text.len;
	p = start;
	if (all) {
		p = space_skip(p, end);
	} else {
		while (p < end && is_blank(*p))
			p++;
		if (p < end && *p == '\r')
			p++;
		if (p < end && *p == '\n')
			p++;
	}
	node->u.text.text = p;
	node->u.text.len = (size_t)(end - p);
	node->u.text.right_stripped = p > start;
}

/* Cuts the end of the text: all white space, or the blanks that a line begins
 * with.  True when there was something to cut. */
static bool
cut_right(struct node *node, bool all)
{
	const char *start, *end, *p;

	if (!is_text(node) || (!all && node->u.text.left_stripped))
		return false;
	start = node->u.text.text;
	end = start + node->u.text.len;
	p = end;
	if (all) {
		p = space_skip_back(start, end);
	} else {
		while (p > start && is_blank(p[-1]))
			p--;
	}
	node->u.text.len = (size_t)(p - start);
	node->u.text.left_stripped = p < end;
	return p < end;
}

static void visit_program(struct program *program, bool is_root,
    bool keep_lines);

/* Cuts within a block that has two branches, around its {{else}}. */
static void
visit_else(struct program *program, struct program *inverse,
    const struct block *block, bool keep_lines)
{
	struct program *first = inverse, *last = inverse;

	if (inverse->chained) {
		first = inverse->first->u.block.program;
		while (last->chained)
			last = last->last->u.block.program;
	}
	if (block->inverse_strip.open)
		cut_right(program->last, true);
	if (block->inverse_strip.close)
		cut_left(first->first, true);
	if (block->close_strip.open)
		cut_right(last->last, true);
	if (!keep_lines && line_begins(program->last, false) &&
	    line_ends(first->first, false)) {
		cut_right(program->last, false);
		cut_left(first->first, false);
	}
}

static void
visit_block(struct node *node, bool keep_lines, struct wish *wish)
{
	struct block *block = &node->u.block;
	struct program *program = block->program, *inverse = block->inverse;
	struct program *last;

	if (program != NULL)
		visit_program(program, false, keep_lines);
	if (inverse != NULL)
		visit_program(inverse, false, keep_lines);
	if (program == NULL) {
		program = inverse;
		inverse = NULL;
	}
	ensure(program != NULL);
	last = inverse == NULL ? program :
	    inverse->chained ? inverse->first->u.block.program : inverse;
	wish->strip.open = node->strip.open;
	wish->strip.close = block->close_strip.close;
	wish->open_alone = line_ends(program->first, false);
	wish->close_alone = line_begins(last->last, false);
	if (node->strip.close)
		cut_left(program->first, true);
	if (inverse != NULL)
		visit_else(program, inverse, block, keep_lines);
	else if (block->close_strip.open)
		cut_right(program->last, true);
}

/* A partial with a block, or an inline partial. */
static void
visit_body(struct node *node, struct program *program, struct strip close,
    bool keep_lines, struct wish *wish)
{
	visit_program(program, false, keep_lines);
	wish->strip.open = node->strip.open;
	wish->strip.close = close.close;
	wish->open_alone = line_ends(program->first, false);
	wish->close_alone = line_begins(program->last, false);
	if (node->strip.close)
		cut_left(program->first, true);
	if (close.open)
		cut_right(program->last, true);
}

/* Does what is to be done within the node and says what is to be done around
 * it.  False when that is nothing. */
static bool
visit_node(struct node *node, bool keep_lines, struct wish *wish)
{
	*wish = (struct wish){ .strip = node->strip };
	switch (node->kind) {
	case NODE_TEXT:
		return false;
	case NODE_MUSTACHE:
		return true;
	case NODE_COMMENT:
		wish->is_tag = true;
		return true;
	case NODE_BLOCK:
		visit_block(node, keep_lines, wish);
		return true;
	case NODE_INLINE:
		visit_body(node, node->u.inlined.program,
		    node->u.inlined.close_strip, keep_lines, wish);
		return true;
	case NODE_PARTIAL:
		wish->is_tag = node->u.partial.program == NULL;
		if (!wish->is_tag)
			visit_body(node, node->u.partial.program,
			    node->u.partial.close_strip, keep_lines, wish);
		return true;
	}
	return false;
}

/* What stands before the partial on its line is what indents it. */
static void
note_indent(struct node *node)
{
	const struct text *text = &node->prev->u.text;
	const char *end = text->original + text->original_len, *p = end;

	while (p > text->original && is_blank(p[-1]))
		p--;
	node->u.partial.indent = p;
	node->u.partial.indent_len = (size_t)(end - p);
}

/* The first and the last program of a block, by their place in the source
 * where handlebars.js has them there. */
static struct program *
first_program(const struct node *node)
{
	if (node->kind == NODE_INLINE)
		return node->u.inlined.program;
	if (node->kind == NODE_PARTIAL)
		return node->u.partial.program;
	return node->u.block.program != NULL ? node->u.block.program :
	    node->u.block.inverse;
}

static struct program *
last_program(const struct node *node)
{
	if (node->kind == NODE_BLOCK && node->u.block.inverse != NULL)
		return node->u.block.inverse;
	return first_program(node);
}

static void
clear_lines(struct node *node, const struct wish *wish, bool begins, bool ends)
{
	if (wish->is_tag && begins && ends) {
		cut_left(node->next, false);
		if (cut_right(node->prev, false) && node->kind == NODE_PARTIAL)
			note_indent(node);
	}
	if (wish->open_alone && begins) {
		cut_left(first_program(node)->first, false);
		cut_right(node->prev, false);
	}
	if (wish->close_alone && ends) {
		cut_left(node->next, false);
		cut_right(last_program(node)->last, false);
	}
}

static void
visit_program(struct program *program, bool is_root, bool keep_lines)
{
	struct node *node;
	struct wish wish;
	bool begins, ends;

	for (node = program->first; node != NULL; node = node->next) {
		if (!visit_node(node, keep_lines, &wish))
			continue;
		begins = line_begins(node->prev, is_root);
		ends = line_ends(node->next, is_root);
		if (wish.strip.close)
			cut_left(node->next, true);
		if (wish.strip.open)
			cut_right(node->prev, true);
		if (!keep_lines)
			clear_lines(node, &wish, begins, ends);
	}
}

static void
unlink_node(struct program *program, struct node *node)
{
	if (node->prev != NULL)
		node->prev->next = node->next;
	else
		program->first = node->next;
	if (node->next != NULL)
		node->next->prev = node->prev;
	else
		program->last = node->prev;
}

static void
tidy(struct program *program)
{
	struct node *node, *next, **tail = &program->inlines;

	for (node = program->first; node != NULL; node = next) {
		next = node->next;
		if (node->kind == NODE_BLOCK && node->u.block.program != NULL)
			tidy(node->u.block.program);
		if (node->kind == NODE_BLOCK && node->u.block.inverse != NULL)
			tidy(node->u.block.inverse);
		if (node->kind == NODE_PARTIAL && node->u.partial.program)
			tidy(node->u.partial.program);
		if (node->kind == NODE_INLINE)
			tidy(node->u.inlined.program);
		if (node->kind != NODE_INLINE && node->kind != NODE_COMMENT &&
		    (node->kind != NODE_TEXT || node->u.text.len > 0))
			continue;
		unlink_node(program, node);
		node->next = NULL;
		if (node->kind == NODE_INLINE) {
			*tail = node;
			tail = &node->next;
		}
	}
}

void
whitespace_control(struct program *root, bool keep_lines)
{
	visit_program(root, true, keep_lines);
	tidy(root);
}
