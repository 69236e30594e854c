/*
 * template_tree.c - directories of templates, one beside the other
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_template(struct arena *a, const char *path)
{
	return access(arena_printf(a, "%s/template.json", path), F_OK) == 0;
}

static int
add(struct template_tree *tree, struct arena *a, const char *path,
    struct err *e)
{
	if (tree->paths == NULL)
		tree->paths = arena_zalloc(a, TEMPLATE_TREE_MAX,
		    sizeof(*tree->paths));
	if (tree->count == TEMPLATE_TREE_MAX)
		return err_set(e, ERR_UNPROCESSABLE,
		    "there are more than %d templates", TEMPLATE_TREE_MAX);
	tree->paths[tree->count++] = path;
	return 0;
}

int
template_tree_add_below(struct arena *a, const char *top,
    struct template_tree *tree, struct err *e)
{
	DIR *dir = opendir(top);
	const struct dirent *entry;
	size_t first = tree->count;
	const char *path;
	int rc = 0;

	if (dir == NULL)
		return errno == ENOENT || errno == ENOTDIR
		    ? 0
		    : err_set(e, ERR_INTERNAL, "could not open \"%s\": %s",
			  top, strerror(errno));
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		path = arena_printf(a, "%s/%s", top, entry->d_name);
		if (entry->d_name[0] != '.' && is_template(a, path))
			rc = add(tree, a, path, e);
	}
	closedir(dir);
	if (tree->count > first)
		qsort(tree->paths + first, tree->count - first,
		    sizeof(*tree->paths), by_name);
	return rc;
}

int
template_tree_add(struct arena *a, const char *path,
    struct template_tree *tree, struct err *e)
{
	size_t first = tree->count;

	if (is_template(a, path))
		return add(tree, a, path, e);
	if (template_tree_add_below(a, arena_printf(a, "%s/_layouts", path),
	        tree, e) == -1 ||
	    template_tree_add_below(a, arena_printf(a, "%s/_partials", path),
	        tree, e) == -1 ||
	    template_tree_add_below(a, path, tree, e) == -1)
		return -1;
	if (tree->count == first)
		return err_set(e, ERR_NOT_FOUND,
		    "could not find a template.json in \"%s\", nor in a "
		    "directory below it", path);
	return 0;
}
