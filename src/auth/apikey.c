/*
 * apikey.c - the keys of service accounts
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/apikey.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/text.h"

enum { ID_BYTES = 16, SECRET_BYTES = 32 };

const char *
apikey_make(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, struct apikey *key_r)
{
	uint8_t id[ID_BYTES], secret[SECRET_BYTES];
	char *text;
	int i;

	ensure(tenant.n > 0);
	for (i = 0; i < 8; i++)
		id[i] = (uint8_t)((uint64_t)tenant.n >> (56 - 8 * i));
	randombytes_buf(id + 8, sizeof(id) - 8);
	randombytes_buf(secret, sizeof(secret));
	text = arena_printf(a, "blf_%s_%s", text_base32(a, id, sizeof(id)),
	    text_base64url(a, secret, sizeof(secret)));
	sodium_memzero(secret, sizeof(secret));
	ensure(strlen(text) == APIKEY_CHARS);
	ensure(apikey_parse(a, ring, text, key_r) == 0);
	return text;
}

/* Both parts decode to their sizes, and the tenant is one. */
static int
parse_parts(struct arena *a, const char *id, const char *secret,
    struct tenant_id *tenant_r)
{
	void *p;
	size_t n;
	int i;

	if (text_base64url_decode(a, secret, &p, &n) != 0 || n != SECRET_BYTES)
		return -1;
	sodium_memzero(p, n);
	if (text_base32_decode(a, id, &p, &n) != 0 || n != ID_BYTES)
		return -1;
	if (((const uint8_t *)p)[0] & 0x80)
		return -1;
	tenant_r->n = 0;
	for (i = 0; i < 8; i++)
		tenant_r->n = tenant_r->n << 8 | ((const uint8_t *)p)[i];
	return tenant_r->n > 0 ? 0 : -1;
}

int
apikey_parse(struct arena *a, const struct keyring *ring, const char *text,
    struct apikey *key_r)
{
	struct apikey key;

	if (strnlen(text, APIKEY_CHARS + 1) != APIKEY_CHARS ||
	    strncmp(text, "blf_", 4) != 0 || text[4 + APIKEY_ID_CHARS] != '_')
		return -1;
	memcpy(key.id, text + 4, APIKEY_ID_CHARS);
	key.id[APIKEY_ID_CHARS] = '\0';
	if (parse_parts(a, key.id, text + 4 + APIKEY_ID_CHARS + 1,
	        &key.tenant) != 0)
		return -1;
	secret_hash(ring, text, APIKEY_CHARS, key.hash);
	*key_r = key;
	return 0;
}

bool
apikey_matches(const struct apikey *key, const void *hash, size_t n)
{
	return n == sizeof(key->hash) &&
	    sodium_memcmp(key->hash, hash, sizeof(key->hash)) == 0;
}
