/*
 * oauth.h - access tokens that Belfry makes itself
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * POST /oauth/token (RFC 6749 section 4.4): a service account trades the id and the secret
 * of an API key for a token that lives for some minutes (RFC 9068), which Belfry takes as
 * any other, and whoever else knows Belfry as an issuer.  Its key is looked at each
 * time a token comes, so it is refused as soon as the key would be.
 */
#ifndef BELFRY_API_OAUTH_H
#define BELFRY_API_OAUTH_H

#include "base/compiler.h"

struct config;
struct err;
struct request;
struct response;

/* The name of Belfry as an issuer; "" when it makes no tokens. */
const char *oauth_issuer(const struct config *config);

int oauth_token(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;
int oauth_keys(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;
int oauth_metadata(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;

#endif
