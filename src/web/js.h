/*
 * js.h - strict JSON in, compact JSON out
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The values are jansson's; js_read.c reads what is common, jansson what is rare
 * or faulty.  Belfry refuses more than jansson does: any member that stands twice
 * (parsers differ in which one they take), nesting beyond a limit, NUL.  Numbers
 * are 64-bit integers or doubles; what fits neither is an error.
 */
#ifndef BELFRY_WEB_JS_H
#define BELFRY_WEB_JS_H

#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct err;

/* Parses "len" bytes of JSON, any value.  The result lives as long as the arena.
 * Returns 0, or -1 with *e (ERR_INVALID) saying what is wrong at which line and
 * column. */
int js_parse(struct arena *a, const char *text, size_t len, int depth_max,
    json_t **json_r, struct err *e) MUST_CHECK;

/* The same of what PostgreSQL keeps as jsonb, whoever wrote it there: a number that fits
 * neither is null, and it may be nested as deep as jansson can read it. */
int js_parse_stored(struct arena *a, const char *text, json_t **json_r,
    struct err *e) MUST_CHECK;

/* Gives a reference to the arena: it is dropped when the arena is reset. */
json_t *js_keep(struct arena *a, json_t *json);

/* Appends a value in its shortest form, members in the order of the object. */
void js_write(struct buf *out, const json_t *json);

/* Appends a text with its quotes; bytes that are not UTF-8 become U+FFFD. */
void js_write_text(struct buf *out, const char *s);

/* RFC 7396: what "patch" makes of "target".  A new value that lives as long as the
 * arena; the arguments are not changed. */
json_t *js_merge_patch(struct arena *a, json_t *target, json_t *patch) MUST_CHECK;

#endif
