/*
 * signing.h - the keys that Belfry signs its own access tokens with
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * They stand in the database, the private half sealed, so all hosts have the same ones.
 * One is current and signs; the next one is published before it does; those that are
 * retired are published as long as tokens of theirs may live.  "belfryctl keys
 * rotate" moves them on.
 */
#ifndef BELFRY_AUTH_SIGNING_H
#define BELFRY_AUTH_SIGNING_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/compiler.h"
#include "base/uuid.h"

struct arena;
struct db;
struct err;
struct jwk;
struct keyring;
struct signing;

enum signing_state { SIGNING_NEXT = 1, SIGNING_CURRENT, SIGNING_RETIRED };

enum {
	SIGNING_FRESH_MS = 5000, /* how long a worker goes by what it read */
	SIGNING_PUBLISHED_MS = 15 * 60 * 1000, /* before it may sign */
	SIGNING_KEPT_MS = 24 * 3600 * 1000 /* after it was retired */
};

struct signing_key {
	struct uuid id;
	const char *kid;
	const char *alg; /* "EdDSA" or "RS256" */
	enum signing_state state;
	const char *public_jwk;
	const void *sealed;
	size_t sealed_bytes;
	int64_t created_ms;
	int64_t retired_ms; /* 0: it is not */
};

/* "next", "current", "retired". */
const char *signing_state_name(enum signing_state state);

/* All keys, the next one first, then the current one. */
int signing_list(struct arena *a, struct db *db, struct signing_key **list_r,
    size_t *count_r, struct err *e) MUST_CHECK;

/* Retires the current key, lets the next one sign, and makes another next one; makes both
 * when there are none.  The retired ones of which no token can live any more go.
 * ERR_CONFLICT when the next one was not published for long enough; with "at_once"
 * it signs all the same, and the old ones go too, with their tokens. */
int signing_rotate(struct arena *a, struct db *db, const struct keyring *ring,
    const char *alg, bool at_once, struct err *e) MUST_CHECK;

/* ---- In a worker ------------------------------------------------------------ */

/* Lives in "a"; reads when it is asked. */
struct signing *signing_new(struct arena *a, struct db *db,
    const struct keyring *ring) MUST_CHECK;

/* What signs: 1 with its name and key, which are good until the next call; 0 when there
 * is none; -1. */
int signing_current(struct signing *s, const char **kid_r, EVP_PKEY **key_r,
    struct err *e) MUST_CHECK;

/* What verifies, by its name: 1, 0, -1. */
int signing_find(struct signing *s, const char *kid, const struct jwk **key_r,
    struct err *e) MUST_CHECK;

/* The public halves as a set (RFC 7517), good until the next call. */
int signing_publish(struct signing *s, const char **jwks_r, struct err *e)
    MUST_CHECK;

#endif
