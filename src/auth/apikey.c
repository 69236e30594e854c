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

#define PREFIX "blf_"
#define TEST_PREFIX "blf_test_"

enum { ID_BYTES = 16, SECRET_BYTES = 32 };

const char *
apikey_make(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, bool test, struct apikey *key_r)
{
	uint8_t id[ID_BYTES], secret[SECRET_BYTES];
	char *text;
	int i;

	ensure(tenant.n > 0);
	for (i = 0; i < 8; i++)
		id[i] = (uint8_t)((uint64_t)tenant.n >> (56 - 8 * i));
	randombytes_buf(id + 8, sizeof(id) - 8);
	randombytes_buf(secret, sizeof(secret));
	text = arena_printf(a, "%s%s_%s", test ? TEST_PREFIX : PREFIX,
	    text_base32(a, id, sizeof(id)),
	    text_base64url(a, secret, sizeof(secret)));
	sodium_memzero(secret, sizeof(secret));
	ensure(apikey_parse(a, ring, text, key_r) == 0);
	return text;
}

int
apikey_tenant(struct arena *a, const char *id, struct tenant_id *tenant_r)
{
	int64_t tenant = 0;
	void *p;
	size_t n;
	int i;

	if (strnlen(id, APIKEY_ID_CHARS + 1) != APIKEY_ID_CHARS ||
	    text_base32_decode(a, id, &p, &n) != 0 || n != ID_BYTES)
		return -1;
	if (((const uint8_t *)p)[0] & 0x80)
		return -1;
	for (i = 0; i < 8; i++)
		tenant = tenant << 8 | ((const uint8_t *)p)[i];
	if (tenant == 0)
		return -1;
	tenant_r->n = tenant;
	return 0;
}

/* Both parts decode to their sizes, and the tenant is one. */
static int
parse_parts(struct arena *a, const char *id, const char *secret,
    struct tenant_id *tenant_r)
{
	void *p;
	size_t n;

	if (text_base64url_decode(a, secret, &p, &n) != 0 || n != SECRET_BYTES)
		return -1;
	sodium_memzero(p, n);
	return apikey_tenant(a, id, tenant_r);
}

int
apikey_parse(struct arena *a, const struct keyring *ring, const char *text,
    struct apikey *key_r)
{
	size_t n = strnlen(text, APIKEY_TEST_CHARS + 1);
	struct apikey key = { .test = n == APIKEY_TEST_CHARS };
	const char *prefix = key.test ? TEST_PREFIX : PREFIX;
	const char *id = text + strlen(prefix);

	if ((n != APIKEY_CHARS && !key.test) ||
	    strncmp(text, prefix, strlen(prefix)) != 0 ||
	    id[APIKEY_ID_CHARS] != '_')
		return -1;
	memcpy(key.id, id, APIKEY_ID_CHARS);
	if (parse_parts(a, key.id, id + APIKEY_ID_CHARS + 1, &key.tenant) != 0)
		return -1;
	secret_hash(ring, text, n, key.hash);
	*key_r = key;
	return 0;
}

bool
apikey_matches(const struct apikey *key, const void *hash, size_t n)
{
	return n == sizeof(key->hash) &&
	    sodium_memcmp(key->hash, hash, sizeof(key->hash)) == 0;
}
