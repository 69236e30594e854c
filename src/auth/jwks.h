/*
 * jwks.h - the public keys of an issuer of tokens (RFC 7517)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A set is what came from outside, so it is read strictly but forgivingly: keys that
 * Belfry cannot use (for encryption, symmetric, of other algorithms, without a
 * name) are left out, since other programs may need them.  Two usable keys of one name
 * are one too many: neither is ever found.
 */
#ifndef BELFRY_AUTH_JWKS_H
#define BELFRY_AUTH_JWKS_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/compiler.h"

struct arena;
struct err;
struct jwks;

/* What a key signs with; there is one for each kind of key. */
enum jwk_alg {
	JWK_RS256, /* RSA of 2048 to 8192 bits */
	JWK_ES256, /* P-256 */
	JWK_EDDSA /* Ed25519 */
};

enum {
	JWKS_BYTES_MAX = 64 * 1024,
	JWKS_KEYS_MAX = 32,
	JWK_KID_BYTES_MAX = 256,
	JWK_ED25519_BYTES = 32
};

struct jwk {
	const char *kid;
	enum jwk_alg alg;
	EVP_PKEY *pkey; /* NULL: it is the next one */
	uint8_t ed25519[JWK_ED25519_BYTES];
	uint8_t id[32]; /* a hash of kind and key: another key has another one */
};

/* "RS256", "ES256", "EdDSA". */
const char *jwk_alg_name(enum jwk_alg alg);

/* Reads a set, which lives in "a" with its keys.  -1 with *e when it is none, is too
 * large, or holds no key that can be used. */
int jwks_parse(struct arena *a, const char *text, size_t len,
    struct jwks **jwks_r, struct err *e) MUST_CHECK;

/* The key of a name; NULL when there is none. */
const struct jwk *jwks_find(const struct jwks *jwks, const char *kid);

/* How many keys can be used. */
size_t jwks_count(const struct jwks *jwks);

#endif
