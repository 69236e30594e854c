/*
 * push.c - directories of templates into the database
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/push.h"

#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/edit.h"
#include "model/template_dir.h"
#include "model/template_draft.h"
#include "model/template_store.h"
#include "model/template_tree.h"
#include "model/tenant.h"
#include "notify/fallback.h"

static const struct out_column columns[] = {
	{ "key", "KEY" },
	{ "outcome", "OUTCOME" },
	{ "version", "VERSION" },
	{ NULL, NULL },
};

static void
tell_faults(struct ctl *c, const char *path, const struct template_draft *d,
    const struct template_faults *faults)
{
	const struct template_fault *f;

	if (c->faults == NULL)
		c->faults = json_array();
	for (f = faults->first; f != NULL; f = f->next)
		json_array_append_new(c->faults,
		    json_pack("{s:s, s:s}", "place",
		        template_dir_place(c->a, path, d, f), "text", f->text));
}

static int
read_all(struct ctl *c, const char *const *paths, size_t count,
    struct template_draft **drafts, struct err *e)
{
	struct template_faults faults;
	size_t i;

	for (i = 0; i < count; i++) {
		if (template_dir_read(c->a, paths[i], &drafts[i], e) == -1)
			return -1;
		template_faults_init(&faults, c->a);
		if (template_check(drafts[i], &faults) == -1 ||
		    fallback_check_draft(drafts[i], &faults) == -1)
			tell_faults(c, paths[i], drafts[i], &faults);
	}
	if (c->faults == NULL)
		return 0;
	return err_set(e, ERR_UNPROCESSABLE,
	    "nothing was stored: %zu fault%s in the templates",
	    json_array_size(c->faults),
	    json_array_size(c->faults) == 1 ? "" : "s");
}

static int
save_all(struct ctl *c, struct template_draft *const *drafts, size_t count,
    const struct template_save *how, json_t *rows, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct template_saved saved;
	size_t i;

	for (i = 0; i < count; i++) {
		if (template_save(&ed, drafts[i], how, &saved, e) == -1)
			return -1;
		json_array_append_new(
		    rows, json_pack("{s:s, s:s, s:i}", "key", drafts[i]->key,
			      "outcome", template_outcome_name(saved.outcome),
			      "version", saved.number));
	}
	return 0;
}

/* The layout that a draft names goes along from "_layouts" beside it, when the tenant has
 * none of that name in use: a template can be pushed alone. */
static int
take_layout(struct ctl *c, const char *path, struct template_tree *tree,
    struct err *e)
{
	struct template_draft *d;
	struct template_row *row;
	const char *beside;
	size_t i;
	int rc;

	if (template_dir_read(c->a, path, &d, e) == -1)
		return -1;
	if (d->layout == NULL)
		return 0;
	beside = arena_printf(c->a, "%s/../_layouts/%s", path, d->layout);
	for (i = 0; i < tree->count; i++)
		if (template_dir_is_same(tree->paths[i], beside))
			return 0;
	rc = template_find(c->a, c->db, c->tenant->id,
	    arena_printf(c->a, TEMPLATE_LAYOUT "%s", d->layout), &row, e);
	if (rc == -1 || (rc == 1 && row->published != 0) ||
	    access(beside, F_OK) == -1)
		return rc == -1 ? -1 : 0;
	return template_tree_add(c->a, beside, tree, e);
}

/* The paths that the arguments stand for, layouts that are needed first. */
static int
collect(struct ctl *c, const char *const *paths, size_t count,
    struct template_tree *tree, struct err *e)
{
	struct template_tree own = { .count = 0 };
	size_t i;

	for (i = 0; i < count; i++)
		if (template_tree_add(c->a, paths[i], &own, e) == -1)
			return -1;
	for (i = 0; i < own.count; i++)
		if (strstr(own.paths[i], "/_layouts/") != NULL &&
		    template_tree_add(c->a, own.paths[i], tree, e) == -1)
			return -1;
	for (i = 0; i < own.count; i++)
		if (take_layout(c, own.paths[i], tree, e) == -1)
			return -1;
	for (i = 0; i < own.count; i++)
		if (strstr(own.paths[i], "/_layouts/") == NULL &&
		    template_tree_add(c->a, own.paths[i], tree, e) == -1)
			return -1;
	return 0;
}

int
push_directories(struct ctl *c, const char *const *paths, size_t count,
    const struct template_save *how, struct err *e)
{
	struct template_tree tree = { .count = 0 };
	struct template_draft **drafts;
	json_t *rows;

	if (collect(c, paths, count, &tree, e) == -1)
		return -1;
	drafts = arena_zalloc(c->a, tree.count, sizeof(struct template_draft *));
	if (read_all(c, tree.paths, tree.count, drafts, e) == -1)
		return -1;
	rows = json_array();
	if (save_all(c, drafts, tree.count, how, rows, e) == -1) {
		json_decref(rows);
		return -1;
	}
	out_table(c, rows, columns, "there was no template");
	return 0;
}
