/*
 * trace.h - why a delivery went the way it went
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A list of decisions in their order, kept with the delivery as JSON:
 *	[{"what": "channel", "result": "email", "why": "asked for"}, ...]
 * Routing begins it; outcomes of attempts add to it.  It stays below TRACE_BYTES_MAX:
 * what does not fit is left out.
 */
#ifndef BELFRY_NOTIFY_TRACE_H
#define BELFRY_NOTIFY_TRACE_H

#include "base/compiler.h"

struct arena;
struct buf;

enum { TRACE_BYTES_MAX = 1000, TRACE_NOTE_BYTES = 192 };

struct trace {
	struct arena *a;
	struct buf *text;
};

void trace_begin(struct trace *t, struct arena *a);

/* "result" may be NULL. */
void trace_add(struct trace *t, const char *what, const char *result,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The list as JSON, in the arena. */
const char *trace_text(struct trace *t);

/* One decision alone, to be added to what is kept; "why" is plain text of ours. */
void trace_note(char note[static TRACE_NOTE_BYTES], const char *what,
    const char *result, const char *why);

#endif
