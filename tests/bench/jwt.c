/*
 * jwt.c - what it costs to check an access token
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     jwt [ROUNDS]
 *
 * Prints microseconds of CPU a token for each algorithm: taken apart, signature, claims;
 * when the worker sees the token for the first time, and when it has seen it before.  Fails
 * when the latter is over the goal.  The token is of the size that Keycloak makes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/proven.h"
#include "base/err.h"
#include "tests/unit/token_maker.h"

enum { GOAL_US = 60, PROVEN = 2048 };

#define CLAIMS                                                                 \
	"{\"exp\":1800000300,\"iat\":1800000000,\"jti\":\"9a3b2c1d-6a1b-7c3d-"   \
	"9e55-0a4f3b2c1d00\",\"iss\":\"https://sso.example.org/realms/shop\","   \
	"\"aud\":[\"belfry\",\"account\"],\"sub\":\"f3b2c1d0-6a1b-4c3d-9e55-"    \
	"0a4f3b2c1d00\",\"typ\":\"Bearer\",\"azp\":\"shop-app\",\"acr\":\"1\","   \
	"\"realm_access\":{\"roles\":[\"offline_access\",\"belfry-author\","      \
	"\"uma_authorization\",\"default-roles-shop\"]},\"resource_access\":"     \
	"{\"account\":{\"roles\":[\"manage-account\",\"view-profile\"]}},"        \
	"\"scope\":\"openid profile email\",\"email_verified\":true,\"name\":"    \
	"\"Ann Example\",\"preferred_username\":\"ann\",\"tenant\":\"shop\"}"

static const char *const audiences[] = { "belfry", NULL };
static struct jwt_rules rules = {
	.issuer = "https://sso.example.org/realms/shop",
	.audiences = audiences,
	.now_ms = INT64_C(1800000000000),
	.leeway_ms = 30000,
};

static double
check(const struct jwks *set, const char *text, int rounds)
{
	struct arena *request = arena_new(32768);
	const json_t *claims;
	struct jwt *t;
	struct err e;
	clock_t begun = clock();
	int i;

	for (i = 0; i < rounds; i++) {
		ensure(jwt_read(request, text, &t, &e) == 0);
		ensure(jwt_verify(t, jwks_find(set, jwt_claimed_kid(t)), &rules,
		           &claims, &e) == 0);
		arena_reset(request);
	}
	arena_free(&request);
	return (double)(clock() - begun) * 1e6 / CLOCKS_PER_SEC / rounds;
}

/* Whether the goal was met. */
static bool
measure(struct arena *a, EVP_PKEY *pkey, const char *alg, int rounds)
{
	double first, again;
	struct jwks *set;
	const char *text;
	struct err e;

	text = arena_printf(a, "{\"keys\":[{%s,\"kid\":\"k\"}]}",
	    public_members(a, pkey));
	ensure(jwks_parse(a, text, strlen(text), &set, &e) == 0);
	text = make_token(a, pkey,
	    arena_printf(a, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"k\"}",
	        alg), CLAIMS);
	rules.proven = NULL;
	first = check(set, text, rounds);
	rules.proven = proven_new(a, PROVEN);
	(void)check(set, text, 1);
	again = check(set, text, rounds);
	printf("%s: first %.1f us, again %.1f us (%zu bytes)\n", alg, first,
	    again, strlen(text));
	EVP_PKEY_free(pkey);
	return again < GOAL_US;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(32768);
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20000;
	bool met = measure(a, EVP_RSA_gen(2048), "RS256", rounds);

	met &= measure(a, EVP_EC_gen("P-256"), "ES256", rounds);
	met &= measure(a, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "EdDSA",
	    rounds);
	arena_free(&a);
	return met ? 0 : 1;
}
