/*
 * field_value.c - the single values of fields, checked one by one
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/field_spot.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "web/field_form.h"

static void
pointer_put(struct buf *b, const struct spot *s)
{
	const char *p;

	if (s->up == NULL)
		return;
	pointer_put(b, s->up);
	buf_putc(b, '/');
	if (s->key == NULL)
		buf_printf(b, "%zu", s->index);
	for (p = s->key; p != NULL && *p != '\0'; p++) {
		if (*p == '~')
			buf_puts(b, "~0");
		else if (*p == '/')
			buf_puts(b, "~1");
		else
			buf_putc(b, *p);
	}
}

void
field_fault(struct reader *r, const struct spot *s, enum field_code code,
    const char *fmt, ...)
{
	struct buf *pointer;
	va_list ap;

	if (r->fe->count >= FIELD_ERRORS_MAX) {
		r->fe->count++;
		return;
	}
	pointer = buf_new(r->a, 4096);
	pointer_put(pointer, s);
	va_start(ap, fmt);
	field_errors_add(r->fe, pointer->data, code, "%s",
	    arena_vprintf(r->a, fmt, ap));
	va_end(ap);
	if (r->query && s->up != NULL) {
		while (s->up->up != NULL)
			s = s->up;
		r->fe->last->pointer = NULL;
		r->fe->last->parameter = arena_strdup(r->a, s->key);
	}
}

static const char *
type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		break;
	}
	return "null";
}

void
field_wrong_type(struct reader *r, const struct spot *s, const char *want,
    const json_t *v)
{
	if (json_is_null(v))
		field_fault(r, s, FIELD_ERR_NULL_VALUE, "must be %s, not null", want);
	else if (r->query)
		field_fault(r, s, FIELD_ERR_WRONG_TYPE, "must be %s", want);
	else
		field_fault(r, s, FIELD_ERR_WRONG_TYPE, "must be %s, not %s", want,
		    type_name(v));
}

static void
check_length(struct reader *r, const struct spot *s, const char *text,
    size_t bytes)
{
	size_t n;

	/* As long as its bytes fit, so do its characters. */
	if (s->min <= 0 && (s->max == 0 || bytes <= (size_t)s->max))
		return;
	n = form_length(text);
	if (s->max != 0 && n > (size_t)s->max)
		field_fault(r, s, FIELD_ERR_TOO_LONG,
		    "must have at most %lld characters, not %zu",
		    (long long)s->max, n);
	else if (n < (size_t)s->min && n == 0)
		field_fault(r, s, FIELD_ERR_TOO_SHORT, "must not be empty");
	else if (n < (size_t)s->min)
		field_fault(r, s, FIELD_ERR_TOO_SHORT,
		    "must have at least %lld characters, not %zu",
		    (long long)s->min, n);
}

/* What a text with a form must be, and how to tell. */
static const struct {
	bool (*is)(const char *s);
	const char *want;
} forms[] = {
	[FIELD_SLUG] = { text_is_slug,
	    "must be 1 to 63 lower-case letters, digits and hyphens, and must "
	    "not begin with a hyphen" },
	[FIELD_EMAIL] = { form_is_email, "must be an e-mail address" },
	[FIELD_PHONE] = { form_is_phone,
	    "must be a phone number with country code, such as +43660123456" },
	[FIELD_URL] = { form_is_url, "must be an http or https address" },
	[FIELD_LOCALE] = { form_is_locale,
	    "must be a language tag, such as de-AT" },
	[FIELD_ZONE] = { form_is_zone,
	    "must be the name of a time zone, such as Europe/Vienna" },
};

static void
read_text(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	const char *text = json_string_value(v);
	enum field_type type = s->f->type;

	if (text == NULL) {
		field_wrong_type(r, s, "a text", v);
		return;
	}
	if (type != FIELD_TEXT && !forms[type].is(text))
		field_fault(r, s, FIELD_ERR_MALFORMED, "%s", forms[type].want);
	else if (s->f->flags & FIELD_ONE_LINE && text_has_control(text))
		field_fault(r, s, FIELD_ERR_MALFORMED,
		    "must be one line without control characters");
	else
		check_length(r, s, text, json_string_length(v));
	*(const char **)out = text;
}

static void
read_uuid(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	const char *text = json_string_value(v);

	if (text == NULL)
		field_wrong_type(r, s, "a text", v);
	else if (uuid_parse(text, out) != 0)
		field_fault(r, s, FIELD_ERR_MALFORMED, "must be a UUID");
}

static void
read_bool(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	if (json_is_boolean(v))
		*(bool *)out = json_is_true(v);
	else
		field_wrong_type(r, s, "true or false", v);
}

