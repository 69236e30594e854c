/*
 * markdown_text.c - Markdown as plain text that reads well
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The tree is walked in order.  What stands before each line of a block is kept
 * as a text that grows and shrinks with the nesting; nesting beyond its room is
 * not shown.
 */
#include "template/markdown_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

enum { PREFIX_BYTES = 120, NUMBER_BYTES = 24 };

struct writer {
	struct buf *out;
	size_t prefix_len;
	char prefix[PREFIX_BYTES];
	size_t between_len; /* of the prefix that both blocks share */
	bool began; /* something was written */
	bool at_marker; /* a marker was just written: no line between */
	size_t link_start; /* where the text of the link begins */
};

static void
grow_prefix(struct writer *w, const char *text, size_t len)
{
	if (w->prefix_len + len <= PREFIX_BYTES)
		memcpy(w->prefix + w->prefix_len, text, len);
	w->prefix_len += len;
}

static void
shrink_prefix(struct writer *w, size_t len)
{
	w->prefix_len -= len;
	if (w->between_len > w->prefix_len)
		w->between_len = w->prefix_len;
}

static void
put_prefix(struct writer *w)
{
	buf_add(w->out, w->prefix, w->prefix_len <= PREFIX_BYTES ?
	    w->prefix_len : 0);
}

/* The prefix of the line between two blocks, without blanks at its end. */
static void
put_empty_line(struct writer *w)
{
	size_t len = w->between_len <= PREFIX_BYTES ? w->between_len : 0;

	while (len > 0 && w->prefix[len - 1] == ' ')
		len--;
	buf_add(w->out, w->prefix, len);
	buf_putc(w->out, '\n');
}

static void
next_line(struct writer *w)
{
	buf_putc(w->out, '\n');
	put_prefix(w);
}

/* True for what follows without an empty line: within a list whose entries stand
 * close together.  A list itself belongs to what is around it. */
static bool
is_tight(cmark_node *node)
{
	cmark_node *up;

	if (cmark_node_get_type(node) == CMARK_NODE_ITEM &&
	    cmark_node_previous(node) == NULL)
		node = cmark_node_parent(node);
	for (up = cmark_node_parent(node); up != NULL;
	     up = cmark_node_parent(up))
		if (cmark_node_get_type(up) == CMARK_NODE_LIST)
			return cmark_node_get_list_tight(up) != 0;
	return false;
}

/* Begins a block on a line of its own. */
static void
begin_block(struct writer *w, cmark_node *node)
{
	if (w->at_marker) {
		w->at_marker = false;
		w->between_len = w->prefix_len;
		return;
	}
	if (w->began) {
		buf_putc(w->out, '\n');
		if (!is_tight(node))
			put_empty_line(w);
	}
	put_prefix(w);
	w->began = true;
	w->between_len = w->prefix_len;
}

/* One more than that of the entry before, which was asked first: each remembers its own,
 * since a list may be long. */
static int
number_of(cmark_node *item)
{
	cmark_node *before = cmark_node_previous(item);
	intptr_t number = before != NULL
	    ? (intptr_t)cmark_node_get_user_data(before) + 1
	    : cmark_node_get_list_start(cmark_node_parent(item));

	cmark_node_set_user_data(item, (void *)number);
	return (int)number;
}

/* "- ", or the number of the entry in its list. */
static size_t
write_marker(cmark_node *item, char marker[NUMBER_BYTES])
{
	cmark_node *list = cmark_node_parent(item);

	if (list == NULL ||
	    cmark_node_get_list_type(list) != CMARK_ORDERED_LIST)
		return (size_t)snprintf(marker, NUMBER_BYTES, "- ");
	return (size_t)snprintf(marker, NUMBER_BYTES, "%d. ", number_of(item));
}

static void
enter_item(struct writer *w, cmark_node *item)
{
	static const char blanks[] = "                        ";
	char marker[NUMBER_BYTES];
	size_t len = write_marker(item, marker);

	begin_block(w, item);
	buf_add(w->out, marker, len);
	grow_prefix(w, blanks, len);
	w->at_marker = true;
}

static void
leave_item(struct writer *w, cmark_node *item)
{
	char marker[NUMBER_BYTES];

	shrink_prefix(w, write_marker(item, marker));
	w->at_marker = false;
}

static void
put_code(struct writer *w, cmark_node *node)
{
	const char *p = cmark_node_get_literal(node), *end;

	begin_block(w, node);
	for (; p != NULL && *p != '\0'; p = end + 1) {
		end = p + strcspn(p, "\n");
		buf_add(w->out, p, (size_t)(end - p));
		if (*end == '\0' || end[1] == '\0')
			return;
		next_line(w);
	}
}

/* The address behind the text, unless the text says it. */
static void
leave_link(struct writer *w, cmark_node *node)
{
	const char *url = cmark_node_get_url(node);
	const char *text = w->out->data + w->link_start;
	size_t len = w->out->len - w->link_start;
	const char *bare = url == NULL ? "" : url;

	if (strncmp(bare, "mailto:", 7) == 0 || strncmp(bare, "tel:", 4) == 0)
		bare = strchr(bare, ':') + 1;
	if (*bare == '\0' || (strlen(bare) == len &&
	    memcmp(bare, text, len) == 0))
		return;
	if (len == 0)
		buf_puts(w->out, bare);
	else
		buf_printf(w->out, " (%s)", bare);
}

static void
enter(struct writer *w, cmark_node *node)
{
	const char *literal;

	switch ((int)cmark_node_get_type(node)) {
	case CMARK_NODE_BLOCK_QUOTE:
		if (w->at_marker)
			buf_puts(w->out, "> ");
		grow_prefix(w, "> ", 2);
		return;
	case CMARK_NODE_ITEM:
		enter_item(w, node);
		return;
	case CMARK_NODE_PARAGRAPH:
	case CMARK_NODE_HEADING:
		begin_block(w, node);
		return;
	case CMARK_NODE_CODE_BLOCK:
		put_code(w, node);
		return;
	case CMARK_NODE_THEMATIC_BREAK:
		begin_block(w, node);
		buf_puts(w->out, "---");
		return;
	case CMARK_NODE_SOFTBREAK:
	case CMARK_NODE_LINEBREAK:
		next_line(w);
		return;
	case CMARK_NODE_LINK:
		w->link_start = w->out->len;
		return;
	case CMARK_NODE_TEXT:
	case CMARK_NODE_CODE:
		literal = cmark_node_get_literal(node);
		buf_puts(w->out, literal == NULL ? "" : literal);
		return;
	default:
		return;
	}
}

static void
leave(struct writer *w, cmark_node *node)
{
	switch ((int)cmark_node_get_type(node)) {
	case CMARK_NODE_BLOCK_QUOTE:
		shrink_prefix(w, 2);
		return;
	case CMARK_NODE_ITEM:
		leave_item(w, node);
		return;
	case CMARK_NODE_LINK:
		leave_link(w, node);
		return;
	default:
		return;
	}
}

void
markdown_text(struct buf *out, cmark_node *root)
{
	struct writer w = { .out = out };
	cmark_iter *iter = cmark_iter_new(root);
	cmark_event_type event;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE &&
	    !buf_overflowed(out))
		if (event == CMARK_EVENT_ENTER)
			enter(&w, cmark_iter_get_node(iter));
		else
			leave(&w, cmark_iter_get_node(iter));
	cmark_iter_free(iter);
}
