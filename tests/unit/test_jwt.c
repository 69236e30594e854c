/*
 * test_jwt.c - valid, broken and forged access tokens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The time is 1800000000 for all of them; clocks may differ by 30 s.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "base/arena.h"
#include "base/err.h"
#include "token_maker.h"

#define WHO "\"iss\":\"https://idp.example\",\"aud\":\"belfry\",\"sub\":\"u1\""
#define GOOD "{" WHO ",\"exp\":1800000300}"
#define HEAD "\"kid\":\"rsa\",\"typ\":\"at+jwt\""

static struct arena *a;
static EVP_PKEY *rsa, *other_rsa, *ec, *ed;
static struct jwks *set;
static int tried;

static int
setup(void **state)
{
	const char *text;
	struct err e;

	a = arena_new(16384);
	rsa = EVP_RSA_gen(2048);
	other_rsa = EVP_RSA_gen(2048);
	ec = EVP_EC_gen("P-256");
	ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	text = arena_printf(a,
	    "{\"keys\":[{%s,\"kid\":\"rsa\"},{%s,\"kid\":\"ec\"},"
	    "{%s,\"kid\":\"ed\"}]}", public_members(a, rsa),
	    public_members(a, ec), public_members(a, ed));
	return jwks_parse(a, text, strlen(text), &set, &e);
}

static int
teardown(void **state)
{
	print_message("%d tokens\n", tried);
	assert_true(tried >= 120);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other_rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
	arena_free(&a);
	return 0;
}

static bool
is_good(const char *text)
{
	static const char *const audiences[] = { "other", "belfry", NULL };
	const struct jwt_rules rules = { .issuer = "https://idp.example",
		.audiences = audiences, .now_ms = INT64_C(1800000000000),
		.leeway_ms = 30000 };
	const json_t *claims = NULL;
	const struct jwk *key;
	struct jwt *t;
	struct err e;

	tried++;
	err_clear(&e);
	if (jwt_read(a, text, &t, &e) != 0) {
		assert_int_equal(e.kind, ERR_UNAUTHENTICATED);
		return false;
	}
	key = jwks_find(set, jwt_claimed_kid(t));
	if (key == NULL)
		return false;
	if (jwt_verify(t, key, &rules, &claims, &e) != 0) {
		assert_int_equal(e.kind, ERR_UNAUTHENTICATED);
		assert_null(claims);
		return false;
	}
	assert_string_equal(
	    json_string_value(json_object_get(claims, "sub")), "u1");
	return true;
}

static void
every_algorithm(void **state)
{
	assert_true(is_good(make_token(a, rsa,
	    "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"at+jwt\"}", GOOD)));
	assert_true(is_good(make_token(a, ec,
	    "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", GOOD)));
	assert_true(is_good(make_token(a, ed,
	    "{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"at+jwt\"}", GOOD)));
}

/* Each is signed rightly with the RSA key. */
static void
headers(void **state)
{
	static const struct {
		const char *header;
		bool good;
	} cases[] = {
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", true },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"JWT\"}", true },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"jwt\"}", true },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"AT+JWT\"}", true },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\","
		  "\"typ\":\"application/at+jwt\"}", true },
		{ "{\"alg\":\"RS256\"," HEAD ",\"cty\":\"x\"}", true },
		/* What it says of keys is not looked at. */
		{ "{\"alg\":\"RS256\"," HEAD ",\"jku\":\"http://127.0.0.1:1/\","
		  "\"x5u\":\"http://127.0.0.1:1/\",\"jwk\":{\"kty\":\"oct\"}}",
		    true },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"logout+jwt\"}",
		    false },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"dpop+jwt\"}",
		    false },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":null}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":[\"JWT\"]}",
		    false },
		{ "{\"alg\":\"none\"," HEAD "}", false },
		{ "{\"alg\":\"None\"," HEAD "}", false },
		{ "{\"alg\":\"nOnE\"," HEAD "}", false },
		{ "{\"alg\":\"\"," HEAD "}", false },
		{ "{\"alg\":\"rs256\"," HEAD "}", false },
		{ "{\"alg\":\"RS256 \"," HEAD "}", false },
		{ "{\"alg\":\"RS384\"," HEAD "}", false },
		{ "{\"alg\":\"RS512\"," HEAD "}", false },
		{ "{\"alg\":\"PS256\"," HEAD "}", false },
		{ "{\"alg\":\"HS256\"," HEAD "}", false },
		{ "{\"alg\":\"ES256\"," HEAD "}", false },
		{ "{\"alg\":\"EdDSA\"," HEAD "}", false },
		{ "{\"alg\":[\"RS256\"]," HEAD "}", false },
		{ "{\"alg\":null," HEAD "}", false },
		{ "{" HEAD "}", false },
		{ "{\"alg\":\"RS256\",\"alg\":\"RS256\"," HEAD "}", false },
		{ "{\"alg\":\"RS256\"," HEAD ",\"crit\":[\"exp\"]}", false },
		{ "{\"alg\":\"RS256\"," HEAD ",\"crit\":[]}", false },
		{ "{\"alg\":\"RS256\"," HEAD ",\"crit\":null}", false },
		{ "{\"alg\":\"RS256\"," HEAD ",\"b64\":false,"
		  "\"crit\":[\"b64\"]}", false },
		{ "{\"alg\":\"RS256\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":null}", false },
		{ "{\"alg\":\"RS256\",\"kid\":1}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"RSA\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\\u0000\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"../../../../dev/null\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"' OR 1=1 --\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"ec\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"ed\"}", false },
		{ "{\"alg\":\"RS256\",\"kid\":\"unknown\"}", false },
		{ "[\"RS256\"]", false },
		{ "\"RS256\"", false },
		{ "{\"alg\":\"RS256\"," HEAD "}x", false },
		{ "{\"alg\":\"RS256\"," HEAD, false },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"\xff\"}", false },
		{ "", false },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		if (is_good(make_token(a, rsa, cases[i].header, GOOD)) !=
		    cases[i].good)
			fail_msg("%s", cases[i].header);
}

