/*
 * keyset.h - the key sets of issuers, kept and fetched again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each worker keeps the sets that it needs, parsed.  What one worker fetches it
 * leaves in a file of the run directory for the others of the host, and in memcached
 * for other hosts.  A set is fetched again
 *
 *   - when it is KEYSET_TEND_MS old: after an answer, when nobody waits (keysets_tend());
 *   - at once when it is KEYSET_OLD_MS old, or a token names a key that is not in it.
 *
 * For all workers of a host together at most one fetch is under way and one begins
 * within KEYSET_PAUSE_MS.  Another worker waits meanwhile for the very first set of an
 * issuer, and for one of these two reasons KEYSET_PATIENCE_MS in all, then it goes by
 * what is there: whoever makes up keys holds nobody up for long.
 * When a fetch fails, the old set stays in use.
 *
 * What a tenant named may hang for ever and be asked for by anybody, so it gets less: a
 * quarter of the workers of a host, at least one, may be fetching or waiting for such a set
 * at once, for one tenant half of these, and each for KEYSET_GUEST_MS in all.  Whoever
 * comes besides is told to come again.
 */
#ifndef BELFRY_AUTH_KEYSET_H
#define BELFRY_AUTH_KEYSET_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct cache;
struct config;
struct err;
struct jwk;
struct keyring;
struct keysets;

enum {
	KEYSET_PAUSE_MS = 30 * 1000,
	KEYSET_TEND_MS = 5 * 60 * 1000,
	KEYSET_OLD_MS = 10 * 60 * 1000,
	KEYSET_PATIENCE_MS = 1000,
	KEYSET_FETCH_MS = 3000, /* the longest that one document may take */
	KEYSET_GUEST_MS = 2000 /* all documents of a set that a tenant named */
};

/* Where the keys of an issuer are. */
struct key_source {
	const char *issuer;
	const char *jwks; /* a URL, an absolute path, or "": discovery */
	const char *ca_file; /* "": the system's certificates */
	bool guarded; /* it was written by way of the API: network.allowed counts */
	bool of_platform; /* guarded, but by the platform: network.allowed_platform, too */
	const char *owner; /* of what is guarded: the tenant that named it, as
	                    * keyset_owner() has it; NULL: nobody did, all share it */
};

/* A tenant has one name here, whichever way it named a source. */
const char *keyset_owner(struct arena *a, struct tenant_id tenant) MUST_CHECK;

struct keysets_params {
	const struct config *config;
	const struct keyring *ring;
	struct cache *cache;
};

/* Lives in "a", an arena of the process. */
struct keysets *keysets_new(struct arena *a, const struct keysets_params *p)
    MUST_CHECK;

/* A key by its name; *key_r is good until the next call.  "a" is for the time of the
 * call.  1; 0 when the issuer has no such key; -1 (ERR_TEMPORARY) when its keys are
 * not known at all, or it was no time to look for newer ones. */
int keysets_find(struct keysets *ks, struct arena *a,
    const struct key_source *source, const char *kid, const struct jwk **key_r,
    struct err *e) MUST_CHECK;

/* To be called between requests: fetches a set that is due.  -1 with *e when the last
 * fetch, here or within keysets_find(), failed; each failure is told once. */
int keysets_tend(struct keysets *ks, struct err *e) MUST_CHECK;

#endif
