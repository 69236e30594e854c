/*
 * tenant.c - belfryctl tenant add, list, show, set, suspend, resume, remove
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/tenant.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "ctl/choice.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "ctl/setting.h"
#include "model/locale.h"
#include "model/tenant_deletion.h"
#include "notify/tenant_settings.h"
#include "web/field.h"
#include "web/field_form.h"

static const struct out_column columns[] = {
	{ "slug", "SLUG" },
	{ "name", "NAME" },
	{ "state", "STATE" },
	{ "default_locale", "LOCALE" },
	{ "time_zone", "TIME ZONE" },
	{ "created_at", "CREATED" },
	{ NULL, NULL },
};

static const struct out_column all_columns[] = {
	{ "slug", NULL },
	{ "name", NULL },
	{ "state", NULL },
	{ "test", NULL },
	{ "weight", NULL },
	{ "default_locale", "default locale" },
	{ "time_zone", "time zone" },
	{ "settings", NULL },
	{ "created_at", "created" },
	{ "updated_at", "updated" },
	{ NULL, NULL },
};

static json_t *
tenant_json(struct ctl *c, const struct tenant *t)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:b, s:i, s:s, s:s, s:o, s:o, s:o}",
	    "slug", t->slug, "id", (json_int_t)t->id.n, "name", t->name,
	    "state", tenant_state_name(t->state), "test", (int)t->test,
	    "weight", t->weight, "default_locale", t->default_locale,
	    "time_zone", t->time_zone, "settings",
	    t->settings != NULL ? json_incref(tenant_settings_read(c->a, t))
	                        : json_object(),
	    "created_at", out_time(t->created_ms), "updated_at",
	    out_time(t->updated_ms));
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

/* Takes over what options say of a tenant. */
static int
apply_options(struct ctl *c, struct tenant *t, struct err *e)
{
	int64_t weight = t->weight;

	t->name = or_else(ctl_value(c, "name"), t->name);
	t->default_locale = or_else(ctl_value(c, "locale"), t->default_locale);
	t->time_zone = or_else(ctl_value(c, "time-zone"), t->time_zone);
	if (ctl_number(c, "weight", 1, 1000, &weight, e) == -1)
		return -1;
	t->weight = (int)weight;
	if (choice_yes_no(c, "test", &t->test, e) == -1)
		return -1;
	return check(t, e);
}

int
command_tenant_add(struct ctl *c, struct err *e)
{
	const char *slug = ctl_argument(c, 0);
	struct tenant t = {
		.slug = slug,
		.name = slug,
		.default_locale = "en",
		.time_zone = "UTC",
		.weight = 1,
	};
	struct editor ed = ctl_editor(c);

	if (apply_options(c, &t, e) == -1 || tenant_create(&ed, &t, e) == -1)
		return -1;
	out_said(c, tenant_json(c, &t), "tenant \"%s\" was made", t.slug);
	return 0;
}

int
command_tenant_list(struct ctl *c, struct err *e)
{
	struct tenant_walk w = { .a = c->a, .db = c->db };
	json_t *rows = json_array();
	struct tenant *t;
	int rc;

	while ((rc = tenant_next(&w, &t, e)) == 1)
		json_array_append_new(rows, tenant_json(c, t));
	if (rc == -1) {
		json_decref(rows);
		return -1;
	}
	out_table(c, rows, columns, "there is no tenant");
	return 0;
}

static const struct out_column deletion_columns[] = {
	{ "slug", NULL },
	{ "state", NULL },
	{ "requested_by", "requested by" },
	{ "requested_at", "requested" },
	{ "removed", "rows removed" },
	{ "tables", NULL },
	{ "finished_at", "finished" },
	{ NULL, NULL },
};

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
		return err_set(e, ERR_NOT_FOUND, "there is no tenant \"%.63s\": \"belfryctl "
		    "tenant list\" lists them",
		    slug);
	return found == 1 ? 0 : -1;
}

