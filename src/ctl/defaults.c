/*
 * defaults.c - belfryctl template defaults, tenant quiet-hours
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/choice.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/template_store.h"
#include "model/tenant.h"
#include "notify/fallback.h"
#include "notify/tenant_settings.h"
#include "web/field.h"
#include "web/js.h"

enum { DEPTH_MAX = 8 };

static int
parse(struct ctl *c, const char *text, json_t **json_r, struct err *e)
{
	return js_parse(c->a, text, strlen(text), DEPTH_MAX, json_r, e);
}

/* ---- Templates ------------------------------------------------------------------- */

static const struct out_column template_columns[] = {
	{ "key", NULL },
	{ "fallback", NULL },
	{ "quiet_exempt", "sent in quiet hours" },
	{ NULL, NULL },
};

static int
read_defaults(struct ctl *c, struct template_defaults *d, struct err *e)
{
	const char *order = ctl_value(c, "fallback");
	struct fallback fallback;
	json_t *json;

	d->set_fallback = order != NULL;
	if (order != NULL && strcmp(order, "none") != 0) {
		if (parse(c, order, &json, e) == -1 ||
		    fallback_read(c->a, json, &fallback, e) == -1)
			return -1;
		d->fallback = order;
	}
	d->set_quiet_exempt = ctl_has(c, "quiet-exempt");
	return choice_yes_no(c, "quiet-exempt", &d->quiet_exempt, e);
}

int
command_template_defaults(struct ctl *c, struct err *e)
{
	const char *key = ctl_argument(c, 0);
	struct template_defaults d = { .fallback = NULL };
	struct editor ed = ctl_editor(c);
	json_t *order = NULL;

	if (read_defaults(c, &d, e) == -1 ||
	    template_set_defaults(&ed, key, &d, e) == -1 ||
	    (d.fallback != NULL && parse(c, d.fallback, &order, e) == -1))
		return -1;
	out_object(c,
	    json_pack("{s:s, s:O?, s:b}", "key", key, "fallback", order,
	        "quiet_exempt", d.quiet_exempt),
	    template_columns);
	return 0;
}

/* ---- Tenants ---------------------------------------------------------------------- */

static const struct out_column tenant_columns[] = {
	{ "slug", NULL },
	{ "quiet_hours", "quiet hours" },
	{ NULL, NULL },
};

static int
check(struct ctl *c, json_t *json, struct err *e)
{
	json_t *settings = js_keep(c->a,
	    json_pack("{s:O}", "quiet_hours", json));
	struct field_errors fe;

	field_errors_init(&fe, c->a);
	if (tenant_settings_check(c->a, settings, &fe) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "%s", fe.first->detail);
}

static int
set(struct ctl *c, const char *text, struct err *e)
{
	struct editor ed;
	json_t *json;

	if (strcmp(text, "none") == 0)
		text = NULL;
	else if (parse(c, text, &json, e) == -1 || check(c, json, e) == -1)
		return -1;
	ed = ctl_editor(c);
	return tenant_set_quiet_hours(&ed, text, e);
}

int
command_tenant_quiet_hours(struct ctl *c, struct err *e)
{
	const char *slug = ctl_argument(c, 0), *text = ctl_argument(c, 1);
	int found = tenant_find(c->a, c->db, slug, &c->tenant, e);

	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no tenant \"%.63s\": \"belfryctl "
		    "tenant list\" lists them",
		    slug);
	if (found == -1 || (text != NULL && set(c, text, e) == -1) ||
	    tenant_find(c->a, c->db, slug, &c->tenant, e) == -1)
		return -1;
	out_object(c,
	    json_pack("{s:s, s:O?}", "slug", slug, "quiet_hours",
	        json_object_get(tenant_settings_read(c->a, c->tenant),
	            "quiet_hours")),
	    tenant_columns);
	return 0;
}
