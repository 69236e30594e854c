/*
 * apikey.h - the keys of service accounts
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * blf_<id>_<secret>: the id is 16 bytes in base32, the tenant's number (big-endian) and
 * 8 random bytes, so that the tenant is known before anything is looked up; the
 * secret is 32 random bytes in base64url.  Only a keyed hash of the whole text is
 * stored (secret_hash() with the pepper of the key ring): a stolen table opens
 * nothing, and 256 random bits need no slow hash.  A test key begins with blf_test_
 * instead; since that is hashed too, neither sort can be made of the other.
 */
#ifndef BELFRY_AUTH_APIKEY_H
#define BELFRY_AUTH_APIKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "base/seal.h"

struct arena;

enum {
	APIKEY_ID_CHARS = 26,
	APIKEY_SECRET_CHARS = 43,
	APIKEY_CHARS = 4 + APIKEY_ID_CHARS + 1 + APIKEY_SECRET_CHARS,
	APIKEY_TEST_CHARS = 5 + APIKEY_CHARS
};

struct apikey {
	struct tenant_id tenant;
	char id[APIKEY_ID_CHARS + 1];
	uint8_t hash[SECRET_HASH_BYTES]; /* what is stored */
	bool test; /* what it sends goes to simulators alone */
};

/* Makes a key for a tenant.  The result, which lives in "a", is shown once and kept
 * nowhere. */
const char *apikey_make(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, bool test, struct apikey *key_r) MUST_CHECK;

/* Reads the text of a key strictly and hashes it.  0, or -1 when it is no key; that
 * it has the right form says nothing yet. */
int apikey_parse(struct arena *a, const struct keyring *ring, const char *text,
    struct apikey *key_r) MUST_CHECK;

/* The tenant in the id of a key.  0, or -1 when it is no such id. */
int apikey_tenant(struct arena *a, const char *id, struct tenant_id *tenant_r)
    MUST_CHECK;

/* Compares with the stored hash in constant time. */
bool apikey_matches(const struct apikey *key, const void *hash, size_t n);

#endif
