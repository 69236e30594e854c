/*
 * tenant.c - belfryctl tenant add, list, show, suspend, resume
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/tenant.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/locale.h"
#include "web/field_form.h"

enum { PAGE = 200 };

static const struct out_column columns[] = {
	{ "slug", "SLUG" },
	{ "name", "NAME" },
	{ "state", "STATE" },
	{ "default_locale", "LOCALE" },
	{ "time_zone", "TIME ZONE" },
	{ "created_at", "CREATED" },
	{ NULL, NULL },
};

static json_t *
tenant_json(const struct tenant *t)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:i, s:s, s:s, s:o}", "slug",
	    t->slug, "id", (json_int_t)t->id.n, "name", t->name, "state",
	    tenant_state_name(t->state), "weight", t->weight, "default_locale",
	    t->default_locale, "time_zone", t->time_zone, "created_at",
	    out_time(t->created_ms));
}

static int
check(const struct tenant *t, struct err *e)
{
	if (!text_is_slug(t->slug))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the slug \"%.80s\" is not made of a-z, 0-9 and \"-\"",
		    t->slug);
	if (!locale_is_valid(t->default_locale))
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%.80s\" is not a locale", t->default_locale);
	if (!form_is_zone(t->time_zone))
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%.80s\" is not a time zone", t->time_zone);
	if (text_has_control(t->name))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the name has control characters");
	return 0;
}

static const char *
or_else(const char *given, const char *otherwise)
{
	return given != NULL ? given : otherwise;
}

int
command_tenant_add(struct ctl *c, struct err *e)
{
	const char *slug = ctl_argument(c, 0);
	struct tenant t = {
		.slug = slug,
		.name = or_else(ctl_value(c, "name"), slug),
		.default_locale = or_else(ctl_value(c, "locale"), "en"),
		.time_zone = or_else(ctl_value(c, "time-zone"), "UTC"),
		.weight = 1,
	};
	struct editor ed = ctl_editor(c);

	if (check(&t, e) == -1 || tenant_create(&ed, &t, e) == -1)
		return -1;
	out_said(c, tenant_json(&t), "tenant \"%s\" was made", t.slug);
	return 0;
}

int
command_tenant_list(struct ctl *c, struct err *e)
{
	json_t *rows = json_array();
	const char *after = "";
	struct tenant *list;
	size_t count, i;

	do {
		if (tenant_list(c->a, c->db, after, PAGE, &list, &count, e) ==
		    -1) {
			json_decref(rows);
			return -1;
		}
		for (i = 0; i < count; i++)
			json_array_append_new(rows, tenant_json(&list[i]));
		if (count > 0)
			after = list[count - 1].slug;
	} while (count == PAGE);
	out_table(c, rows, columns, "there is no tenant");
	return 0;
}

/* The tenant that the argument names, or else the option or the only one. */
static int
choose(struct ctl *c, struct err *e)
{
	const char *slug = ctl_argument(c, 0);
	int found;

	if (slug == NULL)
		return ctl_open_tenant(c, e);
	found = tenant_find(c->a, c->db, slug, &c->tenant, e);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no tenant \"%.63s\"",
		    slug);
	return found == 1 ? 0 : -1;
}

int
command_tenant_show(struct ctl *c, struct err *e)
{
	if (choose(c, e) == -1)
		return -1;
	out_object(c, tenant_json(c->tenant), columns);
	return 0;
}

static int
set_state(struct ctl *c, enum tenant_state state, struct err *e)
{
	struct editor ed;

	if (choose(c, e) == -1)
		return -1;
	ed = ctl_editor(c);
	if (tenant_set_state(&ed, state, e) == -1)
		return -1;
	c->tenant->state = state;
	out_said(c, tenant_json(c->tenant), "tenant \"%s\" is %s",
	    c->tenant->slug, tenant_state_name(state));
	return 0;
}

int
command_tenant_suspend(struct ctl *c, struct err *e)
{
	return set_state(c, TENANT_SUSPENDED, e);
}

int
command_tenant_resume(struct ctl *c, struct err *e)
{
	return set_state(c, TENANT_ACTIVE, e);
}
