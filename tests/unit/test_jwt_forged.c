/*
 * test_jwt_forged.c - signatures and encodings that only look right
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The classes of cases that Wycheproof has for signatures and for JWS, made anew with
 * keys of each run: whoever has the private key can make what a forger would like to be
 * taken.  Each token is tried twice, so that what is remembered of the first try is, too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/obj_mac.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/proven.h"
#include "base/arena.h"
#include "base/err.h"
#include "token_maker.h"

enum { RSA_BYTES = 256, ORDER_BYTES = 32 };

#define CLAIMS                                                                 \
	"{\"iss\":\"https://idp.example\",\"aud\":\"belfry\",\"sub\":\"u1\","    \
	"\"exp\":1800000300}"
#define RS256 "{\"alg\":\"RS256\",\"kid\":\"rsa\"}"
#define ES256 "{\"alg\":\"ES256\",\"kid\":\"ec\"}"
#define EDDSA "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"

static struct arena *a;
static EVP_PKEY *rsa, *ec, *ed;
static struct jwks *set;
static struct proven *proven;
static int tried;

static struct jwks *
set_from(const char *text)
{
	struct jwks *jwks = NULL;
	struct err e;

	return jwks_parse(a, text, strlen(text), &jwks, &e) == 0 ? jwks : NULL;
}

static int
setup(void **state)
{
	a = arena_new(16384);
	rsa = EVP_RSA_gen(8 * RSA_BYTES);
	ec = EVP_EC_gen("P-256");
	ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	set = set_from(arena_printf(a,
	    "{\"keys\":[{%s,\"kid\":\"rsa\"},{%s,\"kid\":\"ec\"},"
	    "{%s,\"kid\":\"ed\"}]}", public_members(a, rsa),
	    public_members(a, ec), public_members(a, ed)));
	proven = proven_new(a, 2048);
	return set != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	print_message("%d tokens\n", tried);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
	arena_free(&a);
	return 0;
}

static bool
is_taken(const char *text)
{
	static const char *const audiences[] = { "belfry", NULL };
	const struct jwt_rules rules = { .issuer = "https://idp.example",
		.audiences = audiences, .now_ms = INT64_C(1800000000000),
		.proven = proven };
	const json_t *claims;
	const struct jwk *key;
	struct jwt *t;
	struct err e;

	return jwt_read(a, text, &t, &e) == 0 &&
	    (key = jwks_find(set, jwt_claimed_kid(t))) != NULL &&
	    jwt_verify(t, key, &rules, &claims, &e) == 0;
}

static bool
is_good(const char *text)
{
	bool good = is_taken(text);

	tried++;
	assert_int_equal(is_taken(text), good);
	return good;
}

static void
expect(bool good, const char *text, const char *what)
{
	if (is_good(text) != good)
		fail_msg("%s: %s", what, text);
}

static const char *
with_signature(const char *body, const void *signature, size_t n)
{
	return arena_printf(a, "%s.%s", body, text_base64url(a, signature, n));
}

/* ---- RSA ------------------------------------------------------------------------- */

/* The private operation alone: what a signature holds when it is opened. */
static void
rsa_raw(const unsigned char in[RSA_BYTES], unsigned char out[RSA_BYTES])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(rsa, NULL);
	size_t n = RSA_BYTES;

	ensure(EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
	    EVP_PKEY_sign(ctx, out, &n, in, RSA_BYTES) == 1);
	EVP_PKEY_CTX_free(ctx);
}

/* EMSA-PKCS1-v1_5: 00 01 ff...ff 00, the name of SHA-256, the hash.  The hash is 32
 * bytes of the right one, unless the row says otherwise. */
struct encoding {
	const char *what;
	const char *head;
	unsigned char filler;
	const char *middle; /* the separator and what follows, up to the hash */
	size_t hash_bytes;
	size_t junk_bytes; /* behind it */
	bool other_hash;
	bool good;
};

#define SHA256_NAME "003031300d060960864801650304020105000420"

