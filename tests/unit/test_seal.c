/*
 * test_seal.c - sealed blobs open in their place only
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sodium.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/text.h"

#define KEY_1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_2 "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define PEPPER \
	"404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"

static char directory[64];
static struct arena *a;

static const struct seal_place home = { .tenant = { 7 },
	.table = "provider",
	.column = "settings",
	.row = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } } };

static void
put_file(const char *name, const char *text, mode_t mode)
{
	char path[384];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fchmod(fileno(f), mode), 0);
	fclose(f);
}

static void
remove_file(const char *name)
{
	char path[384];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	unlink(path);
}

static const struct keyring *
load(void)
{
	struct keyring *ring = NULL;
	struct err e;

	if (keyring_load(a, directory, &ring, &e) != 0)
		fail_msg("%s", e.text);
	return ring;
}

/* Loading must fail with a text that holds "why". */
static void
must_refuse(const char *why)
{
	struct keyring *ring = NULL;
	struct err e;

	assert_int_equal(keyring_load(a, directory, &ring, &e), -1);
	assert_null(ring);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

static uint8_t *
seal_text(const struct keyring *ring, const struct seal_place *place,
    const char *text, size_t *n_r)
{
	struct err e;
	void *blob;

	assert_int_equal(
	    seal(a, ring, place, text, strlen(text), &blob, n_r, &e), 0);
	return blob;
}

static bool
opens(const struct keyring *ring, const struct seal_place *place,
    const void *blob, size_t n)
{
	void *plain = a;
	size_t plain_n = 99;
	struct err e;

	if (unseal(a, ring, place, blob, n, &plain, &plain_n, &e) == 0)
		return true;
	assert_ptr_equal(plain, a);
	assert_int_equal(plain_n, 99);
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_true(e.detail[0] != '\0');
	return false;
}

static void
what_was_sealed_opens_again(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 1000, 1 << 20 };
	const struct keyring *ring = load();
	char *in = arena_zalloc(a, 1, 1 << 20);
	struct err e;
	void *blob, *plain;
	size_t i, n, plain_n;

	memset(in, 'x', 1 << 20);
	for (i = 0; i < NELEMS(sizes); i++) {
		assert_int_equal(
		    seal(a, ring, &home, in, sizes[i], &blob, &n, &e), 0);
		assert_int_equal(n, sizes[i] + 1 + 1 + 2 + 12 + 16);
		assert_memory_equal(blob, "\1\2k1", 4);
		assert_int_equal(
		    unseal(a, ring, &home, blob, n, &plain, &plain_n, &e), 0);
		assert_int_equal(plain_n, sizes[i]);
		assert_memory_equal(plain, in, sizes[i]);
		assert_int_equal(((char *)plain)[plain_n], '\0');
	}
	assert_int_equal(
	    seal(a, ring, &home, in, (1 << 20) + 1, &blob, &n, &e), -1);
	assert_int_equal(e.kind, ERR_TOO_LARGE);
}

static void
the_same_secret_never_gives_the_same_blob(void **state)
{
	const struct keyring *ring = load();
	uint8_t nonces[256][12], *blob;
	size_t i, j, n;

	for (i = 0; i < 256; i++) {
		blob = seal_text(ring, &home, "secret", &n);
		memcpy(nonces[i], blob + 4, 12);
		for (j = 0; j < i; j++)
			assert_memory_not_equal(nonces[i], nonces[j], 12);
	}
}

static int
compare_nonces(const void *p, const void *q)
{
	return memcmp(p, q, 12);
}

/* A million, or fewer where each costs ten times as much. */
static void
nonces_do_not_repeat(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	enum { COUNT = 100000 };
#else
	enum { COUNT = 1000000 };
#endif
	const struct keyring *ring = load();
	uint8_t(*nonces)[12] = calloc(COUNT, sizeof(*nonces));
	struct arena *step = arena_new(4096);
	struct err e;
	void *blob;
	size_t i, n;

	assert_non_null(nonces);
	for (i = 0; i < COUNT; i++) {
		arena_reset(step);
		assert_int_equal(seal(step, ring, &home, "x", 1, &blob, &n, &e),
		    0);
		memcpy(nonces[i], (uint8_t *)blob + 4, sizeof(*nonces));
	}
	qsort(nonces, COUNT, sizeof(*nonces), compare_nonces);
	for (i = 1; i < COUNT; i++)
		if (memcmp(nonces[i - 1], nonces[i], sizeof(*nonces)) == 0)
			fail_msg("a nonce came twice");
	arena_free(&step);
	free(nonces);
}