static void
read_int(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	int64_t n = json_integer_value(v);

	if (!json_is_integer(v)) {
		field_wrong_type(r, s, "a whole number", v);
		return;
	}
	if ((s->min != 0 || s->max != 0) && n < s->min)
		field_fault(r, s, FIELD_ERR_TOO_SMALL, "must be at least %lld",
		    (long long)s->min);
	else if (s->max != 0 && n > s->max)
		field_fault(r, s, FIELD_ERR_TOO_LARGE, "must be at most %lld",
		    (long long)s->max);
	*(int64_t *)out = n;
}

static void
read_time(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	const char *text = json_string_value(v);
	char limit[CLOCK_TEXT_BYTES];
	int64_t ms;

	if (text == NULL) {
		field_wrong_type(r, s, "a text", v);
	} else if (clock_parse(text, &ms) != 0) {
		field_fault(r, s, FIELD_ERR_MALFORMED,
		    "must be a time, such as 2026-12-01T08:00:00Z");
	} else if (s->min != 0 && ms < s->min) {
		clock_format(s->min, limit);
		field_fault(r, s, FIELD_ERR_TOO_SMALL, "must be %s or later", limit);
	} else if (s->max != 0 && ms > s->max) {
		clock_format(s->max, limit);
		field_fault(r, s, FIELD_ERR_TOO_LARGE, "must be %s or earlier", limit);
	} else {
		*(int64_t *)out = ms;
	}
}

static void
read_duration(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	const char *text = json_string_value(v);
	char limit[FORM_DURATION_BYTES];
	int64_t ms;

	if (text == NULL) {
		field_wrong_type(r, s, "a text", v);
	} else if (form_duration_parse(text, &ms) != 0) {
		field_fault(r, s, FIELD_ERR_MALFORMED,
		    "must be a time span, such as 90s, 5m or 1h30m");
	} else if (ms < s->min) {
		form_duration_format(s->min, limit);
		field_fault(r, s, FIELD_ERR_TOO_SMALL, "must be at least %s", limit);
	} else if (s->max != 0 && ms > s->max) {
		form_duration_format(s->max, limit);
		field_fault(r, s, FIELD_ERR_TOO_LARGE, "must be at most %s", limit);
	} else {
		*(int64_t *)out = ms;
	}
}

static void
read_enum(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	const char *text = json_string_value(v);
	struct buf *known;
	int i;

	if (text == NULL) {
		field_wrong_type(r, s, "a text", v);
		return;
	}
	for (i = 0; s->f->words[i] != NULL; i++) {
		if (strcmp(text, s->f->words[i]) == 0) {
			*(int *)out = i;
			return;
		}
	}
	known = buf_new(r->a, 1024);
	for (i = 0; s->f->words[i] != NULL; i++)
		buf_printf(known, "%s\"%s\"", i == 0 ? "" : ", ",
		    s->f->words[i]);
	field_fault(r, s, FIELD_ERR_NOT_ALLOWED, "must be one of %s", known->data);
}

static void
read_json(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	if (!json_is_object(v)) {
		field_wrong_type(r, s, "an object", v);
		return;
	}
	if (s->max != 0 && json_object_size(v) > (size_t)s->max)
		field_fault(r, s, FIELD_ERR_TOO_LONG,
		    "must have at most %lld members", (long long)s->max);
	*(json_t **)out = v;
}

static const struct {
	void (*read)(struct reader *r, const struct spot *s, json_t *v,
	    void *out);
	size_t bytes;
} types[] = {
	[FIELD_TEXT] = { read_text, sizeof(const char *) },
	[FIELD_SLUG] = { read_text, sizeof(const char *) },
	[FIELD_EMAIL] = { read_text, sizeof(const char *) },
	[FIELD_PHONE] = { read_text, sizeof(const char *) },
	[FIELD_URL] = { read_text, sizeof(const char *) },
	[FIELD_LOCALE] = { read_text, sizeof(const char *) },
	[FIELD_ZONE] = { read_text, sizeof(const char *) },
	[FIELD_UUID] = { read_uuid, sizeof(struct uuid) },
	[FIELD_BOOL] = { read_bool, sizeof(bool) },
	[FIELD_INT] = { read_int, sizeof(int64_t) },
	[FIELD_TIME] = { read_time, sizeof(int64_t) },
	[FIELD_DURATION] = { read_duration, sizeof(int64_t) },
	[FIELD_ENUM] = { read_enum, sizeof(int) },
	[FIELD_JSON] = { read_json, sizeof(json_t *) },
};

size_t
field_value_bytes(enum field_type type)
{
	return types[type].bytes;
}

void
field_value_read(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	types[s->f->type].read(r, s, v, out);
}