static const struct encoding encodings[] = {
	{ "right", "0001", 0xff, SHA256_NAME, 32, 0, false, true },
	{ "of another text", "0001", 0xff, SHA256_NAME, 32, 0, true, false },
	{ "first byte", "0101", 0xff, SHA256_NAME, 32, 0, false, false },
	{ "block type 0", "0000", 0x00, SHA256_NAME, 32, 0, false, false },
	{ "block type 2", "0002", 0xff, SHA256_NAME, 32, 0, false, false },
	{ "block type ff", "00ff", 0xff, SHA256_NAME, 32, 0, false, false },
	{ "filled with 0", "0001", 0x00, SHA256_NAME, 32, 0, false, false },
	{ "filled with fe", "0001", 0xfe, SHA256_NAME, 32, 0, false, false },
	{ "one wrong filler", "0001fe", 0xff, SHA256_NAME, 32, 0, false, false },
	{ "junk behind", "0001", 0xff, SHA256_NAME, 32, 1, false, false },
	{ "8 bytes of filler", "0001", 0xff, SHA256_NAME, 32, 194, false, false },
	{ "no filler", "0001", 0xff, SHA256_NAME, 32, 202, false, false },
	{ "no separator", "0001", 0xff,
	    "3031300d060960864801650304020105000420", 32, 0, false, false },
	{ "separator 1", "0001", 0xff,
	    "013031300d060960864801650304020105000420", 32, 0, false, false },
	{ "two separators", "0001", 0xff,
	    "00003031300d060960864801650304020105000420", 32, 0, false, false },
	{ "no name", "0001", 0xff, "00", 32, 0, false, false },
	{ "hash alone in DER", "0001", 0xff, "000420", 32, 0, false, false },
	{ "no NULL", "0001", 0xff, "00302f300b0609608648016503040201" "0420", 32,
	    0, false, false },
	{ "NULL with a byte", "0001", 0xff,
	    "003032300e06096086480165030402010501000420", 32, 0, false, false },
	{ "no NULL but a sequence", "0001", 0xff,
	    "003031300d060960864801650304020130000420", 32, 0, false, false },
	{ "something behind NULL", "0001", 0xff,
	    "003033300f0609608648016503040201050005000420", 32, 0, false,
	    false },
	{ "long length outside", "0001", 0xff,
	    "00308131300d060960864801650304020105000420", 32, 0, false, false },
	{ "long length inside", "0001", 0xff,
	    "00303230810d060960864801650304020105000420", 32, 0, false, false },
	{ "long length of the hash", "0001", 0xff,
	    "003032300d06096086480165030402010500048120", 32, 0, false, false },
	{ "indefinite length", "0001", 0xff,
	    "003080300d060960864801650304020105000420", 32, 0, false, false },
	{ "a set", "0001", 0xff, "003131300d060960864801650304020105000420", 32,
	    0, false, false },
	{ "hash as a text", "0001", 0xff,
	    "003031300d060960864801650304020105000c20", 32, 0, false, false },
	{ "length of outside too large", "0001", 0xff,
	    "003032300d060960864801650304020105000420", 32, 0, false, false },
	{ "short hash", "0001", 0xff,
	    "003030300d06096086480165030402010500041f", 31, 0, false, false },
	{ "long hash", "0001", 0xff,
	    "003032300d060960864801650304020105000421", 32, 1, false, false },
	{ "junk in the sequence", "0001", 0xff,
	    "003032300d060960864801650304020105000420", 32, 1, false, false },
	{ "named SHA-1", "0001", 0xff, "003029300906052b0e03021a05000420", 32,
	    0, false, false },
	{ "named SHA-384", "0001", 0xff,
	    "003031300d060960864801650304020205000420", 32, 0, false, false },
	{ "named SHA-512", "0001", 0xff,
	    "003031300d060960864801650304020305000420", 32, 0, false, false },
	{ "named SHA-512/256", "0001", 0xff,
	    "003031300d060960864801650304020605000420", 32, 0, false, false },
	{ "named SHA3-256", "0001", 0xff,
	    "003031300d060960864801650304020805000420", 32, 0, false, false },
	{ "named MD5", "0001", 0xff, "003030300c06082a864886f70d020505000420",
	    32, 0, false, false },
};

/* The filler takes what room there is. */
static const char *
encoded(const struct encoding *row, const char *body)
{
	unsigned char em[RSA_BYTES], out[RSA_BYTES], hash[32];
	size_t head, middle, end = RSA_BYTES - row->junk_bytes;

	SHA256((const unsigned char *)body, strlen(body), hash);
	hash[0] ^= row->other_hash;
	memset(em, row->filler, sizeof(em));
	memset(em + end, 0x5a, row->junk_bytes);
	middle = strlen(row->middle) / 2;
	end -= row->hash_bytes + middle;
	ensure(sodium_hex2bin(em, sizeof(em), row->head, strlen(row->head),
	           NULL, &head, NULL) == 0 && head <= end);
	ensure(sodium_hex2bin(em + end, sizeof(em) - end, row->middle,
	           strlen(row->middle), NULL, &middle, NULL) == 0);
	memcpy(em + end + middle, hash, row->hash_bytes);
	rsa_raw(em, out);
	return with_signature(body, out, sizeof(out));
}

