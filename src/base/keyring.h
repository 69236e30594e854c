/*
 * keyring.h - what a key ring holds, for seal.c alone
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everybody else knows a ring by its name only: see seal.h.
 */
#ifndef BELFRY_BASE_KEYRING_H
#define BELFRY_BASE_KEYRING_H

#include <openssl/types.h>
#include <stdint.h>

enum { KEYRING_KEY_BYTES = 32 };

struct keyring_key {
	struct keyring_key *next;
	const char *name; /* a slug, so at most 63 bytes */
	uint8_t key[KEYRING_KEY_BYTES];
};

struct keyring {
	struct keyring_key *keys;
	struct keyring_key *current; /* the one that seals */
	uint8_t pepper[KEYRING_KEY_BYTES];
	EVP_CIPHER *aes_256_gcm;
};

#endif
