/*
 * field_read.c - from JSON into structs, with all faults at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Objects and lists; field_value.c reads what stands in them.
 */
#include "web/field.h"

#include <string.h>

#include "base/arena.h"
#include "web/field_form.h"
#include "web/field_spot.h"

static void read_object(struct reader *r, const struct spot *s,
    const struct field_table *t, json_t *v, void *record);

static size_t
item_bytes(const struct field *f)
{
	return f->type == FIELD_OBJECT ? f->table->struct_bytes
				       : field_value_bytes(f->type);
}

static void
read_item(struct reader *r, const struct spot *s, json_t *v, void *out)
{
	if (s->f->type == FIELD_OBJECT)
		read_object(r, s, s->f->table, v, out);
	else
		field_value_read(r, s, v, out);
}

static void
check_unique(struct reader *r, const struct spot *s, json_t *list)
{
	struct spot at = { .up = s, .f = s->f };
	size_t i, j;

	for (i = 1; i < json_array_size(list); i++) {
		for (j = 0; j < i; j++)
			if (json_equal(json_array_get(list, i),
			        json_array_get(list, j)))
				break;
		at.index = i;
		if (j < i)
			field_fault(r, &at, FIELD_ERR_DUPLICATE,
			    "stands in the list twice");
	}
}

static void
read_list(struct reader *r, const struct spot *s, json_t *v, void *record)
{
	const struct field *f = s->f;
	bool one = !json_is_array(v);
	size_t i, n = one ? 1 : json_array_size(v), bytes = item_bytes(f);
	struct spot at = { .up = s, .f = f, .min = f->item_min,
		.max = f->item_max };
	char *items;

	if (one && (!(f->flags & FIELD_ONE_OR_MANY) || json_is_null(v))) {
		field_wrong_type(r, s, "a list", v);
		return;
	}
	if (n > (size_t)s->max) {
		field_fault(r, s, FIELD_ERR_TOO_LONG,
		    "must have at most %lld entries, not %zu",
		    (long long)s->max, n);
		return;
	}
	if (n < (size_t)s->min)
		field_fault(r, s, FIELD_ERR_TOO_SHORT,
		    "must have at least %lld entries, not %zu",
		    (long long)s->min, n);
	items = arena_zalloc(r->a, n, bytes);
	if (one) {
		at.up = s->up;
		at.key = s->key;
		read_item(r, &at, v, items);
	}
	for (i = 0; !one && i < n; i++) {
		at.index = i;
		read_item(r, &at, json_array_get(v, i), items + i * bytes);
	}
	if (f->flags & FIELD_UNIQUE && !one)
		check_unique(r, s, v);
	*(void **)((char *)record + f->offset) = items;
	*(size_t *)((char *)record + f->count_offset) = n;
}

static void
set_default(const struct field *f, void *out)
{
	switch ((int)f->type) {
	case FIELD_BOOL:
		*(bool *)out = f->def != 0;
		break;
	case FIELD_ENUM:
		*(int *)out = (int)f->def;
		break;
	case FIELD_INT:
	case FIELD_TIME:
	case FIELD_DURATION:
		*(int64_t *)out = f->def;
		break;
	default:
		*(const char **)out = f->def_text;
		break;
	}
}

static void
read_member(struct reader *r, const struct spot *s, json_t *v, void *record)
{
	void *out = (char *)record + s->f->offset;

	if (s->f->extra & FIELD_ARRAY) {
		read_list(r, s, v, record);
	} else if (s->f->type != FIELD_OBJECT) {
		read_item(r, s, v, out);
	} else if (!json_is_object(v)) {
		field_wrong_type(r, s, "an object", v);
	} else {
		*(void **)out = arena_zalloc(r->a, 1, s->f->table->struct_bytes);
		read_item(r, s, v, *(void **)out);
	}
}

/* The field that somebody who wrote "key" most likely meant, or NULL. */
static const char *
nearest(const struct field_table *t, const char *key)
{
	unsigned best = 3, d;
	const char *name = NULL;
	size_t i;

	for (i = 0; i < t->count; i++) {
		d = form_distance(key, field_name(&t->fields[i]), 2);
		if (d < best && d * 2 <= strlen(key)) {
			best = d;
			name = field_name(&t->fields[i]);
		}
	}
	return name;
}

static bool
is_known(const struct field_table *t, const char *key)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strcmp(field_name(&t->fields[i]), key) == 0)
			return true;
	return false;
}

static void
tell_unknown(struct reader *r, const struct spot *s,
    const struct field_table *t, json_t *v)
{
	struct spot at = { .up = s };
	const char *key, *meant;
	json_t *member;

	json_object_foreach(v, key, member) {
		if (is_known(t, key))
			continue;
		at.key = key;
		meant = nearest(t, key);
		if (meant != NULL)
			field_fault(r, &at, FIELD_ERR_UNKNOWN_FIELD,
			    "is not known; did you mean \"%s\"?", meant);
		else
			field_fault(r, &at, FIELD_ERR_UNKNOWN_FIELD, "is not known");
	}
}