static void
paddings_of_rsa(void **state)
{
	const char *body = token_body(a, RS256, CLAIMS);
	size_t i;

	for (i = 0; i < NELEMS(encodings); i++)
		expect(encodings[i].good, encoded(&encodings[i], body),
		    encodings[i].what);
}

static void
pss_is_no_rs256(void **state)
{
	const char *body = token_body(a, RS256, CLAIMS);
	unsigned char out[RSA_BYTES];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pss;
	size_t n = sizeof(out);

	ensure(EVP_DigestSignInit(ctx, &pss, EVP_sha256(), NULL, rsa) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(pss, RSA_PKCS1_PSS_PADDING) == 1 &&
	    EVP_DigestSign(ctx, out, &n, (const unsigned char *)body,
	        strlen(body)) == 1);
	EVP_MD_CTX_free(ctx);
	expect(false, with_signature(body, out, n), "PSS");
}

/* A signature of which the first byte is 0, and its body. */
static const char *
with_leading_zero(unsigned char out[RSA_BYTES])
{
	const char *body, *text;
	void *raw;
	size_t n;
	int i = 0;

	do {
		body = token_body(a, RS256,
		    arena_printf(a, "{\"iss\":\"https://idp.example\",\"aud\":"
		                    "\"belfry\",\"exp\":1800000300,\"jti\":%d}",
		        i++));
		text = sign_text(a, rsa, EVP_sha256(), body);
		ensure(text_base64url_decode(a, text, &raw, &n) == 0);
	} while (((unsigned char *)raw)[0] != 0);
	memcpy(out, raw, RSA_BYTES);
	return body;
}

static void
numbers_of_rsa(void **state)
{
	unsigned char s[RSA_BYTES + 1] = { 0 };
	const char *body = token_body(a, RS256, CLAIMS);
	BIGNUM *n = NULL, *number = BN_new();
	int step;

	expect(false, with_signature(body, s, RSA_BYTES), "0");
	s[RSA_BYTES - 1] = 1;
	expect(false, with_signature(body, s, RSA_BYTES), "1");
	ensure(EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &n) == 1);
	for (step = -1; step <= 1; step++) {
		ensure(BN_copy(number, n) != NULL);
		if (step != 0)
			ensure((step < 0 ? BN_sub_word : BN_add_word)(number, 1));
		ensure(BN_bn2binpad(number, s, RSA_BYTES) == RSA_BYTES);
		expect(false, with_signature(body, s, RSA_BYTES), "n");
	}
	memset(s, 0xff, sizeof(s));
	expect(false, with_signature(body, s, RSA_BYTES), "all bits");
	/* The same number, written shorter, longer, and plus the modulus. */
	body = with_leading_zero(s + 1);
	s[0] = 0;
	expect(true, with_signature(body, s + 1, RSA_BYTES), "as it should be");
	expect(false, with_signature(body, s + 2, RSA_BYTES - 1), "shorter");
	expect(false, with_signature(body, s, RSA_BYTES + 1), "longer");
	ensure(BN_bin2bn(s, RSA_BYTES + 1, number) != NULL &&
	    BN_add(number, number, n) == 1 &&
	    BN_bn2binpad(number, s, RSA_BYTES + 1) == RSA_BYTES + 1);
	expect(false, s[0] == 0 ? with_signature(body, s + 1, RSA_BYTES) :
	                          with_signature(body, s, RSA_BYTES + 1),
	    "plus n");
	BN_free(number);
	BN_free(n);
}

/* ---- P-256 ------------------------------------------------------------------------ */

