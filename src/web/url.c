/*
 * url.c - the path and the query of a request, taken apart strictly
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/url.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "web/field.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decodes n bytes; the result is UTF-8 and holds no control character. */
static int
decode(struct arena *a, const char *s, size_t n, bool plus, const char **text_r)
{
	char *text = arena_alloc(a, n + 1);
	size_t i, len = 0;
	int high, low;

	for (i = 0; i < n; i++) {
		if (s[i] == '%') {
			high = i + 2 < n ? hex_value(s[i + 1]) : -1;
			low = high >= 0 ? hex_value(s[i + 2]) : -1;
			if (low < 0)
				return -1;
			text[len++] = (char)(high * 16 + low);
			i += 2;
		} else {
			text[len++] = plus && s[i] == '+' ? ' ' : s[i];
		}
		if (text[len - 1] == '\0')
			return -1;
	}
	text[len] = '\0';
	if (!text_is_utf8(text, len) || text_has_control(text))
		return -1;
	*text_r = text;
	return 0;
}

/* One segment of a path: nothing that somebody could resolve. */
static int
segment_parse(struct arena *a, const char *s, size_t n, struct url_path *path,
    struct err *e)
{
	const char *text;

	if (path->n == URL_SEGMENTS_MAX)
		return err_set(e, ERR_INVALID, "the path has too many segments");
	if (decode(a, s, n, false, &text) != 0)
		return err_set(e, ERR_INVALID, "the path is badly encoded");
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return err_set(e, ERR_INVALID, "the path holds \".\" or \"..\"");
	path->v[path->n++] = text;
	return 0;
}

int
url_path_parse(struct arena *a, const char *target, struct url_path *path_r,
    struct err *e)
{
	size_t len = strcspn(target, "?#"), n;
	struct url_path path = { .n = 0 };
	const char *s = target, *end = target + len;

	if (len > URL_BYTES_MAX)
		return err_set(e, ERR_INVALID, "the path is too long");
	if (*s != '/')
		return err_set(e, ERR_INVALID,
		    "the path does not begin with a slash");
	while (s < end && s + 1 < end) {
		n = strcspn(s + 1, "/?#");
		if (n == 0)
			return err_set(e, ERR_INVALID,
			    "the path holds an empty segment");
		if (segment_parse(a, s + 1, n, &path, e) != 0)
			return -1;
		s += 1 + n;
	}
	if (s < end && path.n > 0 &&
	    segment_parse(a, "", 0, &path, e) != 0)
		return -1;
	*path_r = path;
	return 0;
}

int
url_query_parse(struct arena *a, const char *query,
    struct field_param **params_r, size_t *count_r, struct err *e)
{
	struct field_param *params;
	size_t n, name, count = 0;
	const char *s;

	*params_r = NULL;
	*count_r = 0;
	if (*query == '\0')
		return 0;
	params = arena_zalloc(a, URL_PARAMS_MAX, sizeof(*params));
	for (s = query; *s != '\0'; s += n + (s[n] == '&')) {
		n = strcspn(s, "&");
		if (n == 0)
			continue;
		if (count == URL_PARAMS_MAX)
			return err_set(e, ERR_INVALID,
			    "the query has too many parameters");
		name = strcspn(s, "=&");
		params[count].value = "";
		if (decode(a, s, name, true, &params[count].name) != 0 ||
		    (name < n && decode(a, s + name + 1, n - name - 1, true,
		                     &params[count].value) != 0))
			return err_set(e, ERR_INVALID,
			    "the query is badly encoded");
		count++;
	}
	*params_r = params;
	*count_r = count;
	return 0;
}

void
url_arg(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("-._~", *s) != NULL)
			buf_putc(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*s);
	}
}
