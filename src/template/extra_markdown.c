/*
 * extra_markdown.c - markdown
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whoever wrote the text is not trusted: raw HTML in it is shown as text, links
 * lead to http, https, mailto and tel only, pictures become links.  The answer
 * is HTML in HTML parts and text that reads well in all others.
 */
#include <string.h>
#include <strings.h>
#include <cmark.h>

#include "base/buf.h"
#include "template/extra.h"
#include "template/hbs_helper.h"
#include "template/markdown_text.h"

enum {
	MARKDOWN_BYTES_MAX = 64 << 10,
	CHARGE_BYTES = 4, /* that cost as much as a node */
};

/* A link without a scheme stays within the page, so it is harmless. */
static bool
url_is_harmless(const char *url)
{
	static const char *const schemes[] = { "http:", "https:", "mailto:",
		"tel:" };
	size_t n = strcspn(url, ":/?#"), i;

	if (url[n] != ':')
		return strpbrk(url, "\t\r\n") == NULL;
	for (i = 0; i < NELEMS(schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* Puts the children of a node in its place. */
static void
unwrap(cmark_node *node)
{
	cmark_node *child;

	while ((child = cmark_node_first_child(node)) != NULL)
		if (!cmark_node_insert_before(node, child))
			break;
	cmark_node_unlink(node);
	cmark_node_free(node);
}

/* The same node as one of another type. */
static void
replace_by_text(cmark_node *node, bool block)
{
	const char *literal = cmark_node_get_literal(node);
	cmark_node *text = cmark_node_new(CMARK_NODE_TEXT), *fresh = text;

	cmark_node_set_literal(text, literal == NULL ? "" : literal);
	if (block) {
		fresh = cmark_node_new(CMARK_NODE_PARAGRAPH);
		cmark_node_append_child(fresh, text);
	}
	cmark_node_replace(node, fresh);
	cmark_node_free(node);
}

/* A picture becomes a link to it, called as its description. */
static void
replace_by_link(cmark_node *node)
{
	cmark_node *link = cmark_node_new(CMARK_NODE_LINK), *child;
	const char *url = cmark_node_get_url(node);

	cmark_node_set_url(link, url == NULL ? "" : url);
	while ((child = cmark_node_first_child(node)) != NULL)
		if (!cmark_node_append_child(link, child))
			break;
	cmark_node_replace(node, link);
	cmark_node_free(node);
	if (!url_is_harmless(cmark_node_get_url(link)))
		unwrap(link);
}

static bool
is_within(const cmark_node *node, cmark_node_type type)
{
	union {
		const cmark_node *in;
		cmark_node *out;
	} u = { .in = node };
	cmark_node *up = u.out;

	while ((up = cmark_node_parent(up)) != NULL)
		if (cmark_node_get_type(up) == type)
			return true;
	return false;
}

/* Makes one node harmless; it is left for the last time, so it may go. */
static void
tame(cmark_node *node)
{
	switch ((int)cmark_node_get_type(node)) {
	case CMARK_NODE_HTML_BLOCK:
		replace_by_text(node, true);
		return;
	case CMARK_NODE_HTML_INLINE:
		replace_by_text(node, false);
		return;
	case CMARK_NODE_IMAGE:
		if (is_within(node, CMARK_NODE_LINK))
			unwrap(node);
		else
			replace_by_link(node);
		return;
	case CMARK_NODE_LINK:
		if (!url_is_harmless(cmark_node_get_url(node)))
			unwrap(node);
		return;
	default:
		return;
	}
}

static bool
is_leaf(cmark_node *node)
{
	return cmark_node_first_child(node) == NULL &&
	    (cmark_node_get_type(node) == CMARK_NODE_HTML_BLOCK ||
	    cmark_node_get_type(node) == CMARK_NODE_HTML_INLINE);
}

static void
tame_all(cmark_node *root)
{
	cmark_iter *iter = cmark_iter_new(root);
	cmark_event_type event;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE)
		if (event == CMARK_EVENT_EXIT ||
		    is_leaf(cmark_iter_get_node(iter)))
			tame(cmark_iter_get_node(iter));
	cmark_iter_free(iter);
}

/* A single paragraph without its <p>, for use within a line. */
static void
say_html(struct hbs_call *call, cmark_node *root)
{
	bool alone = value_is_true(hbs_call_pair(call, "inline"));
	char *html = cmark_render_html(root, CMARK_OPT_DEFAULT);
	size_t len = strlen(html);

	if (alone && len >= 8 && strncmp(html, "<p>", 3) == 0 &&
	    strcmp(html + len - 5, "</p>\n") == 0 &&
	    strstr(html + 3, "<p>") == NULL)
		hbs_say_ready(call, html + 3, len - 8);
	else
		hbs_say_ready(call, html, len);
	cmark_get_default_mem_allocator()->free(html);
}

static void
say_text(struct hbs_call *call, cmark_node *root)
{
	struct buf out;

	buf_init(&out, hbs_call_room(call));
	markdown_text(&out, root);
	hbs_say(call, out.data, out.len);
	buf_done(&out);
}

int
extra_markdown(struct hbs_call *call)
{
	char room[VALUE_TEXT_BYTES];
	cmark_node *root;
	const char *text;
	size_t len;

	if (hbs_call_text(call, &call->args[0], room, &text, &len) < 0 ||
	    hbs_call_charge(call, len / CHARGE_BYTES) < 0)
		return -1;
	if (len > MARKDOWN_BYTES_MAX)
		return hbs_call_error(call, 0,
		    "the Markdown has %zu bytes, at most %d are allowed", len,
		    MARKDOWN_BYTES_MAX);
	root = cmark_parse_document(text, len, CMARK_OPT_VALIDATE_UTF8);
	tame_all(root);
	cmark_consolidate_text_nodes(root);
	if (call->how->escape == HBS_ESCAPE_HTML)
		say_html(call, root);
	else
		say_text(call, root);
	cmark_node_free(root);
	return 0;
}
