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

enum { SECRET_BYTES_MIN = 24, SECRET_BYTES_MAX = 64 };

/* The key in a secret; 0 when it is none. */
static size_t
read_secret(const char *secret, uint8_t key[static SECRET_BYTES_MAX])
{
	const char *text = secret + strlen(PREFIX);
	size_t n;

	if (strncmp(secret, PREFIX, strlen(PREFIX)) != 0 ||
	    sodium_base642bin(key, SECRET_BYTES_MAX, text, strlen(text), NULL,
	        &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return 0;
	return n >= SECRET_BYTES_MIN ? n : 0;
}

int
webhook_secret_check(const char *secret, struct err *e)
{
	uint8_t key[SECRET_BYTES_MAX];
	size_t n = read_secret(secret, key);

	sodium_memzero(key, sizeof(key));
	if (n == 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"secret\": not \"%s\" and the base64 of %d to %d "
		    "bytes", PREFIX, SECRET_BYTES_MIN, SECRET_BYTES_MAX);
	return 0;
}

const char *
webhook_sign(struct arena *a, const char *secret, const char *id,
    int64_t timestamp_s, const struct buf *body)
{
	const char *head = arena_printf(a, "%s.%" PRId64 ".", id, timestamp_s);
	char text[sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES,
	    sodium_base64_VARIANT_ORIGINAL)];
	uint8_t key[SECRET_BYTES_MAX], mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	size_t n = read_secret(secret, key);

	ensure(n > 0);
	crypto_auth_hmacsha256_init(&state, key, n);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)head,
	    strlen(head));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)body->data,
	    body->len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&state, sizeof(state));
	sodium_bin2base64(text, sizeof(text), mac, sizeof(mac),
	    sodium_base64_VARIANT_ORIGINAL);
	return arena_printf(a, "v1,%s", text);
}
