/*
 * field.c - a JSON object as a C struct and one table of its fields
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What all users of a table share: names, faults, the mask of what was given and
 * the check that a table does not contradict itself.  field_read.c, field_write.c
 * and field_schema.c do the work.
 */
#include "web/field.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"

static const struct {
	const char *text;
	const char *help;
} codes[] = {
#define X(name, code, help) [FIELD_ERR_##name] = { code, help },
#include "web/field_code.def"
#undef X
};

const char *
field_code_text(enum field_code code)
{
	ensure(code < NELEMS(codes));
	return codes[code].text;
}

const char *
field_code_help(enum field_code code)
{
	ensure(code < NELEMS(codes));
	return codes[code].help;
}

const char *
field_name(const struct field *f)
{
	return f->as != NULL ? f->as : f->name;
}

void
field_errors_init(struct field_errors *fe, struct arena *a)
{
	*fe = (struct field_errors){ .a = a };
}

int
field_errors_add(struct field_errors *fe, const char *pointer,
    enum field_code code, const char *fmt, ...)
{
	struct field_error *error;
	va_list ap;

	if (fe->count++ >= FIELD_ERRORS_MAX)
		return -1;
	error = arena_object(fe->a, struct field_error);
	error->pointer = arena_strdup(fe->a, pointer);
	error->code = code;
	va_start(ap, fmt);
	error->detail = arena_vprintf(fe->a, fmt, ap);
	va_end(ap);
	if (fe->last != NULL)
		fe->last->next = error;
	else
		fe->first = error;
	fe->last = error;
	return -1;
}

void
field_errors_prefix(struct field_errors *fe, size_t count, const char *prefix)
{
	struct field_error *error = fe->first;
	size_t i;

	for (i = 0; error != NULL; error = error->next, i++)
		if (i >= count && error->pointer != NULL)
			error->pointer = arena_printf(fe->a, "%s%s", prefix,
			    error->pointer);
}

static uint64_t
member_bit(const struct field_table *t, const void *record, const void *member)
{
	size_t offset = (size_t)((const char *)member - (const char *)record);
	size_t i;

	for (i = 0; i < t->count; i++)
		if (t->fields[i].offset == offset)
			return UINT64_C(1) << i;
	panic("table \"%s\" has no field at offset %zu", t->name, offset);
}

static const struct field_mask *
mask_of(const struct field_table *t, const void *record)
{
	return (const void *)((const char *)record + t->mask_offset);
}

bool
fields_given(const struct field_table *t, const void *record,
    const void *member)
{
	return (mask_of(t, record)->given & member_bit(t, record, member)) != 0;
}

bool
fields_null(const struct field_table *t, const void *record, const void *member)
{
	return (mask_of(t, record)->null & member_bit(t, record, member)) != 0;
}

static void
check_field(const struct field_table *t, const struct field *f)
{
	const char *name = field_name(f);

	if ((f->type == FIELD_ENUM) != (f->words != NULL))
		panic("%s.%s: words are for enums", t->name, name);
	if ((f->type == FIELD_OBJECT) != (f->table != NULL))
		panic("%s.%s: tables are for objects", t->name, name);
	if (f->max != 0 && f->min > f->max)
		panic("%s.%s: min is above max", t->name, name);
	if ((f->flags & FIELD_REQUIRED) && (f->flags & FIELD_DEFAULT))
		panic("%s.%s: required, but with a default", t->name, name);
	if ((f->flags & FIELD_ONE_OR_MANY) && !(f->extra & FIELD_ARRAY))
		panic("%s.%s: one or many is for lists", t->name, name);
	if (f->extra & FIELD_ARRAY && f->type == FIELD_JSON)
		panic("%s.%s: lists of any JSON are not known", t->name, name);
	if (f->extra & FIELD_ARRAY && (f->max < 1 || f->max > 10000))
		panic("%s.%s: a list needs a maximum", t->name, name);
	if (f->flags & FIELD_UNIQUE && f->max > 256)
		panic("%s.%s: too long a list for \"unique\"", t->name, name);
	if (f->help == NULL)
		panic("%s.%s: has no help", t->name, name);
	if (f->type == FIELD_OBJECT)
		fields_check(f->table);
}

void
fields_check(const struct field_table *t)
{
	size_t i, j;

	if (t->count > FIELDS_PER_TABLE_MAX)
		panic("table \"%s\" has too many fields", t->name);
	for (i = 0; i < t->count; i++) {
		check_field(t, &t->fields[i]);
		for (j = 0; j < i; j++)
			if (strcmp(field_name(&t->fields[i]),
			        field_name(&t->fields[j])) == 0)
				panic("table \"%s\" has \"%s\" twice", t->name,
				    field_name(&t->fields[i]));
	}
}
