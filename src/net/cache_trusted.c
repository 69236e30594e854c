/*
 * cache_trusted.c - memcached for what must not be forged
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "net/cache_trusted.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/seal.h"
#include "net/cache.h"

/* Of the key and the text, so that a text cannot stand under another key. */
static void
mac_of(const struct keyring *ring, struct arena *a, const char *key,
    const char *text, size_t n, uint8_t mac[static SECRET_HASH_BYTES])
{
	size_t len = strlen(key) + 1;
	char *both = arena_alloc(a, len + n);

	memcpy(both, key, len);
	memcpy(both + len, text, n);
	secret_hash(ring, both, len + n, mac);
}

const char *
cache_get_trusted(struct cache *c, const struct keyring *ring, struct arena *a,
    const char *key)
{
	uint8_t mac[SECRET_HASH_BYTES];
	const void *value;
	const char *text;
	size_t n;

	if (!cache_get(c, a, key, &value, &n) || n < sizeof(mac))
		return NULL;
	text = (const char *)value + sizeof(mac);
	n -= sizeof(mac);
	mac_of(ring, a, key, text, n, mac);
	return sodium_memcmp(mac, value, sizeof(mac)) == 0 ? text : NULL;
}

void
cache_set_trusted(struct cache *c, const struct keyring *ring, struct arena *a,
    const char *key, const char *text, int64_t ttl_ms)
{
	size_t n = strlen(text);
	uint8_t *value = arena_alloc(a, SECRET_HASH_BYTES + n);

	mac_of(ring, a, key, text, n, value);
	memcpy(value + SECRET_HASH_BYTES, text, n);
	cache_set(c, key, value, SECRET_HASH_BYTES + n, ttl_ms);
}
