/*
 * jwt_sign.c - signed tokens for the services that want them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/jwt_sign.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"
#include "web/js.h"

enum { PART_MAX = 8192, COORDINATE_BYTES = 32 };

static void
defer_key(void *p)
{
	EVP_PKEY_free(p);
}

static void
defer_ctx(void *p)
{
	EVP_MD_CTX_free(p);
}

/* Nobody types a passphrase here. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	return 0;
}

int
jwt_key_read(struct arena *a, const char *pem, EVP_PKEY **key_r, struct err *e)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = NULL;

	if (in != NULL)
		key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
	BIO_free(in);
	if (key == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the private key is no key in PEM without a passphrase");
	arena_defer(a, defer_key, key);
	*key_r = key;
	return 0;
}

static const char *
encoded(struct arena *a, const json_t *json)
{
	struct buf *text = buf_new(a, PART_MAX);

	js_write(text, json);
	ensure(!buf_overflowed(text));
	return text_base64url(a, text->data, text->len);
}

/* ECDSA as JWS has it: both numbers, each in 32 bytes. */
static const char *
plain_ecdsa(struct arena *a, const unsigned char *der, size_t n)
{
	unsigned char raw[2 * COORDINATE_BYTES];
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);

	ensure(sig != NULL);
	ensure(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, COORDINATE_BYTES) > 0 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + COORDINATE_BYTES,
	        COORDINATE_BYTES) > 0);
	ECDSA_SIG_free(sig);
	return text_base64url(a, raw, sizeof(raw));
}

static const char *
alg_of(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return "RS256";
	return EVP_PKEY_is_a(key, "ED25519") ? "EdDSA" : "ES256";
}

const char *
jwt_sign(struct arena *a, EVP_PKEY *key, const char *type, const char *kid,
    const json_t *claims)
{
	const char *alg = alg_of(key);
	json_t *header = js_keep(a,
	    json_pack("{s:s, s:s, s:s*}", "typ", type, "alg", alg, "kid", kid));
	const char *text = arena_printf(a, "%s.%s", encoded(a, header),
	    encoded(a, claims));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = (size_t)EVP_PKEY_get_size(key);
	unsigned char *sig = arena_alloc(a, n);

	ensure(ctx != NULL);
	arena_defer(a, defer_ctx, ctx);
	ensure(EVP_DigestSignInit(ctx, NULL,
	           strcmp(alg, "EdDSA") == 0 ? NULL : EVP_sha256(), NULL,
	           key) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, (const unsigned char *)text,
	        strlen(text)) == 1);
	return arena_printf(a, "%s.%s", text,
	    strcmp(alg, "ES256") == 0 ? plain_ecdsa(a, sig, n) :
	                                text_base64url(a, sig, n));
}
