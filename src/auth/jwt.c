/*
 * jwt.c - access tokens that are signed JSON (RFC 7519, 7515, 9068)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/jwt.h"

#include <string.h>
#include <strings.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "auth/jwks.h"
#include "auth/proven.h"
#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"
#include "base/text.h"
#include "web/js.h"

enum { DEPTH_MAX = 16, ES256_BYTES = 64, DER_BYTES_MAX = 80 };
enum { SIGNATURE_KNOWN, SIGNATURE_GOOD, SIGNATURE_WRONG }; /* of the metric */

/* The last second that RFC 3339 can write: nothing lives longer. */
#define TIME_MAX_S 253402300799.0

struct jwt {
	const char *text;
	size_t text_bytes;
	size_t signed_bytes; /* of these header.payload */
	const uint8_t *signature;
	size_t signature_bytes;
	const char *alg;
	const char *kid;
	const char *issuer;
	const json_t *claims;
};

static int
refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_UNAUTHENTICATED, "%s", why);
}

/* ---- Taking apart ------------------------------------------------------------ */

/* One part of the three as JSON: an object without members that stand twice. */
static int
part_json(struct arena *a, const char *part, size_t len, json_t **json_r)
{
	struct err wrong;
	void *p;
	size_t n;

	if (text_base64url_decode(a, arena_strndup(a, part, len), &p, &n) !=
	        0 ||
	    js_parse(a, p, n, DEPTH_MAX, json_r, &wrong) != 0)
		return -1;
	return json_is_object(*json_r) ? 0 : -1;
}

/* RFC 9068 has at+jwt; Keycloak and others write JWT.  "application/" may stand in
 * front (RFC 7515 section 4.1.9). */
static bool
is_access_token_type(const json_t *typ)
{
	const char *text = json_string_value(typ);

	if (typ == NULL)
		return true;
	if (text == NULL)
		return false;
	if (strncasecmp(text, "application/", 12) == 0)
		text += 12;
	return strcasecmp(text, "JWT") == 0 || strcasecmp(text, "at+jwt") == 0;
}

static int
read_header(struct arena *a, const char *part, size_t len, struct jwt *t,
    struct err *e)
{
	json_t *header;

	if (part_json(a, part, len, &header) != 0)
		return refuse(e, "the header is broken");
	t->alg = json_string_value(json_object_get(header, "alg"));
	t->kid = json_string_value(json_object_get(header, "kid"));
	if (t->alg == NULL)
		return refuse(e, "the header names no algorithm");
	if (t->kid == NULL || t->kid[0] == '\0' ||
	    strlen(t->kid) > JWK_KID_BYTES_MAX)
		return refuse(e, "the header names no key");
	if (json_object_get(header, "crit") != NULL)
		return refuse(e, "the header demands an extension");
	if (!is_access_token_type(json_object_get(header, "typ")))
		return refuse(e, "the token is of another type");
	return 0;
}

static int
read_claims(struct arena *a, const char *part, size_t len, struct jwt *t,
    struct err *e)
{
	json_t *claims;

	if (part_json(a, part, len, &claims) != 0)
		return refuse(e, "the claims are broken");
	t->claims = claims;
	t->issuer = json_string_value(json_object_get(claims, "iss"));
	return t->issuer != NULL ? 0 : refuse(e, "the token names no issuer");
}

