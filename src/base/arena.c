/*
 * arena.c - memory that lives as long as a process, a request or a step
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A list of chunks, the newest first.  Each allocation is cut from the newest;
 * what is larger than a chunk gets a chunk of its own.  Under AddressSanitizer
 * the unused part of a chunk is poisoned, so running over an object is seen.  A chunk
 * that is kept is wiped as one that is given back (wipe.h).
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
enum { REDZONE_BYTES = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
enum { REDZONE_BYTES = 0 };
#endif

enum { ALIGN_BYTES = alignof(max_align_t) };

struct chunk {
	struct chunk *next;
	size_t cap;
	size_t len;
	alignas(max_align_t) char bytes[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *p;
};

struct arena {
	size_t chunk_bytes;
	size_t used_bytes;
	struct chunk *chunks; /* the newest first, never empty after first use */
	struct deferred *deferred; /* the last one first */
};

static void
chunk_free(struct chunk *c)
{
	ASAN_UNPOISON_MEMORY_REGION(c->bytes, c->cap);
	free(c);
}

static struct chunk *
chunk_new(size_t cap, bool zero)
{
	struct chunk *c = zero ? calloc(1, sizeof(*c) + cap)
	                       : malloc(sizeof(*c) + cap);

	if (c == NULL)
		panic("out of memory: %zu bytes", cap);
	c->next = NULL;
	c->cap = cap;
	c->len = 0;
	ASAN_POISON_MEMORY_REGION(c->bytes, cap);
	return c;
}

struct arena *
arena_new(size_t chunk_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a == NULL)
		panic("out of memory");
	ensure(chunk_bytes > 0);
	a->chunk_bytes = chunk_bytes;
	return a;
}

static void
run_deferred(struct arena *a)
{
	struct deferred *d;

	while ((d = a->deferred) != NULL) {
		a->deferred = d->next;
		d->fn(d->p);
	}
}

void
arena_reset(struct arena *a)
{
	struct chunk *keep = NULL, *c, *next;

	run_deferred(a);
	for (c = a->chunks; c != NULL; c = next) {
		next = c->next;
		if (keep == NULL && c->cap == a->chunk_bytes)
			keep = c;
		else
			chunk_free(c);
	}
	if (keep != NULL) {
		ASAN_UNPOISON_MEMORY_REGION(keep->bytes, keep->len);
		explicit_bzero(keep->bytes, keep->len);
		keep->next = NULL;
		keep->len = 0;
		ASAN_POISON_MEMORY_REGION(keep->bytes, keep->cap);
	}
	a->chunks = keep;
	a->used_bytes = 0;
}

void
arena_free(struct arena **ap)
{
	struct arena *a = *ap;

	if (a == NULL)
		return;
	*ap = NULL; /* first: the pointer may stand in the arena itself */
	arena_reset(a);
	if (a->chunks != NULL)
		chunk_free(a->chunks);
	free(a);
}

/* What has a chunk of its own is zero already when it comes from the system, and takes no
 * memory until it is used: a large table costs what is in it. */
static void *
take(struct arena *a, size_t size_bytes, bool zero)
{
	size_t need = (size_bytes + REDZONE_BYTES + ALIGN_BYTES - 1) &
	    ~(size_t)(ALIGN_BYTES - 1);
	struct chunk *c = a->chunks;
	bool whole = need > a->chunk_bytes;
	void *p;

	ensure(size_bytes < SIZE_MAX / 2);
	if (need == 0)
		need = ALIGN_BYTES;
	if (c == NULL || c->cap - c->len < need) {
		c = chunk_new(whole ? need : a->chunk_bytes, zero && whole);
		c->next = a->chunks;
		a->chunks = c;
	}
	p = c->bytes + c->len;
	c->len += need;
	a->used_bytes += need;
	ASAN_UNPOISON_MEMORY_REGION(p, size_bytes);
	return zero && !whole ? memset(p, 0, size_bytes) : p;
}

void *
arena_alloc(struct arena *a, size_t size_bytes)
{
	return take(a, size_bytes, false);
}

void *
arena_zalloc(struct arena *a, size_t count, size_t size_bytes)
{
	ensure(size_bytes == 0 || count <= SIZE_MAX / 2 / size_bytes);
	return take(a, count * size_bytes, true);
}

void *
arena_memdup(struct arena *a, const void *p, size_t size_bytes)
{
	void *copy = arena_alloc(a, size_bytes);

	if (size_bytes > 0)
		memcpy(copy, p, size_bytes);
	return copy;
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	ensure(len >= 0);
	s = arena_alloc(a, (size_t)len + 1);
	vsnprintf(s, (size_t)len + 1, fmt, ap);
	return s;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	d->fn = fn;
	d->p = p;
	d->next = a->deferred;
	a->deferred = d;
}

size_t
arena_used_bytes(const struct arena *a)
{
	return a->used_bytes;
}