static void
numbers_of_p256(void **state)
{
	static const char *const numbers[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000001",
		"0000000000000000000000000000000000000000000000000000000000000002",
		/* n: minus 1, itself, plus 1 */
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
		/* p: itself, plus 1 */
		"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
		"ffffffff00000001000000000000000000000001000000000000000000000000",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	const char *body = token_body(a, ES256, CLAIMS);
	unsigned char pair[2 * ORDER_BYTES];
	size_t r, s, n;

	for (r = 0; r < NELEMS(numbers); r++)
		for (s = 0; s < NELEMS(numbers); s++) {
			ensure(sodium_hex2bin(pair, ORDER_BYTES, numbers[r], 64,
			           NULL, &n, NULL) == 0 &&
			    sodium_hex2bin(pair + ORDER_BYTES, ORDER_BYTES,
			        numbers[s], 64, NULL, &n, NULL) == 0);
			expect(false, with_signature(body, pair, sizeof(pair)),
			    numbers[r]);
		}
}

static unsigned char *
good_pair(const char *body)
{
	void *raw;
	size_t n;

	ensure(text_base64url_decode(a, sign_text(a, ec, EVP_sha256(), body),
	           &raw, &n) == 0 && n == 64);
	return raw;
}

static void
forms_of_p256(void **state)
{
	const char *body = token_body(a, ES256, CLAIMS);
	unsigned char *pair = good_pair(body), longer[2048] = { 0 }, *der = NULL;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int n;

	expect(true, with_signature(body, pair, 64), "as it should be");
	/* DER, as all the world but JOSE has it */
	ensure(ECDSA_SIG_set0(sig, BN_bin2bn(pair, 32, NULL),
	           BN_bin2bn(pair + 32, 32, NULL)) == 1);
	n = i2d_ECDSA_SIG(sig, &der);
	expect(false, with_signature(body, der, (size_t)n), "DER");
	expect(false, with_signature(body, der, 64), "DER cut off");
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	/* s and r exchanged, one of them alone, both padded */
	memcpy(longer, pair + 32, 32);
	memcpy(longer + 32, pair, 32);
	expect(false, with_signature(body, longer, 64), "exchanged");
	expect(false, with_signature(body, pair, 32), "r");
	memset(longer, 0, sizeof(longer));
	memcpy(longer + 1, pair, 32);
	memcpy(longer + 34, pair + 32, 32);
	expect(false, with_signature(body, longer, 66), "33 bytes each");
	memset(longer, 0, sizeof(longer));
	memcpy(longer + 992, pair, 32);
	memcpy(longer + 2016, pair + 32, 32);
	expect(false, with_signature(body, longer, sizeof(longer)),
	    "1024 bytes each");
	memset(longer, 0, sizeof(longer));
	memcpy(longer, pair, 64);
	expect(false, with_signature(body, longer, 65), "a byte behind");
	expect(false, with_signature(body, longer, 96), "of P-384's size");
}

/* Minus s is as good as s: ECDSA is so.  Nothing here goes by the text of a token. */
static void
the_other_s_is_as_good(void **state)
{
	const char *body = token_body(a, ES256, CLAIMS);
	unsigned char *pair = good_pair(body);
	BIGNUM *order = NULL, *s = BN_bin2bn(pair + 32, 32, NULL);

	ensure(EVP_PKEY_get_bn_param(ec, OSSL_PKEY_PARAM_EC_ORDER, &order) ==
	        1 &&
	    BN_sub(s, order, s) == 1 && BN_bn2binpad(s, pair + 32, 32) == 32);
	expect(true, with_signature(body, pair, 64), "n - s");
	ensure(BN_add(s, s, order) == 1);
	if (BN_num_bits(s) <= 256) {
		ensure(BN_bn2binpad(s, pair + 32, 32) == 32);
		expect(false, with_signature(body, pair, 64), "2n - s");
	}
	BN_free(order);
	BN_free(s);
}

/* ---- Ed25519 ------------------------------------------------------------------------ */

/* The order of the group, its least byte first. */
static const unsigned char order[ORDER_BYTES] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a,
	0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10 };

/* Points of small order, and others that are not written as they should be. */
static const char *const bad_points[] = {
	/* 1, -1 (of order 2), 0 (of order 4) */
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	/* of order 8 */
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	/* 1 and -1 with a sign that they have not; p, p + 1 for 0 and 1 */
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	/* y above p, and one that is on no point */
	"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0200000000000000000000000000000000000000000000000000000000000000",
};

static unsigned char *
point(size_t i)
{
	unsigned char *p = arena_alloc(a, ORDER_BYTES);
	size_t n;

	ensure(sodium_hex2bin(p, ORDER_BYTES, bad_points[i], 64, NULL, &n,
	           NULL) == 0 && n == ORDER_BYTES);
	return p;
}

