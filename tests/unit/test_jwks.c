/*
 * test_jwks.c - which keys of a set are taken
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "auth/jwks.h"
#include "base/arena.h"
#include "base/err.h"
#include "token_maker.h"

static struct arena *a;
static EVP_PKEY *rsa, *small, *ec, *ed, *p384;

static int
setup(void **state)
{
	a = arena_new(4096);
	rsa = EVP_RSA_gen(2048);
	small = EVP_RSA_gen(1024);
	ec = EVP_EC_gen("P-256");
	ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	p384 = EVP_EC_gen("P-384");
	return rsa && small && ec && ed && p384 ? 0 : -1;
}

static int
teardown(void **state)
{
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
	EVP_PKEY_free(p384);
	arena_free(&a);
	return 0;
}

static int
parse(const char *text, struct jwks **set_r)
{
	struct err e;
	int rc;

	err_clear(&e);
	rc = jwks_parse(a, text, strlen(text), set_r, &e);
	assert_true(rc == 0 || (rc == -1 && e.text[0] != '\0'));
	return rc;
}

/* One key of a set; the other is always good, so that the set is. */
static bool
is_taken(const char *members)
{
	struct jwks *set;

	assert_int_equal(parse(arena_printf(a,
	                           "{\"keys\":[{%s,\"kid\":\"other\"},{%s}]}",
	                           public_members(a, ed), members), &set), 0);
	assert_non_null(jwks_find(set, "other"));
	assert_int_equal(jwks_count(set), jwks_find(set, "k") != NULL ? 2 : 1);
	return jwks_find(set, "k") != NULL;
}

/* "more" is put behind the members of a key that can be used. */
static void
members_decide(void **state)
{
	const struct {
		EVP_PKEY *key;
		const char *more;
		bool good;
	} cases[] = {
		{ rsa, "\"kid\":\"k\"", true },
		{ rsa, "\"kid\":\"k\",\"alg\":\"RS256\",\"use\":\"sig\"", true },
		{ rsa, "\"kid\":\"k\",\"x5c\":[\"abc\"],\"x5t\":\"abc\"", true },
		{ rsa, "\"kid\":\"k\",\"key_ops\":[\"verify\"]", true },
		{ rsa, "\"kid\":\"k\",\"key_ops\":[\"encrypt\"]", false },
		{ rsa, "\"kid\":\"k\",\"key_ops\":\"verify\"", false },
		{ rsa, "\"kid\":\"k\",\"alg\":\"RS384\"", false },
		{ rsa, "\"kid\":\"k\",\"alg\":\"PS256\"", false },
		{ rsa, "\"kid\":\"k\",\"alg\":\"RSA-OAEP\"", false },
		{ rsa, "\"kid\":\"k\",\"alg\":\"ES256\"", false },
		{ rsa, "\"kid\":\"k\",\"alg\":\"HS256\"", false },
		{ rsa, "\"kid\":\"k\",\"alg\":\"none\"", false },
		{ rsa, "\"kid\":\"k\",\"alg\":null", false },
		{ rsa, "\"kid\":\"k\",\"use\":\"enc\"", false },
		{ rsa, "\"kid\":\"k\",\"use\":null", false },
		{ rsa, "\"kid\":\"k\",\"d\":\"AQAB\"", false },
		{ rsa, "\"kid\":\"\"", false },
		{ rsa, "\"kid\":7", false },
		{ rsa, "\"x\":\"k\"", false },
		{ small, "\"kid\":\"k\"", false },
		{ ec, "\"kid\":\"k\"", true },
		{ ec, "\"kid\":\"k\",\"alg\":\"ES256\"", true },
		{ ec, "\"kid\":\"k\",\"alg\":\"ES384\"", false },
		{ ec, "\"kid\":\"k\",\"alg\":\"EdDSA\"", false },
		{ ed, "\"kid\":\"k\",\"alg\":\"EdDSA\"", true },
		{ ed, "\"kid\":\"k\",\"alg\":\"RS256\"", false },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		if (is_taken(arena_printf(a, "%s,%s",
		        public_members(a, cases[i].key), cases[i].more)) !=
		    cases[i].good)
			fail_msg("%s", cases[i].more);
}

static const char *
long_text(size_t n)
{
	char *text = arena_alloc(a, n + 1);

	memset(text, 'a', n);
	text[n] = '\0';
	return text;
}

static void
broken_keys_are_left_out(void **state)
{
	const char *n = number_text(a, rsa, OSSL_PKEY_PARAM_RSA_N, 0);
	const char *x = number_text(a, ec, OSSL_PKEY_PARAM_EC_PUB_X, 32);
	const char *x384 = number_text(a, p384, OSSL_PKEY_PARAM_EC_PUB_X, 48);
	const char *y384 = number_text(a, p384, OSSL_PKEY_PARAM_EC_PUB_Y, 48);
	const char *huge = long_text(12000);
	const char *const keys[] = {
		"\"kty\":\"oct\",\"k\":\"AAAA\"",
		"\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAAA\"",
		"\"kty\":\"RSA\"",
		"\"kty\":\"rsa\"",
		"\"n\":\"AQAB\"",
		arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s\"", n),
		arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQ\"", n),
		arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"Ag\"", n),
		arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"\"", n),
		arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":65537", n),
		arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s=\",\"e\":\"AQAB\"",
		    n),
		arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"", n,
		    n),
		arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"",
		    huge),
		"\"kty\":\"EC\",\"crv\":\"P-256\"",
		arena_printf(a,
		    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"",
		    x, x),
		arena_printf(a,
		    "\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"%s\",\"y\":\"%s\"",
		    x384, y384),
		arena_printf(a,
		    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"",
		    x384, y384),
		"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"",
		"\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
	};
	size_t i;

	for (i = 0; i < NELEMS(keys); i++)
		if (is_taken(arena_printf(a, "%s,\"kid\":\"k\"", keys[i])))
			fail_msg("%s", keys[i]);
}

