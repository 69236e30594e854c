/*
 * seal.c - credentials at rest, and keys that are only compared
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The associated data is: head of the blob (version, name of the key) | tenant
 * 8 | length and table | length and column | row 16.  The head is part of it,
 * so a blob cannot be made to look as if another key had sealed it.
 */
#include "base/seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/hmac.h"
#include "base/keyring.h"
#include "base/metrics.h"

enum {
	VERSION = 1,
	NONCE_BYTES = 12,
	TAG_BYTES = 16,
	PLAIN_MAX_BYTES = 1 << 20,
	NAME_MAX_BYTES = 63, /* of keys, tables and columns */
	HEAD_MAX_BYTES = 2 + NAME_MAX_BYTES,
	AAD_MAX_BYTES = HEAD_MAX_BYTES + 8 + 2 * (1 + NAME_MAX_BYTES) + 16,
};

/* One run of AES-256-GCM over len bytes. */
struct gcm {
	uint8_t key[KEYRING_KEY_BYTES];
	uint8_t aad[AAD_MAX_BYTES];
	size_t aad_len;
	const uint8_t *nonce;
	const uint8_t *in;
	uint8_t *out;
	size_t len;
	uint8_t *tag; /* written when it seals, compared when it opens */
};

static void
put_int64(uint8_t *p, int64_t n)
{
	int i;

	for (i = 0; i < 8; i++)
		p[i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
}

static void
add_bytes(struct gcm *g, const void *p, size_t n)
{
	ensure(n <= sizeof(g->aad) - g->aad_len);
	memcpy(g->aad + g->aad_len, p, n);
	g->aad_len += n;
}

static void
add_name(struct gcm *g, const char *name)
{
	size_t n = strlen(name);
	uint8_t len = (uint8_t)n;

	ensure(n > 0 && n <= NAME_MAX_BYTES);
	add_bytes(g, &len, 1);
	add_bytes(g, name, n);
}

static void
bind_to_place(struct gcm *g, const uint8_t *head, size_t head_len,
    const struct seal_place *place)
{
	uint8_t tenant[8];

	put_int64(tenant, place->tenant.n);
	g->aad_len = 0;
	add_bytes(g, head, head_len);
	add_bytes(g, tenant, sizeof(tenant));
	add_name(g, place->table);
	add_name(g, place->column);
	add_bytes(g, place->row.b, sizeof(place->row.b));
}

/* HKDF-SHA256 (RFC 5869) of the ring's key for one tenant, without salt: one block. */
static void
derive_key(const struct keyring_key *k, struct tenant_id tenant,
    uint8_t key[static KEYRING_KEY_BYTES])
{
	static const uint8_t no_salt[HMAC_BYTES] = { 0 };
	char info[] = "belfry seal 1 tenant 01234567\1";

	put_int64((uint8_t *)info + sizeof(info) - 10, tenant.n);
	hmac_sha256(no_salt, sizeof(no_salt), k->key, sizeof(k->key), key);
	hmac_sha256(key, HMAC_BYTES, info, sizeof(info) - 1, key);
}

static bool
gcm_run_in(EVP_CIPHER_CTX *ctx, const struct keyring *ring, struct gcm *g,
    bool sealing)
{
	int len;

	if (EVP_CipherInit_ex2(ctx, ring->aes_256_gcm, g->key, g->nonce,
	        sealing ? 1 : 0, NULL) <= 0 ||
	    EVP_CipherUpdate(ctx, NULL, &len, g->aad, (int)g->aad_len) <= 0 ||
	    EVP_CipherUpdate(ctx, g->out, &len, g->in, (int)g->len) <= 0)
		return false;
	if (!sealing && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
	                    TAG_BYTES, g->tag) <= 0)
		return false;
	if (EVP_CipherFinal_ex(ctx, g->out + g->len, &len) <= 0)
		return false;
	return !sealing || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
	                       TAG_BYTES, g->tag) > 0;
}

/* Seals or opens; false when the tag is wrong or the library failed. */
static bool
gcm_run(const struct keyring *ring, struct gcm *g, bool sealing)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool done = ctx != NULL && gcm_run_in(ctx, ring, g, sealing);

	EVP_CIPHER_CTX_free(ctx);
	sodium_memzero(g->key, sizeof(g->key));
	return done;
}

/* Writes version, length and name. */
static size_t
put_head(uint8_t *p, const char *name)
{
	size_t n = strlen(name);

	ensure(n <= NAME_MAX_BYTES);
	p[0] = VERSION;
	p[1] = (uint8_t)n;
	memcpy(p + 2, name, n);
	return 2 + n;
}

static bool
nonce_random(const struct keyring *ring, const struct gcm *g,
    uint8_t nonce[static NONCE_BYTES])
{
	(void)ring;
	(void)g;
	return RAND_bytes(nonce, NONCE_BYTES) > 0;
}

/* Of the associated data and the plain bytes. */
static bool
nonce_of_content(const struct keyring *ring, const struct gcm *g,
    uint8_t nonce[static NONCE_BYTES])
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;

	crypto_generichash_init(&state, ring->pepper, sizeof(ring->pepper),
	    sizeof(hash));
	crypto_generichash_update(&state, g->aad, g->aad_len);
	crypto_generichash_update(&state, g->in, g->len);
	crypto_generichash_final(&state, hash, sizeof(hash));
	memcpy(nonce, hash, NONCE_BYTES);
	return true;
}

