/*
 * template.c - belfryctl template push, pull, list, and versions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "ctl/push.h"
#include "model/template_diff.h"
#include "model/template_dir.h"
#include "model/template_draft.h"
#include "model/template_store.h"
#include "model/tenant.h"

enum { PAGE = 200 };

int
command_template_push(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	const struct template_save how = { .mode = TEMPLATE_SAVE,
		.publish = !ctl_has(c, "draft"),
		.created_by = ed.principal };

	return push_directories(c, c->line->arguments, c->line->arguments_count,
	    &how, e);
}

/* A directory of another name is pushed as another template. */
static const char *
pushed_as(struct arena *a, const char *key, const char *path)
{
	const char *other = template_dir_key(a, path);

	return strcmp(other, key) == 0
	    ? ""
	    : arena_printf(a, "; pushed from there it is \"%s\", as the directory "
	      "is called", other);
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
		    "there is no such version of a template \"%.63s\": \"belfryctl "
		    "template list\" lists them", key);
	if (found == -1 || template_dir_write(c->a, path, draft, e) == -1)
		return -1;
	out_said(c,
	    json_pack("{s:s, s:i, s:s}", "key", key, "version", version.number,
		"directory", path),
	    "version %d of \"%s\" was written to %s%s", version.number, key,
	    path, pushed_as(c->a, key, path));
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

/* ---- Versions -------------------------------------------------------------- */

static int
find(struct ctl *c, struct template_row **row_r, struct err *e)
{
	const char *key = ctl_argument(c, 0);
	int rc = template_find(c->a, c->db, c->tenant->id, key, row_r, e);

	return rc == 0 ? err_set(e, ERR_NOT_FOUND,
			     "there is no template \"%.80s\": \"belfryctl "
			     "template list\" lists them", key)
	     : rc == 1 ? 0
		       : -1;
}

static const struct out_column version_columns[] = {
	{ "version", "VERSION" },
	{ "state", "STATE" },
	{ "created_at", "MADE" },
	{ "created_by", "BY" },
	{ "published_at", "PUT INTO USE" },
	{ "published_by", "BY" },
	{ "published_as", "AS" },
	{ NULL, NULL },
};

static json_t *
version_json(const struct template_version *v, int in_use)
{
	return json_pack("{s:i, s:s, s:o, s:s, s:o, s:s?, s:s?}", "version",
	    v->number, "state",
	    v->number == in_use                 ? "published"
	    : v->published_as != TEMPLATE_NEVER ? "retired"
						: "draft",
	    "created_at", out_time(v->created_ms), "created_by", v->created_by,
	    "published_at", out_time(v->published_ms), "published_by",
	    v->published_by, "published_as",
	    template_way_name(v->published_as));
}

int
command_template_versions(struct ctl *c, struct err *e)
{
	struct template_version *list;
	struct template_row *row;
	json_t *rows;
	size_t count, i;
	int before = 0;

	if (find(c, &row, e) == -1)
		return -1;
	rows = json_array();
	do {
		if (template_versions(c->a, c->db, c->tenant->id, row->id,
		        before, PAGE, &list, &count, e) == -1) {
			json_decref(rows);
			return -1;
		}
		for (i = 0; i < count; i++)
			json_array_append_new(rows,
			    version_json(&list[i], row->published));
		if (count > 0)
			before = list[count - 1].number;
	} while (count == PAGE);
	out_table(c, rows, version_columns, "there is no version");
	return 0;
}

static int
put_into_use(struct ctl *c, enum template_way way, struct err *e)
{
	const char *key = ctl_argument(c, 0);
	struct editor ed = ctl_editor(c);
	struct template_row *row;
	int64_t number = 0;
	int in_use;

	if (ctl_number_argument(c, 1, "VERSION", &number, e) == -1 ||
	    find(c, &row, e) == -1 ||
	    template_publish(&ed, key, (int)number, way, 0, &in_use, e) == -1)
		return -1;
	out_said(c, json_pack("{s:s, s:i}", "key", key, "version", in_use),
	    "version %d of \"%s\" is in use", in_use, key);
	return 0;
}

int
command_template_publish(struct ctl *c, struct err *e)
{
	return put_into_use(c, TEMPLATE_BY_PUBLISH, e);
}

int
command_template_rollback(struct ctl *c, struct err *e)
{
	return put_into_use(c, TEMPLATE_BY_ROLLBACK, e);
}

/* ---- Diff -------------------------------------------------------------------- */

static int
load(struct ctl *c, int number, struct template_draft **draft_r,
    struct err *e)
{
	const char *key = ctl_argument(c, 0);
	int rc = template_draft_load(c->a, c->db, c->tenant->id, key, number,
	    draft_r, NULL, e);

	return rc == 0 ? err_set(e, ERR_NOT_FOUND,
			     "the template \"%.80s\" has no version %d", key,
			     number)
	     : rc == 1 ? 0
		       : -1;
}

static void
print_changes(const struct ctl *c, json_t *changes, int from, int to)
{
	struct buf *out = buf_new(c->a, SIZE_MAX / 2);
	const char *path, *what;
	json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
	{
		path = json_string_value(json_object_get(change, "path"));
		what = json_string_value(json_object_get(change, "change"));
		if (strcmp(what, "added") == 0)
			buf_puts(out, "--- /dev/null\n");
		else
			buf_printf(out, "--- %s\tversion %d\n", path, from);
		if (strcmp(what, "removed") == 0)
			buf_puts(out, "+++ /dev/null\n");
		else
			buf_printf(out, "+++ %s\tversion %d\n", path, to);
		buf_puts(out,
		    json_string_value(json_object_get(change, "diff")));
	}
	out_raw(out->data, out->len);
}

int
command_template_diff(struct ctl *c, struct err *e)
{
	int64_t from = 0, to = 0;
	struct template_draft *old, *new;
	struct template_row *row;
	json_t *changes;

	if (ctl_number_argument(c, 1, "FROM", &from, e) == -1 ||
	    ctl_number_argument(c, 2, "TO", &to, e) == -1 ||
	    find(c, &row, e) == -1)
		return -1;
	from = from != 0 ? from : row->published;
	to = to != 0 ? to : row->latest;
	if (from == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "no version of \"%s\" is in use: say from which one",
		    row->key);
	if (load(c, (int)from, &old, e) == -1 || load(c, (int)to, &new, e) == -1)
		return -1;
	changes = template_diff(c->a, old, new);
	if (!c->json) {
		print_changes(c, changes, (int)from, (int)to);
		return 0;
	}
	out_said(c,
	    json_pack("{s:s, s:I, s:I, s:O}", "key", row->key, "from", from,
	        "to", to, "changes", changes),
	    "%s", "");
	return 0;
}
