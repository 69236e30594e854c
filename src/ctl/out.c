/*
 * out.c - what belfryctl prints
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "model/edit.h"

enum { LIST_BYTES_MAX = 1 << 20 };

/* As few digits as tell a real number: 0.4 and not 0.40000000000000002. */
#define SHORT_REALS JSON_REAL_PRECISION(15)

static void
print_json(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | SHORT_REALS);
	putchar('\n');
}

/* "a, b" of an array of texts; NULL when it is another one. */
static const char *
list_text(struct arena *a, const json_t *value)
{
	struct buf *out = buf_new(a, LIST_BYTES_MAX);
	const json_t *item;
	size_t i;

	for (i = 0; i < json_array_size(value); i++) {
		item = json_array_get(value, i);
		if (!json_is_string(item))
			return NULL;
		buf_printf(out, "%s%s", i > 0 ? ", " : "",
		    json_string_value(item));
	}
	return i > 0 && !buf_overflowed(out) ? out->data : NULL;
}

const char *
out_value(struct arena *a, const json_t *value)
{
	const char *text;

	if (value == NULL || json_is_null(value))
		return "-";
	if (json_is_true(value))
		return "yes";
	if (json_is_false(value))
		return "no";
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_real(value))
		return arena_printf(a, "%.15g", json_real_value(value));
	text = json_is_array(value) ? list_text(a, value) : NULL;
	return text != NULL ? text : edit_json(a, value);
}

size_t
out_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Control characters must not reach a terminal. */
void
out_clean(const char *s)
{
	for (; *s != '\0'; s++)
		putchar((unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
}

const char *
out_title(const struct out_column *column)
{
	return column->title != NULL ? column->title : column->member;
}

void
out_table(const struct ctl *c, json_t *rows, const struct out_column *columns,
    const char *empty)
{
	if (c->json)
		print_json(rows);
	else if (json_array_size(rows) == 0)
		puts(empty);
	else
		table_print(c->a, rows, columns);
	json_decref(rows);
}

void
out_object(const struct ctl *c, json_t *object,
    const struct out_column *columns)
{
	const struct out_column *column;
	size_t widest = 0;

	if (c->json)
		print_json(object);
	for (column = columns; !c->json && column->member != NULL; column++)
		if (out_width(out_title(column)) > widest)
			widest = out_width(out_title(column));
	for (column = columns; !c->json && column->member != NULL; column++) {
		json_t *value = json_object_get(object, column->member);

		if (value == NULL)
			continue;
		out_clean(out_title(column));
		printf("%*s", (int)(widest + 2 - out_width(out_title(column))), "");
		out_clean(out_value(c->a, value));
		putchar('\n');
	}
	json_decref(object);
}

void
out_said(const struct ctl *c, json_t *object, const char *fmt, ...)
{
	va_list ap;

	if (c->json) {
		print_json(object);
	} else {
		va_start(ap, fmt);
		out_clean(arena_vprintf(c->a, fmt, ap));
		va_end(ap);
		putchar('\n');
	}
	json_decref(object);
}

void
out_raw(const char *text, size_t len)
{
	fwrite(text, 1, len, stdout);
}

json_t *
out_time(int64_t ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (ms == 0)
		return json_null();
	clock_format(ms, text);
	return json_string(text);
}

json_t *
out_text(const char *s)
{
	return s == NULL ? json_null() : json_string(s);
}

json_t *
out_json(const char *s)
{
	json_t *json = s == NULL ? NULL : json_loads(s, JSON_DECODE_ANY, NULL);

	return json == NULL ? json_null() : json;
}

void
out_error(const struct ctl *c, const struct err *e)
{
	json_t *json, *fault;
	size_t i;

	if (!c->json) {
		json_array_foreach(c->faults, i, fault)
			fprintf(stderr, "%s: %s\n",
			    json_string_value(json_object_get(fault, "place")),
			    json_string_value(json_object_get(fault, "text")));
		fprintf(stderr, "belfryctl: %s\n", e->text);
		if (e->detail[0] != '\0')
			fprintf(stderr, "belfryctl: (%.*s)\n",
			    (int)strcspn(e->detail, "\n"), e->detail);
		return;
	}
	json = json_pack("{s:{s:s, s:s, s:s, s:O*}}", "error", "code",
	    err_code(e->kind), "message", e->text, "detail", e->detail,
	    "faults", c->faults);
	json_dumpf(json, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(json);
}
