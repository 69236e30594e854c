/*
 * signing.c - the keys that Belfry signs its own access tokens with
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/signing.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "auth/jwks.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/text.h"
#include "db/db.h"

enum { RSA_BITS = 2048, NUMBER_BYTES_MAX = 1024, KID_BYTES = 9, LOOK_MS = 1000 };

const char *
signing_state_name(enum signing_state state)
{
	static const char *const names[] = {
		[SIGNING_NEXT] = "next",
		[SIGNING_CURRENT] = "current",
		[SIGNING_RETIRED] = "retired",
	};

	ensure(state >= SIGNING_NEXT && state <= SIGNING_RETIRED);
	return names[state];
}

static struct seal_place
place_of(struct uuid id)
{
	return (struct seal_place){ .table = "signing_key", .column = "sealed",
		.row = id };
}

static void
defer_key(void *p)
{
	EVP_PKEY_free(p);
}

/* ---- In the database --------------------------------------------------------- */

int
signing_list(struct arena *a, struct db *db, struct signing_key **list_r,
    size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, (struct tenant_id){ 0 }, DB_ONE);
	struct signing_key *list;
	struct db_rows **rows, *r;
	int i;

	db_add(b, Q_SIGNING_KEY_LIST);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	r = rows[0];
	list = arena_zalloc(a, (size_t)db_count(r) + 1, sizeof(*list));
	for (i = 0; i < db_count(r); i++) {
		list[i] = (struct signing_key){
			.id = db_uuid(r, i, 0),
			.kid = db_text(r, i, 1),
			.alg = db_text(r, i, 2),
			.state = (enum signing_state)db_int(r, i, 3),
			.public_jwk = db_text(r, i, 4),
			.created_ms = db_time_ms(r, i, 6),
			.retired_ms = db_time_ms(r, i, 7),
		};
		list[i].sealed = db_bytes(a, r, i, 5, &list[i].sealed_bytes);
	}
	*list_r = list;
	*count_r = (size_t)db_count(r);
	return 0;
}

/* ---- Making ------------------------------------------------------------------ */

static const char *
number_of(struct arena *a, EVP_PKEY *pkey, const char *name)
{
	unsigned char bytes[NUMBER_BYTES_MAX];
	BIGNUM *n = NULL;
	int size;

	ensure(EVP_PKEY_get_bn_param(pkey, name, &n) == 1 &&
	    BN_num_bytes(n) <= NUMBER_BYTES_MAX);
	size = BN_bn2bin(n, bytes);
	BN_free(n);
	return text_base64url(a, bytes, (size_t)size);
}

static const char *
jwk_of(struct arena *a, EVP_PKEY *pkey, const char *alg, const char *kid)
{
	unsigned char raw[32];
	size_t n = sizeof(raw);
	const char *kind;

	if (strcmp(alg, "RS256") == 0) {
		kind = arena_printf(a,
		    "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"",
		    number_of(a, pkey, OSSL_PKEY_PARAM_RSA_N),
		    number_of(a, pkey, OSSL_PKEY_PARAM_RSA_E));
	} else {
		ensure(EVP_PKEY_get_raw_public_key(pkey, raw, &n) == 1);
		kind = arena_printf(a,
		    "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"",
		    text_base64url(a, raw, n));
	}
	return arena_printf(a,
	    "{%s,\"kid\":\"%s\",\"use\":\"sig\",\"alg\":\"%s\"}", kind, kid, alg);
}

/* Makes a key and adds it to the batch. */
static int
add_new(struct arena *a, struct db_batch *b, const struct keyring *ring,
    const char *alg, enum signing_state state, struct err *e)
{
	struct uuid *id = arena_object(a, struct uuid);
	struct seal_place place;
	unsigned char name[KID_BYTES], *der = NULL;
	const char *kid;
	EVP_PKEY *pkey = strcmp(alg, "RS256") == 0 ? EVP_RSA_gen(RSA_BITS) :
	                                             EVP_PKEY_Q_keygen(NULL,
	                                                 NULL, "ED25519");
	size_t n;
	void *sealed;
	int size, rc;

	if (pkey == NULL)
		return err_set(e, ERR_TEMPORARY, "could not make a key");
	arena_defer(a, defer_key, pkey);
	*id = uuid_make();
	place = place_of(*id);
	randombytes_buf(name, sizeof(name));
	kid = text_base64url(a, name, sizeof(name));
	size = i2d_PrivateKey(pkey, &der);
	ensure(size > 0);
	rc = seal(a, ring, &place, der, (size_t)size, &sealed, &n, e);
	OPENSSL_clear_free(der, (size_t)size);
	if (rc != 0)
		return -1;
	db_add(b, Q_SIGNING_KEY_INSERT);
	db_arg_uuid(b, id);
	db_arg_text(b, kid);
	db_arg_text(b, alg);
	db_arg_int(b, state);
	db_arg_text(b, jwk_of(a, pkey, alg, kid));
	db_arg_bytes(b, sealed, n);
	return 0;
}

