/*
 * arena.h - memory that lives as long as a process, a request or a step
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An arena hands out memory and takes it back all at once.  Handles of other
 * libraries are tied to it with arena_defer(), so an error path has nothing to
 * clean up.  What it takes back is wiped (wipe.h).  An allocation cannot fail: out
 * of memory ends the process.  Sizes that come from outside are checked against a
 * limit before they get here.
 */
#ifndef BELFRY_BASE_ARENA_H
#define BELFRY_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/compiler.h"

struct arena;

/* Makes an arena that grows in steps of chunk_bytes.  The caller frees it. */
struct arena *arena_new(size_t chunk_bytes) MUST_CHECK;

/* Runs what was deferred, frees everything and clears *ap, which may stand in the
 * arena itself.  NULL is fine. */
void arena_free(struct arena **ap);

/* Runs what was deferred, last first, and takes all memory back.  One chunk is
 * kept for the next use, so a loop that resets its arena does not call malloc. */
void arena_reset(struct arena *a);

/* Memory for size_bytes, aligned for any type, not cleared. */
void *arena_alloc(struct arena *a, size_t size_bytes) MUST_CHECK;

/* Memory for count objects of size_bytes each, all bits zero. */
void *arena_zalloc(struct arena *a, size_t count, size_t size_bytes) MUST_CHECK;

/* Copies.  The result of the text ones ends in NUL. */
void *arena_memdup(struct arena *a, const void *p, size_t size_bytes) MUST_CHECK;
char *arena_strdup(struct arena *a, const char *s) MUST_CHECK;
char *arena_strndup(struct arena *a, const char *s, size_t len) MUST_CHECK;
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3)
    MUST_CHECK;
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) MUST_CHECK;

/* Calls fn(p) when the arena is reset or freed; the last deferred goes first. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);

/* Bytes handed out since the last reset. */
size_t arena_used_bytes(const struct arena *a);

/* The object "type" in an arena, all bits zero. */
#define arena_object(a, type) ((type *)arena_zalloc((a), 1, sizeof(type)))

#endif
