/*
 * buf.c - growable bytes with a stated maximum
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"

static char empty[1] = "";

void
buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .data = empty, .max = max_bytes };
}

void
buf_done(struct buf *b)
{
	if (b->cap > 0)
		free(b->data);
	buf_init(b, b->max);
}

static void
defer_buf(void *p)
{
	buf_done(p);
}

struct buf *
buf_new(struct arena *a, size_t max_bytes)
{
	struct buf *b = arena_object(a, struct buf);

	buf_init(b, max_bytes);
	arena_defer(a, defer_buf, b);
	return b;
}

void
buf_reset(struct buf *b)
{
	b->overflowed = false;
	buf_truncate(b, 0);
}

void
buf_truncate(struct buf *b, size_t len)
{
	ensure(len <= b->len);
	if (b->cap > 0)
		explicit_bzero(b->data + len, b->len - len);
	b->len = len;
}

bool
buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap > 0 ? b->cap : 64;
	char *data;

	if (n > b->max || b->len > b->max - n) {
		b->overflowed = true;
		return false;
	}
	if (b->cap > b->len + n)
		return true;
	while (cap <= b->len + n)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	data = realloc(b->cap > 0 ? b->data : NULL, cap);
	if (data == NULL)
		panic("out of memory: %zu bytes", cap);
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return true;
}

void
buf_grown(struct buf *b, size_t n)
{
	ensure(b->cap > b->len + n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->data + b->len, p, n);
	buf_grown(b, n);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->cap > 0 ? b->cap - b->len : 0;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, again);
	va_end(again);
	ensure(n >= 0);
	if (n == 0)
		return;
	if ((size_t)n >= room) {
		if (room > 0)
			b->data[b->len] = '\0';
		if (!buf_reserve(b, (size_t)n))
			return;
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	}
	buf_grown(b, (size_t)n);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

bool
buf_overflowed(const struct buf *b)
{
	return b->overflowed;
}
