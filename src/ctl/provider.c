/*
 * provider.c - belfryctl provider kinds, add, list, show, set, enable, disable,
 * remove
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "ctl/setting.h"
#include "model/channel.h"
#include "model/provider_account.h"
#include "model/tenant.h"
#include "notify/health_report.h"
#include "provider/limits.h"
#include "provider/provider.h"
#include "provider/settings.h"
#include "web/field.h"
#include "web/js.h"

enum { PAGE = 200 };

/* ---- Kinds
 * ------------------------------------------------------------------ */

static const struct out_column kind_columns[] = {
	{ "kind", "KIND" },
	{ "channel", "CHANNEL" },
	{ "settings_text", "SETTINGS (* required)" },
	{ NULL, NULL },
};

static json_t *
setting_json(const struct field *f)
{
	const char *const *word = f->words;
	json_t *words = json_array();

	for (; word != NULL && *word != NULL; word++)
		json_array_append_new(words, json_string(*word));
	if (word == NULL) {
		json_decref(words);
		words = NULL;
	}
	return json_pack("{s:s, s:b, s:b, s:s*, s:o*}", "setting",
	    field_name(f), "required", (f->flags & FIELD_REQUIRED) != 0,
	    "secret", (f->flags & FIELD_SECRET) != 0, "help", f->help, "values",
	    words);
}

static int
no_kind(const char *kind, struct err *e)
{
	return err_set(e, ERR_UNPROCESSABLE,
	    "there is no provider kind \"%.60s\": \"belfryctl provider kinds\" "
	    "lists what there is", kind);
}

static json_t *
kind_json(struct arena *a, const struct provider_ops *ops)
{
	const struct field_table *t = ops->settings;
	json_t *settings = json_object();
	const char *text = "";
	size_t i;

	for (i = 0; i < t->count; i++) {
		const struct field *f = &t->fields[i];

		text = arena_printf(a, "%s%s%s%s", text, i > 0 ? ", " : "",
		    field_name(f), (f->flags & FIELD_REQUIRED) != 0 ? "*" : "");
		json_object_set_new(settings, field_name(f), setting_json(f));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "kind", ops->kind,
	    "channel", channel_name((int)ops->channel), "summary", ops->summary,
	    "settings_text", text, "settings", settings);
}

static const struct out_column setting_columns[] = {
	{ "setting", "SETTING" },
	{ "required", "REQUIRED" },
	{ "secret", "SECRET" },
	{ "values", "VALUES" },
	{ "help", "WHAT IT IS" },
	{ NULL, NULL },
};

/* The settings of one kind, each with what it is for. */
static int
show_kind(struct ctl *c, const char *kind, struct err *e)
{
	const struct provider_ops *ops = provider_ops_find(kind);
	json_t *rows;
	size_t i;

	if (ops == NULL)
		return no_kind(kind, e);
	rows = json_array();
	for (i = 0; i < ops->settings->count; i++)
		json_array_append_new(rows,
		    setting_json(&ops->settings->fields[i]));
	out_table(c, rows, setting_columns, "there is nothing to set");
	return 0;
}

int
command_provider_kinds(struct ctl *c, struct err *e)
{
	const struct provider_ops *const *all;
	json_t *rows;
	size_t count, i;

	if (ctl_argument(c, 0) != NULL)
		return show_kind(c, ctl_argument(c, 0), e);
	rows = json_array();
	all = provider_ops_all(&count);
	for (i = 0; i < count; i++)
		if (all[i] != NULL)
			json_array_append_new(rows, kind_json(c->a, all[i]));
	out_table(c, rows, kind_columns, "there is no kind of provider");
	return 0;
}

/* ---- Showing
 * ------------------------------------------------------------------ */

static const struct out_column columns[] = {
	{ "name", "NAME" },
	{ "kind", "KIND" },
	{ "channel", "CHANNEL" },
	{ "state", "STATE" },
	{ "priority", "PRIORITY" },
	{ "weight", "WEIGHT" },
	{ "limits", "LIMITS" },
	{ "settings", "SETTINGS" },
	{ NULL, NULL },
};

/* One account, with how it is doing. */
static const struct out_column shown[] = {
	{ "name", "NAME" },
	{ "kind", "KIND" },
	{ "channel", "CHANNEL" },
	{ "state", "STATE" },
	{ "priority", "PRIORITY" },
	{ "weight", "WEIGHT" },
	{ "limits", "LIMITS" },
	{ "settings", "SETTINGS" },
	{ "allowed", "ALLOWED" },
	{ "health", "HEALTH" },
	{ NULL, NULL },
};

