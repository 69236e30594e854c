/*
 * hbs.h - Handlebars templates: compile once, render often
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The language of handlebars.js 4 as far as a template can use it without
 * JavaScript of its own.  Compiling turns the source into a tree that lives in
 * one arena; rendering walks the tree over JSON data and writes to a bounded
 * buffer.  A compiled template is never changed by rendering, so one may be
 * rendered from many places, also while it is being rendered (partials).
 *
 * Nothing here logs, exits or recurses without a bound: whatever a template or
 * its data do, the answer is text or a struct hbs_error.
 */
#ifndef BELFRY_TEMPLATE_HBS_H
#define BELFRY_TEMPLATE_HBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "base/compiler.h"

struct buf;
struct hbs_helpers;
struct hbs_template;

/*
 * What went wrong and where.  The line and the column count from 1, the column
 * in characters; both are 0 when no place can be named.  "partial" is the name
 * of the partial whose source the place is in, "" for the template itself.
 */
struct hbs_error {
	int line;
	int column;
	char text[256];
	char partial[64];
};

/* Bounds of one compilation and of the renderings of its result.  A value of 0
 * stands for the default; more than the largest is taken as the largest. */
struct hbs_limits {
	size_t source_bytes; /* default 1 MiB, largest 64 MiB */
	unsigned depth; /* nesting of the source; default 100, largest 500 */
};

/* The options of Handlebars.compile() that change what a template means. */
enum hbs_flag {
	HBS_STRICT = 1 << 0, /* a missing value is an error */
	HBS_ASSUME_OBJECTS = 1 << 1, /* a.b.c is an error when a.b is missing */
	HBS_COMPAT = 1 << 2, /* Mustache's look-up in outer contexts */
	HBS_KNOWN_HELPERS_ONLY = 1 << 3, /* {{x y}} of unknown x is one */
	HBS_PREVENT_INDENT = 1 << 4, /* partials are not indented */
	HBS_EXPLICIT_PARTIAL_CONTEXT = 1 << 5, /* {{> p}} passes no context */
	HBS_IGNORE_STANDALONE = 1 << 6, /* lines of tags alone stay */
	HBS_NO_ESCAPE = 1 << 7, /* {{x}} is not escaped, as {{{x}}} */
};

struct hbs_compile_params {
	struct hbs_limits limits;
	unsigned flags; /* of enum hbs_flag */
	/* What can be called beside the language's own; NULL: nothing.  Must
	 * stay as long as the template (hbs_helper.h). */
	const struct hbs_helpers *helpers;
};

/*
 * Compiles len bytes of UTF-8.  The source is copied.  "params" may be NULL.
 * Returns 0 and sets *tpl_r, to be given back with hbs_free(); -1 with *e set
 * when the source is not a template or passes a limit.
 */
int hbs_compile(const char *source, size_t len,
    const struct hbs_compile_params *params, struct hbs_template **tpl_r,
    struct hbs_error *e) MUST_CHECK;

/* Frees the template and clears *tplp.  NULL is fine. */
void hbs_free(struct hbs_template **tplp);

/* Bytes of memory that the compiled template holds. */
size_t hbs_size_bytes(const struct hbs_template *tpl);

/* The source as it was given to hbs_compile(), followed by a NUL. */
const char *hbs_source(const struct hbs_template *tpl, size_t *len_r);

/* How {{value}} is written.  {{{value}}} and {{&value}} are written as they
 * are, but for HBS_ESCAPE_HEADER, where nothing can bring in a new line. */
enum hbs_escape {
	HBS_ESCAPE_HTML, /* & < > " ' ` = as handlebars.js does */
	HBS_ESCAPE_NONE, /* plain text */
	/* The inside of a JSON string; where the output so far ends outside of
	 * one, a JSON value of its own, text with its quotes. */
	HBS_ESCAPE_JSON,
	HBS_ESCAPE_URL, /* percent-encoded, all but A-Z a-z 0-9 - . _ ~ */
	HBS_ESCAPE_HEADER, /* a run of control characters becomes one space */
	HBS_ESCAPE_MARKDOWN, /* a backslash before each sign of punctuation */
};

enum hbs_log_level {
	HBS_LOG_DEBUG,
	HBS_LOG_INFO,
	HBS_LOG_WARN,
	HBS_LOG_ERROR,
};

/*
 * Calls from a rendering.  Each may be NULL; "arg" is handed to all.
 *
 * partial: finds a partial by name.  Returns 1 and sets *tpl_r, which must stay
 *   until the rendering has ended; 0 when there is none; -1 with *e set.
 * log: what {{log}} says, the arguments separated by spaces.
 * missing: a path that was to be written and led to nothing, as it stands in
 *   the template.  Called each time it is met.
 * message: finds the message of that key in the catalogue of the rendering's
 *   locale, for helpers that translate.  As "partial" in all else.
 */
struct hbs_calls {
	int (*partial)(void *arg, const char *name, size_t len,
	    const struct hbs_template **tpl_r, struct hbs_error *e);
	void (*log)(void *arg, enum hbs_log_level level, const char *text,
	    size_t len);
	void (*missing)(void *arg, const char *path, size_t len);
	int (*message)(void *arg, const char *key, size_t len,
	    const struct hbs_template **tpl_r, struct hbs_error *e);
	void *arg;
};

struct hbs_render_params {
	enum hbs_escape escape;
	unsigned depth; /* of blocks and partials; default 100, largest 500 */
	size_t nodes; /* nodes visited, loop turns; default 200000 */
	struct hbs_calls calls;
	/* A template that the rendered one stands in, as if it were written
	 * {{#> layout}}...{{/layout}}: the layout renders it by
	 * {{> @partial-block}} and sees its inline partials.  NULL: none. */
	const struct hbs_template *layout;
	const char *layout_name; /* hbs_error.partial for errors in it */
	/* For helpers.  Texts may be NULL and stay until the rendering ends. */
	const char *locale; /* BCP 47, "de-AT"; NULL: "en" */
	const char *time_zone; /* IANA, "Europe/Vienna"; NULL: "UTC" */
	int64_t now_ms; /* Unix time that "now" stands for */
};

/*
 * Adds the template, filled in from "data", to "out".  "params" may be NULL.
 * The data are read only.  Returns 0; -1 with *e set when the template cannot
 * be rendered or passes a limit, also the maximum of "out", which then holds a
 * part that is of no use.
 */
int hbs_render(const struct hbs_template *tpl, const json_t *data,
    const struct hbs_render_params *params, struct buf *out,
    struct hbs_error *e) MUST_CHECK;

/*
 * Calls fn for each path into the data that the template names, in the order of
 * the source and with repetitions: "user.name", "items[].price" for {{price}}
 * in {{#each items}}.  Paths of more than 511 bytes are left out, those whose
 * context is known only while rendering, and what partials name.  An inline
 * partial is taken to be rendered in the context that it is written in.
 */
void hbs_list_paths(const struct hbs_template *tpl,
    void (*fn)(void *arg, const char *path, size_t len), void *arg);

/* Adds "NAME:LINE:COLUMN: TEXT", the line of the source and a caret below it,
 * as compilers do.  "name" is what to call the source; "source" may be NULL
 * when it is not at hand.  An error in a partial is shown by its name, without
 * the line: to show that, clear e->partial and give the partial's source.
 * Ends in a new line. */
void hbs_error_format(const struct hbs_error *e, const char *name,
    const char *source, size_t len, struct buf *out);

#endif
