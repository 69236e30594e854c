/*
 * jwt_sign.h - signed tokens for the services that want them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_JWT_SIGN_H
#define BELFRY_PROVIDER_JWT_SIGN_H

#include <jansson.h>
#include <openssl/evp.h>

#include "base/compiler.h"

struct arena;
struct err;

/* Reads a private key in PEM; it lives in "a".  -1 when it is none. */
int jwt_key_read(struct arena *a, const char *pem, EVP_PKEY **key_r,
    struct err *e) MUST_CHECK;

/* What a token is made of. */
struct jwt_claimed {
	const char *type; /* what the header says that it is, "JWT" mostly */
	const char *kid; /* or NULL */
	const json_t *claims;
};

/* Signs claims: RS256 with an RSA key, ES256 with one of P-256, EdDSA with one of Ed25519.
 * -1 (ERR_UNPROCESSABLE) when the key cannot do it, as one that is too small, or the
 * claims are too long: both may come from a tenant. */
int jwt_sign(struct arena *a, EVP_PKEY *key, const struct jwt_claimed *what,
    const char **token_r, struct err *e) MUST_CHECK;

#endif
