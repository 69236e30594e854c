/*
 * identity.c - as whom a tenant sends by an account of the platform
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/identity.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "provider/provider.h"
#include "web/field.h"
#include "web/js.h"

static const struct field *
find(const struct provider_ops *ops, const char *name)
{
	size_t i;

	for (i = 0; i < ops->settings->count; i++)
		if (strcmp(field_name(&ops->settings->fields[i]), name) == 0)
			return &ops->settings->fields[i];
	return NULL;
}

bool
identity_allows(const json_t *allowed, const char *text)
{
	const char *at = strrchr(text, '@'), *one;
	size_t i;

	for (i = 0; i < json_array_size(allowed); i++) {
		one = json_string_value(json_array_get(allowed, i));
		if (one != NULL && (strcasecmp(one, text) == 0 ||
		        (at != NULL && strcasecmp(one, at + 1) == 0)))
			return true;
	}
	return false;
}

/* The text of a setting, or of a list the first one, that is not allowed; or NULL. */
static const char *
stranger(const json_t *value, const json_t *allowed)
{
	const json_t *one;
	size_t i;

	if (json_is_string(value))
		return identity_allows(allowed, json_string_value(value))
		    ? NULL
		    : json_string_value(value);
	json_array_foreach(value, i, one)
		if (json_is_string(one) &&
		    !identity_allows(allowed, json_string_value(one)))
			return json_string_value(one);
	return NULL;
}

static int
fault(struct field_errors *fe, const char *name, struct err *e)
{
	return field_errors_add(fe, arena_printf(fe->a, "/%s", name),
	    FIELD_ERR_NOT_ALLOWED, "%s", e->text);
}

int
identity_check(const struct provider_ops *ops, const json_t *own,
    const json_t *allowed, struct field_errors *fe, struct err *e)
{
	const struct field *f;
	const char *name, *text;
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)own, name, value)
	{
		f = find(ops, name);
		if (f == NULL ||
		    (f->flags & (FIELD_IDENTITY | FIELD_SENDER)) == 0) {
			(void)err_set(e, ERR_UNPROCESSABLE, "setting \"%.60s\": "
			    "it belongs to the platform", name);
			return fault(fe, name, e);
		}
		text = f->flags & FIELD_SENDER ? stranger(value, allowed) : NULL;
		if (text != NULL) {
			(void)err_set(e, ERR_UNPROCESSABLE, "setting \"%.60s\": the "
			    "platform does not allow to send as \"%.200s\"", name,
			    text);
			return fault(fe, name, e);
		}
	}
	return 0;
}

static bool
is_sender(const struct field *f)
{
	return (f->flags & FIELD_SENDER) && !(f->extra & FIELD_ARRAY);
}

void
identity_put(const struct provider_ops *ops, json_t *whole, const json_t *own)
{
	const struct field *f;
	bool sends = false;
	size_t i;

	for (i = 0; i < ops->settings->count; i++) {
		f = &ops->settings->fields[i];
		sends |= is_sender(f) &&
		    json_object_get(own, field_name(f)) != NULL;
	}
	for (i = 0; i < ops->settings->count; i++) {
		f = &ops->settings->fields[i];
		if ((f->flags & FIELD_SENDER) && (sends || !is_sender(f)))
			json_object_del(whole, field_name(f));
	}
	json_object_update(whole, (json_t *)(uintptr_t)own);
}

json_t *
identity_rest(struct arena *a, const struct provider_ops *ops,
    const json_t *own, const json_t *allowed)
{
	json_t *rest = js_keep(a, json_object()), *value;
	const struct field *f;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)own, name, value)
	{
		f = find(ops, name);
		if (f != NULL && (!(f->flags & FIELD_SENDER) ||
		                     stranger(value, allowed) == NULL))
			json_object_set(rest, name, value);
	}
	return rest;
}
