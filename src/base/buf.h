/*
 * buf.h - growable bytes with a stated maximum
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What would pass the maximum is not added and marks the buffer: check
 * buf_overflowed() once at the end instead of each addition.  The bytes are
 * always followed by a NUL that is not counted.
 */
#ifndef BELFRY_BASE_BUF_H
#define BELFRY_BASE_BUF_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/compiler.h"

struct arena;

struct buf {
	char *data; /* never NULL, ends in NUL */
	size_t len; /* bytes, without the NUL */
	size_t cap; /* allocated, 0 while data points to a constant */
	size_t max; /* len never gets larger than this */
	bool overflowed;
};

/* An empty buffer of at most max_bytes.  Give it back with buf_done(). */
void buf_init(struct buf *b, size_t max_bytes);
void buf_done(struct buf *b);

/* The same, given back with the arena. */
struct buf *buf_new(struct arena *a, size_t max_bytes) MUST_CHECK;

/* Empties the buffer, keeps its memory. */
void buf_reset(struct buf *b);

/* Cuts the buffer to len bytes, which must not be more than it has. */
void buf_truncate(struct buf *b, size_t len);

/* Makes room for n more bytes; false when that would pass the maximum.  Then
 * b->data + b->len may be written to directly and buf_grown() told of it. */
bool buf_reserve(struct buf *b, size_t n);
void buf_grown(struct buf *b, size_t n);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);

/* True when something did not fit. */
bool buf_overflowed(const struct buf *b);

#endif
