/*
 * limits.c - which rate limits hold for a request
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/limits.h"

#include <string.h>

#include <sodium.h>

#include "api/app.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"
#include "base/network.h"
#include "base/uuid.h"
#include "notify/tenant_facts.h"
#include "web/rate_limit.h"
#include "web/request.h"
#include "web/router.h"

/* The labels of METRIC_RATE_LIMITED_TOTAL. */
enum policy { SEND, READ, WRITE, ACCOUNT, PERSON, HOOK, FAILURE, PREFIX, LINK };

enum { TRUSTED_PLACES = 1024, HOUR_S = 3600 };

/* Each has one place, by its hash, which the last one has. */
struct trusted {
	unsigned char key[crypto_shorthash_KEYBYTES];
	uint64_t places[TRUSTED_PLACES];
};

/* ---- The rates ------------------------------------------------------------- */

static struct rate
configured(const struct config *c, enum policy policy)
{
#define RATE(name)                                                             \
	(struct rate){ #name, (double)c->limits_##name##_rate,                 \
		c->limits_##name##_burst }
	switch (policy) {
	case SEND:
		return RATE(send);
	case READ:
		return RATE(read);
	case WRITE:
		return RATE(write);
	case PERSON:
		return RATE(person);
	case HOOK:
		return RATE(hook);
	case FAILURE:
		return RATE(failure);
	case LINK:
		return (struct rate){ "link",
			(double)c->limits_link_most / HOUR_S,
			c->limits_link_most };
	case ACCOUNT: /* a part of others */
	case PREFIX: /* notify/prefix_limit.c */
		break;
	}
#undef RATE
	panic("a limit that is not configured");
}

/* The installation's, or the tenant's own. */
static struct rate
rate_of(const struct config *c, const json_t *own, enum policy policy)
{
	struct rate rate = configured(c, policy);
	const json_t *row = json_object_get(own, rate.policy);
	const json_t *burst = json_object_get(row, "burst");
	double per_s = json_number_value(json_object_get(row, "rate"));
	double many = burst != NULL ? json_number_value(burst) : per_s;

	if (row == NULL || !rate_is_sane(per_s, many < 1 ? 1 : many))
		return rate;
	rate.per_s = per_s;
	rate.burst = many < 1 ? 1 : (int64_t)many;
	return rate;
}

static int64_t
account_share(const struct config *c, const json_t *own)
{
	int64_t share = json_integer_value(json_object_get(own,
	    "account_share"));

	return share >= 1 && share <= 100 ? share : c->limits_account_share;
}

/* ---- Taking ---------------------------------------------------------------- */

/* What a request was judged by goes into its answer. */
static int
refuse(struct request *rq, enum policy policy, const struct rate_state *state,
    struct err *e)
{
	rq->limits[0] = *state;
	rq->limits_count = 1;
	metrics_add(METRIC_RATE_LIMITED_TOTAL, (int)policy, 1);
	return err_set(e, ERR_LIMITED,
	    "more than the limit \"%s\" allows: again in %lld s",
	    state->policy, (long long)state->wait_s);
}

static int
take(struct request *rq, struct rate_limiter *l, enum policy policy,
    const struct rate *rate, const char *who, struct err *e)
{
	struct rate_state state;

	if (rate->per_s == 0)
		return 0;
	if (!rate_limit_take(l, rate, who, &state))
		return refuse(rq, policy, &state, e);
	rq->limits[rq->limits_count++] = state;
	return 0;
}

/* A service account has a part of each of its tenant's limits. */
static int
take_account(struct request *rq, const struct rate *of_tenant,
    int64_t share, struct err *e)
{
	char account[UUID_TEXT_BYTES];
	struct rate rate = *of_tenant;

	if (share == 100)
		return 0;
	rate.policy = arena_printf(rq->a, "%s-account", rate.policy);
	rate.per_s = rate.per_s * (double)share / 100;
	rate.burst = (rate.burst * share + 99) / 100;
	if (!rate_is_sane(rate.per_s, (double)rate.burst))
		return 0;
	uuid_format(&rq->principal->account.u, account);
	return take(rq, app_of(rq)->limits, ACCOUNT, &rate, account, e);
}

static int
take_principal(struct request *rq, const struct rate *of_tenant,
    const json_t *own, struct err *e)
{
	const struct app *app = app_of(rq);
	char account[UUID_TEXT_BYTES];
	struct rate rate;

	if (rq->principal->kind == PRINCIPAL_SERVICE)
		return take_account(rq, of_tenant,
		    account_share(app->config, own), e);
	rate = rate_of(app->config, own, PERSON);
	uuid_format(&rq->principal->account.u, account);
	return take(rq, app->limits, PERSON, &rate, account, e);
}

static enum policy
policy_of(const struct route *route)
{
	if (route->limit == ROUTE_SENDS)
		return SEND;
	return route->method == HTTP_GET ? READ : WRITE;
}

/* 0 with the tenant's own limits, NULL when it has none or the request has no tenant. */
static int
own_limits(const struct request *rq, const json_t **own_r, struct err *e)
{
	const struct tenant_facts *facts;
	int rc;

	*own_r = NULL;
	if (rq->tenant.n == 0)
		return 0;
	rc = tenant_facts_get(app_of(rq)->tenants, rq->a, rq->tenant, &facts,
	    e);
	if (rc == 1)
		*own_r = facts->limits;
	return rc == -1 ? -1 : 0;
}

/* The principal goes first, so that one of many does not use up its tenant's share with
 * what is refused. */
static int
admit_principal(struct request *rq, struct err *e)
{
	const struct app *app = app_of(rq);
	enum policy policy = policy_of(rq->route);
	const json_t *own;
	struct rate rate;

	if (own_limits(rq, &own, e) != 0)
		return -1;
	rate = rate_of(app->config, own, policy);
	if (take_principal(rq, &rate, own, e) != 0)
		return -1;
	if (rq->tenant.n == 0)
		return 0;
	return take(rq, app->limits, policy, &rate,
	    arena_printf(rq->a, "%lld", (long long)rq->tenant.n), e);
}

/* ---- Addresses --------------------------------------------------------------- */

/* An address; of IPv6 the network, since a host can have all of it. */
static const char *
origin_of(const struct request *rq)
{
	struct network n;
	char hex[33];

	if (network_parse(rq->remote, false, &n) != 0)
		return rq->remote;
	sodium_bin2hex(hex, sizeof(hex), n.bytes, n.size == 16 ? 8 : n.size);
	return arena_strdup(rq->a, hex);
}

static int
admit_address(struct request *rq, enum policy policy, struct err *e)
{
	const struct app *app = app_of(rq);
	struct rate rate = configured(app->config, policy);

	return take(rq, app->address_limits, policy, &rate, origin_of(rq), e);
}

int
limits_admit(struct request *rq, struct err *e)
{
	if (rq->principal != NULL)
		return admit_principal(rq, e);
	if (rq->route->limit == ROUTE_HOOK)
		return admit_address(rq, HOOK, e);
	return 0;
}

/* ---- Links ------------------------------------------------------------------------ */

/* Whoever has a mail has its links: they cost its tenant no more than so many rows. */
int
limits_link(struct request *rq, const char *what, struct delivery_id delivery,
    struct err *e)
{
	const struct app *app = app_of(rq);
	struct rate rate = configured(app->config, LINK);
	char id[UUID_TEXT_BYTES];
	struct rate_state state;

	uuid_format(&delivery.u, id);
	if (rate.per_s == 0 ||
	    rate_limit_take(app->limits, &rate,
	        arena_printf(rq->a, "%s/%s", what, id), &state))
		return 0;
	return refuse(rq, LINK, &state, e);
}

/* ---- Wrong credentials --------------------------------------------------------- */

struct trusted *
trusted_new(struct arena *a)
{
	struct trusted *t = arena_object(a, struct trusted);

	crypto_shorthash_keygen(t->key);
	return t;
}

static uint64_t
hash_of(const struct trusted *t, const char *credentials)
{
	uint64_t hash;

	(void)crypto_shorthash((unsigned char *)&hash,
	    (const unsigned char *)credentials, strlen(credentials), t->key);
	return hash;
}

int
limits_before_proof(struct request *rq, const char *credentials, struct err *e)
{
	const struct app *app = app_of(rq);
	struct rate rate = configured(app->config, FAILURE);
	uint64_t hash = hash_of(app->trusted, credentials);
	struct rate_state state;

	if (rate.per_s == 0 ||
	    app->trusted->places[hash % TRUSTED_PLACES] == hash ||
	    !rate_limit_is_empty(app->address_limits, &rate, origin_of(rq),
	        &state))
		return 0;
	return refuse(rq, FAILURE, &state, e);
}

void
limits_after_proof(struct request *rq, const char *credentials,
    const struct err *e)
{
	const struct app *app = app_of(rq);
	struct rate rate = configured(app->config, FAILURE);
	uint64_t hash = hash_of(app->trusted, credentials);
	uint64_t *place = &app->trusted->places[hash % TRUSTED_PLACES];
	struct rate_state state;

	if (e == NULL) {
		*place = hash;
		return;
	}
	if (e->kind != ERR_UNAUTHENTICATED || rate.per_s == 0)
		return;
	if (*place == hash)
		*place = 0;
	(void)rate_limit_take(app->address_limits, &rate, origin_of(rq),
	    &state);
}
