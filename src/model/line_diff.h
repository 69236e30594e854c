/*
 * line_diff.h - what differs between two texts, line by line
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_MODEL_LINE_DIFF_H
#define BELFRY_MODEL_LINE_DIFF_H

#include <stddef.h>

struct arena;
struct buf;

struct line_diff {
	size_t added; /* lines */
	size_t removed;
};

/* Adds the hunks of a unified diff with three lines of context to "out"; nothing when
 * the texts are equal.  The difference is the smallest there is unless more than a
 * thousand lines differ: then what lies between the first and the last of them is told as a
 * whole.  "a" is for the time of the call. */
struct line_diff line_diff(struct arena *a, const char *from, const char *to,
    struct buf *out);

#endif
