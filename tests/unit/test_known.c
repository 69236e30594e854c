/*
 * test_known.c - what is remembered, and when it is asked for again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The database and memcached are stood in for: each counts how often it was asked.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/seal.h"
#include "db/db.h"
#include "db/rows.h"
#include "model/known.h"
#include "net/cache.h"

int __wrap_db_run(struct db *db, struct arena *a, struct db_batch *b,
    struct db_rows ***rows_r, struct err *e);
bool __wrap_cache_get(struct cache *c, struct arena *a, const char *key,
    const void **value_r, size_t *n_r);
void __wrap_cache_set(struct cache *c, const char *key, const void *value,
    size_t n, int64_t ttl_ms);

static struct {
	int64_t generation; /* -1: there is no such tenant */
	struct overload overload;
	const char *text; /* NULL: there is no such thing */
	bool fails;
	int asked_generation, asked_both;
} database;

static struct {
	char key[256];
	uint8_t value[256];
	size_t n;
	int asked, told;
} memcached;

static struct db_rows *
one(struct arena *a, const char *text)
{
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc column = { .name = (char[]){ "x" } };

	PQsetResultAttrs(res, 1, &column);
	if (text != NULL)
		PQsetvalue(res, 0, 0, (char *)(uintptr_t)text,
		    (int)strlen(text));
	return rows_wrap(a, res);
}

/* What generation_get answers: the generation, no suppressions, levels of overload of the tenant and of all,
 * whether nobody has measured for long, and whether there are webhook endpoints. */
static struct db_rows *
generation_row(struct arena *a)
{
	enum { COLUMNS = 6 };
	char name[] = "n";
	PGresAttDesc columns[COLUMNS] = { 0 };
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	char text[COLUMNS][24];
	int i;

	for (i = 0; i < COLUMNS; i++)
		columns[i].name = name;
	PQsetResultAttrs(res, COLUMNS, columns);
	if (database.generation < 0)
		return rows_wrap(a, res);
	snprintf(text[0], sizeof(text[0]), "%lld",
	    (long long)database.generation);
	snprintf(text[1], sizeof(text[1]), "f");
	snprintf(text[2], sizeof(text[2]), "%d", database.overload.tenant);
	snprintf(text[3], sizeof(text[3]), "%d", database.overload.total);
	snprintf(text[4], sizeof(text[4]), "f");
	snprintf(text[5], sizeof(text[5]), "f");
	for (i = 0; i < COLUMNS; i++)
		PQsetvalue(res, 0, i, text[i], (int)strlen(text[i]));
	return rows_wrap(a, res);
}

int
__wrap_db_run(struct db *db, struct arena *a, struct db_batch *b,
    struct db_rows ***rows_r, struct err *e)
{
	struct db_rows **rows = arena_zalloc(a, 2, sizeof(*rows));

	(*(db_batch_size(b) == 1 ? &database.asked_generation
				 : &database.asked_both))++;
	if (database.fails)
		return err_set(e, ERR_TEMPORARY, "gone");
	rows[0] = generation_row(a);
	rows[1] = one(a, database.text);
	*rows_r = rows;
	return 0;
}

bool
__wrap_cache_get(struct cache *c, struct arena *a, const char *key,
    const void **value_r, size_t *n_r)
{
	memcached.asked++;
	if (strcmp(key, memcached.key) != 0)
		return false;
	*value_r = arena_strndup(a, (const char *)memcached.value, memcached.n);
	*n_r = memcached.n;
	return true;
}

void
__wrap_cache_set(struct cache *c, const char *key, const void *value, size_t n,
    int64_t ttl_ms)
{
	memcached.told++;
	snprintf(memcached.key, sizeof(memcached.key), "%s", key);
	assert_true(n <= sizeof(memcached.value));
	memcpy(memcached.value, value, n);
	memcached.n = n;
}

static void
thing_add(struct db_batch *b, struct tenant_id tenant, const char *name)
{
	db_add(b, Q_TEMPLATE_HEAD);
	db_arg_int(b, tenant.n);
	db_arg_text(b, name);
}

static const char *
thing_text(const struct db_rows *rows)
{
	return db_count(rows) == 0 ? NULL : db_text(rows, 0, 0);
}

static int
thing_parse(struct arena *a, const char *text, size_t len,
    const void **record_r, struct err *e)
{
	assert_int_equal(strlen(text), len);
	if (strcmp(text, "broken") == 0)
		return err_set(e, ERR_INTERNAL, "broken");
	*record_r = arena_printf(a, "<%s>", text);
	return 0;
}

