/*
 * value.c - what an expression of a template yields
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "template/number.h"
#include "template/space.h"
#include "template/tree.h"
#include "template/utf16.h"

static const struct overlay nothing;

const struct hbs_value value_undefined = { .kind = VALUE_UNDEFINED };
const struct hbs_value value_nothing = {
	.kind = VALUE_OVERLAY, .u.overlay = &nothing };

void
value_set_json(struct hbs_value *v, const json_t *json)
{
	v->kind = VALUE_UNDEFINED;
	v->u.json = json;
	if (json == NULL)
		return;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		v->kind = VALUE_OBJECT;
		return;
	case JSON_ARRAY:
		v->kind = VALUE_ARRAY;
		return;
	case JSON_STRING:
		v->kind = VALUE_STRING;
		v->u.text = json_string_value(json);
		v->len = json_string_length(json);
		return;
	case JSON_INTEGER:
		v->kind = VALUE_INTEGER;
		v->u.integer = json_integer_value(json);
		return;
	case JSON_REAL:
		v->kind = VALUE_REAL;
		v->u.real = json_real_value(json);
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		v->kind = VALUE_BOOL;
		v->u.truth = json_is_true(json);
		return;
	case JSON_NULL:
		v->kind = VALUE_NULL;
		return;
	}
}

struct hbs_value
value_of_json(const json_t *json)
{
	struct hbs_value v = value_undefined;

	value_set_json(&v, json);
	return v;
}

struct hbs_value
value_of_text(const char *text, size_t len)
{
	return (struct hbs_value){
		.kind = VALUE_STRING, .len = len, .u.text = text };
}

struct hbs_value
value_of_integer(json_int_t integer)
{
	return (struct hbs_value){
		.kind = VALUE_INTEGER, .u.integer = integer };
}

bool
value_is_nil(const struct hbs_value *v)
{
	return v->kind == VALUE_UNDEFINED || v->kind == VALUE_NULL;
}

bool
value_is_true(const struct hbs_value *v)
{
	switch (v->kind) {
	case VALUE_UNDEFINED:
	case VALUE_NULL:
		return false;
	case VALUE_BOOL:
		return v->u.truth;
	case VALUE_INTEGER:
		return v->u.integer != 0;
	case VALUE_REAL:
		return v->u.real < 0 || v->u.real > 0;
	case VALUE_STRING:
		return v->len > 0;
	case VALUE_ARRAY:
	case VALUE_OBJECT:
	case VALUE_OVERLAY:
	case VALUE_BLOCK:
		return true;
	}
	return false;
}

bool
value_is_empty(const struct hbs_value *v)
{
	if (v->kind == VALUE_INTEGER || v->kind == VALUE_REAL)
		return false;
	if (v->kind == VALUE_ARRAY)
		return json_array_size(v->u.json) == 0;
	return !value_is_true(v);
}

static bool
is_number(const struct hbs_value *v)
{
	return v->kind == VALUE_BOOL || v->kind == VALUE_INTEGER ||
	    v->kind == VALUE_REAL;
}

static double
as_number(const struct hbs_value *v)
{
	if (v->kind == VALUE_BOOL)
		return v->u.truth;
	return v->kind == VALUE_INTEGER ? (double)v->u.integer : v->u.real;
}

/* What JavaScript compares in place of an array: its text.  An array of several
 * elements, which would be equal to a string with commas at most, has none. */
static bool
array_text(const json_t *array, char room[VALUE_TEXT_BYTES],
    struct hbs_value *text_r)
{
	struct hbs_value v;
	const char *text;
	size_t len;

	*text_r = value_of_text("", 0);
	if (json_array_size(array) > 1)
		return false;
	v = value_of_json(json_array_get(array, 0));
	if (value_is_nil(&v))
		return true;
	if (v.kind == VALUE_ARRAY || v.kind == VALUE_OBJECT)
		return false;
	value_text(&v, room, &text, &len);
	*text_r = value_of_text(text, len);
	return true;
}

/* A string that reads as a number in JavaScript; the empty one reads as 0. */
static bool
text_number(const struct hbs_value *v, double *number_r)
{
	const char *end = v->u.text + v->len;
	const char *start = space_skip(v->u.text, end), *p;
	bool digits = false, point = false;

	end = space_skip_back(start, end);
	*number_r = 0;
	if (start == end)
		return true;
	for (p = start + (*start == '-' || *start == '+'); p < end; p++) {
		if (*p == '.' && !point)
			point = true;
		else if (*p >= '0' && *p <= '9')
			digits = true;
		else
			return false;
	}
	*number_r = number_read(start, (size_t)(end - start));
	return digits;
}

static bool
primitive_equals(const struct hbs_value *a, const struct hbs_value *b)
{
	double x, y;

	if (a->kind == VALUE_STRING && b->kind == VALUE_STRING)
		return a->len == b->len &&
		    (a->len == 0 || memcmp(a->u.text, b->u.text, a->len) == 0);
	x = is_number(a) ? as_number(a) : 0;
	y = is_number(b) ? as_number(b) : 0;
	if ((a->kind == VALUE_STRING && !text_number(a, &x)) ||
	    (b->kind == VALUE_STRING && !text_number(b, &y)))
		return false;
	return !(x < y) && !(x > y);
}