static void
twice_the_name_is_none(void **state)
{
	struct jwks *set;

	assert_int_equal(parse(arena_printf(a,
	                           "{\"keys\":[{%s,\"kid\":\"k\"},{%s,"
	                           "\"kid\":\"k\"},{%s,\"kid\":\"K\"}]}",
	                           public_members(a, rsa), public_members(a, ec),
	                           public_members(a, ed)), &set), 0);
	assert_null(jwks_find(set, "k"));
	assert_int_equal(jwks_find(set, "K")->alg, JWK_EDDSA);
	assert_null(jwks_find(set, ""));
}

static void
what_is_no_set(void **state)
{
	const char *good = arena_printf(a, "{%s,\"kid\":\"k\"}",
	    public_members(a, ed));
	const char *many = "";
	struct jwks *set = NULL;
	size_t i;
	const char *const texts[] = {
		"", "null", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]}",
		"{\"keys\":[1,\"a\",null,[]]}",
		"<html><body>Sign in</body></html>",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"k\"}]}",
		arena_printf(a, "{\"keys\":[%s],\"keys\":[%s]}", good, good),
		arena_printf(a, "{\"keys\":[%s]} {}", good),
		arena_printf(a, "{\"keys\":[%s]", good),
	};

	for (i = 0; i < NELEMS(texts); i++)
		if (parse(texts[i], &set) == 0)
			fail_msg("%s", texts[i]);
	assert_int_equal(parse(good, &set), -1);
	assert_int_equal(parse(arena_printf(a, "{\"keys\":[%s],\"x\":\"%s\"}",
	                           good, long_text(JWKS_BYTES_MAX - 500)), &set),
	    0);
	assert_int_equal(parse(arena_printf(a, "{\"keys\":[%s],\"x\":\"%s\"}",
	                           good, long_text(JWKS_BYTES_MAX)), &set), -1);
	for (i = 0; i <= JWKS_KEYS_MAX; i++) {
		assert_int_equal(parse(arena_printf(a, "{\"keys\":[%s%s]}", many,
		                           good), &set),
		    i < JWKS_KEYS_MAX ? 0 : -1);
		many = arena_printf(a, "%s%s,", many, good);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_decide),
		cmocka_unit_test(broken_keys_are_left_out),
		cmocka_unit_test(twice_the_name_is_none),
		cmocka_unit_test(what_is_no_set),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
