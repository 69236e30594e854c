/*
 * preview.c - belfryctl template preview
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "model/locale.h"
#include "model/template.h"
#include "model/template_store.h"
#include "model/tenant.h"
#include "web/js.h"

enum { DATA_BYTES_MAX = 1 << 20 };

struct preview {
	struct ctl *c;
	struct template *tpl;
	const char *locale;
	json_t *data;
	json_t *parts; /* what was rendered, by name */
};

static void
defer_template(void *p)
{
	struct template *tpl = p;

	template_free(&tpl);
}

/* The sample for the locale, for its parents, or for the default locale. */
static json_t *
choose_sample(const struct preview *p, const struct template_draft *d)
{
	const char *locale = p->locale != NULL ? p->locale : d->default_locale;
	size_t len = strlen(locale);
	const char *name;
	json_t *sample;

	for (; len > 0; len = locale_parent(locale, len))
		json_object_foreach(d->sample, name, sample)
			if (locale_is(locale, len, name))
				return sample;
	return json_object_get(d->sample, d->default_locale);
}

static int
read_data(struct preview *p, const struct template_draft *d, struct err *e)
{
	struct ctl *c = p->c;
	const char *path = ctl_value(c, "data");
	char *text;
	size_t len;

	if (path == NULL) {
		p->data = choose_sample(p, d);
		if (p->data == NULL)
			p->data = js_keep(c->a, json_object());
		return 0;
	}
	if (ctl_read_file(c->a, path, DATA_BYTES_MAX, &text, &len, e) == -1 ||
	    js_parse(c->a, text, len, (int)c->config->api_json_depth, &p->data,
	        e) == -1)
		return -1;
	if (!json_is_object(p->data))
		return err_set(e, ERR_UNPROCESSABLE, "the data are no object");
	return 0;
}

static int
load(struct preview *p, struct err *e)
{
	struct ctl *c = p->c;
	const char *key = ctl_argument(c, 0);
	struct template_version version;
	struct template_draft *draft;
	struct template_row *row;
	int64_t number = 0;
	int found;

	if (ctl_number(c, "number", 1, INT32_MAX, &number, e) == -1)
		return -1;
	found = template_find(c->a, c->db, c->tenant->id, key, &row, e);
	if (found == 1)
		found = template_draft_load(c->a, c->db, c->tenant->id, key,
		    (int)number, &draft, &version, e);
	if (found == 1)
		found = template_load(c->a, c->db, c->tenant->id, row->id,
		    version.number, &p->tpl, e);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such version of a template \"%.63s\"", key);
	if (found == -1)
		return -1;
	arena_defer(c->a, defer_template, p->tpl);
	return read_data(p, draft, e);
}

static int
render(const struct preview *p, enum template_part part, struct err *e)
{
	const struct config *config = p->c->config;
	struct hbs_render_params params = {
		.escape = template_part_escape(part),
		.depth = (unsigned)config->template_depth_max,
		.nodes = (size_t)config->template_nodes_max,
	};
	struct buf *out =
	    buf_new(p->c->a, (size_t)config->template_output_max);
	const struct hbs_template *compiled;
	struct hbs_error fault;
	const char *locale;

	compiled = template_part(p->tpl, p->locale, part, &locale);
	if (compiled == NULL)
		return 0;
	if (hbs_render(compiled, p->data, &params, out, &fault) == -1)
		return err_set(e, ERR_UNPROCESSABLE, "%s/%s:%d:%d: %s", locale,
		    template_part_name(part), fault.line, fault.column,
		    fault.text);
	json_object_set_new(p->parts, template_part_name(part),
	    json_stringn(out->data, out->len));
	return 0;
}

static int
render_all(const struct preview *p, struct err *e)
{
	const char *only = ctl_value(p->c, "part");
	enum template_part part;
	int i;

	if (only == NULL) {
		for (i = 0; i < TEMPLATE_PART_COUNT; i++)
			if (render(p, (enum template_part)i, e) == -1)
				return -1;
		return 0;
	}
	part = template_part_parse(only, strlen(only));
	if (part == TEMPLATE_PART_COUNT)
		return err_set(
		    e, ERR_INVALID, "there is no part \"%.40s\"", only);
	if (render(p, part, e) == -1)
		return -1;
	if (json_object_size(p->parts) == 0)
		return err_set(
		    e, ERR_NOT_FOUND, "the template has no part \"%s\"", only);
	return 0;
}

static void
print_part(struct buf *out, const char *name, const char *text, bool only)
{
	if (!only)
		buf_printf(out, "---- %s\n", name);
	buf_puts(out, text);
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_putc(out, '\n');
}

static void
print(const struct preview *p)
{
	struct buf *out = buf_new(p->c->a, SIZE_MAX / 2);
	const char *name;
	json_t *text;

	if (p->c->json) {
		out_said(p->c,
		    json_pack("{s:s, s:i, s:O}", "key", p->tpl->key, "version",
		        p->tpl->version, "parts", p->parts),
		    "%s", "");
		return;
	}
	json_object_foreach(p->parts, name, text)
		print_part(out, name, json_string_value(text),
		    ctl_has(p->c, "part"));
	out_raw(out->data, out->len);
}

int
command_template_preview(struct ctl *c, struct err *e)
{
	struct preview p = { .c = c, .locale = ctl_value(c, "locale") };

	if (p.locale != NULL && !locale_is_valid(p.locale))
		return err_set(e, ERR_INVALID, "\"%.40s\" is not a locale",
		    p.locale);
	if (load(&p, e) == -1)
		return -1;
	p.parts = js_keep(c->a, json_object());
	if (render_all(&p, e) == -1)
		return -1;
	print(&p);
	return 0;
}
