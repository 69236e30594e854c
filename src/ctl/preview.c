/*
 * preview.c - belfryctl template preview
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "ctl/choice.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "ctl/show_preview.h"
#include "model/locale.h"
#include "model/template.h"
#include "model/template_part.h"
#include "model/template_store.h"
#include "model/tenant.h"
#include "notify/preview.h"
#include "web/js.h"

enum { DATA_BYTES_MAX = 1 << 20 };

static void
defer_template(void *p)
{
	struct template *tpl = p;

	template_free(&tpl);
}

static int
refuse_part(struct arena *a, const char *name, struct err *e)
{
	const char *names[TEMPLATE_PART_COUNT + 1] = { NULL };
	int i;

	for (i = 0; i < TEMPLATE_PART_COUNT; i++)
		names[i] = template_part_name((enum template_part)i);
	return choice_refuse(a, "part", name, names, e);
}

int
preview_options(struct ctl *c, struct preview_params *p, json_t **data_r,
    struct err *e)
{
	const char *path = ctl_value(c, "data");
	char *text;
	size_t len;

	p->config = c->config;
	p->wish.locale = ctl_value(c, "locale");
	p->only = ctl_value(c, "part");
	if (p->wish.locale != NULL && !locale_is_valid(p->wish.locale))
		return err_set(e, ERR_INVALID, "\"%.40s\" is not a locale",
		    p->wish.locale);
	if (p->only != NULL && template_part_parse(p->only, strlen(p->only)) ==
	                           TEMPLATE_PART_COUNT)
		return refuse_part(c->a, p->only, e);
	*data_r = NULL;
	if (path == NULL)
		return 0;
	if (ctl_read_file(c->a, path, DATA_BYTES_MAX, &text, &len, e) == -1 ||
	    js_parse(c->a, text, len, (int)c->config->api_json_depth, data_r,
	        e) == -1)
		return -1;
	if (!json_is_object(*data_r))
		return err_set(e, ERR_UNPROCESSABLE, "the data are no object");
	return 0;
}

/* The template as it would be sent now, and as its author wrote it. */
static int
load(struct ctl *c, struct template **tpl_r, struct template_draft **draft_r,
    struct err *e)
{
	const char *key = ctl_argument(c, 0);
	struct template_version version;
	struct template_row *row;
	int64_t number = 0;
	int found;

	if (ctl_number(c, "number", 1, INT32_MAX, &number, e) == -1)
		return -1;
	found = template_find(c->a, c->db, c->tenant->id, key, &row, e);
	if (found == 1)
		found = template_draft_load(c->a, c->db, c->tenant->id, key,
		    (int)number, draft_r, &version, e);
	if (found == 1)
		found = template_load(c->a, c->db, c->tenant->id, row->id,
		    version.number, TEMPLATE_RELEASE_NOW, tpl_r, e);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such version of a template \"%.80s\": \"belfryctl "
		    "template list\" lists them", key);
	if (found == -1)
		return -1;
	arena_defer(c->a, defer_template, *tpl_r);
	return 0;
}

int
command_template_preview(struct ctl *c, struct err *e)
{
	struct preview_params p = { .only = NULL };
	struct template_draft *draft;
	struct template *tpl;
	json_t *data;

	if (preview_options(c, &p, &data, e) == -1 ||
	    load(c, &tpl, &draft, e) == -1)
		return -1;
	p.tpl = tpl;
	p.wish.fallback = c->tenant->default_locale;
	p.time_zone = c->tenant->time_zone;
	p.data = preview_data(c->a, draft, &p.wish, data, NULL,
	    preview_tenant(c->a, c->tenant));
	return show_preview(c, &p, preview_render(c->a, &p), e);
}
