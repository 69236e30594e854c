/*
 * token_maker.h - keys made when the test runs, and tokens signed with them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TESTS_UNIT_TOKEN_MAKER_H
#define BELFRY_TESTS_UNIT_TOKEN_MAKER_H

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/text.h"

static inline const char *
number_text(struct arena *a, const EVP_PKEY *key, const char *name, int bytes)
{
	unsigned char out[1024];
	BIGNUM *n = NULL;

	ensure(EVP_PKEY_get_bn_param(key, name, &n) == 1);
	if (bytes == 0)
		bytes = BN_num_bytes(n);
	ensure(BN_bn2binpad(n, out, bytes) == bytes);
	BN_free(n);
	return text_base64url(a, out, (size_t)bytes);
}

/* The members of a public key as JSON, without its braces. */
static inline const char *
public_members(struct arena *a, EVP_PKEY *key)
{
	unsigned char raw[32];
	size_t n = sizeof(raw);

	if (EVP_PKEY_is_a(key, "RSA"))
		return arena_printf(a,
		    "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"",
		    number_text(a, key, OSSL_PKEY_PARAM_RSA_N, 0),
		    number_text(a, key, OSSL_PKEY_PARAM_RSA_E, 0));
	if (EVP_PKEY_is_a(key, "EC"))
		return arena_printf(a,
		    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"",
		    number_text(a, key, OSSL_PKEY_PARAM_EC_PUB_X, 32),
		    number_text(a, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32));
	ensure(EVP_PKEY_get_raw_public_key(key, raw, &n) == 1);
	return arena_printf(a,
	    "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"",
	    text_base64url(a, raw, n));
}

/* A signature as JOSE has it; RSA with "digest". */
static inline const char *
sign_text(struct arena *a, EVP_PKEY *key, const EVP_MD *digest,
    const char *text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char out[1024], pair[64];
	const unsigned char *p = out;
	size_t n = sizeof(out);
	ECDSA_SIG *sig;

	if (EVP_PKEY_is_a(key, "ED25519"))
		digest = NULL;
	ensure(EVP_DigestSignInit(ctx, NULL, digest, NULL, key) == 1);
	ensure(EVP_DigestSign(ctx, out, &n, (const unsigned char *)text,
	           strlen(text)) == 1);
	EVP_MD_CTX_free(ctx);
	if (!EVP_PKEY_is_a(key, "EC"))
		return text_base64url(a, out, n);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	ensure(BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, 32) == 32);
	ensure(BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + 32, 32) == 32);
	ECDSA_SIG_free(sig);
	return text_base64url(a, pair, sizeof(pair));
}

static inline const char *
token_body(struct arena *a, const char *header, const char *claims)
{
	return arena_printf(a, "%s.%s",
	    text_base64url(a, header, strlen(header)),
	    text_base64url(a, claims, strlen(claims)));
}

static inline const char *
make_token(struct arena *a, EVP_PKEY *key, const char *header,
    const char *claims)
{
	const char *body = token_body(a, header, claims);

	return arena_printf(a, "%s.%s", body,
	    sign_text(a, key, EVP_sha256(), body));
}

#endif
