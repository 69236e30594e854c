/*
 * author.c - templates in directories, without a database
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/author.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "model/template.h"
#include "model/template_dir.h"
#include "model/template_draft.h"
#include "model/template_release.h"
#include "model/template_tree.h"
#include "notify/fallback.h"
#include "notify/preview.h"
#include "web/js.h"

static void
defer_template(void *p)
{
	struct template *tpl = p;

	template_free(&tpl);
}

static void
defer_release(void *p)
{
	struct template_release *r = p;

	template_release_drop(&r);
}

/* A draft without faults as the database would hand it out. */
static int
compile(struct ctl *c, const struct template_draft *d, struct template **tpl_r,
    struct err *e)
{
	json_t *json = js_keep(c->a,
	    json_pack("{s:s, s:s, s:s, s:s, s:i, s:s*, s:b, s:O, s:O}", "id",
	        "00000000-0000-0000-0000-000000000000", "key", d->key,
	        "category", d->category, "default_locale", d->default_locale,
	        "version", 0, "layout", d->layout, "unsubscribe",
	        (int)d->unsubscribe, "variables", d->variables, "parts",
	        d->parts));

	return template_from_json(json, tpl_r, e);
}

/* Makes a release of what can be compiled.  Whoever lints sees the faults of the rest when
 * its turn comes. */
static int
read_shared(struct ctl *c, const char *top, struct template_release **release_r,
    struct err *e)
{
	struct template_release *release = template_release_new(0);
	static const char *const places[] = { "_layouts", "_partials" };
	struct template_tree tree = { .count = 0 };
	struct template_faults faults;
	struct template_draft *draft;
	struct template *tpl;
	size_t i;

	arena_defer(c->a, defer_release, release);
	for (i = 0; i < NELEMS(places); i++)
		if (template_tree_add_below(c->a,
		        arena_printf(c->a, "%s/%s", top, places[i]), &tree,
		        e) == -1)
			return -1;
	for (i = 0; i < tree.count; i++) {
		if (template_dir_read(c->a, tree.paths[i], &draft, e) == -1)
			return -1;
		template_faults_init(&faults, c->a);
		if (template_check(draft, &faults) == -1)
			continue;
		if (compile(c, draft, &tpl, e) == -1)
			return -1;
		template_release_add(release, tpl);
	}
	*release_r = release;
	return 0;
}

/* Tells the faults.  True when what is left without the faulty parts can be looked at. */
static bool
leave_out_faulty(struct ctl *c, const struct author_work *w,
    const struct author_job *job, const struct template_faults *faults)
{
	struct template_faults rest;
	const struct template_fault *f;

	for (f = faults->first; f != NULL; f = f->next)
		job->fault(c, w, f, job->arg);
	for (f = faults->first; f != NULL; f = f->next)
		if (f->part != NULL)
			json_object_del(
			    json_object_get(w->draft->parts, f->locale),
			    f->part);
	template_faults_init(&rest, c->a);
	return template_check(w->draft, &rest) == 0;
}

/* Tells where the layout should stand, which may well be in the database alone. */
static int
check_layout(struct ctl *c, const struct author_work *w, struct err *e)
{
	const char *name = w->draft->layout;

	if (name == NULL || template_release_find(w->tpl->release,
	                        TEMPLATE_LAYOUT, name, strlen(name)) != NULL)
		return 0;
	return err_set(e, ERR_UNPROCESSABLE,
	    "there is no layout without faults in %s/../_layouts/%.63s: pull "
	    "\"%s%.63s\" to there", w->path, name, TEMPLATE_LAYOUT, name);
}

static int
work(struct ctl *c, const char *path, const struct author_job *job,
    struct err *e)
{
	struct author_work w = { .path = path };
	struct template_release *release;
	struct template_faults faults;
	struct template *tpl;

	if (template_dir_read(c->a, path, &w.draft, e) == -1)
		return -1;
	template_faults_init(&faults, c->a);
	if (template_check(w.draft, &faults) == -1 ||
	    fallback_check_draft(w.draft, &faults) == -1) {
		if (job->fault == NULL)
			return template_faults_err(w.draft, &faults, e);
		if (!leave_out_faulty(c, &w, job, &faults))
			return 0;
	}
	if (compile(c, w.draft, &tpl, e) == -1)
		return -1;
	arena_defer(c->a, defer_template, tpl);
	if (read_shared(c, arena_printf(c->a, "%s/%s", path,
	                       template_is_shared(w.draft->key) ? "../.."
	                                                        : ".."),
	        &release, e) == -1)
		return -1;
	tpl->release = template_release_hold(release);
	w.tpl = tpl;
	if (job->fault == NULL && check_layout(c, &w, e) == -1)
		return -1;
	return job->fn(c, &w, job->arg, e);
}

int
author_each(struct ctl *c, const struct author_job *job, struct err *e)
{
	struct template_tree tree = { .count = 0 };
	size_t i;

	for (i = 0; i < c->line->arguments_count; i++)
		if (template_tree_add(c->a, c->line->arguments[i], &tree, e) ==
		    -1)
			return -1;
	for (i = 0; i < tree.count; i++)
		if (work(c, tree.paths[i], job, e) == -1)
			return -1;
	return 0;
}

json_t *
author_preview(struct ctl *c, const struct author_work *w, const char *locale,
    const char *only)
{
	struct preview_params p = { .config = c->config,
		.tpl = w->tpl,
		.wish = { .locale = locale },
		.only = only };

	p.data = preview_data(c->a, w->draft, &p.wish, NULL, NULL, NULL);
	return preview_render(c->a, &p);
}
