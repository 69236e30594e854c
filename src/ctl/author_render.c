/*
 * author_render.c - belfryctl template render, template test
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a part should become stands in expected/LOCALE/PART below the template's
 * directory, byte for byte but for a line end at the end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/author.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "ctl/show_preview.h"
#include "model/line_diff.h"
#include "model/template.h"
#include "model/template_draft.h"
#include "notify/preview.h"
#include "web/js.h"

enum { EXPECTED_BYTES_MAX = 4 << 20 };

static const char *
text(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

/* ---- Files ------------------------------------------------------------------------ */

static int
cannot(const char *what, const char *path, struct err *e)
{
	return err_set(e, ERR_INTERNAL, "could not %s \"%s\": %s", what, path,
	    strerror(errno));
}

/* The directory and those above it. */
static int
make_directories(struct arena *a, const char *path, struct err *e)
{
	char *p = arena_strdup(a, path), *slash = p;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		if (mkdir(p, 0777) == -1 && errno != EEXIST)
			return cannot("make the directory", p, e);
		*slash = '/';
	}
	if (mkdir(p, 0777) == -1 && errno != EEXIST)
		return cannot("make the directory", p, e);
	return 0;
}

static int
write_text(struct arena *a, const char *directory, const char *name,
    const char *content, struct err *e)
{
	const char *path = arena_printf(a, "%s/%s", directory, name);
	size_t n = strlen(content);
	FILE *f;
	bool bad;

	if (make_directories(a, directory, e) == -1)
		return -1;
	f = fopen(path, "we");
	if (f == NULL)
		return cannot("write", path, e);
	fputs(content, f);
	if (n > 0 && content[n - 1] != '\n')
		fputc('\n', f);
	bad = ferror(f) != 0;
	if (fclose(f) != 0 || bad)
		return cannot("write", path, e);
	return 0;
}

/* ---- render ------------------------------------------------------------------------- */

static int
write_parts(struct ctl *c, const char *directory, json_t *preview,
    struct err *e)
{
	json_t *parts = json_object_get(preview, "parts"), *part;
	const char *name;

	json_object_foreach(parts, name, part)
		if (text(part, "output") != NULL &&
		    write_text(c->a, directory, name, text(part, "output"), e) ==
		        -1)
			return -1;
	return 0;
}

static int
render_one(struct ctl *c, const struct author_work *w, void *arg, struct err *e)
{
	const char *directory = ctl_value(c, "out");
	struct preview_params *p = arg;
	json_t *data = (json_t *)(uintptr_t)p->data, *preview;

	p->tpl = w->tpl;
	p->data = preview_data(c->a, w->draft, &p->wish, data, NULL, NULL);
	preview = preview_render(c->a, p);
	if (directory != NULL &&
	    json_integer_value(json_object_get(preview, "errors")) == 0)
		return write_parts(c, directory, preview, e);
	return show_preview(c, p, preview, e);
}

int
command_template_render(struct ctl *c, struct err *e)
{
	struct preview_params p = { .only = NULL };
	const struct author_job job = { render_one, NULL, &p };
	json_t *data;

	if (preview_options(c, &p, &data, e) == -1)
		return -1;
	p.data = data;
	return author_each(c, &job, e);
}

/* ---- test ---------------------------------------------------------------------------- */

struct result {
	json_t *failed; /* {"place", "text"}; "text" may have many lines */
	size_t rendered, compared;
};

static void
fail(struct result *r, const char *place, const char *why)
{
	json_array_append_new(r->failed,
	    json_pack("{s:s, s:s}", "place", place, "text", why));
}

/* Without the line ends at the end. */
static const char *
body(struct arena *a, const char *s)
{
	size_t n = strlen(s);

	while (n > 0 && s[n - 1] == '\n')
		n--;
	return arena_printf(a, "%.*s\n", (int)n, s);
}

static int
compare(struct ctl *c, struct result *r, const char *directory,
    const char *name, const char *output, struct err *e)
{
	const char *path = arena_printf(c->a, "%s/%s", directory, name);
	struct buf *diff = buf_new(c->a, 4 * EXPECTED_BYTES_MAX);
	char *want;
	size_t len;

	if (ctl_has(c, "update"))
		return write_text(c->a, directory, name, output, e);
	if (access(path, F_OK) == -1)
		return 0;
	if (ctl_read_file(c->a, path, EXPECTED_BYTES_MAX, &want, &len, e) == -1)
		return -1;
	r->compared++;
	line_diff(c->a, body(c->a, want), body(c->a, output), diff);
	if (diff->len > 0)
		fail(r, path, arena_printf(c->a, "something else was "
		    "rendered:\n%.*s", (int)diff->len - 1, diff->data));
	return 0;
}

static int
test_locale(struct ctl *c, const struct author_work *w, struct result *r,
    const char *locale, struct err *e)
{
	json_t *parts = json_object_get(author_preview(c, w, locale, NULL),
	    "parts"), *part, *error;
	const char *name, *directory;

	directory = arena_printf(c->a, "%s/expected/%s", w->path, locale);
	json_object_foreach(parts, name, part) {
		error = json_object_get(part, "error");
		r->rendered++;
		if (error != NULL)
			fail(r, arena_printf(c->a, "%s: %s, %s", w->path, locale,
			             name),
			    text(error, "excerpt")[0] != '\0'
			        ? text(error, "excerpt")
			        : text(error, "text"));
		else if (compare(c, r, directory, name, text(part, "output"),
		             e) == -1)
			return -1;
	}
	return 0;
}

static int
test_one(struct ctl *c, const struct author_work *w, void *arg, struct err *e)
{
	const char *locale;
	json_t *unused;

	if (template_is_shared(w->draft->key))
		return 0;
	json_object_foreach(w->draft->parts, locale, unused)
		if (test_locale(c, w, arg, locale, e) == -1)
			return -1;
	return 0;
}

static void
print(struct ctl *c, const struct result *r)
{
	struct buf *out = buf_new(c->a, SIZE_MAX / 2);
	json_t *failure;
	size_t i;

	json_array_foreach(r->failed, i, failure)
		buf_printf(out, "%s: %s\n", text(failure, "place"),
		    text(failure, "text"));
	buf_printf(out, "%zu parts rendered, %zu compared, %zu failed\n",
	    r->rendered, r->compared, json_array_size(r->failed));
	out_raw(out->data, out->len);
}

int
command_template_test(struct ctl *c, struct err *e)
{
	struct result r = { .failed = js_keep(c->a, json_array()) };
	const struct author_job job = { test_one, NULL, &r };

	if (author_each(c, &job, e) == -1)
		return -1;
	if (c->json)
		out_said(c,
		    json_pack("{s:I, s:I, s:O}", "rendered",
		        (json_int_t)r.rendered, "compared",
		        (json_int_t)r.compared, "failed", r.failed),
		    "%s", "");
	else
		print(c, &r);
	if (json_array_size(r.failed) > 0)
		c->status = CTL_EXIT_FAILED;
	return 0;
}