int
jwt_read(struct arena *a, const char *text, struct jwt **jwt_r, struct err *e)
{
	struct jwt *t = arena_object(a, struct jwt);
	size_t len = strnlen(text, JWT_BYTES_MAX + 1);
	const char *payload, *signature;
	void *p;

	if (len > JWT_BYTES_MAX)
		return refuse(e, "the token is too long");
	payload = strchr(text, '.');
	signature = payload != NULL ? strchr(payload + 1, '.') : NULL;
	if (signature == NULL || strchr(signature + 1, '.') != NULL)
		return refuse(e, "the token has not three parts");
	t->text = arena_strndup(a, text, len);
	t->text_bytes = len;
	t->signed_bytes = (size_t)(signature - text);
	if (text_base64url_decode(a, signature + 1, &p, &t->signature_bytes) !=
	        0 ||
	    t->signature_bytes == 0)
		return refuse(e, "the signature is broken");
	t->signature = p;
	if (read_header(a, text, (size_t)(payload - text), t, e) != 0 ||
	    read_claims(a, payload + 1, (size_t)(signature - payload - 1), t,
	        e) != 0)
		return -1;
	*jwt_r = t;
	return 0;
}

const char *
jwt_claimed_issuer(const struct jwt *t)
{
	return t->issuer;
}

const char *
jwt_claimed_kid(const struct jwt *t)
{
	return t->kid;
}