static bool
is_key(const unsigned char *x)
{
	return set_from(arena_printf(a, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":"
	                                "\"Ed25519\",\"kid\":\"k\",\"x\":\"%s\"}]}",
	           text_base64url(a, x, ORDER_BYTES))) != NULL;
}

/* With such a key a signature is good for any text, or for one in eight. */
static void
keys_of_small_order(void **state)
{
	unsigned char good[ORDER_BYTES], mixed[ORDER_BYTES];
	size_t i, n = sizeof(good);

	for (i = 0; i < NELEMS(bad_points); i++)
		if (is_key(point(i)))
			fail_msg("%s", bad_points[i]);
	ensure(EVP_PKEY_get_raw_public_key(ed, good, &n) == 1);
	assert_true(is_key(good));
	/* A good one plus one of order 8 */
	ensure(crypto_core_ed25519_add(mixed, good, point(4)) == 0);
	assert_false(is_key(mixed));
}

static unsigned char *
good_ed25519(const char *body)
{
	void *raw;
	size_t n;

	ensure(text_base64url_decode(a, sign_text(a, ed, NULL, body), &raw,
	           &n) == 0 && n == 64);
	return raw;
}

static void
numbers_of_ed25519(void **state)
{
	const char *body = token_body(a, EDDSA, CLAIMS);
	unsigned char *good = good_ed25519(body), pair[2 * ORDER_BYTES];
	size_t i;

	expect(true, with_signature(body, good, 64), "as it should be");
	/* S + the order of the group fits, too, but for who looks */
	memcpy(pair, good, 64);
	sodium_add(pair + 32, order, ORDER_BYTES);
	expect(false, with_signature(body, pair, 64), "S + L");
	for (i = 0; i < 3; i++) {
		memcpy(pair, good, 64);
		pair[63] |= (unsigned char)(0x20 << i);
		expect(false, with_signature(body, pair, 64), "high bits of S");
	}
	memcpy(pair + 32, order, ORDER_BYTES);
	expect(false, with_signature(body, pair, 64), "S is L");
	memset(pair + 32, 0, 32);
	expect(false, with_signature(body, pair, 64), "S is 0");
	memset(pair + 32, 0xff, 32);
	expect(false, with_signature(body, pair, 64), "S is all bits");
	for (i = 0; i < NELEMS(bad_points); i++) {
		memcpy(pair, point(i), ORDER_BYTES);
		memset(pair + 32, 0, 32);
		expect(false, with_signature(body, pair, 64), "R, and S is 0");
		memcpy(pair + 32, good + 32, 32);
		expect(false, with_signature(body, pair, 64), "R");
	}
	for (i = 0; i < 512; i += 5) {
		memcpy(pair, good, 64);
		pair[i / 8] ^= (unsigned char)(1 << i % 8);
		expect(false, with_signature(body, pair, 64), "a bit");
	}
}

static void
forms_of_ed25519(void **state)
{
	static const size_t sizes[] = { 1, 31, 32, 63, 65, 96, 114, 128 };
	const char *body = token_body(a, EDDSA, CLAIMS);
	unsigned char longer[128] = { 0 };
	size_t i;

	memcpy(longer, good_ed25519(body), 64);
	for (i = 0; i < NELEMS(sizes); i++)
		expect(false, with_signature(body, longer, sizes[i]), "size");
	memmove(longer + 32, longer, 64);
	memmove(longer, longer + 64, 32);
	expect(false, with_signature(body, longer, 64), "exchanged");
}

/* ---- Encodings ------------------------------------------------------------------- */

static const char *
sign_as_is(const char *body)
{
	return arena_printf(a, "%s.%s", body, sign_text(a, ed, NULL, body));
}