/* How far the deletion came of which the slug speaks: 1, 0 when there is none, -1. */
static int
show_deletion(struct ctl *c, const char *slug, struct err *e)
{
	struct tenant_deletion *d;
	int rc = tenant_deletion_find(c->a, c->db, slug, &d, e);

	if (rc == 1)
		out_object(c,
		    json_pack("{s:s, s:s, s:s, s:o, s:I, s:o, s:o}", "slug",
		        slug, "state", d->finished_ms != 0 ? "deleted"
		                                           : "deleting",
		        "requested_by", d->requested_by, "requested_at",
		        out_time(d->requested_ms), "removed",
		        (json_int_t)d->removed, "tables", out_json(d->tables),
		        "finished_at", out_time(d->finished_ms)),
		    deletion_columns);
	return rc;
}

int
command_tenant_show(struct ctl *c, struct err *e)
{
	const char *slug = ctl_argument(c, 0);
	struct err other;

	if (choose(c, e) == -1) {
		if (e->kind == ERR_NOT_FOUND && slug != NULL &&
		    show_deletion(c, slug, &other) == 1)
			return 0;
		return -1;
	}
	if (c->tenant->state == TENANT_DELETING)
		return show_deletion(c, c->tenant->slug, e) == 1 ? 0 : -1;
	out_object(c, tenant_json(c, c->tenant), all_columns);
	return 0;
}

/* "a/b" of a JSON pointer as --set writes it: "a.b". */
static const char *
with_dots(struct arena *a, const char *pointer)
{
	char *text = arena_strdup(a, pointer), *p;

	for (p = text; (p = strchr(p, '/')) != NULL; p++)
		*p = '.';
	return text;
}

static int
apply_settings(struct ctl *c, json_t *settings, struct err *e)
{
	const struct field_table *table = &tenant_settings_table;
	struct field_errors fe;
	const char *text;
	size_t i = 0;

	while ((text = invocation_next(c->line, "unset", &i)) != NULL)
		if (setting_unset(table, settings, text, e) == -1)
			return -1;
	i = 0;
	while ((text = invocation_next(c->line, "set", &i)) != NULL)
		if (setting_set(c->a, table, settings, text, e) == -1)
			return -1;
	field_errors_init(&fe, c->a);
	if (tenant_settings_check(c->a, settings, &fe) == 0)
		return 0;
	return err_set(e, ERR_UNPROCESSABLE, "setting \"%s\": %s",
	    with_dots(c->a, fe.first->pointer + 1), fe.first->detail);
}

int
command_tenant_set(struct ctl *c, struct err *e)
{
	struct editor ed;
	struct keyring *ring;
	json_t *settings;

	if (ctl_need_option(c, e) == -1 || choose(c, e) == -1 ||
	    ctl_keyring(c, &ring, e) == -1 ||
	    tenant_settings_whole(c->a, ring, c->tenant, &settings, e) == -1 ||
	    apply_options(c, c->tenant, e) == -1 ||
	    apply_settings(c, settings, e) == -1 ||
	    tenant_settings_seal(c->a, ring, settings, c->tenant, e) == -1)
		return -1;
	ed = ctl_editor(c);
	if (tenant_update(&ed, c->tenant, NULL, e) == -1 || choose(c, e) == -1)
		return -1;
	out_object(c, tenant_json(c, c->tenant), all_columns);
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
	out_said(c, tenant_json(c, c->tenant), "tenant \"%s\" is %s",
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

int
command_tenant_remove(struct ctl *c, struct err *e)
{
	struct editor ed;

	if (!ctl_has(c, "yes"))
		return err_set(e, ERR_INVALID,
		    "everything that belongs to \"%.63s\" will be gone for "
		    "good: say --yes", ctl_argument(c, 0));
	if (choose(c, e) == -1)
		return -1;
	ed = ctl_editor(c);
	if (c->tenant->state != TENANT_DELETING &&
	    tenant_delete(&ed, c->tenant, e) == -1)
		return -1;
	return show_deletion(c, c->tenant->slug, e) == 1 ? 0 : -1;
}