static json_t *
account_json(const struct provider_account *p)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&p->id.u, id);
	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:o, s:b, s:i, s:o, s:o, "
	    "s:b, s:o*}",
	    "id", id, "name", p->name, "kind", p->kind, "channel",
	    channel_name((int)p->channel), "state",
	    provider_state_name(p->state), "priority", p->priority, "weight",
	    p->weight, "limits", out_json(p->limits != NULL ? p->limits : "{}"),
	    "settings", out_json(p->settings), "has_secrets",
	    p->sealed != NULL, "version", p->version, "created_at",
	    out_time(p->created_ms), "updated_at", out_time(p->updated_ms),
	    "shared", provider_account_is_shared(p), "allowed",
	    p->allowed != NULL ? out_json(p->allowed) : NULL);
}

int
command_provider_list(struct ctl *c, struct err *e)
{
	json_t *rows = json_array();
	const char *after = "";
	struct provider_account *list;
	size_t count, i;

	do {
		if (provider_account_list(c->a, c->db, c->tenant->id, after,
			PAGE, &list, &count, e) == -1) {
			json_decref(rows);
			return -1;
		}
		for (i = 0; i < count; i++)
			json_array_append_new(rows, account_json(&list[i]));
		if (count > 0)
			after = list[count - 1].name;
	} while (count == PAGE);
	out_table(c, rows, columns, "there is no provider");
	return 0;
}

static int
find(struct ctl *c, struct provider_account **p_r, struct err *e)
{
	const char *name = ctl_argument(c, 0);
	int found = provider_account_find(c->a, c->db, c->tenant->id, name, p_r,
	    e);

	if (found == 0)
		return err_set(
		    e, ERR_NOT_FOUND, "there is no provider \"%.63s\": "
		    "\"belfryctl provider list\" lists them", name);
	return found == 1 ? 0 : -1;
}

int
command_provider_show(struct ctl *c, struct err *e)
{
	struct provider_account *p;
	struct health_question q = { .recovery_ms = c->config->retry_recovery };
	json_t *account, *health;

	if (find(c, &p, e) == -1)
		return -1;
	q.account = p;
	if (health_report(c->a, c->db, &q, &health, e) == -1)
		return -1;
	account = account_json(p);
	json_object_set(account, "health", health);
	out_object(c, account, shown);
	return 0;
}

/* ---- Changing
 * ------------------------------------------------------------------ */

/* Puts what the options --set and --unset say into "settings". */
static int
apply_settings(struct ctl *c, const struct provider_ops *ops, json_t *settings,
    struct err *e)
{
	const char *text;
	size_t i = 0;

	while ((text = invocation_next(c->line, "unset", &i)) != NULL)
		if (setting_unset(ops->settings, settings, text, e) == -1)
			return -1;
	i = 0;
	while ((text = invocation_next(c->line, "set", &i)) != NULL)
		if (setting_set(c->a, ops->settings, settings, text, e) == -1)
			return -1;
	return 0;
}

static int
apply_order(struct ctl *c, struct provider_account *p, struct err *e)
{
	int64_t priority = p->priority, weight = p->weight;

	if (ctl_number(c, "priority", 0, 1000, &priority, e) == -1 ||
	    ctl_number(c, "weight", 1, 1000, &weight, e) == -1)
		return -1;
	p->priority = (int)priority;
	p->weight = (int)weight;
	return 0;
}

/* Puts what the options --limit say into the account; "--limit KEY=" takes one away. */
static int
apply_limits(struct ctl *c, struct provider_account *p, struct err *e)
{
	struct field_errors fe;
	json_t *limits;
	const char *text;
	size_t i = 0, n;

	field_errors_init(&fe, c->a);
	if (provider_account_is_shared(p) && ctl_has(c, "limit"))
		return err_set(e, ERR_FORBIDDEN, "the platform limits it");
	if (p->limits == NULL)
		p->limits = "{}";
	if (js_parse(c->a, p->limits, strlen(p->limits), 4, &limits, e) == -1)
		return -1;
	while ((text = invocation_next(c->line, "limit", &i)) != NULL) {
		n = strcspn(text, "=");
		if (text[n] == '=' && text[n + 1] == '\0') {
			if (setting_unset(&account_limits_table, limits,
			        arena_strndup(c->a, text, n), e) == -1)
				return -1;
		} else if (setting_set(c->a, &account_limits_table, limits,
		               text, e) == -1) {
			return -1;
		}
	}
	return limits_set(c->a, limits, p, &fe, e);
}