/* All of them are signed as they stand: it is the text that is refused. */
static void
odd_texts_with_good_signatures(void **state)
{
	const char *h = text_base64url(a, EDDSA, strlen(EDDSA));
	const char *c = text_base64url(a, CLAIMS, strlen(CLAIMS));
	/* Of h "=" would be the padding, of this one "==" */
	const char *h2 = text_base64url(a, EDDSA "  ", strlen(EDDSA) + 2);
	const char *const bodies[] = {
		arena_printf(a, " %s.%s", h, c),
		arena_printf(a, "%s .%s", h, c),
		arena_printf(a, "%s. %s", h, c),
		arena_printf(a, "%s.%s ", h, c),
		arena_printf(a, "%s\n.%s", h, c),
		arena_printf(a, "%s.%s\r\n", h, c),
		arena_printf(a, "%.8s\n%s.%s", h, h + 8, c),
		arena_printf(a, "%s####.%s", h, c),
		arena_printf(a, "%s.####%s", h, c),
		arena_printf(a, "?%s.%s", h, c),
		arena_printf(a, "%s.%.8s?%s", h, c, c + 8),
		arena_printf(a, "%s=.%s", h, c),
		arena_printf(a, "%s==.%s", h2, c),
		arena_printf(a, "%s.%s=", h, c),
		arena_printf(a, "%s.%s==", h, c),
		arena_printf(a, "%s.%sA", h, c),
		arena_printf(a, "%s", h),
		arena_printf(a, "%s.", h),
		arena_printf(a, ".%s", c),
		arena_printf(a, "%s.%s", EDDSA, c),
		arena_printf(a, "%s.%s", h, CLAIMS),
		arena_printf(a, "%s..%s", h, c),
		arena_printf(a, "%s.%s.%s", h, c, c),
	};
	size_t i;

	assert_true(is_good(sign_as_is(arena_printf(a, "%s.%s", h, c))));
	assert_true(is_good(sign_as_is(arena_printf(a, "%s.%s", h2, c))));
	for (i = 0; i < NELEMS(bodies); i++)
		expect(false, sign_as_is(bodies[i]), "odd");
	expect(false, arena_printf(a, "{\"payload\":\"%s\",\"protected\":\"%s\","
	                              "\"signature\":\"%s\"}", c, h,
	                  sign_text(a, ed, NULL, arena_printf(a, "%s.%s", h, c))),
	    "JSON serialization");
}

/* The same bytes in another way: the last character with stray bits, the other alphabet. */
static void
other_ways_of_writing(void **state)
{
	char *body = arena_strdup(a, token_body(a, EDDSA, CLAIMS));
	char *last = strchr(body, '.') - 1, *text;
	size_t i;

	ensure(strlen(EDDSA) % 3 != 0);
	(*last)++;
	expect(false, sign_as_is(body), "stray bits of the header");
	body = arena_strdup(a, token_body(a, EDDSA,
	    "{\"iss\":\"https://idp.example\",\"aud\":\"belfry\","
	    "\"exp\":1800000300,\"x\":\"\xc3\xbf\xc3\xbf\xc3\xbf~~~~\"}"));
	assert_true(is_good(sign_as_is(body)));
	assert_true(strpbrk(body, "-_") != NULL);
	for (i = 0; body[i] != '\0'; i++) {
		text = arena_strdup(a, body);
		if (text[i] != '-' && text[i] != '_')
			continue;
		text[i] = text[i] == '-' ? '+' : '/';
		expect(false, sign_as_is(text), "the other alphabet");
	}
}

static void
white_space_in_json_is_fine(void **state)
{
	expect(true, make_token(a, ed,
	    "{ \"alg\" :\t\"EdDSA\",\r\n\"kid\": \"ed\" }", " " CLAIMS "\n"),
	    "white space");
	expect(true, make_token(a, ed,
	    "{\"alg\":\"\\u0045dDSA\",\"\\u006bid\":\"ed\"}", CLAIMS),
	    "escapes");
	expect(false, make_token(a, ed, "\xef\xbb\xbf" EDDSA, CLAIMS),
	    "byte order mark");
	expect(false, make_token(a, ed,
	    "{\"alg\":\"none\",\"\\u0061lg\":\"EdDSA\",\"kid\":\"ed\"}", CLAIMS),
	    "twice, once escaped");
	expect(false, make_token(a, ed, EDDSA EDDSA, CLAIMS), "two of them");
	expect(false, make_token(a, ed, "{\"alg\":\"EdDSA\",\"kid\":\"ed\",}",
	    CLAIMS), "a comma too many");
}

/* ---- Keys from elsewhere ------------------------------------------------------------ */

