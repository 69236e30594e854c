/*
 * seed.c - belfryctl seed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/push.h"
#include "model/template_store.h"

enum { SEEDS_MAX = 1000 };

/* The option, the environment, the source tree that we stand in, or what is
 * installed. */
static const char *
find_templates(const struct ctl *c)
{
	const char *path = ctl_value(c, "templates");

	if (path == NULL)
		path = getenv("BELFRY_TEMPLATES");
	if (path == NULL &&
	    access("templates/welcome/template.json", R_OK) == 0)
		path = "templates";
	return path != NULL ? path : BELFRY_DATADIR "/templates";
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The directories below that hold a template, in order. */
static int
list_templates(struct arena *a, const char *top, const char **paths,
    size_t *count_r, struct err *e)
{
	DIR *dir = opendir(top);
	const struct dirent *entry;
	const char *path;
	size_t count = 0;

	if (dir == NULL)
		return err_set(e, ERR_NOT_FOUND,
		    "could not open the templates in \"%s\": %s; say where "
		    "they are with --templates",
		    top, strerror(errno));
	while ((entry = readdir(dir)) != NULL && count < SEEDS_MAX) {
		path = arena_printf(a, "%s/%s", top, entry->d_name);
		if (entry->d_name[0] != '.' &&
		    access(arena_printf(a, "%s/template.json", path), F_OK) ==
			0)
			paths[count++] = path;
	}
	closedir(dir);
	qsort(paths, count, sizeof(*paths), by_name);
	*count_r = count;
	return 0;
}

int
command_seed(struct ctl *c, struct err *e)
{
	const struct template_save how = { .mode = TEMPLATE_SAVE_SEED,
		.publish = true,
		.created_by = TEMPLATE_SEEDER };
	const char **paths = arena_zalloc(c->a, SEEDS_MAX, sizeof(*paths));
	size_t count = 0;

	if (list_templates(c->a, find_templates(c), paths, &count, e) == -1)
		return -1;
	return push_directories(c, paths, count, &how, e);
}