static int
seal_settings(struct ctl *c, struct provider_account *p, json_t *settings,
    struct err *e)
{
	struct keyring *ring;
	struct field_errors fe;

	field_errors_init(&fe, c->a);
	if (ctl_keyring(c, &ring, e) == -1)
		return -1;
	if (settings_seal(c->a, ring, settings, p, &fe, e) == 0)
		return 0;
	return fe.first != NULL && fe.first->next != NULL
	    ? ctl_refuse(c, &fe, "the settings have errors", e)
	    : -1;
}

static int
find_kind(struct ctl *c, const struct provider_ops **ops_r, struct err *e)
{
	const char *kind = ctl_value(c, "kind");

	if (kind == NULL)
		return err_set(e, ERR_INVALID, "--kind is missing: \"belfryctl "
		    "provider kinds\" lists what there is");
	*ops_r = provider_ops_find(kind);
	return *ops_r != NULL ? 0 : no_kind(kind, e);
}

int
command_provider_add(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct provider_account p = {
		.tenant = ed.tenant,
		.id = { uuid_make() },
		.name = ctl_argument(c, 0),
		.state = ctl_has(c, "disabled") ? PROVIDER_DISABLED
		                                : PROVIDER_ENABLED,
		.priority = 10,
		.weight = 1,
		.version = 1,
	};
	const struct provider_ops *ops;
	json_t *settings = js_keep(c->a, json_object());

	if (!text_is_slug(p.name))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the name \"%.80s\" is not made of a-z, 0-9 and \"-\"",
		    p.name);
	if (find_kind(c, &ops, e) == -1 || apply_order(c, &p, e) == -1 ||
	    apply_limits(c, &p, e) == -1 ||
	    apply_settings(c, ops, settings, e) == -1)
		return -1;
	p.kind = ops->kind;
	if (seal_settings(c, &p, settings, e) == -1 ||
	    provider_account_create(&ed, &p, e) == -1)
		return -1;
	out_said(c, account_json(&p), "provider \"%s\" was added", p.name);
	return 0;
}

int
command_provider_set(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	const struct provider_ops *ops;
	struct provider_account *p;
	struct keyring *ring;
	json_t *settings;

	if (ctl_need_option(c, e) == -1 || find(c, &p, e) == -1 ||
	    ctl_keyring(c, &ring, e) == -1 ||
	    settings_whole(c->a, ring, p, &settings, e) == -1)
		return -1;
	ops = provider_ops_find(p->kind);
	if (ops == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "this program does not know the provider kind \"%.60s\"",
		    p->kind);
	if (apply_order(c, p, e) == -1 || apply_limits(c, p, e) == -1 ||
	    apply_settings(c, ops, settings, e) == -1 ||
	    seal_settings(c, p, settings, e) == -1 ||
	    provider_account_update(&ed, p, e) == -1)
		return -1;
	out_said(c, account_json(p), "provider \"%s\" was changed", p->name);
	return 0;
}

static int
set_state(struct ctl *c, enum provider_state state, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct provider_account *p;

	if (find(c, &p, e) == -1 ||
	    provider_account_set_state(&ed, p->id, 0, state, e) == -1)
		return -1;
	p->state = state;
	out_said(c, account_json(p), "provider \"%s\" is %s", p->name,
	    provider_state_name(state));
	return 0;
}

int
command_provider_enable(struct ctl *c, struct err *e)
{
	return set_state(c, PROVIDER_ENABLED, e);
}

int
command_provider_disable(struct ctl *c, struct err *e)
{
	return set_state(c, PROVIDER_DISABLED, e);
}

int
command_provider_remove(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct provider_account *p;

	if (find(c, &p, e) == -1)
		return -1;
	if (provider_account_is_shared(p))
		return err_set(e, ERR_FORBIDDEN, "it is an account of the "
		    "platform: use \"belfryctl provider unshare\"");
	if (provider_account_remove(&ed, p->id, 0, e) == -1)
		return -1;
	out_said(c, json_pack("{s:s, s:b}", "name", p->name, "removed", 1),
	    "provider \"%s\" was removed", p->name);
	return 0;
}