static void
no_flipped_bit_is_taken(void **state)
{
	const struct keyring *ring = load();
	size_t n, bit;
	uint8_t *blob = seal_text(ring, &home, "a secret of some bytes", &n);

	for (bit = 0; bit < n * 8; bit++) {
		blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (opens(ring, &home, blob, n))
			fail_msg("bit %zu", bit);
		blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(opens(ring, &home, blob, n));
}

static void
no_other_length_is_taken(void **state)
{
	const struct keyring *ring = load();
	uint8_t longer[128] = { 0 };
	size_t n, len;
	uint8_t *blob = seal_text(ring, &home, "a secret", &n);

	for (len = 0; len < n; len++)
		assert_false(opens(ring, &home,
		    arena_memdup(a, blob, len), len));
	memcpy(longer, blob, n);
	assert_false(opens(ring, &home, longer, n + 1));
}

/* 20 places that differ in tenant, table, column and row, also such that their
 * names run together to the same text. */
static void
all_places(struct seal_place places[static 20])
{
	static const char *const names[][2] = { { "provider", "settings" },
		{ "provide", "rsettings" }, { "providers", "ettings" },
		{ "webhook", "secret" }, { "settings", "provider" } };
	size_t i;

	for (i = 0; i < 20; i++) {
		places[i] = home;
		places[i].table = names[i % 5][0];
		places[i].column = names[i % 5][1];
		places[i].tenant.n = i / 10 == 0 ? 7 : 8;
		places[i].row.b[15] = i / 5 % 2 == 0 ? 16 : 17;
	}
}

static void
no_blob_opens_in_the_place_of_another(void **state)
{
	const struct keyring *ring = load();
	struct seal_place places[20];
	uint8_t *blobs[20];
	size_t sizes[20], i, j;

	all_places(places);
	for (i = 0; i < 20; i++)
		blobs[i] = seal_text(ring, &places[i], "same", &sizes[i]);
	for (i = 0; i < 20; i++)
		for (j = 0; j < 20; j++)
			if (opens(ring, &places[j], blobs[i], sizes[i]) !=
			    (i == j))
				fail_msg("blob %zu, place %zu", i, j);
}

/* What is sealed again comes out the same, and differs wherever anything does. */
static void
alike_is_the_same_again(void **state)
{
	const struct keyring *ring = load();
	const struct seal_place other = { .tenant = { 8 }, .table = "provider",
		.column = "settings" };
	void *one, *two, *plain;
	size_t n, plain_n;
	struct err e;

	assert_int_equal(seal_alike(a, ring, &home, "same", 4, &one, &n, &e), 0);
	assert_int_equal(seal_alike(a, ring, &home, "same", 4, &two, &n, &e), 0);
	assert_memory_equal(one, two, n);
	assert_true(opens(ring, &home, one, n));
	assert_int_equal(
	    unseal(a, ring, &home, one, n, &plain, &plain_n, &e), 0);
	assert_string_equal(plain, "same");
	assert_int_equal(seal_alike(a, ring, &home, "sane", 4, &two, &n, &e), 0);
	assert_memory_not_equal((uint8_t *)one + 4, (uint8_t *)two + 4, 12);
	assert_int_equal(seal_alike(a, ring, &other, "same", 4, &two, &n, &e), 0);
	assert_memory_not_equal((uint8_t *)one + 4, (uint8_t *)two + 4, 12);
	assert_false(opens(ring, &home, two, n));
}

static void
rotation_keeps_old_blobs_open(void **state)
{
	const struct keyring *ring = load();
	size_t n, n2;
	uint8_t *blob = seal_text(ring, &home, "old", &n), *blob2;

	put_file("k2.key", KEY_2, 0600);
	put_file("current", "k2\n", 0600);
	ring = load();
	assert_true(opens(ring, &home, blob, n));
	blob2 = seal_text(ring, &home, "new", &n2);
	assert_memory_equal(blob2, "\1\2k2", 4);
	assert_true(opens(ring, &home, blob2, n2));
	/* The name of the key is bound too. */
	blob2[3] = '1';
	assert_false(opens(ring, &home, blob2, n2));
	blob2[3] = '2';
	remove_file("k1.key");
	ring = load();
	assert_false(opens(ring, &home, blob, n));
	assert_true(opens(ring, &home, blob2, n2));
	put_file("k2.key", KEY_1, 0600);
	assert_false(opens(load(), &home, blob2, n2));
}

/* The key that RFC 5869 derives with one block of output and no salt. */
static void
derive(const char *hex, int64_t tenant, uint8_t key[static 32])
{
	const char label[] = "belfry seal 1 tenant ";
	uint8_t none[32] = { 0 }, secret[32], prk[32], info[64];
	size_t n = sizeof(label) - 1;
	int i;

	assert_int_equal(text_hex_decode(hex, secret, 32), 0);
	crypto_auth_hmacsha256(prk, secret, sizeof(secret), none);
	memcpy(info, label, n);
	for (i = 0; i < 8; i++)
		info[n++] = (uint8_t)(tenant >> (56 - 8 * i));
	info[n++] = 1;
	crypto_auth_hmacsha256(key, info, n, prk);
}

/* Another library must read the format as seal.h describes it. */
static void
libsodium_opens_what_openssl_sealed(void **state)
{
	static const char aad[] = "\1\2k1" "\0\0\0\0\0\0\0\7" "\10provider"
	    "\10settings" "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20";
	const struct keyring *ring = load();
	unsigned long long plain_n;
	uint8_t key[32], plain[64];
	size_t n;
	uint8_t *blob = seal_text(ring, &home, "by two libraries", &n);

	if (crypto_aead_aes256gcm_is_available() == 0)
		skip();
	derive(KEY_1, 7, key);
	assert_int_equal(crypto_aead_aes256gcm_decrypt(plain, &plain_n, NULL,
	    blob + 4 + 12, n - 4 - 12, (const uint8_t *)aad, sizeof(aad) - 1,
	    blob + 4, key), 0);
	assert_int_equal(plain_n, 16);
	assert_memory_equal(plain, "by two libraries", 16);
}

/* A blob that another program made: the format must not change unseen. */
static void
an_old_blob_opens(void **state)
{
	static const char hex[] =
	    "01026b31"
	    "000102030405060708090a0b"
	    "337a3475b9f09d293353f8486d4084dcf88889b8e7f8959cb905e8946aee54";
	const struct keyring *ring = load();
	uint8_t blob[(sizeof(hex) - 1) / 2];
	struct err e;
	void *plain;
	size_t n;

	assert_int_equal(text_hex_decode(hex, blob, sizeof(blob)), 0);
	assert_int_equal(
	    unseal(a, ring, &home, blob, sizeof(blob), &plain, &n, &e), 0);
	assert_string_equal(plain, "sealed long ago");
}

static void
hashes_depend_on_secret_and_pepper(void **state)
{
	const struct keyring *ring = load();
	uint8_t hash[SECRET_HASH_BYTES], want[SECRET_HASH_BYTES];
	uint8_t pepper[32];

	assert_int_equal(text_hex_decode(PEPPER, pepper, 32), 0);
	secret_hash(ring, "secret", 6, hash);
	crypto_generichash(want, sizeof(want), (const uint8_t *)"secret", 6,
	    pepper, sizeof(pepper));
	assert_memory_equal(hash, want, sizeof(hash));
	secret_hash(ring, "secret", 5, want);
	assert_memory_not_equal(hash, want, sizeof(hash));
	put_file("pepper.key", KEY_2, 0600);
	secret_hash(load(), "secret", 6, want);
	assert_memory_not_equal(hash, want, sizeof(hash));
}

static void
wrong_directories_are_refused(void **state)
{
	put_file("k1.key", KEY_1 "\r\n \t", 0640);
	put_file("notes.txt", "not a key", 0644);
	put_file(".k3.key.swp", "not a key", 0644);
	load();
	put_file("k1.key", KEY_1, 0644);
	must_refuse("k1.key\" can be read or changed by others: chmod 600");
	put_file("k1.key", KEY_1, 0620);
	must_refuse("chmod 600");
	put_file("k1.key", KEY_1 "00", 0600);
	must_refuse("does not hold 64 hexadecimal digits");
	put_file("k1.key", "", 0600);
	must_refuse("does not hold 64 hexadecimal digits");
	put_file("k1.key", KEY_1, 0600);
	put_file("Key 1.key", KEY_1, 0600);
	must_refuse("the name of a key");
	remove_file("Key 1.key");
	put_file("current", "k9", 0600);
	must_refuse("names \"k9\", but there is no \"k9.key\"");
	put_file("current", "k1", 0666);
	must_refuse("can be read or changed");
	put_file("current", "k1", 0644);
	load();
	remove_file("current");
	must_refuse("current\": No such file");
	put_file("current", "k1", 0600);
	remove_file("pepper.key");
	must_refuse("pepper.key\": No such file");
	put_file("pepper.key", PEPPER, 0604);
	must_refuse("pepper.key\" can be read");
	put_file("pepper.key", PEPPER, 0600);
	assert_int_equal(chmod(directory, 0777), 0);
	must_refuse("chmod 700");
	assert_int_equal(chmod(directory, 0700), 0);
	load();
}

static void
a_ring_is_made_once(void **state)
{
	const struct keyring *ring;
	char home_directory[64], path[128];
	struct stat st;
	struct err e;
	uint8_t *blob;
	size_t n;

	memcpy(home_directory, directory, sizeof(home_directory));
	snprintf(directory, sizeof(directory), "%.40s/made", home_directory);
	assert_int_equal(keyring_create(directory, &e), 0);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "%s/k1.key", directory);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	ring = load();
	blob = seal_text(ring, &home, "secret", &n);
	assert_int_equal(keyring_create(directory, &e), 0);
	assert_true(opens(load(), &home, blob, n));
	remove_file("pepper.key");
	assert_int_equal(keyring_create(directory, &e), 0);
	assert_true(opens(load(), &home, blob, n));
	remove_file("k1.key");
	remove_file("current");
	remove_file("pepper.key");
	assert_int_equal(rmdir(directory), 0);
	memcpy(directory, home_directory, sizeof(directory));
	snprintf(path, sizeof(path), "%s/none/made", directory);
	assert_int_equal(keyring_create(path, &e), -1);
	assert_non_null(strstr(e.text, "No such file"));
}

