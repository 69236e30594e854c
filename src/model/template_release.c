/*
 * template_release.c - layouts and partials as they are in use together
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template_release.h"

#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "model/template.h"

/* A release is a list and a few members. */
enum { CHUNK_BYTES = 1024, MEMBERS_STEP = 16 };

struct template_release *
template_release_new(int number)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct template_release *r = arena_object(a, struct template_release);

	r->a = a;
	r->number = number;
	r->held = 1;
	return r;
}

void
template_release_add(struct template_release *r, struct template *member)
{
	struct template **more;

	if (r->count % MEMBERS_STEP == 0) {
		more = arena_zalloc(r->a, r->count + MEMBERS_STEP,
		    sizeof(struct template *));
		if (r->count > 0)
			memcpy(more, r->members, r->count * sizeof(*more));
		r->members = more;
	}
	r->members[r->count++] = member;
}

static int
read_members(struct template_release *r, json_t *list, struct err *e)
{
	struct template *member;
	json_t *json;
	size_t i;

	json_array_foreach(list, i, json)
	{
		if (template_from_json(json, &member, e) == -1)
			return -1;
		template_release_add(r, member);
	}
	return 0;
}

int
template_release_from_text(const char *text, size_t len, int number,
    struct template_release **release_r, struct err *e)
{
	struct template_release *r = template_release_new(number);
	json_t *list = json_loadb(text, len, 0, NULL);
	int rc = json_is_array(list)
	    ? read_members(r, list, e)
	    : err_set(e, ERR_INTERNAL, "the stored release is broken");

	json_decref(list);
	if (rc == -1)
		template_release_drop(&r);
	else
		*release_r = r;
	return rc;
}

struct template_release *
template_release_hold(struct template_release *r)
{
	if (r != NULL)
		r->held++;
	return r;
}

void
template_release_drop(struct template_release **rp)
{
	struct template_release *r = *rp;
	struct arena *a;
	size_t i;

	*rp = NULL;
	if (r == NULL)
		return;
	ensure(r->held > 0);
	if (--r->held > 0)
		return;
	for (i = 0; i < r->count; i++)
		template_free(&r->members[i]);
	a = r->a;
	arena_free(&a);
}

const struct template *
template_release_find(const struct template_release *r, const char *prefix,
    const char *name, size_t len)
{
	size_t skip = strlen(prefix), i;
	const char *key;

	for (i = 0; r != NULL && i < r->count; i++) {
		key = r->members[i]->key;
		if (strncmp(key, prefix, skip) == 0 &&
		    strlen(key + skip) == len &&
		    memcmp(key + skip, name, len) == 0)
			return r->members[i];
	}
	return NULL;
}
