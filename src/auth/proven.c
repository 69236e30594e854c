/*
 * proven.c - signatures that this worker has seen to be good
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A proof can lie in one of the WAYS places of its set, which the hash chooses.  They
 * stand in the order of their last use.
 */
#include "auth/proven.h"

#include <string.h>

#include <sodium.h>

#include "auth/jwks.h"
#include "base/arena.h"
#include "base/ensure.h"

enum { WAYS = 4 };

struct proof_set {
	struct proof proofs[WAYS]; /* the last used one first; all 0: none */
};

struct proven {
	unsigned char secret[crypto_generichash_KEYBYTES];
	size_t sets_count;
	struct proof_set *sets;
};

struct proven *
proven_new(struct arena *a, size_t count)
{
	struct proven *p;

	if (count == 0)
		return NULL;
	p = arena_object(a, struct proven);
	crypto_generichash_keygen(p->secret);
	p->sets_count = (count + WAYS - 1) / WAYS;
	p->sets = arena_zalloc(a, p->sets_count, sizeof(*p->sets));
	return p;
}

struct proof
proven_proof(const struct proven *p, const struct jwk *key, const char *text,
    size_t text_bytes)
{
	crypto_generichash_state state;
	struct proof proof;

	ensure(crypto_generichash_init(&state, p->secret, sizeof(p->secret),
	           sizeof(proof.hash)) == 0 &&
	    crypto_generichash_update(&state, key->id, sizeof(key->id)) == 0 &&
	    crypto_generichash_update(&state, (const unsigned char *)text,
	        text_bytes) == 0 &&
	    crypto_generichash_final(&state, proof.hash, sizeof(proof.hash)) ==
	        0);
	return proof;
}

static struct proof_set *
set_of(struct proven *p, const struct proof *proof)
{
	uint64_t n;

	memcpy(&n, proof->hash, sizeof(n));
	return &p->sets[n % p->sets_count];
}

/* Puts a proof in front of the first "n" ones, over the last of these. */
static void
put_first(struct proof_set *set, size_t n, const struct proof *proof)
{
	struct proof first = *proof;

	memmove(&set->proofs[1], &set->proofs[0],
	    (n - 1) * sizeof(set->proofs[0]));
	set->proofs[0] = first;
}

bool
proven_has(struct proven *p, const struct proof *proof)
{
	struct proof_set *set = set_of(p, proof);
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (memcmp(&set->proofs[i], proof, sizeof(*proof)) == 0) {
			put_first(set, i + 1, proof);
			return true;
		}
	return false;
}

void
proven_add(struct proven *p, const struct proof *proof)
{
	put_first(set_of(p, proof), WAYS, proof);
}
