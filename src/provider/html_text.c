/*
 * html_text.c - plain text made from HTML
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One pass over the bytes.  A tag that never ends, and an element that is left
 * out and never ends, swallow the rest, as in a browser; so nothing is looked
 * at twice and no input takes more than linear time.
 */
#include "provider/html_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"
#include "provider/html_entity.h"
#include "provider/html_tag.h"
#include "provider/text_flow.h"

enum { LISTS_MAX = 12, LINK_MAX_BYTES = 2048 };

enum element_kind {
	EL_NONE, /* leaves no trace */
	EL_BLOCK, /* begins and ends a line */
	EL_PARAGRAPH, /* an empty line before and behind it */
	EL_BREAK,
	EL_RULE,
	EL_BULLETS,
	EL_NUMBERS,
	EL_ITEM,
	EL_LINK,
	EL_IMAGE,
	EL_CELL,
	EL_QUOTE,
	EL_AS_IS,
	EL_RAW, /* left out; its content is not HTML */
	EL_LEFT_OUT /* with all its content */
};

static const struct element {
	char name[HTML_NAME_BYTES];
	enum element_kind kind;
} elements[] = {
	/* In the order of strcmp(). */
	{ "a", EL_LINK },
	{ "address", EL_BLOCK },
	{ "article", EL_BLOCK },
	{ "aside", EL_BLOCK },
	{ "blockquote", EL_QUOTE },
	{ "br", EL_BREAK },
	{ "caption", EL_BLOCK },
	{ "center", EL_BLOCK },
	{ "dd", EL_BLOCK },
	{ "div", EL_BLOCK },
	{ "dl", EL_PARAGRAPH },
	{ "dt", EL_BLOCK },
	{ "fieldset", EL_BLOCK },
	{ "figcaption", EL_BLOCK },
	{ "figure", EL_BLOCK },
	{ "footer", EL_BLOCK },
	{ "form", EL_BLOCK },
	{ "h1", EL_PARAGRAPH },
	{ "h2", EL_PARAGRAPH },
	{ "h3", EL_PARAGRAPH },
	{ "h4", EL_PARAGRAPH },
	{ "h5", EL_PARAGRAPH },
	{ "h6", EL_PARAGRAPH },
	{ "header", EL_BLOCK },
	{ "hr", EL_RULE },
	{ "iframe", EL_RAW },
	{ "img", EL_IMAGE },
	{ "li", EL_ITEM },
	{ "main", EL_BLOCK },
	{ "nav", EL_BLOCK },
	{ "noembed", EL_RAW },
	{ "noframes", EL_RAW },
	{ "object", EL_LEFT_OUT },
	{ "ol", EL_NUMBERS },
	{ "p", EL_PARAGRAPH },
	{ "pre", EL_AS_IS },
	{ "script", EL_RAW },
	{ "section", EL_BLOCK },
	{ "select", EL_LEFT_OUT },
	{ "style", EL_RAW },
	{ "svg", EL_LEFT_OUT },
	{ "table", EL_BLOCK },
	{ "td", EL_CELL },
	{ "template", EL_LEFT_OUT },
	{ "textarea", EL_RAW },
	{ "th", EL_CELL },
	{ "title", EL_RAW },
	{ "tr", EL_BLOCK },
	{ "ul", EL_BULLETS },
};

struct list {
	bool numbered;
	unsigned int number; /* of the next item */
};

struct converter {
	struct flow flow;
	struct list lists[LISTS_MAX];
	size_t lists_count; /* may be more than LISTS_MAX */
	size_t quotes;
	size_t as_is; /* how many <pre> are open */
	bool in_link;
	struct buf address; /* of the link, "" when it is not shown */
	struct buf words; /* of the link */
	char left_out[HTML_NAME_BYTES]; /* the element that is, or "" */
	size_t left_out_depth; /* how many of that name are open */
};

static int
compare_names(const void *name, const void *element)
{
	return strcmp(name, ((const struct element *)element)->name);
}

static enum element_kind
element_kind(const char *name)
{
	const struct element *el = bsearch(name, elements, NELEMS(elements),
	    sizeof(elements[0]), compare_names);

	return el != NULL ? el->kind : EL_NONE;
}

static void
add_char(struct converter *c, const char *bytes, size_t n)
{
	flow_char(&c->flow, bytes, n);
	if (c->in_link)
		buf_add(&c->words, bytes, n);
}

/* Characters that show nothing: soft hyphen, zero-width space and joiner, which
 * designers fill the preview of a mail with. */
static bool
shows_nothing(uint32_t code)
{
	return code == 0xad || (code >= 0x200b && code <= 0x200d) ||
	    code == 0x2060 || code == 0xfeff || code == 0x34f;
}

static void
add_code(struct converter *c, uint32_t code)
{
	char bytes[4];

	if (code == 0xa0)
		flow_fixed_space(&c->flow);
	else if (code <= ' ' || (code >= 0x7f && code < 0xa0))
		flow_space(&c->flow);
	else if (!shows_nothing(code))
		add_char(c, bytes, html_entity_utf8(code, bytes));
}

