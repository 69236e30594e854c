/*
 * jwt_sign.c - signed tokens for the services that want them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/jwt_sign.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
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

/* NULL: it is too long. */
static const char *
encoded(struct arena *a, const json_t *json)
{
	struct buf *text = buf_new(a, PART_MAX);

	js_write(text, json);
	return buf_overflowed(text) ? NULL
	                            : text_base64url(a, text->data, text->len);
}

/* ECDSA as JWS has it: both numbers, each in 32 bytes.  NULL: they are larger. */
static const char *
plain_ecdsa(struct arena *a, const unsigned char *der, size_t n)
{
	unsigned char raw[2 * COORDINATE_BYTES];
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool fits = sig != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, COORDINATE_BYTES) > 0 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + COORDINATE_BYTES,
	        COORDINATE_BYTES) > 0;

	ECDSA_SIG_free(sig);
	return fits ? text_base64url(a, raw, sizeof(raw)) : NULL;
}

static const char *
alg_of(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return "RS256";
	return EVP_PKEY_is_a(key, "ED25519") ? "EdDSA" : "ES256";
}

/* NULL: the key cannot. */
static const char *
signature_of(struct arena *a, EVP_PKEY *key, const char *alg, const char *text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = (size_t)EVP_PKEY_get_size(key);
	unsigned char *sig = arena_alloc(a, n);

	ensure(ctx != NULL);
	arena_defer(a, defer_ctx, ctx);
	if (EVP_DigestSignInit(ctx, NULL,
	        strcmp(alg, "EdDSA") == 0 ? NULL : EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, (const unsigned char *)text,
	        strlen(text)) != 1) {
		ERR_clear_error();
		return NULL;
	}
	return strcmp(alg, "ES256") == 0 ? plain_ecdsa(a, sig, n)
	                                 : text_base64url(a, sig, n);
}

int
jwt_sign(struct arena *a, EVP_PKEY *key, const struct jwt_claimed *what,
    const char **token_r, struct err *e)
{
	const char *alg = alg_of(key);
	const char *header = encoded(a, js_keep(a,
	    json_pack("{s:s, s:s, s:s*}", "typ", what->type, "alg", alg, "kid",
	        what->kid)));
	const char *claims = encoded(a, what->claims), *text, *signature;

	if (header == NULL || claims == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "what is to be signed is longer than %d bytes", PART_MAX);
	text = arena_printf(a, "%s.%s", header, claims);
	signature = signature_of(a, key, alg, text);
	if (signature == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the private key cannot sign");
	*token_r = arena_printf(a, "%s.%s", text, signature);
	return 0;
}