/* What is to be sealed. */
struct plain {
	const void *p;
	size_t n;
	bool (*nonce)(const struct keyring *ring, const struct gcm *g,
	    uint8_t nonce[static NONCE_BYTES]);
};

/* A blob. */
struct secret {
	uint8_t *bytes;
	size_t len;
};

static int
seal_with(struct arena *a, const struct keyring *ring,
    const struct seal_place *place, const struct plain *plain,
    struct secret *sealed_r, struct err *e)
{
	struct gcm g = { .in = plain->p, .len = plain->n };
	size_t head_len;
	uint8_t *nonce;

	if (plain->n > PLAIN_MAX_BYTES)
		return err_set(e, ERR_TOO_LARGE,
		    "a secret cannot have more than %d bytes", PLAIN_MAX_BYTES);
	sealed_r->bytes = arena_alloc(a,
	    HEAD_MAX_BYTES + NONCE_BYTES + plain->n + TAG_BYTES);
	head_len = put_head(sealed_r->bytes, ring->current->name);
	sealed_r->len = head_len + NONCE_BYTES + plain->n + TAG_BYTES;
	nonce = sealed_r->bytes + head_len;
	g.nonce = nonce;
	g.out = nonce + NONCE_BYTES;
	g.tag = g.out + plain->n;
	bind_to_place(&g, sealed_r->bytes, head_len, place);
	if (!plain->nonce(ring, &g, nonce))
		return err_set(e, ERR_TEMPORARY,
		    "could not get random bytes to seal a secret");
	derive_key(ring->current, place->tenant, g.key);
	if (!gcm_run(ring, &g, true))
		return err_set(e, ERR_INTERNAL, "could not seal a secret");
	return 0;
}

int
seal(struct arena *a, const struct keyring *ring,
    const struct seal_place *place, const void *plain, size_t size_bytes,
    void **blob_r, size_t *blob_bytes_r, struct err *e)
{
	const struct plain what = { plain, size_bytes, nonce_random };
	struct secret blob;

	if (seal_with(a, ring, place, &what, &blob, e) == -1)
		return -1;
	metrics_add(METRIC_SEALED_TOTAL, 0, 1);
	*blob_r = blob.bytes;
	*blob_bytes_r = blob.len;
	return 0;
}

int
seal_alike(struct arena *a, const struct keyring *ring,
    const struct seal_place *place, const void *plain, size_t size_bytes,
    void **blob_r, size_t *blob_bytes_r, struct err *e)
{
	const struct plain what = { plain, size_bytes, nonce_of_content };
	struct secret blob;

	if (seal_with(a, ring, place, &what, &blob, e) == -1)
		return -1;
	*blob_r = blob.bytes;
	*blob_bytes_r = blob.len;
	return 0;
}

static int
cannot_open(struct err *e, const char *why)
{
	err_set(e, ERR_INTERNAL, "a stored secret cannot be opened");
	return err_detail(e, "%s", why);
}

/* The key named in a blob; NULL with *e set when the blob is not one of ours. */
static const struct keyring_key *
key_of_blob(const struct keyring *ring, const uint8_t *blob, size_t n,
    struct err *e)
{
	const struct keyring_key *k;

	if (n < 2 || blob[0] != VERSION || blob[1] > NAME_MAX_BYTES ||
	    n < 2U + blob[1] + NONCE_BYTES + TAG_BYTES ||
	    n > 2U + blob[1] + NONCE_BYTES + PLAIN_MAX_BYTES + TAG_BYTES) {
		cannot_open(e, "it does not have the form of a sealed secret");
		return NULL;
	}
	for (k = ring->keys; k != NULL; k = k->next)
		if (strlen(k->name) == blob[1] &&
		    memcmp(k->name, blob + 2, blob[1]) == 0)
			return k;
	cannot_open(e, "the key that sealed it is not in the key ring");
	return NULL;
}

int
unseal(struct arena *a, const struct keyring *ring,
    const struct seal_place *place, const void *blob, size_t blob_bytes,
    void **plain_r, size_t *plain_bytes_r, struct err *e)
{
	const uint8_t *in = blob;
	const struct keyring_key *k = key_of_blob(ring, in, blob_bytes, e);
	struct gcm g;
	uint8_t tag[TAG_BYTES];
	uint8_t *plain;
	size_t head_len, n;

	if (k == NULL)
		return -1;
	head_len = 2U + in[1];
	n = blob_bytes - head_len - NONCE_BYTES - TAG_BYTES;
	plain = arena_zalloc(a, n + 1, 1);
	memcpy(tag, in + blob_bytes - TAG_BYTES, TAG_BYTES);
	g = (struct gcm){ .nonce = in + head_len,
		.in = in + head_len + NONCE_BYTES,
		.out = plain,
		.len = n,
		.tag = tag };
	bind_to_place(&g, in, head_len, place);
	derive_key(k, place->tenant, g.key);
	if (!gcm_run(ring, &g, false)) {
		sodium_memzero(plain, n);
		return cannot_open(e,
		    "it was changed, or it was sealed for another place");
	}
	*plain_r = plain;
	*plain_bytes_r = n;
	return 0;
}

void
secret_hash(const struct keyring *ring, const void *secret, size_t size_bytes,
    uint8_t hash[static SECRET_HASH_BYTES])
{
	ensure(crypto_generichash(hash, SECRET_HASH_BYTES, secret, size_bytes,
	           ring->pepper, sizeof(ring->pepper)) == 0);
}