static bool
is_primitive(const struct hbs_value *v)
{
	return is_number(v) || v->kind == VALUE_STRING;
}

bool
value_equals(const struct hbs_value *a, const struct hbs_value *b)
{
	char room[VALUE_TEXT_BYTES];
	struct hbs_value text;

	if (value_is_nil(a) || value_is_nil(b))
		return value_is_nil(a) && value_is_nil(b);
	if (is_primitive(a) && is_primitive(b))
		return primitive_equals(a, b);
	if (is_primitive(a) && b->kind == VALUE_ARRAY)
		return array_text(b->u.json, room, &text) &&
		    primitive_equals(a, &text);
	if (a->kind == VALUE_ARRAY && is_primitive(b))
		return value_equals(b, a);
	return a->kind == b->kind && a->u.json == b->u.json;
}

void
part_init(struct part *part, const char *text, size_t len)
{
	size_t i;
	int32_t index = 0;

	ensure(len <= UINT32_MAX);
	part->text = text;
	part->len = (uint32_t)len;
	part->index = -1;
	if (len == 0 || len > 9 || (len > 1 && text[0] == '0'))
		return;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return;
		index = index * 10 + (text[i] - '0');
	}
	part->index = index;
}

static bool
is_length(const struct part *part)
{
	return part->len == 6 && memcmp(part->text, "length", 6) == 0;
}

static void
step_into_text(struct hbs_value *v, const struct part *part)
{
	const char *text;
	size_t len;

	if (is_length(part))
		*v = value_of_integer(
		    (json_int_t)utf16_length(v->u.text, v->len));
	else if (part->index >= 0 && (size_t)part->index < v->len &&
	    utf16_at(v->u.text, v->len, (size_t)part->index, &text, &len))
		*v = value_of_text(text, len);
	else
		*v = value_undefined;
}

static void
step_into_array(struct hbs_value *v, const struct part *part)
{
	if (part->index >= 0)
		value_set_json(v,
		    json_array_get(v->u.json, (size_t)part->index));
	else if (is_length(part))
		*v = value_of_integer(
		    (json_int_t)json_array_size(v->u.json));
	else
		*v = value_undefined;
}

bool
value_has_pair(const struct hbs_value *v, const struct part *part)
{
	const struct overlay *overlay = v->u.overlay;
	const struct hash_pair *pair = overlay->pairs;
	size_t i;

	for (i = 0; i < overlay->count; i++, pair = pair->next)
		if (pair->name.len == part->len &&
		    memcmp(pair->name.text, part->text, part->len) == 0)
			return true;
	return overlay->base.kind == VALUE_OVERLAY &&
	    value_has_pair(&overlay->base, part);
}

static void
step_into_overlay(struct hbs_value *v, const struct part *part)
{
	const struct overlay *overlay = v->u.overlay;
	const struct hash_pair *pair = overlay->pairs;
	size_t i;

	for (i = 0; i < overlay->count; i++, pair = pair->next) {
		if (pair->name.len != part->len ||
		    memcmp(pair->name.text, part->text, part->len) != 0)
			continue;
		*v = overlay->values[i];
		return;
	}
	*v = overlay->base;
	if ((v->kind == VALUE_ARRAY || v->kind == VALUE_STRING) &&
	    is_length(part))
		*v = value_undefined;
	else
		value_step(v, part);
}

void
value_step(struct hbs_value *v, const struct part *part)
{
	switch (v->kind) {
	case VALUE_OBJECT:
		value_set_json(v,
		    json_object_getn(v->u.json, part->text, part->len));
		return;
	case VALUE_ARRAY:
		step_into_array(v, part);
		return;
	case VALUE_STRING:
		step_into_text(v, part);
		return;
	case VALUE_OVERLAY:
		step_into_overlay(v, part);
		return;
	case VALUE_UNDEFINED:
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_INTEGER:
	case VALUE_REAL:
	case VALUE_BLOCK:
		break;
	}
	*v = value_undefined;
}

static void
set_text(const char *text, const char **text_r, size_t *len_r)
{
	*text_r = text;
	*len_r = strlen(text);
}

void
value_text(const struct hbs_value *v, char room[VALUE_TEXT_BYTES],
    const char **text_r, size_t *len_r)
{
	*text_r = room;
	switch (v->kind) {
	case VALUE_STRING:
		*text_r = v->u.text;
		*len_r = v->len;
		return;
	case VALUE_INTEGER:
		*len_r = number_write_integer(v->u.integer, room);
		return;
	case VALUE_REAL:
		*len_r = number_write(v->u.real, room);
		return;
	case VALUE_BOOL:
		set_text(v->u.truth ? "true" : "false", text_r, len_r);
		return;
	case VALUE_OBJECT:
	case VALUE_OVERLAY:
		set_text("[object Object]", text_r, len_r);
		return;
	case VALUE_UNDEFINED:
	case VALUE_NULL:
	case VALUE_BLOCK:
		set_text("", text_r, len_r);
		return;
	case VALUE_ARRAY:
		break;
	}
	panic("an array has no text of its own");
}
