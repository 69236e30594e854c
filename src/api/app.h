/*
 * app.h - what the handlers of belfry-api share in one worker
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_APP_H
#define BELFRY_API_APP_H

#include <stdint.h>

#include "base/compiler.h"
#include "model/edit.h"

struct arena;
struct cache;
struct config;
struct db;
struct err;
struct issuer;
struct keyring;
struct known;
struct keysets;
struct last_used;
struct origins;
struct proven;
struct rate_limiter;
struct request;
struct signing;
struct template;
struct tenant_index;
struct trusted;

struct app {
	struct arena *a; /* of the process */
	const struct config *config;
	struct keyring *ring;
	struct db *db;
	struct cache *cache;
	struct known *known;
	struct tenant_index *tenants;
	struct keysets *keysets;
	struct proven *proven; /* NULL: nothing is remembered */
	struct last_used *last_used;
	struct rate_limiter *limits; /* of tenants and principals */
	struct rate_limiter *prefix_limits; /* of numbers that begin alike */
	struct rate_limiter *address_limits; /* strangers do not drive others out */
	struct trusted *trusted; /* credentials that were good */
	struct origins *origins; /* of tenants */
	struct signing *signing; /* for tokens of our own */
	struct issuer *issuers; /* of the configuration */
	const struct template *unsubscribe_page; /* NULL until asked for */
	const char *openapi; /* the document as text; NULL until asked for */
};

/* Makes it; to be called after fork.  It connects when there is need.  -1 with *e when
 * the keys cannot be read or cache.servers is wrong. */
int app_new(struct arena *a, const struct config *config, struct app **app_r,
    struct err *e) MUST_CHECK;

/* Of a request whose principal is known. */
struct app *app_of(const struct request *rq);
struct editor app_editor(const struct request *rq);

/* What has time until the answer is out. */
void app_tend(struct app *app);

/* The dispatcher's hook: an API key or an access token becomes principal, tenant and
 * scopes.  Every reason to refuse one looks the same from outside.  A platform
 * administrator may name another tenant in the header Belfry-Tenant. */
int app_authenticate(struct request *rq, struct err *e) MUST_CHECK;

#endif
