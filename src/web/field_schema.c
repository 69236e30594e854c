/*
 * field_schema.c - JSON Schema (2020-12) from field tables
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/field.h"

#include <string.h>

#include "base/ensure.h"
#include "web/field_form.h"

static void
set_text(json_t *o, const char *key, const char *text)
{
	if (text != NULL)
		json_object_set_new(o, key, json_string(text));
}

static void
set_limits(json_t *o, int64_t min, int64_t max, const char *min_key,
    const char *max_key)
{
	if (min != 0)
		json_object_set_new(o, min_key, json_integer(min));
	if (max != 0)
		json_object_set_new(o, max_key, json_integer(max));
}

/* What JSON Schema knows of the form of a text. */
static const struct {
	const char *format;
	const char *pattern;
} forms[] = {
	[FIELD_TEXT] = { NULL, NULL },
	[FIELD_SLUG] = { NULL, "^[a-z0-9][a-z0-9-]{0,62}$" },
	[FIELD_EMAIL] = { "email", NULL },
	[FIELD_PHONE] = { NULL, "^\\+[1-9][0-9]{1,14}$" },
	[FIELD_URL] = { "uri", "^https?://" },
	[FIELD_LOCALE] = { NULL, "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" },
	[FIELD_ZONE] = { NULL, "^[A-Za-z][A-Za-z0-9_+/-]*$" },
	[FIELD_UUID] = { "uuid", NULL },
	[FIELD_TIME] = { "date-time", NULL },
	[FIELD_DURATION] = { NULL, "^([0-9]+(w|d|h|ms|m|s))+$" },
};

static void
set_words(json_t *o, const struct field *f)
{
	json_t *words = json_array();
	int i;

	for (i = 0; f->words[i] != NULL; i++)
		json_array_append_new(words, json_string(f->words[i]));
	json_object_set_new(o, "enum", words);
}

static json_t *
value_schema(const struct field *f, int64_t min, int64_t max)
{
	json_t *o = json_object();

	switch (f->type) {
	case FIELD_BOOL:
		set_text(o, "type", "boolean");
		break;
	case FIELD_INT:
		set_text(o, "type", "integer");
		set_text(o, "format", "int64");
		set_limits(o, min, max, "minimum", "maximum");
		if (min == 0 && max != 0)
			json_object_set_new(o, "minimum", json_integer(0));
		break;
	case FIELD_ENUM:
		set_text(o, "type", "string");
		set_words(o, f);
		break;
	case FIELD_JSON:
		set_text(o, "type", "object");
		set_limits(o, min, max, "minProperties", "maxProperties");
		break;
	case FIELD_TEXT:
	case FIELD_SLUG:
	case FIELD_EMAIL:
	case FIELD_PHONE:
	case FIELD_URL:
	case FIELD_LOCALE:
	case FIELD_ZONE:
		set_limits(o, min, max, "minLength", "maxLength");
		FALLTHROUGH;
	case FIELD_UUID:
	case FIELD_TIME:
	case FIELD_DURATION:
		set_text(o, "type", "string");
		set_text(o, "format", forms[f->type].format);
		set_text(o, "pattern", forms[f->type].pattern);
		break;
	case FIELD_OBJECT:
		panic("%s: objects have their own schema", f->name);
	}
	return o;
}

static json_t *
list_schema(const struct field *f, json_t *item)
{
	json_t *list = json_object(), *either;

	set_text(list, "type", "array");
	json_object_set(list, "items", item);
	set_limits(list, f->min, f->max, "minItems", "maxItems");
	if (f->flags & FIELD_UNIQUE)
		json_object_set_new(list, "uniqueItems", json_true());
	if (!(f->flags & FIELD_ONE_OR_MANY)) {
		json_decref(item);
		return list;
	}
	either = json_array();
	json_array_append_new(either, list);
	json_array_append_new(either, item);
	list = json_object();
	json_object_set_new(list, "oneOf", either);
	return list;
}

