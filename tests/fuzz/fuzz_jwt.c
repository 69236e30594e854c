/*
 * fuzz_jwt.c - any bytes as a key set, a token, or the JSON within a signed one
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte chooses: "k" a set of keys, "s" a header, a line feed and claims, which
 * are signed with a good key, anything else a token.  Built with clang
 * -fsanitize=fuzzer and -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION it searches; built
 * without, it runs over its corpus.
 */
#include <string.h>

#include <openssl/evp.h>

#include "replay.h"

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

static const unsigned char seed[32] = "a key that only this test knows";

static const char *const audiences[] = { "belfry", NULL };
static const struct jwt_rules rules = { .issuer = "https://idp.example",
	.audiences = audiences, .now_ms = INT64_C(1800000000000),
	.leeway_ms = 30000 };

static void
try_set(struct arena *a, const char *text, size_t len)
{
	struct jwks *set;
	struct err e;

	err_clear(&e);
	if (jwks_parse(a, text, len, &set, &e) != 0) {
		ensure(e.kind == ERR_INVALID && e.text[0] != '\0');
		return;
	}
	ensure(len <= JWKS_BYTES_MAX && jwks_count(set) > 0 &&
	    jwks_count(set) <= JWKS_KEYS_MAX);
	ensure(jwks_find(set, "") == NULL);
}

/* The key of the seed as a set. */
static const struct jwk *
own_key(struct arena *a, EVP_PKEY *pkey)
{
	unsigned char raw[32];
	size_t n = sizeof(raw);
	struct jwks *set;
	struct err e;
	const char *text;

	ensure(EVP_PKEY_get_raw_public_key(pkey, raw, &n) == 1);
	text = arena_printf(a, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	                       "\"kid\":\"k\",\"x\":\"%s\"}]}",
	    text_base64url(a, raw, n));
	ensure(jwks_parse(a, text, strlen(text), &set, &e) == 0);
	return jwks_find(set, "k");
}

/* True when it is believed. */
static bool
try_token(struct arena *a, EVP_PKEY *pkey, const char *text)
{
	const json_t *claims = NULL;
	struct jwt *t;
	struct err e;
	double exp;

	if (jwt_read(a, text, &t, &e) != 0)
		return false;
	ensure(jwt_claimed_issuer(t) != NULL && jwt_claimed_kid(t)[0] != '\0');
	if (jwt_verify(t, own_key(a, pkey), &rules, &claims, &e) != 0) {
		ensure(claims == NULL);
		return false;
	}
	ensure(strcmp(jwt_claimed_issuer(t), rules.issuer) == 0);
	ensure(jwt_claims_audience(t, audiences));
	exp = json_number_value(json_object_get(claims, "exp"));
	ensure(exp > 1799999970 && exp <= 253402300799);
	return true;
}

static void
try_signed(struct arena *a, EVP_PKEY *pkey, const char *text, size_t len)
{
	const char *line = memchr(text, '\n', len);
	unsigned char signature[64];
	size_t n = sizeof(signature);
	EVP_MD_CTX *ctx;
	const char *body;

	if (line == NULL || len > JWT_BYTES_MAX)
		return;
	body = arena_printf(a, "%s.%s",
	    text_base64url(a, text, (size_t)(line - text)),
	    text_base64url(a, line + 1, len - (size_t)(line + 1 - text)));
	ctx = EVP_MD_CTX_new();
	ensure(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1);
	ensure(EVP_DigestSign(ctx, signature, &n, (const unsigned char *)body,
	           strlen(body)) == 1);
	EVP_MD_CTX_free(ctx);
	(void)try_token(a, pkey, arena_printf(a, "%s.%s", body,
	                             text_base64url(a, signature, n)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a = arena_new(8192);
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	    seed, sizeof(seed));
	const char *text;

	if (len > 0) {
		text = arena_strndup(a, (const char *)bytes + 1, len - 1);
		if (bytes[0] == 'k')
			try_set(a, text, len - 1);
		else if (bytes[0] == 's')
			try_signed(a, pkey, text, len - 1);
		else
			(void)try_token(a, pkey, text);
	}
	EVP_PKEY_free(pkey);
	arena_free(&a);
	return 0;
}

#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
int
main(int argc, char **argv)
{
	return replay_main("jwt", argc, argv);
}
#endif
