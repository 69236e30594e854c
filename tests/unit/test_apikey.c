/*
 * test_apikey.c - the keys of service accounts, and their scopes
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "auth/apikey.h"
#include "auth/principal.h"
#include "auth/scope.h"
#include "base/arena.h"
#include "base/err.h"

static struct arena *a;
static struct keyring *ring;

static int
setup(void **state)
{
	char dir[] = "/tmp/belfry-apikey-XXXXXX";
	char keys[sizeof(dir) + 8], command[256];
	struct err e;

	a = arena_new(4096);
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(keys, sizeof(keys), "%s/keys", dir);
	if (keyring_create(keys, &e) != 0 ||
	    keyring_load(a, keys, &ring, &e) != 0)
		return -1;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

static void
a_key_comes_back(void **state)
{
	const struct tenant_id tenants[] = { { 1 }, { 42 }, { INT64_MAX } };
	struct apikey made, read, other;
	const char *text;
	size_t i;

	for (i = 0; i < NELEMS(tenants); i++) {
		text = apikey_make(a, ring, tenants[i], false, &made);
		assert_int_equal(strlen(text), APIKEY_CHARS);
		assert_int_equal(apikey_parse(a, ring, text, &read), 0);
		assert_true(read.tenant.n == tenants[i].n);
		assert_string_equal(read.id, made.id);
		assert_true(apikey_matches(&read, made.hash,
		    sizeof(made.hash)));
		assert_string_not_equal(apikey_make(a, ring, tenants[i],
		                            false, &other),
		    text);
		assert_string_not_equal(other.id, made.id);
		assert_false(apikey_matches(&read, other.hash,
		    sizeof(other.hash)));
		assert_false(apikey_matches(&read, made.hash,
		    sizeof(made.hash) - 1));
	}
}

/* Each single change of a character makes it another key or none. */
static void
no_changed_key_matches(void **state)
{
	struct apikey made, read;
	const char *text = apikey_make(a, ring, (struct tenant_id){ 7 }, false, &made);
	char *changed = arena_strdup(a, text);
	static const char others[] = "0aZ_-+/=~ \n\x80";
	size_t i, k;

	for (i = 0; i < APIKEY_CHARS; i++) {
		for (k = 0; k < sizeof(others) - 1; k++) {
			if (others[k] == text[i])
				continue;
			changed[i] = others[k];
			if (apikey_parse(a, ring, changed, &read) == 0)
				assert_false(apikey_matches(&read, made.hash,
				    sizeof(made.hash)));
		}
		changed[i] = text[i];
	}
}

static void
only_whole_keys_are_read(void **state)
{
	struct apikey key;
	const char *text = apikey_make(a, ring, (struct tenant_id){ 7 }, false, &key);
	const char *wrong[] = { "", "blf_", "blf", text + 1,
		arena_printf(a, "%s ", text), arena_printf(a, "%sA", text),
		arena_printf(a, " %s", text), arena_strndup(a, text, 73),
		arena_printf(a, "BLF%s", text + 3),
		/* Tenant 0 and a negative one. */
		"blf_00000000000000000000000000_"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"blf_zzzzzzzzzzzzzzzzzzzzzzzzzw_"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	size_t i;

	for (i = 0; i < NELEMS(wrong); i++)
		if (apikey_parse(a, ring, wrong[i], &key) == 0)
			fail_msg("took \"%s\"", wrong[i]);
}

static void
scopes_bring_what_they_stand_for(void **state)
{
	const char *const send[] = { "notifications:send", "no:such" };
	const char *const admin[] = { "admin" };
	const char *const platform[] = { "platform" };
	struct principal p = { .scopes = scope_set(send, 2) };

	assert_true(principal_may(&p, SCOPE_NOTIFICATIONS_SEND));
	assert_false(principal_may(&p, SCOPE_NOTIFICATIONS_READ));
	assert_true(p.scopes == scope_bit("notifications:send"));
	p.scopes = scope_set(admin, 1);
	assert_true(principal_may(&p, SCOPE_PROVIDERS_WRITE));
	assert_true(principal_may(&p, SCOPE_ADMIN));
	assert_false(principal_may(&p, SCOPE_PLATFORM));
	p.scopes = scope_set(platform, 1);
	assert_true(principal_may(&p, SCOPE_ADMIN));
	assert_true(principal_may(&p, SCOPE_PLATFORM));
	assert_true(scope_set(NULL, 0) == 0);
	assert_true(scope_bit("Admin") == 0);
}

static void
principals_are_named_for_the_audit(void **state)
{
	struct principal p = { .kind = PRINCIPAL_SERVICE, .name = "shop",
		.key_id = "abc" };

	assert_string_equal(principal_label(a, &p), "key:abc (shop)");
	p.key_id = NULL;
	p.kind = PRINCIPAL_USER;
	p.issuer = "https://idp.example";
	assert_string_equal(principal_label(a, &p),
	    "user:shop (https://idp.example)");
	p.kind = PRINCIPAL_ADMIN;
	assert_string_equal(principal_label(a, &p),
	    "admin:shop (https://idp.example)");
}

static void
test_keys_are_another_sort(void **state)
{
	struct apikey made, read;
	const char *text = apikey_make(a, ring, (struct tenant_id){ 7 }, true,
	    &made);
	const char *bare = arena_printf(a, "blf_%s", text + strlen("blf_test_"));

	(void)state;
	assert_int_equal(strncmp(text, "blf_test_", 9), 0);
	assert_int_equal(apikey_parse(a, ring, text, &read), 0);
	assert_true(read.test);
	assert_string_equal(read.id, made.id);
	assert_true(apikey_matches(&read, made.hash, sizeof(made.hash)));
	/* Without its mark it is no key any more. */
	assert_int_equal(apikey_parse(a, ring, bare, &read), 0);
	assert_false(read.test);
	assert_false(apikey_matches(&read, made.hash, sizeof(made.hash)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_comes_back),
		cmocka_unit_test(no_changed_key_matches),
		cmocka_unit_test(only_whole_keys_are_read),
		cmocka_unit_test(test_keys_are_another_sort),
		cmocka_unit_test(scopes_bring_what_they_stand_for),
		cmocka_unit_test(principals_are_named_for_the_audit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
