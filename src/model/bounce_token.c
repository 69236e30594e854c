/*
 * bounce_token.c - how a mail that comes back tells which delivery it was
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * tenant 5 | notification 16 | proof 10: 31 bytes are 50 characters.
 */
#include "model/bounce_token.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/seal.h"
#include "base/text.h"

enum { TENANT_BYTES = 5, ID_BYTES = 16, TOKEN_BYTES = 31 };

static void
prove(const struct keyring *ring, const struct bounce_token *t,
    const struct delivery_id *delivery, uint8_t proof[static BOUNCE_PROOF_BYTES])
{
	static const char purpose[8] = "bounce 1";
	uint8_t text[8 + 8 + 2 * ID_BYTES], hash[SECRET_HASH_BYTES];
	uint64_t tenant = (uint64_t)t->tenant.n;
	int i;

	memcpy(text, purpose, sizeof(purpose));
	for (i = 0; i < 8; i++)
		text[8 + i] = (uint8_t)(tenant >> (56 - 8 * i));
	memcpy(text + 16, t->notification.u.b, ID_BYTES);
	memcpy(text + 16 + ID_BYTES, delivery->u.b, ID_BYTES);
	secret_hash(ring, text, sizeof(text), hash);
	memcpy(proof, hash, BOUNCE_PROOF_BYTES);
}

const char *
bounce_token_make(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, const struct notification_id *notification,
    const struct delivery_id *delivery)
{
	struct bounce_token t = { tenant, *notification, { 0 } };
	uint8_t bytes[TOKEN_BYTES];
	int i;

	for (i = 0; i < TENANT_BYTES; i++)
		bytes[i] = (uint8_t)((uint64_t)tenant.n >>
		    (8 * (TENANT_BYTES - 1 - i)));
	memcpy(bytes + TENANT_BYTES, notification->u.b, ID_BYTES);
	prove(ring, &t, delivery, bytes + TENANT_BYTES + ID_BYTES);
	return text_base32(a, bytes, sizeof(bytes));
}

int
bounce_token_read(struct arena *a, const char *text, struct bounce_token *t_r)
{
	const uint8_t *bytes;
	void *p;
	size_t n;
	int i;

	if (strlen(text) != BOUNCE_TOKEN_CHARS ||
	    text_base32_decode(a, text, &p, &n) == -1 || n != TOKEN_BYTES)
		return -1;
	bytes = p;
	t_r->tenant.n = 0;
	for (i = 0; i < TENANT_BYTES; i++)
		t_r->tenant.n = t_r->tenant.n << 8 | bytes[i];
	memcpy(t_r->notification.u.b, bytes + TENANT_BYTES, ID_BYTES);
	memcpy(t_r->proof, bytes + TENANT_BYTES + ID_BYTES, BOUNCE_PROOF_BYTES);
	return 0;
}

bool
bounce_token_is(const struct keyring *ring, const struct bounce_token *t,
    const struct delivery_id *delivery)
{
	uint8_t proof[BOUNCE_PROOF_BYTES];

	prove(ring, t, delivery, proof);
	return sodium_memcmp(proof, t->proof, sizeof(proof)) == 0;
}
