/*
 * hmac.h - HMAC-SHA256 of one piece
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_HMAC_H
#define BELFRY_BASE_HMAC_H

#include <stddef.h>
#include <stdint.h>

enum { HMAC_BYTES = 32 };

/* A key may have any length.  "out" may be where the key or the data is. */
void hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t n,
    uint8_t out[static HMAC_BYTES]);

#endif