static int
make_directory(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/belfry-seal-XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	a = arena_new(4096);
	put_file("k1.key", KEY_1 "\n", 0600);
	put_file("current", "k1\n", 0600);
	put_file("pepper.key", PEPPER "\n", 0600);
	return 0;
}

static int
remove_directory(void **state)
{
	struct dirent *entry;
	DIR *d = opendir(directory);

	while (d != NULL && (entry = readdir(d)) != NULL)
		remove_file(entry->d_name);
	if (d != NULL)
		closedir(d);
	arena_free(&a);
	return rmdir(directory);
}

#define in_directory(test)                                                     \
	cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_directory(what_was_sealed_opens_again),
		in_directory(the_same_secret_never_gives_the_same_blob),
		in_directory(nonces_do_not_repeat),
		in_directory(no_flipped_bit_is_taken),
		in_directory(no_other_length_is_taken),
		in_directory(no_blob_opens_in_the_place_of_another),
		in_directory(alike_is_the_same_again),
		in_directory(rotation_keeps_old_blobs_open),
		in_directory(libsodium_opens_what_openssl_sealed),
		in_directory(an_old_blob_opens),
		in_directory(hashes_depend_on_secret_and_pepper),
		in_directory(wrong_directories_are_refused),
		in_directory(a_ring_is_made_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
