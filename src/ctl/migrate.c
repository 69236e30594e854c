/*
 * migrate.c - belfryctl migrate
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/migrate.h"

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "db/db.h"

static void
note(void *arg, const char *name)
{
	json_array_append_new(arg, json_string(name));
}

int
command_migrate(struct ctl *c, struct err *e)
{
	struct db_params params = ctl_db_params(c, false);
	struct db *db = db_new(c->a, &params);
	json_t *applied = json_array(), *name;
	size_t i;

	if (migrate_up(db, c->a, note, applied, e) == -1) {
		json_decref(applied);
		return -1;
	}
	json_array_foreach(applied, i, name)
		if (!c->json)
			out_said(
			    c, NULL, "applied %s", json_string_value(name));
	out_said(c,
	    json_pack("{s:o, s:i}", "applied", applied, "version",
	        migrate_latest()),
	    "the schema has version %d", migrate_latest());
	return 0;
}
