/*
 * seal.h - credentials at rest, and keys that are only compared
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A sealed blob is: version 1 | length and name of the key | nonce 12 | cipher
 * text | tag 16.  AES-256-GCM by OpenSSL with a random nonce (NIST SP 800-38D).
 * The key for a blob is derived with HKDF-SHA256 (RFC 5869) from the ring's key
 * and the tenant, so no key sees more than one tenant's blobs.  The associated
 * data names the key, the tenant, the table, the column and the row, so a blob
 * that is moved to another of them does not open.
 */
#ifndef BELFRY_BASE_SEAL_H
#define BELFRY_BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct err;
struct keyring;

/* What a blob is bound to. */
struct seal_place {
	struct tenant_id tenant;
	const char *table;
	const char *column;
	struct uuid row;
};

enum { SECRET_HASH_BYTES = 32 };

/* Reads a directory: every NAME.key (64 hexadecimal digits), the name of the
 * one that seals in "current", and "pepper.key" for secret_hash().  Refuses
 * keys that others may read (their group may), and what others may change.  The
 * ring lives in "a" and is wiped with it. */
int keyring_load(struct arena *a, const char *directory, struct keyring **ring_r,
    struct err *e) MUST_CHECK;

/* Makes the directory (0700) with a first key and a pepper (0600); leaves what
 * is there. */
int keyring_create(const char *directory, struct err *e) MUST_CHECK;

/* Makes NAME.key beside the others, which nothing is sealed with yet; ERR_CONFLICT when
 * it is there already. */
int keyring_add(const char *directory, const char *name, struct err *e)
    MUST_CHECK;

/* Makes NAME.key, which must be there, the one that seals: for who loads the ring from
 * now on. */
int keyring_use(const char *directory, const char *name, struct err *e)
    MUST_CHECK;

/* The name of the key that seals; whether there is one of that name; the names one after
 * the other, NULL before the first and after the last. */
const char *keyring_current(const struct keyring *ring);
bool keyring_has(const struct keyring *ring, const char *name);
const char *keyring_next(const struct keyring *ring, const char *name);

/* Seals size_bytes, at most 1 MB; the blob lives in "a".  Temporary error when
 * no random bytes are to be had. */
int seal(struct arena *a, const struct keyring *ring,
    const struct seal_place *place, const void *plain, size_t size_bytes,
    void **blob_r, size_t *blob_bytes_r, struct err *e) MUST_CHECK;

/* The same where the same bytes must give the same blob each time: what a mail carries is
 * sent again as it was.  The nonce is a hash of the bytes and their place, keyed with the
 * pepper (the idea of RFC 5297), so all that a reader learns is which blobs are equal. */
int seal_alike(struct arena *a, const struct keyring *ring,
    const struct seal_place *place, const void *plain, size_t size_bytes,
    void **blob_r, size_t *blob_bytes_r, struct err *e) MUST_CHECK;

/* Opens a blob; the plain bytes live in "a", are followed by a NUL and wiped
 * with it.  -1 (ERR_INTERNAL, the reason in the detail) when the blob was
 * changed or moved or its key is not in the ring. */
int unseal(struct arena *a, const struct keyring *ring,
    const struct seal_place *place, const void *blob, size_t blob_bytes,
    void **plain_r, size_t *plain_bytes_r, struct err *e) MUST_CHECK;

/* Keyed BLAKE2b-256 (RFC 7693) of a secret that is only compared, with the
 * ring's pepper as key. */
void secret_hash(const struct keyring *ring, const void *secret,
    size_t size_bytes, uint8_t hash[static SECRET_HASH_BYTES]);

#endif
