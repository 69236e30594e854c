/*
 * js_read.c - the JSON that is common, fast
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * jansson reads a byte at a time through function pointers.  This reads the same
 * values three times as fast, straight from the text; it makes them by jansson's
 * own functions.  Whatever is not certain is refused without a reason: js_parse()
 * then asks jansson, so nothing here can change what is taken or what is said.
 */
#include "web/js_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/text.h"

enum {
	DIGITS_MAX = 15, /* any such number is a double exactly */
};

struct reader {
	struct arena *a;
	const char *p;
	const char *end;
	int depth; /* left */
};

/* What a byte is within a string. */
enum kind { PLAIN, HIGH, QUOTE, BACKSLASH, CONTROL };

static const uint8_t kinds[256] = {
	[0x00 ... 0x1F] = CONTROL,
	['"'] = QUOTE,
	['\\'] = BACKSLASH,
	[0x80 ... 0xFF] = HIGH,
};

static json_t *read_value(struct reader *r);

static void
skip_space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' ||
	           *r->p == '\r' || *r->p == '\t'))
		r->p++;
}

/* Steps over c and the space around it; false when something else stands here. */
static bool
take(struct reader *r, char c)
{
	skip_space(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	skip_space(r);
	return true;
}

/* ---- strings --------------------------------------------------------------- */

/* The four digits of \uXXXX; -1 when they are none. */
static int
read_hex(struct reader *r)
{
	int value = 0, i;
	char c;

	if (r->end - r->p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		c = *r->p++;
		value <<= 4;
		if (c >= '0' && c <= '9')
			value += c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value += (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

static char *
put_character(char *to, int c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xC0 | (c >> 6));
		*to++ = (char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		*to++ = (char)(0xE0 | (c >> 12));
		*to++ = (char)(0x80 | ((c >> 6) & 0x3F));
		*to++ = (char)(0x80 | (c & 0x3F));
	} else {
		*to++ = (char)(0xF0 | (c >> 18));
		*to++ = (char)(0x80 | ((c >> 12) & 0x3F));
		*to++ = (char)(0x80 | ((c >> 6) & 0x3F));
		*to++ = (char)(0x80 | (c & 0x3F));
	}
	return to;
}

/* What follows "\u", with the second half of a pair; NULL when it is no
 * character or NUL. */
static char *
read_unicode(struct reader *r, char *to)
{
	int c = read_hex(r), low;

	if (c <= 0 || (c >= 0xDC00 && c <= 0xDFFF))
		return NULL;
	if (c < 0xD800 || c > 0xDFFF)
		return put_character(to, c);
	if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
		return NULL;
	r->p += 2;
	low = read_hex(r);
	if (low < 0xDC00 || low > 0xDFFF)
		return NULL;
	return put_character(
	    to, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
}

/* What follows a backslash. */
static char *
read_escape(struct reader *r, char *to)
{
	static const char names[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	const char *name;

	if (r->p == r->end)
		return NULL;
	if (*r->p == 'u') {
		r->p++;
		return read_unicode(r, to);
	}
	for (name = names; *name != '\0'; name += 2) {
		if (*name != *r->p)
			continue;
		r->p++;
		*to++ = name[1];
		return to;
	}
	return NULL;
}

/* The rest of a string that begins at "start" and has its first backslash here:
 * no escape is longer than what it stands for. */
static bool
read_escaped(struct reader *r, const char *start, const char **text_r,
    size_t *len_r)
{
	const char *end = r->p;
	char *text, *to;

	while (end < r->end && *end != '"')
		end += *end == '\\' ? 2 : 1;
	if (end >= r->end)
		return false;
	text = arena_alloc(r->a, (size_t)(end - start) + 1);
	memcpy(text, start, (size_t)(r->p - start));
	to = text + (r->p - start);
	while (*r->p != '"') {
		if (kinds[(uint8_t)*r->p] == CONTROL)
			return false;
		if (*r->p != '\\') {
			*to++ = *r->p++;
			continue;
		}
		r->p++;
		if ((to = read_escape(r, to)) == NULL)
			return false;
	}
	r->p++;
	*text_r = text;
	*len_r = (size_t)(to - text);
	return text_is_utf8(text, *len_r);
}

/* A string from its first quote on. */
static bool
read_string(struct reader *r, const char **text_r, size_t *len_r)
{
	const char *start = ++r->p;
	unsigned seen = 0;
	uint8_t kind;

	for (; r->p < r->end; r->p++) {
		kind = kinds[(uint8_t)*r->p];
		if (kind > HIGH)
			break;
		seen |= kind;
	}
	if (r->p == r->end || kinds[(uint8_t)*r->p] == CONTROL)
		return false;
	if (*r->p == '\\')
		return read_escaped(r, start, text_r, len_r);
	*text_r = start;
	*len_r = (size_t)(r->p++ - start);
	return (seen & HIGH) == 0 || text_is_utf8(start, *len_r);
}

static json_t *
read_text(struct reader *r)
{
	const char *text;
	size_t len;

	return read_string(r, &text, &len) ? json_stringn_nocheck(text, len) :
	                                     NULL;
}

/* ---- numbers --------------------------------------------------------------- */

/* Digits after "before" others, added to *value as far as they fit; returns how many. */
static int
read_digits(struct reader *r, int before, int64_t *value)
{
	int n = 0;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
		if (before + ++n <= DIGITS_MAX)
			*value = *value * 10 + (*r->p - '0');
	return n;
}

/* A whole number, or one with a point.  Both the digits and the power of ten are
 * doubles exactly, so their quotient is the double that is nearest. */
static json_t *
read_number(struct reader *r)
{
	static const double powers[DIGITS_MAX + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4,
		1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
	bool negative = *r->p == '-';
	int64_t value = 0;
	const char *first = r->p + (negative ? 1 : 0);
	int whole, fraction;
	double real;

	r->p = first;
	whole = read_digits(r, 0, &value);
	if (whole == 0 || whole > DIGITS_MAX || (*first == '0' && whole > 1))
		return NULL;
	if (r->p < r->end && (*r->p == 'e' || *r->p == 'E'))
		return NULL;
	if (r->p == r->end || *r->p != '.')
		return json_integer(negative ? -value : value);
	r->p++;
	fraction = read_digits(r, whole, &value);
	if (fraction == 0 || whole + fraction > DIGITS_MAX ||
	    (r->p < r->end && (*r->p == 'e' || *r->p == 'E')))
		return NULL;
	real = (double)value / powers[fraction];
	return json_real(negative ? -real : real);
}

/* ---- values ---------------------------------------------------------------- */

static json_t *
read_word(struct reader *r, const char *word, json_t *value)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return NULL;
	r->p += len;
	return value;
}

static bool
read_elements(struct reader *r, json_t *array)
{
	if (take(r, ']'))
		return true;
	do {
		/* A NULL is refused by jansson. */
		if (json_array_append_new(array, read_value(r)) != 0)
			return false;
	} while (take(r, ','));
	return take(r, ']');
}

static bool
read_members(struct reader *r, json_t *object)
{
	size_t count = 0, len;
	const char *name;

	if (take(r, '}'))
		return true;
	do {
		if (r->p == r->end || *r->p != '"' ||
		    !read_string(r, &name, &len) || !take(r, ':') ||
		    json_object_setn_new_nocheck(
		        object, name, len, read_value(r)) != 0)
			return false;
		/* One that stood there already was replaced. */
		if (json_object_size(object) != ++count)
			return false;
	} while (take(r, ','));
	return take(r, '}');
}

static json_t *
read_nested(struct reader *r, json_t *value,
    bool (*read)(struct reader *, json_t *))
{
	bool good = value != NULL && r->depth-- > 0;

	r->p++;
	skip_space(r);
	if (good && read(r, value)) {
		r->depth++;
		return value;
	}
	json_decref(value);
	return NULL;
}

static json_t *
read_value(struct reader *r)
{
	if (r->p == r->end)
		return NULL;
	switch (*r->p) {
	case '"':
		return read_text(r);
	case '{':
		return read_nested(r, json_object(), read_members);
	case '[':
		return read_nested(r, json_array(), read_elements);
	case 't':
		return read_word(r, "true", json_true());
	case 'f':
		return read_word(r, "false", json_false());
	case 'n':
		return read_word(r, "null", json_null());
	default:
		return read_number(r);
	}
}

json_t *
js_read(struct arena *a, const char *text, size_t len, int depth_max)
{
	struct reader r = {
		.a = a, .p = text, .end = text + len, .depth = depth_max };
	json_t *json;

	skip_space(&r);
	json = read_value(&r);
	skip_space(&r);
	if (json == NULL || r.p == r.end)
		return json;
	json_decref(json);
	return NULL;
}
