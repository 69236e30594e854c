/*
 * authenticate_key.c - from an API key to a principal
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The key tells its tenant, so the look-up runs with that tenant set.  What the
 * database says of a key is remembered (model/known.h); whether it has expired is
 * asked of the clock each time.
 */
#include "api/app.h"
#include "api/authenticate.h"
#include "api/last_used.h"
#include "auth/apikey.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/network.h"
#include "model/account.h"
#include "model/known.h"
#include "web/request.h"

static int
parse_key(struct arena *a, const char *text, size_t len, const void **record_r,
    struct err *e)
{
	struct account_key *key;

	if (account_key_from_text(a, text, len, &key, e) != 0)
		return -1;
	*record_r = key;
	return 0;
}

static const struct known_kind key_kind = {
	.name = "key",
	.add = account_key_add,
	.text = account_key_text,
	.parse = parse_key,
};

/* The client is told the same whatever is wrong with its key; the log knows more. */
static int
refuse(struct err *e, const char *why)
{
	err_set(e, ERR_UNAUTHENTICATED, "the API key is not valid");
	return err_detail(e, "%s", why);
}

static bool
comes_from(const struct request *rq, const char *networks)
{
	struct network *list, address;
	size_t count;

	return networks[0] == '\0' ||
	    (network_list_parse(rq->a, networks, &list, &count) == NULL &&
	        network_parse(rq->remote, false, &address) == 0 &&
	        network_list_contains(list, count, &address));
}

static int
check(const struct request *rq, const struct account_key *stored, struct err *e)
{
	if (stored->revoked)
		return refuse(e, "the key or its account is revoked");
	if (stored->expires_ms != 0 && stored->expires_ms <= clock_wall_ms())
		return refuse(e, "the key has expired");
	if (!comes_from(rq, stored->networks))
		return refuse(e, "the account may not come from this address");
	if (stored->suspended)
		return err_set(e, ERR_SUSPENDED, "the tenant is suspended");
	return 0;
}

/* A copy: what is remembered may be forgotten while the request is served. */
static struct principal *
principal_of(struct arena *a, struct tenant_id tenant, const char *id,
    const struct account_key *stored)
{
	struct principal *p = arena_object(a, struct principal);

	p->kind = PRINCIPAL_SERVICE;
	p->tenant = tenant;
	p->account = stored->account;
	p->key_id = arena_strdup(a, id);
	p->name = arena_strdup(a, stored->name);
	p->tenant_slug = arena_strdup(a, stored->slug);
	p->default_locale = arena_strdup(a, stored->default_locale);
	p->time_zone = arena_strdup(a, stored->time_zone);
	p->scopes = scope_set(stored->scopes, stored->scopes_count) &
	    ~(UINT64_C(1) << SCOPE_ME);
	p->expires_ms = stored->expires_ms;
	return p;
}

/* 0 with the key as it is stored, good for now. */
static int
find(struct request *rq, struct tenant_id tenant, const char *id,
    const struct account_key **stored_r, struct err *e)
{
	const void *stored;
	int rc = known_get(app_of(rq)->known, rq->a, &key_kind, tenant, id,
	    &stored, e);

	if (rc != 1)
		return rc == 0 ? refuse(e, "unknown key") : -1;
	*stored_r = stored;
	return 0;
}

int
authenticate_key(struct request *rq, const char *text, struct principal **p_r,
    struct err *e)
{
	struct app *app = app_of(rq);
	const struct account_key *stored;
	struct apikey key;

	if (apikey_parse(rq->a, app->ring, text, &key) != 0)
		return refuse(e, "malformed key");
	if (find(rq, key.tenant, key.id, &stored, e) != 0)
		return -1;
	if (!apikey_matches(&key, stored->hash, sizeof(stored->hash)))
		return refuse(e, "wrong secret");
	if (check(rq, stored, e) != 0)
		return -1;
	last_used_note(app->last_used, key.tenant, key.id, stored->used_ms);
	*p_r = principal_of(rq->a, key.tenant, key.id, stored);
	(*p_r)->test = key.test;
	return 0;
}

int
authenticate_client(struct request *rq, const char *key_id,
    struct principal **p_r, struct err *e)
{
	const struct account_key *stored;
	struct tenant_id tenant;

	if (apikey_tenant(rq->a, key_id, &tenant) != 0)
		return refuse(e, "the token names no key");
	if (find(rq, tenant, key_id, &stored, e) != 0 ||
	    check(rq, stored, e) != 0)
		return -1;
	*p_r = principal_of(rq->a, tenant, key_id, stored);
	return 0;
}