int
signing_rotate(struct arena *a, struct db *db, const struct keyring *ring,
    const char *alg, bool at_once, struct err *e)
{
	struct db_batch *b = db_batch_new(a, (struct tenant_id){ 0 }, DB_ONE);
	struct signing_key *list;
	size_t count;
	bool next;

	if (signing_list(a, db, &list, &count, e) != 0)
		return -1;
	next = count > 0 && list[0].state == SIGNING_NEXT;
	if (next && !at_once &&
	    clock_wall_ms() - list[0].created_ms < SIGNING_PUBLISHED_MS)
		return err_set(e, ERR_CONFLICT,
		    "the next key is not published for %d minutes yet",
		    SIGNING_PUBLISHED_MS / 60000);
	db_add(b, Q_SIGNING_KEY_RETIRE);
	db_add(b, Q_SIGNING_KEY_PROMOTE);
	db_add(b, Q_SIGNING_KEY_FORGET);
	db_arg_int(b, at_once ? 0 : SIGNING_KEPT_MS);
	if ((!next && add_new(a, b, ring, alg, SIGNING_CURRENT, e) != 0) ||
	    add_new(a, b, ring, alg, SIGNING_NEXT, e) != 0)
		return -1;
	return db_run(db, a, b, NULL, e);
}

/* ---- In a worker --------------------------------------------------------------- */

struct signing {
	struct db *db;
	const struct keyring *ring;
	struct arena *a; /* of what was read */
	int64_t read_ms; /* monotonic; 0: never */
	const char *text; /* the set */
	struct jwks *keys; /* NULL: none */
	const char *kid; /* of the current one; NULL: none */
	EVP_PKEY *key;
};

static void
signing_free(void *p)
{
	arena_free(&((struct signing *)p)->a);
}

struct signing *
signing_new(struct arena *a, struct db *db, const struct keyring *ring)
{
	struct signing *s = arena_object(a, struct signing);

	s->db = db;
	s->ring = ring;
	arena_defer(a, signing_free, s);
	return s;
}

static int
open_key(struct arena *a, const struct keyring *ring,
    const struct signing_key *k, EVP_PKEY **key_r, struct err *e)
{
	struct seal_place place = place_of(k->id);
	const unsigned char *der;
	void *plain;
	size_t n;

	if (unseal(a, ring, &place, k->sealed, k->sealed_bytes, &plain, &n,
	        e) != 0)
		return -1;
	der = plain;
	*key_r = d2i_AutoPrivateKey(NULL, &der, (long)n);
	if (*key_r == NULL)
		return err_set(e, ERR_INTERNAL, "a signing key is broken");
	arena_defer(a, defer_key, *key_r);
	return 0;
}

/* Takes over what was read; all of it lives in s->a. */
static int
take_over(struct signing *s, const struct signing_key *list, size_t count,
    struct err *e)
{
	struct buf *text = buf_new(s->a, JWKS_BYTES_MAX);
	size_t i;

	buf_puts(text, "{\"keys\":[");
	for (i = 0; i < count; i++) {
		buf_printf(text, "%s%s", i > 0 ? "," : "", list[i].public_jwk);
		if (list[i].state != SIGNING_CURRENT)
			continue;
		if (open_key(s->a, s->ring, &list[i], &s->key, e) != 0)
			return -1;
		s->kid = list[i].kid;
	}
	buf_puts(text, "]}");
	s->text = text->data;
	if (count == 0)
		return 0;
	return jwks_parse(s->a, text->data, text->len, &s->keys, e);
}

static int
refresh(struct signing *s, int64_t fresh_ms, struct err *e)
{
	struct signing read = { .db = s->db, .ring = s->ring };
	struct signing_key *list;
	size_t count;

	if (s->a != NULL && clock_mono_ms() - s->read_ms < fresh_ms)
		return 0;
	read.a = arena_new(4096);
	read.read_ms = clock_mono_ms();
	if (signing_list(read.a, s->db, &list, &count, e) != 0 ||
	    take_over(&read, list, count, e) != 0) {
		arena_free(&read.a);
		return -1;
	}
	arena_free(&s->a);
	*s = read;
	return 0;
}

int
signing_current(struct signing *s, const char **kid_r, EVP_PKEY **key_r,
    struct err *e)
{
	if (refresh(s, SIGNING_FRESH_MS, e) != 0)
		return -1;
	if (s->kid == NULL)
		return 0;
	*kid_r = s->kid;
	*key_r = s->key;
	return 1;
}

/* A name that is not known may be new: that is looked up once a second. */
int
signing_find(struct signing *s, const char *kid, const struct jwk **key_r,
    struct err *e)
{
	const struct jwk *key = NULL;

	if (refresh(s, SIGNING_FRESH_MS, e) != 0)
		return -1;
	if (s->keys != NULL)
		key = jwks_find(s->keys, kid);
	if (key == NULL) {
		if (refresh(s, LOOK_MS, e) != 0)
			return -1;
		if (s->keys != NULL)
			key = jwks_find(s->keys, kid);
	}
	if (key == NULL)
		return 0;
	*key_r = key;
	return 1;
}

int
signing_publish(struct signing *s, const char **jwks_r, struct err *e)
{
	if (refresh(s, SIGNING_FRESH_MS, e) != 0)
		return -1;
	*jwks_r = s->text;
	return 0;
}
