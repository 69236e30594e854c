/*
 * share.c - the platform gives tenants leave to use its accounts
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/share.h"

#include "base/arena.h"
#include "base/err.h"
#include "model/edit.h"
#include "model/provider_account.h"
#include "model/provider_share.h"
#include "model/tenant.h"
#include "provider/settings.h"

static struct editor
editor_of(const struct editor *ed, struct tenant_id tenant)
{
	struct editor inside = *ed;

	inside.tenant = tenant;
	return inside;
}

static int
change(const struct editor *ed, struct provider_account *row, const char *name,
    const char *allowed, struct err *e)
{
	if (name != NULL)
		row->name = name;
	return settings_narrow(ed->a, row, allowed, e) == -1 ||
	        provider_account_update(ed, row, e) == -1
	    ? -1
	    : 0;
}

static int
give(const struct editor *ed, const struct provider_account *account,
    const char *name, const char *allowed, struct err *e)
{
	struct provider_account *other;
	int rc;

	if (name == NULL) {
		name = account->name;
		rc = provider_account_find(ed->a, ed->db, ed->tenant, name,
		    &other, e);
		if (rc == -1)
			return -1;
		if (rc == 1)
			name = arena_printf(ed->a, "platform-%.54s", name);
	}
	return provider_share_give(ed, account, name, allowed, e);
}

int
share_give(const struct editor *ed, const struct provider_account *account,
    const struct tenant *tenant, const char *name, const char *allowed,
    struct err *e)
{
	struct editor inside = editor_of(ed, tenant->id);
	struct provider_account *row;
	int rc;

	if (tenant_is_platform(tenant->id))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the platform has its accounts already");
	allowed = provider_share_allowed(ed->a, allowed, tenant->slug);
	rc = provider_share_find(ed->a, ed->db, tenant->id, account->id, &row,
	    e);
	if (rc == -1)
		return -1;
	return rc == 1 ? change(&inside, row, name, allowed, e)
	               : give(&inside, account, name, allowed, e);
}

int
share_take(const struct editor *ed, const struct provider_account *account,
    const struct tenant *tenant, struct err *e)
{
	struct editor inside = editor_of(ed, tenant->id);
	struct provider_account *row;
	int rc = provider_share_find(ed->a, ed->db, tenant->id, account->id,
	    &row, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "the tenant has no leave to use it");
	return rc == 1 ? provider_account_remove(&inside, row->id, 0, e) : -1;
}

/* To one of all. */
static int
give_one(const struct editor *ed, const struct provider_account *account,
    const struct tenant *tenant, const char *allowed, struct err *e)
{
	struct provider_account *row;
	int rc = provider_share_find(ed->a, ed->db, tenant->id, account->id,
	    &row, e);

	if (rc != 0 || tenant->state == TENANT_DELETING)
		return rc == -1 ? -1 : 0;
	return share_give(ed, account, tenant, NULL, allowed, e);
}

int
share_give_all(const struct editor *ed, const struct provider_account *account,
    const char *allowed, struct err *e)
{
	struct editor platform = editor_of(ed, TENANT_PLATFORM);
	struct tenant_walk w = { .a = ed->a, .db = ed->db };
	struct tenant *t;
	int rc;

	if (provider_share_allow(&platform, account->id, account->name, allowed,
	        e) == -1)
		return -1;
	while ((rc = tenant_next(&w, &t, e)) == 1)
		if (give_one(ed, account, t, allowed, e) == -1)
			return -1;
	return rc;
}

int
share_take_all(const struct editor *ed, const struct provider_account *account,
    struct err *e)
{
	struct editor platform = editor_of(ed, TENANT_PLATFORM), inside;
	struct provider_share *list;
	size_t i, count;

	if (provider_share_allow(&platform, account->id, account->name, NULL,
	        e) == -1 ||
	    provider_share_list(ed->a, ed->db, account->id, &list, &count, e) ==
	        -1)
		return -1;
	for (i = 0; i < count; i++) {
		inside = editor_of(ed, list[i].tenant);
		if (provider_account_remove(&inside, list[i].id, 0, e) == -1 &&
		    e->kind != ERR_NOT_FOUND)
			return -1;
	}
	return 0;
}
