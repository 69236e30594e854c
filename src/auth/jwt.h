/*
 * jwt.h - access tokens that are signed JSON (RFC 7519, 7515, 9068)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two steps.  jwt_read() takes a token apart and tells whom it *claims* to be from,
 * which is only good for finding the key.  jwt_verify() checks the signature and the
 * claims, and hands out the claims of good tokens alone.
 *
 * The key decides the algorithm; the header must agree with it.  What a header says
 * of keys (jku, x5u, jwk) is not looked at.
 */
#ifndef BELFRY_AUTH_JWT_H
#define BELFRY_AUTH_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct err;
struct jwk;
struct jwt;
struct proven;

enum { JWT_BYTES_MAX = 8192 };

/* What the claims of a good token say. */
struct jwt_rules {
	const char *issuer; /* exactly */
	const char *const *audiences; /* one of them, ended by NULL */
	int64_t now_ms; /* wall time */
	int64_t leeway_ms; /* for clocks that differ */
	struct proven *proven; /* NULL: each signature is verified */
};

/* Takes a token apart; it lives in "a".  -1 with *e when it has not the form of an
 * access token. */
int jwt_read(struct arena *a, const char *text, struct jwt **jwt_r,
    struct err *e) MUST_CHECK;

/* What it claims, unverified. */
const char *jwt_claimed_issuer(const struct jwt *t);
const char *jwt_claimed_kid(const struct jwt *t);
const char *jwt_claimed_tenant(const struct jwt *t); /* of an audience belfry:SLUG */
bool jwt_claims_audience(const struct jwt *t, const char *const *audiences);

/* Checks signature and claims.  *claims_r lives as long as the token's arena.  -1 with
 * *e when it is not to be believed; the text says why and is for the log. */
int jwt_verify(const struct jwt *t, const struct jwk *key,
    const struct jwt_rules *rules, const json_t **claims_r, struct err *e)
    MUST_CHECK;

#endif
