/*
 * write.c - values as text
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/render.h"

#include <string.h>

#include "base/buf.h"
#include "template/emit.h"
#include "template/escape.h"

enum { JOIN_DEPTH_MAX = 100 };

/* Where the text of an array goes. */
struct join {
	struct render *r;
	const struct scope *scope;
	uint32_t at;
	struct buf *out;
	enum hbs_escape escape;
};

/* The elements separated by commas, arrays within it likewise, as JavaScript
 * turns an array into text. */
static int
join_array(const struct join *join, const json_t *array, unsigned depth)
{
	size_t i, count = json_array_size(array);
	char room[VALUE_TEXT_BYTES];
	struct hbs_value v;
	const char *text;
	size_t len;

	if (depth == JOIN_DEPTH_MAX)
		return render_error(join->r, join->scope, join->at,
		    "the array is nested too deeply");
	if (render_charge(join->r, join->scope, join->at, count) < 0)
		return -1;
	for (i = 0; i < count && !buf_overflowed(join->out); i++) {
		if (i > 0)
			escape_text(join->out, join->escape, ",", 1);
		v = value_of_json(json_array_get(array, i));
		if (v.kind == VALUE_ARRAY) {
			if (join_array(join, v.u.json, depth + 1) < 0)
				return -1;
			continue;
		}
		value_text(&v, room, &text, &len);
		escape_text(join->out, join->escape, text, len);
	}
	return 0;
}

int
write_text_of(struct render *r, const struct scope *scope, uint32_t at,
    char room[VALUE_TEXT_BYTES], struct hbs_value *v)
{
	struct join join = { r, scope, at, NULL, HBS_ESCAPE_NONE };
	const char *text;
	size_t len;

	switch ((int)v->kind) {
	case VALUE_STRING:
		return 0;
	case VALUE_UNDEFINED:
		*v = value_of_text("undefined", 9);
		return 0;
	case VALUE_NULL:
		*v = value_of_text("null", 4);
		return 0;
	case VALUE_ARRAY:
		join.out = buf_new(render_scratch(r), r->out->max);
		if (join_array(&join, v->u.json, 0) < 0)
			return -1;
		*v = value_of_text(join.out->data, join.out->len);
		return render_charge(r, scope, at, v->len / 64);
	default:
		value_text(v, room, &text, &len);
		*v = value_of_text(text, len);
		return 0;
	}
}

bool
write_is_json_value(struct render *r)
{
	const char *p = r->out->data + r->json_at;
	const char *end = r->out->data + r->out->len;

	if (r->params.escape != HBS_ESCAPE_JSON)
		return false;
	for (; p < end; p++) {
		if (*p == '"')
			r->json_in_string = !r->json_in_string;
		else if (*p == '\\' && r->json_in_string && p + 1 < end)
			p++;
	}
	r->json_at = r->out->len;
	return !r->json_in_string;
}

void
write_forget_place(struct render *r)
{
	r->json_at = r->json_start;
	r->json_in_string = false;
}

static int
add_json(const char *piece, size_t len, void *arg)
{
	emit(arg, piece, len);
	return buf_overflowed(arg) ? -1 : 0;
}

/* A value that stands in JSON by itself: a text gets its quotes, so that data
 * cannot become members of the object around it. */
static int
write_json_value(struct render *r, const struct hbs_value *v)
{
	char room[VALUE_TEXT_BYTES];
	const char *text;
	size_t len;

	if (v->kind == VALUE_ARRAY || v->kind == VALUE_OBJECT) {
		json_dump_callback(v->u.json, add_json, r->out, JSON_COMPACT);
		return 0;
	}
	if (v->kind == VALUE_NULL) {
		emit(r->out, "null", 4);
		return 0;
	}
	value_text(v, room, &text, &len);
	if (v->kind != VALUE_STRING) {
		emit(r->out, text, len);
		return 0;
	}
	emit(r->out, "\"", 1);
	escape_text(r->out, HBS_ESCAPE_JSON, text, len);
	emit(r->out, "\"", 1);
	return 0;
}

int
write_value(struct render *r, const struct scope *scope, uint32_t at,
    const struct hbs_value *v, bool escaped)
{
	enum hbs_escape escape = r->params.escape;
	char room[VALUE_TEXT_BYTES];
	const char *text;
	size_t len;

	if (!escaped && escape != HBS_ESCAPE_HEADER)
		escape = HBS_ESCAPE_NONE;
	if (escape == HBS_ESCAPE_JSON && write_is_json_value(r))
		return write_json_value(r, v);
	if (v->kind == VALUE_STRING) {
		escape_text(r->out, escape, v->u.text, v->len);
		return 0;
	}
	if (v->kind == VALUE_ARRAY)
		return join_array(&(struct join){ r, scope, at, r->out,
		    escape }, v->u.json, 0);
	value_text(v, room, &text, &len);
	escape_text(r->out, escape, text, len);
	return 0;
}
