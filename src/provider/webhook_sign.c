/*
 * webhook_sign.c - signatures of Standard Webhooks
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/webhook_sign.h"

#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"

#define PREFIX "whsec_"
#define PAIR_PREFIX "whsk_"
#define PUBLIC_PREFIX "whpk_"

enum {
	SECRET_BYTES = 32, /* of those that are made here */
	SECRET_BYTES_MIN = 24,
	SECRET_BYTES_MAX = 64,
	PAIR_BYTES = crypto_sign_ed25519_SECRETKEYBYTES,
	SIGNED_MAX = 129 << 20
};

/* The bytes in a secret; 0 when it is none. */
static size_t
read_secret(const char *prefix, const char *secret,
    uint8_t key[static SECRET_BYTES_MAX])
{
	const char *text = secret + strlen(prefix);
	size_t n;

	if (strncmp(secret, prefix, strlen(prefix)) != 0 ||
	    sodium_base642bin(key, SECRET_BYTES_MAX, text, strlen(text), NULL,
	        &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return 0;
	return n >= SECRET_BYTES_MIN ? n : 0;
}

int
webhook_secret_check(const char *secret, struct err *e)
{
	uint8_t key[SECRET_BYTES_MAX];
	size_t n = read_secret(PREFIX, secret, key);

	sodium_memzero(key, sizeof(key));
	if (n == 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"secret\": not \"%s\" and the base64 of %d to %d "
		    "bytes", PREFIX, SECRET_BYTES_MIN, SECRET_BYTES_MAX);
	return 0;
}

static const char *
write_bytes(struct arena *a, const char *prefix, const uint8_t *p, size_t n)
{
	size_t len = strlen(prefix);
	size_t room = sodium_base64_encoded_len(n,
	    sodium_base64_VARIANT_ORIGINAL);
	char *text = arena_alloc(a, len + room);

	memcpy(text, prefix, len);
	sodium_bin2base64(text + len, room, p, n,
	    sodium_base64_VARIANT_ORIGINAL);
	return text;
}

const char *
webhook_secret_make(struct arena *a, bool v1a, const char **public_r)
{
	uint8_t pair[PAIR_BYTES], public[crypto_sign_ed25519_PUBLICKEYBYTES];
	const char *secret;

	*public_r = NULL;
	if (v1a) {
		crypto_sign_ed25519_keypair(public, pair);
		*public_r = write_bytes(a, PUBLIC_PREFIX, public,
		    sizeof(public));
		secret = write_bytes(a, PAIR_PREFIX, pair, sizeof(pair));
	} else {
		randombytes_buf(pair, SECRET_BYTES);
		secret = write_bytes(a, PREFIX, pair, SECRET_BYTES);
	}
	sodium_memzero(pair, sizeof(pair));
	return secret;
}

static const char *
sign_mac(struct arena *a, const char *secret, const char *head,
    const struct buf *body)
{
	uint8_t key[SECRET_BYTES_MAX], mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	size_t n = read_secret(PREFIX, secret, key);

	ensure(n > 0);
	crypto_auth_hmacsha256_init(&state, key, n);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)head,
	    strlen(head));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)body->data,
	    body->len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&state, sizeof(state));
	return write_bytes(a, "v1,", mac, sizeof(mac));
}

/* Ed25519 reads what it signs twice, so it must lie in one piece. */
static const char *
sign_pair(struct arena *a, const char *secret, const char *head,
    const struct buf *body)
{
	uint8_t pair[SECRET_BYTES_MAX], signature[crypto_sign_ed25519_BYTES];
	struct buf *whole = buf_new(a, SIGNED_MAX);

	ensure(read_secret(PAIR_PREFIX, secret, pair) == PAIR_BYTES);
	buf_puts(whole, head);
	buf_add(whole, body->data, body->len);
	ensure(!buf_overflowed(whole));
	crypto_sign_ed25519_detached(signature, NULL,
	    (const uint8_t *)whole->data, whole->len, pair);
	sodium_memzero(pair, sizeof(pair));
	return write_bytes(a, "v1a,", signature, sizeof(signature));
}

const char *
webhook_sign(struct arena *a, const char *secret, const char *id,
    int64_t timestamp_s, const struct buf *body)
{
	const char *head = arena_printf(a, "%s.%" PRId64 ".", id, timestamp_s);

	if (strncmp(secret, PAIR_PREFIX, strlen(PAIR_PREFIX)) == 0)
		return sign_pair(a, secret, head, body);
	return sign_mac(a, secret, head, body);
}
