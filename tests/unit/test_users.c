/*
 * test_users.c - how long it is remembered what a user service said
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/seal.h"
#include "net/cache.h"
#include "notify/book.h"
#include "notify/user_service.h"
#include "spooler/users_private.h"

enum { MINUTE_MS = 60000 };

static struct arena *a;
static struct keyring *ring;
static struct page page;

/* ---- memcached with one place, and a service that waits ---------------------------- */

static char stored_key[300], stored[4096];
static size_t stored_bytes;
static int asked;
static struct user *waiting;

bool __wrap_cache_get(struct cache *c, struct arena *to, const char *key,
    const void **value_r, size_t *n_r);
void __wrap_cache_set(struct cache *c, const char *key, const void *value,
    size_t n, int64_t ttl_ms);

bool
__wrap_cache_get(struct cache *c, struct arena *to, const char *key,
    const void **value_r, size_t *n_r)
{
	char *copy = arena_zalloc(to, stored_bytes + 1, 1);

	memcpy(copy, stored, stored_bytes);
	*value_r = copy;
	*n_r = stored_bytes;
	return stored_bytes > 0 && strcmp(key, stored_key) == 0;
}

void
__wrap_cache_set(struct cache *c, const char *key, const void *value, size_t n,
    int64_t ttl_ms)
{
	assert_true(n < sizeof(stored) && strlen(key) < sizeof(stored_key));
	memcpy(stored, value, n);
	stored_bytes = n;
	memcpy(stored_key, key, strlen(key) + 1);
	assert_true(ttl_ms <= 5 * MINUTE_MS);
}

void
user_fetch(struct user_source *s, struct user *u)
{
	u->fetching = true;
	waiting = u;
	asked++;
}

void
user_source_drop(struct user_source *s)
{
}

static void
answer(struct users *us)
{
	json_t *ann = json_pack("{s:s}", "email", "ann@example.org");

	waiting->fetching = false;
	user_answered(us, waiting, ann);
	json_decref(ann);
}

/* ---- Setting up ---------------------------------------------------------------------- */

static int
setup(void **state)
{
	char directory[] = "/tmp/belfry-users.XXXXXX";
	json_t *settings;
	struct err e;

	if (sodium_init() == -1)
		return -1;
	a = arena_new(4096);
	assert_non_null(mkdtemp(directory));
	assert_int_equal(keyring_create(arena_printf(a, "%s/keys", directory), &e),
	    0);
	assert_int_equal(keyring_load(a, arena_printf(a, "%s/keys", directory),
	                     &ring, &e), 0);
	assert_int_equal(system(arena_printf(a, "rm -r %s", directory)), 0);
	settings = json_pack("{s:{s:s, s:s}}", "user_service", "url",
	    "https://people.example.org/{user_id}", "email", "email");
	page = (struct page){ .tenant = { 7 }, .slug = "shop" };
	page.users = user_service_keep(a, ring, page.tenant, settings);
	json_decref(settings);
	assert_non_null(page.users);
	stored_bytes = 0;
	asked = 0;
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

static struct users *
spooler(void)
{
	struct users_params p = { .ring = ring, .try_every_ms = 1000 };

	return users_new(a, &p);
}

static bool
knows(struct users *us)
{
	int64_t wait_ms;
	json_t *user;

	if (users_ask(us, &page, "ann", &user, &wait_ms) == 0)
		return false;
	assert_string_equal(json_string_value(json_object_get(user, "email")),
	    "ann@example.org");
	return true;
}

static int
count(const struct users *us)
{
	const struct user *u;
	int i, n = 0;

	for (i = 0; i < USER_BUCKETS; i++)
		for (u = us->buckets[i]; u != NULL; u = u->next)
			n++;
	return n;
}

/* ---- Tests --------------------------------------------------------------------------- */

static void
what_is_cached_is_as_old_as_it_is(void **state)
{
	struct users *one = spooler(), *other = spooler();

	assert_false(knows(one));
	answer(one);
	assert_true(knows(one));
	assert_int_equal(asked, 1);
	clock_shift_for_test(4 * MINUTE_MS, 4 * MINUTE_MS);
	assert_true(knows(other));
	assert_int_equal(asked, 1);
	clock_shift_for_test(2 * MINUTE_MS, 2 * MINUTE_MS);
	assert_true(knows(other)); /* and is asked for anew */
	assert_int_equal(asked, 2);
	assert_false(knows(spooler())); /* what lies there is too old */
	assert_int_equal(asked, 3);
}

static void
what_is_cached_is_sealed(void **state)
{
	struct users *us = spooler();

	assert_false(knows(us));
	answer(us);
	assert_true(stored_bytes > 0);
	assert_null(memmem(stored, stored_bytes, "ann@example", 11));
	stored[stored_bytes - 1] ^= 1;
	assert_false(knows(spooler()));
}

static void
who_was_erased_is_asked_for_anew(void **state)
{
	struct users *us = spooler();

	assert_false(knows(us));
	answer(us);
	assert_true(knows(us));
	page.erasures++;
	assert_false(knows(us));
	assert_int_equal(asked, 2);
	assert_null(waiting->json);
	assert_false(knows(spooler()));
}

static void
whose_time_is_over_is_forgotten(void **state)
{
	struct users *us = spooler();
	int i;

	assert_false(knows(us));
	for (i = 0; i < 64; i++) {
		clock_shift_for_test(1000, 1000);
		users_sweep(us);
	}
	assert_int_equal(count(us), 1); /* it is being asked for */
	answer(us);
	for (i = 0; i < 64; i++) {
		clock_shift_for_test(1000, 1000);
		users_sweep(us);
	}
	assert_int_equal(count(us), 1);
	clock_shift_for_test(60 * MINUTE_MS, 60 * MINUTE_MS);
	for (i = 0; i < 64; i++) {
		clock_shift_for_test(1000, 1000);
		users_sweep(us);
	}
	assert_int_equal(count(us), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_is_cached_is_as_old_as_it_is),
		TEST(what_is_cached_is_sealed),
		TEST(who_was_erased_is_asked_for_anew),
		TEST(whose_time_is_over_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
