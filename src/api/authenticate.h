/*
 * authenticate.h - from what a request shows to a principal
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_AUTHENTICATE_H
#define BELFRY_API_AUTHENTICATE_H

#include <stdbool.h>

#include "base/compiler.h"

struct config;
struct err;
struct principal;
struct request;

/* Of an API key and of an access token, as they stand in the header.  *p_r lives as long
 * as the request.  -1 with *e, whose text is the same whatever is wrong with them. */
int authenticate_key(struct request *rq, const char *text,
    struct principal **p_r, struct err *e) MUST_CHECK;
int authenticate_token(struct request *rq, const char *text,
    struct principal **p_r, struct err *e) MUST_CHECK;

/* The key that a token of our own was made for, with its secret proven by the token's
 * signature. */
int authenticate_client(struct request *rq, const char *key_id,
    struct principal **p_r, struct err *e) MUST_CHECK;

/* Whether an issuer is one of the configuration, or Belfry itself: then it is no
 * tenant's. */
bool authenticate_is_operators(const struct config *config, const char *issuer);

/* The header Belfry-Tenant; NULL without it. */
const char *authenticate_tenant(const struct request *rq);

#endif
