/*
 * webpush_encrypt.c - messages that only one browser can read (RFC 8291)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The secret that both key pairs share is mixed with the browser's own secret, and what
 * comes of it with the salt: that gives the key and the nonce of one record of AES-128-GCM.
 */
#include "provider/webpush_encrypt.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/hmac.h"

#define CURVE "P-256"

enum { HASH = 32, SECRET = 32, KEY = 16, NONCE = 12, TAG = 16, RECORD = 4096 };

static void
defer_key(void *p)
{
	EVP_PKEY_free(p);
}

/* The point that belongs to a secret number. */
static bool
public_point(const BIGNUM *secret, uint8_t point_r[static WEBPUSH_POINT_BYTES])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
	bool good;

	ensure(point != NULL);
	good = !BN_is_zero(secret) &&
	    BN_cmp(secret, EC_GROUP_get0_order(group)) < 0 &&
	    EC_POINT_mul(group, point, secret, NULL, NULL, NULL) == 1 &&
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED,
	        point_r, WEBPUSH_POINT_BYTES, NULL) == WEBPUSH_POINT_BYTES;
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return good;
}

/* A key of the curve: a pair, or with no secret the public half. */
static EVP_PKEY *
make_key(const BIGNUM *secret, const uint8_t point[static WEBPUSH_POINT_BYTES])
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	ensure(bld != NULL && ctx != NULL);
	ensure(OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
	           CURVE, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point,
	        WEBPUSH_POINT_BYTES) == 1 &&
	    (secret == NULL || OSSL_PARAM_BLD_push_BN(bld,
	                           OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1));
	params = OSSL_PARAM_BLD_to_param(bld);
	ensure(params != NULL && EVP_PKEY_fromdata_init(ctx) == 1);
	if (EVP_PKEY_fromdata(ctx, &key,
	        secret != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
	        params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

int
webpush_key(struct arena *a, const void *secret, size_t n, EVP_PKEY **key_r,
    struct err *e)
{
	uint8_t point[WEBPUSH_POINT_BYTES];
	BIGNUM *number = BN_bin2bn(secret, (int)n, NULL);
	EVP_PKEY *key = NULL;

	ensure(number != NULL);
	if (n == SECRET && public_point(number, point))
		key = make_key(number, point);
	BN_clear_free(number);
	if (key == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "not the %d secret bytes of a key of " CURVE, SECRET);
	arena_defer(a, defer_key, key);
	*key_r = key;
	return 0;
}

void
webpush_public(const EVP_PKEY *key, uint8_t point_r[static WEBPUSH_POINT_BYTES])
{
	size_t n = 0;

	ensure(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY,
	           point_r, WEBPUSH_POINT_BYTES, &n) == 1 &&
	    n == WEBPUSH_POINT_BYTES);
}

static int
shared_secret(EVP_PKEY *ours, const uint8_t browser[static WEBPUSH_POINT_BYTES],
    uint8_t secret_r[static SECRET], struct err *e)
{
	EVP_PKEY *theirs = browser[0] == POINT_CONVERSION_UNCOMPRESSED
	    ? make_key(NULL, browser)
	    : NULL;
	EVP_PKEY_CTX *ctx;
	size_t n = SECRET;
	bool good;

	if (theirs == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "p256dh of the subscription is no public key");
	ctx = EVP_PKEY_CTX_new(ours, NULL);
	good = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
	    EVP_PKEY_derive(ctx, secret_r, &n) == 1 && n == SECRET;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(theirs);
	return good ? 0
	            : err_set(e, ERR_UNPROCESSABLE,
	                  "p256dh of the subscription is no public key");
}

struct record_keys {
	uint8_t key[HASH], nonce[HASH]; /* their first bytes count */
};

/* Sections 3.3 and 3.4. */
static void
derive(const uint8_t secret[static SECRET], const uint8_t *salt,
    const uint8_t *browser, const uint8_t *auth, const uint8_t *point,
    struct record_keys *keys_r)
{
	static const char label[] = "WebPush: info";
	static const char of_key[] = "Content-Encoding: aes128gcm\0\1";
	static const char of_nonce[] = "Content-Encoding: nonce\0\1";
	uint8_t info[sizeof(label) + 2 * WEBPUSH_POINT_BYTES + 1], mixed[HASH],
	    material[HASH];

	memcpy(info, label, sizeof(label));
	memcpy(info + sizeof(label), browser, WEBPUSH_POINT_BYTES);
	memcpy(info + sizeof(label) + WEBPUSH_POINT_BYTES, point,
	    WEBPUSH_POINT_BYTES);
	info[sizeof(info) - 1] = 1;
	hmac_sha256(auth, WEBPUSH_AUTH_BYTES, secret, SECRET, mixed);
	hmac_sha256(mixed, HASH, info, sizeof(info), material);
	hmac_sha256(salt, WEBPUSH_SALT_BYTES, material, HASH, mixed);
	hmac_sha256(mixed, HASH, of_key, sizeof(of_key) - 1, keys_r->key);
	hmac_sha256(mixed, HASH, of_nonce, sizeof(of_nonce) - 1, keys_r->nonce);
	sodium_memzero(mixed, sizeof(mixed));
	sodium_memzero(material, sizeof(material));
}

/* The one record: the text, a 2 that says it is the last, and the tag. */
static void
seal_record(struct buf *out, const struct record_keys *keys, const char *plain,
    size_t plain_bytes)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t record[WEBPUSH_PLAIN_MAX + 1 + TAG];
	int n = 0, last = 0;

	ensure(ctx != NULL);
	ensure(EVP_EncryptInit_ex2(ctx, EVP_aes_128_gcm(), keys->key, keys->nonce,
	           NULL) == 1 &&
	    EVP_EncryptUpdate(ctx, record, &n, (const uint8_t *)plain,
	        (int)plain_bytes) == 1 &&
	    EVP_EncryptUpdate(ctx, record + n, &last, (const uint8_t *)"\2",
	        1) == 1);
	n += last;
	ensure(EVP_EncryptFinal_ex(ctx, record + n, &last) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, record + n) == 1);
	EVP_CIPHER_CTX_free(ctx);
	buf_add(out, record, (size_t)n + TAG);
}

int
webpush_encrypt(struct buf *out, EVP_PKEY *ours,
    const uint8_t salt[static WEBPUSH_SALT_BYTES],
    const uint8_t browser[static WEBPUSH_POINT_BYTES],
    const uint8_t auth[static WEBPUSH_AUTH_BYTES], const char *plain,
    size_t plain_bytes, struct err *e)
{
	static const uint8_t size[] = { 0, 0, RECORD >> 8, RECORD & 0xff,
		WEBPUSH_POINT_BYTES };
	uint8_t point[WEBPUSH_POINT_BYTES], secret[SECRET];
	struct record_keys keys;

	if (plain_bytes > WEBPUSH_PLAIN_MAX)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the push message is larger than %d bytes",
		    WEBPUSH_PLAIN_MAX);
	webpush_public(ours, point);
	if (shared_secret(ours, browser, secret, e) < 0)
		return -1;
	derive(secret, salt, browser, auth, point, &keys);
	buf_add(out, salt, WEBPUSH_SALT_BYTES);
	buf_add(out, size, sizeof(size));
	buf_add(out, point, sizeof(point));
	seal_record(out, &keys, plain, plain_bytes);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(&keys, sizeof(keys));
	return 0;
}
