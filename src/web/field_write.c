/*
 * field_write.c - from structs to JSON
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/field.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "web/field_form.h"
#include "web/field_spot.h"
#include "web/js.h"

static json_t *write_object(const struct field_table *t, const void *record);

/* An id, a time or a text that is absent has no JSON: NULL. */
static json_t *
write_text(const char *text)
{
	json_t *json;

	if (text == NULL)
		return NULL;
	json = json_string(text);
	return json != NULL ? json : json_string("\xef\xbf\xbd");
}

static json_t *
write_uuid(const struct uuid *u)
{
	char text[UUID_TEXT_BYTES];

	if (uuid_is_nil(u))
		return NULL;
	uuid_format(u, text);
	return json_string(text);
}

static json_t *
write_time(int64_t ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (ms == 0)
		return NULL;
	clock_format(ms, text);
	return json_string(text);
}

static json_t *
write_duration(int64_t ms)
{
	char text[FORM_DURATION_BYTES];

	form_duration_format(ms, text);
	return json_string(text);
}

static json_t *
write_value(const struct field *f, const void *p)
{
	switch (f->type) {
	case FIELD_UUID:
		return write_uuid(p);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)p);
	case FIELD_INT:
		return json_integer(*(const int64_t *)p);
	case FIELD_TIME:
		return write_time(*(const int64_t *)p);
	case FIELD_DURATION:
		return write_duration(*(const int64_t *)p);
	case FIELD_ENUM:
		return json_string(f->words[*(const int *)p]);
	case FIELD_JSON:
		return json_incref(*(json_t *const *)p);
	case FIELD_OBJECT:
		return write_object(f->table, p);
	case FIELD_TEXT:
	case FIELD_SLUG:
	case FIELD_EMAIL:
	case FIELD_PHONE:
	case FIELD_URL:
	case FIELD_LOCALE:
	case FIELD_ZONE:
		break;
	}
	return write_text(*(const char *const *)p);
}

static json_t *
write_list(const struct field *f, const void *record)
{
	const char *items = *(const char *const *)((const char *)record +
	    f->offset);
	size_t n = *(const size_t *)((const char *)record + f->count_offset);
	size_t i, bytes = f->type == FIELD_OBJECT ? f->table->struct_bytes
						  : field_value_bytes(f->type);
	json_t *list;

	if (items == NULL)
		return NULL;
	list = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(list, write_value(f, items + i * bytes));
	return list;
}

static json_t *
write_field(const struct field *f, const void *record)
{
	const void *p = (const char *)record + f->offset;

	if (f->extra & FIELD_ARRAY)
		return write_list(f, record);
	if (f->type == FIELD_OBJECT || f->type == FIELD_JSON)
		if (*(const void *const *)p == NULL)
			return NULL;
	if (f->type == FIELD_OBJECT)
		p = *(const void *const *)p;
	return write_value(f, p);
}

static json_t *
write_object(const struct field_table *t, const void *record)
{
	json_t *json = json_object(), *value;
	const struct field *f;
	size_t i;

	for (i = 0; i < t->count; i++) {
		f = &t->fields[i];
		if (f->flags & (FIELD_SECRET | FIELD_WRITE_ONLY))
			continue;
		value = write_field(f, record);
		if (value == NULL && f->flags & FIELD_NULLABLE)
			value = json_null();
		if (value != NULL)
			json_object_set_new_nocheck(json, field_name(f), value);
	}
	return json;
}

json_t *
fields_write(struct arena *a, const struct field_table *t, const void *record)
{
	return js_keep(a, write_object(t, record));
}

static void split(const struct field_table *t, json_t *json, json_t *shown,
    json_t *secret);

/* An object within is parted into one on either side; an empty one is left out. */
static void
split_object(const struct field *f, json_t *value, json_t *shown,
    json_t *secret)
{
	json_t *inner_shown = json_object(), *inner_secret = json_object();

	split(f->table, value, inner_shown, inner_secret);
	json_object_set_new(shown, field_name(f), inner_shown);
	if (json_object_size(inner_secret) > 0)
		json_object_set_new(secret, field_name(f), inner_secret);
	else
		json_decref(inner_secret);
}

static void
split(const struct field_table *t, json_t *json, json_t *shown, json_t *secret)
{
	const struct field *f;
	json_t *value;
	size_t i;

	for (i = 0; i < t->count; i++) {
		f = &t->fields[i];
		value = json_object_get(json, field_name(f));
		if (value == NULL)
			continue;
		if (f->flags & FIELD_SECRET)
			json_object_set(secret, field_name(f), value);
		else if (f->type == FIELD_OBJECT && json_is_object(value))
			split_object(f, value, shown, secret);
		else
			json_object_set(shown, field_name(f), value);
	}
}

void
fields_split(struct arena *a, const struct field_table *t, json_t *json,
    json_t **shown_r, json_t **secret_r)
{
	*shown_r = js_keep(a, json_object());
	*secret_r = js_keep(a, json_object());
	split(t, json, *shown_r, *secret_r);
}