/* The token brings the key that it is signed with. */
static void
a_key_in_the_header(void **state)
{
	EVP_PKEY *forgers[] = { EVP_RSA_gen(2048), EVP_EC_gen("P-256"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
	static const char *const heads[] = {
		"\"alg\":\"RS256\",\"kid\":\"rsa\"",
		"\"alg\":\"ES256\",\"kid\":\"ec\"",
		"\"alg\":\"EdDSA\",\"kid\":\"ed\"" };
	static const char *const kids[] = { "rsa", "ec", "ed" };
	const char *jwk;
	size_t i;

	for (i = 0; i < NELEMS(forgers); i++) {
		jwk = arena_printf(a, "{%s,\"kid\":\"%s\"}",
		    public_members(a, forgers[i]), kids[i]);
		expect(false, make_token(a, forgers[i],
		    arena_printf(a, "{%s,\"jwk\":%s}", heads[i], jwk), CLAIMS),
		    "jwk");
		expect(false, make_token(a, forgers[i],
		    arena_printf(a, "{%s,\"jwks\":{\"keys\":[%s]}}", heads[i],
		        jwk), CLAIMS), "jwks");
		expect(false, make_token(a, forgers[i],
		    arena_printf(a, "{%s,\"kid\":%s}", heads[i], jwk), CLAIMS),
		    "kid");
		EVP_PKEY_free(forgers[i]);
	}
}

/* HS256 under the name of a key, with all that is public of it for a secret. */
static void
mac_with_a_public_key(void **state)
{
	EVP_PKEY *keys[] = { rsa, ec, ed };
	static const char *const kids[] = { "rsa", "ec", "ed" };
	const char *body, *secrets[3];
	unsigned char mac[32], *der = NULL;
	unsigned len = sizeof(mac);
	size_t i, k, n;

	for (i = 0; i < NELEMS(keys); i++) {
		body = token_body(a,
		    arena_printf(a, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kids[i]),
		    CLAIMS);
		n = (size_t)i2d_PUBKEY(keys[i], &der);
		secrets[0] = arena_printf(a, "{%s}", public_members(a, keys[i]));
		secrets[1] = public_members(a, keys[i]);
		secrets[2] = kids[i];
		ensure(HMAC(EVP_sha256(), der, (int)n, (const void *)body,
		           strlen(body), mac, &len) != NULL);
		expect(false, with_signature(body, mac, 32), "MAC");
		/* the last bytes are the key itself */
		ensure(HMAC(EVP_sha256(), der + n - 32, 32, (const void *)body,
		           strlen(body), mac, &len) != NULL);
		expect(false, with_signature(body, mac, 32), "MAC");
		for (k = 0; k < NELEMS(secrets); k++) {
			ensure(HMAC(EVP_sha256(), secrets[k],
			           (int)strlen(secrets[k]), (const void *)body,
			           strlen(body), mac, &len) != NULL);
			expect(false, with_signature(body, mac, 32), "MAC");
		}
		OPENSSL_free(der);
		der = NULL;
	}
}

/* Curves that are not taken, under their own name and under that of one that is. */
static void
other_curves(void **state)
{
	static const char *const curves[][2] = { { "secp256k1", "secp256k1" },
		{ "secp256k1", "P-256" }, { "P-384", "P-384" },
		{ "P-521", "P-521" }, { "brainpoolP256r1", "P-256" } };
	EVP_PKEY *key;
	size_t i, n;

	for (i = 0; i < NELEMS(curves); i++) {
		key = EVP_EC_gen(curves[i][0]);
		n = (size_t)(EVP_PKEY_get_bits(key) + 7) / 8;
		assert_null(set_from(arena_printf(a,
		    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"%s\",\"kid\":\"k\","
		    "\"x\":\"%s\",\"y\":\"%s\"}]}", curves[i][1],
		    number_text(a, key, OSSL_PKEY_PARAM_EC_PUB_X, (int)n),
		    number_text(a, key, OSSL_PKEY_PARAM_EC_PUB_Y, (int)n))));
		EVP_PKEY_free(key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paddings_of_rsa),
		cmocka_unit_test(pss_is_no_rs256),
		cmocka_unit_test(numbers_of_rsa),
		cmocka_unit_test(numbers_of_p256),
		cmocka_unit_test(forms_of_p256),
		cmocka_unit_test(the_other_s_is_as_good),
		cmocka_unit_test(keys_of_small_order),
		cmocka_unit_test(numbers_of_ed25519),
		cmocka_unit_test(forms_of_ed25519),
		cmocka_unit_test(odd_texts_with_good_signatures),
		cmocka_unit_test(other_ways_of_writing),
		cmocka_unit_test(white_space_in_json_is_fine),
		cmocka_unit_test(a_key_in_the_header),
		cmocka_unit_test(mac_with_a_public_key),
		cmocka_unit_test(other_curves),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