static void
add_space(struct converter *c, char space)
{
	if (c->as_is == 0)
		flow_space(&c->flow);
	else if (space == '\n')
		flow_newline(&c->flow);
	else if (space != '\r')
		flow_fixed_space(&c->flow);
}

/* Adds text up to the next tag; returns how many bytes that were. */
static size_t
add_text(struct converter *c, const char *s, size_t len)
{
	size_t i = 0, n;
	uint32_t code;

	do {
		if (s[i] == '&' &&
		    (n = html_entity_read(s + i, len - i, &code)) > 0) {
			add_code(c, code);
			i += n;
		} else if (s[i] == ' ' || (s[i] >= '\t' && s[i] <= '\r')) {
			add_space(c, s[i++]);
		} else if ((unsigned char)s[i] < ' ' || s[i] == 0x7f) {
			i++;
		} else if (i + 1 < len && (unsigned char)s[i] == 0xc2 &&
		    (unsigned char)s[i + 1] == 0xa0) {
			flow_fixed_space(&c->flow);
			i += 2;
		} else {
			add_char(c, s + i++, 1);
		}
	} while (i < len && s[i] != '<');
	return i;
}

/* Adds the value of an attribute as text. */
static void
add_value(struct converter *c, const struct html_value *v)
{
	size_t done = 0;

	while (done < v->len)
		done += add_text(c, v->p + done, v->len - done);
}

static void
set_indent(struct converter *c)
{
	size_t i, indent = c->quotes * 2;

	for (i = 0; i < c->lists_count && i < LISTS_MAX; i++)
		indent += c->lists[i].numbered ? 3 : 2;
	c->flow.indent = indent;
}

static void
open_list(struct converter *c, bool numbered)
{
	flow_break(&c->flow, c->lists_count == 0 ? 2 : 1);
	if (c->lists_count < LISTS_MAX)
		c->lists[c->lists_count] = (struct list){ numbered, 1 };
	c->lists_count++;
	set_indent(c);
}

static void
close_list(struct converter *c)
{
	if (c->lists_count > 0)
		c->lists_count--;
	flow_break(&c->flow, c->lists_count == 0 ? 2 : 1);
	set_indent(c);
}

static void
open_item(struct converter *c)
{
	char bullet[FLOW_BULLET_BYTES];
	struct list *list;

	flow_break(&c->flow, 1);
	if (c->lists_count == 0 || c->lists_count > LISTS_MAX) {
		flow_bullet(&c->flow, "* ");
		return;
	}
	list = &c->lists[c->lists_count - 1];
	if (list->numbered)
		snprintf(bullet, sizeof(bullet), "%u. ", list->number++);
	flow_bullet(&c->flow, list->numbered ? bullet : "* ");
}

/* Whether a link's address is for people, without spaces and controls. */
static bool
is_shown(const char *address)
{
	static const char *const schemes[] = { "http://", "https://", "mailto:",
		"tel:" };
	const char *p;
	size_t i;

	for (p = address; *p != '\0'; p++) {
		if (*p == '<' || *p == '>' || (*p >= 0 && *p <= ' '))
			return false;
	}
	for (i = 0; i < NELEMS(schemes); i++) {
		if (strncasecmp(address, schemes[i], strlen(schemes[i])) == 0)
			return true;
	}
	return false;
}

static void
close_link(struct converter *c)
{
	const char *address = c->address.data, *p, *rest;

	if (!c->in_link)
		return;
	c->in_link = false;
	if (!is_shown(address) || buf_overflowed(&c->address))
		return;
	rest = strchr(address, ':') + 1;
	if (strncmp(rest, "//", 2) == 0)
		rest += 2;
	else
		address = rest; /* mailto: and tel: help nobody who reads */
	if (strcmp(c->words.data, address) == 0 ||
	    strcmp(c->words.data, rest) == 0)
		return;
	flow_space(&c->flow);
	flow_char(&c->flow, "<", 1);
	for (p = address; *p != '\0'; p++)
		flow_char(&c->flow, p, 1);
	flow_char(&c->flow, ">", 1);
}

static void
open_link(struct converter *c, const struct html_tag *tag)
{
	size_t i = 0, n;
	uint32_t code;
	char bytes[4];
	const struct html_value *v = &tag->href;

	close_link(c);
	c->in_link = true;
	buf_reset(&c->words);
	buf_reset(&c->address);
	while (i < v->len && !buf_overflowed(&c->address)) {
		n = v->p[i] == '&'
		    ? html_entity_read(v->p + i, v->len - i, &code)
		    : 0;
		if (n > 0)
			buf_add(&c->address, bytes,
			    html_entity_utf8(code, bytes));
		else
			buf_putc(&c->address, v->p[i]);
		i += n > 0 ? n : 1;
	}
}

