/*
 * out.h - what belfryctl prints
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A command makes JSON and says which of its members people want to see: with
 * --json it is printed as it is, without it as a table or a list.  So both
 * always tell the same.
 */
#ifndef BELFRY_CTL_OUT_H
#define BELFRY_CTL_OUT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct ctl;
struct err;

struct out_column {
	const char *member; /* NULL ends a list */
	const char *title; /* NULL: the member's name */
};

/* Prints an array of objects: --json the array, else a table with aligned
 * columns and a head (ctl/table.h), or "empty" when there is nothing.  The reference is
 * taken. */
void out_table(const struct ctl *c, json_t *rows,
    const struct out_column *columns, const char *empty);

/* The title of a column; a value as people read it: texts bare, lists of them
 * with commas, null as "-", the rest as JSON; how many columns of a terminal a text takes. */
const char *out_title(const struct out_column *column);
const char *out_value(struct arena *a, const json_t *value);
size_t out_width(const char *s);

/* Prints a text without control characters, which must not reach a terminal. */
void out_clean(const char *s);

/* Prints an object: --json the object, else a line for each column that it
 * has.  The reference is taken. */
void out_object(const struct ctl *c, json_t *object,
    const struct out_column *columns);

/* Prints an object with --json (the reference is taken), else the line. */
void out_said(const struct ctl *c, json_t *object, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Prints bytes as they are. */
void out_raw(const char *text, size_t len);

/* A time as RFC 3339, or null for 0. */
json_t *out_time(int64_t ms);

/* A text that may be absent. */
json_t *out_text(const char *s);

/* Parses a text of JSON from the database; null when it is absent or broken. */
json_t *out_json(const char *s);

/* Writes an error to standard error, as JSON with --json. */
void out_error(const struct ctl *c, const struct err *e);

#endif
