/*
 * authenticate.c - from what a request shows to a principal
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/authenticate.h"

#include <string.h>
#include <strings.h>

#include "api/app.h"
#include "api/limits.h"
#include "auth/apikey.h"
#include "auth/principal.h"
#include "base/err.h"
#include "base/text.h"
#include "db/db.h"
#include "notify/tenant_facts.h"
#include "web/request.h"
#include "web/router.h"

const char *
authenticate_tenant(const struct request *rq)
{
	return request_param(rq, "HTTP_BELFRY_TENANT");
}

/* What stands behind "Bearer "; NULL when the header is absent or another one. */
static const char *
bearer(const struct request *rq)
{
	const char *text = request_param(rq, "HTTP_AUTHORIZATION");

	if (text == NULL || strncasecmp(text, "Bearer ", 7) != 0)
		return NULL;
	text += 7;
	text += strspn(text, " ");
	return text[0] != '\0' ? text : NULL;
}

/* A platform administrator goes into the tenant that the header names.  To all others,
 * a tenant that is not theirs does not exist. */
static int
choose_tenant(struct request *rq, struct principal *p, struct err *e)
{
	const char *slug = authenticate_tenant(rq);
	const struct tenant_facts *facts;
	int rc = 0;

	if (slug == NULL ||
	    (p->tenant_slug != NULL && strcmp(slug, p->tenant_slug) == 0))
		return 0;
	if (principal_may(p, SCOPE_PLATFORM) && text_is_slug(slug))
		rc = tenant_facts_find(app_of(rq)->tenants, rq->a, slug, &facts,
		    e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such tenant");
	if (rc == -1)
		return -1;
	principal_enter(rq->a, p, facts->id, facts->slug,
	    facts->default_locale, facts->time_zone);
	return 0;
}

/* The platform's own tenant is its administrators'; to all others, whatever their token
 * says, there is none. */
static int
check_platform(const struct principal *p, struct err *e)
{
	if (tenant_is_platform(p->tenant) && !principal_may(p, SCOPE_PLATFORM))
		return err_set(e, ERR_NOT_FOUND, "there is no such tenant");
	return 0;
}

/* What belongs to a tenant needs one; what stands above all tenants does not. */
static int
check_tenant(const struct request *rq, const struct principal *p,
    struct err *e)
{
	const char *scope = rq->route->scope;

	if (p->tenant.n != 0 || scope == NULL ||
	    strcmp(scope, "platform") == 0 ||
	    (rq->route->flags & ROUTE_NO_TENANT) != 0)
		return 0;
	return err_set(e, ERR_INVALID,
	    "name the tenant in the header Belfry-Tenant");
}

/* Who it is, kept from trying too often. */
static int
identify(struct request *rq, const char *text, struct principal **p_r,
    struct err *e)
{
	int rc;

	if (limits_before_proof(rq, text, e) != 0)
		return -1;
	rc = strncmp(text, "blf_", 4) == 0 ?
	    authenticate_key(rq, text, p_r, e) :
	    authenticate_token(rq, text, p_r, e);
	limits_after_proof(rq, text, rc == 0 ? NULL : e);
	return rc;
}

int
app_authenticate(struct request *rq, struct err *e)
{
	const char *text = bearer(rq);
	struct principal *p;

	/* No request finds a transaction that an earlier one has left open. */
	db_rollback(app_of(rq)->db);
	if (text == NULL)
		return err_set(e, ERR_UNAUTHENTICATED,
		    "an API key or an access token is needed: "
		    "\"Authorization: Bearer ...\"");
	if (identify(rq, text, &p, e) != 0 || choose_tenant(rq, p, e) != 0 ||
	    check_platform(p, e) != 0 || check_tenant(rq, p, e) != 0)
		return -1;
	rq->principal = p;
	rq->tenant = p->tenant;
	rq->scopes = p->scopes;
	log_scope_add(&rq->scope,
	    (struct log_field)LF_STR("tenant", p->tenant_slug));
	log_scope_add(&rq->scope, (struct log_field)LF_STR("account", p->name));
	return 0;
}
