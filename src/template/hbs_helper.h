/*
 * hbs_helper.h - helpers written in C, for templates to call
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A helper is a function and a row that says how it may be called.  What the
 * row says is checked when a template is compiled: unknown names, numbers of
 * arguments and unknown name=value pairs are errors with their place.  The
 * function is handed values that are evaluated already and answers with one.
 *
 * A helper that needs an argument does not hide a value of its name: {{number}}
 * alone is the value, {{number x}} is the helper.
 */
#ifndef BELFRY_TEMPLATE_HBS_HELPER_H
#define BELFRY_TEMPLATE_HBS_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "template/hbs.h"
#include "template/value.h"

enum {
	HBS_ARGS_MAX = 16, /* arguments of one call */
	HBS_HELPER_NAME_MAX = 32, /* bytes of a name */
};

enum hbs_helper_flag {
	/* {{#name ...}}: the answer decides which branch is rendered. */
	HBS_HELPER_TEST = 1 << 0,
	/* {{#name ...}}text{{/name}}: what the block renders to, not escaped,
	 * becomes the first argument. */
	HBS_HELPER_BODY = 1 << 1,
	/* The same with the values in it made harmless for Markdown. */
	HBS_HELPER_MARKDOWN_BODY = 1 << 2,
	/* Takes any name=value. */
	HBS_HELPER_ANY_PAIRS = 1 << 3,
	/* An argument that leads to nothing is fine: it is not told of as
	 * missing. */
	HBS_HELPER_MAY_MISS = 1 << 4,
	/* What it says is JSON, whole values. */
	HBS_HELPER_JSON = 1 << 5,
};

struct hbs_call;

struct hbs_helper {
	const char *name;
	/* Answers by one of the functions below, or with nothing.  Returns 0;
	 * -1 after hbs_call_error(). */
	int (*run)(struct hbs_call *call);
	unsigned args_min;
	unsigned args_max; /* at most HBS_ARGS_MAX */
	unsigned flags; /* of enum hbs_helper_flag */
	const char *const *pairs; /* the name=value it knows; ends in NULL */
};

/* Helpers in the order of their names (strcmp). */
struct hbs_helpers {
	const struct hbs_helper *list;
	size_t count;
};

/* What a helper sees of its call. */
struct hbs_call {
	const struct hbs_helper *helper;
	const struct hbs_render_params *how; /* locale, time zone, escape */
	unsigned argc;
	const struct hbs_value *args;
	bool block; /* {{#name}}: args[0] is its text */
	/* {{name}}: what is said is escaped; {{{name}}} and (name): not. */
	bool escaped;

	/* For the engine. */
	struct render *render;
	const struct scope *scope;
	const struct call *source;
	const struct hbs_value *pairs;
	/* What is said stands in JSON by itself, not within a string. */
	bool json_value;
	bool direct; /* what is said goes to the output at once */
	struct buf *said; /* else here, when it comes in pieces */
	struct hbs_value answer;
};

/* The value of name=value, undefined when it was not given. */
const struct hbs_value *hbs_call_pair(const struct hbs_call *call,
    const char *name);

/* The n-th pair as it was given: 1 and its name and value, or 0. */
int hbs_call_pair_at(const struct hbs_call *call, size_t n,
    const char **name_r, size_t *len_r, const struct hbs_value **v_r);

/* Answers with a value.  Its text has to stay until the rendering ends, as that
 * of arguments does. */
void hbs_say_value(struct hbs_call *call, const struct hbs_value *v);
void hbs_say_bool(struct hbs_call *call, bool truth);

/* Adds a text to the answer.  It is copied when it has to be. */
void hbs_say(struct hbs_call *call, const char *text, size_t len);

/* The same for a text that is made for this kind of part already. */
void hbs_say_ready(struct hbs_call *call, const char *text, size_t len);

/* The text of a value; "" for what is missing or null.  "room" is where it may
 * be written.  -1 with the error set when an array is too much. */
int hbs_call_text(struct hbs_call *call, const struct hbs_value *v,
    char room[VALUE_TEXT_BYTES], const char **text_r, size_t *len_r) MUST_CHECK;

/* Counts work against the limit of the rendering: about n times what a node
 * costs.  -1 with the error set when it is used up. */
int hbs_call_charge(struct hbs_call *call, size_t n) MUST_CHECK;

/* Counts what costs as much as many nodes and happens a few times only, such as
 * opening something.  -1 with the error set after HBS_HEAVY_MAX of a rendering. */
enum { HBS_HEAVY_MAX = 200 };
int hbs_call_heavy(struct hbs_call *call, unsigned long n) MUST_CHECK;

/* Memory until the rendering ends. */
void *hbs_call_memory(struct hbs_call *call, size_t size_bytes) MUST_CHECK;

/* Bytes that can still be added to the output. */
size_t hbs_call_room(const struct hbs_call *call);

/* The message of that key in the catalogue: 1, 0 when there is none, -1 with the
 * error set. */
int hbs_call_message(struct hbs_call *call, const char *key, size_t len,
    const struct hbs_template **tpl_r) MUST_CHECK;

/* Renders another template in this one's place, with the pairs of the call laid
 * over the context, and answers with what comes of it. */
int hbs_say_template(struct hbs_call *call, const struct hbs_template *tpl,
    const char *name, size_t len) MUST_CHECK;

/* Says what is wrong with an argument, or with the call when it is not there;
 * returns -1. */
int hbs_call_error(struct hbs_call *call, unsigned arg, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The same for the pair of that name. */
int hbs_call_pair_error(struct hbs_call *call, const char *name,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
