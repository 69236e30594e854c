/*
 * data_path.c - "order.id", "items[].name": places in the data of a template
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/data_path.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

struct visit {
	struct arena *a;
	void (*fn)(void *arg, const char *pointer, const json_t *value);
	void *arg;
};

size_t
data_path_root(const char *path)
{
	return strcspn(path, ".[");
}

/* What follows a name: past its "[]" and its dot. */
static const char *
after(const char *path, size_t len, bool *list_r)
{
	path += len;
	*list_r = strncmp(path, "[]", 2) == 0;
	if (*list_r)
		path += 2;
	return *path == '.' ? path + 1 : path;
}

bool
data_path_is_valid(const char *path)
{
	int depth = 0;
	size_t len;
	bool list;

	if (strlen(path) > DATA_PATH_BYTES_MAX)
		return false;
	do {
		len = strcspn(path, ".[]");
		if (len == 0 || ++depth > DATA_PATH_DEPTH_MAX)
			return false;
		if (path[len] != '\0' && path[len] != '.' &&
		    strncmp(path + len, "[]", 2) != 0)
			return false;
		path += len;
		list = *path == '[';
		path += list ? 2 : 0;
		if (*path != '\0' && *path != '.')
			return false;
		if (*path == '.' && path[1] == '\0')
			return false;
		path += *path == '.';
	} while (*path != '\0');
	return true;
}

bool
data_path_overlaps(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (*a == '\0' && (*b == '\0' || *b == '.' || *b == '[')) ||
	    (*b == '\0' && (*a == '.' || *a == '['));
}

/* The pointer of a member: "~" and "/" are escaped as RFC 6901 has it. */
static const char *
member(struct arena *a, const char *pointer, const char *name, size_t len)
{
	struct buf *out = buf_new(a, 65536);
	size_t i;

	buf_printf(out, "%s/", pointer);
	for (i = 0; i < len; i++) {
		if (name[i] == '~')
			buf_puts(out, "~0");
		else if (name[i] == '/')
			buf_puts(out, "~1");
		else
			buf_putc(out, name[i]);
	}
	return out->data;
}

/* What is not there: the place where it should be, as far as it can be named. */
static void
absent(struct visit *v, const char *path, const char *pointer)
{
	size_t len;
	bool list = false;

	while (*path != '\0' && !list) {
		len = data_path_root(path);
		pointer = member(v->a, pointer, path, len);
		path = after(path, len, &list);
	}
	v->fn(v->arg, pointer, NULL);
}

/* "Lists in lists" are not told apart: entries that are lists are what is given. */
static void
walk(struct visit *v, const json_t *data, const char *path,
    const char *pointer)
{
	const json_t *value;
	const char *rest, *below, *name;
	size_t len, i;
	bool list;

	if (*path == '\0') {
		v->fn(v->arg, pointer, json_is_null(data) ? NULL : data);
		return;
	}
	len = data_path_root(path);
	name = arena_strndup(v->a, path, len);
	value = json_object_get(data, name);
	if (value == NULL || json_is_null(value)) {
		absent(v, path, pointer);
		return;
	}
	rest = after(path, len, &list);
	below = member(v->a, pointer, path, len);
	if (!list) {
		walk(v, value, rest, below);
	} else if (!json_is_array(value)) {
		v->fn(v->arg, below, NULL);
	} else {
		for (i = 0; i < json_array_size(value); i++)
			walk(v, json_array_get(value, i), rest,
			    arena_printf(v->a, "%s/%zu", below, i));
	}
}

void
data_path_visit(struct arena *a, const json_t *data, const char *path,
    const char *pointer,
    void (*fn)(void *arg, const char *pointer, const json_t *value), void *arg)
{
	struct visit v = { a, fn, arg };

	walk(&v, data, path, pointer);
}

static void
look(void *arg, const char *pointer, const json_t *value)
{
	bool *given = arg;

	*given = *given && value != NULL;
}

bool
data_path_given(struct arena *a, const json_t *data, const char *path)
{
	bool given = true;

	data_path_visit(a, data, path, "", look, &given);
	return given;
}
