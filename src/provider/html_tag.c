/*
 * html_tag.c - one tag, comment or declaration of HTML
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/html_tag.h"

#include <string.h>
#include <strings.h>

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t
skip_spaces(const char *s, size_t len, size_t i)
{
	while (i < len && is_space(s[i]))
		i++;
	return i;
}

/* The length of a comment or a declaration, which begins with "<!" or "<?". */
static size_t
declaration_len(const char *s, size_t len)
{
	bool comment = len >= 4 && memcmp(s, "<!--", 4) == 0;
	const char *end = s + (comment ? 4 : 2);

	while ((end = memchr(end, '>', (size_t)(s + len - end))) != NULL) {
		end++;
		if (!comment ||
		    (end - s >= 7 && end[-2] == '-' && end[-3] == '-'))
			return (size_t)(end - s);
	}
	return len;
}

/* Reads the value of an attribute behind its "=". */
static size_t
read_value(const char *s, size_t len, size_t i, struct html_value *v)
{
	size_t start = i = skip_spaces(s, len, i);
	const char *end;

	if (i < len && (s[i] == '"' || s[i] == '\'')) {
		end = memchr(s + i + 1, s[i], len - i - 1);
		v->p = s + i + 1;
		v->len = (end != NULL ? (size_t)(end - s) : len) - i - 1;
		return end != NULL ? (size_t)(end - s) + 1 : len;
	}
	while (i < len && !is_space(s[i]) && s[i] != '>')
		i++;
	v->p = s + start;
	v->len = i - start;
	return i;
}

static void
keep_value(struct html_tag *tag, const char *name, size_t len,
    const struct html_value *v)
{
	if (len == 4 && strncasecmp(name, "href", 4) == 0)
		tag->href = *v;
	else if (len == 3 && strncasecmp(name, "alt", 3) == 0)
		tag->alt = *v;
	else if (len == 5 && strncasecmp(name, "style", 5) == 0)
		tag->style = *v;
}

/* Reads one attribute, or a stray character. */
static size_t
read_attribute(const char *s, size_t len, size_t i, struct html_tag *tag)
{
	struct html_value v = { s, 0 };
	size_t start = i, end;

	while (i < len && !is_space(s[i]) && s[i] != '=' && s[i] != '>' &&
	    s[i] != '/')
		i++;
	end = i;
	i = skip_spaces(s, len, i);
	if (i < len && s[i] == '=')
		i = read_value(s, len, i + 1, &v);
	keep_value(tag, s + start, end - start, &v);
	return i;
}

static size_t
read_attributes(const char *s, size_t len, size_t i, struct html_tag *tag)
{
	for (;;) {
		i = skip_spaces(s, len, i);
		if (i == len)
			return len;
		if (s[i] == '>')
			return i + 1;
		tag->empty = s[i] == '/';
		if (s[i] == '/')
			i++;
		else
			i = read_attribute(s, len, i, tag);
	}
}

size_t
html_tag_read(const char *s, size_t len, struct html_tag *tag_r)
{
	size_t i = 1, start;

	*tag_r = (struct html_tag){ .closes = false };
	if (len > 1 && (s[1] == '!' || s[1] == '?'))
		return declaration_len(s, len);
	if (len > 1 && s[1] == '/') {
		tag_r->closes = true;
		i++;
	}
	if (i >= len || !is_letter(s[i]))
		return 0;
	start = i;
	while (i < len && !is_space(s[i]) && s[i] != '>' && s[i] != '/')
		i++;
	if (i - start < HTML_NAME_BYTES) {
		size_t k;

		for (k = 0; k < i - start; k++)
			tag_r->name[k] = is_letter(s[start + k])
			    ? (char)(s[start + k] | 0x20)
			    : s[start + k];
	}
	return read_attributes(s, len, i, tag_r);
}

size_t
html_raw_len(const char *s, size_t len, const char *name)
{
	size_t n = strlen(name), i = 0;
	const char *lt;

	while ((lt = memchr(s + i, '<', len - i)) != NULL) {
		i = (size_t)(lt - s);
		if (len - i > n + 2 && s[i + 1] == '/' &&
		    strncasecmp(s + i + 2, name, n) == 0)
			return i;
		i++;
	}
	return len;
}

bool
html_style_hides(const struct html_value *style)
{
	const char *p = style->p;
	size_t left = style->len;

	while (left >= 12) {
		if (strncasecmp(p, "display:none", 12) == 0)
			return true;
		if (left >= 13 && strncasecmp(p, "display: none", 13) == 0)
			return true;
		p++;
		left--;
	}
	return false;
}