static bool
is_listed(const char *text, const char *const *list)
{
	for (; text != NULL && *list != NULL; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

bool
jwt_claims_audience(const struct jwt *t, const char *const *audiences)
{
	const json_t *aud = json_object_get(t->claims, "aud"), *one;
	size_t i;

	if (json_is_string(aud))
		return is_listed(json_string_value(aud), audiences);
	json_array_foreach(aud, i, one)
		if (is_listed(json_string_value(one), audiences))
			return true;
	return false;
}

static const char *
tenant_of(const json_t *audience)
{
	const char *text = json_string_value(audience);

	return text != NULL && strncmp(text, "belfry:", 7) == 0 &&
	        text_is_slug(text + 7) ?
	    text + 7 :
	    NULL;
}

const char *
jwt_claimed_tenant(const struct jwt *t)
{
	const json_t *aud = json_object_get(t->claims, "aud"), *one;
	const char *slug = tenant_of(aud);
	size_t i;

	json_array_foreach(aud, i, one)
		if (slug == NULL)
			slug = tenant_of(one);
	return slug;
}

/* ---- Signature ----------------------------------------------------------------- */

/* JOSE has r and s side by side, OpenSSL wants DER.  Returns its length, 0 when r or s
 * have another size. */
static size_t
der_of(const struct jwt *t, unsigned char der[static DER_BYTES_MAX])
{
	ECDSA_SIG *sig;
	unsigned char *end = der;
	BIGNUM *r, *s;
	int n;

	if (t->signature_bytes != ES256_BYTES)
		return 0;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(t->signature, ES256_BYTES / 2, NULL);
	s = BN_bin2bn(t->signature + ES256_BYTES / 2, ES256_BYTES / 2, NULL);
	ensure(sig != NULL && r != NULL && s != NULL &&
	    ECDSA_SIG_set0(sig, r, s) == 1);
	n = i2d_ECDSA_SIG(sig, &end);
	ensure(n <= DER_BYTES_MAX);
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

/* libsodium takes half of OpenSSL's time for Ed25519 and is as strict: S must be below
 * the order of the group, R not of small order. */
static bool
verify_ed25519(const struct jwt *t, const struct jwk *key)
{
	return t->signature_bytes == crypto_sign_BYTES &&
	    crypto_sign_verify_detached(t->signature,
	        (const unsigned char *)t->text, t->signed_bytes,
	        key->ed25519) == 0;
}

static bool
verify_by_openssl(const struct jwt *t, const struct jwk *key)
{
	const unsigned char *signature = t->signature;
	size_t len = t->signature_bytes;
	unsigned char der[DER_BYTES_MAX];
	EVP_MD_CTX *ctx;
	int rc;

	if (key->alg == JWK_ES256) {
		len = der_of(t, der);
		signature = der;
		if (len == 0)
			return false;
	}
	ctx = EVP_MD_CTX_new();
	ensure(ctx != NULL);
	rc = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey);
	if (rc == 1)
		rc = EVP_DigestVerify(ctx, signature, len,
		    (const unsigned char *)t->text, t->signed_bytes);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return rc == 1;
}

static bool
verify_signature(const struct jwt *t, const struct jwk *key)
{
	bool good = key->alg == JWK_EDDSA ? verify_ed25519(t, key) :
	                                    verify_by_openssl(t, key);

	metrics_add(METRIC_TOKEN_SIGNATURES_TOTAL,
	    good ? SIGNATURE_GOOD : SIGNATURE_WRONG, 1);
	return good;
}

static bool
signature_is_good(const struct jwt *t, const struct jwk *key,
    struct proven *proven)
{
	struct proof proof;

	if (proven == NULL)
		return verify_signature(t, key);
	proof = proven_proof(proven, key, t->text, t->text_bytes);
	if (proven_has(proven, &proof)) {
		metrics_add(METRIC_TOKEN_SIGNATURES_TOTAL, SIGNATURE_KNOWN, 1);
		return true;
	}
	if (!verify_signature(t, key))
		return false;
	proven_add(proven, &proof);
	return true;
}

/* ---- Claims ---------------------------------------------------------------------- */

/* A moment in seconds, which may have a fraction.  1, 0 when absent, -1 when it is no
 * moment. */
static int
moment(const json_t *claims, const char *name, double *s_r)
{
	const json_t *value = json_object_get(claims, name);

	if (value == NULL)
		return 0;
	if (!json_is_number(value))
		return -1;
	*s_r = json_number_value(value);
	return *s_r >= 0 && *s_r <= TIME_MAX_S ? 1 : -1;
}

static int
check_times(const struct jwt *t, const struct jwt_rules *rules, struct err *e)
{
	static const char *const not_before[] = { "nbf", "iat" };
	double now = (double)rules->now_ms / 1000;
	double leeway = (double)rules->leeway_ms / 1000, s = 0;
	size_t i;
	int rc;

	if (moment(t->claims, "exp", &s) != 1)
		return refuse(e, "the token does not say when it expires");
	if (now >= s + leeway)
		return refuse(e, "the token has expired");
	for (i = 0; i < NELEMS(not_before); i++) {
		rc = moment(t->claims, not_before[i], &s);
		if (rc == -1)
			return refuse(e, "a time of the token is none");
		if (rc == 1 && now < s - leeway)
			return refuse(e, "the token is not valid yet");
	}
	return 0;
}

/* Issuers sign other things than access tokens with the same keys.  Keycloak tells them
 * apart by a claim "typ"; ID tokens hash what came with them (OpenID Connect Core
 * 3.3.2.11), logout tokens have events. */
static bool
is_something_else(const json_t *claims)
{
	static const char *const others[] = { "at_hash", "c_hash", "s_hash",
		"events" };
	const json_t *typ = json_object_get(claims, "typ");
	size_t i;

	for (i = 0; i < NELEMS(others); i++)
		if (json_object_get(claims, others[i]) != NULL)
			return true;
	return typ != NULL &&
	    (!json_is_string(typ) ||
	        (strcasecmp(json_string_value(typ), "Bearer") != 0 &&
	            !is_access_token_type(typ)));
}

int
jwt_verify(const struct jwt *t, const struct jwk *key,
    const struct jwt_rules *rules, const json_t **claims_r, struct err *e)
{
	if (strcmp(t->alg, jwk_alg_name(key->alg)) != 0)
		return refuse(e, "the key is for another algorithm");
	if (strcmp(t->kid, key->kid) != 0 ||
	    !signature_is_good(t, key, rules->proven))
		return refuse(e, "the signature is wrong");
	if (strcmp(t->issuer, rules->issuer) != 0)
		return refuse(e, "the token is from another issuer");
	if (!jwt_claims_audience(t, rules->audiences))
		return refuse(e, "the token is for another audience");
	if (is_something_else(t->claims))
		return refuse(e, "the token is no access token");
	if (check_times(t, rules, e) != 0)
		return -1;
	*claims_r = t->claims;
	return 0;
}
