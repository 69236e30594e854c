/*
 * jwks.c - the public keys of an issuer of tokens (RFC 7517)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/jwks.h"

#include <string.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"
#include "web/js.h"

enum {
	DEPTH_MAX = 16,
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 8192,
	RSA_EXPONENT_BITS_MAX = 64,
	P256_BYTES = 32
};

struct jwks {
	struct jwk *keys;
	size_t count;
};

static const char *const alg_names[] = {
	[JWK_RS256] = "RS256",
	[JWK_ES256] = "ES256",
	[JWK_EDDSA] = "EdDSA",
};

const char *
jwk_alg_name(enum jwk_alg alg)
{
	ensure(alg < NELEMS(alg_names));
	return alg_names[alg];
}

static void
defer_pkey(void *p)
{
	EVP_PKEY_free(p);
}

static const char *
member(const json_t *key, const char *name)
{
	return json_string_value(json_object_get(key, name));
}

static bool
is(const char *text, const char *want)
{
	return text != NULL && strcmp(text, want) == 0;
}

/* The bytes of a member in base64url; -1 when it is absent or broken. */
static int
bytes_of(struct arena *a, const json_t *key, const char *name, void **p_r,
    size_t *n_r)
{
	const char *text = member(key, name);

	return text == NULL || text[0] == '\0' ?
	    -1 :
	    text_base64url_decode(a, text, p_r, n_r);
}

/* Makes a public key of "type" from parameters; NULL when they are no key. */
static EVP_PKEY *
pkey_of(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

/* The size of a modulus bounds what one verification costs. */
static bool
rsa_is_sound(const BIGNUM *n, const BIGNUM *e)
{
	return BN_num_bits(n) >= RSA_BITS_MIN &&
	    BN_num_bits(n) <= RSA_BITS_MAX && BN_is_odd(n) && BN_is_odd(e) &&
	    !BN_is_one(e) && BN_num_bits(e) <= RSA_EXPONENT_BITS_MAX;
}

static bool
read_rsa(struct arena *a, const json_t *key, struct jwk *k)
{
	OSSL_PARAM_BLD *build;
	BIGNUM *bn_n, *bn_e;
	void *n, *e;
	size_t n_bytes, e_bytes;

	if (bytes_of(a, key, "n", &n, &n_bytes) != 0 ||
	    bytes_of(a, key, "e", &e, &e_bytes) != 0 ||
	    n_bytes > RSA_BITS_MAX / 8 + 1 || e_bytes > n_bytes)
		return false;
	build = OSSL_PARAM_BLD_new();
	bn_n = BN_bin2bn(n, (int)n_bytes, NULL);
	bn_e = BN_bin2bn(e, (int)e_bytes, NULL);
	ensure(build != NULL && bn_n != NULL && bn_e != NULL);
	if (rsa_is_sound(bn_n, bn_e) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
		k->pkey = pkey_of("RSA", build);
	BN_free(bn_n);
	BN_free(bn_e);
	OSSL_PARAM_BLD_free(build);
	return k->pkey != NULL;
}

/* OpenSSL refuses points that are not on the curve. */
static bool
read_p256(struct arena *a, const json_t *key, struct jwk *k)
{
	unsigned char point[1 + 2 * P256_BYTES] = { 4 }; /* uncompressed */
	OSSL_PARAM_BLD *build;
	void *x, *y;
	size_t x_bytes, y_bytes;

	if (bytes_of(a, key, "x", &x, &x_bytes) != 0 ||
	    bytes_of(a, key, "y", &y, &y_bytes) != 0 ||
	    x_bytes != P256_BYTES || y_bytes != P256_BYTES)
		return false;
	memcpy(point + 1, x, P256_BYTES);
	memcpy(point + 1 + P256_BYTES, y, P256_BYTES);
	build = OSSL_PARAM_BLD_new();
	ensure(build != NULL);
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
	        "prime256v1", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
	        point, sizeof(point)) == 1)
		k->pkey = pkey_of("EC", build);
	OSSL_PARAM_BLD_free(build);
	return k->pkey != NULL;
}

/* With a point of small order for a key, a signature could fit any text; there is one
 * way of writing each other one. */
static bool
read_ed25519(struct arena *a, const json_t *key, struct jwk *k)
{
	void *x;
	size_t n;

	if (bytes_of(a, key, "x", &x, &n) != 0 || n != sizeof(k->ed25519) ||
	    crypto_core_ed25519_is_valid_point(x) != 1)
		return false;
	memcpy(k->ed25519, x, n);
	return true;
}

