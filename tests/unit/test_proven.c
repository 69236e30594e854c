/*
 * test_proven.c - signatures that were seen before, and what that must not change
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The metric tells whether a signature was verified or known.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/proven.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/metrics.h"
#include "token_maker.h"

enum { NOW_S = 1800000000 };
enum what { KNOWN, GOOD, WRONG, UNASKED };

static struct arena *a;
static EVP_PKEY *keys[4];
static struct jwks *set, *rotated;
static struct proven *proven;
static struct jwt_rules rules;
static const char *const audiences[] = { "belfry", NULL };
static const char *const others[] = { "other", NULL };
static enum what asked;

void __wrap_metrics_add(enum metric metric, int value, int64_t n);

void
__wrap_metrics_add(enum metric metric, int value, int64_t n)
{
	assert_int_equal(metric, METRIC_TOKEN_SIGNATURES_TOTAL);
	assert_int_equal(n, 1);
	asked = (enum what)value;
}

static struct jwks *
set_of(EVP_PKEY *rsa, EVP_PKEY *ec, EVP_PKEY *ed)
{
	const char *text = arena_printf(a,
	    "{\"keys\":[{%s,\"kid\":\"RS256\"},{%s,\"kid\":\"ES256\"},"
	    "{%s,\"kid\":\"EdDSA\"}]}", public_members(a, rsa),
	    public_members(a, ec), public_members(a, ed));
	struct jwks *jwks;
	struct err e;

	ensure(jwks_parse(a, text, strlen(text), &jwks, &e) == 0);
	return jwks;
}

static int
setup(void **state)
{
	a = arena_new(16384);
	keys[0] = EVP_RSA_gen(2048);
	keys[1] = EVP_EC_gen("P-256");
	keys[2] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	keys[3] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	set = set_of(keys[0], keys[1], keys[2]);
	rotated = set_of(keys[0], keys[1], keys[3]);
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	for (i = 0; i < NELEMS(keys); i++)
		EVP_PKEY_free(keys[i]);
	arena_free(&a);
	return 0;
}

static int
begin(void **state)
{
	proven = proven_new(a, 64);
	rules = (struct jwt_rules){ .issuer = "https://idp.example",
		.audiences = audiences, .now_ms = INT64_C(1000) * NOW_S,
		.leeway_ms = 30000, .proven = proven };
	return 0;
}

static const char *
token(size_t key, const char *subject)
{
	static const char *const names[] = { "RS256", "ES256", "EdDSA",
		"EdDSA" };

	return make_token(a, keys[key],
	    arena_printf(a, "{\"alg\":\"%s\",\"kid\":\"%s\"}", names[key],
	        names[key]),
	    arena_printf(a,
	        "{\"iss\":\"https://idp.example\",\"aud\":\"belfry\","
	        "\"sub\":\"%s\",\"nbf\":%d,\"exp\":%d}", subject, NOW_S,
	        NOW_S + 300));
}

static bool
is_good(const struct jwks *jwks, const char *text)
{
	const json_t *claims;
	struct jwt *t;
	struct err e;

	asked = UNASKED;
	ensure(jwt_read(a, text, &t, &e) == 0);
	return jwt_verify(t, jwks_find(jwks, jwt_claimed_kid(t)), &rules,
	           &claims, &e) == 0;
}

static void
check(const char *text, bool good, enum what what)
{
	assert_int_equal(is_good(set, text), good);
	assert_int_equal(asked, what);
}

static void
verified_once(void **state)
{
	const char *text;
	size_t key;

	for (key = 0; key < 3; key++) {
		text = token(key, "u1");
		check(text, true, GOOD);
		check(text, true, KNOWN);
		check(text, true, KNOWN);
	}
}

static void
nothing_is_remembered(void **state)
{
	const char *text = token(2, "u1");

	assert_null(proven_new(a, 0));
	rules.proven = NULL;
	check(text, true, GOOD);
	check(text, true, GOOD);
}

/* Another signature under the same text, another text under the same signature. */
static void
parts_of_a_known_token(void **state)
{
	const char *one, *two, *body;
	size_t key, signed_bytes;

	for (key = 0; key < 3; key++) {
		one = token(key, "u1");
		two = token(key, "u2");
		check(one, true, GOOD);
		signed_bytes = (size_t)(strrchr(one, '.') - one);
		body = arena_strndup(a, one, signed_bytes);
		check(arena_printf(a, "%s%s", body, strrchr(two, '.')), false,
		    WRONG);
		body = arena_strndup(a, two, signed_bytes);
		check(arena_printf(a, "%s%s", body, strrchr(one, '.')), false,
		    WRONG);
		check(one, true, KNOWN);
	}
}

