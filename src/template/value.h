/*
 * value.h - what an expression of a template yields
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A value is small, is passed by copy and owns nothing: text points into the
 * data, the template or the scratch memory of the rendering.  The rules are
 * those of JavaScript where handlebars.js leaves them to it: what is true, how
 * a number is written, what has a property.
 */
#ifndef BELFRY_TEMPLATE_VALUE_H
#define BELFRY_TEMPLATE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

struct buf;
struct overlay;

enum value_kind {
	VALUE_UNDEFINED,
	VALUE_NULL,
	VALUE_BOOL, /* u.truth */
	VALUE_INTEGER, /* u.integer */
	VALUE_REAL, /* u.real */
	VALUE_STRING, /* u.text, len bytes of UTF-8 */
	VALUE_ARRAY, /* u.json */
	VALUE_OBJECT, /* u.json */
	VALUE_OVERLAY, /* u.overlay */
	VALUE_BLOCK, /* the block given to a partial: true, has no text */
};

struct hbs_value {
	enum value_kind kind;
	size_t len;
	union {
		bool truth;
		json_int_t integer;
		double real;
		const char *text;
		const json_t *json;
		const struct overlay *overlay;
	} u;
};

/* An object made of another value's properties and some that go before them:
 * the context of {{> partial context name=value}}. */
struct overlay {
	struct hbs_value base;
	size_t cost; /* steps that looking something up in it counts for */
	size_t count;
	const struct hash_pair *pairs; /* the names */
	const struct hbs_value *values; /* count of them */
};

/* A step of a path, made ready for looking it up. */
struct part {
	const char *text;
	uint32_t len;
	int32_t index; /* what it is as an index of an array, -1 when it is none */
};

/* Bytes that a number or a bool needs at most. */
enum { VALUE_TEXT_BYTES = 32 };

/* Makes *v the value of the JSON, undefined for NULL.  Written in place since
 * copying a value just written is what costs most here. */
void value_set_json(struct hbs_value *v, const json_t *json);

struct hbs_value value_of_json(const json_t *json);
struct hbs_value value_of_text(const char *text, size_t len);
struct hbs_value value_of_integer(json_int_t integer);

extern const struct hbs_value value_undefined;
extern const struct hbs_value value_nothing; /* an object without properties */

/* Undefined or null. */
bool value_is_nil(const struct hbs_value *v);

/* What "if (value)" holds for true in JavaScript. */
bool value_is_true(const struct hbs_value *v);

/* What {{#if}} takes as empty: false, "", null, undefined and [], not 0. */
bool value_is_empty(const struct hbs_value *v);

/* a == b as JavaScript compares, so that 5, "5" and [5] are equal; but objects
 * and longer arrays are never equal to a string here. */
bool value_equals(const struct hbs_value *a, const struct hbs_value *b);

void part_init(struct part *part, const char *text, size_t len);

/* Makes *v its own property, undefined when it has none.  A property is one of
 * the data: what JavaScript's prototypes would add does not exist. */
void value_step(struct hbs_value *v, const struct part *part);

/* True when one of the pairs of an overlay has that name. */
bool value_has_pair(const struct hbs_value *overlay, const struct part *part);

/* The text of a scalar; nothing for null and undefined, "[object Object]" for
 * an object.  "room" is where a number is written.  Not for arrays. */
void value_text(const struct hbs_value *v, char room[VALUE_TEXT_BYTES],
    const char **text_r, size_t *len_r);

#endif
