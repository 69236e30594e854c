/*
 * google_token.h - access tokens for service accounts of Google
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 7523: what the account's key has signed is given away for a token, which is good
 * for an hour.
 */
#ifndef BELFRY_PROVIDER_GOOGLE_TOKEN_H
#define BELFRY_PROVIDER_GOOGLE_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct err;
struct http_rule;
struct transfer_request;
struct transfer_result;
struct verdict;

/* Is this the key of a service account, as the console gives it, and does it sign? */
int google_account_check(const json_t *account, struct err *e) MUST_CHECK;

/* The request for a token of that scope.  All of it lives in "a". */
int google_token_request(struct arena *a, const json_t *account,
    const char *scope, struct transfer_request *request_r, struct err *e)
    MUST_CHECK;

/* The token that was answered, in "a"; or NULL and why in *v_r, by the rules. */
const char *google_token_read(struct arena *a, const struct transfer_result *res,
    const struct http_rule *rules, size_t count, int64_t *lifetime_ms_r,
    struct verdict *v_r);

#endif
