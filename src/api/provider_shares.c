/*
 * provider_shares.c - /admin/providers/{id}/shares: who may use accounts of the platform
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For platform administrators, whichever tenant their request names: {id} is always an
 * account of the platform.
 */
#include "api/provider_shares.h"

#include "api/app.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/edit.h"
#include "model/provider_account.h"
#include "model/provider_share.h"
#include "model/tenant.h"
#include "provider/share.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { ALLOWED_BYTES = 1 << 16, TENANTS_MAX = 10000 };

struct share_body {
	struct field_mask mask;
	const char **allowed;
	size_t allowed_count;
	const char *name;
};

#define ALLOWED                                                                \
	FIELD_LIST(struct share_body, allowed, TEXT,                           \
	    .max = PROVIDER_ALLOWED_MAX, .item_min = 1,                        \
	    .item_max = PROVIDER_ALLOWED_CHARS, .flags = FIELD_ONE_LINE,       \
	    .help = "The domains and addresses that a tenant may send as; "    \
	            "\"{tenant}\" stands for its slug. Without any it sends "  \
	            "as the account does.",                                    \
	    .example = "[\"shop.example.org\"]")

static const struct field allow_fields[] = { ALLOWED };

const struct field_table provider_allow_table = FIELD_TABLE("ProviderAllow",
    struct share_body, allow_fields, "As whom tenants may send.");

static const struct field share_fields[] = {
	ALLOWED,
	FIELD(struct share_body, name, SLUG,
	    .help = "What the tenant sees it as; the account's name by default.",
	    .example = "\"mail-relay\""),
};

const struct field_table provider_share_table = FIELD_TABLE("ProviderShare",
    struct share_body, share_fields,
    "Leave for a tenant to use an account of the platform.");

/* ---- What is there ----------------------------------------------------------------- */

struct holder {
	struct field_mask mask;
	const char *tenant;
	struct uuid provider_id;
};

static const struct field holder_fields[] = {
	FIELD(struct holder, tenant, SLUG, .help = "The tenant's slug."),
	FIELD(struct holder, provider_id, UUID,
	    .help = "The account among the tenant's own."),
};

static const struct field_table holder_table = FIELD_TABLE("ProviderHolder",
    struct holder, holder_fields,
    "A tenant that may use an account of the platform.");

struct shares {
	struct field_mask mask;
	struct holder *tenants;
	size_t tenants_count;
	bool all;
};

static const struct field shares_fields[] = {
	FIELD_SUBS(struct shares, tenants, &holder_table,
	    .max = TENANTS_MAX, .help = "Who may use it."),
	FIELD(struct shares, all, BOOL,
	    .help = "Each new tenant gets it, too."),
};

const struct field_table provider_shares_table = FIELD_TABLE("ProviderShares",
    struct shares, shares_fields, "Who may use an account of the platform.");

static int
find(struct request *rq, struct provider_account **p_r, struct err *e)
{
	struct provider_id id;
	int rc;

	if (request_arg_uuid(rq, 0, &id.u, e) != 0)
		return -1;
	rc = provider_account_get(rq->a, app_of(rq)->db, TENANT_PLATFORM, id,
	    p_r, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "the platform has no such account");
	return rc == 1 ? 0 : -1;
}

static int
find_tenant(struct request *rq, struct tenant **t_r, struct err *e)
{
	int rc = tenant_find(rq->a, app_of(rq)->db, rq->args[1], t_r, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such tenant");
	return rc == 1 ? 0 : -1;
}

int
provider_shares_list(struct request *rq, struct response *rs, struct err *e)
{
	struct shares shares = { .all = false };
	struct provider_account *p;
	struct provider_share *list;
	size_t i;

	if (find(rq, &p, e) != 0 ||
	    provider_share_list(rq->a, app_of(rq)->db, p->id, &list,
	        &shares.tenants_count, e) != 0)
		return -1;
	shares.all = p->allowed != NULL;
	shares.tenants = arena_zalloc(rq->a, shares.tenants_count,
	    sizeof(*shares.tenants));
	for (i = 0; i < shares.tenants_count; i++) {
		shares.tenants[i].tenant = list[i].slug;
		shares.tenants[i].provider_id = list[i].id.u;
	}
	return response_json(rs, 200,
	    fields_write(rq->a, &provider_shares_table, &shares));
}

/* ---- Changes ------------------------------------------------------------------------- */

/* As the text of a JSON array. */
static const char *
allowed_text(struct arena *a, const struct share_body *body)
{
	struct buf *out = buf_new(a, ALLOWED_BYTES);
	json_t *list = js_keep(a, json_array());
	size_t i;

	for (i = 0; i < body->allowed_count; i++)
		json_array_append_new(list, json_string(body->allowed[i]));
	js_write(out, list);
	return out->data;
}

int
provider_shares_put(struct request *rq, struct response *rs, struct err *e)
{
	const struct share_body *body = rq->body;
	struct editor ed = app_editor(rq);
	struct provider_account *p;
	struct tenant *t;

	if (find(rq, &p, e) != 0 || find_tenant(rq, &t, e) != 0 ||
	    share_give(&ed, p, t, body->name, allowed_text(rq->a, body), e) !=
	        0)
		return -1;
	return provider_shares_list(rq, rs, e);
}

int
provider_shares_put_all(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct provider_account *p;

	if (find(rq, &p, e) != 0 ||
	    share_give_all(&ed, p, allowed_text(rq->a, rq->body), e) != 0)
		return -1;
	return provider_shares_list(rq, rs, e);
}

int
provider_shares_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct provider_account *p;
	struct tenant *t;

	if (find(rq, &p, e) != 0 || find_tenant(rq, &t, e) != 0 ||
	    share_take(&ed, p, t, e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}

int
provider_shares_delete_all(struct request *rq, struct response *rs,
    struct err *e)
{
	struct editor ed = app_editor(rq);
	struct provider_account *p;

	if (find(rq, &p, e) != 0 || share_take_all(&ed, p, e) != 0)
		return -1;
	response_empty(rs, 204);
	return 0;
}