/* Reads one member of an object; returns 1 when it stands there. */
static size_t
read_field(struct reader *r, const struct spot *at, json_t *v, void *record)
{
	const struct field *f = at->f;

	if (v == NULL || f->flags & FIELD_READ_ONLY) {
		if (f->flags & FIELD_DEFAULT)
			set_default(f, (char *)record + f->offset);
		if (f->flags & FIELD_REQUIRED)
			field_fault(r, at, FIELD_ERR_MISSING, "is required");
	} else if (json_is_null(v) && f->flags & FIELD_NULLABLE) {
		if (f->flags & FIELD_DEFAULT)
			set_default(f, (char *)record + f->offset);
	} else {
		read_member(r, at, v, record);
	}
	return v != NULL;
}

static void
read_object(struct reader *r, const struct spot *s, const struct field_table *t,
    json_t *v, void *record)
{
	struct field_mask *mask = (void *)((char *)record + t->mask_offset);
	struct spot at = { .up = s };
	size_t i, found = 0;
	json_t *member;

	if (!json_is_object(v)) {
		field_wrong_type(r, s, "an object", v);
		return;
	}
	for (i = 0; i < t->count; i++) {
		at.f = &t->fields[i];
		at.key = field_name(at.f);
		at.min = at.f->min;
		at.max = at.f->max;
		member = json_object_get(v, at.key);
		found += read_field(r, &at, member, record);
		if (member == NULL || at.f->flags & FIELD_READ_ONLY)
			continue;
		mask->given |= UINT64_C(1) << i;
		if (json_is_null(member))
			mask->null |= UINT64_C(1) << i;
	}
	if (!t->open && found < json_object_size(v))
		tell_unknown(r, s, t, v);
}

static void
defer_json(void *p)
{
	json_decref(p);
}

static int
read_whole(struct reader *r, json_t *json, const struct field_table *t,
    void *record)
{
	struct spot whole = { .up = NULL };
	size_t before = r->fe->count;

	memset(record, 0, t->struct_bytes);
	arena_defer(r->a, defer_json, json_incref(json));
	read_object(r, &whole, t, json, record);
	return r->fe->count == before ? 0 : -1;
}

int
fields_read(struct arena *a, json_t *json, const struct field_table *t,
    void *record, struct field_errors *fe)
{
	struct reader r = { .a = a, .fe = fe };

	return read_whole(&r, json, t, record);
}

static const struct field *
field_find(const struct field_table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strcmp(field_name(&t->fields[i]), name) == 0)
			return &t->fields[i];
	return NULL;
}

/* A number of a query; anything else stays a text and is told as a fault. */
static json_t *
number_from_text(const char *text, size_t n)
{
	size_t i = n > 0 && text[0] == '-' ? 1 : 0;
	int64_t number = 0;

	if (i == n)
		return json_stringn(text, n);
	for (; i < n; i++)
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text[i] - '0', &number))
			return json_stringn(text, n);
	return json_integer(text[0] == '-' ? -number : number);
}

static json_t *
value_from_text(const struct field *f, const char *text, size_t n)
{
	if (f != NULL && f->type == FIELD_INT)
		return number_from_text(text, n);
	if (f != NULL && f->type == FIELD_BOOL && n == 4 &&
	    memcmp(text, "true", 4) == 0)
		return json_true();
	if (f != NULL && f->type == FIELD_BOOL && n == 5 &&
	    memcmp(text, "false", 5) == 0)
		return json_false();
	return json_stringn(text, n);
}

static json_t *
list_from_text(const struct field *f, const char *text)
{
	json_t *list = json_array();
	size_t n;

	for (;; text += n + 1) {
		n = strcspn(text, ",");
		json_array_append_new(list, value_from_text(f, text, n));
		if (text[n] == '\0')
			break;
	}
	return list;
}

int
fields_read_query(struct arena *a, const struct field_param *params,
    size_t count, const struct field_table *t, void *record,
    struct field_errors *fe)
{
	struct reader r = { .a = a, .fe = fe, .query = true };
	struct spot whole = { .up = NULL }, at = { .up = &whole };
	json_t *json = json_object();
	const struct field *f;
	size_t i, before = fe->count;
	int rc;

	arena_defer(a, defer_json, json);
	for (i = 0; i < count; i++) {
		f = field_find(t, params[i].name);
		at.key = params[i].name;
		if (json_object_get(json, at.key) != NULL)
			field_fault(&r, &at, FIELD_ERR_DUPLICATE, "is given twice");
		else if (f != NULL && f->extra & FIELD_ARRAY)
			json_object_set_new(json, at.key,
			    list_from_text(f, params[i].value));
		else
			json_object_set_new(json, at.key,
			    value_from_text(f, params[i].value,
			        strlen(params[i].value)));
	}
	rc = read_whole(&r, json, t, record);
	return rc == 0 && fe->count == before ? 0 : -1;
}