/* The kinds of keys that can be used: the key fixes the algorithm. */
static const struct {
	const char *kty;
	const char *crv; /* NULL: has none */
	enum jwk_alg alg;
	bool (*read)(struct arena *a, const json_t *key, struct jwk *k);
} kinds[] = {
	{ "RSA", NULL, JWK_RS256, read_rsa },
	{ "EC", "P-256", JWK_ES256, read_p256 },
	{ "OKP", "Ed25519", JWK_EDDSA, read_ed25519 },
};

/* Says "key_ops", when it is there, that the key verifies? */
static bool
may_verify(const json_t *key)
{
	const json_t *ops = json_object_get(key, "key_ops"), *op;
	size_t i;

	if (ops == NULL)
		return true;
	json_array_foreach(ops, i, op)
		if (is(json_string_value(op), "verify"))
			return true;
	return false;
}

/* Whether a key is meant for signatures and has a name.  One that shows its private
 * part is nobody's secret any more. */
static bool
is_offered(const json_t *key)
{
	const json_t *use = json_object_get(key, "use");
	const char *kid = member(key, "kid");

	return json_is_object(key) && kid != NULL && kid[0] != '\0' &&
	    strlen(kid) <= JWK_KID_BYTES_MAX &&
	    (use == NULL || is(json_string_value(use), "sig")) &&
	    may_verify(key) && json_object_get(key, "d") == NULL;
}

static void
identify(struct jwk *k)
{
	unsigned char *der = NULL, *bytes = k->ed25519;
	int n = sizeof(k->ed25519);

	if (k->pkey != NULL) {
		n = i2d_PUBKEY(k->pkey, &der);
		ensure(n > 0);
		bytes = der;
	}
	(void)crypto_generichash(k->id, sizeof(k->id), bytes, (size_t)n, NULL,
	    0);
	OPENSSL_free(der);
}

/* Takes a key when it can be used. */
static void
take(struct arena *a, struct jwks *set, const json_t *key)
{
	const json_t *alg = json_object_get(key, "alg");
	struct jwk *k = &set->keys[set->count];
	size_t i;

	if (!is_offered(key))
		return;
	for (i = 0; i < NELEMS(kinds); i++)
		if (is(member(key, "kty"), kinds[i].kty) &&
		    (kinds[i].crv == NULL ||
		        is(member(key, "crv"), kinds[i].crv)))
			break;
	if (i == NELEMS(kinds) ||
	    (alg != NULL &&
	        !is(json_string_value(alg), alg_names[kinds[i].alg])))
		return;
	*k = (struct jwk){ .alg = kinds[i].alg };
	if (!kinds[i].read(a, key, k)) {
		ERR_clear_error();
		return;
	}
	arena_defer(a, defer_pkey, k->pkey);
	identify(k);
	k->kid = arena_strdup(a, member(key, "kid"));
	set->count++;
}

int
jwks_parse(struct arena *a, const char *text, size_t len, struct jwks **jwks_r,
    struct err *e)
{
	struct jwks *set = arena_object(a, struct jwks);
	const json_t *keys, *key;
	struct err wrong;
	json_t *json;
	size_t i;

	if (len > JWKS_BYTES_MAX)
		return err_set(e, ERR_INVALID,
		    "the key set has more than %d bytes", JWKS_BYTES_MAX);
	if (js_parse(a, text, len, DEPTH_MAX, &json, &wrong) != 0)
		return err_set(e, ERR_INVALID, "the key set is not JSON: %s",
		    wrong.text);
	keys = json_object_get(json, "keys");
	if (!json_is_array(keys))
		return err_set(e, ERR_INVALID,
		    "the key set has no list \"keys\"");
	if (json_array_size(keys) > JWKS_KEYS_MAX)
		return err_set(e, ERR_INVALID,
		    "the key set has more than %d keys", JWKS_KEYS_MAX);
	set->keys = arena_zalloc(a, JWKS_KEYS_MAX + 1, sizeof(*set->keys));
	json_array_foreach(keys, i, key)
		take(a, set, key);
	if (set->count == 0)
		return err_set(e, ERR_INVALID,
		    "the key set holds no key that can be used");
	*jwks_r = set;
	return 0;
}

const struct jwk *
jwks_find(const struct jwks *jwks, const char *kid)
{
	const struct jwk *found = NULL;
	size_t i;

	for (i = 0; i < jwks->count; i++) {
		if (strcmp(jwks->keys[i].kid, kid) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = &jwks->keys[i];
	}
	return found;
}

size_t
jwks_count(const struct jwks *jwks)
{
	return jwks->count;
}