static void
add_rule(struct converter *c)
{
	int i;

	flow_break(&c->flow, 2);
	for (i = 0; i < 20; i++)
		flow_char(&c->flow, "-", 1);
	flow_break(&c->flow, 2);
}

static void
leave_out(struct converter *c, const char *name)
{
	snprintf(c->left_out, sizeof(c->left_out), "%s", name);
	c->left_out_depth = 1;
}

/* True for what the designer hides: the text that mail programs show beside the
 * subject. */
static bool
is_hidden(const struct html_tag *tag)
{
	if (strcmp(tag->name, "div") != 0 && strcmp(tag->name, "span") != 0 &&
	    strcmp(tag->name, "table") != 0)
		return false;
	return !tag->empty && html_style_hides(&tag->style);
}

static void
open_element(struct converter *c, const struct html_tag *tag,
    enum element_kind kind)
{
	struct flow *f = &c->flow;

	switch (kind) {
	case EL_BLOCK:
		flow_break(f, 1);
		break;
	case EL_AS_IS:
		c->as_is++;
		FALLTHROUGH;
	case EL_PARAGRAPH:
		flow_break(f, 2);
		break;
	case EL_BREAK:
		flow_newline(f);
		break;
	case EL_RULE:
		add_rule(c);
		break;
	case EL_BULLETS:
	case EL_NUMBERS:
		open_list(c, kind == EL_NUMBERS);
		break;
	case EL_ITEM:
		open_item(c);
		break;
	case EL_LINK:
		open_link(c, tag);
		break;
	case EL_IMAGE:
		add_value(c, &tag->alt);
		break;
	case EL_CELL:
		flow_gap(f);
		break;
	case EL_QUOTE:
		c->quotes++;
		flow_break(f, 2);
		set_indent(c);
		break;
	case EL_LEFT_OUT:
		leave_out(c, tag->name);
		break;
	case EL_RAW:
	case EL_NONE:
		break;
	}
}

static void
close_element(struct converter *c, enum element_kind kind)
{
	struct flow *f = &c->flow;

	switch (kind) {
	case EL_BLOCK:
	case EL_ITEM:
		flow_break(f, 1);
		break;
	case EL_AS_IS:
		c->as_is -= c->as_is > 0;
		flow_break(f, 2);
		break;
	case EL_PARAGRAPH:
		flow_break(f, 2);
		break;
	case EL_BULLETS:
	case EL_NUMBERS:
		close_list(c);
		break;
	case EL_LINK:
		close_link(c);
		break;
	case EL_QUOTE:
		c->quotes -= c->quotes > 0;
		flow_break(f, 2);
		set_indent(c);
		break;
	case EL_CELL:
		flow_space(f);
		break;
	case EL_NONE:
	case EL_BREAK:
	case EL_RULE:
	case EL_IMAGE:
	case EL_RAW:
	case EL_LEFT_OUT:
		break;
	}
}

/* Counts the elements inside the one that is left out. */
static void
skip_tag(struct converter *c, const struct html_tag *tag)
{
	if (strcmp(tag->name, c->left_out) != 0 || tag->empty)
		return;
	if (tag->closes)
		c->left_out_depth--;
	else
		c->left_out_depth++;
	if (c->left_out_depth == 0)
		c->left_out[0] = '\0';
}

/* Takes one tag; returns how many bytes it and its raw content have. */
static size_t
take_tag(struct converter *c, const char *s, size_t len)
{
	struct html_tag tag;
	size_t n = html_tag_read(s, len, &tag);
	enum element_kind kind;

	if (n == 0) { /* a "<" that begins no tag */
		if (c->left_out[0] != '\0')
			return 1;
		return add_text(c, s, len);
	}
	kind = element_kind(tag.name);
	if (c->left_out[0] != '\0')
		skip_tag(c, &tag);
	else if (tag.closes)
		close_element(c, kind);
	else if (is_hidden(&tag))
		leave_out(c, tag.name);
	else
		open_element(c, &tag, kind);
	if (kind == EL_RAW && !tag.closes)
		n += html_raw_len(s + n, len - n, tag.name);
	return n;
}

void
html_text(struct buf *out, const char *html, size_t len)
{
	struct converter c = { .in_link = false };
	const char *lt;
	size_t i = 0;

	flow_init(&c.flow, out);
	buf_init(&c.address, LINK_MAX_BYTES);
	buf_init(&c.words, LINK_MAX_BYTES);
	while (i < len) {
		if (html[i] == '<') {
			i += take_tag(&c, html + i, len - i);
		} else if (c.left_out[0] != '\0') {
			lt = memchr(html + i, '<', len - i);
			i = lt != NULL ? (size_t)(lt - html) : len;
		} else {
			i += add_text(&c, html + i, len - i);
		}
	}
	close_link(&c);
	flow_done(&c.flow);
	buf_done(&c.address);
	buf_done(&c.words);
}