static void
failures_are_not_remembered(void **state)
{
	char *text = arena_strdup(a, token(2, "u1"));
	char *signature = strrchr(text, '.') + 1;

	*signature = *signature == 'A' ? 'B' : 'A';
	check(text, false, WRONG);
	check(text, false, WRONG);
	check(token(3, "u1"), false, WRONG);
	check(token(3, "u1"), false, WRONG);
}

/* Under the same name, as somebody may have done it by hand. */
static void
a_key_that_was_replaced(void **state)
{
	const char *text = token(2, "u1");

	check(text, true, GOOD);
	assert_false(is_good(rotated, text));
	assert_int_equal(asked, WRONG);
	check(text, true, KNOWN);
}

static void
a_key_is_for_one_algorithm(void **state)
{
	assert_memory_not_equal(jwks_find(set, "RS256")->id,
	    jwks_find(set, "ES256")->id, 32);
	assert_memory_not_equal(jwks_find(set, "EdDSA")->id,
	    jwks_find(rotated, "EdDSA")->id, 32);
	assert_memory_equal(jwks_find(set, "ES256")->id,
	    jwks_find(rotated, "ES256")->id, 32);
}

static void
all_else_is_asked_again(void **state)
{
	const char *text = token(1, "u1");

	check(text, true, GOOD);
	rules.now_ms += INT64_C(329999);
	check(text, true, KNOWN);
	rules.now_ms += 1; /* expired */
	check(text, false, KNOWN);
	rules.now_ms = INT64_C(1000) * NOW_S - 30001; /* not valid yet */
	check(text, false, KNOWN);
	rules.now_ms = INT64_C(1000) * NOW_S;
	rules.audiences = others;
	check(text, false, KNOWN);
	rules.audiences = audiences;
	rules.issuer = "https://other.example";
	check(text, false, KNOWN);
	rules.issuer = "https://idp.example";
	check(text, true, KNOWN);
}

/* All of them share one set; the one that is used stays. */
static void
no_room(void **state)
{
	const char *texts[6];
	size_t i;

	rules.proven = proven_new(a, 1);
	for (i = 0; i < NELEMS(texts); i++)
		texts[i] = token(2, arena_printf(a, "u%zu", i));
	for (i = 0; i < 4; i++)
		check(texts[i], true, GOOD);
	check(texts[0], true, KNOWN);
	check(texts[4], true, GOOD); /* for texts[1] */
	check(texts[0], true, KNOWN);
	check(texts[2], true, KNOWN);
	check(texts[3], true, KNOWN);
	check(texts[4], true, KNOWN);
	check(texts[1], true, GOOD); /* for texts[0] */
	check(texts[0], true, GOOD);
}

/* Half as many as there is room for: chance crowds few of them out. */
static void
many(void **state)
{
	enum { COUNT = 1024 };
	size_t i, known = 0;
	const char **texts = arena_zalloc(a, COUNT, sizeof(*texts));

	rules.proven = proven_new(a, 2 * COUNT);
	for (i = 0; i < COUNT; i++) {
		texts[i] = token(2, arena_printf(a, "u%zu", i));
		check(texts[i], true, GOOD);
	}
	for (i = 0; i < COUNT; i++) {
		assert_true(is_good(set, texts[i]));
		known += asked == KNOWN;
	}
	assert_true(known > COUNT * 3 / 4);
}

static void
each_worker_has_its_secret(void **state)
{
	const struct jwk *key = jwks_find(set, "EdDSA");
	struct proof one = proven_proof(proven, key, "text", 4);
	struct proof same = proven_proof(proven, key, "text", 4);
	struct proof two = proven_proof(proven_new(a, 64), key, "text", 4);

	assert_memory_equal(&one, &same, sizeof(one));
	assert_memory_not_equal(&one, &two, sizeof(one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(verified_once, begin),
		cmocka_unit_test_setup(nothing_is_remembered, begin),
		cmocka_unit_test_setup(parts_of_a_known_token, begin),
		cmocka_unit_test_setup(failures_are_not_remembered, begin),
		cmocka_unit_test_setup(a_key_that_was_replaced, begin),
		cmocka_unit_test_setup(a_key_is_for_one_algorithm, begin),
		cmocka_unit_test_setup(all_else_is_asked_again, begin),
		cmocka_unit_test_setup(no_room, begin),
		cmocka_unit_test_setup(many, begin),
		cmocka_unit_test_setup(each_worker_has_its_secret, begin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