static const struct known_kind things = { "thing", thing_add, thing_text,
	thing_parse };
static const struct tenant_id one_tenant = { 1 }, two_tenant = { 2 };
static struct config config = { .api_cache_check = 500, .cache_ttl = 60000,
	.cache_entries = 16 };
static struct arena *a, *request;
static struct keyring *ring;
static struct known *known;
static int64_t shift_ms;

static int
setup_ring(void **state)
{
	char dir[] = "/tmp/belfry-known-XXXXXX", command[128];
	struct err e;

	a = arena_new(4096);
	if (mkdtemp(dir) == NULL || keyring_create(dir, &e) != 0 ||
	    keyring_load(a, dir, &ring, &e) != 0)
		return -1;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static int
teardown_ring(void **state)
{
	arena_free(&a);
	return 0;
}

static int
setup(void **state)
{
	request = arena_new(4096);
	memset(&database, 0, sizeof(database));
	memset(&memcached, 0, sizeof(memcached));
	database.generation = 7;
	database.text = "v1";
	known = known_new(request,
	    &(struct known_params){ .config = &config, .ring = ring });
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&request);
	shift_ms = 0;
	clock_shift_for_test(0, 0);
	return 0;
}

static void
later(int64_t ms)
{
	shift_ms += ms;
	clock_shift_for_test(0, shift_ms);
}

/* Looks "name" up and wants "want" (NULL: nothing). */
static void
look(struct tenant_id tenant, const char *name, const char *want)
{
	const void *record;
	struct err e;
	int rc = known_get(known, request, &things, tenant, name, &record, &e);

	assert_int_equal(rc, want != NULL ? 1 : 0);
	if (want != NULL)
		assert_string_equal(record, want);
}

static void
asked(int generation, int both)
{
	assert_int_equal(database.asked_generation, generation);
	assert_int_equal(database.asked_both, both);
}

static void
a_second_look_costs_nothing(void **state)
{
	look(one_tenant, "a", "<v1>");
	asked(0, 1);
	look(one_tenant, "a", "<v1>");
	later(400);
	look(one_tenant, "a", "<v1>");
	asked(0, 1);
}

static void
past_the_check_the_generation_is_asked(void **state)
{
	look(one_tenant, "a", "<v1>");
	later(500);
	look(one_tenant, "a", "<v1>");
	asked(1, 1);
	look(one_tenant, "a", "<v1>");
	asked(1, 1);
}

static void
a_change_is_seen_after_the_check(void **state)
{
	look(one_tenant, "a", "<v1>");
	database.generation = 8;
	database.text = "v2";
	look(one_tenant, "a", "<v1>");
	later(500);
	look(one_tenant, "a", "<v2>");
	later(500);
	database.text = NULL;
	database.generation = 9;
	look(one_tenant, "a", NULL);
}

static void
overload_comes_with_the_generation(void **state)
{
	struct overload o;

	look(one_tenant, "a", "<v1>");
	o = known_overload(known, one_tenant);
	assert_int_equal(o.tenant + o.total, 0);
	database.overload = (struct overload){ .tenant = 2, .total = 1 };
	later(600);
	look(one_tenant, "a", "<v1>");
	o = known_overload(known, one_tenant);
	assert_int_equal(o.tenant, 2);
	assert_int_equal(o.total, 1);
	o = known_overload(known, two_tenant);
	assert_int_equal(o.tenant + o.total, 0);
	database.overload = (struct overload){ 0, 0 };
}

/* One look at another thing of the tenant shows the new generation for all. */
static void
a_generation_holds_for_all_of_a_tenant(void **state)
{
	look(one_tenant, "a", "<v1>");
	later(500);
	database.generation = 8;
	database.text = "v2";
	look(one_tenant, "b", "<v2>");
	look(one_tenant, "a", "<v2>");
}

static void
what_is_not_there_is_asked_each_time(void **state)
{
	database.text = NULL;
	look(one_tenant, "a", NULL);
	look(one_tenant, "a", NULL);
	asked(0, 2);
	database.generation = -1;
	look(two_tenant, "a", NULL);
	look(two_tenant, "a", NULL);
	asked(0, 4);
	assert_int_equal(memcached.told, 0);
}

static void
tenants_and_names_are_apart(void **state)
{
	look(one_tenant, "a", "<v1>");
	database.text = "w1";
	look(two_tenant, "a", "<w1>");
	database.text = "v3";
	look(one_tenant, "b", "<v3>");
	look(one_tenant, "a", "<v1>");
	look(two_tenant, "a", "<w1>");
}

