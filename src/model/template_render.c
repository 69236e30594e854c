/*
 * template_render.c - a part of a template with its layout, partials and messages
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * {{> name}} is the partial's part of the same name: an email.html calls the email.html
 * of "partial:name".  Layout and partials are looked up by the same locales as the part.
 */
#include "model/template_render.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/log.h"
#include "model/template.h"
#include "model/template_draft.h"
#include "model/template_release.h"

enum { LOG_TEXT_BYTES = 1000 };

/* What the renderer calls a layout in its errors; no partial has such a name. */
static const char layout_name[] = "@layout";

struct run {
	const struct template_rendering *rn;
	enum template_part part;
	const struct template *layout; /* NULL: none */
};

static const struct template *
find_member(const struct run *run, const char *prefix, const char *name)
{
	return template_release_find(run->rn->tpl->release, prefix, name,
	    strlen(name));
}

static const struct hbs_template *
part_of(const struct run *run, const struct template *tpl,
    const char **locale_r)
{
	return tpl == NULL ? NULL
			   : template_part(tpl, &run->rn->wish, run->part,
				 locale_r);
}

/* ---- What the renderer asks for --------------------------------------------------- */

static int
find_partial(void *arg, const char *name, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	const struct run *run = arg;
	const struct hbs_template *found = part_of(run,
	    template_release_find(run->rn->tpl->release, TEMPLATE_PARTIAL, name,
	        len),
	    NULL);

	if (found == NULL)
		return 0;
	*tpl_r = found;
	return 1;
}

/* The template's own message, or one of its layout and of the partials. */
static int
find_message(void *arg, const char *key, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	const struct run *run = arg;
	const struct template_release *release = run->rn->tpl->release;
	const struct locale_wish *wish = &run->rn->wish;
	const struct hbs_template *found =
	    template_message(run->rn->tpl, wish, key, len);
	size_t i;

	if (found == NULL && run->layout != NULL)
		found = template_message(run->layout, wish, key, len);
	for (i = 0; found == NULL && release != NULL && i < release->count; i++)
		if (strncmp(release->members[i]->key, TEMPLATE_PARTIAL,
		        strlen(TEMPLATE_PARTIAL)) == 0)
			found = template_message(release->members[i], wish, key,
			    len);
	if (found == NULL)
		return 0;
	*tpl_r = found;
	return 1;
}

static void
tell_missing(void *arg, const char *path, size_t len)
{
	const struct run *run = arg;

	if (run->rn->missing != NULL)
		run->rn->missing(run->rn->arg, path, len);
}

/* What {{log}} says may be somebody's data, so whatever level it names, ours is debug. */
static void
tell_log(void *arg, enum hbs_log_level level, const char *text, size_t len)
{
	static const char *const levels[] = {
		[HBS_LOG_DEBUG] = "debug",
		[HBS_LOG_INFO] = "info",
		[HBS_LOG_WARN] = "warn",
		[HBS_LOG_ERROR] = "error",
	};
	const struct run *run = arg;
	char shown[LOG_TEXT_BYTES];

	snprintf(shown, sizeof(shown), "%.*s", (int)len, text);
	log_debug(NULL, "template says", LF_STR("template", run->rn->tpl->key),
	    LF_STR("part", template_part_name(run->part)),
	    LF_STR("as", levels[level]), LF_STR("text", shown));
}

/* ---- Rendering ------------------------------------------------------------------- */

void
template_rendering_limit(struct template_rendering *rn,
    const struct config *config)
{
	rn->depth = (unsigned)config->template_depth_max;
	rn->nodes = (size_t)config->template_nodes_max;
}

/* Where an error of the renderer stands among our sources. */
static void
locate(const struct run *run, const char *own_locale,
    struct template_trouble *t)
{
	const char *name = t->e.partial;
	const struct hbs_template *source;

	if (name[0] == '\0')
		t->tpl = run->rn->tpl;
	else if (strcmp(name, layout_name) == 0)
		t->tpl = run->layout;
	else
		t->tpl = find_member(run, TEMPLATE_PARTIAL, name);
	t->part = run->part;
	t->locale = own_locale;
	source = part_of(run, t->tpl, &t->locale);
	if (source != NULL)
		t->source = hbs_source(source, &t->len);
}

/* Texts are formatted as the reader is used to, unless they are in another
 * language: "de" for somebody in Austria is told with Austrian numbers. */
static const char *
format_locale(const struct template_rendering *rn, const char *found)
{
	const char *wished = rn->wish.locale;
	size_t len = strlen(found);

	if (wished != NULL && strncasecmp(wished, found, len) == 0 &&
	    (wished[len] == '-' || wished[len] == '\0'))
		return wished;
	return found;
}

static int
find_layout(struct run *run, struct template_trouble *t)
{
	const char *name = run->rn->tpl->layout;

	if (name == NULL)
		return 0;
	run->layout = find_member(run, TEMPLATE_LAYOUT, name);
	if (run->layout != NULL)
		return 0;
	snprintf(t->e.text, sizeof(t->e.text),
	    "the layout \"%.63s\" is not in use", name);
	t->tpl = run->rn->tpl;
	t->part = run->part;
	return -1;
}

int
template_render(const struct template_rendering *rn, enum template_part part,
    struct buf *out, const char **locale_r, struct template_trouble *t)
{
	struct run run = { .rn = rn, .part = part };
	struct hbs_render_params params = {
		.escape = template_part_escape(part),
		.depth = rn->depth,
		.nodes = rn->nodes,
		.calls = { .partial = find_partial, .message = find_message,
		    .missing = tell_missing, .log = tell_log, .arg = &run },
		.layout_name = layout_name,
		.time_zone = rn->time_zone,
		.now_ms = rn->now_ms,
	};
	const struct hbs_template *own;
	const char *locale;

	*t = (struct template_trouble){ .tpl = NULL };
	own = part_of(&run, rn->tpl, &locale);
	if (own == NULL)
		return 0;
	if (locale_r != NULL)
		*locale_r = locale;
	if (find_layout(&run, t) == -1)
		return -1;
	params.layout = part_of(&run, run.layout, NULL);
	params.locale = format_locale(rn, locale);
	if (hbs_render(own, rn->data, &params, out, &t->e) == 0)
		return 1;
	locate(&run, locale, t);
	return -1;
}

void
template_list_paths(const struct template_rendering *rn,
    enum template_part part,
    void (*fn)(void *arg, const char *path, size_t len), void *arg)
{
	struct run run = { .rn = rn, .part = part };
	const struct hbs_template *own = part_of(&run, rn->tpl, NULL);
	struct template_trouble ignored;

	if (own == NULL)
		return;
	hbs_list_paths(own, fn, arg);
	if (find_layout(&run, &ignored) == 0 &&
	    part_of(&run, run.layout, NULL) != NULL)
		hbs_list_paths(part_of(&run, run.layout, NULL), fn, arg);
}

const char *
template_trouble_place(struct arena *a, const struct template_trouble *t)
{
	return arena_printf(a, "%s/%s%s%s", t->tpl != NULL ? t->tpl->key : "?",
	    t->locale != NULL ? t->locale : "", t->locale != NULL ? "/" : "",
	    template_part_name(t->part));
}
