/*
 * js.c - strict JSON in, compact JSON out
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/js.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"
#include "web/js_read.h"

enum { STORED_DEPTH = 2000 }; /* a little less than jansson's */

static void
defer_json(void *p)
{
	json_decref(p);
}

json_t *
js_keep(struct arena *a, json_t *json)
{
	if (json == NULL)
		panic("out of memory: JSON");
	arena_defer(a, defer_json, json);
	return json;
}

/* Tells where in the text "at" is, as editors count. */
static int
refuse(struct err *e, const char *text, size_t at, const char *what)
{
	size_t i, line = 1, column = 1;

	for (i = 0; i < at; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if ((text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return err_set(e, ERR_INVALID,
	    "the JSON is malformed at line %zu, column %zu: %s", line, column,
	    what);
}

/* Looks for what jansson would take or recurse into: NUL bytes and nesting. */
static int
scan(const char *text, size_t len, int depth_max, struct err *e)
{
	bool in_string = false;
	int depth = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		switch (text[i]) {
		case '\0':
			return refuse(e, text, i, "a NUL byte");
		case '"':
			in_string = !in_string;
			break;
		case '\\':
			if (in_string && i + 1 < len && text[i + 1] != '\0')
				i++;
			break;
		case '[':
		case '{':
			if (!in_string && ++depth > depth_max)
				return refuse(e, text, i,
				    "it is nested too deep");
			break;
		case ']':
		case '}':
			if (!in_string)
				depth--;
			break;
		default:
			break;
		}
	}
	return 0;
}

static const char *
reason(const json_error_t *error)
{
	switch ((int)json_error_code(error)) {
	case json_error_invalid_utf8:
		return "the text is not UTF-8";
	case json_error_premature_end_of_input:
		return "it ends too early";
	case json_error_end_of_input_expected:
		return "something follows after its end";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "\\u0000 is not allowed";
	case json_error_duplicate_key:
		return "a member stands twice in one object";
	case json_error_numeric_overflow:
		return "a number is too large";
	case json_error_stack_overflow:
		return "it is nested too deep";
	default:
		return "a syntax error";
	}
}

/* Asks jansson, which says what is wrong. */
static int
parse_slowly(struct arena *a, const char *text, size_t len, int depth_max,
    json_t **json_r, struct err *e)
{
	json_error_t error;
	json_t *json;
	size_t at;

	if (scan(text, len, depth_max, e) != 0)
		return -1;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
	    &error);
	if (json == NULL) {
		if (json_error_code(&error) == json_error_out_of_memory)
			panic("out of memory: JSON");
		at = error.position > 0 ? (size_t)error.position : 0;
		return refuse(e, text, at > len ? len : at, reason(&error));
	}
	*json_r = js_keep(a, json);
	return 0;
}

int
js_parse(struct arena *a, const char *text, size_t len, int depth_max,
    json_t **json_r, struct err *e)
{
	json_t *json = js_read(a, text, len, depth_max);

	if (json == NULL)
		return parse_slowly(a, text, len, depth_max, json_r, e);
	*json_r = js_keep(a, json);
	return 0;
}

/* Whether a number fits into 64 bits or a double. */
static bool
fits(const char *p, size_t len)
{
	json_t *json = json_loadb(p, len, JSON_DECODE_ANY, NULL);

	json_decref(json);
	return json != NULL;
}

/* The text with null for numbers that do not fit. */
static const struct buf *
without_misfits(struct arena *a, const char *text)
{
	struct buf *out = buf_new(a, SIZE_MAX / 4);
	bool in_string = false;
	size_t n;

	for (; *text != '\0'; text += n) {
		if (!in_string && strchr("-0123456789", *text) != NULL) {
			n = strspn(text, "+-.0123456789eE");
			if (fits(text, n))
				buf_add(out, text, n);
			else
				buf_puts(out, "null");
			continue;
		}
		if (*text == '"')
			in_string = !in_string;
		n = in_string && *text == '\\' && text[1] != '\0' ? 2 : 1;
		buf_add(out, text, n);
	}
	return out;
}

int
js_parse_stored(struct arena *a, const char *text, json_t **json_r,
    struct err *e)
{
	const struct buf *healed;

	if (js_parse(a, text, strlen(text), STORED_DEPTH, json_r, e) == 0)
		return 0;
	healed = without_misfits(a, text);
	return js_parse(a, healed->data, healed->len, STORED_DEPTH, json_r, e);
}

static int
add_bytes(const char *bytes, size_t n, void *out)
{
	buf_add(out, bytes, n);
	return 0;
}

void
js_write(struct buf *out, const json_t *json)
{
	if (json_dump_callback(json, add_bytes, out,
	        JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		panic("out of memory: JSON");
}

/* The length of the UTF-8 character at s, 0 when there is none. */
static size_t
character_length(const char *s, size_t left)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	return n <= left && text_is_utf8(s, n) ? n : 0;
}

void
js_write_text(struct buf *out, const char *s)
{
	size_t left = strlen(s), run, n;

	buf_putc(out, '"');
	while (left > 0) {
		for (run = 0; run < left; run++)
			if ((unsigned char)s[run] < ' ' || s[run] == '"' ||
			    s[run] == '\\' || (s[run] & 0x80) != 0)
				break;
		buf_add(out, s, run);
		s += run;
		left -= run;
		if (left == 0)
			break;
		n = character_length(s, left);
		if (*s == '"' || *s == '\\')
			buf_printf(out, "\\%c", *s);
		else if (*s == '\n')
			buf_puts(out, "\\n");
		else if ((unsigned char)*s < ' ')
			buf_printf(out, "\\u%04x", (unsigned)*s);
		else if (n == 0)
			buf_puts(out, "\xef\xbf\xbd");
		else
			buf_add(out, s, n);
		s += n > 0 ? n : 1;
		left -= n > 0 ? n : 1;
	}
	buf_putc(out, '"');
}

static json_t *
merge(json_t *target, json_t *patch)
{
	json_t *result, *value;
	const char *key;

	if (!json_is_object(patch))
		return json_deep_copy(patch);
	result = json_is_object(target) ? json_copy(target) : json_object();
	json_object_foreach(patch, key, value) {
		if (json_is_null(value))
			json_object_del(result, key);
		else
			json_object_set_new(result, key,
			    merge(json_object_get(result, key), value));
	}
	return result;
}

json_t *
js_merge_patch(struct arena *a, json_t *target, json_t *patch)
{
	return js_keep(a, merge(target, patch));
}