static void
a_database_that_is_gone_is_told(void **state)
{
	const void *record;
	struct err e;

	look(one_tenant, "a", "<v1>");
	database.fails = true;
	look(one_tenant, "a", "<v1>");
	later(500);
	assert_int_equal(known_get(known, request, &things, one_tenant, "a",
	                     &record, &e),
	    -1);
	assert_int_equal(e.kind, ERR_TEMPORARY);
	database.fails = false;
	look(one_tenant, "a", "<v1>");
}

static void
what_does_not_parse_is_not_kept(void **state)
{
	const void *record;
	struct err e;

	database.text = "broken";
	assert_int_equal(known_get(known, request, &things, one_tenant, "a",
	                     &record, &e),
	    -1);
	database.text = "v1";
	memcached.key[0] = '\0';
	look(one_tenant, "a", "<v1>");
}

static void
the_least_used_makes_room(void **state)
{
	char name[8];
	int i;

	for (i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		look(one_tenant, name, "<v1>");
	}
	look(one_tenant, "n0", "<v1>");
	asked(0, 16);
	look(one_tenant, "more", "<v1>");
	look(one_tenant, "n0", "<v1>");
	asked(0, 17);
	look(one_tenant, "n1", "<v1>");
	asked(0, 18);
}

static void
what_is_old_is_read_again(void **state)
{
	look(one_tenant, "a", "<v1>");
	later(60000);
	look(one_tenant, "a", "<v1>");
	asked(1, 1);
	assert_int_equal(memcached.asked, 1);
}

static void
memcached_spares_the_database(void **state)
{
	struct known *other = known_new(request,
	    &(struct known_params){ .config = &config, .ring = ring });
	const void *record;
	struct err e;

	/* The other worker knows the generation ... */
	assert_int_equal(known_get(other, request, &things, one_tenant, "x",
	                     &record, &e),
	    1);
	/* ... this one reads the thing ... */
	look(one_tenant, "a", "<v1>");
	asked(0, 2);
	/* ... and the other finds it in memcached. */
	database.fails = true;
	assert_int_equal(known_get(other, request, &things, one_tenant, "a",
	                     &record, &e),
	    1);
	assert_string_equal(record, "<v1>");
	asked(0, 2);
}

/* Makes memcached hold what a worker wrote, changes it, and has another worker look
 * for "name": it must go to the database. */
static void
distrust(const char *name, void (*change)(void))
{
	struct known *other;
	const void *record;
	struct err e;
	int before;

	database.text = "v1";
	known = known_new(request,
	    &(struct known_params){ .config = &config, .ring = ring });
	other = known_new(request,
	    &(struct known_params){ .config = &config, .ring = ring });
	assert_int_equal(known_get(other, request, &things, one_tenant, "x",
	                     &record, &e),
	    1);
	look(one_tenant, "a", "<v1>");
	change();
	before = database.asked_both;
	assert_int_equal(known_get(other, request, &things, one_tenant, name,
	                     &record, &e),
	    1);
	assert_int_equal(database.asked_both, before + 1);
}

static void
flip_text(void)
{
	memcached.value[memcached.n - 1] ^= 1;
}

static void
flip_hash(void)
{
	memcached.value[0] ^= 1;
}

static void
cut(void)
{
	memcached.n = 20;
}

static void
rename_it(void)
{
	assert_string_equal(memcached.key, "thing/1/7/a");
	memcached.key[strlen(memcached.key) - 1] = 'b';
}

static void
memcached_is_not_believed(void **state)
{
	distrust("a", flip_text);
	distrust("a", flip_hash);
	distrust("a", cut);
	distrust("b", rename_it);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_second_look_costs_nothing),
		T(past_the_check_the_generation_is_asked),
		T(overload_comes_with_the_generation),
		T(a_change_is_seen_after_the_check),
		T(a_generation_holds_for_all_of_a_tenant),
		T(what_is_not_there_is_asked_each_time),
		T(tenants_and_names_are_apart),
		T(a_database_that_is_gone_is_told),
		T(what_does_not_parse_is_not_kept),
		T(the_least_used_makes_room),
		T(what_is_old_is_read_again),
		T(memcached_is_not_believed),
		T(memcached_spares_the_database),
	};

	return cmocka_run_group_tests(tests, setup_ring, teardown_ring);
}