/* { "type": "string" } becomes { "type": ["string", "null"] }; what has no type of
 * its own becomes one of two. */
static json_t *
or_null(json_t *schema)
{
	json_t *type = json_object_get(schema, "type"), *either = json_array();
	json_t *null_schema;

	if (type != NULL) {
		json_array_append(either, type);
		json_array_append_new(either, json_string("null"));
		json_object_set_new(schema, "type", either);
		if (json_object_get(schema, "enum") != NULL)
			json_array_append_new(json_object_get(schema, "enum"),
			    json_null());
		return schema;
	}
	null_schema = json_object();
	set_text(null_schema, "type", "null");
	json_array_append_new(either, schema);
	json_array_append_new(either, null_schema);
	schema = json_object();
	json_object_set_new(schema, "anyOf", either);
	return schema;
}

static void
set_default(json_t *o, const struct field *f)
{
	char text[FORM_DURATION_BYTES];
	json_t *v = NULL;

	if (f->type == FIELD_BOOL)
		v = json_boolean(f->def != 0);
	else if (f->type == FIELD_INT)
		v = json_integer(f->def);
	else if (f->type == FIELD_ENUM)
		v = json_string(f->words[f->def]);
	else if (f->def_text != NULL)
		v = json_string(f->def_text);
	if (f->type == FIELD_DURATION) {
		form_duration_format(f->def, text);
		v = json_string(text);
	}
	if (v != NULL)
		json_object_set_new(o, "default", v);
}

static void
set_example(json_t *o, const struct field *f)
{
	json_t *list, *v;

	if (f->example == NULL)
		return;
	v = json_loads(f->example, JSON_DECODE_ANY, NULL);
	if (v == NULL)
		panic("%s: the example is not JSON", f->name);
	list = json_array();
	json_array_append_new(list, v);
	json_object_set_new(o, "examples", list);
}

json_t *
field_schema(const struct field *f, json_t *components)
{
	bool list = (f->extra & FIELD_ARRAY) != 0;
	json_t *o;

	if (f->type == FIELD_OBJECT)
		o = fields_schema(f->table, components);
	else
		o = value_schema(f, list ? f->item_min : f->min,
		    list ? f->item_max : f->max);
	if (list)
		o = list_schema(f, o);
	if (f->flags & FIELD_NULLABLE)
		o = or_null(o);
	set_text(o, "description", f->help);
	if (f->flags & FIELD_DEFAULT)
		set_default(o, f);
	set_example(o, f);
	if (f->flags & (FIELD_SECRET | FIELD_WRITE_ONLY))
		json_object_set_new(o, "writeOnly", json_true());
	if (f->flags & FIELD_READ_ONLY)
		json_object_set_new(o, "readOnly", json_true());
	return o;
}

static void
add_component(const struct field_table *t, json_t *components)
{
	json_t *o = json_object(), *properties = json_object();
	json_t *required = json_array();
	size_t i;

	json_object_set_new(components, t->name, o);
	set_text(o, "type", "object");
	set_text(o, "description", t->help);
	if (!t->open)
		json_object_set_new(o, "additionalProperties", json_false());
	json_object_set_new(o, "properties", properties);
	for (i = 0; i < t->count; i++) {
		json_object_set_new(properties, field_name(&t->fields[i]),
		    field_schema(&t->fields[i], components));
		if (t->fields[i].flags & FIELD_REQUIRED)
			json_array_append_new(required,
			    json_string(field_name(&t->fields[i])));
	}
	if (json_array_size(required) > 0)
		json_object_set(o, "required", required);
	json_decref(required);
}

json_t *
fields_schema(const struct field_table *t, json_t *components)
{
	json_t *o = json_object();

	if (json_object_get(components, t->name) == NULL)
		add_component(t, components);
	json_object_set_new(o, "$ref",
	    json_sprintf("#/components/schemas/%s", t->name));
	return o;
}
