/*
 * template.c - belfryctl template push, pull, list
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "ctl/push.h"
#include "model/template_dir.h"
#include "model/template_store.h"
#include "model/tenant.h"

enum { PAGE = 200 };

int
command_template_push(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	const struct template_save how = { .mode = TEMPLATE_SAVE,
		.publish = !ctl_has(c, "no-publish"),
		.created_by = ed.principal };

	return push_directories(c, c->line->arguments, c->line->arguments_count,
	    &how, e);
}

int
command_template_pull(struct ctl *c, struct err *e)
{
	const char *key = ctl_argument(c, 0), *path = ctl_argument(c, 1);
	struct template_version version;
	struct template_draft *draft;
	int64_t number = 0;
	int found;

	if (ctl_number(c, "number", 1, INT32_MAX, &number, e) == -1)
		return -1;
	found = template_draft_load(
	    c->a, c->db, c->tenant->id, key, (int)number, &draft, &version, e);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such version of a template \"%.63s\"", key);
	if (found == -1 || template_dir_write(c->a, path, draft, e) == -1)
		return -1;
	out_said(c,
	    json_pack("{s:s, s:i, s:s}", "key", key, "version", version.number,
		"directory", path),
	    "version %d of \"%s\" was written to %s", version.number, key,
	    path);
	return 0;
}

static const struct out_column columns[] = {
	{ "key", "KEY" },
	{ "name", "NAME" },
	{ "category", "CATEGORY" },
	{ "default_locale", "LOCALE" },
	{ "published_version", "IN USE" },
	{ "latest_version", "LATEST" },
	{ "updated_at", "CHANGED" },
	{ NULL, NULL },
};

static json_t *
row_json(const struct template_row *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:o, s:o}", "key",
	    r->key, "name", r->name, "description", r->description, "category",
	    r->category, "default_locale", r->default_locale,
	    "published_version",
	    r->published != 0 ? json_integer(r->published) : json_null(),
	    "latest_version", r->latest, "created_at", out_time(r->created_ms),
	    "updated_at", out_time(r->updated_ms));
}

int
command_template_list(struct ctl *c, struct err *e)
{
	json_t *rows = json_array();
	const char *after = "";
	struct template_row *list;
	size_t count, i;

	do {
		if (template_list(c->a, c->db, c->tenant->id, after, PAGE,
			&list, &count, e) == -1) {
			json_decref(rows);
			return -1;
		}
		for (i = 0; i < count; i++)
			json_array_append_new(rows, row_json(&list[i]));
		if (count > 0)
			after = list[count - 1].key;
	} while (count == PAGE);
	out_table(c, rows, columns,
	    "there is no template; \"belfryctl seed\" brings some");
	return 0;
}
