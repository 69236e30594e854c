/*
 * rsa_keys.h - RSA keys that stand in JSON, made when a test runs
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * OpenSSL makes neither one of 384 bits nor one whose modulus is even, but it reads both.
 */
#ifndef BELFRY_TEST_RSA_KEYS_H
#define BELFRY_TEST_RSA_KEYS_H

#include <stdbool.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/text.h"

/* What stands for a key until rsa_keys_put(). */
#define RSA_1024 "<1024>"
#define RSA_384 "<384>" /* too small for any signature with SHA-256 */
#define RSA_EVEN "<even>" /* cannot sign */
#define RSA_LARGE "<4224>"
#define RSA_PEM(key) \
	"-----BEGIN RSA PRIVATE KEY-----\\n" key "\\n-----END RSA PRIVATE KEY-----\\n"

enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QINV, RSA_NUMBERS };

/* Fills the numbers of RFC 8017, section 3.2. */
static inline void
rsa_numbers(BIGNUM *v[RSA_NUMBERS], int bits)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p1 = BN_new(), *q1 = BN_new(), *phi = BN_new();

	do {
		ensure(BN_generate_prime_ex(v[RSA_P], bits / 2, 0, NULL, NULL, NULL) &&
		    BN_generate_prime_ex(v[RSA_Q], bits / 2, 0, NULL, NULL, NULL));
		ensure(BN_sub(p1, v[RSA_P], BN_value_one()) &&
		    BN_sub(q1, v[RSA_Q], BN_value_one()) &&
		    BN_mul(phi, p1, q1, ctx) && BN_set_word(v[RSA_E], 65537));
	} while (BN_mod_inverse(v[RSA_D], v[RSA_E], phi, ctx) == NULL);
	ensure(BN_mul(v[RSA_N], v[RSA_P], v[RSA_Q], ctx) &&
	    BN_mod(v[RSA_DP], v[RSA_D], p1, ctx) &&
	    BN_mod(v[RSA_DQ], v[RSA_D], q1, ctx) &&
	    BN_mod_inverse(v[RSA_QINV], v[RSA_Q], v[RSA_P], ctx) != NULL);
	BN_free(p1);
	BN_free(q1);
	BN_free(phi);
	BN_CTX_free(ctx);
}

/* Base64 as PEM has it; the ends of lines are those of JSON, but the last. */
static inline const char *
rsa_lines(struct arena *a, const void *der, size_t n)
{
	const char *text = text_base64(a, der, n);
	struct buf *out = buf_new(a, 2 * strlen(text));

	for (; strlen(text) > 64; text += 64)
		buf_printf(out, "%.64s\\n", text);
	buf_puts(out, text);
	return out->data;
}

static inline const char *
rsa_key(struct arena *a, int bits, bool even)
{
	static const char *const names[RSA_NUMBERS] = { OSSL_PKEY_PARAM_RSA_N,
		OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
		OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *v[RSA_NUMBERS];
	unsigned char *der = NULL;
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;
	const char *text;
	int i, n;

	for (i = 0; i < RSA_NUMBERS; i++)
		v[i] = BN_new();
	rsa_numbers(v, bits);
	if (even)
		ensure(BN_sub_word(v[RSA_N], 1));
	for (i = 0; i < RSA_NUMBERS; i++)
		ensure(OSSL_PARAM_BLD_push_BN(build, names[i], v[i]));
	params = OSSL_PARAM_BLD_to_param(build);
	ensure(EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1);
	n = i2d_PrivateKey(key, &der);
	ensure(n > 0);
	text = rsa_lines(a, der, (size_t)n);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	for (i = 0; i < RSA_NUMBERS; i++)
		BN_free(v[i]);
	return text;
}

/* The text with the keys that it names, in "a". */
static inline const char *
rsa_keys_put(struct arena *a, const char *text)
{
	static const struct {
		const char *mark;
		int bits;
		bool even;
	} keys[] = {
		{ RSA_1024, 1024, false },
		{ RSA_384, 384, false },
		{ RSA_EVEN, 1024, true },
		{ RSA_LARGE, 4224, false },
	};
	const char *at;
	size_t i;

	for (i = 0; i < NELEMS(keys); i++) {
		at = strstr(text, keys[i].mark);
		if (at != NULL)
			text = arena_printf(a, "%.*s%s%s", (int)(at - text), text,
			    rsa_key(a, keys[i].bits, keys[i].even),
			    at + strlen(keys[i].mark));
	}
	return text;
}

#endif
