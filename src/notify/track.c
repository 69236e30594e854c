/*
 * track.c - mails that tell when they are opened and where they lead
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Only what a browser would follow over HTTP is changed: the href of <a> and <area>.  All
 * else, comments, scripts and what is none of HTML included, stays byte for byte.
 */
#include "notify/track.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/link.h"
#include "provider/html_entity.h"
#include "provider/html_tag.h"

enum { URL_MAX = 1500 /* longer ones stay as they are */ };

/* What is done, and where. */
struct tracking {
	struct arena *a;
	const struct track_params *p;
	struct buf *out;
};

static const char *
token(const struct tracking *t, const char *purpose, const char *rest)
{
	struct link l = *t->p->link;

	l.rest = rest;
	return link_write(t->a, t->p->ring, purpose, &l);
}

/* Where an attribute leads, as it goes into a header: entities are characters, blanks
 * around it are none, and whatever is not plain ASCII is written with "%". */
static const char *
url_of(struct arena *a, const struct html_value *v)
{
	struct buf *url = buf_new(a, URL_MAX);
	const char *p = v->p, *end = v->p + v->len;
	char bytes[4];
	uint32_t code;
	size_t n, i, len;

	while (p < end && strchr(" \t\r\n\f", *p) != NULL)
		p++;
	while (end > p && strchr(" \t\r\n\f", end[-1]) != NULL)
		end--;
	for (; p < end; p += n) {
		n = *p == '&' ? html_entity_read(p, (size_t)(end - p), &code) : 0;
		len = n > 0 ? html_entity_utf8(code, bytes) : 1;
		if (n == 0) {
			bytes[0] = *p;
			n = 1;
		}
		for (i = 0; i < len; i++) {
			if (bytes[i] <= ' ' || bytes[i] >= 0x7f ||
			    strchr("\"<>\\^`{|}", bytes[i]) != NULL)
				buf_printf(url, "%%%02X",
				    (unsigned)(unsigned char)bytes[i]);
			else
				buf_putc(url, bytes[i]);
		}
	}
	return buf_overflowed(url) ? NULL : url->data;
}

/* Of the open web, and none of our own links already. */
static bool
is_followed(const struct tracking *t, const char *url)
{
	const char *ours = t->p->public_url;
	size_t n = strlen(ours);

	if (url == NULL || (strncasecmp(url, "http://", 7) != 0 &&
	                       strncasecmp(url, "https://", 8) != 0))
		return false;
	return strncmp(url, ours, n) != 0 ||
	    (strncmp(url + n, "/u/", 3) != 0 &&
	        strncmp(url + n, "/t/", 3) != 0);
}

/* A tag of "len" bytes, maybe with another href. */
static void
put_tag(const struct tracking *t, const char *s, size_t len,
    const struct html_tag *tag)
{
	const struct html_value *v = &tag->href;
	const char *url = NULL, *text = NULL;

	if (t->p->clicks && v->len > 0 && !tag->closes &&
	    (strcmp(tag->name, "a") == 0 || strcmp(tag->name, "area") == 0))
		url = url_of(t->a, v);
	if (is_followed(t, url))
		text = token(t, TRACK_CLICK, url);
	if (text == NULL) {
		buf_add(t->out, s, len);
		return;
	}
	buf_add(t->out, s, (size_t)(v->p - s));
	buf_printf(t->out, "%s/t/c/%s", t->p->public_url, text);
	buf_add(t->out, v->p + v->len, (size_t)(s + len - v->p - v->len));
}

static void
put_picture(const struct tracking *t)
{
	const char *text = token(t, TRACK_OPEN, "");

	if (text != NULL)
		buf_printf(t->out,
		    "<img src=\"%s/t/o/%s.gif\" width=\"1\" height=\"1\" "
		    "alt=\"\">",
		    t->p->public_url, text);
}

/* Scripts and styles hold no tags. */
static bool
is_raw(const struct html_tag *tag)
{
	return !tag->closes && !tag->empty &&
	    (strcmp(tag->name, "script") == 0 ||
	        strcmp(tag->name, "style") == 0);
}

const char *
track_html(struct arena *a, const struct track_params *p, const char *html)
{
	struct tracking t = { a, p, buf_new(a, p->max_bytes) };
	const char *s = html, *end = html + strlen(html), *next;
	bool wanted = p->opens;
	struct html_tag tag;
	size_t n;

	while ((next = memchr(s, '<', (size_t)(end - s))) != NULL) {
		buf_add(t.out, s, (size_t)(next - s));
		s = next;
		n = html_tag_read(s, (size_t)(end - s), &tag);
		if (n == 0) {
			buf_putc(t.out, *s++);
			continue;
		}
		if (wanted && tag.closes && strcmp(tag.name, "body") == 0) {
			put_picture(&t);
			wanted = false;
		}
		put_tag(&t, s, n, &tag);
		s += n;
		if (is_raw(&tag)) {
			n = html_raw_len(s, (size_t)(end - s), tag.name);
			buf_add(t.out, s, n);
			s += n;
		}
	}
	buf_add(t.out, s, (size_t)(end - s));
	if (wanted)
		put_picture(&t);
	return buf_overflowed(t.out) ? html : t.out->data;
}
