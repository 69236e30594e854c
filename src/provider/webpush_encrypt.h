/*
 * webpush_encrypt.h - messages that only one browser can read (RFC 8291)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WEBPUSH_ENCRYPT_H
#define BELFRY_PROVIDER_WEBPUSH_ENCRYPT_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct err;

enum {
	WEBPUSH_POINT_BYTES = 65, /* of P-256, not compressed */
	WEBPUSH_AUTH_BYTES = 16,
	WEBPUSH_SALT_BYTES = 16,
	WEBPUSH_PLAIN_MAX = 3993 /* push services take 4096 bytes in all */
};

/* A key pair of P-256 from its 32 secret bytes; lives in "a".  -1 when they are none. */
int webpush_key(struct arena *a, const void *secret, size_t n, EVP_PKEY **key_r,
    struct err *e) MUST_CHECK;

/* The public half of a key. */
void webpush_public(const EVP_PKEY *key,
    uint8_t point_r[static WEBPUSH_POINT_BYTES]);

/* Appends the body of a request (aes128gcm, RFC 8188).  "ours" is a key pair for this
 * message alone, "salt" is random.  -1 when the browser's point is not on the curve. */
int webpush_encrypt(struct buf *out, EVP_PKEY *ours,
    const uint8_t salt[static WEBPUSH_SALT_BYTES],
    const uint8_t browser[static WEBPUSH_POINT_BYTES],
    const uint8_t auth[static WEBPUSH_AUTH_BYTES], const char *plain,
    size_t plain_bytes, struct err *e) MUST_CHECK;

#endif
