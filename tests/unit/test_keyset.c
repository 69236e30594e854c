/*
 * test_keyset.c - whose sources of keys have bounds, and what the bounds take away
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <sodium.h>

#include "auth/issuer.h"
#include "auth/keyset.h"
#include "auth/keyset_store.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "net/cache.h"
#include "provider/fcm.h"
#include "provider/hook.h"
#include "token_maker.h"
#include "web/js.h"

#define GOOGLE "https://accounts.google.com"
#define HOOK "https://notify.example.org"

enum { MOST = 32, PAUSE_MS = 30 * 1000 };

static struct arena *a;
static char directory[32];

static int
setup(void **state)
{
	a = arena_new(4096);
	snprintf(directory, sizeof(directory), "/tmp/belfry-keys-XXXXXX");
	return mkdtemp(directory) == NULL || sodium_init() == -1;
}

static int
teardown(void **state)
{
	keyset_thin(directory, "", "none", -1, 0);
	(void)unlink(arena_printf(a, "%s/jwks-place.0", directory));
	assert_int_equal(rmdir(directory), 0);
	arena_free(&a);
	return 0;
}

/* ---- Files ------------------------------------------------------------------------ */

static const char *
path_of(const char *what, int n, const char *end)
{
	return arena_printf(a, "%s/jwks.%s-%d%s", directory, what, n, end);
}

static void
touch(const char *path, bool old)
{
	static const struct timespec long_ago[2];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	if (old)
		assert_int_equal(futimens(fd, long_ago), 0);
	close(fd);
}

static int
count(const char *what, const char *end, int most)
{
	int n = 0, i;

	for (i = 0; i < most; i++)
		n += access(path_of(what, i, end), F_OK) == 0;
	return n;
}

static void
locks_stay_for_their_pause(void **state)
{
	int i;

	for (i = 0; i < 20; i++) {
		touch(path_of("a", i, ""), false);
		touch(path_of("a", i, ".lock"), i < 10);
		touch(path_of("b", i, ".lock"), true);
	}
	keyset_thin(directory, "a-", "a-19", MOST, PAUSE_MS);
	assert_int_equal(count("a", "", 20), 20);
	for (i = 20; i < 30; i++)
		touch(path_of("a", i, ""), false);
	keyset_thin(directory, "a-", "a-19", MOST, PAUSE_MS);
	assert_int_equal(count("a", "", 30), 1);
	assert_int_equal(count("a", ".lock", 30), 10);
	assert_int_equal(count("b", ".lock", 20), 20);
}

static void
there_are_not_any_number_of_locks(void **state)
{
	int i;

	for (i = 0; i <= KEYSET_LOCKS_MAX; i++)
		touch(path_of("a", i, ".lock"), false);
	keyset_thin(directory, "a-", "a-0", MOST, PAUSE_MS);
	assert_int_equal(count("a", ".lock", KEYSET_LOCKS_MAX + 1),
	    KEYSET_LOCKS_MAX + 1);
	touch(path_of("a", i, ".lock"), false);
	keyset_thin(directory, "a-", "a-0", MOST, PAUSE_MS);
	assert_int_equal(count("a", ".lock", KEYSET_LOCKS_MAX + 2), 1);
}

/* ---- Places ------------------------------------------------------------------------ */

/* What it says when the only place is taken.  The address may not be connected to. */
static const char *
answer_for(const char *owner)
{
	const struct key_source source = { .issuer = GOOGLE,
		.jwks = "http://127.0.0.1:9/jwks", .ca_file = "",
		.guarded = true, .owner = owner };
	struct config *config = arena_object(a, struct config);
	struct keysets_params p = { .config = config };
	int place = keyset_place(a, directory, "other", 1);
	struct arena *own = arena_new(4096);
	const struct jwk *key;
	struct err e;

	assert_true(place >= 0);
	config->process_run_directory = directory;
	config->network_allowed = "";
	config->network_allowed_platform = "";
	config->cache_servers = "";
	assert_int_equal(cache_new(own, config, &p.cache, &e), 0);
	assert_int_equal(keysets_find(keysets_new(own, &p), own, &source, "k",
	                     &key, &e), -1);
	assert_int_equal(e.kind, ERR_TEMPORARY);
	close(place);
	arena_free(&own);
	return arena_strdup(a, e.text);
}

static void
what_no_tenant_named_needs_no_place(void **state)
{
	assert_non_null(strstr(answer_for("7"), "too many issuers"));
	assert_non_null(strstr(answer_for(NULL), "could not be fetched"));
}

/* ---- Owners ------------------------------------------------------------------------ */

static const char *token;
static struct key_source seen;

static const char *
header(const struct hook_request *rq, const char *name)
{
	return strcmp(name, "Authorization") == 0 ? token : NULL;
}

static const struct jwk *
key(const struct hook_request *rq, const struct key_source *source,
    const char *kid)
{
	seen = *source;
	return NULL;
}

/* Whose the keys are that an account of tenant 7 asks for. */
static const char *
owner_of(const char *keys, const char *ca_file)
{
	const struct fcm_settings s = { .pubsub_audience = HOOK,
		.pubsub_account = "push@shop.example", .pubsub_keys = keys,
		.ca_file = ca_file };
	const struct provider p = { .owner = { 7 }, .ops = &fcm_ops,
		.settings = &s };
	const struct hook_request rq = { .header = header, .key = key };
	struct hook_events out = { .count = 0 };
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	token = arena_printf(a, "Bearer %s",
	    make_token(a, pair,
	        "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"JWT\"}",
	        "{\"iss\":\"" GOOGLE "\",\"aud\":\"" HOOK "\"}"));
	EVP_PKEY_free(pair);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(fcm_receive(a, &p, &rq, &out), HOOK_REFUSED);
	assert_string_equal(seen.jwks, keys);
	assert_true(seen.guarded);
	return seen.owner;
}

static void
a_tenant_owns_what_it_named(void **state)
{
	json_t *row = js_keep(a, json_pack("[s, {s:s}]", "sso", "issuer", GOOGLE));
	struct issuer issuer;

	assert_null(owner_of(FCM_PUBSUB_KEYS, NULL));
	assert_string_equal(owner_of(FCM_PUBSUB_KEYS, "/etc/ca.pem"), "7");
	assert_string_equal(owner_of("https://keys.example/", NULL), "7");
	issuer_from_settings(a, row, (struct tenant_id){ 7 }, "8", &issuer);
	assert_string_equal(issuer.keys.owner, "7");
	assert_string_equal(issuer.tenant, "8");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(locks_stay_for_their_pause),
		T(there_are_not_any_number_of_locks),
		T(what_no_tenant_named_needs_no_place),
		T(a_tenant_owns_what_it_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