static void
claims_decide(void **state)
{
	static const struct {
		const char *claims;
		bool good;
	} cases[] = {
		{ "{" WHO ",\"exp\":1800000001}", true },
		{ "{" WHO ",\"exp\":1799999971}", true }, /* within 30 s */
		{ "{" WHO ",\"exp\":1799999970}", false },
		{ "{" WHO ",\"exp\":1799999970.5}", true },
		{ "{" WHO ",\"exp\":1.8000003e9}", true },
		{ "{" WHO ",\"exp\":1799999940}", false },
		{ "{" WHO ",\"exp\":0}", false },
		{ "{" WHO ",\"exp\":-1}", false },
		{ "{" WHO ",\"exp\":\"1800000300\"}", false },
		{ "{" WHO ",\"exp\":null}", false },
		{ "{" WHO ",\"exp\":true}", false },
		{ "{" WHO ",\"exp\":[1800000300]}", false },
		{ "{" WHO ",\"exp\":9223372036854775807}", false },
		{ "{" WHO ",\"exp\":9223372036854775808}", false },
		{ "{" WHO ",\"exp\":1e300}", false },
		{ "{" WHO ",\"exp\":1e400}", false },
		{ "{" WHO ",\"exp\":NaN}", false },
		{ "{" WHO ",\"exp\":253402300799}", true },
		{ "{" WHO "}", false },
		{ "{" WHO ",\"exp\":1800000300,\"exp\":1800000300}", false },
		{ "{" WHO ",\"exp\":1800000300,\"nbf\":1800000000}", true },
		{ "{" WHO ",\"exp\":1800000300,\"nbf\":1800000030}", true },
		{ "{" WHO ",\"exp\":1800000300,\"nbf\":1800000031}", false },
		{ "{" WHO ",\"exp\":1800000300,\"nbf\":1800000060}", false },
		{ "{" WHO ",\"exp\":1800000300,\"nbf\":\"0\"}", false },
		{ "{" WHO ",\"exp\":1800000300,\"nbf\":null}", false },
		{ "{" WHO ",\"exp\":1800000300,\"iat\":1800000000.25}", true },
		{ "{" WHO ",\"exp\":1800000300,\"iat\":1800000030}", true },
		{ "{" WHO ",\"exp\":1800000300,\"iat\":1800000060}", false },
		{ "{" WHO ",\"exp\":1800000300,\"iat\":\"now\"}", false },
		/* Issuer and audience. */
		{ "{\"iss\":\"https://idp.example/\",\"aud\":\"belfry\","
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		{ "{\"iss\":\"https://IDP.example\",\"aud\":\"belfry\","
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		{ "{\"iss\":[\"https://idp.example\"],\"aud\":\"belfry\","
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		{ "{\"aud\":\"belfry\",\"sub\":\"u1\",\"exp\":1800000300}",
		    false },
		{ "{\"iss\":\"https://idp.example\",\"aud\":\"other\","
		  "\"sub\":\"u1\",\"exp\":1800000300}", true },
		{ "{\"iss\":\"https://idp.example\",\"aud\":[\"x\",\"belfry\"],"
		  "\"sub\":\"u1\",\"exp\":1800000300}", true },
		{ "{\"iss\":\"https://idp.example\",\"aud\":[],"
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		{ "{\"iss\":\"https://idp.example\",\"aud\":[\"account\"],"
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		{ "{\"iss\":\"https://idp.example\",\"aud\":[[\"belfry\"]],"
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		{ "{\"iss\":\"https://idp.example\",\"aud\":{\"belfry\":1},"
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		{ "{\"iss\":\"https://idp.example\",\"aud\":\"belfry \","
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		{ "{\"iss\":\"https://idp.example\","
		  "\"sub\":\"u1\",\"exp\":1800000300}", false },
		/* Keycloak's own kinds of token. */
		{ "{" WHO ",\"exp\":1800000300,\"typ\":\"Bearer\"}", true },
		{ "{" WHO ",\"exp\":1800000300,\"typ\":\"ID\"}", false },
		{ "{" WHO ",\"exp\":1800000300,\"typ\":\"Refresh\"}", false },
		{ "{" WHO ",\"exp\":1800000300,\"typ\":\"Logout\"}", false },
		{ "{" WHO ",\"exp\":1800000300,\"typ\":7}", false },
		{ "{" WHO ",\"exp\":1800000300,\"at_hash\":\"x\"}", false },
		{ "{" WHO ",\"exp\":1800000300,\"events\":{}}", false },
		{ "{" WHO ",\"exp\":1800000300,\"x\":[[[[[[[[[[[[[[[[[[1]]]]]]]]"
		  "]]]]]]]]]]}", false },
		{ "[]", false },
		{ "null", false },
		{ "", false },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		if (is_good(make_token(a, rsa, "{\"alg\":\"RS256\"," HEAD "}",
		        cases[i].claims)) != cases[i].good)
			fail_msg("%s", cases[i].claims);
}

static const char *
hmac_token(const void *secret, size_t n)
{
	const char *body = token_body(a, "{\"alg\":\"HS256\"," HEAD "}", GOOD);
	unsigned char mac[32];
	unsigned len = sizeof(mac);

	ensure(HMAC(EVP_sha256(), secret, (int)n, (const unsigned char *)body,
	           strlen(body), mac, &len) != NULL);
	return arena_printf(a, "%s.%s", body, text_base64url(a, mac, len));
}

/* The public key as the secret of a MAC. */
static void
confused_algorithms(void **state)
{
	BIO *pem = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	char *text;
	long n;

	ensure(PEM_write_bio_PUBKEY(pem, rsa) == 1);
	n = BIO_get_mem_data(pem, &text);
	assert_false(is_good(hmac_token(text, (size_t)n)));
	assert_false(is_good(hmac_token(text, (size_t)n - 1)));
	BIO_free(pem);
	n = i2d_PUBKEY(rsa, &der);
	assert_false(is_good(hmac_token(der, (size_t)n)));
	OPENSSL_free(der);
	assert_false(is_good(hmac_token("", 0)));
	/* Signed with another key, or the right one's other digest. */
	assert_false(is_good(make_token(a, other_rsa,
	    "{\"alg\":\"RS256\"," HEAD "}", GOOD)));
	text = arena_printf(a, "%s.%s",
	    token_body(a, "{\"alg\":\"RS256\"," HEAD "}", GOOD),
	    sign_text(a, rsa, EVP_sha512(),
	        token_body(a, "{\"alg\":\"RS256\"," HEAD "}", GOOD)));
	assert_false(is_good(text));
	/* A key's token under another key's name. */
	assert_false(is_good(make_token(a, rsa,
	    "{\"alg\":\"ES256\",\"kid\":\"ec\"}", GOOD)));
	assert_false(is_good(make_token(a, ec,
	    "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", GOOD)));
	assert_false(is_good(make_token(a, ed,
	    "{\"alg\":\"ES256\",\"kid\":\"ec\"}", GOOD)));
}

static void
signatures_of_p256(void **state)
{
	const char *body = token_body(a, "{\"alg\":\"ES256\",\"kid\":\"ec\"}",
	    GOOD);
	const char *good = sign_text(a, ec, EVP_sha256(), body);
	unsigned char pair[66];
	void *raw;
	size_t n, i, len;
	static const size_t lengths[] = { 0, 1, 32, 63, 65, 66 };

	assert_true(is_good(arena_printf(a, "%s.%s", body, good)));
	ensure(text_base64url_decode(a, good, &raw, &n) == 0 && n == 64);
	for (i = 0; i < NELEMS(lengths); i++) {
		len = lengths[i];
		memset(pair, 0, sizeof(pair));
		memcpy(pair, raw, len < 64 ? len : 64);
		assert_false(is_good(arena_printf(a, "%s.%s", body,
		    text_base64url(a, pair, len))));
	}
	memcpy(pair, raw, 64);
	memset(pair, 0, 32); /* r is 0 */
	assert_false(is_good(
	    arena_printf(a, "%s.%s", body, text_base64url(a, pair, 64))));
	memset(pair, 0, 64);
	assert_false(is_good(
	    arena_printf(a, "%s.%s", body, text_base64url(a, pair, 64))));
	memset(pair, 0xff, 64);
	assert_false(is_good(
	    arena_printf(a, "%s.%s", body, text_base64url(a, pair, 64))));
}

static void
shapes(void **state)
{
	const char *good = make_token(a, rsa, "{\"alg\":\"RS256\"," HEAD "}",
	    GOOD);
	const char *body = token_body(a, "{\"alg\":\"RS256\"," HEAD "}", GOOD);
	const char *signature = good + strlen(body) + 1;
	size_t header = strcspn(good, "."), i;
	char *longer = arena_alloc(a, 1000001), *changed;
	const char *const texts[] = {
		"", ".", "..", "...", "a", "a.b", "a.b.c",
		body,
		arena_printf(a, "%s.", body),
		arena_printf(a, "%s.%s.", body, signature),
		arena_printf(a, "%s..%s", body, signature),
		arena_printf(a, ".%s", good),
		arena_printf(a, "%s.a.b", good),
		arena_printf(a, "%s=", good),
		arena_printf(a, "%s==", good),
		arena_printf(a, "%s\n", good),
		arena_printf(a, " %s", good),
		arena_printf(a, "%.*s=.%s", (int)header, good, good + header + 1),
		arena_printf(a, "%.*s\n%s", (int)header, good, good + header),
		arena_printf(a, "%.*s%%2E%s", (int)header, good,
		    good + header + 1),
		arena_printf(a, "%sA", good),
		arena_printf(a, "%.*s", (int)strlen(good) - 1, good),
	};

	assert_true(is_good(good));
	for (i = 0; i < NELEMS(texts); i++)
		if (is_good(texts[i]))
			fail_msg("%s", texts[i]);
	memset(longer, 'A', 1000000);
	longer[1000000] = '\0';
	assert_false(is_good(longer));
	/* One character changed, anywhere. */
	for (i = 0; i < strlen(good); i += 7) {
		changed = arena_strdup(a, good);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_false(is_good(changed));
	}
}

/* The last character of a signature has bits that no byte comes from. */
static void
stray_bits(void **state)
{
	char *text = arena_strdup(a, make_token(a, ed,
	    "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", GOOD));
	char *last = text + strlen(text) - 1;

	assert_true(is_good(text));
	(*last)++;
	assert_false(is_good(text));
}

static void
sizes(void **state)
{
	const char *x = "";
	char *pad = arena_alloc(a, 6001);
	const char *claims;
	int i, n;

	memset(pad, 'x', 6000);
	for (i = 0; i < 2; i++) {
		n = i == 0 ? 5400 : 6000;
		pad[n] = '\0';
		claims = arena_printf(a, "{" WHO ",\"exp\":1800000300,\"x%s\":"
		                         "\"%s\"}", x, pad);
		assert_int_equal(is_good(make_token(a, rsa,
		                     "{\"alg\":\"RS256\"," HEAD "}", claims)),
		    i == 0);
		pad[n] = 'x';
	}
	pad[300] = '\0';
	assert_false(is_good(make_token(a, rsa,
	    arena_printf(a, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", pad), GOOD)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_algorithm),
		cmocka_unit_test(headers),
		cmocka_unit_test(claims_decide),
		cmocka_unit_test(confused_algorithms),
		cmocka_unit_test(signatures_of_p256),
		cmocka_unit_test(shapes),
		cmocka_unit_test(stray_bits),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
