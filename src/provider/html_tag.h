/*
 * html_tag.h - one tag, comment or declaration of HTML
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_HTML_TAG_H
#define BELFRY_PROVIDER_HTML_TAG_H

#include <stdbool.h>
#include <stddef.h>

enum { HTML_NAME_BYTES = 12 };

/* Points into the HTML; entities are not resolved. */
struct html_value {
	const char *p;
	size_t len; /* 0 when there is none */
};

struct html_tag {
	char name[HTML_NAME_BYTES]; /* lower case; "" for a comment, for a
	                             * declaration and for longer names */
	bool closes; /* </name> */
	bool empty; /* <name/> */
	struct html_value href;
	struct html_value alt;
	struct html_value style;
};

/* Reads what begins at s, which is "<".  Returns how many bytes it has, all of
 * them when it does not end; 0 when this "<" is only a character. */
size_t html_tag_read(const char *s, size_t len, struct html_tag *tag_r);

/* How many bytes stand before "</name", all of them when there is none. */
size_t html_raw_len(const char *s, size_t len, const char *name);

/* True when a style holds "display: none". */
bool html_style_hides(const struct html_value *style);

#endif
