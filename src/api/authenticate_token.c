/*
 * authenticate_token.c - from an access token to a principal
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The issuers of the configuration go first.  A token of any other one is believed by
 * the tenant that has it among its own, and by this tenant only: the request names it in
 * the header Belfry-Tenant, or the token in an audience "belfry:SLUG".
 */
#include <string.h>

#include <sodium.h>

#include "api/app.h"
#include "api/authenticate.h"
#include "api/oauth.h"
#include "auth/issuer.h"
#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/principal.h"
#include "auth/signing.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/config_issuer.h"
#include "base/err.h"
#include "notify/tenant_facts.h"
#include "web/request.h"

enum { LEEWAY_MS = 30 * 1000 };

/* The client is told the same whatever is wrong; the log knows more. */
static int
refuse(struct err *e, const char *why)
{
	err_set(e, ERR_UNAUTHENTICATED, "the access token is not valid");
	return err_detail(e, "%s", why);
}

static int
refuse_for(struct err *e, const struct err *wrong)
{
	return refuse(e, wrong->text);
}

/* ---- Whose token it says it is ------------------------------------------------- */

static bool
is_from(const struct jwt *t, const struct issuer *issuer)
{
	return strcmp(jwt_claimed_issuer(t), issuer->keys.issuer) == 0 &&
	    jwt_claims_audience(t, issuer->audiences);
}

static const struct issuer *
configured_issuer(const struct app *app, const struct jwt *t)
{
	size_t i;

	for (i = 0; i < app->config->issuers_count; i++)
		if (is_from(t, &app->issuers[i]))
			return &app->issuers[i];
	return NULL;
}

bool
authenticate_is_operators(const struct config *config, const char *issuer)
{
	size_t i;

	if (strcmp(oauth_issuer(config), issuer) == 0)
		return true;
	for (i = 0; i < config->issuers_count; i++)
		if (strcmp(config->issuers[i].issuer, issuer) == 0)
			return true;
	return false;
}

/* The issuer among a tenant's own; all of it lives in the request's arena, since what is
 * remembered may be forgotten.  Whoever the operator believes is nobody's own, whichever
 * came first: else the tenant's keys would make the operator's people. */
static const struct issuer *
own_issuer(const struct config *config, struct arena *a, const struct jwt *t,
    const struct tenant_facts *facts)
{
	struct issuer *issuer = arena_object(a, struct issuer);
	const json_t *row;
	size_t i;

	if (authenticate_is_operators(config, jwt_claimed_issuer(t)))
		return NULL;
	json_array_foreach(facts->issuers, i, row) {
		issuer_from_settings(a, row, facts->id, facts->slug, issuer);
		if (is_from(t, issuer))
			return issuer;
	}
	return NULL;
}

/* 1, 0 when nobody believes it, -1. */
static int
find_issuer(struct request *rq, const struct jwt *t,
    const struct tenant_facts **facts_r, const struct issuer **issuer_r,
    struct err *e)
{
	const char *slug = authenticate_tenant(rq);
	int rc;

	*facts_r = NULL;
	*issuer_r = configured_issuer(app_of(rq), t);
	if (*issuer_r != NULL)
		return 1;
	if (slug == NULL)
		slug = jwt_claimed_tenant(t);
	if (slug == NULL)
		return 0;
	rc = tenant_facts_find(app_of(rq)->tenants, rq->a, slug, facts_r, e);
	if (rc != 1)
		return rc;
	*issuer_r = own_issuer(rq->config, rq->a, t, *facts_r);
	return *issuer_r != NULL ? 1 : 0;
}

/* ---- Whether it is ------------------------------------------------------------- */

static int
verify(struct request *rq, const struct jwt *t, const struct issuer *issuer,
    struct identity *id_r, struct err *e)
{
	const struct jwt_rules rules = { .issuer = issuer->keys.issuer,
		.audiences = issuer->audiences, .now_ms = clock_wall_ms(),
		.leeway_ms = LEEWAY_MS, .proven = app_of(rq)->proven };
	const json_t *claims;
	const struct jwk *key;
	struct err wrong;
	int rc = keysets_find(app_of(rq)->keysets, rq->a, &issuer->keys,
	    jwt_claimed_kid(t), &key, e);

	if (rc != 1)
		return rc == 0 ? refuse(e, "the issuer has no such key") : -1;
	if (jwt_verify(t, key, &rules, &claims, &wrong) != 0 ||
	    issuer_identify(rq->a, issuer, claims, id_r, &wrong) != 0)
		return refuse_for(e, &wrong);
	return 0;
}

/* ---- Who that is here ------------------------------------------------------------ */

/* Whoever it is has one number for good: a hash of issuer and subject, in the form of
 * a UUIDv8.  What a tenant's own issuer says is true in this tenant alone: there is none
 * (NULL) with an issuer of the configuration. */
