/*
 * provider_share.c - belfryctl provider share, shares, unshare
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/grammar.h"
#include "ctl/out.h"
#include "model/edit.h"
#include "model/provider_account.h"
#include "model/provider_share.h"
#include "model/tenant.h"
#include "provider/share.h"
#include "web/js.h"

static int
find(struct ctl *c, struct provider_account **p_r, struct err *e)
{
	const char *name = ctl_argument(c, 0);
	int rc = provider_account_find(c->a, c->db, TENANT_PLATFORM, name, p_r,
	    e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "the platform has no provider \"%.63s\"", name);
	return rc == 1 ? 0 : -1;
}

/* The tenant that the option names; NULL with --all. */
static int
find_tenant(struct ctl *c, const char *option, struct tenant **t_r,
    struct err *e)
{
	const char *slug = ctl_value(c, option);
	int rc;

	*t_r = NULL;
	if ((slug == NULL) == !ctl_has(c, "all"))
		return err_set(e, ERR_INVALID, "either --%s or --all is needed",
		    option);
	if (slug == NULL)
		return 0;
	rc = tenant_find(c->a, c->db, slug, t_r, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no tenant \"%.63s\": \"belfryctl "
		    "tenant list\" lists them",
		    slug);
	return rc == 1 ? 0 : -1;
}

static const char *
allowed_of(struct ctl *c)
{
	json_t *list = js_keep(c->a, json_array());
	const char *text;
	size_t i = 0;

	while ((text = invocation_next(c->line, "allow", &i)) != NULL)
		json_array_append_new(list, json_string(text));
	return edit_json(c->a, list);
}

int
command_provider_share(struct ctl *c, struct err *e)
{
	const char *allowed = allowed_of(c), *name = ctl_value(c, "as");
	struct editor ed = ctl_editor(c);
	struct provider_account *p;
	struct tenant *t;

	if (find_tenant(c, "to", &t, e) == -1 || find(c, &p, e) == -1)
		return -1;
	if (name != NULL && (t == NULL || !text_is_slug(name)))
		return err_set(e, ERR_INVALID, "--as takes the name that one "
		    "tenant sees, of a-z, 0-9 and \"-\"");
	if ((t != NULL ? share_give(&ed, p, t, name, allowed, e)
	               : share_give_all(&ed, p, allowed, e)) == -1)
		return -1;
	out_said(c,
	    json_pack("{s:s, s:s?, s:o}", "name", p->name, "tenant",
	        t != NULL ? t->slug : NULL, "allowed", out_json(allowed)),
	    "%s may use provider \"%s\" of the platform",
	    t != NULL ? t->slug : "every tenant", p->name);
	return 0;
}

int
command_provider_unshare(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct provider_account *p;
	struct tenant *t;

	if (find_tenant(c, "from", &t, e) == -1 || find(c, &p, e) == -1 ||
	    (t != NULL ? share_take(&ed, p, t, e)
	               : share_take_all(&ed, p, e)) == -1)
		return -1;
	out_said(c,
	    json_pack("{s:s, s:s?}", "name", p->name, "tenant",
	        t != NULL ? t->slug : NULL),
	    "%s may not use provider \"%s\" of the platform any more",
	    t != NULL ? t->slug : "the tenants", p->name);
	return 0;
}

int
command_provider_shares(struct ctl *c, struct err *e)
{
	static const struct out_column columns[] = {
		{ "tenant", "TENANT" },
		{ "name", "NAME" },
		{ "state", "STATE" },
		{ "allowed", "ALLOWED" },
		{ NULL, NULL },
	};
	struct provider_account *p, *row;
	struct provider_share *list;
	json_t *rows = js_keep(c->a, json_array());
	size_t i, count;
	int rc;

	if (find(c, &p, e) == -1 ||
	    provider_share_list(c->a, c->db, p->id, &list, &count, e) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		rc = provider_account_get(c->a, c->db, list[i].tenant,
		    list[i].id, &row, e);
		if (rc == -1)
			return -1;
		if (rc == 1)
			json_array_append_new(rows,
			    json_pack("{s:s, s:s, s:s, s:o}", "tenant",
			        list[i].slug, "name", row->name, "state",
			        provider_state_name(row->state), "allowed",
			        out_json(row->allowed)));
	}
	out_table(c, json_incref(rows), columns,
	    "nobody may use it but the platform");
	return 0;
}
