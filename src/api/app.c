/*
 * app.c - what the handlers of belfry-api share in one worker
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/app.h"

#include "api/last_used.h"
#include "api/limits.h"
#include "api/origins.h"
#include "auth/issuer.h"
#include "auth/keyset.h"
#include "auth/principal.h"
#include "auth/proven.h"
#include "auth/signing.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/config_issuer.h"
#include "base/err.h"
#include "base/log.h"
#include "base/seal.h"
#include "db/db.h"
#include "model/known.h"
#include "model/suppression.h"
#include "notify/tenant_facts.h"
#include "net/cache.h"
#include "provider/provider.h"
#include "web/rate_limit.h"
#include "web/request.h"

static void
read_issuers(struct app *app)
{
	const struct config *config = app->config;
	size_t i;

	app->issuers = arena_zalloc(app->a, config->issuers_count + 1,
	    sizeof(*app->issuers));
	for (i = 0; i < config->issuers_count; i++)
		issuer_from_config(app->a, &config->issuers[i],
		    &app->issuers[i]);
}

int
app_new(struct arena *a, const struct config *config, struct app **app_r,
    struct err *e)
{
	struct app *app = arena_object(a, struct app);
	struct db_params db = db_params_from(config, config->database_api_user,
	    "belfry-api");

	app->a = a;
	app->config = config;
	if (keyring_load(a, config->keys_directory, &app->ring, e) != 0 ||
	    cache_new(a, config, &app->cache, e) != 0)
		return -1;
	provider_configure(config);
	suppression_configure(app->ring);
	db.statement_timeout_ms = config->database_statement_timeout;
	app->db = db_new(a, &db);
	app->known = known_new(a,
	    &(struct known_params){ .config = config, .ring = app->ring,
	        .db = app->db, .cache = app->cache });
	app->tenants = tenant_index_new(a, app->known, app->db);
	app->keysets = keysets_new(a,
	    &(struct keysets_params){ .config = config, .ring = app->ring,
	        .cache = app->cache });
	app->proven = proven_new(a, (size_t)config->cache_tokens);
	app->last_used = last_used_new(a);
	app->limits = rate_limiter_new(a, app->cache, config->api_workers);
	app->prefix_limits = rate_limiter_new(a, app->cache,
	    config->api_workers);
	app->address_limits = rate_limiter_new(a, app->cache,
	    config->api_workers);
	app->trusted = trusted_new(a);
	app->origins = origins_new(a);
	app->signing = signing_new(a, app->db, app->ring);
	read_issuers(app);
	*app_r = app;
	return 0;
}

void
app_tend(struct app *app)
{
	struct err e;

	if (keysets_tend(app->keysets, &e) != 0)
		log_warn(NULL, "the keys of an issuer of tokens could not be "
		               "fetched", LF_ERR(&e));
	if (last_used_write(app->last_used, app->db, &e) != 0)
		log_warn(NULL, "the use of a key could not be written down",
		    LF_ERR(&e));
}

struct app *
app_of(const struct request *rq)
{
	return rq->app;
}

struct editor
app_editor(const struct request *rq)
{
	return (struct editor){
		.a = rq->a,
		.db = app_of(rq)->db,
		.tenant = rq->tenant,
		.principal = principal_label(rq->a, rq->principal),
		.source = rq->remote,
		.request_id = rq->id,
		.ring = app_of(rq)->ring,
	};
}