static struct account_id
account_of(struct arena *a, const struct identity *id,
    const struct tenant_facts *own)
{
	const char *who = arena_printf(a, "%s\n%s", id->issuer, id->subject);
	struct account_id account;

	if (own != NULL)
		who = arena_printf(a, "%lld\n%s", (long long)own->id.n, who);
	(void)crypto_generichash(account.u.b, sizeof(account.u.b),
	    (const unsigned char *)who, strlen(who), NULL, 0);
	account.u.b[6] = (uint8_t)((account.u.b[6] & 0x0f) | 0x80);
	account.u.b[8] = (uint8_t)((account.u.b[8] & 0x3f) | 0x80);
	return account;
}

static struct principal *
principal_of(struct arena *a, const struct identity *id,
    const struct tenant_facts *own)
{
	struct principal *p = arena_object(a, struct principal);
	uint64_t admins = UINT64_C(1) << SCOPE_ADMIN;

	p->kind = PRINCIPAL_SERVICE;
	if (id->user_id != NULL)
		p->kind = id->scopes & admins ? PRINCIPAL_ADMIN :
		                                PRINCIPAL_USER;
	p->account = account_of(a, id, own);
	p->issuer = arena_strdup(a, id->issuer);
	p->name = arena_strdup(a, id->subject);
	if (id->user_id != NULL)
		p->user_id = arena_strdup(a, id->user_id);
	p->scopes = id->scopes;
	p->expires_ms = id->expires_ms;
	return p;
}

static int
enter(struct request *rq, struct principal *p, const struct identity *id,
    const struct tenant_facts *facts, struct err *e)
{
	int rc = 1;

	if (id->tenant == NULL && !principal_may(p, SCOPE_PLATFORM))
		return refuse(e, "the token names no tenant");
	if (id->tenant == NULL)
		return 0;
	if (facts == NULL)
		rc = tenant_facts_find(app_of(rq)->tenants, rq->a, id->tenant,
		    &facts, e);
	if (rc == 0)
		return refuse(e, "the token's tenant does not exist");
	if (rc == -1)
		return -1;
	if (facts->suspended && !principal_may(p, SCOPE_PLATFORM))
		return err_set(e, ERR_SUSPENDED, "the tenant is suspended");
	principal_enter(rq->a, p, facts->id, facts->slug,
	    facts->default_locale, facts->time_zone);
	return 0;
}

/* ---- Tokens of our own ------------------------------------------------------------ */

static bool
is_our_own(const struct request *rq, const struct jwt *t)
{
	const char *own = oauth_issuer(rq->config);

	return own[0] != '\0' && strcmp(jwt_claimed_issuer(t), own) == 0;
}

/* The key that it was made for must still be good; the token has at most its scopes. */
static int
take_own(struct request *rq, const json_t *claims, struct principal **p_r,
    struct err *e)
{
	const char *client = json_string_value(json_object_get(claims,
	    "client_id"));
	const char *scope = json_string_value(json_object_get(claims, "scope"));
	const char *const *words = issuer_words(rq->a,
	    scope != NULL ? scope : "");
	int64_t expires_ms = 1000 *
	    json_integer_value(json_object_get(claims, "exp"));
	struct principal *p;
	size_t n = 0;

	if (client == NULL)
		return refuse(e, "the token names no key");
	if (authenticate_client(rq, client, &p, e) != 0)
		return -1;
	while (words[n] != NULL)
		n++;
	p->scopes &= scope_set(words, n);
	p->expires_ms = expires_ms;
	p->test = json_is_true(json_object_get(claims, "test"));
	*p_r = p;
	return 0;
}

static int
authenticate_own(struct request *rq, const struct jwt *t,
    struct principal **p_r, struct err *e)
{
	const char *const audiences[] = { rq->config->oauth_audience, NULL };
	const struct jwt_rules rules = { .issuer = oauth_issuer(rq->config),
		.audiences = audiences, .now_ms = clock_wall_ms(),
		.leeway_ms = LEEWAY_MS, .proven = app_of(rq)->proven };
	const json_t *claims;
	const struct jwk *key;
	struct err wrong;
	int rc = signing_find(app_of(rq)->signing, jwt_claimed_kid(t), &key, e);

	if (rc != 1)
		return rc == 0 ? refuse(e, "we have no such key") : -1;
	if (jwt_verify(t, key, &rules, &claims, &wrong) != 0)
		return refuse_for(e, &wrong);
	return take_own(rq, claims, p_r, e);
}

int
authenticate_token(struct request *rq, const char *text,
    struct principal **p_r, struct err *e)
{
	const struct tenant_facts *facts;
	const struct issuer *issuer;
	struct identity id;
	struct principal *p;
	struct err wrong;
	struct jwt *t;
	int rc;

	if (jwt_read(rq->a, text, &t, &wrong) != 0)
		return refuse_for(e, &wrong);
	if (is_our_own(rq, t))
		return authenticate_own(rq, t, p_r, e);
	rc = find_issuer(rq, t, &facts, &issuer, e);
	if (rc != 1)
		return rc == 0 ? refuse(e, "its issuer is not known") : -1;
	if (verify(rq, t, issuer, &id, e) != 0)
		return -1;
	p = principal_of(rq->a, &id, issuer->own ? facts : NULL);
	if (enter(rq, p, &id, facts, e) != 0)
		return -1;
	*p_r = p;
	return 0;
}
