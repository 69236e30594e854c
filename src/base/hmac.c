/*
 * hmac.c - HMAC-SHA256 of one piece
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * By libsodium: OpenSSL 3 looks its algorithms up by name each time, which takes longer
 * than a hash of a few bytes.
 */
#include "base/hmac.h"

#include <sodium.h>

_Static_assert(HMAC_BYTES == crypto_auth_hmacsha256_BYTES, "the length of a MAC");

void
hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t n,
    uint8_t out[static HMAC_BYTES])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, key_bytes);
	crypto_auth_hmacsha256_update(&state, data, n);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}
