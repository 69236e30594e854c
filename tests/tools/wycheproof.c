/*
 * wycheproof.c - holds Wycheproof's vectors for JSON web signatures against jwt.c
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: wycheproof json_web_signature_test.json
 *
 * The file is in testvectors_v1/ of Wycheproof (https://github.com/C2SP/wycheproof).  Its
 * payloads are no claims, so what is asked here is all that comes before them: the form of
 * the token, its header, its key and its signature.  What is invalid has to be refused, what
 * is valid by an algorithm and a key that Belfry uses has to be taken; each other valid one
 * is refused, and counted.  Exits with 1 when one is wrong.
 */
#include "auth/jwt.c"

#include <stdio.h>
#include <stdlib.h>

struct tally {
	int taken, refused, unused, wrong;
};

/* The key of a group as a set; NULL when it cannot be used. */
static struct jwks *
keys_of(struct arena *a, json_t *group)
{
	json_t *set = json_pack("{s:[O]}", "keys",
	    json_object_get(group, "public") != NULL
	        ? json_object_get(group, "public")
	        : json_object_get(group, "private"));
	char *text = json_dumps(set, JSON_COMPACT);
	struct jwks *jwks;
	struct err e;
	int rc = jwks_parse(a, text, strlen(text), &jwks, &e);

	free(text);
	json_decref(set);
	return rc == 0 ? jwks : NULL;
}

/* As jwt_read() and jwt_verify() do, but for the claims. */
static bool
is_taken(struct arena *a, const struct jwks *jwks, const char *text)
{
	const char *payload = strchr(text, '.'), *signature;
	const struct jwk *key;
	struct jwt t = { .text = text, .text_bytes = strlen(text) };
	struct err e;
	void *p;

	signature = payload != NULL ? strchr(payload + 1, '.') : NULL;
	if (signature == NULL || strchr(signature + 1, '.') != NULL ||
	    text_base64url_decode(a, signature + 1, &p, &t.signature_bytes) != 0)
		return false;
	t.signature = p;
	t.signed_bytes = (size_t)(signature - text);
	if (read_header(a, text, (size_t)(payload - text), &t, &e) != 0)
		return false;
	key = jwks_find(jwks, t.kid);
	return key != NULL && strcmp(t.alg, jwk_alg_name(key->alg)) == 0 &&
	    signature_is_good(&t, key, NULL);
}

static void
try_group(json_t *group, struct tally *n)
{
	struct arena *a = arena_new(8192);
	const struct jwks *jwks = keys_of(a, group);
	const json_t *test;
	bool valid, taken;
	size_t i;

	json_array_foreach(json_object_get(group, "tests"), i, test) {
		valid = strcmp(json_string_value(
		    json_object_get(test, "result")), "valid") == 0;
		taken = jwks != NULL && is_taken(a, jwks,
		    json_string_value(json_object_get(test, "jws")));
		n->taken += valid && taken;
		n->refused += !valid && !taken;
		n->unused += valid && !taken && jwks == NULL;
		if (valid == taken || (valid && jwks == NULL))
			continue;
		n->wrong++;
		printf("%d: %s, and it is %s\n",
		    (int)json_integer_value(json_object_get(test, "tcId")),
		    valid ? "valid" : "invalid", taken ? "taken" : "refused");
	}
	arena_free(&a);
}

int
main(int argc, char **argv)
{
	struct tally n = { 0 };
	json_error_t fault;
	json_t *file, *group;
	size_t i;

	file = argc == 2 ? json_load_file(argv[1], 0, &fault) : NULL;
	if (file == NULL) {
		fprintf(stderr, "usage: wycheproof json_web_signature_test.json\n");
		return 2;
	}
	json_array_foreach(json_object_get(file, "testGroups"), i, group)
		try_group(group, &n);
	json_decref(file);
	printf("%d valid taken, %d invalid refused, %d valid of algorithms that are "
	       "not used, %d wrong\n", n.taken, n.refused, n.unused, n.wrong);
	return n.wrong > 0 || n.taken == 0;
}
