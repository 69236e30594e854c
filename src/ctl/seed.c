/*
 * seed.c - belfryctl seed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/push.h"
#include "model/template_store.h"

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

int
command_seed(struct ctl *c, struct err *e)
{
	const struct template_save how = { .mode = TEMPLATE_SAVE_SEED,
		.publish = true,
		.created_by = TEMPLATE_SEEDER };
	const char *path = find_templates(c);

	if (access(path, R_OK | X_OK) == -1)
		return err_set(e, ERR_NOT_FOUND,
		    "could not open the templates in \"%s\": %s; say where "
		    "they are with --templates",
		    path, strerror(errno));
	return push_directories(c, &path, 1, &how, e);
}
